"""Text in Shakespeare's style by a transformer: exercise 40's "today's choice" beside the LSTM, in equal time.

    python examples/architectures/transformer.py               # as long as shakespeare.py: half an hour on one core
    python examples/architectures/transformer.py --load transformer.npz --prompt "HAMLET." --temperatures 0.6 0.9

The same plays, letters and strings as in shakespeare.py, the same test, and the same time; only what stands between the
embeddings and the read-out differs. Blocks of causal self-attention look back at the letters of a window: each letter
asks all that came before it, in several heads, and then goes through a small net of its own. Nothing is carried from
letter to letter, so all letters of a window are learned at once; and nothing reaches back further than the window.

While a text is read or written, keys and values of the letters so far are kept in a cache, so that a new letter costs
one step, not a whole window.
"""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from course import Course, arguments, start
from shakespeare import (
    ALPHABET,
    Reader,
    common_strings,
    encode,
    figures,
    parse,
    plays,
    report,
    rises_and_falls,
)

from mazegrad import nn
from mazegrad.script import count, fraction

HEAD = 32  # numbers in each attention head


class Transformer(Reader):
    """Letters so far -> logits of the next one: embeddings, blocks of causal self-attention, linear read-out.

    The blocks normalise what they read (Xiong et al. 2020), and positions turn queries and keys (Su et al. 2021), so
    that a score depends on the distance of two letters, not on where they stand.

    Args:
        size: numbers for each letter within the blocks, a multiple of 32: each head has 32.
        layers: blocks.
        window: how many letters are seen at once in training.
        common: the strings that are read as one symbol.
    """

    def __init__(
        self,
        size: int,
        layers: int,
        window: int,
        common: np.ndarray,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(common, dropout, rng=rng)
        self.window = window
        self.widen = nn.Linear(64, size, rng=rng)
        block = nn.TransformerEncoderLayer(
            size, size // HEAD, 4 * size, dropout, norm_first=True, rotary=10_000.0, rng=rng
        )
        block.self_attn.dropout = block.dropout.p = 0.0  # only what joins the shortcut: random numbers take time
        self.blocks = nn.TransformerEncoder(block, layers, nn.LayerNorm(size), enable_nested_tensor=False)
        self.output = nn.Linear(size, len(ALPHABET), rng=rng)
        for name, weight in self.blocks.named_parameters():
            if weight.ndim == 2:  # each block its own weights; what is added to the shortcut begins small (GPT-2)
                added = name.endswith(("out_proj.weight", "linear2.weight"))
                spread = 1 / math.sqrt(weight.shape[1] * (2 * layers if added else 1))
                weight.assign(nn.init.normal(weight.shape, spread, rng=rng))

    def forward(self, letters: np.ndarray, state: Any = None) -> tuple[nn.Tensor, Any]:
        """Return logits (T, B, 96) and the new state: caches of the blocks, and the last letters.

        In training the letters are one window. Otherwise they may be any number, and are read in pieces of half a
        window: each letter sees at least the half window before it, and no two further apart than in training.

        Args:
            letters: (T, B) integers.
            state: as returned; without one, the text begins after empty lines.
        """
        caches, past = state or (None, None)
        if self.training:
            vectors, past = self.read(letters, past)
            return self.output(self.blocks(self.widen(vectors), is_causal=True)), (None, past)
        caches, half, logits = caches or self.blocks.new_cache(), self.window // 2, []
        for first in range(0, len(letters), half):
            piece = letters[first : first + half]
            for cache in caches:
                cache.keep(self.window - len(piece))
            vectors, past = self.read(piece, past)
            logits.append(self.output(self.blocks(self.widen(vectors), is_causal=True, cache=caches)))
        return nn.concatenate(logits), (caches, past)


def windows(text: np.ndarray, batch: int, length: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield windows (length + 1, batch) of a text, read as a ring, from places drawn anew each time."""
    while True:
        yield text[(rng.integers(len(text), size=batch) + np.arange(length + 1)[:, None]) % len(text)]


def main(words: list[str] | None = None) -> float:
    """Train, write and test; return the bits per character on both held-out plays together."""
    parser = arguments(__file__, __doc__, epochs=22)
    parser.add_argument("--size", type=count, help="numbers for each letter; default: 192; 64 with --quick")
    parser.add_argument("--layers", type=count, help="blocks; default: 4; 2 with --quick")
    parser.add_argument("--window", type=count, help="letters that are seen at once; default: 256; 64 with --quick")
    parser.add_argument("--dropout", type=fraction, help="default: 0.1; none with --quick")
    options = parse(parser, words)
    quick = options.quick
    size, layers = options.size or (64 if quick else 192), options.layers or (2 if quick else 4)
    window = options.window or (64 if quick else 256)
    if size % HEAD:
        parser.error(f"--size: {size} is not a multiple of {HEAD}, the size of a head")
    if window < 2:
        parser.error("--window: a window has at least 2 letters")
    batch, steps, lr = (16, 60, 5e-3) if quick else (16, 200, 2e-3)
    dropout = options.dropout if options.dropout is not None else 0.0 if quick else 0.1

    works, held_out, test = plays(quick)
    train = encode("\n\n".join(works.values()))
    common, rng = common_strings(train), np.random.default_rng(options.seed)
    net = Transformer(size, layers, window, common, dropout, rng=rng)
    named = list(net.named_parameters())
    groups = [  # biases and norms do not decay
        {"params": [(name, p) for name, p in named if p.ndim > 1], "weight_decay": 0.1},
        {"params": [(name, p) for name, p in named if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = nn.AdamW(groups, lr, (0.9, 0.98))
    scheduler = rises_and_falls(optimizer, options.epochs * steps, warm_up=100)
    course = Course(options, net, optimizer, scheduler, rng, clip=1.0, common=zlib.crc32(common.tobytes()))
    print(net)

    def loss_of(letters: np.ndarray) -> nn.Tensor:
        logits, _ = net(letters[:-1])
        return nn.cross_entropy(logits.reshape(-1, len(ALPHABET)), letters[1:].ravel())

    course.run(
        lambda epoch: windows(train, batch, window, rng), steps, loss_of, lambda: figures(net, options, held_out)
    )
    return report(net, options, works, test)


if __name__ == "__main__":
    start(main)

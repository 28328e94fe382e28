"""Text in Shakespeare's style, letter by letter: a recurrent language model (exercise 40, part 1).

    python examples/architectures/shakespeare.py               # half an hour on one core; writes samples as it learns
    python examples/architectures/shakespeare.py --load shakespeare.npz --prompt "HAMLET." --temperatures 0.6 0.9

An LSTM reads the plays and predicts the probability of each next letter. It is tested on Hamlet and The Tempest, which
it has never seen: the mean of -log2 of the probability of the letter that follows, in bits per character, is the size
to which it would compress them. Text is written by drawing letters from the predicted probabilities.

If the last two to five letters are a common string, they are also read as one symbol with an embedding of its own.
"""

import lzma
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import corpora
import numpy as np
from course import Course, Options, arguments, start
from pages import coloured, draw_page

from mazegrad import nn
from mazegrad.nn.sampling import sample
from mazegrad.script import count, fraction, positive

ALPHABET = "\n" + "".join(map(chr, range(32, 127)))  # a letter's number is its index here
SPANS = 2, 3, 4, 5  # lengths of the strings that are read as one symbol


def encode(text: str) -> np.ndarray:
    """Return the numbers of the letters of an ASCII text; a ValueError names a letter that is not in the alphabet."""
    if strange := set(text) - set(ALPHABET):
        raise ValueError(f"the alphabet has no {min(strange)!r}, only printable ASCII and the line feed")
    return np.maximum(np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 31, 0)


def strings(letters: np.ndarray, span: int) -> np.ndarray:
    """Return runs of `span` letters along the first axis as numbers, (n, ...) -> (n - span + 1, ...)."""
    numbers = np.ones((len(letters) - span + 1, *letters.shape[1:]), np.int64)  # 1: no string is the end of another
    for i in range(span):
        numbers = numbers << 7 | letters[i : len(numbers) + i]
    return numbers


def common_strings(text: np.ndarray, least: int = 50) -> np.ndarray:
    """Return the sorted numbers of the strings of SPANS letters that occur at least `least` times; the first is 0."""
    found = [np.unique(strings(text, span), return_counts=True) for span in SPANS]
    return np.sort(np.concatenate([[0], *(numbers[counts >= least] for numbers, counts in found)]))


class Reader(nn.Module):
    """What a language model begins with: the embedding of each letter, plus those of the common strings that it ends.

    Hashed n-grams do this at the output of recurrent models (Mikolov et al. 2011) and at the input of transformers over
    bytes (Pagnoni et al. 2024).

    Args:
        common: the strings that are read as one symbol, from `common_strings`.
    """

    def __init__(self, common: np.ndarray, dropout: float, *, rng: np.random.Generator) -> None:
        self.common = common
        self.embedding = nn.Embedding(len(ALPHABET), 64, rng=rng)
        self.strings = nn.Embedding(len(common), 64, rng=rng)
        self.strings.weight.assign(np.zeros((len(common), 64)))
        self.dropout = nn.Dropout(dropout, rng=rng)

    def rows(self, letters: np.ndarray, past: np.ndarray) -> np.ndarray:
        """Return the table rows of the strings that end at each of the letters (T, B), (spans, T, B); 0: not common."""
        text = np.concatenate([past, letters])
        numbers = np.stack([strings(text[len(past) - span + 1 :], span) for span in SPANS])
        places = np.searchsorted(self.common, numbers, side="right") - 1
        return np.where(self.common[places] == numbers, places, 0)

    def read(self, letters: np.ndarray, past: np.ndarray | None) -> tuple[nn.Tensor, np.ndarray]:
        """Return vectors (T, B, 64) of letters (T, B), and the last letters: the next `past`; None: empty lines."""
        past = np.zeros((max(SPANS) - 1, letters.shape[1]), np.int64) if past is None else past
        vectors = self.embedding(letters) + self.dropout(self.strings(self.rows(letters, past))).sum(0)
        return vectors, np.concatenate([past, letters])[-len(past) :]


class LanguageModel(Reader):
    """Letters so far -> logits of the next one: embeddings, LSTM, linear read-out."""

    def __init__(self, hidden: int, common: np.ndarray, dropout: float = 0.0, *, rng: np.random.Generator) -> None:
        super().__init__(common, dropout, rng=rng)
        self.lstm = nn.LSTM(64, hidden, rng=rng)
        self.lstm.bias_hh_l0.assign(nn.init.forget_bias(hidden))
        self.output = nn.Linear(hidden, len(ALPHABET), rng=rng)

    def forward(self, letters: np.ndarray, state: Any = None) -> tuple[nn.Tensor, Any]:
        """Return logits (T, B, 96) and the new state, which is that of the LSTM and the last letters.

        Args:
            letters: (T, B) integers.
            state: as returned; without one, the text begins after empty lines.
        """
        lstm, past = state or (None, None)
        vectors, past = self.read(letters, past)
        hidden, lstm = self.lstm(vectors, lstm)
        return self.output(self.dropout(hidden)), (lstm, past)


def windows(text: np.ndarray, streams: int, length: int, rng: np.random.Generator) -> Iterator[tuple[int, np.ndarray]]:
    """Yield windows (length + 1, streams) of a text, read as a ring from `streams` places at once.

    The places are equally far apart, and the first is random; each window begins with the last letter of the one
    before.
    """
    places = rng.integers(len(text)) + np.arange(streams) * len(text) // streams
    number = 0
    while True:
        yield number, text[(places + np.arange(length + 1)[:, None]) % len(text)]
        places += length
        number += 1


@nn.no_grad()
def surprise(net: LanguageModel, text: str, pieces: int = 1) -> np.ndarray:
    """Return -log2 of the probability of each letter, except the first of a piece.

    The text is read as equally long pieces side by side, each from an empty state. More pieces are faster and cost a
    little more, since each begins without context.
    """
    letters, state, costs = encode(text), None, []
    columns = letters[: len(letters) // pieces * pieces].reshape(pieces, -1).T
    for first in range(0, len(columns) - 1, 1000):
        window = columns[first : first + 1001]
        logits, state = net(window[:-1], state)
        flat = nn.cross_entropy(logits.reshape(-1, len(ALPHABET)), window[1:].ravel(), reduction="none")
        costs.append(flat.data.reshape(-1, pieces) / math.log(2))
    return np.concatenate(costs).T.ravel()


@nn.no_grad()
def write(net: LanguageModel, options: Any, length: int) -> list[str]:
    """Continue the prompt by `length` letters at each temperature, all in one batch."""
    rng, temperatures = np.random.default_rng(options.seed), np.array(options.temperatures)[:, None]
    letters, state = np.repeat(encode(options.prompt)[:, None], len(temperatures), axis=1), None
    written = []
    for _ in range(length):
        logits, state = net(letters, state)
        letters = sample(logits.data[-1] / temperatures, rng=rng)[None]
        written.append(letters[0])
    return ["".join(ALPHABET[i] for i in column) for column in np.transpose(written)]


def compressed(before: str, text: str) -> float:
    """Return the bits per character of a compressor that has read `before`, for comparison."""
    size = [len(lzma.compress(t.encode("ascii"), preset=9)) for t in (before, before + text)]
    return 8 * (size[1] - size[0]) / len(text)


def show_surprise(name: str, text: str, costs: np.ndarray, folder: Path) -> None:
    """Draw a page of a text, each letter on the shade of its cost; a well-known passage if the text has it."""
    first = max(text.find("To be, or not to be"), 1)
    shades = np.clip(costs[first - 1 :][:2000] / 8, 0, 1)
    excerpt = text[first:][:2000]
    print(f"\n{coloured(excerpt, shades)}\n")
    draw_page(
        excerpt,
        shades,
        folder / "surprise.png",
        f"{name}: the cost of each letter, from white (0 bits) to orange (8 bits)",
    )


# ----------------------------------------------------------------- what any language model of these letters shares
def parse(parser: Options, words: list[str] | None) -> Any:
    """Parse the options of a language model: its own, and those of what it writes."""
    parser.add_argument("--prompt", default="\n\n", help="text to continue; default: an empty line")
    parser.add_argument("--temperatures", type=positive, nargs="+", default=[0.3, 0.6, 0.8, 1.0, 1.2], metavar="T")
    parser.add_argument("--length", type=count, default=600, help="letters to write at the end (default: %(default)s)")
    options = parser.parse_args(words)
    try:
        encode(options.prompt)
    except ValueError as error:
        parser.error(f"--prompt: {error}")
    if not options.prompt:
        parser.error("--prompt must not be empty")
    return options


def plays(quick: bool) -> tuple[dict[str, str], str, dict[str, str]]:
    """Return the works to train on, the text that is held out to watch the training, and the plays to test on."""
    works, valid, test = (corpora.shakespeare(split) for split in ("train", "valid", "test"))
    if quick:
        test = {name: text[-5000:] for name, text in test.items()}
    return works, "".join(valid.values())[:50_000], test


def rises_and_falls(optimizer: nn.Optimiser, total: int, warm_up: int = 20) -> nn.schedulers.Scheduler:
    """The learning rate rises for some steps, stays, and falls to 0 in the second half."""
    return nn.schedulers.LambdaLR(optimizer, lambda step: min(1, (step + 1) / warm_up, (1 - step / total) / 0.5))


def figures(net: Any, options: Any, held_out: str) -> dict[str, float]:
    """After an epoch: a sample at each temperature, and the cost of the held-out text."""
    for temperature, text in zip(options.temperatures, write(net, options, 120), strict=True):
        print(f"  at {temperature}: {' / '.join(text.split(chr(10)))}")
    return {"bits per character": surprise(net, held_out, pieces=50).mean()}


def report(net: Any, options: Any, works: dict[str, str], test: dict[str, str]) -> float:
    """After training: write, test, draw; return the bits per character on the plays to test on together."""
    for temperature, text in zip(options.temperatures, write(net, options, options.length), strict=True):
        print(f"\n----- temperature {temperature}\n{options.prompt}{text}")
    print()
    costs = {}
    for name, text in test.items():
        costs[name] = surprise(net, text)
        bits = costs[name].mean()
        print(f"{name}: {bits:.3f} bits per character, perplexity {2**bits:.2f} ({len(text):,} letters)")
    total = float(np.concatenate(list(costs.values())).mean())
    print(f"together: {total:.3f} bits per character, perplexity {2**total:.2f}")
    before, after = ("".join(texts.values()) for texts in (works, test))
    if not options.quick:
        print(f"the compressor xz, which has read the same {len(before):,} letters: {compressed(before, after):.3f}")
    name, text = next(iter(test.items()))
    show_surprise(name, text, costs[name], options.pictures)
    return total


# ------------------------------------------------------------------------------------------------------------ the LSTM
def main(words: list[str] | None = None) -> float:
    """Train, write and test; return the bits per character on both held-out plays together."""
    parser = arguments(__file__, __doc__, epochs=22)
    parser.add_argument("--hidden", type=count, help="units of the LSTM; default: 512; 64 with --quick")
    parser.add_argument("--dropout", type=fraction, help="default: 0.4; none with --quick")
    options = parse(parser, words)
    quick = options.quick
    streams, length, steps, lr = (16, 50, 60, 1e-2) if quick else (64, 64, 400, 3e-3)
    hidden = options.hidden or (64 if quick else 512)
    dropout = options.dropout if options.dropout is not None else 0.0 if quick else 0.4

    works, held_out, test = plays(quick)
    train = encode("\n\n".join(works.values()))
    common, rng = common_strings(train), np.random.default_rng(options.seed)
    net = LanguageModel(hidden, common, dropout, rng=rng)
    optimizer = nn.AdamW(net.named_parameters(), lr, weight_decay=0.1)
    scheduler = rises_and_falls(optimizer, options.epochs * steps)
    known = zlib.crc32(common.tobytes())
    course = Course(options, net, optimizer, scheduler, rng, clip=1.0, common=known)
    print(net)
    state: Any = None

    def loss_of(batch: tuple[int, np.ndarray]) -> nn.Tensor:
        """Truncated backpropagation through time: the state is carried from window to window, the gradient is not.

        From time to time the state is reset, as at the start of each play: a net that has rarely seen an empty state
        can fail after one and never recover.
        """
        nonlocal state
        number, letters = batch
        logits, state = net(letters[:-1], nn.detach(state) if number % 50 else None)
        return nn.cross_entropy(logits.reshape(-1, len(ALPHABET)), letters[1:].ravel())

    course.run(
        lambda epoch: windows(train, streams, length, rng), steps, loss_of, lambda: figures(net, options, held_out)
    )
    return report(net, options, works, test)


if __name__ == "__main__":
    start(main)

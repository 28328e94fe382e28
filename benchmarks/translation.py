"""How long is one training step of the translator of exercise 40, here and in torch? One core, float32, side by side.

    python benchmarks/translation.py

The net is that of examples/architectures/translate.py: a bidirectional LSTM, a second LSTM that asks it by
attention, one matrix to read and write target tokens, cross-entropy with smoothed labels, clipping, Adam; a batch of 64
phrases as long as the program's are. Dropout is left out, so that both compute the same, which is checked first: the
losses must fall along the same path. Processor time is counted, and the two take turns. A line gives the median and the
fastest turn, and the median of the ratios to torch (pip install "mazegrad[bench]"; without it, only this library's).
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import numpy as np  # noqa: E402
from measure import check_paths, take_turns  # noqa: E402

from mazegrad import nn  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "architectures"))

from translators import PAD, Translator  # noqa: E402

SOURCES, TARGETS, SMOOTHING, CLIP = 4065, 4175, 0.1, 1.0  # tokens of each vocabulary; as in the program
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
Step = Callable[[], float]  # one training step; returns the loss before it


def random_batch(size: int, rng: np.random.Generator) -> Batch:
    """Random tokens as `translate.Corpus` deals them: targets of about one length, sources of any, padded."""
    lengths = np.clip(rng.poisson(5, size), 2, 24)
    source, target = rng.integers(3, SOURCES, (lengths.max(), size)), rng.integers(5, TARGETS, (9, size))
    source[np.arange(len(source))[:, None] >= lengths] = PAD
    target[-1, : size // 2] = PAD
    return source, lengths, target


def ours(net: Translator, batch: Batch) -> Step:
    optimizer = nn.Adam(net.named_parameters())

    def step() -> float:
        optimizer.zero_grad()
        loss = net.loss(batch, SMOOTHING)
        loss.backward()
        nn.clip_grad_norm(optimizer.parameters.items(), CLIP)
        optimizer.step()
        return loss.item()

    return step


def torch_step(weights: dict[str, np.ndarray], settings: argparse.Namespace, batch: Batch) -> Step:
    import torch

    torch.set_num_threads(1)
    size, hidden = settings.embedding, settings.hidden
    net: Any = torch.nn.Module()
    net.source, net.target = torch.nn.Embedding(SOURCES, size), torch.nn.Embedding(TARGETS, size)
    net.encoder, net.decoder = torch.nn.LSTM(size, hidden // 2, bidirectional=True), torch.nn.LSTM(size, hidden)
    net.bridge, net.key = torch.nn.Linear(hidden, hidden), torch.nn.Linear(hidden, hidden, bias=False)
    net.mix, net.level = torch.nn.Linear(2 * hidden + size, size), torch.nn.Parameter(torch.zeros(TARGETS))
    net.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    functional, rnn = torch.nn.functional, torch.nn.utils.rnn
    source, lengths, target = map(torch.tensor, batch)
    there = torch.arange(len(source)) < lengths[:, None, None]

    def step() -> float:
        optimizer.zero_grad()
        read = net.source(source) * size**0.5
        states, (last, _) = net.encoder(rnn.pack_padded_sequence(read, lengths, enforce_sorted=False))
        states = rnn.pad_packed_sequence(states)[0].transpose(0, 1)
        keys, values = net.key(states), torch.cat([states, read.transpose(0, 1)], -1)
        h = net.bridge(torch.cat([last[0], last[1]], -1)).tanh()[None]
        states, _ = net.decoder(net.target(target[:-1]) * size**0.5, (h, torch.zeros_like(h)))
        queries = states.transpose(0, 1)
        found = functional.scaled_dot_product_attention(queries, keys, values, there)
        mixed = net.mix(torch.cat([queries, found], -1)).tanh()
        logits = functional.linear(mixed, net.target.weight, net.level)
        loss = functional.cross_entropy(
            logits.flatten(0, 1), target[1:].T.flatten(), ignore_index=PAD, label_smoothing=SMOOTHING
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        return loss.item()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--embedding", type=int, default=192)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    batch = random_batch(options.batch_size, rng)
    options.dropout = 0.0
    net = Translator(SOURCES, TARGETS, options, rng)
    weights = net.state_dict()
    steps = {"mazegrad": ours(net, batch)}
    try:
        steps["torch"] = torch_step(weights, options, batch)
    except ImportError as error:
        print(f"torch: left out ({error})")
    check_paths(steps, 5)
    times = take_turns(steps, 3 if options.quick else options.rounds, 10)
    print(f"{'one training step':<24}{'median ms':>10}{'best ms':>10}{'x torch':>10}")
    for name, values in times.items():
        ratios = [a / b for a, b in zip(values, times["torch"], strict=True)] if "torch" in times else []
        print(
            f"{name:<24}{statistics.median(values):>10.1f}{min(values):>10.1f}"
            f"{statistics.median(ratios) if ratios else float('nan'):>10.2f}"
        )


if __name__ == "__main__":
    main()

"""How long is one training step of the language model of exercise 40, here and in torch? One core, float32.

    python benchmarks/language_model.py

The net is that of examples/architectures/shakespeare.py: letters and strings of letters embedded in 64 numbers, an LSTM
of 512 units, a linear read-out; 64 streams of 64 letters, cross-entropy, the gradient clipped, AdamW, the state carried
on; no dropout, since the two would drop other units. Letters are drawn from 8, so that there are 37,448 strings, about
as many as the plays have common ones. Both compute the same, which is checked first: the losses must fall along the
same path. Processor time is counted, and the two take turns. A line gives the median and the fastest turn, letters a
second by the median, and the median of the ratios to torch (pip install "mazegrad[bench]"; without it, only this
library's line).
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import numpy as np  # noqa: E402
from measure import check_paths, take_turns  # noqa: E402

from mazegrad import nn  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "architectures"))

from shakespeare import ALPHABET, SPANS, LanguageModel, common_strings  # noqa: E402

Step = Callable[[], float]  # one training step; returns the loss before it


def ours(net: LanguageModel, letters: np.ndarray) -> Step:
    optimizer = nn.AdamW(net.named_parameters())
    state = None

    def step() -> float:
        nonlocal state
        optimizer.zero_grad()
        logits, state = net(letters[:-1], nn.detach(state))
        loss = nn.cross_entropy(logits.reshape(-1, len(ALPHABET)), letters[1:].ravel())
        loss.backward()
        nn.clip_grad_norm(optimizer.parameters.items(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def torch_step(ours: LanguageModel, weights: dict[str, np.ndarray], letters: np.ndarray) -> Step:
    import torch

    torch.set_num_threads(1)
    size, hidden = weights["embedding.weight"].shape[1], weights["lstm.weight_hh_l0"].shape[1]
    net = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(len(ALPHABET), size),
            "strings": torch.nn.Embedding(len(ours.common), size),
            "lstm": torch.nn.LSTM(size, hidden),
            "output": torch.nn.Linear(hidden, len(ALPHABET)),
        }
    )
    net.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    source, target = torch.tensor(letters[:-1]), torch.tensor(letters[1:]).flatten()
    past = np.zeros((max(SPANS) - 1, letters.shape[1]), np.int64)
    state = None

    def step() -> float:
        nonlocal past, state
        optimizer.zero_grad()
        rows = torch.tensor(ours.rows(letters[:-1], past))
        past = letters[-len(past) - 1 : -1]
        states, state = net["lstm"](net["embedding"](source) + net["strings"](rows).sum(0), state)
        state = tuple(part.detach() for part in state)
        loss = torch.nn.functional.cross_entropy(net["output"](states).flatten(0, 1), target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    letters = rng.integers(8, size=(options.length + 1, options.streams))
    net = LanguageModel(options.hidden, common_strings(rng.integers(8, size=1_000_000), least=1), rng=rng)
    weights = net.state_dict()
    steps = {"mazegrad": ours(net, letters)}
    try:
        steps["torch"] = torch_step(net, weights, letters)
    except ImportError as error:
        print(f"torch: left out ({error})")
    check_paths(steps, 5)
    times = take_turns(steps, 3 if options.quick else options.rounds, 3)
    print(f"{'one training step':<24}{'median ms':>10}{'best ms':>10}{'letters/s':>12}{'x torch':>10}")
    for name, values in times.items():
        median = statistics.median(values)
        ratios = [a / b for a, b in zip(values, times.get("torch", values), strict=True)]
        ratio = f"{statistics.median(ratios):.2f}" if "torch" in times else "-"
        rate = options.streams * options.length / median * 1e3
        print(f"{name:<24}{median:>10.1f}{min(values):>10.1f}{rate:>12,.0f}{ratio:>10}")


if __name__ == "__main__":
    main()

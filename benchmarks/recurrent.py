"""How long do the recurrent layers take, here and in torch? One thread, float32, side by side.

    python benchmarks/recurrent.py

One layer, 100 steps, batch 64, hidden size 128 (and 128 inputs, unless --inputs says otherwise): forward with backward
to weights and inputs, then forward alone, without a graph. Processor time is counted, and the two take turns, so that
a busy machine disturbs both alike; first, results and gradients are checked to be equal. A line gives the medians, the
fastest turns and the median of the ratios. torch comes with pip install "mazegrad[bench]".
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import numpy as np  # noqa: E402
from measure import kernels  # noqa: E402

from mazegrad import nn  # noqa: E402

FLOORS = {"RNN": (1.0, 1.0), "LSTM": (1.3, 1.6), "GRU": (1.2, 1.2)}  # forward + backward, forward alone
Job = Callable[[], np.ndarray]


def ours(layer: nn.Module, x: np.ndarray, weights: np.ndarray) -> tuple[Job, Job]:
    """Forward and backward, which gives the input's gradient; forward alone, which gives the output."""

    def both() -> np.ndarray:
        layer.zero_grad()
        given = nn.Tensor(x, requires_grad=True)
        layer(given)[0].backward(weights)
        assert given.grad is not None
        return given.grad

    def alone() -> np.ndarray:
        with nn.no_grad():
            return layer(nn.Tensor(x))[0].data

    return both, alone


def theirs(kind: str, layer: nn.Module, x: np.ndarray, weights: np.ndarray) -> tuple[Job, Job]:
    """The same in torch, with the same weights."""
    import torch

    torch.set_num_threads(1)
    twin = getattr(torch.nn, kind)(layer.input_size, layer.hidden_size)
    twin.load_state_dict({name: torch.tensor(array) for name, array in layer.state_dict().items()})
    out_grad = torch.tensor(weights)

    def both() -> np.ndarray:
        twin.zero_grad()
        given = torch.tensor(x, requires_grad=True)
        twin(given)[0].backward(out_grad)
        return given.grad.numpy()

    def alone() -> np.ndarray:
        with torch.no_grad():
            return twin(torch.tensor(x))[0].numpy()

    return both, alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--inputs", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    options = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit('torch is not here: pip install "mazegrad[bench]"')
    print(
        f"{options.steps} steps, batch {options.batch}, {options.inputs} -> {options.hidden};"
        f" torch {torch.__version__}{kernels()}"
    )
    print(f"{'':<28}{'mazegrad ms':>14}{'torch ms':>12}{'best':>8}{'best':>8}{'ratio':>8}{'floor':>8}")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(options.steps, options.batch, options.inputs)).astype(np.float32)
    weights = rng.normal(size=(options.steps, options.batch, options.hidden)).astype(np.float32)
    for kind, floors in FLOORS.items():
        layer = getattr(nn, kind)(options.inputs, options.hidden, rng=rng)
        jobs = list(zip(ours(layer, x, weights), theirs(kind, layer, x, weights), strict=True))
        for title, (mine, other), floor in zip(("forward + backward", "forward"), jobs, floors, strict=True):
            a, b = mine(), other()
            if np.abs(a - b).max() > 1e-5 * max(1, np.abs(b).max()):
                sys.exit(f"{kind}: {title} differs from torch by {np.abs(a - b).max()}")
            times: list[list[float]] = [[], []]
            for _ in range(3 if options.quick else options.rounds):
                for job, taken in zip((mine, other), times, strict=True):
                    job()  # the caches are somebody else's
                    start = time.process_time()
                    for _ in range(3):
                        job()
                    taken.append((time.process_time() - start) / 3 * 1e3)
            ratio = statistics.median(m / t for m, t in zip(*times, strict=True))
            medians = f"{statistics.median(times[0]):>14.1f}{statistics.median(times[1]):>12.1f}"
            print(
                f"{kind + ' ' + title:<28}{medians}{min(times[0]):>8.1f}{min(times[1]):>8.1f}{ratio:>8.2f}{floor:>8.1f}"
            )


if __name__ == "__main__":
    main()

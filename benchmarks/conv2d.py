"""How long does a convolution take, forward and backward, next to PyTorch's on one thread?

Two tables: images that come in PyTorch's order (batch, channels, height, width), conversion included; and images that
are in the library's own order already, as everywhere inside a net. All candidates take turns, block by block, so
that a slow spell of the machine hits them all; each figure is the median over the rounds of a block's median.
Without torch only our own times are shown.
"""

import argparse
import os
import time
from collections.abc import Callable

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # read when numpy is imported

import numpy as np

from mazegrad.nn import h_conv2d, h_conv2d_grad

try:
    import torch
except ModuleNotFoundError:
    torch = None

# name: image, kernel, (floor, goal) forward, (floor, goal) backward, as multiples of torch's time
SHAPES = {
    "s1": ((64, 1, 28, 28), (8, 1, 3, 3), (0.5, 0.3), (0.4, 0.2)),
    "s2": ((64, 8, 26, 26), (16, 8, 3, 3), (1.9, 1.2), (1.5, 1.0)),
    "s3": ((64, 16, 12, 12), (32, 16, 3, 3), (1.9, 1.2), (1.5, 1.0)),
    "s4": ((64, 1, 28, 28), (8, 1, 5, 5), (0.5, 0.3), (0.4, 0.2)),
    "s5": ((128, 32, 14, 14), (64, 32, 3, 3), (1.0, 0.8), (1.1, 0.9)),
    "s6": ((8, 64, 56, 56), (64, 64, 3, 3), (1.0, 0.8), (1.1, 0.9)),
}
TABLES = {"C-contiguous images, conversion timed": "converted", "steady state, as inside a net": "steady"}
PASSES = ("forward", "backward")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="how often each candidate has its turn (default 15)")
    parser.add_argument("--block", type=float, default=10, help="milliseconds of one turn (default 10)")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="NAME", help="s1 ... s6")
    options = parser.parse_args()
    print(f"float32, one thread, numpy {np.__version__}, torch {torch.__version__ if torch else 'not installed'}")
    times = {name: measure(candidates(*SHAPES[name][:2]), options.rounds, options.block) for name in options.shapes}
    for title, way in TABLES.items():
        print(f"\n{title}\n{'':4}{'image':>17}{'kernel':>15}{'pass':>10}{'ours':>11}", end="")
        print(f"{'torch':>11}{'ratio':>8}{'floor':>7}{'goal':>6}" if torch else "")
        for name, found in times.items():
            image, kernel, *marks = SHAPES[name]
            for what, (floor, goal) in zip(PASSES, marks, strict=True):
                ours, sizes = found[f"{way} {what}"], ["x".join(map(str, shape)) for shape in (image, kernel)]
                print(f"{name:4}{sizes[0]:>17}{sizes[1]:>15}{what:>10}{ours:8.3f} ms", end="")
                if torch:
                    theirs = found[f"torch {what}"]
                    print(f"{theirs:8.3f} ms{ours / theirs:8.2f}{floor:7}{goal:6}", end="")
                print()


def candidates(image_shape: tuple[int, ...], kernel_shape: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)
    image, kernel = (rng.standard_normal(shape, np.float32) for shape in (image_shape, kernel_shape))
    grad = rng.standard_normal(h_conv2d(image, kernel).shape, np.float32)
    image_rows, grad_rows = (np.ascontiguousarray(a.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2) for a in (image, grad))
    found = {
        "converted forward": lambda: h_conv2d(image, kernel),
        "converted backward": lambda: h_conv2d_grad(image, kernel, grad),
        "steady forward": lambda: h_conv2d(image_rows, kernel),
        "steady backward": lambda: h_conv2d_grad(image_rows, kernel, grad_rows),
    }
    if torch:
        torch.set_num_threads(1)
        leaves = [torch.from_numpy(a).requires_grad_() for a in (image, kernel)]
        output, toward = torch.nn.functional.conv2d(*leaves), torch.from_numpy(grad)
        plain = [leaf.detach() for leaf in leaves]
        found["torch forward"] = lambda: torch.nn.functional.conv2d(*plain)
        found["torch backward"] = lambda: torch.autograd.grad(output, leaves, toward, retain_graph=True)
    return found


def measure(found: dict[str, Callable[[], object]], rounds: int, block: float) -> dict[str, float]:
    """Return each candidate's milliseconds."""
    repeats = {name: max(2, int(block / max(milliseconds(run), milliseconds(run)))) for name, run in found.items()}
    turns = [
        {name: np.median([milliseconds(run) for _ in range(repeats[name])]) for name, run in found.items()}
        for _ in range(rounds)
    ]
    return {name: float(np.median([turn[name] for turn in turns])) for name in found}


def milliseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    main()

"""How long does attention take, here and in torch? One thread, float32, side by side.

    taskset -c 0 python benchmarks/attention.py

256 queries and keys, 4 heads of 32 numbers, batch 16, forward with backward to everything: attention alone, causal
attention, attention in several heads with its linear layers, and a whole block of a transformer. Processor time is
counted, and the two take turns, so that a busy machine disturbs both alike; first, results and gradients are checked to
be equal. A line gives the medians, the fastest turns and the median of the ratios. torch comes with
pip install "mazegrad[bench]".
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import numpy as np  # noqa: E402
from measure import kernels, take_turns  # noqa: E402

from mazegrad import nn  # noqa: E402

LIMIT = 1.3  # torch's time
Job = Callable[[], list[np.ndarray]]


def ours(call: Callable[..., Any], module: nn.Module | None, arrays: list[np.ndarray], weights: np.ndarray) -> Job:
    """Forward and backward; gives the gradients of the inputs."""

    def job() -> list[np.ndarray]:
        if module is not None:
            module.zero_grad()
        given = [nn.Tensor(x, requires_grad=True) for x in arrays]
        call(*given).backward(weights)
        return [x.grad for x in given if x.grad is not None]

    return job


def theirs(call: Callable[..., Any], module: Any, arrays: list[np.ndarray], weights: np.ndarray) -> Job:
    """The same in torch."""
    import torch

    out_grad = torch.tensor(weights)

    def job() -> list[np.ndarray]:
        if module is not None:
            module.zero_grad()
        given = [torch.tensor(x, requires_grad=True) for x in arrays]
        call(*given).backward(out_grad)
        return [x.grad.numpy() for x in given]

    return job


def pairs(batch: int, length: int, heads: int, size: int) -> dict[str, tuple[Job, Job]]:
    """Each thing that is measured, here and in torch, with the same numbers."""
    import torch

    rng = np.random.default_rng(0)
    width = heads * size
    asked = [rng.normal(size=(batch, heads, length, size)).astype(np.float32) for _ in range(4)]
    x, weights = (rng.normal(size=(batch, length, width)).astype(np.float32) for _ in range(2))
    found: dict[str, tuple[Job, Job]] = {}
    attend, other = nn.scaled_dot_product_attention, torch.nn.functional.scaled_dot_product_attention
    for name, causal in (("attention", False), ("causal attention", True)):
        found[name] = (
            ours(lambda q, k, v, causal=causal: attend(q, k, v, is_causal=causal), None, asked[:3], asked[3]),
            theirs(lambda q, k, v, causal=causal: other(q, k, v, is_causal=causal), None, asked[:3], asked[3]),
        )
    layer = nn.MultiheadAttention(width, heads, batch_first=True, rng=rng)
    twin = torch.nn.MultiheadAttention(width, heads, batch_first=True)
    block = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, batch_first=True, norm_first=True, rng=rng)
    block_twin = torch.nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, batch_first=True, norm_first=True)
    for mine, yours in ((layer, twin), (block, block_twin)):
        yours.load_state_dict({name: torch.tensor(array) for name, array in mine.state_dict().items()})
    found["attention with heads"] = (
        ours(lambda x: layer(x, x, x, need_weights=False)[0], layer, [x], weights),
        theirs(lambda x: twin(x, x, x, need_weights=False)[0], twin, [x], weights),
    )
    found["block of a transformer"] = ours(block, block, [x], weights), theirs(block_twin, block_twin, [x], weights)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    options = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit('torch is not here: pip install "mazegrad[bench]"')
    torch.set_num_threads(1)
    print(
        f"batch {options.batch}, {options.length} queries and keys, {options.heads} heads of {options.size};"
        f" torch {torch.__version__}{kernels()}"
    )
    print(
        f"{'forward + backward':<28}{'mazegrad ms':>14}{'torch ms':>12}{'best':>8}{'best':>8}{'ratio':>8}{'at most':>9}"
    )
    for name, (mine, yours) in pairs(options.batch, options.length, options.heads, options.size).items():
        for a, b in zip(mine(), yours(), strict=True):
            if np.abs(a - b).max() > 1e-4 * max(1, np.abs(b).max()):
                sys.exit(f"{name}: a gradient differs from torch's by {np.abs(a - b).max()}")
        times = take_turns({"ours": mine, "theirs": yours}, 3 if options.quick else options.rounds, 3)
        ratio = statistics.median(m / t for m, t in zip(*times.values(), strict=True))
        figures = "".join(f"{statistics.median(t):>{w}.1f}" for t, w in zip(times.values(), (14, 12), strict=True))
        best = "".join(f"{min(t):>8.1f}" for t in times.values())
        print(f"{name:<28}{figures}{best}{ratio:>8.2f}{LIMIT:>9}{' missed' if ratio > LIMIT else ''}", flush=True)


if __name__ == "__main__":
    main()

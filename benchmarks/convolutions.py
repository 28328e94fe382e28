"""How long do convolutions with strides, groups and all that take, and a whole residual net, next to PyTorch's?

    taskset -c 0 python benchmarks/convolutions.py

One thread, float32; forward and backward together, by image, kernel and bias. Images are in the library's own memory
order already, as inside a net, and neither pays for new pages of memory (`keep_memory`). Processor time is counted, and
both take turns, so that a busy machine disturbs them alike; a line gives the fastest turn of each and their ratio, then
the median of the ratios, and what the ratio should be at most. All results are compared first.
"""

import argparse
import os
import statistics
from collections.abc import Callable
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import numpy as np  # noqa: E402
from measure import keep_memory, kernels, take_turns  # noqa: E402

from mazegrad import nn  # noqa: E402

try:
    import torch
except ModuleNotFoundError:
    raise SystemExit('PyTorch is what this is compared with: pip install "mazegrad[bench]"') from None

# name: kind, image, kernel, settings
SHAPES: dict[str, tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "strided 3x3, 32 to 64": ("conv2d", (32, 32, 32, 32), (64, 32, 3, 3), {"stride": 2, "padding": 1}),
    "strided 3x3, 64 to 128": ("conv2d", (32, 64, 16, 16), (128, 64, 3, 3), {"stride": 2, "padding": 1}),
    "strided 1x1, 64 to 128": ("conv2d", (32, 64, 16, 16), (128, 64, 1, 1), {"stride": 2}),
    "Atari 1, 8x8 by 4": ("conv2d", (32, 4, 84, 84), (32, 4, 8, 8), {"stride": 4}),
    "Atari 2, 4x4 by 2": ("conv2d", (32, 32, 20, 20), (64, 32, 4, 4), {"stride": 2}),
    "stem, 7x7 by 2": ("conv2d", (16, 3, 112, 112), (64, 3, 7, 7), {"stride": 2, "padding": 3}),
    "32 groups of 4": ("conv2d", (32, 128, 16, 16), (128, 4, 3, 3), {"padding": 1, "groups": 32}),
    "8 groups of 16": ("conv2d", (32, 128, 16, 16), (128, 16, 3, 3), {"padding": 1, "groups": 8}),
    "4 groups of 32": ("conv2d", (32, 128, 16, 16), (128, 32, 3, 3), {"padding": 1, "groups": 4}),
    "depthwise 3x3": ("conv2d", (32, 96, 28, 28), (96, 1, 3, 3), {"padding": 1, "groups": 96}),
    "depthwise 3x3 by 2": ("conv2d", (32, 96, 28, 28), (96, 1, 3, 3), {"padding": 1, "groups": 96, "stride": 2}),
    "depthwise 7x7": ("conv2d", (32, 64, 14, 14), (64, 1, 7, 7), {"padding": 3, "groups": 64}),
    "dilated 3x3": ("conv2d", (32, 32, 32, 32), (32, 32, 3, 3), {"padding": 2, "dilation": 2}),
    "transposed 4x4 by 2": ("conv_transpose2d", (32, 64, 16, 16), (64, 32, 4, 4), {"stride": 2, "padding": 1}),
    "along a sequence, 5": ("conv1d", (32, 64, 256), (64, 64, 5), {"padding": 2}),
}


def limit(name: str) -> float | None:
    """Return the ratio that is aimed at: 1.5 with strides or groups, 2 for depthwise ones, 1.3 for a whole step."""
    if name not in SHAPES:
        return 1.3
    kind, image, _, settings = SHAPES[name]
    groups = settings.get("groups", 1)
    if groups == image[1]:
        return 2.0
    return 1.5 if kind == "conv2d" and (groups > 1 or settings.get("stride", 1) > 1) else None


def pair(kind: str, image: Any, kernel: Any, settings: dict[str, Any]) -> dict[str, Callable[[], list[np.ndarray]]]:
    """Return both candidates; each gives the output and the gradients."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, np.float32) for shape in (image, kernel)]
    arrays.append(rng.standard_normal(kernel[1 if kind == "conv_transpose2d" else 0], np.float32))
    theirs = [torch.from_numpy(array).requires_grad_() for array in arrays]
    toward = torch.randn_like(getattr(torch.nn.functional, kind)(*theirs, **settings))
    ours = [nn.Tensor(batch_last(arrays[0]), requires_grad=True)]
    ours += [nn.Tensor(array, requires_grad=True) for array in arrays[1:]]
    back = batch_last(toward.numpy())

    def run_ours() -> list[np.ndarray]:
        out = getattr(nn, kind)(*ours, **settings)
        for x in ours:
            x.grad = None
        out.backward(back)
        return [out.data, *(x.grad for x in ours)]

    def run_theirs() -> list[np.ndarray]:
        out = getattr(torch.nn.functional, kind)(*theirs, **settings)
        return [x.detach().numpy() for x in (out, *torch.autograd.grad(out, theirs, toward))]

    return {"ours": run_ours, "torch": run_theirs}


def batch_last(x: np.ndarray) -> np.ndarray:
    """Return the same images, or sequences, with the batch last in memory."""
    order = (2, 1, 3, 0) if x.ndim == 4 else (1, 2, 0)
    return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))


def residual(width: int = 32) -> dict[str, Callable[[], Any]]:
    """Return one training step of a small residual net, three groups of one block (He et al. 2016), here and there."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 3, 32, 32), np.float32), rng.integers(0, 2, 64)

    def build(lib: Any, conv: Any, norm: Any, pool: Any) -> Any:
        class Block(lib.Module):  # type: ignore[misc, name-defined]
            def __init__(self, channels: int, out: int, stride: int) -> None:
                super().__init__()
                self.conv_1, self.norm_1 = conv(channels, out, 3, stride, 1, bias=False), norm(out)
                self.conv_2, self.norm_2 = conv(out, out, 3, 1, 1, bias=False), norm(out)
                short = [] if channels == out else [conv(channels, out, 1, stride, bias=False), norm(out)]
                self.short, self.relu = lib.Sequential(*short), lib.ReLU()

            def forward(self, x: Any) -> Any:
                inner = self.norm_2(self.conv_2(self.relu(self.norm_1(self.conv_1(x)))))
                return self.relu(inner + self.short(x))

        blocks = [Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2)]
        first = conv(3, width, 3, 1, 1, bias=False), norm(width), lib.ReLU()
        return lib.Sequential(*first, *blocks, pool(1), lib.Flatten(), lib.Linear(4 * width, 2))

    ours = build(nn, nn.Conv2D, nn.BatchNorm2D, nn.AdaptiveAvgPool2D)
    theirs = build(torch.nn, torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.AdaptiveAvgPool2d)
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    optimizer, their_optimizer = nn.SGD(ours.parameters(), 0.01), torch.optim.SGD(theirs.parameters(), 0.01)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)

    def run_ours() -> list[np.ndarray]:
        optimizer.zero_grad()
        loss = nn.cross_entropy(ours(x), y)
        loss.backward()
        optimizer.step()
        return [np.asarray(loss.data)]

    def run_theirs() -> list[np.ndarray]:
        their_optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(tx), ty)
        loss.backward()
        their_optimizer.step()
        return [loss.detach().numpy()]

    return {"ours": run_ours, "torch": run_theirs}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=11, help="turns of each (default 11)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    print(f"float32, one thread, forward and backward, numpy {np.__version__}, torch {torch.__version__}{kernels()}")
    print(f"{'':26}{'ours':>11}{'torch':>11}{'ratio':>8}{'median':>9}{'at most':>9}")
    jobs = {name: pair(*shape) for name, shape in SHAPES.items()} | {"a residual net's step": residual()}
    for name, both in jobs.items():
        for a, b in zip(both["ours"](), both["torch"](), strict=True):
            if np.abs(a - b).max() > 1e-3 * max(1.0, np.abs(b).max()):
                raise SystemExit(f"{name}: the results differ by {np.abs(a - b).max()}")
        times = take_turns(both, options.rounds, 2)
        median = statistics.median(a / b for a, b in zip(times["ours"], times["torch"], strict=True))
        a, b, most = min(times["ours"]), min(times["torch"]), limit(name)
        aim = f"{most or '-':>9}" + (" missed" if most is not None and a / b > most else "")
        print(f"{name:26}{a:8.2f} ms{b:8.2f} ms{a / b:8.2f}{median:9.2f}{aim}", flush=True)


if __name__ == "__main__":
    main()

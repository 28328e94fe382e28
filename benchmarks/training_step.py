"""How long is one training step of a small convolutional net, here and elsewhere? One thread, float32, side by side.

    python benchmarks/training_step.py

The net is conv(1->8,3)-relu-pool2-conv(8->16,3)-relu-pool2-linear(64)-relu-linear(10), with batch 64, cross-entropy and
Adam. Processor time is counted, and the libraries take turns, so that a busy machine disturbs little and all alike. A
line gives the median and the fastest turn, and the medians of its ratios to torch and to this library. Before that, all
losses are checked to fall along the same path. Peers that are not installed are left out (pip install
"mazegrad[bench]").
"""

import argparse
import os
import statistics
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import numpy as np  # noqa: E402
from measure import check_paths, take_turns  # noqa: E402

from mazegrad import nn  # noqa: E402

Step = Callable[[], float]  # one training step; returns the loss before it


def ours(weights: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> Step:
    net = nn.Sequential(
        *(nn.Conv2D(1, 8, 3), nn.ReLU(), nn.MaxPool2D(2)),
        *(nn.Conv2D(8, 16, 3), nn.ReLU(), nn.MaxPool2D(2)),
        *(nn.Flatten(), nn.Linear(400, 64), nn.ReLU(), nn.Linear(64, 10)),
    )
    net.load_state_dict(weights)
    optimizer = nn.Adam(net.named_parameters())

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def torch_step(weights: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, tuned: bool) -> Step:
    import torch

    torch.set_num_threads(1)
    layout = torch.channels_last if tuned else torch.contiguous_format
    net = torch.nn.Sequential(
        *(torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2)),
        *(torch.nn.Conv2d(8, 16, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2)),
        *(torch.nn.Flatten(), torch.nn.Linear(400, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)),
    ).to(memory_format=layout)
    net.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    optimizer = torch.optim.Adam(net.parameters(), fused=True if tuned else None)
    images, target = torch.tensor(x).to(memory_format=layout), torch.tensor(y)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(images), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def adam(values: list[np.ndarray], rate: float = 1e-3) -> Callable[[list[np.ndarray]], None]:
    """Adam in plain numpy, in place, for peers that bring none."""
    means, squares = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    count = 0

    def update(grads: list[np.ndarray]) -> None:
        nonlocal count
        count += 1
        for value, grad, mean, square in zip(values, grads, means, squares, strict=True):
            mean += 0.1 * (grad - mean)
            square += 0.001 * (grad * grad - square)
            value -= rate / (1 - 0.9**count) * mean / (np.sqrt(square) / np.sqrt(1 - 0.999**count) + 1e-8)

    return update


def mygrad_step(weights: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> Step:
    import mygrad as mg
    from mygrad.nnet import conv_nd, max_pool, softmax_crossentropy

    p = {name: mg.tensor(array.copy()) for name, array in weights.items()}
    update = adam([tensor.data for tensor in p.values()])

    def step() -> float:
        out = mg.tensor(x, constant=True)
        for layer in ("0", "3"):
            out = conv_nd(out, p[f"{layer}.weight"], stride=1) + p[f"{layer}.bias"].reshape(1, -1, 1, 1)
            out = mg.maximum(out, 0)[:, :, : out.shape[2] // 2 * 2, : out.shape[3] // 2 * 2]  # 11 -> 10, to fit windows
            out = max_pool(out, pool=(2, 2), stride=2)
        out = out.reshape(len(x), -1)
        out = mg.maximum(out @ p["7.weight"].T + p["7.bias"], 0) @ p["9.weight"].T + p["9.bias"]
        loss = softmax_crossentropy(out, y)
        loss.backward()
        with mg.no_autodiff:
            update([tensor.grad for tensor in p.values()])
        for tensor in p.values():
            tensor.null_grad()
        return float(loss)

    return step


def autograd_step(weights: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.signal import convolve

    p = {name: array.copy() for name, array in weights.items()}
    update = adam(list(p.values()))

    def pool(a):  # type: ignore[no-untyped-def]
        height, width = a.shape[2] // 2, a.shape[3] // 2
        windows = a[:, :, : 2 * height, : 2 * width].reshape(*a.shape[:2], height, 2, width, 2)
        return anp.max(anp.max(windows, axis=5), axis=3)

    def loss_of(q):  # type: ignore[no-untyped-def]
        out = x
        for layer in ("0", "3"):
            kernel = q[f"{layer}.weight"].transpose((1, 0, 2, 3))[:, :, ::-1, ::-1]
            out = convolve(out, kernel, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")
            out = pool(anp.maximum(out + q[f"{layer}.bias"].reshape(1, -1, 1, 1), 0))
        out = out.reshape(len(x), -1)
        out = anp.maximum(out @ q["7.weight"].T + q["7.bias"], 0) @ q["9.weight"].T + q["9.bias"]
        top = anp.max(out, axis=1, keepdims=True)
        log_p = out - top - anp.log(anp.sum(anp.exp(out - top), axis=1, keepdims=True))
        return -anp.mean(log_p[anp.arange(len(x)), y])

    both = value_and_grad(loss_of)

    def step() -> float:
        loss, grads = both(p)
        update([grads[name].astype(np.float32) for name in p])
        return float(loss)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 1, 28, 28)).astype(np.float32), rng.integers(0, 10, 64)
    shapes = {"0": (8, 1, 3, 3), "3": (16, 8, 3, 3), "7": (64, 400), "9": (10, 64)}
    weights: dict[str, np.ndarray] = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = nn.init.he_uniform(shape, rng=rng)
        weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)

    makers: dict[str, Callable[[], Step]] = {
        "torch eager": lambda: torch_step(weights, x, y, tuned=False),
        "torch, channels_last, fused Adam": lambda: torch_step(weights, x, y, tuned=True),
        "mazegrad": lambda: ours(weights, x, y),
        "mygrad": lambda: mygrad_step(weights, x, y),
        "HIPS autograd": lambda: autograd_step(weights, x, y),
    }
    steps: dict[str, Step] = {}
    for name, make in makers.items():
        try:
            steps[name] = make()
        except ImportError as error:
            print(f"{name}: left out ({error})")
    check_paths(steps, 3)
    repeats = {name: 1 if name in ("HIPS autograd", "mygrad") else 20 for name in steps}
    times = take_turns(steps, 3 if options.quick else options.rounds, repeats)
    print(f"\n{'one training step':<36}{'median ms':>10}{'best ms':>10}{'x torch eager':>15}{'x mazegrad':>12}")
    for name, values in times.items():
        ratios = [
            f"{statistics.median(a / b for a, b in zip(values, times[other], strict=True)):.2f}"
            if other in times
            else "-"
            for other in ("torch eager", "mazegrad")
        ]
        print(f"{name:<36}{statistics.median(values):>10.2f}{min(values):>10.2f}{ratios[0]:>15}{ratios[1]:>12}")


if __name__ == "__main__":
    main()

"""From the definition to the fast convolution, step by step, each with its time: the figures of docs/exercise_41.md."""

import argparse
import os
import time
from collections.abc import Callable

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # read when numpy is imported

import numpy as np

from mazegrad.nn import buffers, h_conv2d, h_conv2d_grad
from mazegrad.nn.convolution import exercise_41, winograd
from mazegrad.nn.convolution.layout import shifted, to_bchw, to_hcwb, windows

try:
    import resource
except ModuleNotFoundError:  # Windows
    resource = None

SHAPES = {
    "s1": ((64, 1, 28, 28), (8, 1, 3, 3)),
    "s2": ((64, 8, 26, 26), (16, 8, 3, 3)),
    "s6": ((8, 64, 56, 56), (64, 64, 3, 3)),
}


def definition(image, kernel):
    """One output number after the other (first image only: times the batch)."""
    out_channels, _, height, width = kernel.shape
    output = np.empty((1, out_channels, image.shape[2] - height + 1, image.shape[3] - width + 1), image.dtype)
    for _, o, y, x in np.ndindex(output.shape):
        output[0, o, y, x] = (image[0, :, y : y + height, x : x + width] * kernel[o]).sum()
    return output


def kernel_entries(image, kernel):
    """One kernel entry after the other, each for the whole output."""
    _, _, height, width = kernel.shape
    rows, columns = image.shape[2] - height + 1, image.shape[3] - width + 1
    output = 0
    for i, j in np.ndindex(height, width):
        output = output + np.tensordot(kernel[:, :, i, j], image[:, :, i : i + rows, j : j + columns], (1, 1))
    return output.swapaxes(0, 1)


def im2col_by_image(image, kernel):
    """Copy what each output sees into a column, height * width copies; one matrix product for each image."""
    batch, channels, *_ = image.shape
    out_channels, _, height, width = kernel.shape
    rows, columns = image.shape[2] - height + 1, image.shape[3] - width + 1
    seen = np.empty((batch, channels, height, width, rows, columns), image.dtype)
    for i, j in np.ndindex(height, width):
        seen[:, :, i, j] = image[:, :, i : i + rows, j : j + columns]
    products = kernel.reshape(out_channels, -1) @ seen.reshape(batch, -1, rows * columns)
    return products.reshape(batch, out_channels, rows, columns)


def im2col_of_the_batch(image, kernel):
    """The same columns for all images side by side: one large product."""
    batch, channels, *_ = image.shape
    out_channels, _, height, width = kernel.shape
    rows, columns = image.shape[2] - height + 1, image.shape[3] - width + 1
    seen = np.empty((channels, height, width, batch, rows, columns), image.dtype)
    for i, j in np.ndindex(height, width):
        seen[:, i, j] = image[:, :, i : i + rows, j : j + columns].swapaxes(0, 1)
    products = kernel.reshape(out_channels, -1) @ seen.reshape(-1, batch * rows * columns)
    return products.reshape(out_channels, batch, rows, columns).swapaxes(0, 1)


def rows_that_overlap(image, kernel):
    """In the order (height, channels, width, batch): width copies, one product a row, windows without a copy."""
    out_channels, _, height, width = kernel.shape
    rows, columns = image.shape[2] - height + 1, image.shape[3] - width + 1
    stacked = shifted(np.ascontiguousarray(image.transpose(2, 1, 3, 0)), width, 0, columns)
    matrix = kernel.transpose(0, 2, 3, 1).reshape(out_channels, -1)
    products = matrix @ windows(stacked, 0, rows, height)
    return to_bchw(products.reshape(rows, out_channels, columns, len(image)))


def with_settings(largest: int, fewest_channels: int) -> Callable:
    def run(image, kernel):
        buffers.LARGEST, winograd.FEWEST_CHANNELS = largest, fewest_channels
        return h_conv2d(image, kernel)

    return run


POOL, WINOGRAD, NEVER = buffers.LARGEST, winograd.FEWEST_CHANNELS, 10**9
STEPS = {
    "the definition": definition,
    "by kernel entry": kernel_entries,
    "im2col, a product an image": im2col_by_image,
    "im2col, one product": im2col_of_the_batch,
    "rows that overlap": rows_that_overlap,
    "h_conv2d, memory new, direct": with_settings(0, NEVER),
    "h_conv2d, memory used again, direct": with_settings(POOL, NEVER),
    "h_conv2d": with_settings(POOL, WINOGRAD),
    "h_conv2d, images are rows": with_settings(POOL, WINOGRAD),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often each step has its turn (default 15)")
    rounds = parser.parse_args().rounds
    layers = two_layers(rounds)  # first, while the process's memory is as fresh as a training script's
    table = {}
    for name, (image_shape, kernel_shape) in SHAPES.items():
        rng = np.random.default_rng(0)
        image, kernel = (rng.standard_normal(shape, np.float32) for shape in (image_shape, kernel_shape))
        as_rows = to_bchw(np.ascontiguousarray(image.transpose(2, 1, 3, 0)))
        images = {step: as_rows if step.endswith("rows") else image for step in STEPS}
        expected = im2col_by_image(image.astype(float), kernel.astype(float))
        for step, run in STEPS.items():
            output = run(images[step], kernel)
            assert np.allclose(output, expected[: len(output)], rtol=0, atol=1e-5 * np.abs(expected).max()), step
        quick = [step for step in STEPS if step != "the definition"]
        times = [[median(STEPS[step], images[step], kernel) for step in quick] for _ in range(rounds)]
        slow = median(definition, image, kernel, repeats=1) * len(image)
        table[name] = dict(zip(STEPS, [slow, *np.median(times, axis=0)], strict=True))
    print(f"{'milliseconds, one thread, float32':52}" + "".join(f"{name:>12}" for name in SHAPES))
    for step in STEPS:
        print(f"{step:52}" + "".join(f"{table[name][step]:12.2f}" for name in SHAPES))
    print("\ntwo layers (the kernels of s1 and s2), forward and backward, all arrays alive to the end")
    for name, found in layers.items():
        print(f"{name:52}{found[0]:12.2f} ms, {found[1]:.0f} page faults")

    print("\ntwo ways to do the same")
    for name, found in choices(rounds).items():
        print(f"{name:52}" + "".join(f"{milliseconds:12.2f}" for milliseconds in found))


def choices(rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of two ways to do the same."""
    rng, found = np.random.default_rng(0), {}
    fills = [exercise_41._copy_then_multiply, exercise_41._multiply_then_add]
    kernels = {"s1": SHAPES["s1"], "s2": SHAPES["s2"], "3 to 16 channels": ((64, 3, 28, 28), (16, 3, 3, 3))}
    for name, (image_shape, kernel_shape) in kernels.items():
        image, kernel = (rng.standard_normal(shape, np.float32) for shape in (image_shape, kernel_shape))
        image, grad = to_bchw(to_hcwb(image)), h_conv2d(image, kernel)

        def image_gradient(fill, kernel=kernel, grad=grad, shape=image_shape):
            exercise_41._multiply_then_add = fill
            exercise_41.conv_grad_image(kernel, grad, shape)

        def kernel_gradient(few, image=image, grad=grad, shape=kernel_shape):
            exercise_41.FEW_CHANNELS = few
            exercise_41.conv_grad_kernel(image, grad, shape)

        found[f"image's gradient, {name}: copy, add"] = alternate(image_gradient, fills, rounds)
        found[f"kernel's, {name}: in place, copy"] = alternate(kernel_gradient, [0, 99], rounds)
    colliding = rng.standard_normal((64, 16, 24, 24), np.float32)

    def plainly(image):
        turned = image.transpose(2, 1, 3, 0)
        np.copyto(buffers.empty(turned.shape), turned)

    def turn(method):
        method(colliding)

    found["colliding images: plain, moved apart"] = alternate(turn, [plainly, to_hcwb], rounds)
    return found


def alternate(run: Callable, ways: list, rounds: int) -> list[float]:
    return list(np.median([[median(run, way) for way in ways] for _ in range(rounds)], axis=0))


def two_layers(rounds: int) -> dict[str, tuple[float, float]]:
    """Return milliseconds and page faults (-1 where the system does not count them), with and without the pool."""
    rng = np.random.default_rng(0)
    image, *kernels = (rng.standard_normal(s, np.float32) for s in (SHAPES["s1"][0], SHAPES["s1"][1], SHAPES["s2"][1]))
    found: dict[str, list[tuple[float, float]]] = {"memory new": [], "memory used again": []}
    for _ in range(10 * rounds):
        for (_, measured), buffers.LARGEST in zip(found.items(), (0, POOL), strict=True):
            faults, start = page_faults(), time.perf_counter()
            hidden = h_conv2d(image, kernels[0])
            active = np.maximum(hidden, 0, out=buffers.empty_like(hidden))
            output = h_conv2d(active, kernels[1])
            grad, _ = h_conv2d_grad(active, kernels[1], output)
            grad = np.multiply(grad, active > 0, out=buffers.empty_like(grad))
            h_conv2d_grad(image, kernels[0], grad)
            measured.append(((time.perf_counter() - start) * 1e3, page_faults() - faults))
            del hidden, active, output, grad
    return {name: tuple(np.median(measured[rounds:], axis=0)) for name, measured in found.items()}


def page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt if resource else -1


def median(run: Callable, *inputs, repeats: int = 4) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(*inputs)
        times.append((time.perf_counter() - start) * 1e3)
    return float(np.median(times))


if __name__ == "__main__":
    main()

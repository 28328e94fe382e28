"""Exercise 41: `h_conv2d`, `h_conv2d_grad` and the layer `Conv2D` of a submitted file, called with random arrays."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ..nn import h_conv2d, h_conv2d_grad
from .report import Check
from .sandbox import Answer, Job
from .values import Array, fault

# images and kernels, from the plainest on: (batch, channels, height, width), (out_channels, channels, height, width)
SHAPES: Final = (
    ((1, 1, 5, 5), (1, 1, 3, 3)),
    ((3, 2, 6, 6), (4, 2, 3, 3)),
    ((2, 3, 9, 7), (2, 3, 1, 5)),
    ((2, 2, 6, 8), (3, 2, 5, 3)),
)
_LAYER: Final = ((3, 2, 7, 6), (4, 2, 3, 3))


def jobs(rng: np.random.Generator) -> list[Job]:
    """Return the calls: forward, backward, the layer forward, the layer back."""
    found = []
    for image, kernel in SHAPES:
        found.append(Job("h_conv2d", [rng.normal(size=image), rng.normal(size=kernel)]))
    for image, kernel in SHAPES:
        grad = rng.normal(size=_out(image, kernel))
        found.append(Job("h_conv2d_grad", [rng.normal(size=image), rng.normal(size=kernel), grad], several=True))
    image, kernel = _LAYER
    layer = [
        rng.normal(size=image),
        rng.normal(size=kernel),
        rng.normal(size=kernel[0]),
        rng.normal(size=_out(*_LAYER)),
    ]
    return [*found, Job("Conv2D", layer, do="layer", backward=False), Job("Conv2D", layer, do="layer")]


def checks(given: Sequence[Job], answers: Sequence[Answer]) -> list[Check]:
    """Mark a file: 20 points."""
    n = len(SHAPES)
    forward = [_forward(job, answer) for job, answer in zip(given[:n], answers[:n], strict=True)]
    pairs = [_backward(job, answer) for job, answer in zip(given[n : 2 * n], answers[n : 2 * n], strict=True)]
    image, kernel = zip(*pairs, strict=True)
    return [
        _check("h_conv2d: one image", forward[:1], 2),
        _check("h_conv2d: batch and channels", forward[1:2], 3),
        _check("h_conv2d: oblong kernels", forward[2:], 2),
        _kept("h_conv2d: arguments", answers[:n], forward),
        _check("h_conv2d_grad: kernel", kernel[:1], 1),
        _check("h_conv2d_grad: kernel, all shapes", kernel[1:], 2),
        _check("h_conv2d_grad: image", image[:1], 1),
        _check("h_conv2d_grad: image, all shapes", image[1:], 2),
        _kept("h_conv2d_grad: arguments", answers[n : 2 * n], [*image, *kernel]),
        *_layer(given[-1], answers[-2], answers[-1]),
    ]


def _out(image: Sequence[int], kernel: Sequence[int]) -> tuple[int, ...]:
    return image[0], kernel[0], image[2] - kernel[2] + 1, image[3] - kernel[3] + 1


def _forward(job: Job, answer: Answer) -> str:
    image, kernel = job.arrays
    case = f"image {image.shape}, kernel {kernel.shape}: the output"
    if answer.error or len(answer.values) != 1:
        return _failed(answer, image, kernel)
    expected = h_conv2d(image, kernel)
    wrong = fault(answer.values[0], expected, _usual(image, kernel))
    return f"{case} {wrong}" if wrong else ""


def _usual(image: Array, kernel: Array) -> dict[str, Array]:
    """What usual mistakes give for the output."""
    right = h_conv2d(image, kernel)
    turned = "is that of a kernel read backwards (no flip here: out[y, x] sums x[y + i, x + j] k[i, j])"
    square = kernel.shape[2] == kernel.shape[3]
    return {
        turned: h_conv2d(image, kernel[:, :, ::-1, ::-1]),
        "is that of a transposed kernel": h_conv2d(image, kernel.swapaxes(2, 3)) if square else -right,
        "has the sign turned": -right,
        "uses the first channel only": h_conv2d(image[:, :1], kernel[:, :1]),
        "uses the last channel only": h_conv2d(image[:, -1:], kernel[:, -1:]),
        "is the mean over channels, not the sum": right / image.shape[1],
        "misses the last row and column of the kernel": h_conv2d(image, _without_last(kernel)),
        "is shifted by one": np.roll(right, 1, axis=3),
    }


def _without_last(kernel: Array) -> Array:
    kernel = kernel.copy()
    kernel[:, :, -1] = 0
    kernel[:, :, :, -1] = 0
    return kernel


def _backward(job: Job, answer: Answer) -> tuple[str, str]:
    image, kernel, grad = job.arrays
    case = f"image {image.shape}, kernel {kernel.shape}:"
    if answer.error:
        return (_failed(answer, image, kernel),) * 2
    if len(answer.values) != 2:
        what = f"{case} it returned {len(answer.values)} value{'s' * (len(answer.values) != 1)}"
        return (f"{what}; expected two, the gradients of image and kernel",) * 2
    right_image, right_kernel = h_conv2d_grad(image, kernel, grad)
    found_image, found_kernel = answer.values
    if _shape(found_image) == kernel.shape != image.shape == _shape(found_kernel):
        return (
            f"{case} the gradients are in the wrong order; expected first that of the image, then that of the kernel",
        ) * 2
    return _named(case, "image", found_image, image_variants(image, kernel, grad, right_image)), _named(
        case, "kernel", found_kernel, kernel_variants(image, kernel, grad, right_kernel)
    )


def _failed(answer: Answer, image: Array, kernel: Array) -> str:
    """Return why a call gave nothing; where it raised an error, with its arguments."""
    why = answer.error or "not all results came back"
    return f"image {image.shape}, kernel {kernel.shape}: {why}" if answer.raised else why


def _shape(found: Array | str) -> tuple[int, ...] | None:
    return None if isinstance(found, str) else found.shape


def _named(case: str, name: str, found: Array | str, variants: dict[str, Array]) -> str:
    wrong = fault(found, variants.pop(""), variants)
    return f"{case} the gradient of the {name} {wrong}" if wrong else ""


def image_variants(image: Array, kernel: Array, grad: Array, right: Array) -> dict[str, Array]:
    """Return the gradient of the image as "", and what usual mistakes give."""
    straight = "is that of a kernel that is not turned (the image's gradient needs it rotated by 180 degrees)"
    return {
        "": right,
        straight: h_conv2d_grad(image, kernel[:, :, ::-1, ::-1], grad)[0],
        "has the sign turned": -right,
        "is divided by the batch": right / len(image),
    }


def kernel_variants(image: Array, kernel: Array, grad: Array, right: Array) -> dict[str, Array]:
    """Return the gradient of the kernel as "", and what usual mistakes give."""
    each = [h_conv2d_grad(image[i : i + 1], kernel, grad[i : i + 1])[1] for i in range(len(image))]
    return {
        "": right,
        "is turned by 180 degrees": right[:, :, ::-1, ::-1],
        "has the sign turned": -right,
        "is that of the first image only (expected the sum over the batch)": each[0],
        "is that of the last image only (expected the sum over the batch)": each[-1],
        "is the mean over the batch (expected the sum)": right / len(image),
        "is transposed": right.swapaxes(2, 3),
    }


def _layer(job: Job, forward: Answer, backward: Answer) -> list[Check]:
    image, kernel, bias, grad = job.arrays
    case = f"image {image.shape}, kernel {kernel.shape}:"
    out = h_conv2d(image, kernel) + bias[:, None, None]
    wrong = [forward.error and _failed(forward, image, kernel), "", "", ""]
    if not forward.error:
        usual = {
            "is without the bias": h_conv2d(image, kernel),
            "has the bias subtracted": 2 * h_conv2d(image, kernel) - out,
        }
        found = forward.values[0] if forward.values else "nothing"
        wrong[0] = f"{case} the output {text}" if (text := fault(found, out, usual)) else ""
    if backward.error or len(backward.values) != 4:
        wrong[1:] = [_failed(backward, image, kernel)] * 3
    else:
        right_image, right_kernel = h_conv2d_grad(image, kernel, grad)
        _, found_image, found_kernel, found_bias = backward.values
        if isinstance(found_bias, np.ndarray) and found_bias.size == bias.size:
            found_bias = found_bias.reshape(bias.shape)
        wrong[1] = _named(case, "image", found_image, image_variants(image, kernel, grad, right_image))
        wrong[2] = _named(case, "weight", found_kernel, kernel_variants(image, kernel, grad, right_kernel))
        usual = {
            "": grad.sum((0, 2, 3)),
            "is the mean over the batch (expected the sum)": grad.sum((0, 2, 3)) / len(image),
            "is the mean over all places (expected the sum)": grad.mean((0, 2, 3)),
            "is that of the first image only (expected the sum over the batch)": grad[0].sum((1, 2)),
        }
        wrong[3] = _named(case, "bias", found_bias, usual)
    names = ("output", "gradient of the image", "gradient of the weight", "gradient of the bias")
    return [
        _check(f"Conv2D: {name}", [text], worth) for name, text, worth in zip(names, wrong, (2, 1, 1, 1), strict=True)
    ]


def _kept(name: str, answers: Sequence[Answer], faults: Sequence[str]) -> Check:
    """Whether a function leaves its arguments alone and keeps their precision; it counts once a result is right."""
    if any(answer.changed for answer in answers):
        return Check(name, False, "it writes into its arguments; copy first")
    dtypes = {value.dtype for answer in answers for value in answer.values if isinstance(value, np.ndarray)}
    if all(faults):
        return Check(name, False, answers[0].error or "counts as soon as one result is right")
    if dtypes != {np.dtype(np.float64)}:
        names = ", ".join(sorted(str(dtype) for dtype in dtypes - {np.dtype(np.float64)}))
        return Check(name, False, f"it returned {names} for arrays of float64; expected their dtype")
    return Check(name, True, "are left as they were, and their precision is kept")


def _check(name: str, faults: Sequence[str], worth: int) -> Check:
    wrong = next((text for text in faults if text), "")
    return Check(name, not wrong, wrong or "right", worth=worth)

"""Convolution as a differentiable operation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import buffers
from ..graph import Array
from ..tensor import Operand, Rule, operation
from .exercise_41 import conv_forward, conv_grad_image, conv_grad_kernel
from .layout import to_bchw, to_hcwb


@operation
def conv2d(image: Operand, kernel: Operand, bias: Operand = None, padding: int = 0, stride: int = 1) -> Rule:
    """Convolve (correlate) images with an odd kernel, stride 1; exercise 41.

    image (batch, channels, height, width), kernel (out_channels, channels, kernel_height, kernel_width), bias
    (out_channels,), `padding` zeros on each side -> (batch, out_channels, height + 2 padding - kernel_height + 1, ...).
    Raises ValueError naming both shapes when they do not fit.
    """
    check_conv(image, kernel, bias, padding, stride)
    image = to_bchw(to_hcwb(image))  # once for both passes
    out = conv_forward(image, kernel, padding)
    if bias is not None:
        out += bias[:, None, None]

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array | None, ...]:
        grad = to_bchw(to_hcwb(grad))  # once for both
        return (
            conv_grad_image(kernel, grad, image.shape, padding) if needs[0] else None,
            conv_grad_kernel(image, grad, kernel.shape, padding) if needs[1] else None,
            sum_channels(grad) if needs[2] else None,
        )

    return out, vjp


def check_conv(image: Array, kernel: Array, bias: Array | None, padding: int, stride: int) -> None:
    """Say what conv2d cannot take."""
    if stride != 1:
        raise ValueError(f"stride is {stride}, only 1 is there; to make pictures smaller, pool: MaxPool2D or AvgPool2D")
    if image.ndim != 4 or kernel.ndim != 4:
        raise ValueError(
            "expected image (batch, channels, height, width), kernel (out_channels, channels, height, width)"
        )
    if image.shape[1] != kernel.shape[1]:
        raise ValueError(f"the image has {image.shape[1]} channels, but the kernel is made for {kernel.shape[1]}")
    height, width = kernel.shape[2:]
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(f"the kernel is {height}x{width}; both must be odd")
    if not isinstance(padding, int | np.integer) or padding < 0:
        raise ValueError(f"padding is {padding!r}; expected 0, 1, 2, ..., one number for all sides")
    if image.shape[2] + 2 * padding < height or image.shape[3] + 2 * padding < width:
        raise ValueError(f"the {height}x{width} kernel is larger than the image with padding {padding}")
    if bias is not None and bias.shape != kernel.shape[:1]:
        raise ValueError(f"the bias must have shape {kernel.shape[:1]}, one number for each output channel")


def sum_channels(grad: Array) -> Array:
    """Sum (batch, channels, height, width) to (channels,): along memory first, which is quick."""
    rows = grad.transpose(2, 1, 3, 0)
    if not rows.flags.c_contiguous or not rows.size:
        return grad.sum((0, 2, 3))
    rows = rows.reshape(*rows.shape[:2], -1)
    return np.matmul(rows, np.ones(rows.shape[2], rows.dtype)).sum(0)


@operation
def bias_relu(x: Operand, bias: Operand) -> Rule:
    """relu(x + bias) for images x (batch, channels, height, width) and bias (channels,)."""
    level = np.empty_like(x[:, :, :1])  # a whole row of biases: numpy is quicker on arrays than on scalars
    level[...] = bias[:, None, None]
    out = np.maximum(x, -level, out=buffers.empty_like(x))
    out += level

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array, Array | None]:
        mask = np.greater(out, 0, out=buffers.empty_like(out, bool))
        through = np.multiply(grad, mask, out=buffers.empty_like(out))
        return through, sum_channels(through) if needs[1] else None

    return out, vjp

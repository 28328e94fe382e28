"""Convolutions as differentiable operations, in PyTorch's terms; the work is done in `general.py`.

Pictures are (batch, channels, height, width), sequences (batch, channels, length), each in any memory order; without
the batch axis they are one picture, one sequence. What comes out keeps rows' order (see `layout.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import buffers, operations
from ..geometry import Axis, Size, conv_axes, remembered, text, transposed_axes
from ..graph import Array
from ..rules import Operand, Rule, composite, operation
from . import general
from .layout import sum_channels, to_bchw, to_hcwb

Axes = tuple[Axis, ...]


# ------------------------------------------------------------------------- the three, each the others' derivatives
@operation
def _conv2d(image: Operand, kernel: Operand, bias: Operand, axes: Axes, groups: int) -> Rule:
    image = to_bchw(to_hcwb(image))  # once for both passes
    out = general.forward(image, kernel, axes, groups)
    if bias is not None:
        out += bias[:, None, None]

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        image: Array = image,
        kernel: Array = kernel,
        axes: Axes = axes,
        groups: int = groups,
    ) -> tuple[Array | None, ...]:
        grad = to_bchw(to_hcwb(grad))  # once for both
        return (
            general.grad_image(kernel, grad, axes, groups) if needs[0] else None,
            general.grad_kernel(image, grad, kernel.shape, axes, groups) if needs[1] else None,
            sum_channels(grad) if needs[2] else None,
        )

    return out, vjp


@operation
def _conv_transpose2d(image: Operand, kernel: Operand, bias: Operand, axes: Axes, groups: int) -> Rule:
    """The way back to the image, taken forward."""
    image = to_bchw(to_hcwb(image))
    out = general.grad_image(kernel, image, axes, groups)
    if bias is not None:
        out += bias[:, None, None]

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        image: Array = image,
        kernel: Array = kernel,
        axes: Axes = axes,
        groups: int = groups,
    ) -> tuple[Array | None, ...]:
        grad = to_bchw(to_hcwb(grad))
        return (
            general.forward(grad, kernel, axes, groups) if needs[0] else None,
            general.grad_kernel(grad, image, kernel.shape, axes, groups) if needs[1] else None,
            sum_channels(grad) if needs[2] else None,
        )

    return out, vjp


@operation
def conv_kernel(image: Operand, outer: Operand, kernel_shape: tuple[int, ...], axes: Axes, groups: int) -> Rule:
    """The way back to the kernel, taken forward: how much each entry saw; for second derivatives."""
    image, outer = to_bchw(to_hcwb(image)), to_bchw(to_hcwb(outer))
    out = general.grad_kernel(image, outer, kernel_shape, axes, groups)
    return out, lambda grad, needs, image=image, outer=outer, axes=axes, groups=groups: (
        general.grad_image(grad, outer, axes, groups) if needs[0] else None,
        general.forward(image, grad, axes, groups) if needs[1] else None,
    )


@operation
def bias_relu(x: Operand, bias: Operand) -> Rule:
    """relu(x + bias) for images x (batch, channels, height, width) and bias (channels,).

    Example:
        >>> from mazegrad import nn
        >>> nn.functional.bias_relu([[[[1.0, -3.0]], [[1.0, -3.0]]]], bias=[0.0, 10.0])
        array([[[[ 1.,  0.]],
        <BLANKLINE>
                [[11.,  7.]]]])
    """
    level = np.empty_like(x[:, :, :1])  # a whole row of biases: numpy is quicker on arrays than on scalars
    level[...] = bias[:, None, None]
    out = np.maximum(x, -level, out=buffers.empty_like(x))
    out += level

    def vjp(grad: Array, needs: Sequence[bool], out: Array = out) -> tuple[Array, Array | None]:
        mask = np.greater(out, 0, out=buffers.empty_like(out, bool))
        through = np.multiply(grad, mask, out=buffers.empty_like(out))
        return through, sum_channels(through) if needs[1] else None

    return out, vjp


# ------------------------------------------------------------------------------------------------ in PyTorch's terms
@composite
def conv2d(
    image: Operand,
    kernel: Operand,
    bias: Operand = None,
    padding: Any = 0,
    stride: Size = 1,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Convolve (correlate) images with a kernel; exercise 41.

    `output[b, o, y, x] = sum over c, i, j of image[b, c, y s + i d - p, x s + j d - p] * kernel[o, c, i, j]`

    Args:
        image: (batch, channels, height, width) or (channels, height, width).
        kernel: (out_channels, channels / groups, kernel_height, kernel_width).
        bias: (out_channels,).
        padding: p, zeros around the image: a number, (high, wide), "valid" (none) or "same" (as large as before).
        stride: s, how far the kernel moves.
        dilation: d, how far apart the kernel's entries lie.
        groups: the channels in as many groups, each with its own part of the kernel and of the output.

    Returns:
        (batch, out_channels, (height + 2 p - d (kernel_height - 1) - 1) // s + 1, ...).

    Raises:
        ValueError: naming both shapes when they do not fit. (In PyTorch `stride` comes before `padding`: say which.)

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> image, kernel = np.eye(4)[None, None], np.ones((1, 1, 3, 3))
        >>> nn.conv2d(image, kernel)[0, 0]
        array([[3., 2.],
               [2., 3.]])
        >>> nn.conv2d(image, kernel, padding="same").shape, nn.conv2d(image, kernel, padding=1, stride=2).shape
        ((1, 1, 4, 4), (1, 1, 2, 2))
    """
    return _convolve("conv2d", _conv2d, image, kernel, bias, groups, 2, (stride, padding, dilation))


@composite
def conv1d(
    input: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: Size = 1,
    padding: Any = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Convolve sequences: input (batch, channels, length), weight (out_channels, channels / groups, kernel_size).

    As `conv2d` along one axis. Returns (batch, out_channels, (length + 2 padding - dilation (kernel_size - 1) - 1) //
    stride + 1).

    Example:
        >>> from mazegrad import nn
        >>> nn.conv1d([[[1.0, 2.0, 4.0, 8.0]]], [[[-1.0, 1.0]]])  # differences of neighbours
        array([[[1., 2., 4.]]])
    """
    return _convolve("conv1d", _conv2d, input, weight, bias, groups, 1, (stride, padding, dilation))


@composite
def conv_transpose2d(
    input: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """The way back through a `conv2d` with these settings, as a layer that makes pictures larger (Zeiler et al. 2010).

    input (batch, channels, height, width), weight (channels, out_channels / groups, kernel_height, kernel_width) ->
    (batch, out_channels, (height - 1) stride - 2 padding + dilation (kernel_height - 1) + output_padding + 1, ...).
    `output_padding` chooses among the sizes that the stride made equal. Raises ValueError as `conv2d` does.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> image, kernel = np.ones((1, 3, 8, 8)), np.ones((16, 3, 3, 3))
        >>> small = nn.conv2d(image, kernel, stride=2, padding=1)
        >>> small.shape, nn.conv_transpose2d(small, kernel, stride=2, padding=1, output_padding=1).shape
        ((1, 16, 4, 4), (1, 3, 8, 8))
    """
    settings = stride, padding, output_padding, dilation
    return _convolve("conv_transpose2d", _conv_transpose2d, input, weight, bias, groups, 2, settings)


@composite
def conv_transpose1d(
    input: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """`conv_transpose2d` along one axis: input (batch, channels, length), weight (channels, out / groups, size).

    Example:
        >>> from mazegrad import nn
        >>> nn.conv_transpose1d([[[1.0, 0.0, 5.0]]], [[[1.0, 2.0]]], stride=2)  # a kernel for each number
        array([[[ 1.,  2.,  0.,  0.,  5., 10.]]])
    """
    settings = stride, padding, output_padding, dilation
    return _convolve("conv_transpose1d", _conv_transpose2d, input, weight, bias, groups, 1, settings)


def _convolve(
    name: str, work: Any, x: Operand, kernel: Operand, bias: Operand, groups: int, count: int, settings: tuple[Any, ...]
) -> Any:
    """Check everything, lift what lacks the batch or the height, and convolve."""
    shapes = np.shape(x), np.shape(kernel), None if bias is None else np.shape(bias)
    axes = _plan(name, *shapes, groups, count, work is _conv_transpose2d, *settings)
    alone = np.ndim(x) == count + 1
    if alone:
        x = operations.expand_dims(x, 0)
    if count == 1:
        x, kernel = operations.expand_dims(x, 2), operations.expand_dims(kernel, 2)
    out = work(x, kernel, bias, axes=axes, groups=groups)
    lifted = (0,) * alone + (2,) * (count == 1)
    return operations.squeeze(out, lifted) if lifted else out


@remembered
def _plan(
    name: str,
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    bias: tuple[int, ...] | None,
    groups: int,
    count: int,
    transposed: bool,
    *settings: Any,
) -> Axes:
    """Check everything; height and width."""
    try:
        _check(shape, kernel, bias, groups, count, transposed)
        axes = (transposed_axes if transposed else conv_axes)(shape[-count:], kernel[2:], *settings)
    except ValueError as error:
        raise ValueError(f"{name} of shape {shape} and {kernel}: {error}") from None
    return (Axis(1, 1, 1), *axes) if count == 1 else axes


def _check(
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    bias: tuple[int, ...] | None,
    groups: int,
    count: int,
    transposed: bool,
) -> None:
    """Say what does not fit, whatever the settings."""
    size = ("length",) if count == 1 else ("height", "width")
    first, second = ("channels", "out_channels / groups") if transposed else ("out_channels", "channels / groups")
    if len(shape) not in (count + 1, count + 2) or len(kernel) != count + 2:
        axes = ", ".join(size)
        raise ValueError(f"expected image (batch, channels, {axes}), kernel ({first}, {second}, {axes})")
    if not isinstance(groups, int | np.integer) or groups < 1:
        raise ValueError(f"groups is {groups!r}; expected a whole number from 1 on")
    if 0 in kernel[1:]:
        raise ValueError(f"the {text(kernel[2:])} kernel is empty")
    channels, wanted = shape[-count - 1], kernel[0] if transposed else kernel[1] * groups
    if channels != wanted:
        raise ValueError(f"the image has {channels} channels, but the kernel is made for {wanted}")
    if kernel[0] % groups:
        raise ValueError(f"the kernel's {kernel[0]} {first} cannot be dealt out to {groups} groups")
    out_channels = kernel[1] * groups if transposed else kernel[0]
    if bias is not None and bias != (out_channels,):
        raise ValueError(f"the bias must have shape {(out_channels,)}, one number for each output channel")

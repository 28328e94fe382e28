"""Images taken apart into patches, and put together again; and channels that become pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import operations
from ..checks import POSITIVE_INTEGER, check
from ..geometry import Axis, Size, conv_axes, numbers
from ..graph import Array
from ..rules import Operand, Rule, composite, operation

Axes = tuple[Axis, ...]


@operation
def _unfold(x: Operand, axes: Axes) -> Rule:
    return taken_apart(x, axes), lambda grad, needs, axes=axes: (put_together(grad, axes),)


@operation
def _fold(x: Operand, axes: Axes) -> Rule:
    return put_together(x, axes), lambda grad, needs, axes=axes: (taken_apart(grad, axes),)


def taken_apart(image: Array, axes: Axes) -> Array:
    """Each window in a column: (batch, channels * kernel height * kernel width, windows); padding is 0."""
    high, wide = axes
    batch, channels = image.shape[:2]
    out = np.zeros((batch, channels, high.kernel, wide.kernel, high.out, wide.out), image.dtype)
    for i, (to_rows, rows) in enumerate(high.views):
        for j, (to_columns, columns) in enumerate(wide.views):
            out[:, :, i, j, to_rows, to_columns] = image[:, :, rows, columns]
    return out.reshape(batch, channels * high.kernel * wide.kernel, high.out * wide.out)


def put_together(columns: Array, axes: Axes) -> Array:
    """The way back: each column added to where its window lies."""
    high, wide = axes
    batch, channels = len(columns), columns.shape[1] // (high.kernel * wide.kernel)
    parts = columns.reshape(batch, channels, high.kernel, wide.kernel, high.out, wide.out)
    image = np.zeros((batch, channels, high.size, wide.size), columns.dtype)
    for i, (from_rows, rows) in enumerate(high.views):
        for j, (from_columns, places) in enumerate(wide.views):
            image[:, :, rows, places] += parts[:, :, i, j, from_rows, from_columns]
    return image


def _windows(
    name: str, shape: Sequence[int], size: Sequence[int], kernel: Size, dilation: Size, padding: Size, stride: Size
) -> Axes:
    try:
        return conv_axes(
            size, numbers("kernel_size", kernel, 2, 1), stride, numbers("padding", padding, 2, 0), dilation
        )
    except ValueError as error:
        raise ValueError(f"{name} of shape {tuple(shape)}: {error}") from None


@composite
def unfold(input: Operand, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Any:
    """Every window of an image in a column, as in im2col.

    Args:
        input: (batch, channels, height, width), or without the batch.
        kernel_size, dilation, padding, stride: as in `conv2d`.

    Returns:
        (batch, channels * kernel_height * kernel_width, windows), the windows in reading order.

    Raises:
        ValueError: the window does not fit.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.unfold(np.arange(9.0).reshape(1, 1, 3, 3), kernel_size=2)[0]
        array([[0., 1., 3., 4.],
               [1., 2., 4., 5.],
               [3., 4., 6., 7.],
               [4., 5., 7., 8.]])
    """
    shape = np.shape(input)
    if len(shape) not in (3, 4):
        raise ValueError(f"unfold of shape {shape}: expected (batch, channels, height, width)")
    axes = _windows("unfold", shape, shape[-2:], kernel_size, dilation, padding, stride)
    return _alone(partial(_unfold, axes=axes), input, 4)


@composite
def fold(
    input: Operand, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Any:
    """The sum of windows in columns, each where it lies in the image: the transpose of `unfold`, as in col2im.

    Args:
        input: (batch, channels * kernel_height * kernel_width, windows), or without the batch.
        output_size: (height, width) of the image.
        kernel_size, dilation, padding, stride: as in `conv2d`.

    Returns:
        (batch, channels, *output_size).

    Raises:
        ValueError: there is another number of windows, or of entries in them.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.fold(nn.unfold(np.ones((1, 1, 3, 3)), 2), output_size=3, kernel_size=2)[0, 0]  # how many windows saw it
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]])
    """
    shape, size = np.shape(input), numbers("output_size", output_size, 2, 1)
    axes = _windows("fold", shape, size, kernel_size, dilation, padding, stride)
    entries, windows = axes[0].kernel * axes[1].kernel, axes[0].out * axes[1].out
    if len(shape) not in (2, 3) or shape[-2] % entries or shape[-1] != windows:
        raise ValueError(f"fold of shape {shape}: expected (batch, channels * {entries}, {windows})")
    return _alone(partial(_fold, axes=axes), input, 3)


def _alone(work: Any, x: Operand, ndim: int) -> Any:
    """Apply what takes a batch to one example, too."""
    if np.ndim(x) == ndim:
        return work(x)
    return operations.squeeze(work(operations.expand_dims(x, 0)), 0)


@composite
def pixel_shuffle(input: Operand, upscale_factor: int) -> Any:
    """r * r channels become a block of r x r pixels (Shi et al. 2016).

    input (..., channels * r * r, height, width) -> (..., channels, height * r, width * r). Other numbers of channels
    raise ValueError.

    Example:
        >>> from mazegrad import nn
        >>> nn.pixel_shuffle([[[1.0]], [[2.0]], [[3.0]], [[4.0]]], upscale_factor=2)
        array([[[1., 2.],
                [3., 4.]]])
    """
    check(POSITIVE_INTEGER, upscale_factor=upscale_factor)
    r, shape = upscale_factor, np.shape(input)
    if len(shape) < 3 or shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle of shape {shape}: expected (..., channels * {r * r}, height, width)")
    *lead, channels, height, width = shape
    split = operations.reshape(input, (*lead, channels // (r * r), r, r, height, width))
    n = len(lead) + 1
    turned = operations.transpose(split, (*range(n), n + 2, n, n + 3, n + 1))
    return operations.reshape(turned, (*lead, channels // (r * r), height * r, width * r))


@composite
def pixel_unshuffle(input: Operand, downscale_factor: int) -> Any:
    """A block of r x r pixels becomes r * r channels: the way back through `pixel_shuffle`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.pixel_unshuffle(np.zeros((1, 3, 8, 8)), downscale_factor=2).shape
        (1, 12, 4, 4)
    """
    check(POSITIVE_INTEGER, downscale_factor=downscale_factor)
    r, shape = downscale_factor, np.shape(input)
    if len(shape) < 3 or shape[-2] % r or shape[-1] % r:
        raise ValueError(f"pixel_unshuffle of shape {shape}: height and width must divide by {r}")
    *lead, channels, height, width = shape
    split = operations.reshape(input, (*lead, channels, height // r, r, width // r, r))
    n = len(lead) + 1
    turned = operations.transpose(split, (*range(n), n + 1, n + 3, n, n + 2))
    return operations.reshape(turned, (*lead, channels * r * r, height // r, width // r))

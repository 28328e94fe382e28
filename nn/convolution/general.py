"""Any convolution: strides, dilation and groups, still one matrix product for each output row (and each group).

Three workers on rows (see `layout.py`), each the counterpart of one of exercise 41 and made of the same pieces:

* a plain convolution, stride 1 in one group, is handed to `exercise_41.py`;
* with a stride, the columns that each output sees are stacked, and the windows move down by more than one row;
* with groups, there is one such product for each group, on its own channels;
* with dilation, there is one plain convolution for each phase: of dilation 2, one on the even and one on the odd rows;
* on the way back through a stride, each kernel entry reaches every second pixel only; so the pixels are divided into
  classes, and each class gets a plain convolution with the kernel entries that reach it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import buffers
from ..geometry import Axis
from .exercise_41 import correlate, correlate_grad
from .layout import Array, spans, to_bchw, to_hcwb

Axes = Sequence[Axis]  # height and width
WIDE_GROUP = 16  # channels


def forward(image: Array, kernel: Array, axes: Axes, groups: int) -> Array:
    """Convolve: image (batch, channels, height, width), kernel (out_channels, channels / groups, height, width)."""
    rows, (high, wide) = to_hcwb(image), axes
    if high.dilation == wide.dilation == 1:
        return to_bchw(_forward(rows, kernel, high, wide, groups))
    out = buffers.empty((high.out, len(kernel), wide.out, rows.shape[3]), rows.dtype)
    for from_rows, to_out_rows, part_high in high.undilated():
        for from_columns, to_out_columns, part_wide in wide.undilated():
            part = np.ascontiguousarray(rows[from_rows, :, from_columns])
            out[to_out_rows, :, to_out_columns] = _forward(part, kernel, part_high, part_wide, groups)
    return to_bchw(out)


def grad_kernel(image: Array, grad: Array, kernel_shape: tuple[int, ...], axes: Axes, groups: int) -> Array:
    """The gradient of the kernel, from the image and the gradient of the output."""
    rows, grads, (high, wide) = to_hcwb(image), to_hcwb(grad), axes
    if high.dilation == wide.dilation == 1:
        return _grad_kernel(rows, grads, kernel_shape, high, wide, groups)
    total = np.zeros(kernel_shape, rows.dtype)
    for from_rows, to_out_rows, part_high in high.undilated():
        for from_columns, to_out_columns, part_wide in wide.undilated():
            part = np.ascontiguousarray(rows[from_rows, :, from_columns])
            part_grad = np.ascontiguousarray(grads[to_out_rows, :, to_out_columns])
            total += _grad_kernel(part, part_grad, kernel_shape, part_high, part_wide, groups)
    return total


def grad_image(kernel: Array, grad: Array, axes: Axes, groups: int) -> Array:
    """The gradient of the image, from that of the output: plain convolutions with the kernel turned by 180 degrees."""
    grads, (high, wide) = to_hcwb(grad), axes
    out_channels, channels, height, width = kernel.shape
    plain = high.stride == high.dilation == wide.stride == wide.dilation == 1
    if plain and groups == 1:
        return to_bchw(_forward(grads, kernel[:, :, ::-1, ::-1].swapaxes(0, 1), _back(high), _back(wide), 1))
    turned = kernel.reshape(groups, out_channels // groups, channels, height, width).swapaxes(1, 2)
    turned = turned.reshape(groups * channels, out_channels // groups, height, width)[:, :, ::-1, ::-1]
    if plain:
        return to_bchw(_forward(grads, turned, _back(high), _back(wide), groups))
    out = buffers.empty((high.size, len(turned), wide.size, grads.shape[3]), grads.dtype)
    if not (high.covers and wide.covers):
        out[...] = 0
    for to_height, i, from_rows, part_high in high.plain():
        for to_width, j, from_columns, part_wide in wide.plain():
            part = np.ascontiguousarray(grads[from_rows, :, from_columns])
            weights = turned[:, :, _turned(i, height), _turned(j, width)]
            out[to_height, :, to_width] = _forward(part, weights, _back(part_high), _back(part_wide), groups)
    return to_bchw(out)


def _turned(entries: slice, count: int) -> slice:
    """The places of these kernel entries in the turned kernel, in falling order of their old places."""
    last = range(count)[entries][-1]
    return slice(count - 1 - last, None, entries.step)


def _back(axis: Axis) -> Axis:
    """The axis of the way back through a plain convolution: from its output to its input."""
    return Axis(axis.out, axis.kernel, axis.size, pad=axis.kernel - 1 - axis.pad)


def _forward(rows: Array, kernel: Array, high: Axis, wide: Axis, groups: int) -> Array:
    """Convolve rows, without dilation."""
    shape = high.out, len(kernel), wide.out, rows.shape[3]
    if not rows.size or not kernel.size or not shape[0] * shape[2]:
        return np.zeros(shape, rows.dtype)
    out = buffers.empty(shape, rows.dtype)
    if groups == high.stride == wide.stride == 1:
        return correlate(rows, kernel, high.pad, wide.pad, out)
    if _wide(kernel.shape, high, wide):
        for channels, outs in _each(rows.shape[1], len(kernel), groups):
            correlate(rows[:, channels], kernel[outs], high.pad, wide.pad, out[:, outs])
        return out
    lines, columns = len(kernel) // groups, wide.out * rows.shape[3]
    weights = np.ascontiguousarray(kernel.transpose(0, 2, 3, 1)).reshape(groups, lines, high.kernel, -1)
    by_group = out.reshape(high.out, groups, lines, columns).transpose(1, 0, 2, 3)
    stacked = _stacked(rows, wide, groups)
    for top, bottom, i, i_end in spans(high.size, high.kernel, high.pad, 0, high.out, high.stride):
        matrix = weights[:, :, i:i_end].reshape(groups, 1, lines, -1)
        np.matmul(matrix, _windows(stacked, high, top, bottom, i, i_end), out=by_group[:, top:bottom])
    return out


def _grad_kernel(
    rows: Array, grads: Array, kernel_shape: tuple[int, ...], high: Axis, wide: Axis, groups: int
) -> Array:
    """The gradient of the kernel, without dilation."""
    out_channels, channels, height, width = kernel_shape
    if not rows.size or not grads.size:
        return np.zeros(kernel_shape, rows.dtype)
    if groups == high.stride == wide.stride == 1:
        return correlate_grad(rows, grads, kernel_shape, high.pad, wide.pad)
    if _wide(kernel_shape, high, wide):
        one_group = (out_channels // groups, *kernel_shape[1:])
        found = [
            correlate_grad(rows[:, one], grads[:, other], one_group, high.pad, wide.pad)
            for one, other in _each(rows.shape[1], out_channels, groups)
        ]
        return np.concatenate(found)
    lines = out_channels // groups
    by_group = grads.reshape(high.out, groups, lines, -1).transpose(1, 0, 2, 3)
    stacked = _stacked(rows, wide, groups)
    total = np.zeros((groups, height, width * channels, lines), rows.dtype)
    for top, bottom, i, i_end in spans(high.size, high.kernel, high.pad, 0, high.out, high.stride):
        seen_rows, seen_by = _windows(stacked, high, top, bottom, i, i_end), by_group[:, top:bottom]
        products = np.matmul(seen_rows, seen_by.swapaxes(-2, -1)).sum(1)
        total[:, i:i_end] += products.reshape(groups, i_end - i, width * channels, lines)
    total = total.reshape(groups, height, width, channels, lines)
    return np.ascontiguousarray(total.transpose(0, 4, 3, 1, 2)).reshape(kernel_shape)


def _wide(kernel_shape: tuple[int, ...], high: Axis, wide: Axis) -> bool:
    """Whether groups without a stride are so wide that each is quicker as a plain convolution of its own."""
    return high.stride == wide.stride == 1 and kernel_shape[1] >= WIDE_GROUP


def _each(channels: int, out_channels: int, groups: int) -> list[tuple[slice, slice]]:
    """Each group's channels and its output channels."""
    one, other = channels // groups, out_channels // groups
    return [(slice(i * one, (i + 1) * one), slice(i * other, (i + 1) * other)) for i in range(groups)]


def _stacked(rows: Array, wide: Axis, groups: int) -> Array:
    """For each kernel column, the image columns that it sees: (groups, height, kernel width * channels, columns)."""
    height, channels, width, batch = rows.shape
    result = buffers.empty((groups, height, wide.kernel, channels // groups, wide.out, batch), rows.dtype)
    pixel = np.dtype((np.void, batch * rows.itemsize))  # those of all images at once: numpy copies them as one
    source = np.ndarray((height, groups, channels // groups, width), pixel, rows).transpose(1, 0, 2, 3)
    target = np.ndarray(result.shape[:-1], pixel, result)
    for j, (outputs, inputs) in enumerate(wide.views):
        result[:, :, j, :, : outputs.start] = result[:, :, j, :, outputs.stop :] = 0
        target[:, :, j, :, outputs] = source[:, :, :, inputs]
    return result.reshape(groups, height, -1, wide.out * batch)


def _windows(stacked: Array, high: Axis, top: int, bottom: int, i: int, i_end: int) -> Array:
    """Of each group, the windows of the outputs `top` to `bottom`: (groups, outputs, rows * lines, columns)."""
    groups, _, lines, columns = stacked.shape
    group, row, line, number = stacked.strides
    shape = groups, bottom - top, (i_end - i) * lines, columns
    first = (top * high.stride + i - high.pad) * row if i_end > i else 0
    return np.ndarray(shape, stacked.dtype, stacked, first, (group, high.stride * row, line, number))

"""Any convolution: strides, dilation and groups, still one matrix product for each output row (and each group).

Three workers on rows (see `layout.py`), each the counterpart of one of exercise 41 and made of the same pieces:

* a plain convolution, stride 1 in one group, is handed to `exercise_41.py`;
* with a stride, the columns that each output sees are stacked, and the windows move down by more than one row;
* with groups, there is one such product for each group, on its own channels;
* with dilation, the picture falls apart into pictures that know nothing of each other: every second row, say;
* the way back through a stride: each kernel entry reaches every second pixel only, so pixels fall into classes, and
  each class gets a plain convolution with the kernel entries that reach it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import buffers
from ..geometry import Axis
from .exercise_41 import correlate, correlate_grad
from .layout import Array, spans, to_bchw, to_hcwb

Axes = Sequence[Axis]  # height and width


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
    """The gradient of the kernel, from the image and the gradient of what came out."""
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
    """The gradient of the image, from that of what came out: a sum of plain convolutions with the turned kernel."""
    grads, (high, wide) = to_hcwb(grad), axes
    out_channels, channels, height, width = kernel.shape
    plain = high.stride == high.dilation == wide.stride == wide.dilation == 1
    if plain and groups == 1:
        return to_bchw(_forward(grads, kernel[:, :, ::-1, ::-1].swapaxes(0, 1), _back(high), _back(wide), 1))
    turned = kernel.reshape(groups, out_channels // groups, channels, height, width).swapaxes(1, 2)
    turned = turned.reshape(groups * channels, out_channels // groups, height, width)[:, :, ::-1, ::-1]
    if plain:
        return to_bchw(_forward(grads, turned, _back(high), _back(wide), groups))
    out = np.zeros((high.size, len(turned), wide.size, grads.shape[3]), grads.dtype)
    for to_height, i, from_rows, part_high in high.plain():
        for to_width, j, from_columns, part_wide in wide.plain():
            part = np.ascontiguousarray(grads[from_rows, :, from_columns])
            weights = turned[:, :, _turned(i, height), _turned(j, width)]
            out[to_height, :, to_width] = _forward(part, weights, _back(part_high), _back(part_wide), groups)
    return to_bchw(out)


def _turned(entries: slice, count: int) -> slice:
    """Where the kernel entries `entries` stand after the kernel was turned, in falling order of their old places."""
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
    if groups == high.stride == wide.stride == 1:
        return correlate(rows, kernel, high.pad, wide.pad, (high.out, wide.out))
    out = buffers.empty(shape, rows.dtype)
    lines, columns = len(kernel) // groups, wide.out * rows.shape[3]
    weights = kernel.transpose(0, 2, 3, 1).reshape(groups, lines, high.kernel, -1)
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


def _stacked(rows: Array, wide: Axis, groups: int) -> Array:
    """For each kernel column the columns that the outputs see: (groups, height, kernel width * channels, columns)."""
    height, channels, _, batch = rows.shape
    source = rows.reshape(height, groups, channels // groups, -1, batch).transpose(1, 0, 2, 3, 4)
    result = buffers.empty((groups, height, wide.kernel, channels // groups, wide.out, batch), rows.dtype)
    for j in range(wide.kernel):
        outputs, inputs = wide.views[j]
        result[:, :, j, :, : outputs.start] = result[:, :, j, :, outputs.stop :] = 0
        result[:, :, j, :, outputs] = source[:, :, :, inputs]
    return result.reshape(groups, height, -1, wide.out * batch)


def _windows(stacked: Array, high: Axis, top: int, bottom: int, i: int, i_end: int) -> Array:
    """Of each group, the windows of the outputs `top` to `bottom`: (groups, outputs, rows * lines, columns)."""
    groups, _, lines, columns = stacked.shape
    group, row, line, number = stacked.strides
    shape = groups, bottom - top, (i_end - i) * lines, columns
    first = (top * high.stride + i - high.pad) * row if i_end > i else 0
    return np.ndarray(shape, stacked.dtype, stacked, first, (group, high.stride * row, line, number))

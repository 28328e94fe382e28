"""Any convolution: strides, dilation and groups, still one matrix product for each output row (and each group).

Three workers on rows (see `layout.py`), each the counterpart of one of exercise 41 and made of the same pieces:

* a plain convolution, stride 1 in one group, is handed to `exercise_41.py`;
* with a stride, the columns that each output sees are stacked, and the windows move down by more than one row;
* with groups, there is one such product for each group, on its own channels; as many groups at a time as stay in the
  cache, since what is stacked is several times as large as the image, and memory would take longer than the products;
* with dilation, there is one plain convolution for each phase: of dilation 2, one on the even and one on the odd rows;
* on the way back through a stride, each kernel entry reaches every second pixel only; so the pixels are divided into
  classes, and each class gets a plain convolution with the kernel entries that reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .. import buffers
from ..geometry import Axis
from .exercise_41 import correlate, correlate_grad
from .layout import Array, pixels, to_bchw, to_hcwb

Axes = Sequence[Axis]  # height and width
WIDE_GROUP = 16  # channels
BLOCK = 1 << 19  # bytes that stay in the second-level cache


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
            found = _forward(part, weights, _back(part_high), _back(part_wide), groups)
            pixels(out)[to_height, :, to_width] = pixels(found)
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
    lines = len(kernel) // groups
    weights = np.ascontiguousarray(kernel.transpose(0, 2, 3, 1)).reshape(groups, 1, lines, -1)
    by_group = out.reshape(high.out, groups, lines, -1).transpose(1, 0, 2, 3)
    product = np.multiply if weights.shape[-1] == 1 else np.matmul  # numpy multiplies one line more quickly
    for some, seen in _blocks(rows, high, wide, groups):
        product(weights[some], seen, out=by_group[some])
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
    by_group = grads.reshape(high.out, groups, lines, -1).transpose(1, 0, 3, 2)
    total = np.empty((groups, height * width * channels, lines), rows.dtype)
    for some, seen in _blocks(rows, high, wide, groups):
        np.matmul(seen, by_group[some]).sum(1, out=total[some])
    total = total.reshape(groups, height, width, channels, lines)
    return np.ascontiguousarray(total.transpose(0, 4, 3, 1, 2)).reshape(kernel_shape)


def _wide(kernel_shape: tuple[int, ...], high: Axis, wide: Axis) -> bool:
    """Whether groups without a stride are so wide that each is quicker as a plain convolution of its own."""
    return high.stride == wide.stride == 1 and kernel_shape[1] >= WIDE_GROUP


def _each(channels: int, out_channels: int, groups: int) -> list[tuple[slice, slice]]:
    """Each group's channels and its output channels."""
    one, other = channels // groups, out_channels // groups
    return [(slice(i * one, (i + 1) * one), slice(i * other, (i + 1) * other)) for i in range(groups)]


def _blocks(rows: Array, high: Axis, wide: Axis, groups: int) -> Iterator[tuple[slice, Array]]:
    """Some groups at a time: which, and what their outputs see, (groups, outputs, entries * channels, columns).

    For each kernel column the image columns that it sees are stacked, with zeros for the padding. In the stack an
    output's window lies in memory as it is. Each block of groups takes the memory of the one before.
    """
    each, (width, batch) = rows.shape[1] // groups, rows.shape[2:]
    whole = Axis(high.size, 1, (high.out - 1) * high.stride + high.kernel, pad=high.pad)
    lines, columns = wide.kernel * each, wide.out * batch
    count = min(groups, max(1, BLOCK // (whole.out * lines * columns * rows.itemsize)))
    stacked = buffers.empty((count, whole.out, wide.kernel, each, wide.out, batch), rows.dtype)
    source, target = pixels(rows).reshape(high.size, groups, each, width).transpose(1, 0, 2, 3), pixels(stacked)
    down, from_rows = whole.seen(0)
    stacked[:, : down.start] = stacked[:, down.stop :] = 0
    for j, (outputs, _) in enumerate(wide.views):
        stacked[:, :, j, :, : outputs.start] = stacked[:, :, j, :, outputs.stop :] = 0
    group, row, line, number = stacked.reshape(count, whole.out, lines, columns).strides
    shape, strides = (count, high.out, high.kernel * lines, columns), (group, high.stride * row, line, number)
    seen = np.ndarray(shape, rows.dtype, stacked, 0, strides)
    for first in range(0, groups, count):
        some = slice(first, min(first + count, groups))
        now = slice(some.stop - first)
        for j, (outputs, inputs) in enumerate(wide.views):
            target[now, down, j, :, outputs] = source[some, from_rows, :, inputs]
        yield some, seen[now]

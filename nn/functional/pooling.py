"""Pooling: one number for each window of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import buffers
from ..graph import Array
from ..tensor import Operand, Rule, operation


@operation
def max_pool2d(input: Operand, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None) -> Rule:
    """Largest of each kernel_size window; windows touch and do not overlap, a rest at the border is dropped.

    The first largest, in reading order, gets the gradient, as in PyTorch.
    """
    height, width = pool_windows(input, kernel_size, stride)
    x_columns = [_every(input, 3, j, width) for j in range(width)]
    columns = _maximum(x_columns)
    column_rows = [_every(columns, 2, i, height) for i in range(height)]
    out = _maximum(column_rows)

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        grad_columns = buffers.empty_like(columns)
        _deal(grad, out, column_rows, grad_columns, 2, height)
        grad_x = buffers.empty_like(input)
        _deal(grad_columns, columns, x_columns, grad_x, 3, width)
        return (grad_x,)

    return out, vjp


def _every(x: Array, axis: int, start: int, step: int) -> Array:
    """Every step-th row (axis 2) or column (axis 3) from `start`, as many as there are whole windows."""
    stop = x.shape[axis] // step * step
    return x[:, :, start:stop:step] if axis == 2 else x[:, :, :, start:stop:step]


def _maximum(parts: Sequence[Array]) -> Array:
    if len(parts) == 1:
        return parts[0]
    out = np.maximum(parts[0], parts[1], out=buffers.empty_like(parts[0]))
    for part in parts[2:]:
        np.maximum(out, part, out=out)
    return out


def _deal(grad: Array, out: Array, parts: Sequence[Array], grad_x: Array, axis: int, step: int) -> None:
    """Hand each gradient to the first part that is the maximum; what is left over goes to the last."""
    last, left = len(parts) - 1, grad
    for i, part in enumerate(parts[:-1]):
        mine = _every(grad_x, axis, i, step)
        mask = np.equal(part, out, out=buffers.empty_like(out, bool))
        np.multiply(left, mask, out=mine)
        left = np.subtract(left, mine, out=_every(grad_x, axis, last, step))
    if last == 0:
        _every(grad_x, axis, 0, step)[...] = left
    rest = grad_x.shape[axis] // step * step
    (grad_x[:, :, rest:] if axis == 2 else grad_x[:, :, :, rest:])[...] = 0


@operation
def avg_pool2d(input: Operand, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None) -> Rule:
    """Mean of each kernel_size window; windows touch and do not overlap, a rest at the border is dropped."""
    height, width = pool_windows(input, kernel_size, stride)
    cells = [(i, j) for i in range(height) for j in range(width)]
    out = np.zeros_like(_every(_every(input, 2, 0, height), 3, 0, width))
    for i, j in cells:
        out += _every(_every(input, 2, i, height), 3, j, width)
    out /= len(cells)

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        grad_x, share = np.zeros_like(input), grad / len(cells)
        for i, j in cells:
            _every(_every(grad_x, 2, i, height), 3, j, width)[...] = share
        return (grad_x,)

    return out, vjp


def pool_windows(x: Array, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None) -> tuple[int, int]:
    """The window's height and width; ValueError when the windows would overlap or not fit."""
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    if stride is not None and stride != kernel_size and stride != (height, width):
        raise ValueError(f"stride {stride} with kernel_size {kernel_size}: windows touch here, the two must be equal")
    if x.ndim != 4:
        raise ValueError("expected (batch, channels, height, width)")
    if not 0 < height <= x.shape[2] or not 0 < width <= x.shape[3]:
        raise ValueError(f"a {height}x{width} window does not fit")
    return height, width

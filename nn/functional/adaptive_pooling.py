"""Adaptive pools: the largest, or the mean, of windows that share a picture evenly, whatever its size.

Window i of n, along an axis of length L, reaches from floor(i L / n) to ceil((i + 1) L / n), as in PyTorch. Where L is
not a multiple of n, windows overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import buffers
from ..graph import Array
from ..rules import Operand, Rule, composite, operation
from ..tensor import plain
from .pooling import avg_pool1d, avg_pool2d, check_axes, lifted, max_pool1d, max_pool2d

Cells = tuple[list[tuple[int, int]], ...]  # (begin, end) of each window, by rows and by columns


@composite
def adaptive_avg_pool2d(input: Operand, output_size: Any) -> Any:
    """Mean over windows that share the picture evenly: (..., height, width) -> (..., *output_size).

    `output_size` is one number or (height, width); None leaves that axis as it is. 1 is the mean of everything.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> images = np.zeros((2, 8, 7, 5))
        >>> nn.adaptive_avg_pool2d(images, 1).shape, nn.adaptive_avg_pool2d(images, (None, 2)).shape
        ((2, 8, 1, 1), (2, 8, 7, 2))
    """
    return _adaptive("adaptive_avg_pool2d", input, output_size, 2, largest=False)


@composite
def adaptive_avg_pool1d(input: Operand, output_size: Any) -> Any:
    """Mean over windows that share the sequence evenly: (..., length) -> (..., output_size).

    Example:
        >>> from mazegrad import nn
        >>> nn.adaptive_avg_pool1d([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], 3)
        array([[1.5, 3.5, 5.5]])
    """
    return _adaptive("adaptive_avg_pool1d", input, output_size, 1, largest=False)


@composite
def adaptive_max_pool2d(input: Operand, output_size: Any, return_indices: bool = False) -> Any:
    """Largest of windows that share the picture evenly: (..., height, width) -> (..., *output_size).

    With `return_indices` a pair: also where each largest pixel was, row * width + column.

    Example:
        >>> from mazegrad import nn
        >>> nn.adaptive_max_pool2d([[[1.0, 2.0], [9.0, 4.0]]], 1, return_indices=True)
        (array([[[9.]]]), array([[[2]]]))
    """
    return _adaptive("adaptive_max_pool2d", input, output_size, 2, largest=True, return_indices=return_indices)


@composite
def adaptive_max_pool1d(input: Operand, output_size: Any, return_indices: bool = False) -> Any:
    """Largest of windows that share the sequence evenly: (..., length) -> (..., output_size).

    Example:
        >>> from mazegrad import nn
        >>> nn.adaptive_max_pool1d([[1.0, 2.0, 3.0, 4.0, 5.0]], 2)  # the two windows share the 3
        array([[3., 5.]])
    """
    return _adaptive("adaptive_max_pool1d", input, output_size, 1, largest=True, return_indices=return_indices)


def _adaptive(name: str, x: Operand, output_size: Any, count: int, largest: bool, return_indices: bool = False) -> Any:
    shape = np.shape(x)
    check_axes(name, shape, count)
    several = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * count
    if len(several) != count or not all(n is None or (isinstance(n, int | np.integer) and n > 0) for n in several):
        raise ValueError(f"{name}: output_size is {output_size!r}; expected {count} whole numbers from 1 on, or one")
    sizes = [n if new is None else new for n, new in zip(shape[-count:], several, strict=True)]
    if 0 in shape[-count:]:
        raise ValueError(f"{name} of shape {shape}: there must be a pixel")
    if all(n % new == 0 for n, new in zip(shape[-count:], sizes, strict=True)):
        kernel = tuple(n // new for n, new in zip(shape[-count:], sizes, strict=True))
        if largest:
            return (max_pool2d if count == 2 else max_pool1d)(x, kernel, return_indices=return_indices)
        return (avg_pool2d if count == 2 else avg_pool1d)(x, kernel)
    pairs = [
        [(i * n // new, -(-(i + 1) * n // new)) for i in range(new)]
        for n, new in zip(shape[-count:], sizes, strict=True)
    ]
    cells = tuple(pairs) if count == 2 else ([(0, 1)], pairs[0])
    work = _adaptive_max if largest else _adaptive_avg
    out = lifted(lambda x: work(x, cells=cells), x, count)
    return (out, lifted(lambda x: _places(x, cells), plain(x), count)) if return_indices else out


@operation
def _adaptive_avg(x: Operand, cells: Cells) -> Rule:
    rows, columns = cells
    out = buffers.empty_ordered(x, (*x.shape[:2], len(rows), len(columns)))
    for (i, (top, bottom)), (j, (left, right)) in pairs(rows, columns):
        x[:, :, top:bottom, left:right].mean((2, 3), out=out[:, :, i, j])

    def vjp(grad: Array, needs: Sequence[bool], rows: Any = rows, columns: Any = columns) -> tuple[Array]:
        grad_x = np.zeros_like(x)
        for (i, (top, bottom)), (j, (left, right)) in pairs(rows, columns):
            share = grad[:, :, i, j] / ((bottom - top) * (right - left))
            grad_x[:, :, top:bottom, left:right] += share[:, :, None, None]
        return (grad_x,)

    return out, vjp


@operation
def _adaptive_max(x: Operand, cells: Cells) -> Rule:
    rows, columns = cells
    out = buffers.empty_ordered(x, (*x.shape[:2], len(rows), len(columns)))
    places = _places(x, cells)
    down, across = np.divmod(places, x.shape[3])
    batch, channel = np.ogrid[: x.shape[0], : x.shape[1]]
    for i, j in np.ndindex(out.shape[2:]):
        out[:, :, i, j] = x[batch, channel, down[:, :, i, j], across[:, :, i, j]]

    def vjp(grad: Array, needs: Sequence[bool], places: Array = places) -> tuple[Array]:
        grad_x = np.zeros_like(x)
        for i, j in np.ndindex(out.shape[2:]):
            grad_x[batch, channel, down[:, :, i, j], across[:, :, i, j]] += grad[:, :, i, j]
        return (grad_x,)

    return out, vjp


def _places(x: Array, cells: Cells) -> Array:
    """Where the largest of each window is: row * width + column."""
    rows, columns = cells
    places = np.empty((*x.shape[:2], len(rows), len(columns)), np.intp)
    for (i, (top, bottom)), (j, (left, right)) in pairs(rows, columns):
        window = x[:, :, top:bottom, left:right].reshape(*x.shape[:2], (bottom - top) * (right - left))
        down, across = np.divmod(window.argmax(-1), right - left)
        places[:, :, i, j] = (top + down) * x.shape[3] + left + across
    return places


def pairs(rows: list[tuple[int, int]], columns: list[tuple[int, int]]) -> Any:
    """Every window's number and extent, along both axes."""
    return ((row, column) for row in enumerate(rows) for column in enumerate(columns))

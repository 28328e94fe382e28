"""Unpooling: the largest pixels back in their places, zeros elsewhere (Zeiler & Fergus 2014)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..geometry import Size
from ..graph import Array
from ..rules import Operand, Rule, composite, operation
from .pooling import check_axes


@composite
def max_unpool2d(
    input: Operand,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Put pixels back where `max_pool2d(..., return_indices=True)` found them: (batch, channels, height, width).

    Args:
        input: what was pooled, (batch, channels, height', width'), or without the batch.
        indices: integers of the same shape, row * width + column. Where two are equal, the last pixel stays, and both
            get its gradient.
        kernel_size: that of the pool, as `stride` and `padding` are.
        output_size: the size before the pool, if what was left over at the border had been dropped: whole shape, or
            (height, width).

    Raises:
        ValueError: an index is outside the picture, or the pool cannot have been of this size.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> largest, where = nn.max_pool2d(np.arange(20.0).reshape(1, 1, 4, 5), 2, return_indices=True)
        >>> nn.max_unpool2d(largest, where, kernel_size=2, output_size=(4, 5))[0, 0]
        array([[ 0.,  0.,  0.,  0.,  0.],
               [ 0.,  6.,  0.,  8.,  0.],
               [ 0.,  0.,  0.,  0.,  0.],
               [ 0., 16.,  0., 18.,  0.]])
    """
    return _unpool("max_unpool2d", input, indices, 2, kernel_size, stride, padding, output_size)


@composite
def max_unpool1d(
    input: Operand,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Put numbers back where `max_pool1d(..., return_indices=True)` found them: (batch, channels, length).

    Arguments as `max_unpool2d`.

    Example:
        >>> from mazegrad import nn
        >>> largest, where = nn.max_pool1d([[[1.0, 3.0, 4.0, 2.0]]], 2, return_indices=True)
        >>> nn.max_unpool1d(largest, where, kernel_size=2)
        array([[[0., 3., 4., 0.]]])
    """
    return _unpool("max_unpool1d", input, indices, 1, kernel_size, stride, padding, output_size)


def _unpool(
    name: str,
    x: Operand,
    indices: Any,
    count: int,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Any:
    shape = np.shape(x)
    check_axes(name, shape, count)
    kernels = _each(name, "kernel_size", kernel_size, count)
    strides = kernels if stride is None else _each(name, "stride", stride, count)
    paddings = _each(name, "padding", padding, count)
    usual = tuple(
        (n - 1) * step - 2 * pad + kernel
        for n, kernel, step, pad in zip(shape[-count:], kernels, strides, paddings, strict=True)
    )
    size = usual if output_size is None else tuple(int(n) for n in output_size)[-count:]
    near = len(size) == count and all(abs(n - m) < step for n, m, step in zip(size, usual, strides, strict=True))
    if not near or min(size) < 1:
        given = size if output_size is None else output_size
        raise ValueError(f"{name} of shape {shape}: the size before the pool was about {usual}, not {given}")
    places = np.array(indices)
    if places.dtype.kind not in "iu" or places.shape != shape:
        raise ValueError(f"{name}: indices are {places.dtype} of shape {places.shape}; expected integers of {shape}")
    area = math.prod(size)
    if places.size and not (places.min() >= 0 and places.max() < area):
        raise ValueError(f"{name}: an index is {places.min()} or {places.max()}; expected 0 to {area - 1}")
    return _put_back(x, places=places.reshape(*shape[:-count], math.prod(shape[-count:])), size=size)


def _each(name: str, word: str, given: Size, count: int) -> tuple[int, ...]:
    """One whole number for each axis."""
    several = tuple(given) if isinstance(given, Sequence) else (given,) * count
    least = 0 if word == "padding" else 1
    if len(several) != count or not all(isinstance(n, int | np.integer) and n >= least for n in several):
        raise ValueError(f"{name}: {word} is {given!r}; expected {count} whole numbers from {least} on, or one")
    return tuple(int(n) for n in several)


@operation
def _put_back(x: Operand, places: Array, size: tuple[int, ...]) -> Rule:
    shape = (*places.shape[:-1], *size)
    flat = np.zeros((*shape[: -len(size)], math.prod(size)), x.dtype)
    np.put_along_axis(flat, places, x.reshape(places.shape), -1)

    def vjp(grad: Array, needs: Sequence[bool], places: Array = places, size: tuple[int, ...] = size) -> tuple[Array]:
        return (np.take_along_axis(grad.reshape(flat.shape), places, -1).reshape(x.shape),)

    return flat.reshape(shape), vjp

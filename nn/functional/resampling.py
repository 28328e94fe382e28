"""Resampling: the same picture in more or fewer pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import buffers, operations
from ..graph import Array
from ..rules import Operand, Rule, composite, operation
from .adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d


@composite
def interpolate(
    input: Operand,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Any:
    """Pictures of another size: (batch, channels, height, width), or (batch, channels, length), as in PyTorch.

    Args:
        size: of what comes out, one number or one for each axis.
        scale_factor: instead of `size`: how many times larger, rounded down.
        mode: "nearest", "nearest-exact" (of pixel centres), "linear" (length), "bilinear", "bicubic" (height, width) or
            "area" (the mean of what falls into each pixel).
        align_corners: for the linear and the cubic ones, whether the corner pixels' centres stay where they are.
        recompute_scale_factor: take the scale from the sizes, not from `scale_factor`, which may not be whole.

    Example:
        >>> from mazegrad import nn
        >>> nn.interpolate([[[1.0, 3.0]]], scale_factor=2, mode="linear")
        array([[[1. , 1.5, 2.5, 3. ]]])
        >>> nn.interpolate([[[1.0, 3.0]]], size=3, mode="linear", align_corners=True)
        array([[[1., 2., 3.]]])
    """
    shape = np.shape(input)
    count = len(shape) - 2
    names = {1: ("nearest", "nearest-exact", "area", "linear"), 2: (*_NEAREST, "area", "bilinear", "bicubic")}
    if count not in names or mode not in names[count]:
        known = ", ".join(names.get(count, ("nearest",)))
        raise ValueError(
            f"interpolate of shape {shape}: mode is {mode!r}; (batch, channels, height, width) or (batch, channels,"
            f" length) is expected, and for {count} axes one of {known}"
        )
    if (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate: either size or scale_factor is expected, not {size} and {scale_factor}")
    if align_corners is not None and mode in (*_NEAREST, "area"):
        raise ValueError(f"interpolate: align_corners is for linear, bilinear and bicubic, not for {mode!r}")
    if recompute_scale_factor and scale_factor is None:
        raise ValueError("interpolate: recompute_scale_factor goes with scale_factor")
    factors = None if scale_factor is None else _each(scale_factor, count, "scale_factor")
    if factors is None:
        sizes = [int(n) for n in _each(size, count, "size")]
    else:
        sizes = [int(np.floor(n * f)) for n, f in zip(shape[2:], factors, strict=True)]
    if min(*sizes, *shape[2:], 1) < 1:
        raise ValueError(f"interpolate: from {shape[2:]} to {tuple(sizes)}: there must be a pixel in each")
    if mode == "area":
        return (adaptive_avg_pool2d if count == 2 else adaptive_avg_pool1d)(input, sizes)
    whole = mode == "nearest" and all(new == n * (new // n) for new, n in zip(sizes, shape[2:], strict=True))
    if whole and (factors is None or recompute_scale_factor or all(f == int(f) for f in factors)):
        return _repeat(input, times=(1, 1, *(new // n for new, n in zip(sizes, shape[2:], strict=True))))
    out = input
    for i, (n, new) in enumerate(zip(shape[2:], sizes, strict=True)):
        if n == new and mode in ("linear", "bilinear"):
            continue  # whatever the factor, as in PyTorch
        step = n / new if factors is None or recompute_scale_factor else 1 / factors[i]
        places, weights = _taps(mode, n, new, step, bool(align_corners))
        out = _resample(out, axis=i + 2, places=places, weights=weights)
    return out if out is not input else operations.multiply(input, 1.0)


@composite
def upsample(
    input: Operand,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """`interpolate` by its older name.

    Example:
        >>> from mazegrad import nn
        >>> nn.upsample([[[[1.0, 2.0]]]], scale_factor=2)[0, 0]
        array([[1., 1., 2., 2.],
               [1., 1., 2., 2.]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


_NEAREST = ("nearest", "nearest-exact")


def _each(value: Any, count: int, name: str) -> tuple[Any, ...]:
    several = tuple(value) if isinstance(value, Sequence) else (value,) * count
    if len(several) != count or not all(isinstance(n, int | float | np.number) and n > 0 for n in several):
        raise ValueError(f"interpolate: {name} is {value!r}; expected a number above 0, or {count} of them")
    return several


def _taps(mode: str, n: int, new: int, step: float, align_corners: bool) -> tuple[Array, Array | None]:
    """Which old pixels each new one is made of, and with which weights: (taps, new) each."""
    at = np.arange(new)
    if mode in _NEAREST:  # in single precision, as PyTorch does: it decides the ties
        shift = np.float32(0.5 if mode == "nearest-exact" else 0)
        return np.minimum(np.floor((at.astype(np.float32) + shift) * np.float32(step)), n - 1).astype(int)[None], None
    if align_corners:
        where = at * ((n - 1) / (new - 1) if new > 1 else 0.0)
    else:
        where = (at + 0.5) * step - 0.5
        where = where if mode == "bicubic" else np.maximum(where, 0)
    low = np.floor(where)
    t = where - low
    if mode == "bicubic":  # Keys 1981, with PyTorch's a = -0.75
        a = -0.75
        outer = [((a * u - 5 * a) * u + 8 * a) * u - 4 * a for u in (t + 1, 2 - t)]
        inner = [((a + 2) * u - (a + 3)) * u * u + 1 for u in (t, 1 - t)]
        weights, offsets = np.stack([outer[0], inner[0], inner[1], outer[1]]), np.arange(-1, 3)
    else:
        weights, offsets = np.stack([1 - t, t]), np.arange(2)
    return np.clip(low.astype(int) + offsets[:, None], 0, n - 1), weights


@operation
def _resample(x: Operand, axis: int, places: Array, weights: Array | None) -> Rule:
    """Along one axis, each new number is a weighted sum of old ones."""
    order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))  # the memory's
    at, back = order.index(axis), np.argsort(order)
    laid, size, new = x.transpose(order), x.shape[axis], places.shape[1]
    wide = (new, *[1] * (x.ndim - at - 1))
    factors = None if weights is None else weights.astype(x.dtype)
    out = None
    for t, chosen in enumerate(places):
        part = laid.take(chosen, at)
        if factors is not None:
            part *= factors[t].reshape(wide)
        out = part if out is None else np.add(out, part, out=out)

    def vjp(
        grad: Array, needs: Sequence[bool], axis: int = axis, places: Array = places, factors: Array | None = factors
    ) -> tuple[Array]:
        matrix = np.zeros((size, new), x.dtype)
        rows = np.broadcast_to(np.arange(new), places.shape)
        np.add.at(matrix, (places, rows), 1 if factors is None else factors)
        flat = grad.transpose(order)
        lead = flat.shape[:at]
        product = np.matmul(matrix, flat.reshape(*lead, new, math.prod(flat.shape[at + 1 :])))
        return (product.reshape(*lead, size, *flat.shape[at + 1 :]).transpose(back),)

    assert out is not None
    return out.transpose(back), vjp


@operation
def _repeat(x: Operand, times: tuple[int, ...]) -> Rule:
    """Each element several times along each axis."""
    out = buffers.empty_ordered(x, [n * m for n, m in zip(x.shape, times, strict=True)])
    cells = [tuple(slice(i, None, m) for i, m in zip(cell, times, strict=True)) for cell in np.ndindex(*times)]
    for cell in cells:
        out[cell] = x

    def vjp(grad: Array, needs: Sequence[bool], cells: Any = cells) -> tuple[Array]:
        grad_x = np.zeros_like(x)
        for cell in cells:
            grad_x += grad[cell]
        return (grad_x,)

    return out, vjp

"""Second derivatives of what nets are made of: convolution, pooling, normalisation, attention, losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import operations as op
from ..convolution import operation as conv
from ..functional import adaptive_pooling, padding, patches, pooling, resampling, unpooling
from .arithmetic import linear, linear_map, numbers
from .entry import Entry, Formula


# --------------------------------------------------------------------------------------------------------- convolution
def _channel_sums(grad: Any) -> Any:
    return op.sum(grad, (0, 2, 3))


# ------------------------------------------------------------------------------------------------------------- pooling
def _max_pool(grad: Any, vjp: Any, x: Any, columns: Any, out: Any, high: Any, wide: Any) -> Any:
    def back(toward: Any) -> Any:
        return pooling.pick(pooling.pick(toward, columns, numbers(x), 3, wide), numbers(out), columns, 2, high)

    return linear(grad, vjp, back)


def _adaptive_max(grad: Any, vjp: Any, places: Any) -> Any:
    def back(toward: Any) -> Any:
        flat = toward.reshape(*toward.shape[:2], -1)
        return np.take_along_axis(flat, places.reshape(*places.shape[:2], -1), -1).reshape(places.shape)

    return linear(grad, vjp, back)


def _repeat(grad: Any, vjp: Any, cells: Any) -> Any:
    def back(toward: Any) -> Any:
        out = np.empty(grad.shape, toward.dtype)
        for cell in cells:
            out[cell] = toward
        return out

    return linear(grad, vjp, back)


# ------------------------------------------------------------------------------------------------------- normalisation
def _normalised(x: Any, weight: Any, bias: Any, scale: Any, own: bool, axes: Any) -> Any:
    """The normalisation as a composition; x is known up to a constant, which subtracting the mean removes."""
    normal = x * scale
    if own:
        centred = x - op.mean(x, axes, True)
        variance = op.mean(op.square(centred), axes, True)
        eps = 1 / scale**2 - numbers(variance)
        normal = centred / op.sqrt(variance + eps)
    normal = normal if weight is None else normal * weight
    return normal if bias is None else normal + bias


def _batch_normalised(x: Any, weight: Any, bias: Any, scale: Any) -> Any:
    return _normalised(x, weight, bias, scale, True, tuple(axis for axis in range(x.ndim) if axis != 1))


def _rms_normalised(x: Any, weight: Any, axes: Any, scale: Any) -> Any:
    square = op.mean(op.square(x), axes, True)
    normal = x / op.sqrt(square + (1 / scale**2 - numbers(square)))
    return normal if weight is None else normal * weight


# ----------------------------------------------------------------------------------------------------------- attention
def _attention(
    query: Any, key: Any, value: Any, bias: Any, weights: Any, keep: Any, rest: Any, scale: Any, lead: Any, sizes: Any
) -> tuple[Any, Any]:
    """The attention as a composition; where a weight was 0, the key is treated as masked."""
    shape = (*lead, *sizes)
    there = weights.reshape(shape) > 0
    scores = (query * scale) @ op.transpose(key, (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2))
    scores = op.broadcast_to(scores if bias is None else scores + bias, shape)
    top = np.where(there, numbers(scores), -np.inf).max(-1, keepdims=True, initial=-np.inf)
    powers = op.where(there, op.exp(op.where(there, scores - np.where(top == -np.inf, 0, top), 0.0)), 0.0)
    total = op.sum(powers, -1, True)
    found = powers / (total + (numbers(total) == 0))
    kept = found if keep is None else found * (keep.reshape(shape) * rest)
    return kept @ value, found


def _split_heads(x: Any, shape: Any, parts: int) -> Any:
    split = op.transpose(op.reshape(x, shape), (2, 0, 3, 1, 4))
    return tuple(split[i] for i in range(parts))


TABLE: dict[str, Entry] = {
    # ----------------------------------------------------------------------------------------------------- convolution
    "conv2d": (
        "image kernel bias",
        lambda grad, kernel, axes, groups: conv._conv_transpose2d(grad, kernel, None, axes=axes, groups=groups),
        lambda grad, image, shapes, axes, groups: conv.conv_kernel(
            image, grad, kernel_shape=shapes[1], axes=axes, groups=groups
        ),
        _channel_sums,
    ),
    "conv_transpose2d": (
        "image kernel bias",
        lambda grad, kernel, axes, groups: conv._conv2d(grad, kernel, None, axes=axes, groups=groups),
        lambda grad, image, shapes, axes, groups: conv.conv_kernel(
            grad, image, kernel_shape=shapes[1], axes=axes, groups=groups
        ),
        _channel_sums,
    ),
    "conv_kernel": (
        "image outer",
        lambda grad, outer, axes, groups: conv._conv_transpose2d(outer, grad, None, axes=axes, groups=groups),
        lambda grad, image, axes, groups: conv._conv2d(image, grad, None, axes=axes, groups=groups),
    ),
    # --------------------------------------------------------------------------------------------------------- pooling
    "max_pool2d": ("x", _max_pool),
    "avg_pool2d": (
        "x",
        lambda grad, vjp, high, wide, counts: linear(
            grad, vjp, lambda t: pooling._avg_pool2d(t, axes=(high, wide), counts=counts)
        ),
    ),
    "adaptive_avg": (
        "x",
        lambda grad, vjp, rows, columns: linear(
            grad, vjp, lambda t: adaptive_pooling._adaptive_avg(t, cells=(rows, columns))
        ),
    ),
    "adaptive_max": ("x", _adaptive_max),
    "put_back": (
        "x",
        lambda grad, vjp, places, size: linear(grad, vjp, lambda t: unpooling._put_back(t, places=places, size=size)),
    ),
    "pad": (
        "x",
        lambda grad, vjp, both, mode: linear(grad, vjp, lambda t: padding._pad(t, both=both, mode=mode, value=0.0)),
    ),
    "resample": (
        "x",
        lambda grad, vjp, axis, places, factors: linear(
            grad, vjp, lambda t: resampling._resample(t, axis=axis, places=places, weights=factors)
        ),
    ),
    "repeat": ("x", _repeat),
    "unfold": ("x", lambda grad, axes: patches._fold(grad, axes=axes)),
    "fold": ("x", lambda grad, axes: patches._unfold(grad, axes=axes)),
    "embedding": (
        "weight",
        lambda grad, vjp, index, padding: linear(
            grad, vjp, lambda t: t[index] if padding is None else np.where((index == padding)[..., None], 0, t[index])
        ),
    ),
    "dropout": ("input", lambda grad, keep=None: grad if keep is None else grad * keep),
    # --------------------------------------------------------------------------------------------------- normalisation
    "normalise": ("x weight bias", Formula(_normalised, {"x": lambda normal, scale: normal / scale})),
    "batch_norm": ("x weight bias", Formula(_batch_normalised, {"x": lambda centred: centred})),
    "rms_norm": ("x weight", Formula(_rms_normalised, {"x": lambda normal, scale: normal / scale})),
    # ------------------------------------------------------------------------------------------------ hooks of modules
    "passed": ("*", lambda grad, seen: seen(grad if isinstance(grad, list) else [grad])),
    # ------------------------------------------------------------------------------------------------------- attention
    "turn": (
        "x",
        lambda grad, turned, sine: linear_map(grad, forth=lambda g: turned(g, -sine), back=lambda t: turned(t, sine)),
    ),
    "split_heads": ("x", Formula(_split_heads)),
    "attention": ("query key value bias", Formula(_attention)),
}

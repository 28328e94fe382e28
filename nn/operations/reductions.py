"""Reductions: sums, means and extremes over axes, each with its derivative beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph import Array
from ..tensor import Axis, Operand, Rule, operation


def _back(grad: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """Stretch a reduction's gradient (or output) out over the axes that were reduced."""
    return np.broadcast_to(grad if keepdims or axis is None else np.expand_dims(grad, axis), x.shape)


@operation
def sum(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Sum over `axis` (an int, several, or None: all)."""
    return x.sum(axis, keepdims=keepdims), lambda grad, needs: (_back(grad, x, axis, keepdims),)


@operation
def mean(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Mean over `axis` (an int, several, or None: all)."""
    out = x.mean(axis, keepdims=keepdims)
    return out, lambda grad, needs: (_back(grad * (np.size(out) / x.size), x, axis, keepdims),)


@operation
def var(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Population variance over `axis` (an int, several, or None: all), as numpy's `var`."""
    rest = x - x.mean(axis, keepdims=True)
    out = np.mean(rest * rest, axis, keepdims=keepdims)
    return out, lambda grad, needs: (_back(grad * (2 * np.size(out) / x.size), x, axis, keepdims) * rest,)


def _extreme(x: Array, out: Array, axis: Axis, keepdims: bool) -> Rule:
    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        hits = (x == _back(out, x, axis, keepdims)).astype(x.dtype)
        return (_back(grad, x, axis, keepdims) * hits / hits.sum(axis, keepdims=True),)

    return out, vjp


@operation
def max(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Largest element over `axis`; equal ones share the gradient."""
    return _extreme(x, x.max(axis, keepdims=keepdims), axis, keepdims)


@operation
def min(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Smallest element over `axis`; equal ones share the gradient."""
    return _extreme(x, x.min(axis, keepdims=keepdims), axis, keepdims)

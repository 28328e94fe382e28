"""Reductions: sums, products, means and extremes over axes, each with its derivative beside it.

Each takes `axis` and `keepdims`, or PyTorch's words for them, `dim` and `keepdim`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import Array
from ..rules import Operand, Rule, operation
from ..tensor import Axis


def axes(x: Array, axis: Axis) -> tuple[int, ...]:
    """The axes as a tuple: all for None; of one number, which has no axes, 0 and -1 are allowed as in PyTorch."""
    if axis is None:
        return tuple(range(x.ndim))
    if isinstance(axis, bool):
        raise TypeError(f"axis is {axis}; expected integers (the variance of a sample is correction=1)")
    if x.ndim == 0 and axis in (0, -1, (0,), (-1,)):
        return ()
    return normalize_axis_tuple(axis, x.ndim, "axis")


def dropped(out: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """A reduction's output with or without the axes, now of size 1, that were reduced."""
    return out if keepdims else np.squeeze(out, axis)


def back(grad: Array, x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Stretch a reduction's gradient (or output) out over the axes that were reduced."""
    return np.broadcast_to(grad if keepdims else np.expand_dims(grad, axis), x.shape)


@operation
def sum(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Sum over `axis` (an int, several, or None: all).

    Example:
        >>> from mazegrad import nn
        >>> nn.sum([[1.0, 2.0], [3.0, 4.0]], axis=1, keepdims=True)
        array([[3.],
               [7.]])
    """
    axis = axes(x, axis)
    out = x.sum(axis, keepdims=keepdims)
    return out, lambda grad, needs, x=x, axis=axis, keepdims=keepdims: (back(grad, x, axis, keepdims),)


@operation
def mean(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Mean over `axis` (an int, several, or None: all).

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([[1.0, 2.0], [3.0, 6.0]], requires_grad=True)
        >>> nn.mean(x, axis=0).data
        array([2., 4.], dtype=float32)
        >>> nn.grad(nn.mean(x), x)[0].data
        array([[0.25, 0.25],
               [0.25, 0.25]], dtype=float32)
    """
    axis = axes(x, axis)
    out = x.mean(axis, keepdims=keepdims) if x.size else x.sum(axis, keepdims=keepdims) * np.nan  # without a warning
    return out, lambda grad, needs, x=x, out=out, axis=axis, keepdims=keepdims: (
        back(grad * (np.size(out) / (x.size or 1)), x, axis, keepdims),
    )


def _extreme(x: Array, out: Array, axis: tuple[int, ...], keepdims: bool) -> Rule:
    def vjp(
        grad: Array,
        needs: Sequence[bool],
        x: Array = x,
        out: Array = out,
        axis: tuple[int, ...] = axis,
        keepdims: bool = keepdims,
    ) -> tuple[Array]:
        hits = (x == back(out, x, axis, keepdims)).astype(x.dtype)
        return (back(grad, x, axis, keepdims) * hits / hits.sum(axis, keepdims=True),)

    return out, vjp


@operation
def max(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Largest element over `axis`; equal ones share the gradient.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([1.0, 3.0, 3.0], requires_grad=True)
        >>> nn.max(x).backward()
        >>> x.grad
        array([0. , 0.5, 0.5], dtype=float32)
    """
    axis = axes(x, axis)
    return _extreme(x, x.max(axis, keepdims=keepdims), axis, keepdims)


@operation
def min(x: Operand, axis: Axis = None, keepdims: bool = False) -> Rule:
    """Smallest element over `axis`; equal ones share the gradient.

    Example:
        >>> from mazegrad import nn
        >>> nn.min([[3.0, 1.0], [2.0, 5.0]], axis=1)
        array([1., 2.])
    """
    axis = axes(x, axis)
    return _extreme(x, x.min(axis, keepdims=keepdims), axis, keepdims)


@operation
def prod(x: Operand, axis: int | None = None, keepdims: bool = False) -> Rule:
    """Product over one axis, or over all; the slopes are right where factors are 0, too.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([0.0, 2.0, 3.0], requires_grad=True)
        >>> nn.prod(x).backward()
        >>> x.grad
        array([6., 0., 0.], dtype=float32)
    """
    over = axes(x, axis)
    out = x.prod(over, keepdims=keepdims)

    def vjp(
        grad: Array, needs: Sequence[bool], x: Array = x, over: tuple[int, ...] = over, keepdims: bool = keepdims
    ) -> tuple[Array]:
        factors = np.moveaxis(x, over[0], 0) if len(over) == 1 else x.reshape(-1)
        others = np.ones_like(factors)  # the product of those before times the product of those after
        np.cumprod(factors[:-1], 0, out=others[1:])
        others[:-1] *= np.cumprod(factors[:0:-1], 0)[::-1]
        others = np.moveaxis(others, 0, over[0]) if len(over) == 1 else others.reshape(x.shape)
        return (back(grad, x, over, keepdims) * others,)

    return out, vjp


@operation
def logsumexp(input: Operand, axis: Axis, keepdims: bool = False) -> Rule:
    """log(sum(exp(input))) over `axis`, without its overflow.

    Example:
        >>> from mazegrad import nn
        >>> round(float(nn.logsumexp([1000.0, 1000.0], axis=0)), 3)  # 1000 + log 2
        1000.693
    """
    axis = axes(input, axis)
    top = input.max(axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isinf(top), 0, top)
    out = np.log(np.exp(input - top).sum(axis, keepdims=True)) + top
    return dropped(out, axis, keepdims), lambda grad, needs, input=input, out=out, axis=axis, keepdims=keepdims: (
        back(grad, input, axis, keepdims) * np.exp(input - out),
    )


@operation
def cumsum(input: Operand, axis: int) -> Rule:
    """Sums of the elements up to each one, along `axis`.

    Example:
        >>> from mazegrad import nn
        >>> nn.cumsum([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], axis=1)
        array([[ 1.,  3.,  6.],
               [ 4.,  9., 15.]])
    """
    over = axes(input, axis)
    if not over:
        return input.copy(), lambda grad, needs: (grad,)
    along = over[0]
    out = np.cumsum(input, along)
    return out, lambda grad, needs, along=along: (np.flip(np.cumsum(np.flip(grad, along), along), along),)

"""Spreads: variances, standard deviations and norms over axes, each with its derivative beside it.

Each takes `axis` and `keepdims`, or PyTorch's words for them, `dim` and `keepdim`. Where a root is 0 its slope is 0.
"""

from __future__ import annotations

import math

import numpy as np

from ..graph import Array
from ..rules import Operand, Rule, operation
from ..tensor import Axis
from .reductions import axes, back, dropped


def _variance(x: Array, axis: tuple[int, ...], correction: float) -> tuple[Array, Array, float]:
    """x less its mean; its variance, with all axes; and by what to multiply x less its mean to get the slope."""
    if isinstance(correction, bool) or not isinstance(correction, int | float):
        raise TypeError(f"correction is {correction!r}; expected a number, such as 1 for samples or 0 as in numpy")
    count = math.prod(x.shape[i] for i in axis)
    first = x[tuple(slice(0, 1) if i in axis else slice(None) for i in range(x.ndim))]
    rest = x - first if count else x.copy()  # so that nothing at all is left of equal numbers
    rest -= rest.sum(axis, keepdims=True) / max(count, 1)
    spare = count - correction
    return rest, np.square(rest).sum(axis, keepdims=True) / max(spare, 0.0), 2 / spare if spare else math.inf


@operation
def var(x: Operand, axis: Axis = None, keepdims: bool = False, *, correction: float = 1) -> Rule:
    """Variance over `axis` (an int, several, or None: all): the sum of squares by the count less `correction`.

    As in PyTorch, the default estimates the variance of what a sample was drawn from; numpy's is `correction=0`.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([1.0, 3.0])
        >>> nn.var(x).item(), nn.var(x, correction=0).item()
        (2.0, 1.0)
    """
    axis = axes(x, axis)
    rest, variance, steepness = _variance(x, axis, correction)
    out = dropped(variance, axis, keepdims)
    return out, lambda grad, needs, x=x, axis=axis, keepdims=keepdims, steepness=steepness: (
        back(grad, x, axis, keepdims) * (rest * steepness),
    )


@operation
def std(x: Operand, axis: Axis = None, keepdims: bool = False, *, correction: float = 1) -> Rule:
    """Standard deviation over `axis`: the root of `var`; its slope is 0 where it is 0.

    Example:
        >>> from mazegrad import nn
        >>> nn.std([[1.0, 2.0, 3.0], [0.0, 10.0, 20.0]], axis=1)
        array([ 1., 10.])
    """
    axis = axes(x, axis)
    rest, variance, steepness = _variance(x, axis, correction)
    root = np.sqrt(variance)
    inverse = np.where(root == 0, 0, 1 / (2 * root))
    out = dropped(root, axis, keepdims)
    return out, lambda grad, needs, x=x, axis=axis, keepdims=keepdims, steepness=steepness, inverse=inverse: (
        back(grad, x, axis, keepdims) * (rest * (inverse * steepness)),
    )


@operation
def norm(input: Operand, p: float | str = 2.0, axis: Axis = None, keepdims: bool = False) -> Rule:
    """The p-norm of what lies along `axis` (an int, several, or None: all), as one vector.

    p is any number, "fro" for 2, inf for the largest |x|, -inf for the smallest, 0 for how many are not 0. Where the
    norm is 0 its slope is 0. The numbers are scaled first, so that their powers do not leave the range.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([3.0, -4.0], requires_grad=True)
        >>> nn.norm(x).item(), nn.norm(x, p=1).item(), nn.norm(x, p=float("inf")).item()
        (5.0, 7.0, 4.0)
        >>> nn.grad(nn.norm(x), x)[0]
        Tensor([ 0.6, -0.8], shape=(2,), float32)
    """
    if p == "fro":
        p = 2.0
    if not isinstance(p, int | float):
        raise ValueError(f"p is {p!r}; expected a number, or 'fro'")
    axis, size = axes(input, axis), np.abs(input)
    if p == 0:
        count = (size != 0).sum(axis, keepdims=True).astype(size.dtype)
        return dropped(count, axis, keepdims), lambda grad, needs, input=input: (np.zeros_like(input),)
    if math.isinf(p):
        out = size.max(axis, keepdims=True) if p > 0 else size.min(axis, keepdims=True)
        equal = np.where(size == out, np.sign(input), 0)
        shared = (size == out).sum(axis, keepdims=True).astype(size.dtype)
        return dropped(out, axis, keepdims), lambda grad, needs, out=out, equal=equal, shared=shared: (
            equal * (grad.reshape(out.shape) / shared),
        )
    top = size.max(axis, keepdims=True, initial=0) if p > 0 else size.min(axis, keepdims=True, initial=np.inf)
    top = np.where((top == 0) | np.isinf(top), 1, top)
    part = size / top
    ratio = (part**p).sum(axis, keepdims=True) ** (1 / p)
    out = ratio * top

    def vjp(
        grad: Array, needs: object, input: Array = input, out: Array = out, ratio: Array = ratio, p: float = p
    ) -> tuple[Array]:
        with np.errstate(all="ignore"):
            slope = np.sign(input) * (part / ratio) ** (p - 1)
        return (np.where((input == 0) | (out == 0), 0, slope) * grad.reshape(out.shape),)

    return dropped(out, axis, keepdims), vjp

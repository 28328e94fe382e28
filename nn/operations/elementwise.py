"""Arithmetic element by element, each operation with its derivative beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..graph import Array
from ..rules import Operand, Rule, composite, constant, operation
from .broadcasting import fit


# ---------------------------------------------------------------------------------------- two operands, broadcast
@operation
def add(a: Operand, b: Operand) -> Rule:
    """a + b, broadcast.

    Example:
        >>> from mazegrad import nn
        >>> nn.add([[1.0], [2.0]], [10.0, 20.0, 30.0])
        array([[11., 21., 31.],
               [12., 22., 32.]])
    """
    out = a + b
    return out, lambda grad, needs, a=a, b=b: (
        fit(grad, a) if needs[0] else None,
        fit(grad, b) if needs[1] else None,
    )


@operation
def subtract(a: Operand, b: Operand) -> Rule:
    """a - b, broadcast.

    Example:
        >>> from mazegrad import nn
        >>> nn.subtract(1, [0.25, 2.0])
        array([ 0.75, -1.  ])
    """
    out = a - b
    return out, lambda grad, needs, a=a, b=b: (
        fit(grad, a) if needs[0] else None,
        fit(-grad, b) if needs[1] else None,
    )


@operation
def multiply(a: Operand, b: Operand) -> Rule:
    """a * b, broadcast.

    Example:
        >>> from mazegrad import nn
        >>> a, b = nn.Tensor(3.0, requires_grad=True), nn.Tensor(4.0, requires_grad=True)
        >>> [slope.item() for slope in nn.grad(nn.multiply(a, b), (a, b))]
        [4.0, 3.0]
    """
    out = a * b
    return out, lambda grad, needs, a=a, b=b: (
        fit(grad * b, a) if needs[0] else None,
        fit(grad * a, b) if needs[1] else None,
    )


@operation
def divide(a: Operand, b: Operand) -> Rule:
    """a / b, broadcast.

    Example:
        >>> from mazegrad import nn
        >>> nn.divide(1, [2.0, 4.0])
        array([0.5 , 0.25])
    """
    out = a / b
    return out, lambda grad, needs, a=a, b=b, out=out: (
        fit(settled(grad, grad / b), a) if needs[0] else None,
        fit(settled(grad, -grad * out / b), b) if needs[1] else None,
    )


@operation
def power(a: Operand, b: Operand) -> Rule:
    """a ** b, broadcast; the gradient for b is NaN where a is negative, and 0 where a is 0 and b is not negative.

    Example:
        >>> from mazegrad import nn
        >>> a, b = nn.Tensor(2.0, requires_grad=True), nn.Tensor(3.0, requires_grad=True)
        >>> [round(slope.item(), 3) for slope in nn.grad(nn.power(a, b), (a, b))]  # b a^(b-1) and a^b ln a
        [12.0, 5.545]
    """
    out = a**b

    def vjp(
        grad: Array, needs: Sequence[bool], a: Array = a, b: Array = b, out: Array = out
    ) -> tuple[Array | None, Array | None]:
        grad_a = grad_b = None
        if needs[0]:
            slope = b * a ** np.where(b == 0, 0, b - 1)[()]  # 0, not 0 * inf, for 0 ** 0
            grad_a = fit(settled(grad, grad * slope), a)
        if needs[1]:
            slope = np.where((a == 0) & (b >= 0), 0, out * np.log(a))
            grad_b = fit(settled(grad, grad * slope), b)
        return grad_a, grad_b

    return out, vjp


@operation
def maximum(a: Operand, b: Operand) -> Rule:
    """The larger of a and b; equal ones share the gradient.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> nn.maximum(x, 2).sum().backward()
        >>> x.grad
        array([0. , 0.5, 1. ], dtype=float32)
    """
    out = np.maximum(a, b)
    return out, lambda grad, needs, a=a, b=b: (
        fit(grad * share(a, b), a) if needs[0] else None,
        fit(grad * share(b, a), b) if needs[1] else None,
    )


@operation
def minimum(a: Operand, b: Operand) -> Rule:
    """The smaller of a and b; equal ones share the gradient.

    Example:
        >>> from mazegrad import nn
        >>> nn.minimum([1.0, 5.0, 3.0], [4.0, 2.0, 3.0])
        array([1., 2., 3.])
    """
    out = np.minimum(a, b)
    return out, lambda grad, needs, a=a, b=b: (
        fit(grad * share(b, a), a) if needs[0] else None,
        fit(grad * share(a, b), b) if needs[1] else None,
    )


def share(a: Array, b: Array) -> Array:
    """1 where a is larger, 1/2 where they are equal, infinities too, 0 where b is; 1 beside NaN, as in PyTorch."""
    return 1 - np.add(a <= b, a < b, dtype=a.dtype) / 2


def settled(grad: Array, result: Array) -> Array:
    """The result of a vjp, 0 wherever `grad` is 0, even where the derivative is not finite.

    So nothing comes back through a branch that `where` did not choose: `where(x > 0, sqrt(x), 0)` has a gradient of 0
    at x = 0, where 0 times infinity would be NaN.
    """
    return result if np.isfinite(result.sum()) else np.where(grad == 0, 0, result)


@operation
def _where(a: Operand, b: Operand, condition: Array) -> Rule:
    out = np.where(condition, a, b)
    return out, lambda grad, needs, a=a, b=b, condition=condition: (
        fit(np.where(condition, grad, 0), a) if needs[0] else None,
        fit(np.where(condition, 0, grad), b) if needs[1] else None,
    )


@composite
def where(condition: Any, a: Operand, b: Operand) -> Any:
    """a where `condition` is True, b elsewhere, broadcast; no gradient passes through the branch not chosen.

    Args:
        condition: booleans; it has no gradient.
        a, b: any shapes that broadcast with the condition.

    Raises:
        TypeError: the condition is a tensor that requires a gradient.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([-2.0, 3.0], requires_grad=True)
        >>> nn.where(x > 0, x, 0.1 * x)
        Tensor([-0.2,  3. ], shape=(2,), float32, made by where)
        >>> nn.grad(nn.where(x > 0, x, 0).sum(), x)[0]
        Tensor([0., 1.], shape=(2,), float32)
    """
    return _where(a, b, condition=constant("condition", condition).astype(bool))


# ----------------------------------------------------------------------------------------------- one operand, element
@operation
def negative(x: Operand) -> Rule:
    """-x.

    Example:
        >>> from mazegrad import nn
        >>> nn.negative([1.0, -2.0])
        array([-1.,  2.])
    """
    out = -x
    return out, lambda grad, needs: (-grad,)


@operation
def absolute(x: Operand) -> Rule:
    """|x|; its slope at 0 is 0.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([-2.0, 0.0, 3.0], requires_grad=True)
        >>> nn.absolute(x).sum().backward()
        >>> x.grad
        array([-1.,  0.,  1.], dtype=float32)
    """
    out = np.abs(x)
    return out, lambda grad, needs, x=x: (grad * np.subtract(x > 0, x < 0, dtype=x.dtype),)


@operation
def square(x: Operand) -> Rule:
    """x * x.

    Example:
        >>> from mazegrad import nn
        >>> nn.square([-3.0, 2.0])
        array([9., 4.])
    """
    out = x * x
    return out, lambda grad, needs, x=x: (2 * grad * x,)


@operation
def sqrt(x: Operand) -> Rule:
    """Square root.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([4.0, 0.0], requires_grad=True)
        >>> nn.grad(nn.sqrt(x).sum(), x)[0]
        Tensor([0.25,  inf], shape=(2,), float32)
    """
    out = np.sqrt(x)
    return out, lambda grad, needs, out=out: (settled(grad, grad / (2 * out)),)


@operation
def exp(x: Operand) -> Rule:
    """Exponential.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([0.0, 1.0], requires_grad=True)
        >>> nn.exp(x)
        Tensor([1.    , 2.7183], shape=(2,), float32, made by exp)
        >>> nn.grad(nn.exp(x).sum(), x)[0]  # its own derivative
        Tensor([1.    , 2.7183], shape=(2,), float32)
    """
    out = np.exp(x)
    return out, lambda grad, needs, out=out: (grad * out,)


@operation
def log(x: Operand) -> Rule:
    """Natural logarithm.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([1.0, 4.0], requires_grad=True)
        >>> nn.grad(nn.log(x).sum(), x)[0]  # 1 / x
        Tensor([1.  , 0.25], shape=(2,), float32)
    """
    out = np.log(x)
    return out, lambda grad, needs, x=x: (settled(grad, grad / x),)


@operation
def sin(x: Operand) -> Rule:
    """Sine.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor(0.0, requires_grad=True)
        >>> nn.sin(x).item(), nn.grad(nn.sin(x), x)[0].item()
        (0.0, 1.0)
    """
    out = np.sin(x)
    return out, lambda grad, needs, x=x: (grad * np.cos(x),)


@operation
def cos(x: Operand) -> Rule:
    """Cosine.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.cos([0.0, np.pi])
        array([ 1., -1.])
    """
    out = np.cos(x)
    return out, lambda grad, needs, x=x: (-grad * np.sin(x),)


@operation
def clip(x: Operand, min: Operand = None, max: Operand = None) -> Rule:
    """x limited to the range from `min` to `max`, broadcast; where it was cut, the gradient goes to the bound.

    Args:
        x: any shape.
        min, max: numbers, arrays or tensors, of which one may be left out. Where min is above max, the result is max.

    Example:
        >>> from mazegrad import nn
        >>> nn.clip([-1.0, 0.5, 7.0], min=0, max=1)
        array([0. , 0.5, 1. ])
    """
    if min is None and max is None:
        raise ValueError("clip needs min, max, or both")
    low, high = -np.inf if min is None else min, np.inf if max is None else max
    inside = (x >= low) & (x <= high)
    return np.clip(x, min, max), lambda grad, needs, x=x, low=low, high=high, inside=inside: (
        fit(grad * inside, x) if needs[0] else None,
        fit(np.where((x < low) & (low < high), grad, 0), min) if needs[1] else None,
        fit(np.where((x > high) | (low > high), grad, 0), max) if needs[2] else None,
    )


@operation
def astype(x: Operand, dtype: DTypeLike) -> Rule:
    """The same numbers as float32 or float64; the gradient comes back in x's own precision.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Parameter([1.5])
        >>> y = nn.astype(x, "float64")
        >>> y.sum().backward()
        >>> y.dtype.name, x.grad.dtype.name
        ('float64', 'float32')
    """
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"expected float32 or float64, not {np.dtype(dtype)}")
    return x.astype(dtype), lambda grad, needs, x=x: (grad.astype(x.dtype),)

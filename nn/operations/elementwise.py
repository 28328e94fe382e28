"""Arithmetic element by element, each operation with its derivative beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..graph import Array
from ..tensor import Operand, Rule, operation
from .broadcasting import fit


# ---------------------------------------------------------------------------------------- two operands, broadcast
@operation
def add(a: Operand, b: Operand) -> Rule:
    """a + b, broadcast."""
    out = a + b
    return out, lambda grad, needs: (
        fit(grad, a) if needs[0] else None,
        fit(grad, b) if needs[1] else None,
    )


@operation
def subtract(a: Operand, b: Operand) -> Rule:
    """a - b, broadcast."""
    out = a - b
    return out, lambda grad, needs: (
        fit(grad, a) if needs[0] else None,
        fit(-grad, b) if needs[1] else None,
    )


@operation
def multiply(a: Operand, b: Operand) -> Rule:
    """a * b, broadcast."""
    out = a * b
    return out, lambda grad, needs: (
        fit(grad * b, a) if needs[0] else None,
        fit(grad * a, b) if needs[1] else None,
    )


@operation
def divide(a: Operand, b: Operand) -> Rule:
    """a / b, broadcast."""
    out = a / b
    return out, lambda grad, needs: (
        fit(grad / b, a) if needs[0] else None,
        fit(-grad * out / b, b) if needs[1] else None,
    )


@operation
def power(a: Operand, b: Operand) -> Rule:
    """a ** b, broadcast; the gradient for b takes a > 0, and is 0 where a is 0."""
    out = a**b
    return out, lambda grad, needs: (
        fit(grad * b * a ** np.where(b == 0, 0, b - 1)[()], a) if needs[0] else None,  # 0, not 0 * inf, for 0 ** 0
        fit(grad * out * np.log(np.where(a == 0, 1, a)), b) if needs[1] else None,
    )


@operation
def maximum(a: Operand, b: Operand) -> Rule:
    """The larger of a and b; equal ones share the gradient."""
    out = np.maximum(a, b)
    return out, lambda grad, needs: (
        fit(grad * share(a, b), a) if needs[0] else None,
        fit(grad * share(b, a), b) if needs[1] else None,
    )


@operation
def minimum(a: Operand, b: Operand) -> Rule:
    """The smaller of a and b; equal ones share the gradient."""
    out = np.minimum(a, b)
    return out, lambda grad, needs: (
        fit(grad * share(b, a), a) if needs[0] else None,
        fit(grad * share(a, b), b) if needs[1] else None,
    )


def share(a: Array, b: Array) -> Array:
    """1 where a is larger, 1/2 where they are equal, infinities too, 0 where b is."""
    return np.add(a >= b, a > b, dtype=a.dtype) / 2


@operation
def _where(a: Operand, b: Operand, condition: Array) -> Rule:
    out = np.where(condition, a, b)
    return out, lambda grad, needs: (
        fit(grad * condition, a) if needs[0] else None,
        fit(grad * ~condition, b) if needs[1] else None,
    )


def where(condition: Any, a: Operand, b: Operand) -> Any:
    """a where the booleans of `condition` hold, b elsewhere, broadcast; `condition` has no gradient."""
    return _where(a, b, condition=np.array(condition, dtype=bool))


# ----------------------------------------------------------------------------------------------- one operand, element
@operation
def negative(x: Operand) -> Rule:
    """-x."""
    out = -x
    return out, lambda grad, needs: (-grad,)


@operation
def absolute(x: Operand) -> Rule:
    """|x|; its slope at 0 is 0."""
    out = np.abs(x)
    return out, lambda grad, needs: (grad * np.sign(x),)


@operation
def square(x: Operand) -> Rule:
    """x * x."""
    out = x * x
    return out, lambda grad, needs: (2 * grad * x,)


@operation
def sqrt(x: Operand) -> Rule:
    """Square root."""
    out = np.sqrt(x)
    return out, lambda grad, needs: (grad / (2 * out),)


@operation
def exp(x: Operand) -> Rule:
    """Exponential."""
    out = np.exp(x)
    return out, lambda grad, needs: (grad * out,)


@operation
def log(x: Operand) -> Rule:
    """Natural logarithm."""
    out = np.log(x)
    return out, lambda grad, needs: (grad / x,)


@operation
def sin(x: Operand) -> Rule:
    """Sine."""
    out = np.sin(x)
    return out, lambda grad, needs: (grad * np.cos(x),)


@operation
def cos(x: Operand) -> Rule:
    """Cosine."""
    out = np.cos(x)
    return out, lambda grad, needs: (-grad * np.sin(x),)


@operation
def clip(x: Operand, min: float | None = None, max: float | None = None) -> Rule:
    """x held between `min` and `max`, either of which may be left out; no gradient where it was cut."""
    out = np.clip(x, min, max)
    return out, lambda grad, needs: (grad * (out == x),)


@operation
def astype(x: Operand, dtype: DTypeLike) -> Rule:
    """The same numbers as float32 or float64; the gradient comes back in x's own precision."""
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"astype: float32 or float64, not {np.dtype(dtype)}")
    return x.astype(dtype), lambda grad, needs: (grad.astype(x.dtype),)

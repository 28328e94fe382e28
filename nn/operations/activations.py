"""Activations: the functions between the layers of a net, each with its derivative beside it."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from ..graph import Array
from ..tensor import Operand, Rule, operation


@operation
def tanh(input: Operand) -> Rule:
    """Hyperbolic tangent."""
    out = np.tanh(input)
    return out, lambda grad, needs: (grad * (1 - out * out),)


@operation
def sigmoid(input: Operand) -> Rule:
    """1 / (1 + exp(-input)), through tanh: no overflow, and quicker."""
    out = np.tanh(input * 0.5) * 0.5 + 0.5
    return out, lambda grad, needs: (grad * (out * (1 - out)),)


@operation
def relu(input: Operand) -> Rule:
    """max(input, 0); its slope at 0 is 0."""
    out = np.maximum(input, 0)
    return out, lambda grad, needs: (grad * (out > 0),)


@operation
def gelu(input: Operand, approximate: str = "none") -> Rule:
    """x times the normal distribution function at x (Hendrycks & Gimpel 2016), exact or `approximate="tanh"`."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate is {approximate!r}; 'none' and 'tanh' are known")
    if approximate == "none":
        share = 0.5 + 0.5 * _erf(input * math.sqrt(0.5))
        steepness = np.exp(-0.5 * input * input) * (1 / math.sqrt(2 * math.pi))
    else:
        inner = np.tanh(math.sqrt(2 / math.pi) * (input + 0.044715 * input**3))
        share = 0.5 + 0.5 * inner
        steepness = (1 - inner * inner) * (math.sqrt(0.5 / math.pi) * (1 + 3 * 0.044715 * input * input))
    return input * share, lambda grad, needs: (grad * (share + input * steepness),)


def _erf(x: Array) -> Array:
    """The error function, which numpy lacks: a Taylor series about the nearest of a table's points."""
    table = _erf_table()
    size = np.minimum(np.abs(x), 6)  # erf(6) is 1 in double precision
    point = np.rint(size * 16).astype(np.intp)
    rest = size - point.astype(x.dtype) / 16
    value = np.zeros_like(size)
    for row in table[5 if x.itemsize == 4 else 11 :: -1].astype(x.dtype):  # as many terms as the precision can tell
        value *= rest
        value += row[point]
    return np.copysign(value, x)


@cache
def _erf_table() -> Array:
    """The Taylor coefficients of erf at 0, 1/16, ... 6: (order, point); the derivatives by Hermite's recursion."""
    at = np.arange(97) / 16
    bell = 2 / math.sqrt(math.pi) * np.exp(-at * at)
    rows, before, now = [np.array([math.erf(a) for a in at])], np.zeros_like(at), bell
    for order in range(1, 12):  # now: the derivative of this order
        rows.append(now / math.factorial(order))
        before, now = now, -2 * at * now - 2 * (order - 1) * before
    return np.array(rows)


@operation
def softmax(input: Operand, dim: int = -1) -> Rule:
    """exp(input), normalised to sum 1 along `dim`."""
    out = np.exp(input - input.max(dim, keepdims=True))
    out /= out.sum(dim, keepdims=True)
    return out, lambda grad, needs: (out * (grad - (grad * out).sum(dim, keepdims=True)),)


@operation
def log_softmax(input: Operand, dim: int = -1) -> Rule:
    """log(softmax(input)) without its overflow."""
    out = input - input.max(dim, keepdims=True)
    out -= np.log(np.exp(out).sum(dim, keepdims=True))
    return out, lambda grad, needs: (grad - np.exp(out) * grad.sum(dim, keepdims=True),)

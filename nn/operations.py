"""The arithmetic of tensors: each operation with its derivative beside it.

A rule takes plain arrays and returns `(output, vjp)`; `vjp(grad, needs)` gives one gradient, or None, for each operand.
Elementwise rules leave the memory order to numpy's functions, which keep it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import DTypeLike

from . import buffers
from .graph import Array
from .tensor import Axis, Operand, Rule, operation


def fit(grad: Array, operand: Any) -> Array:
    """Sum `grad` over the axes along which `operand` was broadcast."""
    shape = np.shape(operand)
    if grad.shape == shape:
        return grad
    lead = grad.ndim - len(shape)
    stretched = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 != grad.shape[i + lead])
    return grad.sum(stretched, keepdims=True).reshape(shape)


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


# ---------------------------------------------------------------------------------------------------------- reductions
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


# --------------------------------------------------------------------------------------------------------------- shape
@operation
def reshape(x: Operand, shape: Sequence[int] | int) -> Rule:
    """The same elements, in row-major reading order, in another shape; one -1 is worked out."""
    return _reshaped(x, shape), lambda grad, needs: (_reshaped(grad, x.shape),)


def _reshaped(x: Array, shape: Sequence[int] | int) -> Array:
    """Reshape; a batch that is last in memory and stays the first axis is left last: a copy in long runs, or none."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    last = x.ndim > 1 and len(shape) > 1 and x.strides[0] == x.itemsize and not x.flags.c_contiguous
    if not last or shape[0] not in (-1, len(x)) or not x.size:
        return x.reshape(shape)
    if shape[0] == -1:
        shape = (len(x), *shape[1:])
    turned = x.transpose(*range(1, x.ndim), 0)
    if not turned.flags.c_contiguous:
        turned = buffers.empty(turned.shape, x.dtype)
        turned[...] = x.transpose(*range(1, x.ndim), 0)
    return turned.reshape(*shape[1:], len(x)).transpose(-1, *range(len(shape) - 1))


def flatten(input: Operand, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim`, both included, in one; one number becomes a vector of it."""
    shape = np.shape(input) or (1,)
    first = normalize_axis_index(start_dim, len(shape), "flatten: start_dim")
    last = normalize_axis_index(end_dim, len(shape), "flatten: end_dim")
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in shape {shape}")
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@operation
def transpose(x: Operand, axes: Sequence[int] | None = None) -> Rule:
    """Axes in the order of `axes`; reversed without."""
    back = None if axes is None else np.argsort([axis % x.ndim for axis in axes])
    return x.transpose(axes), lambda grad, needs: (grad.transpose(back),)


@operation
def expand_dims(x: Operand, axis: int | tuple[int, ...]) -> Rule:
    """A new axis of size 1 at `axis`."""
    return np.expand_dims(x, axis), lambda grad, needs: (grad.reshape(x.shape),)


@operation
def squeeze(x: Operand, axis: Axis = None) -> Rule:
    """Without the axes of size 1, or without those named."""
    return np.squeeze(x, axis), lambda grad, needs: (grad.reshape(x.shape),)


@operation
def broadcast_to(x: Operand, shape: Sequence[int]) -> Rule:
    """x repeated along new or stretched axes."""
    return np.broadcast_to(x, shape), lambda grad, needs: (fit(grad, x),)


@operation
def getitem(x: Operand, index: Any) -> Rule:
    """x[index], with any index that numpy takes; an element picked twice gets both gradients."""
    parts = index if isinstance(index, tuple) else (index,)
    once = all(isinstance(part, int | slice | np.integer) or part is None or part is Ellipsis for part in parts)
    if not once:
        index = copy.deepcopy(index)

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        full = np.zeros_like(x)
        if once:
            full[index] = grad
        else:
            np.add.at(full, index, grad)
        return (full,)

    return x[index], vjp


@operation
def _concatenate(*xs: Operand, axis: int) -> Rule:
    ends = np.cumsum([x.shape[axis] for x in xs])[:-1]
    return np.concatenate(xs, axis), lambda grad, needs: np.split(grad, ends, axis)


def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Any:
    """Join along an axis that exists."""
    if not len(tensors):
        raise ValueError("concatenate: there is nothing to join")
    return _concatenate(*tensors, axis=axis)


@operation
def _stack(*xs: Operand, axis: int) -> Rule:
    return np.stack(xs, axis), lambda grad, needs: list(np.moveaxis(grad, axis, 0))


def stack(tensors: Sequence[Operand], axis: int = 0) -> Any:
    """Join equal shapes along a new axis."""
    if not len(tensors):
        raise ValueError("stack: there is nothing to join")
    return _stack(*tensors, axis=axis)


# ------------------------------------------------------------------------------------------------------------ products
@operation
def matmul(a: Operand, b: Operand) -> Rule:
    """Matrix product, with numpy's rules for vectors and for stacks of matrices."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("matmul takes vectors and matrices; for a number there is *")

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array | None, Array | None]:
        left = a if a.ndim > 1 else a[None, :]
        right = b if b.ndim > 1 else b[:, None]
        grad = grad if a.ndim > 1 else np.expand_dims(grad, -1 if b.ndim == 1 else -2)
        grad = grad if b.ndim > 1 else np.expand_dims(grad, -1)
        grad_a = fit(grad @ right.swapaxes(-1, -2), left).reshape(a.shape) if needs[0] else None
        grad_b = fit(left.swapaxes(-1, -2) @ grad, right).reshape(b.shape) if needs[1] else None
        return grad_a, grad_b

    return a @ b, vjp


@operation
def linear(input: Operand, weight: Operand, bias: Operand = None) -> Rule:
    """input @ weight.T + bias: input (..., in_features), weight (out_features, in_features), bias (out_features,)."""
    if input.ndim < 1 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        raise ValueError("expected x of shape (..., in_features) and a weight of shape (out_features, in_features)")
    rows = input.reshape(-1, input.shape[-1])
    out = rows @ weight.T
    if bias is not None:
        out += bias

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array | None, ...]:
        grad = grad.reshape(-1, grad.shape[-1])
        across = weight.T @ grad.T if rows.flags.f_contiguous else None  # in the input's own memory order
        return (
            (grad @ weight if across is None else across.T).reshape(input.shape) if needs[0] else None,
            grad.T @ rows if needs[1] else None,
            grad.sum(0) if needs[2] else None,
        )

    return out.reshape(*input.shape[:-1], len(weight)), vjp


def einsum(subscripts: str, a: Operand, b: Operand) -> Any:
    """Sum of products in Einstein's notation: two operands, explicit output, no index twice in one operand.

    `einsum("bqd,bkd->bqk", queries, keys)`. Each contraction is one (stacked) matrix product.
    """
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    parts = left.split(",")
    if not arrow or len(parts) != 2 or not all(s.isalpha() or not s for s in (*parts, out)):
        raise ValueError(f"einsum: {subscripts!r} should look like 'ij,jk->ik': two operands and an output")
    if any(len(set(s)) != len(s) for s in (*parts, out)):
        raise ValueError(f"einsum: an index stands twice in one operand of {subscripts!r}; take the diagonal first")
    if not set(out) <= set(left):
        strange = next(letter for letter in out if letter not in left)
        raise ValueError(f"einsum: output index {strange!r} of {subscripts!r} is in neither operand")
    return _einsum(a, b, parts=(parts[0], parts[1], out))


@operation
def _einsum(a: Operand, b: Operand, parts: tuple[str, str, str]) -> Rule:
    of_a, of_b, of_out = parts
    a, b = np.asarray(a), np.asarray(b)  # plain numbers too are operands, without axes
    sizes: dict[str, int] = {}
    for x, letters in (a, of_a), (b, of_b):
        if x.ndim != len(letters):
            raise ValueError(f"{letters!r} names {len(letters)} axes, but the operand has shape {x.shape}")
        for letter, size in zip(letters, x.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"index {letter!r} is {sizes[letter]} in one operand and {size} in the other")

    def back(grad: Array, other: Array, of_other: str, mine: str) -> Array:
        found = "".join(letter for letter in mine if letter in of_out or letter in of_other)  # others were summed alone
        small = _contract(grad, of_out, other, of_other, found)
        spread = tuple(i for i, letter in enumerate(mine) if letter not in found)
        return np.broadcast_to(np.expand_dims(small, spread), [sizes[letter] for letter in mine])

    return _contract(a, of_a, b, of_b, of_out), lambda grad, needs: (
        back(grad, b, of_b, of_a) if needs[0] else None,
        back(grad, a, of_a, of_b) if needs[1] else None,
    )


def _contract(a: Array, of_a: str, b: Array, of_b: str, of_out: str) -> Array:
    """One stacked matrix product: (batch, left, inner) @ (batch, inner, right)."""
    a, of_a = _sum_alone(a, of_a, of_b + of_out)
    b, of_b = _sum_alone(b, of_b, of_a + of_out)
    batch = [i for i in of_a if i in of_b and i in of_out]
    inner = [i for i in of_a if i in of_b and i not in of_out]
    left, right = [i for i in of_a if i not in of_b], [i for i in of_b if i not in of_a]
    x = a.transpose([of_a.index(i) for i in (*batch, *left, *inner)])
    y = b.transpose([of_b.index(i) for i in (*batch, *inner, *right)])
    outer, rows = x.shape[: len(batch)], x.shape[len(batch) : len(batch) + len(left)]
    columns = y.shape[len(batch) + len(inner) :]
    depth = math.prod(y.shape[len(batch) : len(batch) + len(inner)])
    product = np.matmul(x.reshape(*outer, math.prod(rows), depth), y.reshape(*outer, depth, math.prod(columns)))
    product = product.reshape((*outer, *rows, *columns))  # a tuple, which may be empty
    return product.transpose([(*batch, *left, *right).index(i) for i in of_out])


def _sum_alone(x: Array, letters: str, wanted: str) -> tuple[Array, str]:
    """Sum over the axes that nobody else names."""
    alone = tuple(i for i, letter in enumerate(letters) if letter not in wanted)
    return (x.sum(alone) if alone else x), "".join(letter for letter in letters if letter in wanted)


__all__ = [
    "absolute", "add", "astype", "broadcast_to", "clip", "concatenate", "cos", "divide", "einsum", "exp", "expand_dims",
    "fit", "flatten", "gelu", "getitem", "linear", "log", "matmul", "max", "maximum", "mean", "min", "minimum",
    "multiply", "negative", "power", "relu", "reshape", "sigmoid", "sin", "sqrt", "square", "squeeze", "stack",
    "subtract", "sum", "tanh", "transpose", "var", "where",
]  # fmt: skip

"""Second derivatives of the arithmetic: sums and products, elementwise functions, reductions, shapes, softmax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import operations as op
from ..operations.elementwise import share
from ..rules import Operand, Rule, operation
from ..tensor import Tensor
from .entry import Entry, Formula


def fit(grad: Any, shape: Sequence[int]) -> Any:
    """Sum `grad` over the axes along which an operand of this shape was broadcast."""
    if grad.shape == tuple(shape):
        return grad
    lead = grad.ndim - len(shape)
    stretched = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1 != grad.shape[i + lead]))
    return op.reshape(op.sum(grad, stretched, keepdims=True), tuple(shape))


@operation
def linear_map(x: Operand, forth: Callable[[Any], Any], back: Callable[[Any], Any]) -> Rule:
    """A linear function of plain arrays, and its transpose."""
    maps = forth, back
    return maps[0](x), lambda grad, needs, maps=maps: (maps[1](grad),)


@operation
def put(x: Operand, shape: Sequence[int], index: Any, once: bool) -> Rule:
    """Zeros of this shape with x added at `index`; the way back through `getitem`."""
    full = np.zeros(shape, x.dtype)
    if once:
        full[index] = x
    else:
        np.add.at(full, index, x)
    return full, lambda grad, needs, index=index: (grad[index],)


def linear(grad: Any, vjp: Any, back: Any) -> Any:
    """The gradient of an operation that is linear in its one operand; `back` is the operation, on plain arrays."""
    return linear_map(grad, forth=lambda g: vjp(g, (True,))[0], back=back)


def stretched(grad: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a reduction, along the axes that were reduced."""
    return op.broadcast_to(grad if keepdims or axis is None else op.expand_dims(grad, axis), x.shape)


def numbers(x: Any) -> Any:
    """The plain array."""
    return x._array if isinstance(x, Tensor) else x


def same(grad: Any) -> Any:
    """The gradient as it comes."""
    return grad


def swap(x: Any) -> Any:
    """The last two axes exchanged."""
    return op.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _concatenated(grad: Any, shapes: Sequence[Sequence[int]], axis: int) -> list[Any]:
    """Each operand's part of the gradient."""
    lead = (slice(None),) * (axis % len(shapes[0]))
    ends = np.cumsum([shape[axis] for shape in shapes])
    return [grad[(*lead, slice(end - shape[axis], end))] for end, shape in zip(ends, shapes, strict=True)]


def _stacked(grad: Any, axis: int) -> list[Any]:
    lead = (slice(None),) * (axis % grad.ndim)
    return [grad[(*lead, i)] for i in range(grad.shape[axis])]


def _matmul_first(grad: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return op.expand_dims(grad, -1) * b if a.ndim > 1 else grad * b
    if a.ndim > 1:
        return grad @ swap(b)
    return op.squeeze(op.expand_dims(grad, -2) @ swap(b), -2)


def _matmul_second(grad: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return op.expand_dims(a, -1) * op.expand_dims(grad, -2) if b.ndim > 1 else a * grad
    if b.ndim > 1:
        return swap(a) @ grad
    return op.squeeze(swap(a) @ op.expand_dims(grad, -1), -1)


def _weights(grad: Any, input: Any) -> Any:
    """The gradient of linear's weight."""
    rows, columns = grad.shape[-1], input.shape[-1]
    return op.transpose(op.reshape(grad, (-1, rows))) @ op.reshape(input, (-1, columns))


def _einsum_back(grad: Any, of_out: str, other: Any, of_other: str, mine: str, shape: Sequence[int]) -> Any:
    found = "".join(letter for letter in mine if letter in of_out or letter in of_other)  # others were summed alone
    small = op.einsum(f"{of_out},{of_other}->{found}", grad, other)
    spread = tuple(i for i, letter in enumerate(mine) if letter not in found)
    return op.broadcast_to(op.expand_dims(small, spread) if spread else small, tuple(shape))


def _hits(grad: Any, x: Any, out: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a maximum or minimum, shared by those that are equal to it."""
    values = numbers(out)
    values = np.broadcast_to(values if keepdims or axis is None else np.expand_dims(values, axis), x.shape)
    hits = (numbers(x) == values).astype(x.dtype)
    return stretched(grad, x, axis, keepdims) * (hits / hits.sum(axis, keepdims=True))


def _std(x: Any, axis: Any, keepdims: bool, steepness: float, inverse: Any) -> Any:
    variance = op.sum(op.square(x - op.mean(x, axis, True)), axis, True) * (steepness / 2)
    root = op.where(inverse == 0, 0.0, op.sqrt(op.where(inverse == 0, 1.0, variance)))
    return root if keepdims else op.squeeze(root, axis)


def _norm(
    grad: Any,
    input: Any = None,
    out: Any = None,
    p: Any = None,
    ratio: Any = None,
    equal: Any = None,
    shared: Any = None,
) -> Any:
    if equal is not None:  # the largest or the smallest
        return op.reshape(grad, shared.shape) * (equal / shared)
    if p is None:  # how many are not 0
        return Tensor(np.zeros(input.shape, input.dtype))
    norm, x = op.reshape(out, ratio.shape), numbers(input)
    none = (x == 0) | (numbers(norm) == 0)
    part = op.where(none, 1.0, op.absolute(input)) / op.where(numbers(norm) == 0, 1.0, norm)
    return op.where(none, 0.0, np.sign(x) * op.power(part, p - 1.0)) * op.reshape(grad, ratio.shape)


def _prod(x: Any, over: Any, keepdims: bool) -> Any:
    """Multiply halves with each other, until one is left: right where factors are 0, too."""
    shape = tuple(1 if i in over else n for i, n in enumerate(x.shape))
    last = [i for i in range(x.ndim) if i not in over]
    left = op.reshape(op.transpose(x, (*over, *last)), (-1, *(x.shape[i] for i in last))) if over else x[None]
    while len(left) > 1:
        half = len(left) // 2
        rest = left[2 * half :]
        left = left[:half] * left[half : 2 * half]
        left = op.concatenate([left, rest]) if len(rest) else left
    out = left[0] if len(left) else op.sum(left, 0) + 1.0
    return op.reshape(out, shape) if keepdims else out


def _power_first(grad: Any, a: Any, b: Any) -> Any:
    zero = numbers(b) == 0
    return grad * b * op.power(a, op.where(zero, 0.0, b - 1.0) if isinstance(b, Tensor) else np.where(zero, 0, b - 1))


def _power_second(grad: Any, a: Any, out: Any) -> Any:
    return grad * out * op.log(op.where(numbers(a) == 0, 1.0, a))


TABLE: dict[str, Entry] = {
    # ------------------------------------------------------------------------------------- this page's own operations
    "operand": ("x", same),
    "linear_map": ("x", lambda grad, maps: linear_map(grad, forth=maps[1], back=maps[0])),
    "put": ("x", lambda grad, index: grad[index]),
    # ---------------------------------------------------------------------------------------------- element by element
    "add": ("a b", same, same),
    "subtract": ("a b", same, lambda grad: -grad),
    "multiply": ("a b", lambda grad, b: grad * b, lambda grad, a: grad * a),
    "divide": ("a b", lambda grad, b: grad / b, lambda grad, out, b: -grad * out / b),
    "power": ("a b", _power_first, _power_second),
    "maximum": (
        "a b",
        lambda grad, a, b: grad * share(numbers(a), numbers(b)),
        lambda grad, a, b: grad * share(numbers(b), numbers(a)),
    ),
    "minimum": (
        "a b",
        lambda grad, a, b: grad * share(numbers(b), numbers(a)),
        lambda grad, a, b: grad * share(numbers(a), numbers(b)),
    ),
    "where": (
        "a b",
        lambda grad, condition: op.where(condition, grad, 0.0),
        lambda grad, condition: op.where(condition, 0.0, grad),
    ),
    "negative": ("x", lambda grad: -grad),
    "absolute": ("x", lambda grad, x: grad * np.sign(numbers(x))),
    "square": ("x", lambda grad, x: 2.0 * grad * x),
    "sqrt": ("x", lambda grad, out: grad / (2.0 * out)),
    "exp": ("x", lambda grad, out: grad * out),
    "log": ("x", lambda grad, x: grad / x),
    "sin": ("x", lambda grad, x: grad * op.cos(x)),
    "cos": ("x", lambda grad, x: -grad * op.sin(x)),
    "clip": (
        "x min max",
        lambda grad, inside: op.where(inside, grad, 0.0),
        lambda grad, x, low, high: op.where((numbers(x) < low) & (low < high), grad, 0.0),
        lambda grad, x, low, high: op.where((numbers(x) > high) | (low > high), grad, 0.0),
    ),
    "astype": ("x", lambda grad, x: op.astype(grad, x.dtype)),
    # ------------------------------------------------------------------------------------------------------ reductions
    "sum": ("x", stretched),
    "mean": ("x", lambda grad, x, out, axis, keepdims: stretched(grad * (out.size / x.size), x, axis, keepdims)),
    "var": (
        "x",
        lambda grad, x, axis, keepdims, steepness: (
            stretched(grad, x, axis, keepdims) * ((x - op.mean(x, axis, True)) * steepness)
        ),
    ),
    "std": ("x", Formula(_std)),
    "norm": ("input", _norm),
    "prod": ("x", Formula(_prod)),
    "logsumexp": (
        "input",
        lambda grad, input, out, axis, keepdims: (
            stretched(grad, input, axis, keepdims) * op.exp(input - stretched(out, input, axis, keepdims))
        ),
    ),
    "cumsum": ("input", lambda grad, vjp, along=None: linear(grad, vjp, lambda t: np.cumsum(t, along))),
    "max": ("x", _hits),
    "min": ("x", _hits),
    # ---------------------------------------------------------------------------------------------------------- shapes
    "reshape": ("x", lambda grad, x: op.reshape(grad, x.shape)),
    "transpose": ("x", lambda grad, back: op.transpose(grad, back if back is None else tuple(back))),
    "expand_dims": ("x", lambda grad, x: op.reshape(grad, x.shape)),
    "squeeze": ("x", lambda grad, x: op.reshape(grad, x.shape)),
    "broadcast_to": ("x", same),
    "getitem": ("x", lambda grad, x, index, once: put(grad, shape=x.shape, index=index, once=once)),
    "gather": ("input", lambda grad, vjp, where: linear(grad, vjp, lambda t: t[where])),
    "concatenate": ("*", _concatenated),
    "stack": ("*", _stacked),
    # -------------------------------------------------------------------------------------------------------- products
    "matmul": ("a b", _matmul_first, _matmul_second),
    "linear": (
        "input weight bias",
        lambda grad, weight: grad @ weight,
        _weights,
        same,
    ),
    "einsum": (
        "a b",
        lambda grad, of_out, b, of_b, of_a, shapes: _einsum_back(grad, of_out, b, of_b, of_a, shapes[0]),
        lambda grad, of_out, a, of_a, of_b, shapes: _einsum_back(grad, of_out, a, of_a, of_b, shapes[1]),
    ),
}

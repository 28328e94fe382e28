"""Matrix products: matmul, linear and einsum, each with its derivative beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Array
from ..tensor import Operand, Rule, operation
from .broadcasting import fit


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

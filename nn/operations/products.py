"""Matrix products: matmul and linear, each with its derivative beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..graph import Array
from ..rules import Operand, Rule, operation
from .broadcasting import fit


@operation
def matmul(a: Operand, b: Operand) -> Rule:
    """Matrix product, with numpy's rules for vectors and for stacks of matrices.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.matmul(np.ones((5, 2, 3)), np.ones((3, 4))).shape
        (5, 2, 4)
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("matmul takes vectors and matrices; for a number there is *")

    def vjp(grad: Array, needs: Sequence[bool], a: Array = a, b: Array = b) -> tuple[Array | None, Array | None]:
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
    """input @ weight.T + bias: input (..., in_features), weight (out_features, in_features), bias (out_features,).

    Example:
        >>> from mazegrad import nn
        >>> nn.linear([[1.0, 2.0]], weight=[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], bias=[0.0, 0.0, 10.0])
        array([[ 1.,  2., 13.]])
    """
    if input.ndim < 1 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        raise ValueError("expected x of shape (..., in_features) and a weight of shape (out_features, in_features)")
    rows = input.reshape(math.prod(input.shape[:-1]), input.shape[-1])
    out = rows @ weight.T
    if bias is not None:
        out += bias

    def vjp(
        grad: Array, needs: Sequence[bool], input: Array = input, weight: Array = weight
    ) -> tuple[Array | None, ...]:
        grad = grad.reshape(len(rows), grad.shape[-1])
        across = weight.T @ grad.T if rows.flags.f_contiguous else None  # in the input's own memory order
        return (
            (grad @ weight if across is None else across.T).reshape(input.shape) if needs[0] else None,
            grad.T @ rows if needs[1] else None,
            grad.sum(0) if needs[2] else None,
        )

    return out.reshape(*input.shape[:-1], len(weight)), vjp

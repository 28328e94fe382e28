"""Embedding: rows of a matrix, chosen by integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Array
from ..tensor import Operand, Rule, composite, constant, operation


@operation
def _embedding(weight: Operand, index: Array) -> Rule:
    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        full = np.zeros_like(weight)
        if index.size:  # sort, then sum each run of equal indices
            flat, rows = index.ravel(), grad.reshape(-1, weight.shape[1])
            order = flat.argsort(kind="stable")
            chosen, first = np.unique(flat[order], return_index=True)
            full[chosen] = np.add.reduceat(rows[order], first)
        return (full,)

    return weight[index], vjp


@composite
def embedding(input: Any, weight: Operand) -> Any:
    """Rows of a matrix, chosen by integers.

    Args:
        input: integers from 0 to num_embeddings - 1, any shape.
        weight: (num_embeddings, embedding_dim).

    Returns:
        (*shape of input, embedding_dim).

    Raises:
        TypeError: the input does not hold integers.
        ValueError: an integer is out of range.
    """
    index = constant("input", input)
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding: input holds {index.dtype}; expected integers")
    if index.size and not 0 <= index.min() <= index.max() < len(weight):
        raise ValueError(f"embedding: input is {index.min()} to {index.max()}, but weight has {len(weight)} rows")
    return _embedding(weight, index=index)

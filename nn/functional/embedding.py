"""Embedding: rows of a matrix, chosen by integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Array
from ..tensor import Operand, Rule, operation


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


def embedding(input: Any, weight: Operand) -> Any:
    """Rows of `weight` (num_embeddings, embedding_dim) for integers of any shape -> (*shape, embedding_dim)."""
    index = np.array(input)
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding takes integers, not {index.dtype}")
    if index.size and not 0 <= index.min() <= index.max() < len(weight):
        raise ValueError(f"embedding: indices from {index.min()} to {index.max()}, but there are {len(weight)} rows")
    return _embedding(weight, index=index)

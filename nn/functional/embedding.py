"""Embedding: rows of a matrix, chosen by integers; and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks import INTEGER, check
from ..graph import Array
from ..rules import Operand, Rule, composite, constant, operation


@operation
def _embedding(weight: Operand, index: Array, padding: int | None) -> Rule:
    def vjp(grad: Array, needs: Sequence[bool], index: Array = index, padding: int | None = padding) -> tuple[Array]:
        full = np.zeros_like(weight)
        if index.size:  # sort, then sum each run of equal indices
            flat, rows = index.ravel(), grad.reshape(index.size, weight.shape[1])
            order = flat.argsort(kind="stable")
            chosen, first = np.unique(flat[order], return_index=True)
            full[chosen] = np.add.reduceat(rows[order], first)
        if padding is not None:
            full[padding] = 0
        return (full,)

    return weight[index], vjp


@composite
def embedding(input: Any, weight: Operand, padding_idx: int | None = None) -> Any:
    """Rows of a matrix, chosen by integers.

    Args:
        input: integers from 0 to num_embeddings - 1, any shape.
        weight: (num_embeddings, embedding_dim).
        padding_idx: the number of a row that gets no gradient, from the end if negative; the symbol that fills up short
            sequences has it.

    Returns:
        (*shape of input, embedding_dim).

    Raises:
        TypeError: the input does not hold integers.
        ValueError: an integer is out of range.

    Example:
        >>> from mazegrad import nn
        >>> nn.embedding([2, 0, 2], weight=[[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]])
        array([[2. , 2.5],
               [0. , 0.5],
               [2. , 2.5]])
    """
    index = constant("input", input)
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding: input holds {index.dtype}; expected integers")
    if index.size and not 0 <= index.min() <= index.max() < len(weight):
        raise ValueError(f"embedding: input is {index.min()} to {index.max()}, but weight has {len(weight)} rows")
    return _embedding(weight, index=index, padding=padding_row(padding_idx, len(weight)))


@operation
def columns_of(weight: Operand, columns: Array) -> Rule:
    """Columns of a matrix, by rising numbers: (rows, all) -> (rows, n). The gradient of the others is 0.

    `x[..., columns] @ columns_of(weight, columns).T` is `x @ weight.T` for an x that is 0 in all other columns.
    """
    columns = np.asarray(columns)
    rising = columns.ndim == 1 and columns.dtype.kind in "iu" and (columns[1:] > columns[:-1]).all()
    if not rising or (columns.size and not 0 <= columns[0] <= columns[-1] < weight.shape[1]):
        raise ValueError(f"columns are rising integers from 0 to {weight.shape[1] - 1}")

    def vjp(grad: Array, needs: Sequence[bool], columns: Array = columns) -> tuple[Array]:
        full = np.zeros_like(weight)
        full[:, columns] = grad
        return (full,)

    return weight[:, columns], vjp


def padding_row(padding_idx: int | None, count: int) -> int | None:
    """The number of the padding's row from 0 on, checked; None if there is no padding."""
    if padding_idx is None:
        return None
    check(INTEGER, padding_idx=padding_idx)
    if not -count <= padding_idx < count:
        raise ValueError(f"padding_idx is {padding_idx}; expected a row from {-count} to {count - 1}")
    return padding_idx % count

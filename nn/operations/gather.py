"""Gather: along one axis, each place picks an element by its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..graph import Array
from ..rules import Operand, Rule, composite, constant, rearrangement


@composite
def gather(input: Operand, dim: int, index: Any) -> Any:
    """Pick elements along `dim` by their numbers: in each line those that `index` has at the same place.

    Args:
        input: any shape.
        dim: the axis along which `index` counts.
        index: integers from 0 on, with as many axes as input and nowhere longer than it, but along `dim`.

    Returns:
        index's shape: of three axes and dim 1, out[i, j, k] = input[i, index[i, j, k], k].

    Raises:
        TypeError: the index does not hold integers.
        ValueError: it does not fit, or one is out of range.

    Example:
        >>> from mazegrad import nn
        >>> nn.gather([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dim=1, index=[[2], [0]])  # the values of actions, say
        array([[3.],
               [4.]])
    """
    index, shape = constant("index", index), np.shape(input)
    if index.dtype.kind not in "iu":
        raise TypeError(f"gather: the index holds integers, not {index.dtype}")
    dim = normalize_axis_index(dim, max(len(shape), 1), "gather: dim")
    if index.ndim != len(shape) or any(
        n > m for i, (n, m) in enumerate(zip(index.shape, shape, strict=True)) if i != dim
    ):
        raise ValueError(f"gather: an index of shape {index.shape} does not fit input of shape {shape} along dim {dim}")
    size = shape[dim] if shape else 1
    if index.size and not 0 <= index.min() <= index.max() < size:
        raise ValueError(f"gather: indices from {index.min()} to {index.max()}, but there are 0 to {size - 1}")
    return _gather(input, dim=dim, index=index)


@rearrangement
def _gather(input: Operand, dim: int, index: Array) -> Rule:
    places: list[Array] = list(np.indices(index.shape, sparse=True))
    if index.ndim:
        places[dim] = index
    where = tuple(places)

    def vjp(grad: Array, needs: Sequence[bool], where: tuple[Array, ...] = where) -> tuple[Array]:
        full = np.zeros_like(input)
        np.add.at(full, where, grad)
        return (full,)

    return input[where], vjp

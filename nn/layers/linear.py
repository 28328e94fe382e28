"""Layers whose weight is a matrix: a linear map, and one row for each integer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import functional, init, operations
from ..checks import POSITIVE_INTEGER, check
from ..functional.embedding import columns_of, padding_row
from ..graph import Array
from ..modules import Module
from ..tensor import Parameter
from .initial import uniform_parameter


class Linear(Module):
    """x @ weight.T + bias: (..., in_features) -> (..., out_features); weight (out_features, in_features).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.Linear(3, 2, rng=np.random.default_rng(0))
        >>> layer.weight.shape, layer(np.ones((4, 3), np.float32)).shape
        ((2, 3), (4, 2))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check(POSITIVE_INTEGER, in_features=in_features, out_features=out_features)
        self.weight = uniform_parameter((out_features, in_features), in_features, rng, dtype)
        self.bias = uniform_parameter((out_features,), in_features, rng, dtype) if bias else None

    def forward(self, input: Any, *, columns: Any = None) -> Any:
        """(..., in_features) -> (..., out_features).

        Args:
            input: (..., in_features), or (..., n) with `columns`.
            columns: rising integers (n,): which features the input holds, if all others are 0. Where most are 0, such
                as in one-hot codes, this is quicker, and the same up to rounding.
        """
        weight = self.weight if columns is None else columns_of(self.weight, columns)
        return operations.linear(input, weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes, in and out."""
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}" + ("" if self.bias is not None else ", bias=False")


class Embedding(Module):
    """A row of numbers for each integer: weight (num_embeddings, embedding_dim), standard normal at first.

    The row `padding_idx`, if one is given, is 0 at first and gets no gradient.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.Embedding(10, 4, padding_idx=0, rng=np.random.default_rng(0))
        >>> layer([[3, 1, 0]]).shape, layer([0]).data
        ((1, 3, 4), array([[0., 0., 0., 0.]], dtype=float32))
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check(POSITIVE_INTEGER, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        shape = num_embeddings, embedding_dim
        weight = init.normal(shape, 1.0, rng=rng or np.random.default_rng(), dtype=dtype)
        self.padding_idx = padding_row(padding_idx, num_embeddings)
        if self.padding_idx is not None:
            weight[self.padding_idx] = 0
        self.weight = Parameter(weight)

    def forward(self, index: Array) -> Any:
        """Integers (...) -> (..., embedding_dim)."""
        return functional.embedding(index, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Rows and columns."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}{padding}"

"""Dropout as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import functional
from ..checks import PROBABILITY, check
from ..modules import Module


class Dropout(Module):
    """In training, set each element to 0 with probability p and divide the rest by 1 - p."""

    drop: Callable[..., Any] = staticmethod(functional.dropout)

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        check(PROBABILITY, p=p)
        self.p, self.rng = p, rng or np.random.default_rng()

    def forward(self, input: Any) -> Any:
        """The same shape."""
        return self.drop(input, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout1D(Dropout):
    """Dropout of whole channels of (batch, channels, length)."""

    drop = staticmethod(functional.dropout1d)


class Dropout2D(Dropout):
    """Dropout of whole channels of (batch, channels, height, width)."""

    drop = staticmethod(functional.dropout2d)

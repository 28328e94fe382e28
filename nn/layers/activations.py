"""Activations as layers."""

from __future__ import annotations

from typing import Any

from .. import operations
from ..modules import Module


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.relu(x)


class GELU(Module):
    """x times the normal distribution function at x; `approximate="tanh"` is the quicker formula."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.gelu(x, self.approximate)


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.tanh(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.sigmoid(x)


class Softmax(Module):
    """Probabilities along `dim`; not before `cross_entropy`, which has its own."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"

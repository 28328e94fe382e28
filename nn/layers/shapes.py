"""Layers that change the shape: Flatten and Upsample."""

from __future__ import annotations

from typing import Any

from .. import functional, operations
from ..checks import POSITIVE_INTEGER, check
from ..modules import Module


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` in one: by default all but the first."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """(batch, ...) -> (batch, features)."""
        return operations.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Upsample(Module):
    """Each pixel scale_factor times in both directions (mode "nearest")."""

    def __init__(self, *, scale_factor: int = 2) -> None:
        check(POSITIVE_INTEGER, scale_factor=scale_factor)
        self.scale_factor = scale_factor

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, height * scale_factor, width * scale_factor)."""
        return functional.upsample(x, scale_factor=self.scale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"scale_factor={self.scale_factor}"

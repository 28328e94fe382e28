"""Layers that change the shape: Flatten and Upsample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import functional, operations
from ..modules import Module


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` in one: by default all but the first."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        """(batch, ...) -> (batch, features)."""
        return operations.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Upsample(Module):
    """Pictures of another size: `size`, or `scale_factor` times as large; modes as in `functional.interpolate`."""

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        if (size is None) == (scale_factor is None):
            raise ValueError(f"either size or scale_factor is expected, not {size} and {scale_factor}")
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """(batch, channels, height, width), or (batch, channels, length) -> as many axes, of the new size."""
        settings = self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        return functional.interpolate(input, *settings)

    def extra_repr(self) -> str:
        """Size or factor, and mode."""
        size = f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}"
        return size if self.mode == "nearest" else f"{size}, mode={self.mode!r}"

"""Pooling as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional
from ..checks import POSITIVE_INTEGER, check
from ..functional.pooling import pool_windows
from ..modules import Module

Size = int | tuple[int, int]


class _Pool(Module):
    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        check(POSITIVE_INTEGER, kernel_height=height, kernel_width=width)
        pool_windows(np.empty((1, 1, height, width)), kernel_size, stride)
        self.kernel_size = kernel_size

    def extra_repr(self) -> str:
        """The window."""
        return f"{self.kernel_size}"


class MaxPool2D(_Pool):
    """Largest of each window; windows touch, a rest at the border is dropped."""

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, height // kernel, width // kernel)."""
        return functional.max_pool2d(x, self.kernel_size)


class AvgPool2D(_Pool):
    """Mean of each window; windows touch, a rest at the border is dropped."""

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, height // kernel, width // kernel)."""
        return functional.avg_pool2d(x, self.kernel_size)

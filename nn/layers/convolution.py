"""Convolution as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..checks import POSITIVE_INTEGER, check
from ..convolution import check_conv, conv2d
from ..modules import Module
from .initial import uniform_parameter
from .pooling import Size


class Conv2D(Module):
    """Convolution with an odd kernel, stride 1 (exercise 41); weight (out_channels, in_channels, height, width).

    (batch, in_channels, height, width) -> (batch, out_channels, height + 2 padding - kernel_height + 1, ...).
    A stride other than 1 raises ValueError: to make pictures smaller, pool.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: int = 1,
        padding: int = 0,
        *,
        bias: bool = True,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        check(
            POSITIVE_INTEGER,
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_height=height,
            kernel_width=width,
        )
        shape = out_channels, in_channels, height, width
        check_conv(np.empty((1, in_channels, height, width)), np.empty(shape), None, padding, stride)
        self.weight = uniform_parameter(shape, in_channels * height * width, rng, dtype)
        self.bias = uniform_parameter((out_channels,), in_channels * height * width, rng, dtype) if bias else None
        self.padding = padding

    def forward(self, x: Any) -> Any:
        """(batch, in_channels, height, width) -> (batch, out_channels, height', width')."""
        return conv2d(x, self.weight, self.bias, self.padding)

    def extra_repr(self) -> str:
        """Channels in and out, kernel, padding."""
        out_channels, in_channels, height, width = self.weight.shape
        bias = "" if self.bias is not None else ", bias=False"
        return f"{in_channels}, {out_channels}, kernel_size=({height}, {width}), padding={self.padding}{bias}"

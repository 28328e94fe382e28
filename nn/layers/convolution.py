"""Convolution layers: weights, and the settings of the functions in `convolution/operation.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import convolution
from ..checks import POSITIVE_INTEGER, check
from ..functional import padding as pads
from ..geometry import Size, numbers, paddings, text
from ..modules import Module
from .initial import uniform_parameter


class _Conv(Module):
    """What all four share; `axes` is the number of axes along which they slide."""

    axes: int
    transposed = False

    def _make(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Any,
        dilation: Size,
        groups: int,
        bias: bool,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
    ) -> None:
        check(POSITIVE_INTEGER, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{in_channels} channels in and {out_channels} out cannot be dealt out to {groups} groups")
        self.kernel_size = numbers("kernel_size", kernel_size, self.axes, 1)
        self.stride = numbers("stride", stride, self.axes, 1)
        self.dilation = numbers("dilation", dilation, self.axes, 1)
        self.pads = paddings(padding, self.kernel_size, self.stride, self.dilation)
        self.padding: Any = padding if isinstance(padding, str) else numbers("padding", padding, self.axes, 0)
        self.groups = groups
        both = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        fan_in = both[1] * math.prod(self.kernel_size)
        self.weight = uniform_parameter((*both, *self.kernel_size), fan_in, rng, dtype)
        self.bias = uniform_parameter((out_channels,), fan_in, rng, dtype) if bias else None

    def extra_repr(self) -> str:
        """Channels in and out, kernel, and what is not the default."""
        first, second = self.weight.shape[:2]
        words = [f"{first}, {second * self.groups}" if self.transposed else f"{second * self.groups}, {first}"]
        words.append(f"kernel_size={_short(self.kernel_size)}")
        plain = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0, "groups": 1, "padding_mode": "zeros"}
        for name, usual in plain.items():
            value = getattr(self, name, usual)
            if value not in (usual, (usual,) * self.axes):
                words.append(f"{name}={_short(value)!r}" if isinstance(value, str) else f"{name}={_short(value)}")
        return ", ".join(words) + ("" if self.bias is not None else ", bias=False")


def _short(value: Any) -> Any:
    """One number for a tuple of equal ones."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


class _Forward(_Conv):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if padding_mode not in ("zeros", *pads.MODES[1:]):
            modes = ", ".join(("zeros", *pads.MODES[1:]))
            raise ValueError(f"padding_mode is {padding_mode!r}; one of {modes} is expected")
        self._make(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng, dtype)
        self.padding_mode = padding_mode

    def convolve(self, x: Any, bias: Any) -> Any:
        """The layer with another bias, or without: `Sequential` adds it after a pool."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            x = pads.pad(x, [n for pair in reversed(self.pads) for n in pair], self.padding_mode)
            padding = 0
        if self.axes == 2:
            return convolution.conv2d(x, self.weight, bias, padding, self.stride, self.dilation, self.groups)
        return convolution.conv1d(x, self.weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Any) -> Any:
        """(batch, in_channels, height, width), or (batch, in_channels, length) -> as many axes, out_channels."""
        return self.convolve(input, self.bias)


class Conv2D(_Forward):
    """Convolution of images (exercise 41); weight (out_channels, in_channels / groups, height, width).

    (batch, in_channels, height, width) -> (batch, out_channels, (height + 2 padding - dilation (kernel_height - 1) - 1)
    // stride + 1, ...). `padding` is a number, (high, wide), "valid" or "same"; `padding_mode` "zeros", "reflect",
    "replicate" or "circular". Sizes that do not fit raise ValueError.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.Conv2D(1, 8, 3, rng=np.random.default_rng(0))
        >>> layer(np.ones((2, 1, 28, 28), np.float32)).shape
        (2, 8, 26, 26)
    """

    axes = 2


class Conv1D(_Forward):
    """Convolution of sequences; weight (out_channels, in_channels / groups, kernel_size).

    (batch, in_channels, length) -> (batch, out_channels, (length + 2 padding - dilation (kernel_size - 1) - 1) //
    stride + 1). Settings as in `Conv2D`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.Conv1D(4, 8, 3, padding="same", dilation=2, rng=np.random.default_rng(0))
        >>> layer.weight.shape, layer(np.ones((2, 4, 50), np.float32)).shape
        ((8, 4, 3), (2, 8, 50))
    """

    axes = 1


class _Transposed(_Conv):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f"padding_mode is {padding_mode!r}; a transposed convolution knows 'zeros' only")
        if isinstance(padding, str):
            raise ValueError(f"padding is {padding!r}; a transposed convolution takes numbers only")
        self._make(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng, dtype)
        self.output_padding = numbers("output_padding", output_padding, self.axes, 0)

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        """(batch, in_channels, height, width), or (batch, in_channels, length) -> as many axes, out_channels.

        `output_size`, (height, width) or (length,), chooses among the sizes that the stride made equal.
        """
        function = convolution.conv_transpose2d if self.axes == 2 else convolution.conv_transpose1d
        more = self.output_padding if output_size is None else self._more(np.shape(input), output_size)
        return function(input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation)

    def _more(self, shape: Sequence[int], output_size: Sequence[int]) -> tuple[int, ...]:
        """The output padding that gives this size."""
        sizes, wanted = shape[-self.axes :], tuple(output_size)[-self.axes :]
        settings = zip(sizes, self.stride, self.pads, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, (p, _), d, k in settings]
        more = tuple(a - b for a, b in zip(wanted, least, strict=False))
        if len(more) != self.axes or not all(0 <= extra < s for extra, s in zip(more, self.stride, strict=True)):
            most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
            raise ValueError(f"output_size is {output_size}; from {text(least)} to {text(most)} can come out")
        return more


class ConvTranspose2D(_Transposed):
    """The transpose of a `Conv2D`, a layer that makes pictures larger; weight (in, out / groups, height, width).

    (batch, in_channels, height, width) -> (batch, out_channels, (height - 1) stride - 2 padding + dilation
    (kernel_height - 1) + output_padding + 1, ...).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.ConvTranspose2D(8, 1, 2, stride=2, rng=np.random.default_rng(0))
        >>> layer(np.ones((2, 8, 14, 14), np.float32)).shape
        (2, 1, 28, 28)
    """

    axes = 2


class ConvTranspose1D(_Transposed):
    """The transpose of a `Conv1D`, for longer sequences; weight (in_channels, out_channels / groups, kernel_size).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.ConvTranspose1D(8, 4, 4, stride=2, padding=1, rng=np.random.default_rng(0))
        >>> layer(np.ones((2, 8, 25), np.float32)).shape
        (2, 4, 50)
    """

    axes = 1

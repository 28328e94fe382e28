"""Pooling layers: the settings of the functions in `functional/pooling.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..functional import adaptive_pooling, pooling, unpooling
from ..geometry import Size, pool_axes
from ..modules import Module


class _Pool(Module):
    """A window; `axes` is the number of axes along which it slides."""

    axes: int

    def _keep(self, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool) -> None:
        pool_axes((1 << 30,) * self.axes, kernel_size, stride, padding, dilation, ceil_mode)  # says what is wrong
        self.kernel_size, self.padding, self.dilation, self.ceil_mode = kernel_size, padding, dilation, ceil_mode
        self.stride = kernel_size if stride is None else stride

    def extra_repr(self) -> str:
        """The window, and what is not the default."""
        usual: dict[str, Any] = {"stride": self.kernel_size, "padding": 0, "dilation": 1, "ceil_mode": False}
        usual |= {"count_include_pad": True, "divisor_override": None}
        settings = ((name, getattr(self, name, value), value) for name, value in usual.items())
        return ", ".join(
            [f"{self.kernel_size}", *(f"{name}={value}" for name, value, plain in settings if value != plain)]
        )


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self._keep(kernel_size, stride, padding, dilation, ceil_mode)
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """(batch, channels, *sizes) -> (batch, channels, *smaller sizes); with `return_indices` also their places."""
        pool = pooling.max_pool2d if self.axes == 2 else pooling.max_pool1d
        settings = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        return pool(input, *settings, self.return_indices)


class MaxPool2D(_MaxPool):
    """Largest of each window of (batch, channels, height, width); windows touch unless `stride` says otherwise.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> image = np.zeros((1, 1, 7, 7))
        >>> nn.MaxPool2D(2)(image).shape, nn.MaxPool2D(2, ceil_mode=True)(image).shape
        ((1, 1, 3, 3), (1, 1, 4, 4))
    """

    axes = 2


class MaxPool1D(_MaxPool):
    """Largest of each window of (batch, channels, length); windows touch unless `stride` says otherwise.

    Example:
        >>> from mazegrad import nn
        >>> nn.MaxPool1D(2)([[[1.0, 3.0, 2.0, 5.0]]])
        array([[[3., 5.]]])
    """

    axes = 1


class AvgPool2D(_Pool):
    """Mean of each window of (batch, channels, height, width); windows touch unless `stride` says otherwise.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.AvgPool2D(2)(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
        array([[ 2.5,  4.5],
               [10.5, 12.5]])
    """

    axes = 2

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self._keep(kernel_size, stride, padding, 1, ceil_mode)
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, height', width')."""
        more = self.ceil_mode, self.count_include_pad, self.divisor_override
        return pooling.avg_pool2d(input, self.kernel_size, self.stride, self.padding, *more)


class AvgPool1D(_Pool):
    """Mean of each window of (batch, channels, length); windows touch unless `stride` says otherwise.

    Example:
        >>> from mazegrad import nn
        >>> nn.AvgPool1D(3, stride=1)([[[0.0, 3.0, 6.0, 3.0]]])  # a moving average
        array([[[3., 4.]]])
    """

    axes = 1

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self._keep(kernel_size, stride, padding, 1, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        """(batch, channels, length) -> (batch, channels, length')."""
        more = self.ceil_mode, self.count_include_pad
        return pooling.avg_pool1d(input, self.kernel_size, self.stride, self.padding, *more)


class _Adaptive(Module):
    axes: int

    def __init__(self, output_size: Any) -> None:
        several = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * self.axes
        good = all(n is None or (isinstance(n, int | np.integer) and n > 0) for n in several)
        if len(several) != self.axes or not good:
            raise ValueError(f"output_size is {output_size!r}; expected {self.axes} whole numbers from 1 on, or one")
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The size of the output."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2D(_Adaptive):
    """Mean over windows that share the picture evenly; `AdaptiveAvgPool2D(1)` is the mean of each channel.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> pool = nn.AdaptiveAvgPool2D(1)
        >>> pool(np.zeros((2, 8, 7, 5))).shape, pool(np.zeros((2, 8, 28, 28))).shape
        ((2, 8, 1, 1), (2, 8, 1, 1))
    """

    axes = 2

    def forward(self, input: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, *output_size)."""
        return adaptive_pooling.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool1D(_Adaptive):
    """Mean over windows that share the sequence evenly.

    Example:
        >>> from mazegrad import nn
        >>> nn.AdaptiveAvgPool1D(2)([[[1.0, 2.0, 3.0, 6.0]]])
        array([[[1.5, 4.5]]])
    """

    axes = 1

    def forward(self, input: Any) -> Any:
        """(batch, channels, length) -> (batch, channels, output_size)."""
        return adaptive_pooling.adaptive_avg_pool1d(input, self.output_size)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool2D(_AdaptiveMax):
    """Largest of windows that share the picture evenly.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.AdaptiveMaxPool2D((2, None))(np.arange(12.0).reshape(1, 1, 4, 3))[0, 0]
        array([[ 3.,  4.,  5.],
               [ 9., 10., 11.]])
    """

    axes = 2

    def forward(self, input: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, *output_size)."""
        return adaptive_pooling.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1D(_AdaptiveMax):
    """Largest of windows that share the sequence evenly.

    Example:
        >>> from mazegrad import nn
        >>> nn.AdaptiveMaxPool1D(2)([[[1.0, 5.0, 3.0, 4.0]]])
        array([[[5., 4.]]])
    """

    axes = 1

    def forward(self, input: Any) -> Any:
        """(batch, channels, length) -> (batch, channels, output_size)."""
        return adaptive_pooling.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class _MaxUnpool(Module):
    axes: int

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, input: Any, indices: Any, output_size: Sequence[int] | None = None) -> Any:
        """Pixels and their places, (batch, channels, *sizes) both -> (batch, channels, *larger sizes)."""
        unpool = unpooling.max_unpool2d if self.axes == 2 else unpooling.max_unpool1d
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """The settings of the pool."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool2D(_MaxUnpool):
    """The way back of `MaxPool2D(..., return_indices=True)`: pixels in their places, zeros elsewhere.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> pool, unpool = nn.MaxPool2D(2, return_indices=True), nn.MaxUnpool2D(2)
        >>> unpool(*pool(np.eye(4)[None, None] * 5))[0, 0]
        array([[5., 0., 0., 0.],
               [0., 0., 0., 0.],
               [0., 0., 5., 0.],
               [0., 0., 0., 0.]])
    """

    axes = 2


class MaxUnpool1D(_MaxUnpool):
    """The way back of `MaxPool1D(..., return_indices=True)`: numbers in their places, zeros elsewhere.

    Example:
        >>> from mazegrad import nn
        >>> largest, where = nn.MaxPool1D(2, return_indices=True)([[[1.0, 3.0, 4.0, 2.0]]])
        >>> nn.MaxUnpool1D(2)(largest, where)
        array([[[0., 3., 4., 0.]]])
    """

    axes = 1

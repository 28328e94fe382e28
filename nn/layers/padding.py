"""Padding as layers: numbers around the last axis, or the last two."""

from __future__ import annotations

from typing import Any

from ..functional.padding import pad
from ..geometry import Size
from ..modules import Module


class _Pad(Module):
    axes: int
    mode = "constant"
    value: float | None = None

    def __init__(self, padding: Size) -> None:
        sides = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(sides) != 2 * self.axes:
            order = "(left, right, top, bottom)" if self.axes == 2 else "(left, right)"
            raise ValueError(f"padding is {padding!r}; expected an integer, or {order}")
        self.padding = sides

    def forward(self, input: Any) -> Any:
        """(..., height, width) or (..., length) -> as many axes, larger."""
        return pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """The numbers on each side."""
        return f"{self.padding}" + (f", value={self.value}" if self.value else "")


class _Constant(_Pad):
    def __init__(self, padding: Size, value: float) -> None:
        super().__init__(padding)
        self.value = value


class ConstantPad1D(_Constant):
    """`value` around the last axis: (left, right).

    Example:
        >>> from mazegrad import nn
        >>> nn.ConstantPad1D((0, 2), value=9)([[[1, 2, 3]]])
        array([[[1., 2., 3., 9., 9.]]])
    """

    axes = 1


class ConstantPad2D(_Constant):
    """`value` around the last two axes: (left, right, top, bottom).

    Example:
        >>> from mazegrad import nn
        >>> nn.ConstantPad2D((0, 1, 1, 0), value=9)([[[[1, 2], [3, 4]]]])[0, 0]
        array([[9., 9., 9.],
               [1., 2., 9.],
               [3., 4., 9.]])
    """

    axes = 2


class ZeroPad1D(_Pad):
    """Zeros around the last axis: (left, right).

    Example:
        >>> from mazegrad import nn
        >>> nn.ZeroPad1D((1, 0))([[[1, 2, 3]]])  # in front: a causal convolution follows
        array([[[0., 1., 2., 3.]]])
    """

    axes = 1


class ZeroPad2D(_Pad):
    """Zeros around the last two axes: (left, right, top, bottom).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.ZeroPad2D((1, 2, 3, 4))(np.ones((1, 1, 5, 5))).shape
        (1, 1, 12, 8)
    """

    axes = 2


class ReflectionPad1D(_Pad):
    """The sequence mirrored at its ends, which are not repeated.

    Example:
        >>> from mazegrad import nn
        >>> nn.ReflectionPad1D(2)([[[1, 2, 3]]])
        array([[[3., 2., 1., 2., 3., 2., 1.]]])
    """

    axes, mode = 1, "reflect"


class ReflectionPad2D(_Pad):
    """The image mirrored at its border, which is not repeated.

    Example:
        >>> from mazegrad import nn
        >>> nn.ReflectionPad2D((1, 1, 0, 0))([[[[1, 2], [3, 4]]]])[0, 0]
        array([[2., 1., 2., 1.],
               [4., 3., 4., 3.]])
    """

    axes, mode = 2, "reflect"


class ReplicationPad1D(_Pad):
    """The first and the last number repeated.

    Example:
        >>> from mazegrad import nn
        >>> nn.ReplicationPad1D(2)([[[1, 2, 3]]])
        array([[[1., 1., 1., 2., 3., 3., 3.]]])
    """

    axes, mode = 1, "replicate"


class ReplicationPad2D(_Pad):
    """The border repeated.

    Example:
        >>> from mazegrad import nn
        >>> nn.ReplicationPad2D(1)([[[[1, 2], [3, 4]]]])[0, 0]
        array([[1., 1., 2., 2.],
               [1., 1., 2., 2.],
               [3., 3., 4., 4.],
               [3., 3., 4., 4.]])
    """

    axes, mode = 2, "replicate"


class CircularPad1D(_Pad):
    """The sequence continued from its other end.

    Example:
        >>> from mazegrad import nn
        >>> nn.CircularPad1D(1)([[[1, 2, 3]]])
        array([[[3., 1., 2., 3., 1.]]])
    """

    axes, mode = 1, "circular"


class CircularPad2D(_Pad):
    """The image continued from its other side.

    Example:
        >>> from mazegrad import nn
        >>> nn.CircularPad2D(1)([[[[1, 2], [3, 4]]]])[0, 0]
        array([[4., 3., 4., 3.],
               [2., 1., 2., 1.],
               [4., 3., 4., 3.],
               [2., 1., 2., 1.]])
    """

    axes, mode = 2, "circular"

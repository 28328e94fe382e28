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
    """`value` around the last axis: (left, right)."""

    axes = 1


class ConstantPad2D(_Constant):
    """`value` around the last two axes: (left, right, top, bottom)."""

    axes = 2


class ZeroPad1D(_Pad):
    """Zeros around the last axis: (left, right)."""

    axes = 1


class ZeroPad2D(_Pad):
    """Zeros around the last two axes: (left, right, top, bottom)."""

    axes = 2


class ReflectionPad1D(_Pad):
    """The sequence mirrored at its ends, which are not repeated."""

    axes, mode = 1, "reflect"


class ReflectionPad2D(_Pad):
    """The image mirrored at its border, which is not repeated."""

    axes, mode = 2, "reflect"


class ReplicationPad1D(_Pad):
    """The first and the last number repeated."""

    axes, mode = 1, "replicate"


class ReplicationPad2D(_Pad):
    """The border repeated."""

    axes, mode = 2, "replicate"


class CircularPad1D(_Pad):
    """The sequence continued from its other end."""

    axes, mode = 1, "circular"


class CircularPad2D(_Pad):
    """The image continued from its other side."""

    axes, mode = 2, "circular"

"""Where windows lie: the kernel, stride, dilation and padding along each axis of a picture.

Convolutions and pools share this page. Output `y` of an axis sees the inputs `y * stride + i * dilation - pad` for each
kernel entry `i`; what falls outside of the picture is padding.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .checks import NATURAL, POSITIVE_INTEGER

Size = int | Sequence[int]
Plan = TypeVar("Plan")


@dataclass(frozen=True)
class Axis:
    """One axis: `size` inputs, `kernel` entries, `out` outputs, of which the first sees `pad` places before input 0."""

    size: int
    kernel: int
    out: int
    stride: int = 1
    dilation: int = 1
    pad: int = 0

    @property
    def after(self) -> int:
        """How many places the last output sees after the last input; negative if inputs are left over."""
        return (self.out - 1) * self.stride + (self.kernel - 1) * self.dilation + 1 - self.pad - self.size

    @functools.cached_property
    def views(self) -> list[tuple[slice, slice]]:
        """`seen` for every kernel entry."""
        return [self.seen(entry) for entry in range(self.kernel)]

    def seen(self, entry: int) -> tuple[slice, slice]:
        """The outputs for which kernel entry `entry` lies on the picture, and the inputs on which it lies."""
        start = entry * self.dilation - self.pad
        first = min(max(0, -(start // self.stride)), self.out)
        last = max(first, min(self.out, (self.size - 1 - start) // self.stride + 1))
        low = first * self.stride + start
        high = low + (last - first - 1) * self.stride + 1 if last > first else low
        return slice(first, last), slice(low, high, self.stride)

    def undilated(self) -> Iterator[tuple[slice, slice, Axis]]:
        """Axes without dilation that are together this one: the inputs and the outputs of each, and the axis."""
        skip = self.dilation // math.gcd(self.stride, self.dilation)
        for r in range(min(skip, self.out)):
            taken, pad = _from(r * self.stride - self.pad, self.dilation)
            size, out = len(range(self.size)[taken]), len(range(r, self.out, skip))
            stride = self.stride // math.gcd(self.stride, self.dilation)
            yield taken, slice(r, None, skip), Axis(size, self.kernel, out, stride, 1, pad)

    @property
    def covers(self) -> bool:
        """Whether each input belongs to one of the axes of `plain`; False where it is not obvious."""
        return (self.dilation == 1 and self.kernel >= self.stride) or (self.stride == 1 and self.out >= self.dilation)

    def plain(self) -> Iterator[tuple[slice, slice, slice, Axis]]:
        """Axes of stride 1 without dilation that are together this one: inputs, kernel entries, outputs, and the axis.

        Each input belongs to one of them at most.
        """
        both = math.gcd(self.stride, self.dilation)
        stride, skip = self.stride // both, self.dilation // both
        for r in range(min(skip, self.out)):
            for a in range(min(stride, self.kernel)):
                taken, pad = _from(r * self.stride + a * self.dilation - self.pad, stride * self.dilation)
                size, kernel = len(range(self.size)[taken]), len(range(a, self.kernel, stride))
                part = Axis(size, kernel, len(range(r, self.out, skip)), 1, 1, pad)
                yield taken, slice(a, None, stride), slice(r, None, skip), part


def _from(start: int, step: int) -> tuple[slice, int]:
    """The places `start`, `start + step`, ... that are not negative, and how many are."""
    before = max(0, -(start // step))
    return slice(start + before * step, None, step), before


# ------------------------------------------------------------------------------------------------- settings into axes
def remembered(make: Callable[..., Plan]) -> Callable[..., Plan]:
    """Remember what a function made of integers, names and tuples of integers: a net asks the same at every step."""
    known = functools.lru_cache(maxsize=1024, typed=True)(make)

    @functools.wraps(make)
    def plan(*arguments: Any) -> Plan:
        return (known if all(map(_exact, arguments)) else make)(*arguments)

    return plan


def _exact(x: Any) -> bool:
    """Whether x is not equal to a value of another kind: 1.0 is equal to 1, and must not find its plan."""
    return type(x) in (int, str, bool, type(None)) or (type(x) is tuple and all(type(n) is int for n in x))


def numbers(name: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """One integer for each of `count` axes; one integer is for all. ValueError for what is less than `least`."""
    several = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * count
    if len(several) == 1:
        several *= count
    words, fits = POSITIVE_INTEGER if least else NATURAL
    if len(several) != count or not all(map(fits, several)):
        raise ValueError(f"{name} is {value!r}; expected {words}" + (f", or {count} of them" if count > 1 else ""))
    return tuple(map(int, several))


def paddings(
    padding: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Zeros before and after each axis: from a number, one for each axis, "valid" or "same" (stride 1, as in torch)."""
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(f"padding is {padding!r}; expected 'valid', 'same' or integers")
        if padding == "valid":
            return [(0, 0)] * len(kernel)
        if set(stride) != {1}:
            raise ValueError(f"padding='same' keeps the size, so the stride must be 1, not {tuple(stride)}")
        spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return [(span // 2, span - span // 2) for span in spans]
    return [(p, p) for p in numbers("padding", padding, len(kernel), 0)]


def conv_axes(
    sizes: Sequence[int], kernel: Sequence[int], stride: Size, padding: Any, dilation: Size
) -> tuple[Axis, ...]:
    """The axes of a convolution of a picture of these sizes. Raises ValueError where the kernel is larger than it."""
    strides, dilations = numbers("stride", stride, len(kernel), 1), numbers("dilation", dilation, len(kernel), 1)
    pads = paddings(padding, kernel, strides, dilations)
    axes = []
    for n, k, s, d, (before, after) in zip(sizes, kernel, strides, dilations, pads, strict=True):
        out = (n + before + after - d * (k - 1) - 1) // s + 1
        if out < 1:
            spread = f" with dilation {d}" if d > 1 else ""
            raise ValueError(f"the {text(kernel)} kernel{spread} is larger than the image with padding {padding}")
        axes.append(Axis(n, k, out, s, d, before))
    return tuple(axes)


def transposed_axes(
    sizes: Sequence[int], kernel: Sequence[int], stride: Size, padding: Size, output_padding: Size, dilation: Size
) -> tuple[Axis, ...]:
    """The axes of the convolution whose way back a transposed one is: `size` is its output, `out` its input."""
    count = len(kernel)
    strides, dilations = numbers("stride", stride, count, 1), numbers("dilation", dilation, count, 1)
    pads, more = numbers("padding", padding, count, 0), numbers("output_padding", output_padding, count, 0)
    axes = []
    for n, k, s, d, p, extra in zip(sizes, kernel, strides, dilations, pads, more, strict=True):
        if extra >= max(s, d):
            raise ValueError(f"output_padding is {output_padding}; it must be smaller than the stride or the dilation")
        size = (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
        if size < 1:
            raise ValueError(f"padding {padding} leaves nothing of an image of {text(sizes)}")
        axes.append(Axis(size, k, n, s, d, p))
    return tuple(axes)


def pool_axes(
    sizes: Sequence[int], kernel: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool
) -> tuple[Axis, ...]:
    """The axes of a pool; `ceil_mode`: a window that only begins on the picture counts too."""
    count = len(sizes)
    kernels = numbers("kernel_size", kernel, count, 1)
    strides = kernels if stride is None or stride == () else numbers("stride", stride, count, 1)
    pads, dilations = numbers("padding", padding, count, 0), numbers("dilation", dilation, count, 1)
    axes = []
    for n, k, s, d, p in zip(sizes, kernels, strides, dilations, pads, strict=True):
        span = d * (k - 1) + 1
        if p > k // 2:
            raise ValueError(f"padding is {padding}; at most half of the {text(kernels)} window may be padding")
        room = n + 2 * p - span
        out = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (out - 1) * s >= n + p:
            out -= 1
        if out < 1 or n < 1:
            raise ValueError(f"a {text(kernels)} window does not fit")
        axes.append(Axis(n, k, out, s, d, p))
    return tuple(axes)


def text(sizes: Sequence[int]) -> str:
    """Write sizes as "3x5"."""
    return "x".join(map(str, sizes))

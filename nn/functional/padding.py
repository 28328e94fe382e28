"""Padding: numbers around a picture; negative padding cuts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import buffers, operations
from ..graph import Array
from ..rules import Operand, Rule, composite, operation

MODES = ("constant", "reflect", "replicate", "circular")


@composite
def pad(input: Operand, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Put numbers around the last axes: `pad` holds (before, after) of the last axis, then of the one before, ...

    mode: "constant" (`value`, 0 by default), "reflect" (mirrored at the border, which is not repeated), "replicate"
    (the border again) or "circular" (from the other side). A negative number cuts off. Raises ValueError for what the
    picture is too small for.

    Example:
        >>> from mazegrad import nn
        >>> nn.pad([[1.0, 2.0, 3.0]], (1, 2))
        array([[0., 1., 2., 3., 0., 0.]])
        >>> nn.pad([[1.0, 2.0, 3.0]], (1, 2), mode="reflect")
        array([[2., 1., 2., 3., 2., 1.]])
    """
    shape, pads = np.shape(input), [int(n) for n in pad]
    if len(pads) % 2 or len(pads) > 2 * len(shape):
        raise ValueError(f"pad is {tuple(pad)}; expected (before, after) of up to {len(shape)} axes, the last first")
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; one of {', '.join(MODES)} is expected")
    if value is not None and mode != "constant":
        raise ValueError(f"value is {value}, which mode {mode!r} has no use for")
    both = [(0, 0)] * (len(shape) - len(pads) // 2) + list(zip(pads[-2::-2], pads[::-2], strict=True))
    for axis, (n, (before, after)) in enumerate(zip(shape, both, strict=True)):
        if mode in ("reflect", "replicate"):  # first padded, then cut
            before, after, n = max(before, 0), max(after, 0), n if n + before + after >= 0 else -1
        most = {"constant": max(before, after), "reflect": n - 1, "replicate": n and max(before, after), "circular": n}
        if n + before + after < 0 or min(before, 0) + min(after, 0) < -n or max(before, after) > max(most[mode], 0):
            raise ValueError(f"pad of shape {shape}: {(before, after)} does not fit axis {axis}, mode {mode!r}")
    if mode in ("reflect", "replicate") and min(pads, default=0) < 0:
        more = [(max(before, 0), max(after, 0)) for before, after in both]
        cut = tuple(slice(max(-before, 0), after if after < 0 else None) for before, after in both)
        return operations.getitem(_pad(input, both=more, mode=mode, value=0.0), cut)
    return _pad(input, both=both, mode=mode, value=value or 0.0)


@operation
def _pad(x: Operand, both: list[tuple[int, int]], mode: str, value: float) -> Rule:
    inner = tuple(
        slice(max(before, 0), max(before, 0) + n + min(before, 0) + min(after, 0))
        for n, (before, after) in zip(x.shape, both, strict=True)
    )
    kept = tuple(slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, both, strict=True))
    out = buffers.empty_ordered(x, [n + before + after for n, (before, after) in zip(x.shape, both, strict=True)])
    if mode == "constant":
        out[...] = value
    out[inner] = x[kept]
    copies = [] if mode == "constant" else list(_copies(x.shape, both, mode))
    for to, source in copies:
        out[to] = out[source]

    def vjp(grad: Array, needs: Sequence[bool], both: Any = both, mode: str = mode) -> tuple[Array]:
        if copies:
            grad = grad.copy(order="K")
            for to, source in reversed(copies):
                grad[source] += grad[to]
        grad_x = np.zeros_like(x)
        grad_x[kept] = grad[inner]
        return (grad_x,)

    return out, vjp


def _copies(shape: Sequence[int], both: Sequence[tuple[int, int]], mode: str) -> Any:
    """Which place of the padded array is copied from which, axis by axis; both as indices."""
    for axis, (n, (before, after)) in enumerate(zip(shape, both, strict=True)):
        first, last = max(before, 0), max(before, 0) + n - 1 + min(before, 0) + min(after, 0)
        size = max(last - first + 1, 1)  # an empty axis only has copies of nothing to make
        for k in range(1, max(before, 0) + 1):
            source = {"reflect": first + k, "replicate": first, "circular": first + (size - k) % size}[mode]
            yield _at(axis, first - k), _at(axis, source)
        for k in range(1, max(after, 0) + 1):
            source = {"reflect": last - k, "replicate": last, "circular": first + (k - 1) % size}[mode]
            yield _at(axis, last + k), _at(axis, source)


def _at(axis: int, place: int) -> tuple[Any, ...]:
    return (*[slice(None)] * axis, place)

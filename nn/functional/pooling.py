"""Pools: the largest, or the mean, of each window of a picture; along one axis after the other.

Pictures are (batch, channels, height, width), sequences (batch, channels, length), in any memory order, which stays;
without the batch axis they are one picture, one sequence. Names, arguments and defaults are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import buffers, operations
from ..geometry import Axis, Size, pool_axes, remembered
from ..graph import Array
from ..rules import Operand, Rule, composite, operation
from ..tensor import plain

Axes = tuple[Axis, ...]


# ------------------------------------------------------------------------------------------------------------- largest
@operation
def _max_pool2d(x: Operand, axes: Axes) -> Rule:
    """The first largest, in reading order, gets the gradient; a NaN is larger than all."""
    high, wide = axes
    columns = _slide(x, 3, wide, np.maximum, -np.inf)
    out = _slide(columns, 2, high, np.maximum, -np.inf)
    if np.may_share_memory(out, x):  # windows of one pixel
        out = out.copy(order="K")

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        x: Array = x,
        columns: Array = columns,
        out: Array = out,
        high: Axis = high,
        wide: Axis = wide,
    ) -> tuple[Array]:
        spoilt = bool(np.isnan(out.max(initial=-np.inf)))
        return (_deal(_deal(grad, out, columns, 2, high, spoilt), columns, x, 3, wide, spoilt),)

    return out, vjp


def _places(x: Array, axes: Axes) -> Array:
    """Where the largest of each window is: row * width + column."""
    high, wide = axes
    columns = _slide(x, 3, wide, np.maximum, -np.inf)
    out = _slide(columns, 2, high, np.maximum, -np.inf)
    places = np.broadcast_to(np.arange(high.size * wide.size).reshape(high.size, wide.size), x.shape)
    return pick(pick(places, columns, x, 3, wide), out, columns, 2, high)


def _slide(x: Array, axis: int, window: Axis, combine: Callable[..., Any], start: float) -> Array:
    """Combine, along one axis, what the entries of the window see."""
    before = (slice(None),) * axis
    parts = [((*before, outputs), x[(*before, inputs)]) for outputs, inputs in window.views]
    first = [part for _, part in parts if part.shape[axis] == window.out][:2]  # those that all outputs see
    if len(parts) == len(first) == 1:
        return first[0]
    if len(first) == 2:
        out = combine(*first, out=buffers.empty_like(first[0]))
    else:
        shape = list(x.shape)
        shape[axis] = window.out
        out = buffers.empty_ordered(x, shape)
        out[...] = start if not first else first[0]
    for outputs, part in parts:
        if not any(part is done for done in first):
            combine(out[outputs], part, out=out[outputs])
    return out


def _deal(grad: Array, out: Array, x: Array, axis: int, window: Axis, spoilt: bool) -> Array:
    """Along one axis, hand the gradient of each maximum to the first number that is equal to it."""
    before, grad_x, left = (slice(None),) * axis, buffers.empty_like(x), grad
    if _side_by_side(window):
        *entries, last = [(*before, inputs) for _, inputs in window.views]
        for here in entries:
            mine = np.multiply(left, _largest(x[here], out, spoilt), out=grad_x[here])
            left = np.subtract(left, mine, out=grad_x[last])  # what has not found its owner yet
        if not entries:
            grad_x[last] = left
        grad_x[(*before, slice(window.out * window.kernel, None))] = 0
        return grad_x
    grad_x[...] = 0
    for outputs, inputs in window.views:
        here, there = (*before, outputs), (*before, inputs)
        found = _largest(x[there], out[here], spoilt)
        mine = np.multiply(left[here], found, out=buffers.empty_like(left[here]))
        grad_x[there] += mine
        if mine.shape == left.shape:
            left = np.subtract(left, mine, out=mine)
        else:
            left = left.copy(order="K")
            left[here] -= mine
    return grad_x


def _largest(x: Array, out: Array, spoilt: bool) -> Array:
    """Where x is equal to the output; `spoilt`: a NaN is equal to a NaN."""
    found = np.equal(x, out, out=buffers.empty_like(out, bool))
    if spoilt:
        found |= np.isnan(x)
    return found


def pick(values: Array, out: Array, x: Array, axis: int, window: Axis) -> Array:
    """Along one axis, take of `values`, which lie as x does, those that `_deal` hands gradients to."""
    picked, unmet, spoilt = np.zeros_like(out, values.dtype), np.ones(out.shape, bool), bool(np.isnan(out).any())
    for outputs, inputs in window.views:
        here, there = (*[slice(None)] * axis, outputs), (*[slice(None)] * axis, inputs)
        found = _largest(x[there], out[here], spoilt)
        picked[here] += np.where(unmet[here] & found, values[there], 0)
        unmet[here] &= ~found
    return picked


def _side_by_side(window: Axis) -> bool:
    """Whether windows touch without overlap or padding: every number is in one window, or left over at the end."""
    touching = window.kernel == window.stride and window.dilation == 1 and window.pad == 0
    return touching and window.out * window.kernel <= window.size


def _covers(window: Axis) -> bool:
    """Whether every number is in exactly one window, and nothing else is."""
    return _side_by_side(window) and window.out * window.kernel == window.size


# ---------------------------------------------------------------------------------------------------------------- mean
@operation
def _avg_pool2d(x: Operand, axes: Axes, counts: tuple[Array, Array] | float) -> Rule:
    """The sum over each window, divided: by rows' counts and columns' counts, or by one number."""
    high, wide = axes
    out = _slide(_slide(x, 3, wide, np.add, 0), 2, high, np.add, 0)
    out = _divided(out, counts, fresh=not np.may_share_memory(out, x))

    def vjp(
        grad: Array, needs: Sequence[bool], high: Axis = high, wide: Axis = wide, counts: Any = counts
    ) -> tuple[Array]:
        return (_spread(_spread(_divided(grad, counts), 2, high), 3, wide),)

    return out, vjp


def _divided(x: Array, counts: tuple[Array, Array] | float, fresh: bool = False) -> Array:
    if not isinstance(counts, tuple):
        return np.divide(x, x.dtype.type(counts), out=x if fresh else buffers.empty_like(x))
    rows, columns = counts
    return np.divide(x, (rows[:, None] * columns).astype(x.dtype), out=x if fresh else buffers.empty_like(x))


def _spread(grad: Array, axis: int, window: Axis) -> Array:
    """Along one axis, hand each output's gradient to everything in its window."""
    shape = list(grad.shape)
    shape[axis] = window.size
    grad_x = buffers.empty_ordered(grad, shape)
    once = _covers(window)
    if not once:
        grad_x[...] = 0
    before = (slice(None),) * axis
    for outputs, inputs in window.views:
        if once:
            grad_x[(*before, inputs)] = grad
        else:
            grad_x[(*before, inputs)] += grad[(*before, outputs)]
    return grad_x


def _counted(window: Axis, count_include_pad: bool) -> Array:
    """How many numbers each window holds; with `count_include_pad` the padding too, but nothing beyond it."""
    starts = np.arange(window.out) * window.stride - window.pad
    ends = np.minimum(starts + window.kernel, window.size + window.pad)
    if count_include_pad:
        return ends - starts
    return np.minimum(ends, window.size) - np.maximum(starts, 0)


# ------------------------------------------------------------------------------------------------ in PyTorch's terms
@composite
def max_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest of each window: (batch, channels, height, width) -> (batch, channels, height', width').

    Windows touch unless `stride` says otherwise; what is left over at the border is dropped unless `ceil_mode`.
    `padding` is at most half a window, and never the largest. The first largest, in reading order, gets the gradient.
    With `return_indices` a pair: also where each largest pixel was, row * width + column, as `max_unpool2d` takes them.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> largest, where = nn.max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2, return_indices=True)
        >>> largest[0, 0]
        array([[ 5.,  7.],
               [13., 15.]])
        >>> where[0, 0]
        array([[ 5,  7],
               [13, 15]])
    """
    settings = kernel_size, stride, padding, dilation, ceil_mode
    return _pool("max_pool2d", _max_pool2d, input, 2, settings, return_indices=return_indices)


@composite
def max_pool1d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest of each window: (batch, channels, length) -> (batch, channels, length'); settings as `max_pool2d`.

    Example:
        >>> from mazegrad import nn
        >>> nn.max_pool1d([[[1.0, 3.0, 2.0, 0.0, 5.0]]], kernel_size=2)
        array([[[3., 2.]]])
        >>> nn.max_pool1d([[[1.0, 3.0, 2.0, 0.0, 5.0]]], kernel_size=2, ceil_mode=True)
        array([[[3., 2., 5.]]])
    """
    settings = kernel_size, stride, padding, dilation, ceil_mode
    return _pool("max_pool1d", _max_pool2d, input, 1, settings, return_indices=return_indices)


@composite
def avg_pool2d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Mean of each window: (batch, channels, height, width) -> (batch, channels, height', width').

    `padding` zeros count in the mean unless `count_include_pad` is False; `divisor_override` divides instead of the
    number of pixels.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.avg_pool2d(np.ones((1, 1, 2, 2)), kernel_size=2, padding=1)[0, 0]  # zeros around count
        array([[0.25, 0.25],
               [0.25, 0.25]])
        >>> nn.avg_pool2d(np.ones((1, 1, 2, 2)), kernel_size=2, padding=1, count_include_pad=False)[0, 0]
        array([[1., 1.],
               [1., 1.]])
    """
    if divisor_override is not None and (not isinstance(divisor_override, int | np.integer) or not divisor_override):
        raise ValueError(f"avg_pool2d: divisor_override is {divisor_override!r}; expected a whole number that is not 0")
    settings = kernel_size, stride, padding, 1, ceil_mode
    return _pool("avg_pool2d", _avg_pool2d, input, 2, settings, count_include_pad, divisor_override)


@composite
def avg_pool1d(
    input: Operand,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Mean of each window: (batch, channels, length) -> (batch, channels, length'); settings as `avg_pool2d`.

    Example:
        >>> from mazegrad import nn
        >>> nn.avg_pool1d([[[1.0, 3.0, 5.0, 7.0]]], kernel_size=2)
        array([[[2., 6.]]])
    """
    return _pool(
        "avg_pool1d", _avg_pool2d, input, 1, (kernel_size, stride, padding, 1, ceil_mode), count_include_pad, None
    )


def _pool(
    name: str,
    work: Any,
    x: Operand,
    count: int,
    settings: tuple[Any, ...],
    include: bool = True,
    divisor: int | None = None,
    return_indices: bool = False,
) -> Any:
    """Check everything, lift what lacks the batch or the height, and pool."""
    axes = _plan(name, np.shape(x), count, *settings)
    if work is _max_pool2d:
        out = lifted(lambda x: work(x, axes=axes), x, count)
        return (out, lifted(lambda x: _places(x, axes), plain(x), count)) if return_indices else out
    counts: Any = divisor or _counts(axes, include)
    return lifted(lambda x: work(x, axes=axes, counts=counts), x, count)


@remembered
def _plan(name: str, shape: tuple[int, ...], count: int, *settings: Any) -> Axes:
    check_axes(name, shape, count)
    try:
        axes = pool_axes(shape[-count:], *settings)
    except ValueError as error:
        raise ValueError(f"{name} of shape {shape}: {error}") from None
    return (Axis(1, 1, 1), *axes) if count == 1 else axes


@lru_cache(maxsize=256)
def _counts(axes: Axes, include: bool) -> Any:
    """What the mean divides by: one number, or the rows' and the columns' counts."""
    rows, columns = (_counted(window, include) for window in axes)
    even = (rows == rows[0]).all() and (columns == columns[0]).all()
    return float(rows[0] * columns[0]) if even else (rows, columns)


def check_axes(name: str, shape: Sequence[int], count: int) -> None:
    """Raise ValueError for what is not a batch of pictures (`count` 2) or sequences (1), or one of them."""
    if len(shape) not in (count + 1, count + 2):
        sizes = "height, width" if count == 2 else "length"
        raise ValueError(f"{name} of shape {tuple(shape)}: expected (batch, channels, {sizes}) or (channels, {sizes})")


def lifted(work: Callable[[Any], Any], x: Operand, count: int) -> Any:
    """Give x a batch axis, and a height if `count` is 1, where it lacks them; take them away again afterwards."""
    alone = np.ndim(x) == count + 1
    x = operations.expand_dims(x, 0) if alone else x
    x = operations.expand_dims(x, 2) if count == 1 else x
    out, extra = work(x), (0,) * alone + (2,) * (count == 1)
    return operations.squeeze(out, extra) if extra else out

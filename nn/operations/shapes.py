"""The same elements in another shape or order, joined or picked; each with its derivative beside it."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from .. import buffers
from ..graph import Array
from ..rules import Operand, Rule, composite, rearrangement
from ..tensor import Axis, Tensor
from .broadcasting import fit


@rearrangement
def reshape(x: Operand, shape: Sequence[int] | int) -> Rule:
    """The same elements, in row-major reading order, in another shape; one -1 is worked out.

    Example:
        >>> from mazegrad import nn
        >>> nn.reshape([1, 2, 3, 4, 5, 6], (2, -1))
        array([[1, 2, 3],
               [4, 5, 6]])
    """
    return _reshaped(x, shape), lambda grad, needs, x=x: (_reshaped(grad, x.shape),)


def _reshaped(x: Array, shape: Sequence[int] | int) -> Array:
    """Reshape; a batch that is last in memory and stays the first axis is left last: a copy in long runs, or none."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    known = math.prod(n for n in shape if n != -1)
    if x.size != known if -1 not in shape else not known or x.size % known or shape.count(-1) > 1:
        raise ValueError(f"{x.size} elements do not fit the shape {shape}")
    last = x.ndim > 1 and len(shape) > 1 and x.strides[0] == x.itemsize and not x.flags.c_contiguous
    if not last or shape[0] not in (-1, len(x)) or not x.size:
        return x.reshape(shape)
    if shape[0] == -1:
        shape = (len(x), *shape[1:])
    turned = x.transpose(*range(1, x.ndim), 0)
    if not turned.flags.c_contiguous:
        turned = buffers.empty(turned.shape, x.dtype)
        turned[...] = x.transpose(*range(1, x.ndim), 0)
    return turned.reshape(*shape[1:], len(x)).transpose(-1, *range(len(shape) - 1))


@composite
def flatten(input: Operand, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim`, both included, in one; one number becomes a vector of it.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.flatten(np.zeros((8, 2, 3, 3)), start_dim=1).shape
        (8, 18)
    """
    shape = np.shape(input) or (1,)
    first = normalize_axis_index(start_dim, len(shape), "flatten: start_dim")
    last = normalize_axis_index(end_dim, len(shape), "flatten: end_dim")
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in shape {shape}")
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@composite
def unflatten(input: Operand, dim: int, sizes: Sequence[int]) -> Any:
    """The axis `dim` as several of these sizes, of which one may be -1.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.unflatten(np.zeros((8, 12)), dim=1, sizes=(3, -1)).shape
        (8, 3, 4)
    """
    shape = np.shape(input)
    dim = normalize_axis_index(dim, len(shape), "unflatten: dim")
    known = math.prod(n for n in sizes if n != -1)
    if not sizes or list(sizes).count(-1) > 1 or (shape[dim] % known if -1 in sizes and known else known != shape[dim]):
        raise ValueError(f"unflatten of shape {shape}: axis {dim} does not make {tuple(sizes)}")
    return reshape(input, (*shape[:dim], *(shape[dim] // known if n == -1 else n for n in sizes), *shape[dim + 1 :]))


@rearrangement
def transpose(x: Operand, axes: Sequence[int] | None = None) -> Rule:
    """Axes in the order of `axes`; reversed without.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.transpose(np.zeros((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    back = None if axes is None else np.argsort([axis % x.ndim for axis in axes])
    return x.transpose(axes), lambda grad, needs, back=back: (grad.transpose(back),)


@rearrangement
def expand_dims(x: Operand, axis: int | tuple[int, ...]) -> Rule:
    """A new axis of size 1 at `axis`.

    Example:
        >>> from mazegrad import nn
        >>> nn.expand_dims([1.0, 2.0], axis=1)
        array([[1.],
               [2.]])
    """
    return np.expand_dims(x, axis), lambda grad, needs, x=x: (grad.reshape(x.shape),)


@rearrangement
def squeeze(x: Operand, axis: Axis = None) -> Rule:
    """Without the axes of size 1, or without those named.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = np.zeros((1, 3, 1))
        >>> nn.squeeze(x).shape, nn.squeeze(x, axis=0).shape
        ((3,), (3, 1))
    """
    return np.squeeze(x, axis), lambda grad, needs, x=x: (grad.reshape(x.shape),)


@rearrangement
def broadcast_to(x: Operand, shape: Sequence[int]) -> Rule:
    """x repeated along new or stretched axes.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([1.0, 2.0], requires_grad=True)
        >>> nn.broadcast_to(x, (3, 2)).sum().backward()
        >>> x.grad
        array([3., 3.], dtype=float32)
    """
    return np.broadcast_to(x, shape), lambda grad, needs, x=x: (fit(grad, x),)


@rearrangement
def getitem(x: Operand, index: Any) -> Rule:
    """x[index], with any index that numpy takes; an element picked twice gets both gradients."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, Tensor) for part in parts):
        raise TypeError("getitem: the index is a Tensor; expected integers, booleans or slices")
    once = all(isinstance(part, int | slice | np.integer) or part is None or part is Ellipsis for part in parts)
    if not once:
        index = copy.deepcopy(index)

    def vjp(grad: Array, needs: Sequence[bool], x: Array = x, index: Any = index, once: bool = once) -> tuple[Array]:
        full = np.zeros_like(x)
        if once:
            full[index] = grad
        else:
            np.add.at(full, index, grad)
        return (full,)

    return x[index], vjp


@rearrangement
def _concatenate(*xs: Operand, axis: int) -> Rule:
    ends = np.cumsum([x.shape[axis] for x in xs])[:-1]
    return np.concatenate(xs, axis), lambda grad, needs, axis=axis: np.split(grad, ends, axis)


@composite
def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Any:
    """Join tensors, or arrays, along an axis that exists; their other axes have the same size.

    Raises:
        ValueError: there are none, or they do not fit together.

    Example:
        >>> from mazegrad import nn
        >>> nn.concatenate([[1.0, 2.0], [3.0]])
        array([1., 2., 3.])
    """
    if not len(tensors):
        raise ValueError("concatenate: the list of tensors is empty")
    if None in [type(x) if x is not None else None for x in tensors]:
        raise TypeError("concatenate: expected tensors and arrays, got None")
    return _concatenate(*tensors, axis=normalize_axis_index(axis, np.ndim(tensors[0]), "concatenate"))


@rearrangement
def _stack(*xs: Operand, axis: int) -> Rule:
    return np.stack(xs, axis), lambda grad, needs, axis=axis: list(np.moveaxis(grad, axis, 0))


@composite
def stack(tensors: Sequence[Operand], axis: int = 0) -> Any:
    """Join tensors, or arrays, of equal shape along a new axis.

    Raises:
        ValueError: there are none, or their shapes differ.

    Example:
        >>> from mazegrad import nn
        >>> nn.stack([[1.0, 2.0], [3.0, 4.0]], axis=1)
        array([[1., 3.],
               [2., 4.]])
    """
    if not len(tensors):
        raise ValueError("stack: the list of tensors is empty")
    return _stack(*tensors, axis=axis)

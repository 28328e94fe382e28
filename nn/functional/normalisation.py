"""Normalisation: mean 0 and variance 1 over some axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import buffers, operations
from ..checks import POSITIVE_INTEGER, check
from ..convolution.layout import sum_channels
from ..graph import Array
from ..operations.broadcasting import fit
from ..rules import Operand, Rule, composite, operation
from ..tensor import plain
from .padding import pad
from .pooling import avg_pool2d


@operation
def _normalise(
    x: Operand,
    weight: Operand,
    bias: Operand,
    mean: Array,
    variance: Array,
    own: bool,
    axes: tuple[int, ...],
    eps: float,
) -> Rule:
    """(x - mean) / sqrt(variance + eps) * weight + bias; `own`: mean and variance are x's, over `axes`."""
    scale = 1 / np.sqrt(variance + eps)
    normal = (x - mean) * scale
    out = normal if weight is None else normal * weight
    out = out if bias is None else out + bias

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        normal: Array = normal,
        scale: Array = scale,
        weight: Array | None = weight,
        bias: Array | None = bias,
        own: bool = own,
        axes: tuple[int, ...] = axes,
    ) -> tuple[Array | None, ...]:
        inner = grad if weight is None else grad * weight
        grad_x = None
        if needs[0] and own:
            grad_x = inner - inner.mean(axes, keepdims=True)
            grad_x -= normal * (inner * normal).mean(axes, keepdims=True)
            grad_x *= scale
        elif needs[0]:
            grad_x = inner * scale
        return (
            grad_x,
            fit(grad * normal, weight) if needs[1] else None,
            fit(grad, bias) if needs[2] else None,
        )

    return out, vjp


@operation
def _batch_norm(x: Operand, weight: Operand, bias: Operand, centred: Array, variance: Array, eps: float) -> Rule:
    """As `_normalise` for channels by their own statistics; `centred`: x without its mean, which is not kept."""
    scale = 1 / np.sqrt(variance + eps)
    out = np.multiply(centred, scale if weight is None else scale * weight, out=buffers.empty_like(centred))
    if bias is not None:
        out += bias

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        centred: Array = centred,
        scale: Array = scale,
        weight: Array | None = weight,
        bias: Array | None = bias,
    ) -> tuple[Array | None, ...]:
        total = sum_channels(grad).reshape(scale.shape)
        along = sum_channels(grad, centred).reshape(scale.shape) * scale
        grad_x = None
        if needs[0]:
            count = grad.size // scale.size
            grad_x = np.multiply(centred, along * scale / -count, out=buffers.empty_like(centred))
            grad_x += grad
            grad_x -= total / count
            grad_x *= scale if weight is None else scale * weight
        return grad_x, along if needs[1] else None, total if needs[2] else None

    return out, vjp


def _of_nothing(input: Operand, weight: Operand, bias: Operand) -> Any:
    """What becomes of an array without elements, which has no mean; weight and bias get gradients of 0."""
    out = operations.multiply(input, 1.0 if weight is None else weight)
    return out if bias is None else operations.add(out, bias)


def _statistics(array: Array, axes: tuple[int, ...], keepdims: bool) -> tuple[Array, Array]:
    """Mean and variance; of numbers that are not finite without a warning, as in operations."""
    with np.errstate(all="ignore"):
        return array.mean(axes, keepdims=keepdims), array.var(axes, keepdims=keepdims)


@composite
def layer_norm(
    input: Operand,
    normalized_shape: int | Sequence[int],
    weight: Operand = None,
    bias: Operand = None,
    eps: float = 1e-5,
) -> Any:
    """Normalise over the last axes, those of `normalized_shape` (Ba, Kiros & Hinton 2016).

    Example:
        >>> from mazegrad import nn
        >>> nn.layer_norm([[1.0, 3.0], [10.0, 30.0]], 2).round(3)
        array([[-1.,  1.],
               [-1.,  1.]])
    """
    array = np.asarray(plain(input))
    shape = _last_axes("layer_norm", array.shape, normalized_shape, weight=weight, bias=bias)
    if not array.size:
        return _of_nothing(input, weight, bias)
    axes = tuple(range(-len(shape), 0))
    mean, variance = _statistics(array, axes, True)
    return _normalise(input, weight, bias, mean=mean, variance=variance, own=True, axes=axes, eps=eps)


@composite
def batch_norm(
    input: Operand,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Operand = None,
    bias: Operand = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel, axis 1, over all other axes (Ioffe & Szegedy 2015).

    Args:
        input: (batch, channels, ...).
        running_mean, running_var: plain arrays (channels,), or None for neither. In training they are updated in place;
            otherwise they take the place of the batch's own mean and variance.
        weight, bias: (channels,), or None.
        training: whether to normalise by the batch's own statistics.
        momentum: the share of the batch in the updated running statistics.
        eps: added to the variance.

    Raises:
        ValueError: shapes do not fit, or a channel has a single value in training.
        TypeError: the running statistics are not plain floating arrays.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> mean, var = np.zeros(1), np.ones(1)
        >>> nn.batch_norm([[1.0], [3.0]], mean, var, training=True).round(3)
        array([[-1.],
               [ 1.]])
        >>> mean  # a tenth of the way to the batch's, which is 2
        array([0.2])
    """
    array = np.asarray(plain(input))
    if array.ndim < 2:
        raise ValueError(f"batch_norm of shape {array.shape}: expected (batch, channels, ...)")
    _check_running("batch_norm", array.shape[1], running_mean=running_mean, running_var=running_var)
    axes = tuple(axis for axis in range(array.ndim) if axis != 1)
    column = (-1, *[1] * (array.ndim - 2))
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    weight, bias = (None if vector is None else operations.reshape(vector, column) for vector in (weight, bias))
    if not array.size:
        return _of_nothing(input, weight, bias)
    if not training and running_mean is not None and running_var is not None:
        mean, variance = (vector.astype(array.dtype).reshape(column) for vector in (running_mean, running_var))
        return _normalise(input, weight, bias, mean=mean, variance=variance, own=False, axes=axes, eps=eps)
    count = array.size // array.shape[1]
    if count < 2:
        raise ValueError(f"batch_norm of shape {array.shape}: one value a channel has no variance")
    with np.errstate(all="ignore"):
        mean = sum_channels(array) / count
        centred = np.subtract(array, mean.reshape(column), out=buffers.empty_like(array))
        variance = sum_channels(centred, centred) / count
    out = _batch_norm(input, weight, bias, centred=centred, variance=variance.reshape(column), eps=eps)
    if running_mean is not None and running_var is not None:  # last: what does not fit moves nothing
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (variance * (count / (count - 1)) - running_var)
    return out


def _check_running(name: str, channels: int, **statistics: Any) -> None:
    for which, value in statistics.items():
        if value is not None and (not isinstance(value, np.ndarray) or value.dtype.kind != "f"):
            kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
            raise TypeError(f"{name}: {which} is a {kind}; expected a plain floating array, to be updated in place")
        if value is not None and value.shape != (channels,):
            raise ValueError(f"{name}: {which} has shape {value.shape}; expected {(channels,)}")


@composite
def group_norm(input: Operand, num_groups: int, weight: Operand = None, bias: Operand = None, eps: float = 1e-5) -> Any:
    """Normalise each group of channels of each example, over the group and all axes after it (Wu & He 2018).

    input (batch, channels, ...), weight and bias (channels,).

    Example:
        >>> from mazegrad import nn
        >>> nn.group_norm([[1.0, 3.0, 10.0, 30.0]], num_groups=2).round(3)
        array([[-1.,  1., -1.,  1.]])
    """
    shape = np.shape(input)
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        raise ValueError(f"group_norm of shape {shape}: axis 1 must divide into {num_groups} groups")
    if math.prod(shape) == num_groups:
        raise ValueError(f"group_norm of shape {shape}: one value a group has no variance")
    split = (shape[0], num_groups, shape[1] // num_groups, *shape[2:])
    column = (1, *split[1:3], *[1] * (len(shape) - 2))
    scale, shift = (None if vector is None else operations.reshape(vector, column) for vector in (weight, bias))
    if not math.prod(shape):
        return operations.reshape(_of_nothing(operations.reshape(input, split), scale, shift), shape)
    axes = tuple(range(2, len(split)))
    grouped = operations.reshape(input, split)
    array = np.asarray(plain(grouped))
    mean, variance = _statistics(array, axes, True)
    out = _normalise(grouped, scale, shift, mean=mean, variance=variance, own=True, axes=axes, eps=eps)
    return operations.reshape(out, shape)


@composite
def instance_norm(
    input: Operand,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Operand = None,
    bias: Operand = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel of each example over all axes after it (Ulyanov, Vedaldi & Lempitsky 2016).

    input (batch, channels, ...). By its own statistics, whose means over the batch move the running ones, in place; or
    by the running ones if not `use_input_stats`.

    Example:
        >>> from mazegrad import nn
        >>> nn.instance_norm([[[1.0, 3.0], [10.0, 30.0]]]).round(3)
        array([[[-1.,  1.],
                [-1.,  1.]]])
    """
    shape = np.shape(input)
    if len(shape) < 3:
        raise ValueError(f"instance_norm takes (batch, channels, ...), not {shape}")
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError("instance_norm: without use_input_stats it needs running_mean and running_var")
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    count = math.prod(shape[2:])
    if not math.prod(shape):
        column = (shape[1], *[1] * (len(shape) - 2))
        return _of_nothing(input, *(None if v is None else operations.reshape(v, column) for v in (weight, bias)))
    if count < 2:
        raise ValueError(f"instance_norm of shape {shape}: one value has no variance")
    out = group_norm(input, shape[1], weight, bias, eps)
    if running_mean is not None and running_var is not None:
        array, axes = np.asarray(plain(input)), tuple(range(2, len(shape)))
        running_mean += momentum * (array.mean(axes).mean(0) - running_mean)
        running_var += momentum * (array.var(axes).mean(0) * (count / (count - 1)) - running_var)
    return out


@composite
def rms_norm(
    input: Operand, normalized_shape: int | Sequence[int], weight: Operand = None, eps: float | None = None
) -> Any:
    """Divide by the root of the mean square over the last axes, those of `normalized_shape` (Zhang & Sennrich 2019).

    `eps` is added to the mean square; by default the precision's smallest step from 1.

    Example:
        >>> from mazegrad import nn
        >>> nn.rms_norm([[1.0, 7.0]], 2)  # the root of the mean square is 5
        array([[0.2, 1.4]])
    """
    shape = _last_axes("rms_norm", np.shape(input), normalized_shape, weight=weight)
    axes = tuple(range(-len(shape), 0))
    eps = float(np.finfo(np.asarray(plain(input)).dtype).eps) if eps is None else eps
    return _rms_norm(input, weight, axes=axes, eps=eps)


@operation
def _rms_norm(x: Operand, weight: Operand, axes: tuple[int, ...], eps: float) -> Rule:
    scale = 1 / np.sqrt((x * x).mean(axes, keepdims=True) + eps)
    normal = x * scale

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        normal: Array = normal,
        scale: Array = scale,
        weight: Array | None = weight,
        axes: tuple[int, ...] = axes,
    ) -> tuple[Array | None, ...]:
        grad_x = None
        if needs[0]:
            grad_x = np.array(grad if weight is None else grad * weight)
            grad_x -= normal * (grad_x * normal).mean(axes, keepdims=True)
            grad_x *= scale
        return grad_x, fit(grad * normal, weight) if needs[1] else None

    return normal if weight is None else normal * weight, vjp


def _last_axes(
    name: str, shape: Sequence[int], normalized_shape: int | Sequence[int], **parameters: Any
) -> tuple[int, ...]:
    """The normalized shape as a tuple. ValueError if it is not that of the last axes."""
    wanted = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not wanted:
        raise ValueError(
            f"{name}: normalized_shape names no axis; expected the sizes of the last axes, or of the last one"
        )
    if tuple(shape[len(shape) - len(wanted) :]) != wanted:
        raise ValueError(f"{name} over {wanted} of a tensor of shape {tuple(shape)}: its last axes must be {wanted}")
    for which, parameter in parameters.items():
        if parameter is not None and np.shape(parameter) != wanted:
            raise ValueError(f"{name}: {which} has shape {np.shape(parameter)}; expected {wanted}")
    return wanted


@composite
def local_response_norm(input: Operand, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Divide by (k + alpha * the mean square of `size` neighbouring channels) ** beta (Krizhevsky et al. 2012).

    input (batch, channels, ...).

    Example:
        >>> from mazegrad import nn
        >>> nn.local_response_norm([[[1.0], [2.0], [3.0]]], size=3, alpha=1.0, beta=0.5).round(3)[0, :, 0]
        array([0.612, 0.84 , 1.299])
    """
    check(POSITIVE_INTEGER, size=size)
    shape = np.shape(input)
    if len(shape) < 3:
        raise ValueError(f"local_response_norm of shape {shape}: expected (batch, channels, ...)")
    if not math.prod(shape):
        return _of_nothing(input, None, None)
    square = operations.reshape(operations.square(input), (shape[0], 1, shape[1], math.prod(shape[2:])))
    around = pad(square, (0, 0, size // 2, (size - 1) // 2))
    mean = operations.reshape(avg_pool2d(around, (size, 1), 1), shape)
    return operations.divide(input, operations.power(operations.add(operations.multiply(mean, alpha), k), beta))


@composite
def normalize(input: Operand, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Divide by the p-norm along `dim`, or by eps where that is smaller.

    Example:
        >>> from mazegrad import nn
        >>> nn.normalize([[3.0, 4.0], [0.0, 5.0]])
        array([[0.6, 0.8],
               [0. , 1. ]])
    """
    length = operations.norm(input, p, dim, True)
    return operations.divide(input, operations.clip(length, eps))

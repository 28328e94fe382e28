"""Normalisation: mean 0 and variance 1 over some axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Array
from ..operations.broadcasting import fit
from ..tensor import Operand, Rule, operation, plain


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

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array | None, ...]:
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


def layer_norm(
    input: Operand,
    normalized_shape: int | Sequence[int],
    weight: Operand = None,
    bias: Operand = None,
    eps: float = 1e-5,
) -> Any:
    """Normalise over the last axes, those of `normalized_shape` (Ba, Kiros & Hinton 2016)."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    array = np.asarray(plain(input))
    if array.shape[array.ndim - len(shape) :] != shape:
        raise ValueError(f"layer_norm over {shape} of a tensor of shape {array.shape}: its last axes must be {shape}")
    axes = tuple(range(-len(shape), 0))
    mean, variance = array.mean(axes, keepdims=True), array.var(axes, keepdims=True)
    return _normalise(input, weight, bias, mean=mean, variance=variance, own=True, axes=axes, eps=eps)


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

    In training by the batch's own statistics, which also move the running ones, in place, by `momentum`; else by the
    running ones. All four vectors have shape (channels,).
    """
    array = np.asarray(plain(input))
    axes = tuple(axis for axis in range(array.ndim) if axis != 1)
    column = (-1, *[1] * (array.ndim - 2))
    count = array.size // array.shape[1]
    own = training or running_mean is None or running_var is None
    if running_mean is None or running_var is None or own:
        if count < 2:
            raise ValueError(f"batch_norm of shape {array.shape}: one value a channel has no variance")
        mean, variance = array.mean(axes), array.var(axes)
    else:
        mean, variance = running_mean.astype(array.dtype), running_var.astype(array.dtype)
    out = _normalise(
        input,
        None if weight is None else weight.reshape(column),
        None if bias is None else bias.reshape(column),
        mean=mean.reshape(column),
        variance=variance.reshape(column),
        own=own,
        axes=axes,
        eps=eps,
    )
    if own and running_mean is not None and running_var is not None:  # last: what does not fit moves nothing
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (variance * (count / (count - 1)) - running_var)
    return out

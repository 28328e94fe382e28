"""Losses: how far predictions are from targets."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks import check_choice
from ..graph import Array
from ..tensor import Operand, Rule, Tensor, operation, plain

REDUCTIONS = ("mean", "sum", "none")


@operation
def _cross_entropy(logits: Operand, target: Array, reduction: str, ignore_index: int, label_smoothing: float) -> Rule:
    rows = logits if logits.ndim == 2 else np.moveaxis(logits, 1, -1).reshape(-1, logits.shape[1])
    flat, classes = target.ravel(), rows.shape[1]
    kept = flat != ignore_index
    count = np.count_nonzero(kept)
    picked = np.arange(flat.size), flat if count == flat.size else np.where(kept, flat, 0)
    log_p = rows - rows.max(1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    losses = log_p[picked] * (label_smoothing - 1)
    if label_smoothing:
        losses -= label_smoothing * log_p.mean(1)
    if count < flat.size:
        losses[~kept] = 0  # not by a factor: an ignored row may hold infinities

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        out = np.exp(log_p)
        out -= label_smoothing / classes
        out[picked] -= 1 - label_smoothing
        out *= (grad / count if reduction == "mean" else grad).reshape(-1, 1)
        if count < flat.size:
            out[~kept] = 0
        if logits.ndim == 2:
            return (out,)
        return (np.moveaxis(out.reshape(len(logits), *logits.shape[2:], classes), -1, 1),)

    if reduction == "none":
        return losses.reshape(target.shape), vjp
    return (losses.sum() / count if reduction == "mean" else losses.sum()).astype(logits.dtype), vjp


def cross_entropy(
    input: Operand, target: Any, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
) -> Any:
    """-log softmax(input)[target]: logits, input (batch, classes, ...), and target (batch, ...) of integers.

    Targets equal to `ignore_index` count for nothing. Warns when the input is already a softmax.
    """
    if isinstance(input, Tensor) and input._node is not None and input._node.name == "softmax":
        warnings.warn(
            "cross_entropy takes logits and applies softmax itself; here it follows a softmax, which flattens the"
            " gradient: leave the Softmax layer out",
            stacklevel=2,
        )
    target, shape = np.array(target), np.shape(input)
    if target.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: the target holds class numbers, integers, not {target.dtype}")
    if len(shape) < 2 or target.shape != (shape[0], *shape[2:]):
        fits = (shape[0], *shape[2:]) if len(shape) > 1 else "(batch,) beside logits (batch, classes)"
        raise ValueError(f"cross_entropy: logits of shape {shape} want a target of shape {fits}, not {target.shape}")
    if target.size and (target.min() < 0 or target.max() >= shape[1]):
        wrong = target[(target != ignore_index) & ((target < 0) | (target >= shape[1]))]
        if wrong.size:
            raise ValueError(f"cross_entropy: target {wrong[0]} is not a class; there are classes 0 to {shape[1] - 1}")
    check_choice(REDUCTIONS, reduction=reduction)
    return _cross_entropy(
        input, target=target, reduction=reduction, ignore_index=ignore_index, label_smoothing=label_smoothing
    )


def _reduced(losses: Array, slope: Array, reduction: str) -> Rule:
    """Mean, sum or neither of elementwise losses, whose derivative is `slope`."""
    if reduction == "none":
        return losses, lambda grad, needs: (grad * slope, -grad * slope)
    share = 1 / losses.size if reduction == "mean" else 1.0

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array, Array | None]:
        first = slope * (grad * share)
        return first, -first if len(needs) > 1 and needs[1] else None

    return losses.sum() * losses.dtype.type(share), vjp


@operation
def _mse(x: Operand, target: Operand, reduction: str) -> Rule:
    rest = x - target
    return _reduced(rest * rest, 2 * rest, reduction)


def mse_loss(input: Operand, target: Operand, *, reduction: str = "mean") -> Any:
    """Squared difference, averaged over all elements; both of one shape."""
    if np.shape(input) != np.shape(target):
        raise ValueError(f"mse_loss: shapes {np.shape(input)} and {np.shape(target)} differ; nothing is broadcast here")
    check_choice(REDUCTIONS, reduction=reduction)
    return _mse(input, target, reduction=reduction)


@operation
def _binary_cross_entropy(logits: Operand, target: Array, reduction: str) -> Rule:
    losses = np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
    out, vjp = _reduced(losses, np.tanh(logits * 0.5) * 0.5 + 0.5 - target, reduction)
    return out, lambda grad, needs: vjp(grad, needs)[:1]


def binary_cross_entropy_with_logits(input: Operand, target: Any, *, reduction: str = "mean") -> Any:
    """-log of the probability that sigmoid(input) gives to `target`, numbers from 0 to 1 of the same shape."""
    array = np.asarray(plain(target))
    if np.shape(input) != array.shape:
        raise ValueError(f"binary_cross_entropy_with_logits: logits {np.shape(input)} and target {array.shape} differ")
    check_choice(REDUCTIONS, reduction=reduction)
    return _binary_cross_entropy(input, target=array.astype(np.asarray(plain(input)).dtype), reduction=reduction)

"""Second derivatives of losses: each once more, as a composition of operations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import operations as op
from ..functional.classification import unrolled
from .entry import Entry, Formula


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "mean":
        return op.mean(losses)
    if reduction == "batchmean":
        return op.sum(losses) / (losses.shape[0] if losses.ndim else 1)
    return losses if reduction == "none" else op.sum(losses)


def _cross_entropy(
    logits: Any,
    picked: Any,
    kept: Any,
    share: Any,
    weight: Any,
    label_smoothing: float,
    classes: int,
    count: Any,
    reduction: str,
) -> Any:
    wanted = np.zeros((kept.size, classes), logits.dtype)
    wanted += label_smoothing / classes * (1 if weight is None else weight)
    wanted[picked] += (1 - label_smoothing) * (1 if share is None else share)
    wanted[~kept] = 0
    there = unrolled(np.broadcast_to(kept[:, None], wanted.shape), logits.shape)
    losses = -op.sum(op.log_softmax(op.where(there, logits, 0.0), 1) * unrolled(wanted, logits.shape), 1)
    return op.sum(losses) / count if reduction == "mean" else _reduced(losses, reduction)


def _soft_cross_entropy(logits: Any, target: Any, weight: Any, factor: float, reduction: str) -> Any:
    wanted = target * factor + (1 - factor) / (logits.shape[1] or 1)
    if weight is not None:
        wanted = wanted * weight.reshape((-1, *[1] * (logits.ndim - 2)))
    return _reduced(-op.sum(wanted * op.log_softmax(logits, 1), 1), reduction)


def _nll(input: Any, where: Any, share: Any, count: Any, reduction: str) -> Any:
    losses = op.where(share != 0, input[where] * -share, 0.0)
    return op.sum(losses) / count if reduction == "mean" else _reduced(losses, reduction)


def _with_logits(input: Any, target: Any, factor: Any, more: Any, reduction: str) -> Any:
    missed = op.softplus(-input, 1.0, math.inf)
    return _reduced(((1.0 - target) * input + (1.0 + more * target) * missed) * factor, reduction)


def _binary(input: Any, target: Any, factor: Any, reduction: str) -> Any:
    yes, no = (op.maximum(op.log(x), -100.0) for x in (input, 1.0 - input))
    return _reduced((target * yes + (1.0 - target) * no) * -factor, reduction)


def _huber(input: Any, target: Any, delta: float, scale: float, reduction: str) -> Any:
    size = op.absolute(input - target)
    near = (size.data if hasattr(size, "data") else size) <= delta
    return _reduced(op.where(near, op.square(size) * (0.5 * scale), (size - 0.5 * delta) * (delta * scale)), reduction)


def _kl_div(input: Any, target: Any, reduction: str, log_target: bool) -> Any:
    if log_target:
        return _reduced(op.exp(target) * (target - input), reduction)
    positive = (target.data if hasattr(target, "data") else target) > 0
    log = op.log(op.where(positive, target, 1.0))
    return _reduced(op.where(positive, target * log, 0.0) - target * input, reduction)


TABLE: dict[str, Entry] = {
    "cross_entropy": ("logits", Formula(_cross_entropy)),
    "soft_cross_entropy": ("logits target", Formula(_soft_cross_entropy)),
    "nll": ("input", Formula(_nll)),
    "binary_cross_entropy_with_logits": ("input target", Formula(_with_logits)),
    "binary_cross_entropy": ("input target", Formula(_binary)),
    "mse": (
        "input target",
        Formula(lambda input, target, reduction: _reduced(op.square(input - target), reduction)),
    ),
    "l1": (
        "input target",
        Formula(lambda input, target, reduction: _reduced(op.absolute(input - target), reduction)),
    ),
    "huber": ("input target", Formula(_huber)),
    "kl_div": ("input target", Formula(_kl_div)),
}

"""Losses of classes: how improbable a prediction makes the target."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks import PROBABILITY, check, check_choice
from ..graph import Array
from ..operations.rectifiers import logistic
from ..rules import Operand, Rule, composite, operation
from ..tensor import Tensor, plain
from .reduction import REDUCTIONS, constant, reduced


def _rows(x: Array) -> Array:
    """(batch, classes, ...) as (batch * ..., classes)."""
    return x if x.ndim == 2 else np.moveaxis(x, 1, -1).reshape(x.shape[0] * math.prod(x.shape[2:]), x.shape[1])


def unrolled(rows: Array, shape: Sequence[int]) -> Array:
    """The way back to (batch, classes, ...)."""
    return rows if len(shape) == 2 else np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


@operation
def _cross_entropy(
    logits: Operand, target: Array, weight: Array | None, reduction: str, ignore_index: int, label_smoothing: float
) -> Rule:
    """Of class numbers; weight (classes,)."""
    rows = _rows(logits)
    flat, classes = target.ravel(), rows.shape[1]
    kept = flat != ignore_index
    whole = kept.all()
    picked = np.arange(flat.size), flat if whole else np.where(kept, flat, 0)
    share = None if weight is None else weight[picked[1]] * kept  # of each row in the mean
    count = np.count_nonzero(kept) if share is None else share.sum()
    log_p = rows - rows.max(1, keepdims=True, initial=-np.inf)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    losses = log_p[picked] * (label_smoothing - 1)
    if share is not None:
        losses *= share
    if label_smoothing:
        losses -= label_smoothing / classes * (log_p.sum(1) if weight is None else log_p @ weight)
    if not whole:
        losses[~kept] = 0  # not by a factor: an ignored row may hold infinities

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        logits: Array = logits,
        picked: tuple[Array, Array] = picked,
        kept: Array = kept,
        share: Array | None = share,
        weight: Array | None = weight,
        label_smoothing: float = label_smoothing,
        classes: int = classes,
        count: Any = count,
        reduction: str = reduction,
    ) -> tuple[Array]:
        out = np.exp(log_p)
        smooth = label_smoothing / classes
        if weight is None:
            out -= smooth
            out[picked] -= 1 - label_smoothing
        else:
            assert share is not None
            out *= ((1 - label_smoothing) * share + smooth * weight.sum())[:, None]
            out -= smooth * weight
            out[picked] -= (1 - label_smoothing) * share
        out *= (grad / count if reduction == "mean" else grad).reshape(-1, 1)
        if not whole:
            out[~kept] = 0
        return (unrolled(out, logits.shape),)

    if reduction == "none":
        return losses.reshape(target.shape), vjp
    return (losses.sum() / count if reduction == "mean" else losses.sum()).astype(logits.dtype), vjp


@operation
def _soft_cross_entropy(
    logits: Operand, target: Operand, weight: Array | None, reduction: str, label_smoothing: float
) -> Rule:
    """Of a probability for each class."""
    rows, wanted = _rows(logits), _rows(target)
    factor = 1 - label_smoothing
    wanted = wanted * factor + label_smoothing / (rows.shape[1] or 1) if label_smoothing else wanted
    weighted = wanted if weight is None else wanted * weight
    log_p = rows - rows.max(1, keepdims=True, initial=-np.inf)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    losses = -(weighted * log_p).sum(1)
    share = 1 / (len(rows) or math.nan) if reduction == "mean" else 1

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        logits: Array = logits,
        target: Array = target,
        weight: Array | None = weight,
        factor: float = factor,
        reduction: str = reduction,
    ) -> tuple[Array | None, Array | None]:
        scale = (grad * share).reshape(-1, 1)
        by_logits = (np.exp(log_p) * weighted.sum(1, keepdims=True) - weighted) * scale if needs[0] else None
        by_target = (log_p if weight is None else log_p * weight) * (-factor * scale) if needs[1] else None
        return (
            None if by_logits is None else unrolled(by_logits, logits.shape),
            None if by_target is None else unrolled(by_target, logits.shape),
        )

    if reduction == "none":
        return losses.reshape(logits.shape[0], *logits.shape[2:]), vjp
    return losses.sum() * losses.dtype.type(share), vjp


@composite
def cross_entropy(
    input: Operand,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(input)[target]: how improbable the logits make the targets. Warns when `input` is a softmax already.

    Args:
        input: logits (batch, classes, ...), or (classes,).
        target: class numbers (batch, ...), or (); or probabilities of input's shape, which are differentiated too.
        weight: (classes,): how much each class counts, without a gradient; the mean is a weighted one of class numbers,
            as in PyTorch, and a plain one of probabilities.
        ignore_index: targets of this number count for nothing; for class numbers only.
        reduction: "mean", "sum", or "none" for one loss for each target.
        label_smoothing: this share of each target is spread over all classes (Szegedy et al. 2016).

    Raises:
        TypeError: the target holds neither integers nor floating numbers.
        ValueError: shapes do not fit, or a target is not a class.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> logits = nn.Tensor(np.zeros((5, 4)))
        >>> round(nn.cross_entropy(logits, np.array([0, 1, 2, 3, 0])).item(), 4)  # log 4
        1.3863
    """
    if isinstance(input, Tensor) and input._node is not None and input._node.name == "softmax":
        warnings.warn(
            "cross_entropy takes logits and applies softmax itself; here it follows a softmax, which flattens the"
            " gradient: leave the Softmax layer out",
            stacklevel=3,  # this function's caller; between them stands `composite`
        )
    check_choice(REDUCTIONS, reduction=reduction)
    check(PROBABILITY, label_smoothing=label_smoothing)
    shape = np.shape(input)
    (weight,) = constant("cross_entropy", input, weight=weight)
    _check_weight("cross_entropy", weight, shape)
    settings = {"weight": weight, "reduction": reduction, "label_smoothing": label_smoothing}
    if np.asarray(plain(target)).dtype.kind == "f" and np.shape(target) == shape != ():
        if len(shape) == 1:
            loss = _soft_cross_entropy(_row(input), _row(target), **settings)
            return loss[0] if reduction == "none" else loss
        return _soft_cross_entropy(input, target, **settings)
    target = class_numbers("cross_entropy", "logits", shape, target, ignore_index)
    if len(shape) == 1:
        loss = _cross_entropy(_row(input), target=target[None], ignore_index=ignore_index, **settings)
        return loss[0] if reduction == "none" else loss
    return _cross_entropy(input, target=target, ignore_index=ignore_index, **settings)


def _row(x: Any) -> Any:
    """A batch of one."""
    x = x if isinstance(x, Tensor) else np.asarray(x)
    return x.reshape((1, *x.shape))


def _check_weight(name: str, weight: Array | None, shape: Sequence[int]) -> None:
    classes = shape[1] if len(shape) > 1 else shape[0] if shape else 0
    if weight is not None and weight.shape != (classes,):
        raise ValueError(f"{name}: weight has shape {weight.shape}; expected ({classes},), one for each class")


def class_numbers(name: str, what: str, shape: Sequence[int], target: Any, ignore_index: int) -> Array:
    """A target of class numbers that fits an input of this shape, (batch, classes, ...) or (classes,), checked."""
    target = np.array(plain(target))
    if target.dtype.kind not in "iu":
        kinds = f"integers, or probabilities of shape {tuple(shape)}" if name == "cross_entropy" else "integers"
        raise TypeError(f"{name}: the target holds class numbers, {kinds}, not {target.dtype} of shape {target.shape}")
    if len(shape) == 0 or target.shape != (shape[0], *shape[2:])[len(shape) < 2 :]:
        fits = (shape[0], *shape[2:])[len(shape) < 2 :] if shape else f"(batch,) beside {what} (batch, classes)"
        raise ValueError(f"{name}: {what} of shape {tuple(shape)} want a target of shape {fits}, not {target.shape}")
    classes = shape[1] if len(shape) > 1 else shape[0]
    if target.size and (target.min() < 0 or target.max() >= classes):
        wrong = target[(target != ignore_index) & ((target < 0) | (target >= classes))]
        if wrong.size:
            raise ValueError(f"{name}: target {wrong[0]} is not a class; there are classes 0 to {classes - 1}")
    return target


@operation
def _nll(input: Operand, target: Array, weight: Array | None, reduction: str, ignore_index: int) -> Rule:
    kept = target != ignore_index
    chosen = np.where(kept, target, 0)
    share = kept.astype(input.dtype) if weight is None else weight[chosen] * kept
    places: list[Array] = list(np.indices(target.shape, sparse=True))
    where = (places[0], chosen, *places[1:])
    losses = np.where(kept, -input[where] * share, 0)
    count = share.sum()

    def vjp(
        grad: Array,
        needs: Sequence[bool],
        input: Array = input,
        where: tuple[Array, ...] = where,
        share: Array = share,
        count: Any = count,
        reduction: str = reduction,
    ) -> tuple[Array]:
        out = np.zeros_like(input)
        out[where] = -share * (grad / count if reduction == "mean" else grad)
        return (out,)

    if reduction == "none":
        return losses, vjp
    return losses.sum() / count if reduction == "mean" else losses.sum(), vjp


@composite
def nll_loss(
    input: Operand, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """-input[target]: `cross_entropy` of what went through a log_softmax.

    Args:
        input: logarithms of probabilities (batch, classes, ...), or (classes,).
        target: class numbers (batch, ...), or ().
        weight: (classes,): how much each class counts, without a gradient; the mean is a weighted one.
        ignore_index: targets of this number count for nothing.
        reduction: "mean", "sum", or "none" for one loss for each target.

    Raises:
        TypeError: the target does not hold integers.
        ValueError: shapes do not fit, or a target is not a class.

    Example:
        >>> from mazegrad import nn
        >>> logits = nn.Tensor([[2.0, 0.0], [0.0, 0.0]])
        >>> nn.nll_loss(nn.log_softmax(logits), [0, 1], reduction="none")
        Tensor([0.1269, 0.6931], shape=(2,), float32)
    """
    check_choice(REDUCTIONS, reduction=reduction)
    shape = np.shape(input)
    (weight,) = constant("nll_loss", input, weight=weight)
    _check_weight("nll_loss", weight, shape)
    target = class_numbers("nll_loss", "logarithms", shape, target, ignore_index)
    settings = {"weight": weight, "reduction": reduction, "ignore_index": ignore_index}
    if len(shape) == 1:
        loss = _nll(_row(input), target=target[None], **settings)
        return loss[0] if reduction == "none" else loss
    return _nll(input, target=target, **settings)


@operation
def _binary_cross_entropy_with_logits(
    input: Operand, target: Operand, weight: Array | None, pos_weight: Array | None, reduction: str
) -> Rule:
    factor: Any = 1 if weight is None else weight
    more = 0 if pos_weight is None else pos_weight - 1  # how much more what is there counts
    missed = np.logaddexp(-input, 0)  # -log sigmoid(input)
    losses = factor * ((1 - target) * input + (1 + more * target) * missed)
    return reduced(
        losses,
        reduction,
        lambda: factor * ((1 - target) - (1 + more * target) * logistic(-input)),
        lambda: factor * (more * missed - input),
        input=input,
        target=target,
        factor=factor,
        more=more,
    )


@composite
def binary_cross_entropy_with_logits(
    input: Operand, target: Operand, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """-log of the probability that sigmoid(input) gives to `target`.

    Args:
        input: logits, any shape.
        target: numbers from 0 to 1, of the same shape; they are differentiated, too.
        weight: broadcast to that shape: how much each element counts, without a gradient.
        reduction: "mean", "sum", or "none" for one loss for each element.
        pos_weight: broadcast to that shape: how much more a 1 counts than a 0, without a gradient.

    Raises:
        ValueError: shapes do not fit.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([0.0, 100.0], requires_grad=True)
        >>> nn.binary_cross_entropy_with_logits(x, [1.0, 0.0], reduction="none")
        Tensor([  0.6931, 100.    ], shape=(2,), float32, made by binary_cross_entropy_with_logits)
        >>> nn.grad(nn.binary_cross_entropy_with_logits(x, [1.0, 0.0], reduction="sum"), x)[0]  # sigmoid(x) - target
        Tensor([-0.5,  1. ], shape=(2,), float32)
    """
    name = "binary_cross_entropy_with_logits"
    shape = np.shape(input)
    if shape != np.shape(target):
        raise ValueError(f"{name}: logits {shape} and target {np.shape(target)} differ")
    check_choice(REDUCTIONS, reduction=reduction)
    weight, pos_weight = constant(name, input, weight=weight, pos_weight=pos_weight)
    for word, array in (("weight", weight), ("pos_weight", pos_weight)):
        _check_broadcast(name, word, array, shape)
    target = _in_precision(target, input)
    return _binary_cross_entropy_with_logits(input, target, weight=weight, pos_weight=pos_weight, reduction=reduction)


@operation
def _binary_cross_entropy(input: Operand, target: Operand, weight: Array | None, reduction: str) -> Rule:
    factor: Any = 1 if weight is None else weight
    yes, no = np.maximum(np.log(input), -100), np.maximum(np.log1p(-input), -100)
    losses = -factor * (target * yes + (1 - target) * no)
    return reduced(
        losses,
        reduction,
        lambda: factor * (input - target) / np.maximum(input * (1 - input), 1e-12),
        lambda: factor * (no - yes),
        input=input,
        target=target,
        factor=factor,
    )


@composite
def binary_cross_entropy(input: Operand, target: Operand, weight: Any = None, *, reduction: str = "mean") -> Any:
    """-log of the probability, itself the input, of `target`; `binary_cross_entropy_with_logits` is the safer one.

    As in PyTorch logarithms below -100 count as -100. Arguments as there, but `input` holds numbers from 0 to 1.

    Example:
        >>> from mazegrad import nn
        >>> nn.binary_cross_entropy([0.9, 0.5], [1.0, 0.0], reduction="none").round(3)
        array([0.105, 0.693])
    """
    name = "binary_cross_entropy"
    array, shape = np.asarray(plain(input)), np.shape(input)
    if shape != np.shape(target):
        raise ValueError(f"{name}: probabilities {shape} and target {np.shape(target)} differ")
    check_choice(REDUCTIONS, reduction=reduction)
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"{name}: probabilities lie between 0 and 1; of logits, take {name}_with_logits")
    (weight,) = constant(name, input, weight=weight)
    _check_broadcast(name, "weight", weight, shape)
    return _binary_cross_entropy(input, _in_precision(target, input), weight=weight, reduction=reduction)


def _check_broadcast(name: str, word: str, array: Array | None, shape: tuple[int, ...]) -> None:
    if array is None:
        return
    try:
        np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"{name}: {word} of shape {array.shape} does not fit a target of shape {shape}") from None


def _in_precision(target: Any, input: Any) -> Any:
    """A plain target in the input's precision."""
    if isinstance(target, Tensor):
        return target
    return np.array(target, np.result_type(np.asarray(plain(input)).dtype, np.float32))

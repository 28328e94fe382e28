"""Losses of numbers: how far predictions are from targets, both of one shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import NOT_NEGATIVE, POSITIVE, check, check_choice
from ..rules import Operand, Rule, composite, operation
from .reduction import REDUCTIONS, check_same_shape, reduced


@operation
def _mse(input: Operand, target: Operand, reduction: str) -> Rule:
    rest = input - target
    return reduced(rest * rest, reduction, lambda: 2 * rest, lambda: -2 * rest, input=input, target=target)


@composite
def mse_loss(input: Operand, target: Operand, *, reduction: str = "mean") -> Any:
    """Squared difference, averaged over all elements.

    Args:
        input: any shape.
        target: the same shape; it is differentiated, too.
        reduction: "mean", "sum", or "none" for one loss for each element.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.mse_loss(nn.Tensor([1.0, 2.0]), np.array([1.0, 4.0], np.float32)).item()
        2.0
    """
    check_same_shape("mse_loss", input, target)
    check_choice(REDUCTIONS, reduction=reduction)
    return _mse(input, target, reduction=reduction)


@operation
def _l1(input: Operand, target: Operand, reduction: str) -> Rule:
    rest = input - target
    slope = np.sign(rest)
    return reduced(np.abs(rest), reduction, lambda: slope, lambda: -slope, input=input, target=target)


@composite
def l1_loss(input: Operand, target: Operand, *, reduction: str = "mean") -> Any:
    """Absolute difference, averaged over all elements; its slope is 0 at 0. Arguments as `mse_loss`.

    Example:
        >>> from mazegrad import nn
        >>> nn.l1_loss([1.0, 2.0], [0.0, 5.0], reduction="none")
        array([1., 3.])
    """
    check_same_shape("l1_loss", input, target)
    check_choice(REDUCTIONS, reduction=reduction)
    return _l1(input, target, reduction=reduction)


@operation
def _huber(input: Operand, target: Operand, reduction: str, delta: float, scale: float) -> Rule:
    """Square / 2 up to delta, then straight; times `scale`."""
    rest = input - target
    near = np.abs(rest) <= delta
    held = np.clip(rest, -delta, delta) * scale
    losses = np.where(near, 0.5 * scale * rest * rest, delta * scale * (np.abs(rest) - 0.5 * delta))
    return reduced(
        losses,
        reduction,
        lambda: held,
        lambda: -held,
        input=input,
        target=target,
        delta=delta,
        scale=scale,
    )


@composite
def huber_loss(input: Operand, target: Operand, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the square of differences up to `delta`, straight on from there (Huber 1964). Arguments as `mse_loss`.

    Example:
        >>> from mazegrad import nn
        >>> nn.huber_loss([0.0, 0.0], [0.5, 3.0], reduction="none")
        array([0.125, 2.5  ])
    """
    check_same_shape("huber_loss", input, target)
    check_choice(REDUCTIONS, reduction=reduction)
    check(POSITIVE, delta=delta)
    return _huber(input, target, reduction=reduction, delta=float(delta), scale=1.0)


@composite
def smooth_l1_loss(input: Operand, target: Operand, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """`huber_loss` with delta = beta, divided by it: at a distance the absolute difference. Arguments as `mse_loss`.

    Example:
        >>> from mazegrad import nn
        >>> nn.smooth_l1_loss([0.0, 0.0], [1.0, 10.0], reduction="none", beta=2.0)
        array([0.25, 9.  ])
    """
    check_same_shape("smooth_l1_loss", input, target)
    check_choice(REDUCTIONS, reduction=reduction)
    check(NOT_NEGATIVE, beta=beta)
    if beta == 0:
        return _l1(input, target, reduction=reduction)
    return _huber(input, target, reduction=reduction, delta=float(beta), scale=1 / beta)


@operation
def _kl_div(input: Operand, target: Operand, reduction: str, log_target: bool) -> Rule:
    if log_target:
        share = np.exp(target)
        losses = share * (target - input)
        by_target = losses + share
    else:
        share, zero = target, target == 0
        log = np.log(np.where(zero, 1, target))
        losses = np.where(zero, 0, target * log) - target * input
        by_target = np.where(zero, -np.inf, log + 1) - input
    return reduced(
        losses,
        reduction,
        lambda: -share,
        lambda: by_target,
        input=input,
        target=target,
        log_target=log_target,
    )


@composite
def kl_div(input: Operand, target: Operand, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """target * (log(target) - input): the Kullback-Leibler divergence from exp(input) to `target`, element by element.

    Args:
        input: logarithms of probabilities.
        target: probabilities, or their logarithms if `log_target`; the same shape.
        reduction: "batchmean", the sum divided by the size of the first axis, is the divergence; "mean" divides it by
            the number of elements, "sum" and "none" as elsewhere.
        log_target: see above.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> p, q = np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]])
        >>> round(float(nn.kl_div(np.log(q), p, reduction="batchmean")), 4)
        0.5108
    """
    check_same_shape("kl_div", input, target)
    check_choice((*REDUCTIONS, "batchmean"), reduction=reduction)
    return _kl_div(input, target, reduction=reduction, log_target=log_target)

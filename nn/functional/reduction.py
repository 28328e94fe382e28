"""What losses share: reductions, and checks of shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..graph import Array
from ..rules import Rule
from ..tensor import Tensor, plain

REDUCTIONS = ("mean", "sum", "none")


def reduced(
    losses: Array, reduction: str, by_input: Callable[[], Array], by_target: Callable[[], Array], **reads: Any
) -> Rule:
    """The rule of elementwise losses: mean, sum or themselves, with functions that give the slopes by both operands.

    `reads` is what the slopes are computed from, for second derivatives.
    """
    count = {"mean": np.size(losses), "batchmean": np.shape(losses)[0] if np.ndim(losses) else 1}.get(reduction, 1)
    share = losses.dtype.type(1 / (count or math.nan))

    def vjp(grad: Array, needs: Sequence[bool], **reads: Any) -> tuple[Array | None, Array | None]:
        return (
            by_input() * (grad * share) if needs[0] else None,
            by_target() * (grad * share) if needs[1] else None,
        )

    return (losses if reduction == "none" else losses.sum() * share), partial(vjp, reduction=reduction, **reads)


def check_same_shape(name: str, input: Any, target: Any) -> None:
    """Raise ValueError unless both have one shape; PyTorch broadcasts here, and warns that it may be a mistake."""
    if np.shape(input) != np.shape(target):
        raise ValueError(f"{name}: shapes {np.shape(input)} and {np.shape(target)} differ; nothing is broadcast here")


def constant(name: str, like: Any, **arguments: Any) -> list[Any]:
    """Plain arrays, in the precision of `like`, of arguments that have no gradient; None stays None.

    Raises:
        ValueError: one of them is a tensor that requires a gradient.
    """
    dtype = np.result_type(np.asarray(plain(like)).dtype, np.float32)
    for argument, value in arguments.items():
        if isinstance(value, Tensor) and value.requires_grad:
            raise ValueError(f"{name}: {argument} has no gradient; pass {argument}.detach()")
    return [None if value is None else np.array(plain(value), dtype) for value in arguments.values()]

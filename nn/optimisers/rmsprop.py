"""Gradients divided by how large they were of late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ..checks import BELOW_ONE, NOT_NEGATIVE
from ..graph import Array
from .base import TRUE_OR_FALSE, Group, Optimiser, Params


class RMSprop(Optimiser):
    """Gradients divided by a running root mean square (Tieleman & Hinton 2012).

    `centered`: divided by a running standard deviation (Graves 2013), as the Atari DQN was trained.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Parameter([1.0, 1.0])
        >>> optimizer = nn.RMSprop([x], lr=0.01, alpha=0.0)  # by the size of this gradient alone: only its sign counts
        >>> (x * [1e-3, 1e3]).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(3)
        array([0.99, 0.99], dtype=float32)
    """

    allowed: ClassVar = Optimiser.allowed | {
        "alpha": BELOW_ONE,
        "eps": NOT_NEGATIVE,
        "momentum": NOT_NEGATIVE,
        "centered": TRUE_OR_FALSE,
    }
    slots = ("square", "velocity")
    squared = True
    alpha: float
    eps: float
    momentum: float
    centered: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def slots_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Centered, the mean of the gradients, too."""
        return (*self.slots, "mean") if settings["centered"] else self.slots

    def update(self, group: Group, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter."""
        grad = self.decayed(group, value, grad, change)
        square, alpha = self.kept("square", name, value), group["alpha"]
        square *= alpha
        square += (1 - alpha) * grad * grad
        if group["centered"]:
            mean = self.kept("mean", name, value)
            mean += (1 - alpha) * (grad - mean)
            np.sqrt(square - mean * mean, out=scratch)
        else:
            np.sqrt(square, out=scratch)
        scratch += group["eps"]
        np.divide(grad, scratch, out=scratch)
        if group["momentum"]:
            velocity = self.kept("velocity", name, value)
            velocity *= group["momentum"]
            velocity += scratch
            np.multiply(velocity, group["lr"], out=scratch)
        else:
            scratch *= group["lr"]
        value -= scratch

"""Gradient descent, plain or with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ..checks import NOT_NEGATIVE
from ..graph import Array
from .base import TRUE_OR_FALSE, Group, Optimiser, Params


class SGD(Optimiser):
    """Gradient descent, with momentum (Polyak 1964) or Nesterov's: value -= lr * velocity.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Parameter([1.0])
        >>> optimizer = nn.SGD([("x", x)], lr=0.1)
        >>> (x**2).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(3)
        array([0.8], dtype=float32)
    """

    allowed: ClassVar = Optimiser.allowed | {
        "momentum": NOT_NEGATIVE,
        "dampening": NOT_NEGATIVE,
        "nesterov": TRUE_OR_FALSE,
    }
    slots = ("velocity",)
    momentum: float
    dampening: float
    nesterov: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def _checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        checked = super()._checked(settings)
        if settings["nesterov"] and (settings["momentum"] == 0 or settings["dampening"]):
            raise ValueError("nesterov needs a momentum above 0, and no dampening")
        return checked

    def update(self, group: Group, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter."""
        grad = self.decayed(group, value, grad, change)
        momentum, dampening = group["momentum"], group["dampening"]
        if momentum:
            velocity = self.kept("velocity", name, value)
            velocity *= momentum
            velocity += grad * (1 - dampening) if dampening and self.counts[name] > 1 else grad
            grad = grad + momentum * velocity if group["nesterov"] else velocity
        value -= np.multiply(grad, group["lr"], out=scratch)

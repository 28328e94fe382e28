"""A running mean of the gradients, divided by how large they were of late."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ..checks import NOT_NEGATIVE, TWO_BELOW_ONE
from ..graph import Array
from .base import TRUE_OR_FALSE, Group, Optimiser, Params


class Adam(Optimiser):
    """Running mean over running root mean square of the gradients (Kingma & Ba 2015).

    `amsgrad`: over the largest mean square so far (Reddi et al. 2018).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> rng = np.random.default_rng(0)
        >>> net, x = nn.Linear(2, 1, rng=rng), rng.normal(size=(64, 2)).astype(np.float32)
        >>> y = x @ np.array([[2.0], [-1.0]], np.float32)
        >>> optimizer = nn.Adam(net.named_parameters(), lr=0.1)
        >>> for _ in range(200):
        ...     optimizer.zero_grad()
        ...     nn.mse_loss(net(x), y).backward()
        ...     optimizer.step()
        >>> net.weight.data.round(2)
        array([[ 2., -1.]], dtype=float32)
    """

    allowed: ClassVar = Optimiser.allowed | {"betas": TWO_BELOW_ONE, "eps": NOT_NEGATIVE, "amsgrad": TRUE_OR_FALSE}
    slots = ("mean", "square")
    decoupled = False
    squared = True
    betas: tuple[float, float]
    eps: float
    amsgrad: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize
        )

    def slots_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """With amsgrad, the largest mean square, too."""
        return (*self.slots, "largest") if settings["amsgrad"] else self.slots

    def update(self, group: Group, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter."""
        if self.decoupled:
            value *= 1 - group["lr"] * group["weight_decay"]
        else:
            grad = self.decayed(group, value, grad, change)
        (beta1, beta2), count = group["betas"], self.counts[name]
        mean, square = self.kept("mean", name, value), self.kept("square", name, value)
        np.subtract(grad, mean, out=scratch)
        scratch *= 1 - beta1
        mean += scratch
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - beta2
        square *= beta2
        square += scratch
        if group["amsgrad"]:
            largest = self.kept("largest", name, value)
            square = np.maximum(largest, square, out=largest)
        # the paper's mean / (1 - beta1^t) / (sqrt(square / (1 - beta2^t)) + eps), with the factors gathered in front
        shrink = math.sqrt(1 - beta2**count)
        np.sqrt(square, out=scratch)
        scratch += group["eps"] * shrink
        np.divide(mean, scratch, out=scratch)
        scratch *= group["lr"] * shrink / (1 - beta1**count)
        value -= scratch


class AdamW(Adam):
    """Adam with weight decay beside the gradient, not in it (Loshchilov & Hutter 2019).

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Parameter([1.0])
        >>> optimizer = nn.AdamW([x], lr=0.1, weight_decay=0.5)
        >>> (x * 0.0).sum().backward()  # no gradient: what is left is the decay, lr * weight_decay * x
        >>> optimizer.step()
        >>> x.data
        array([0.95], dtype=float32)
    """

    decoupled = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

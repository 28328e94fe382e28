"""A scheduler moves an optimiser's learning rate: one closed formula `rate(step)` each, and `step()` after each update.

Arguments and values are PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .checks import NOT_NEGATIVE, POSITIVE, POSITIVE_INTEGER, PROBABILITY, check
from .optimisers import Optimiser, check_state
from .torch_names import SCHEDULERS, getter


class Scheduler:
    """Base: keeps the count and the rate the optimiser began with; subclasses write `rate(step)`."""

    def __init__(self, optimizer: Optimiser) -> None:
        self.optimizer, self.base_lr, self.last_epoch = optimizer, optimizer.lr, 0
        optimizer.lr = self.rate(0)

    def rate(self, step: int) -> float:
        """The learning rate after `step` calls of `step()`."""
        raise NotImplementedError

    def step(self) -> None:
        """Go one further, and set the optimiser's rate."""
        self.last_epoch += 1
        self.optimizer.lr = self.rate(self.last_epoch)

    def get_last_lr(self) -> list[float]:
        """The rate that was set last, as a list of one: PyTorch's optimisers have several."""
        return [self.rate(self.last_epoch)]

    def state_dict(self) -> dict[str, Any]:
        """The count and the first rate; the shape of the curve is given when it is made."""
        return {"kind": type(self).__name__, "base_lr": self.base_lr, "last_epoch": self.last_epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict()` was taken."""
        check_state(self, state, "base_lr", "last_epoch")
        self.base_lr, self.last_epoch = float(state["base_lr"]), int(state["last_epoch"])
        self.optimizer.lr = self.rate(self.last_epoch)


class LambdaLR(Scheduler):
    """The first rate times any function of the step."""

    def __init__(self, optimizer: Optimiser, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        """base_lr * lr_lambda(step)."""
        return self.base_lr * self.lr_lambda(step)


class StepLR(Scheduler):
    """Times `gamma` after every `step_size` steps."""

    def __init__(self, optimizer: Optimiser, step_size: int, gamma: float = 0.1) -> None:
        check(POSITIVE_INTEGER, step_size=step_size)
        check(NOT_NEGATIVE, gamma=gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        """base_lr * gamma ** (step // step_size)."""
        return self.base_lr * self.gamma ** (step // self.step_size)


class CosineAnnealingLR(Scheduler):
    """Half a cosine from the first rate to `eta_min` in `T_max` steps (Loshchilov & Hutter 2017)."""

    def __init__(self, optimizer: Optimiser, T_max: int, eta_min: float = 0.0) -> None:
        check(POSITIVE_INTEGER, T_max=T_max)
        check(NOT_NEGATIVE, eta_min=eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        """eta_min + (base_lr - eta_min) * (1 + cos(pi * step / T_max)) / 2."""
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2


class LinearLR(Scheduler):
    """Warm-up: from `start_factor` to `end_factor` times the first rate in `total_iters` equal steps, then level."""

    def __init__(
        self, optimizer: Optimiser, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        check(POSITIVE_INTEGER, total_iters=total_iters)
        check(PROBABILITY, start_factor=start_factor, end_factor=end_factor)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        """The line, then level."""
        share = min(step, self.total_iters) / self.total_iters
        return self.base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)


class OneCycleLR(Scheduler):
    """Warm-up and decay in one: by half cosines from max_lr / div_factor up to max_lr, then down to almost nothing.

    Smith & Topin 2019; the momentum stays as it is (PyTorch's cycle_momentum=False).
    """

    def __init__(
        self,
        optimizer: Optimiser,
        max_lr: float,
        total_steps: int,
        *,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        check(POSITIVE_INTEGER, total_steps=total_steps)
        check(PROBABILITY, pct_start=pct_start)
        check(POSITIVE, max_lr=max_lr, div_factor=div_factor, final_div_factor=final_div_factor)
        self.max_lr, self.total_steps, self.pct_start = max_lr, total_steps, pct_start
        self.first = max_lr / div_factor
        self.final = self.first / final_div_factor
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        """The two half cosines; level after the last step."""
        top, end = self.pct_start * self.total_steps - 1, self.total_steps - 1
        step = min(step, end)
        if step <= top:
            return _cosine(self.first, self.max_lr, step / top if top else 1.0)
        return _cosine(self.max_lr, self.final, (step - top) / (end - top))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


if not TYPE_CHECKING:
    __getattr__ = getter("nn.schedulers", globals(), SCHEDULERS)

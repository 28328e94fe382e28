"""Lower the learning rate when a figure, such as the loss on validation data, stops getting better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .checks import BELOW_ONE, NATURAL, NOT_NEGATIVE, check, check_choice
from .optimisers import AN_OPTIMISER, Optimiser, check_state, one_for_each


class ReduceLROnPlateau:
    """Times `factor` when a figure has not got better for more than `patience` calls of `step(figure)`.

    Args:
        optimizer: whose rates it moves.
        mode: "min" or "max": whether the figure is to be small or large.
        factor: below 1.
        patience: how many steps in a row without progress are tolerated.
        threshold: how much better counts as progress: this share of the best figure, or, if `threshold_mode` is "abs",
            this difference.
        threshold_mode: "rel" or "abs".
        cooldown: how many steps after a reduction are not counted.
        min_lr: the rate stays above; one for all groups, or a list.
        eps: changes smaller than this are not made.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = nn.schedulers.ReduceLROnPlateau(optimizer, patience=1)
        >>> for validation_loss in (0.9, 0.5, 0.6, 0.5):
        ...     scheduler.step(validation_loss)
        >>> optimizer.lr
        0.1
    """

    def __init__(
        self,
        optimizer: Optimiser,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        check(AN_OPTIMISER, optimizer=optimizer)
        check_choice(("min", "max"), mode=mode)
        check_choice(("rel", "abs"), threshold_mode=threshold_mode)
        check(BELOW_ONE, factor=factor)
        check(NATURAL, patience=patience, cooldown=cooldown)
        check(NOT_NEGATIVE, threshold=threshold, eps=eps)
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lrs: list[float] = one_for_each("min_lr", min_lr, optimizer)
        for rate in self.min_lrs:
            check(NOT_NEGATIVE, min_lr=rate)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def step(self, metrics: Any) -> None:
        """Look at the figure after an epoch, and lower the rates if there was no progress for too long."""
        figure = float(metrics)
        self.last_epoch += 1
        if self._is_better(figure):
            self.best, self.num_bad_epochs = figure, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                rate = max(group["lr"] * self.factor, lowest)
                if group["lr"] - rate > self.eps:
                    group["lr"] = rate
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _is_better(self, figure: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "abs":
            return sign * figure < sign * self.best - self.threshold
        return sign * figure < sign * self.best * (1 - sign * self.threshold)

    def get_last_lr(self) -> list[float]:
        """The rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The best figure, the counts and the rates."""
        kept = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")
        state = {name: getattr(self, name) for name in kept}
        return {"kind": type(self).__name__, "lrs": self.get_last_lr(), **state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict()` was taken.

        Raises:
            ValueError: the state is of another scheduler, or for another number of groups.
        """
        kept = ("num_bad_epochs", "cooldown_counter", "last_epoch")
        check_state(self, state, "best", "lrs", *kept)
        rates = one_for_each("lrs", list(state["lrs"]), self.optimizer)
        self.best = float(state["best"])
        vars(self).update({name: int(state[name]) for name in kept})
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

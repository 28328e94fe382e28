"""A scheduler moves an optimiser's learning rates: one closed formula `rate` each, and `step()` after each update.

Arguments and values are PyTorch's. Each group of parameters has its own first rate. `ReduceLROnPlateau`, which looks at
how training goes, has no formula.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .checks import BELOW_ONE, NATURAL, NOT_NEGATIVE, POSITIVE, POSITIVE_INTEGER, PROBABILITY, check, check_choice
from .optimisers import Optimiser, check_state
from .torch_names import SCHEDULERS, getter


class Scheduler:
    """Base: keeps the count and the rates that the optimiser began with; subclasses write `rate(step, base_lr)`."""

    def __init__(self, optimizer: Optimiser) -> None:
        self.optimizer, self.last_epoch = optimizer, 0
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])  # whatever another scheduler made of it since
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self._set()

    def rate(self, step: int, base_lr: float) -> float:
        """The learning rate after `step` calls of `step()`, of a group that began with `base_lr`."""
        raise NotImplementedError

    def rates(self, step: int) -> list[float]:
        """The learning rate of each group after `step` calls of `step()`."""
        return [self.rate(step, base_lr) for base_lr in self.base_lrs]

    def _set(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates(self.last_epoch), strict=True):
            group["lr"] = rate

    def step(self) -> None:
        """Go one further, and set the optimiser's rates."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """The rate of each group that was set last."""
        return self.rates(self.last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """The count and the first rates; the shape of the curve is given when it is made."""
        return {"kind": type(self).__name__, "base_lrs": list(self.base_lrs), "last_epoch": self.last_epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict()` was taken.

        Raises:
            ValueError: the state is of another scheduler, or for another number of groups.
        """
        check_state(self, state, "base_lrs", "last_epoch")
        self.base_lrs = _one_for_each("base_lrs", list(state["base_lrs"]), self.optimizer)
        self.last_epoch = int(state["last_epoch"])
        self._set()


def _one_for_each(name: str, value: Any, optimizer: Optimiser) -> list[Any]:
    """A value for each group, from one for all or from a list."""
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, Sequence) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{name} has {len(values)} values; expected one for each of {groups} groups of parameters")
    return values


class LambdaLR(Scheduler):
    """The first rate times any function of the step; or a list of functions, one for each group."""

    def __init__(
        self, optimizer: Optimiser, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]
    ) -> None:
        self.lr_lambda = lr_lambda
        self.lr_lambdas: list[Callable[[int], float]] = _one_for_each("lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """base_lr * lr_lambda(step)."""
        return [base * function(step) for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class ConstantLR(Scheduler):
    """`factor` times the first rate for `total_iters` steps, then the first rate."""

    def __init__(self, optimizer: Optimiser, factor: float = 1 / 3, total_iters: int = 5) -> None:
        check(PROBABILITY, factor=factor)
        check(POSITIVE_INTEGER, total_iters=total_iters)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """One step down, or up."""
        return base_lr * (self.factor if step < self.total_iters else 1.0)


class StepLR(Scheduler):
    """Times `gamma` after every `step_size` steps.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([("x", nn.Parameter([1.0]))], lr=0.1)
        >>> scheduler = nn.schedulers.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> rates = []
        >>> for _ in range(4):
        ...     rates.append(optimizer.lr)
        ...     scheduler.step()
        >>> rates
        [0.1, 0.1, 0.05, 0.05]
    """

    def __init__(self, optimizer: Optimiser, step_size: int, gamma: float = 0.1) -> None:
        check(POSITIVE_INTEGER, step_size=step_size)
        check(NOT_NEGATIVE, gamma=gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """base_lr * gamma ** (step // step_size)."""
        return base_lr * self.gamma ** (step // self.step_size)


class MultiStepLR(Scheduler):
    """Times `gamma` at each of the `milestones`."""

    def __init__(self, optimizer: Optimiser, milestones: Iterable[int], gamma: float = 0.1) -> None:
        check(NOT_NEGATIVE, gamma=gamma)
        self.milestones, self.gamma = Counter(milestones), gamma
        for milestone in self.milestones:
            check(NATURAL, milestones=milestone)
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """base_lr * gamma ** (how many milestones are reached)."""
        return base_lr * self.gamma ** sum(count for at, count in self.milestones.items() if 0 < at <= step)


class ExponentialLR(Scheduler):
    """Times `gamma` at every step."""

    def __init__(self, optimizer: Optimiser, gamma: float) -> None:
        check(NOT_NEGATIVE, gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """base_lr * gamma ** step."""
        return base_lr * self.gamma**step


class PolynomialLR(Scheduler):
    """Down to 0 in `total_iters` steps, along a power of a line."""

    def __init__(self, optimizer: Optimiser, total_iters: int = 5, power: float = 1.0) -> None:
        check(POSITIVE_INTEGER, total_iters=total_iters)
        check(NOT_NEGATIVE, power=power)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """base_lr * (1 - step / total_iters) ** power, then 0."""
        return base_lr * (1 - min(step, self.total_iters) / self.total_iters) ** self.power


class CosineAnnealingLR(Scheduler):
    """Half a cosine from the first rate to `eta_min` in `T_max` steps (Loshchilov & Hutter 2017)."""

    def __init__(self, optimizer: Optimiser, T_max: int, eta_min: float = 0.0) -> None:
        check(POSITIVE_INTEGER, T_max=T_max)
        check(NOT_NEGATIVE, eta_min=eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """eta_min + (base_lr - eta_min) * (1 + cos(pi * step / T_max)) / 2."""
        return _cosine(base_lr, self.eta_min, step / self.T_max)


class CosineAnnealingWarmRestarts(Scheduler):
    """Half cosines, one after the other, each `T_mult` times as long as the one before (Loshchilov & Hutter 2017)."""

    def __init__(self, optimizer: Optimiser, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> None:
        check(POSITIVE_INTEGER, T_0=T_0, T_mult=T_mult)
        check(NOT_NEGATIVE, eta_min=eta_min)
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """The half cosine that the step is in."""
        length = self.T_0
        while step >= length:
            step, length = (step % length, length) if self.T_mult == 1 else (step - length, length * self.T_mult)
        return _cosine(base_lr, self.eta_min, step / length)


class LinearLR(Scheduler):
    """Warm-up: from `start_factor` to `end_factor` times the first rate in `total_iters` equal steps, then level."""

    def __init__(
        self, optimizer: Optimiser, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        check(POSITIVE_INTEGER, total_iters=total_iters)
        check(PROBABILITY, start_factor=start_factor, end_factor=end_factor)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """The line, then level."""
        share = min(step, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)


class OneCycleLR(Scheduler):
    """Warm-up and decay in one: by half cosines from max_lr / div_factor up to max_lr, then down to almost nothing.

    `max_lr` may be a list, one for each group. Smith & Topin 2019; the momentum stays as it is (PyTorch's
    cycle_momentum=False).
    """

    def __init__(
        self,
        optimizer: Optimiser,
        max_lr: float | Sequence[float],
        total_steps: int,
        *,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        check(POSITIVE_INTEGER, total_steps=total_steps)
        check(PROBABILITY, pct_start=pct_start)
        check(POSITIVE, div_factor=div_factor, final_div_factor=final_div_factor)
        for rate in max_lr if isinstance(max_lr, Sequence) else [max_lr]:
            check(POSITIVE, max_lr=rate)
        self.max_lr, self.total_steps, self.pct_start = max_lr, total_steps, pct_start
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.max_lrs: list[float] = _one_for_each("max_lr", max_lr, optimizer)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """The two half cosines; level after the last step."""
        return [self.rate(step, max_lr) for max_lr in self.max_lrs]

    def rate(self, step: int, base_lr: float) -> float:
        """The same for one group, of which `base_lr` is the largest rate."""
        first = base_lr / self.div_factor
        top, end = self.pct_start * self.total_steps - 1, self.total_steps - 1
        step = min(step, end)
        if step <= top:
            return _cosine(first, base_lr, step / top if top else 1.0)
        return _cosine(base_lr, first / self.final_div_factor, (step - top) / (end - top))


class SequentialLR(Scheduler):
    """One scheduler after the other: from each of the `milestones` on the next, which begins at its step 0."""

    def __init__(self, optimizer: Optimiser, schedulers: Sequence[Scheduler], milestones: Sequence[int]) -> None:
        if len(schedulers) != len(milestones) + 1:
            raise ValueError(
                f"{len(schedulers)} schedulers want {len(schedulers) - 1} milestones, not {len(milestones)}"
            )
        if list(milestones) != sorted(milestones):
            raise ValueError(f"milestones are {list(milestones)}; expected them in order")
        for scheduler in schedulers:
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"{type(scheduler).__name__} was made for another optimiser")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """Those of the scheduler whose turn it is."""
        turn = bisect_right(self.milestones, step)
        return self.schedulers[turn].rates(step - (self.milestones[turn - 1] if turn else 0))


class ReduceLROnPlateau:
    """Times `factor` when a figure has not got better for more than `patience` steps; `step(metrics)` tells it.

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
        check_choice(("min", "max"), mode=mode)
        check_choice(("rel", "abs"), threshold_mode=threshold_mode)
        check(BELOW_ONE, factor=factor)
        check(NATURAL, patience=patience, cooldown=cooldown)
        check(NOT_NEGATIVE, threshold=threshold, eps=eps)
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lrs: list[float] = _one_for_each("min_lr", min_lr, optimizer)
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
        rates = _one_for_each("lrs", list(state["lrs"]), self.optimizer)
        self.best = float(state["best"])
        vars(self).update({name: int(state[name]) for name in kept})
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


if not TYPE_CHECKING:
    __getattr__ = getter("nn.schedulers", globals(), SCHEDULERS)

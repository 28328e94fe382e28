"""A scheduler moves an optimiser's learning rates: one closed formula `rate` each, and `step()` after each update.

Arguments and values are PyTorch's. Each group of parameters has its own first rate. `ReduceLROnPlateau`, which looks at
how training goes, has no formula; it is in `plateau.py`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .checks import NATURAL, NOT_NEGATIVE, POSITIVE, POSITIVE_INTEGER, PROBABILITY, check
from .optimisers import AN_OPTIMISER, Optimiser, check_state, one_for_each
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .torch_names import SCHEDULERS, getter


class Scheduler:
    """Base: keeps the count and the rates that the optimiser began with; subclasses write `rate(step, base_lr)`.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.1)
        >>> class Halved(nn.schedulers.Scheduler):
        ...     def rate(self, step, base_lr):
        ...         return base_lr / 2**step
        >>> Halved(optimizer).step()
        >>> optimizer.lr
        0.05
    """

    def __init__(self, optimizer: Optimiser) -> None:
        check(AN_OPTIMISER, optimizer=optimizer)
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
        self.base_lrs = one_for_each("base_lrs", list(state["base_lrs"]), self.optimizer)
        self.last_epoch = int(state["last_epoch"])
        self._set()


class LambdaLR(Scheduler):
    """The first rate times any function of the step; or a list of functions, one for each group.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.1)
        >>> scheduler = nn.schedulers.LambdaLR(optimizer, lambda step: 1 / (1 + step))
        >>> scheduler.step()
        >>> optimizer.lr
        0.05
    """

    def __init__(
        self, optimizer: Optimiser, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]
    ) -> None:
        self.lr_lambda = lr_lambda
        self.lr_lambdas: list[Callable[[int], float]] = one_for_each("lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """base_lr * lr_lambda(step)."""
        return [base * function(step) for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class ConstantLR(Scheduler):
    """`factor` times the first rate for `total_iters` steps, then the first rate.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.1)
        >>> scheduler = nn.schedulers.ConstantLR(optimizer, factor=0.5, total_iters=2)
        >>> [(optimizer.lr, scheduler.step())[0] for _ in range(4)]
        [0.05, 0.05, 0.1, 0.1]
    """

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
    """Times `gamma` at each of the `milestones`.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = nn.schedulers.MultiStepLR(optimizer, milestones=[1, 4], gamma=0.5)
        >>> [(optimizer.lr, scheduler.step())[0] for _ in range(6)]
        [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
    """

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
    """Times `gamma` at every step.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = nn.schedulers.ExponentialLR(optimizer, gamma=0.5)
        >>> [(optimizer.lr, scheduler.step())[0] for _ in range(4)]
        [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimiser, gamma: float) -> None:
        check(NOT_NEGATIVE, gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """base_lr * gamma ** step."""
        return base_lr * self.gamma**step


class PolynomialLR(Scheduler):
    """Down to 0 in `total_iters` steps, along a power of a line.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = nn.schedulers.PolynomialLR(optimizer, total_iters=4, power=2.0)
        >>> [(optimizer.lr, scheduler.step())[0] for _ in range(6)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimiser, total_iters: int = 5, power: float = 1.0) -> None:
        check(POSITIVE_INTEGER, total_iters=total_iters)
        check(NOT_NEGATIVE, power=power)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """base_lr * (1 - step / total_iters) ** power, then 0."""
        return base_lr * (1 - min(step, self.total_iters) / self.total_iters) ** self.power


class CosineAnnealingLR(Scheduler):
    """Half a cosine from the first rate to `eta_min` in `T_max` steps (Loshchilov & Hutter 2017).

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = nn.schedulers.CosineAnnealingLR(optimizer, T_max=4)
        >>> [round((optimizer.lr, scheduler.step())[0], 3) for _ in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(self, optimizer: Optimiser, T_max: int, eta_min: float = 0.0) -> None:
        check(POSITIVE_INTEGER, T_max=T_max)
        check(NOT_NEGATIVE, eta_min=eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, step: int, base_lr: float) -> float:
        """eta_min + (base_lr - eta_min) * (1 + cos(pi * step / T_max)) / 2."""
        return _cosine(base_lr, self.eta_min, step / self.T_max)


class CosineAnnealingWarmRestarts(Scheduler):
    """Half cosines, one after the other, each `T_mult` times as long as the one before (Loshchilov & Hutter 2017).

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = nn.schedulers.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
        >>> [round((optimizer.lr, scheduler.step())[0], 2) for _ in range(7)]
        [1.0, 0.5, 1.0, 0.85, 0.5, 0.15, 1.0]
    """

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
    """Warm-up: from `start_factor` to `end_factor` times the first rate in `total_iters` equal steps, then level.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = nn.schedulers.LinearLR(optimizer, start_factor=0.25, total_iters=3)
        >>> [(optimizer.lr, scheduler.step())[0] for _ in range(5)]
        [0.25, 0.5, 0.75, 1.0, 1.0]
    """

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

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.1)
        >>> scheduler = nn.schedulers.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
        >>> [round((optimizer.lr, scheduler.step())[0], 2) for _ in range(8)]
        [0.04, 0.52, 1.0, 0.95, 0.81, 0.61, 0.39, 0.19]
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
        self.max_lrs: list[float] = one_for_each("max_lr", max_lr, optimizer)
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
    """One scheduler after the other: from each of the `milestones` on the next, which begins at its step 0.

    Example:
        >>> from mazegrad import nn
        >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> warm_up = nn.schedulers.LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> decay = nn.schedulers.ExponentialLR(optimizer, gamma=0.5)
        >>> scheduler = nn.schedulers.SequentialLR(optimizer, [warm_up, decay], milestones=[2])
        >>> [(optimizer.lr, scheduler.step())[0] for _ in range(5)]
        [0.5, 0.75, 1.0, 0.5, 0.25]
    """

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


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


if not TYPE_CHECKING:
    __getattr__ = getter("nn.schedulers", globals(), SCHEDULERS)

"""How the gradient of a recurrent model changes on its way back through time: measured, fitted, judged and explained.

Put the loss on the last step alone: then what reaches an earlier state has come all the way back, and its size tells
whether a cause so long ago can be learned from. With a loss on every step, each step adds its own share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .. import operations
from ..graph import Array
from ..tensor import Tensor
from .powers import QUIET
from .states import Cell, State, gradients_put_back, is_layer, one_direction, parts_of


# ----------------------------------------------------------------------------------------------------------- measuring
def state_gradients(model: Any, x: Any, loss: Callable[[Any], Tensor], state: State = None) -> Array:
    """The total gradient of the whole state before each step and after the last, (T + 1, B, S); index 0: the initial.

    model: an RNN, LSTM or GRU with `state_grads=True` (one direction; several layers stand side by side), or a cell:
        any function or module (x_t, state) -> state, where a state is (B, H) or a tuple such as (h, c).
    x: (T, B, I) as the layer takes it, or a sequence of T inputs of the cell.
    loss: turns the output (T, B, H), the first part of the states after each step, into one number.
    state: the initial state; a layer starts from zeros without it, a cell needs it.

    The total gradient of a state is that of everything which follows: what the output at t (or an upper layer) reads,
    and what is fed into step t + 1. The parts of a tuple count as independent, so c's part does not pass through the h
    of the same t, and they stand side by side: S = 2 H with h first. The parameters' own gradients are left as they
    were.
    """
    with gradients_put_back(model), np.errstate(**QUIET):
        if is_layer(model):
            one_direction(model)
            output, _ = model(x, state, state_grads=True)
            loss(output).backward()
            return np.concatenate(model.state_grads, axis=-1)
        return _through_a_cell(model, x, loss, state)


def _through_a_cell(cell: Cell, x: Any, loss: Callable[[Any], Tensor], state: State) -> Array:
    """Each state is a leaf of its own, so each step is a small graph; walking them backwards is the chain rule."""
    if state is None:
        raise ValueError("a cell needs its initial state: state=(B, H), or a tuple such as (h, c)")
    leaves, steps = [_leaves(state)], []
    for x_t in x:
        steps.append(parts_of(cell(x_t, leaves[-1] if isinstance(state, tuple) else leaves[-1][0])))
        leaves.append(_leaves(steps[-1]))
    if not steps:
        raise ValueError("the sequence is empty")
    loss(operations.stack([parts[0] for parts in leaves[1:]])).backward()  # what the outputs read
    for parts, following in zip(reversed(steps), reversed(leaves[1:]), strict=True):
        total: Any = 0.0
        for part, leaf in zip(parts, following, strict=True):
            total = total if leaf.grad is None else (part * leaf.grad).sum() + total
        if isinstance(total, Tensor) and total.requires_grad:
            total.backward()  # adds to what the state before this step has got from its own output
    return np.stack([np.concatenate([_gradient(leaf) for leaf in parts], axis=-1) for parts in leaves])


def _leaves(state: State) -> tuple[Tensor, ...]:
    return tuple(Tensor(part, requires_grad=True) for part in parts_of(state))


def _gradient(leaf: Tensor) -> Array:
    return np.zeros(leaf.shape, leaf.dtype) if leaf.grad is None else leaf.grad


def gradient_norms(source: Any, x: Any = None, loss: Any = None, state: State = None) -> Array:
    """The 2-norm of the gradient at each time, (T + 1,) in double precision; the batch counts as one long vector.

    source: gradients of states, (T + 1, B, S), such as an entry of `layer.state_grads` after `loss.backward()`; or,
    with x and loss, any model that `state_gradients` takes.
    """
    if x is not None or loss is not None:
        if x is None or loss is None:
            raise ValueError("gradient_norms takes a model with both x and loss, or gradients alone")
        source = state_gradients(source, x, loss, state)
    elif isinstance(source, list | tuple):
        if len(source) != 1:
            raise ValueError(f"these are the gradients of {len(source)} layers or directions: choose one of them")
        (source,) = source
    grads = np.asarray(source, dtype=np.float64)
    if grads.ndim < 2:
        raise ValueError(f"gradients have shape {grads.shape}; expected (T + 1, ..., S)")
    flat = np.abs(grads.reshape(len(grads), -1))
    with np.errstate(**QUIET):
        largest = flat.max(1, keepdims=True, initial=0)
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)  # so that no square leaves the range
        return np.linalg.norm(flat / scale, axis=1) * scale[:, 0]


# ------------------------------------------------------------------------------------------------------------- judging
@dataclass(frozen=True)
class Growth:
    """A norm that changes by the factor `rate` with each step back: start * rate ** (steps back), fitted."""

    rate: float  # 0: gone at once; infinity: not finite at once, or a factor too large for a float
    start: float  # the fitted norm at the last state
    error: float  # root mean square of what the fit leaves, in natural logarithms
    points: int  # norms that were fitted

    def steps_to(self, limit: float) -> float:
        """How many steps back until the norm is `limit`; infinity if the norm goes the other way."""
        if not self.start > 0:
            return math.nan
        if self.rate in (0.0, math.inf):
            return 0.0 if (self.rate == 0) == (limit < self.start) else math.inf
        way = math.log(limit / self.start)
        if way == 0:
            return 0.0
        slope = math.log(self.rate)
        return way / slope if way * slope > 0 else math.inf


def growth_rate(norms: ArrayLike, dtype: DTypeLike = np.float32) -> Growth:
    """Fit a straight line to the logarithms of the norms (T + 1,), going back from the last one.

    Norms that are not finite, or below the smallest number of full precision in `dtype`, tell nothing and are left out.
    """
    values = _norms(norms)[::-1]
    usable = np.isfinite(values) & (values >= np.finfo(dtype).tiny)
    usable &= np.cumsum(~usable) == 0  # up to the first that is not
    back, logs = np.flatnonzero(usable), np.log(values[usable])
    if len(back) < 2:
        gone = len(values) > len(back) and values[len(back)] < np.finfo(dtype).tiny
        start = float(values[0]) if len(back) else math.nan
        return Growth(0.0 if gone else math.inf, start, 0.0, len(back))
    slope, level = np.polyfit(back, logs, 1)
    left = logs - (level + slope * back)
    with np.errstate(**QUIET):
        rate, start = np.exp([slope, level]).tolist()
    return Growth(rate, start, float(np.sqrt(np.mean(left**2))), len(back))


def horizon(norms: ArrayLike, share: float = 0.01) -> int:
    """How many steps back a gradient still carries `share` of the norm that it has at the last state.

    Precisely: the largest j such that norms[T - i] >= share * norms[T] for all i <= j. It is at most T, and T if the
    gradient never falls so low within the sequence.
    """
    values = _norms(norms)[::-1]
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; expected a number above 0 and at most 1")
    if values[0] == 0:
        raise ValueError("the gradient is 0 at the last state: put the loss there, and there is something to share")
    below = np.flatnonzero(~(values >= share * values[0]))
    return int(below[0]) - 1 if len(below) else len(values) - 1


@dataclass(frozen=True)
class Verdict:
    """Whether gradients vanish, stay or explode over a sequence, and the numbers behind it. Steps are counted back."""

    kind: Literal["vanishing", "stable", "exploding"]
    growth: Growth
    steps: int  # T
    factor: float  # growth.rate ** steps: what is left at the initial state of what set out at the last
    share: float  # vanishing is a factor below this, exploding one above 1 / share
    horizon: int  # steps back with at least that share, as measured
    expected_horizon: float  # the same by the fitted rate: infinity if it does not fall
    overflow: float  # steps to the largest number of the precision, by the fitted rate; infinity: never
    underflow: float  # steps to the smallest of full precision, likewise
    first_infinite: int | None  # the first step back at which the gradient was not finite
    first_underflow: int | None  # the first at which it was below the smallest number of full precision, or 0

    def __str__(self) -> str:
        text = f"{self.kind}: {self.growth.rate:.4g} a step, {self.factor:.3g} over {self.steps} steps"
        if self.first_infinite is not None:
            return f"{text}; not finite from {self.first_infinite} steps back on"
        if self.horizon < self.steps:
            text += f"; {self.share:.3g} of it is left for {self.horizon} steps"
        if self.first_underflow is not None:
            text += f"; underflows {self.first_underflow} steps back"
        return text


def verdict(norms: ArrayLike, share: float = 0.01, dtype: DTypeLike = np.float32) -> Verdict:
    """Judge norms (T + 1,) of a gradient through time: vanishing, stable or exploding.

    It vanishes if the fitted rate leaves less than `share` over the T steps, explodes if it makes more than 1 / share,
    or if the gradient is not finite anywhere. `dtype`: the precision in which the gradient was, or will be, computed.
    """
    values, info = _norms(norms), np.finfo(dtype)
    growth, steps = growth_rate(values, dtype), len(values) - 1
    with np.errstate(**QUIET):
        factor = float(np.float64(growth.rate) ** steps)
    infinite = _first_true(~np.isfinite(values[::-1]))
    low = _first_true(values[::-1] < info.tiny)
    kind: Literal["vanishing", "stable", "exploding"] = "stable"
    if infinite is not None or factor > 1 / share:
        kind = "exploding"
    elif factor < share:
        kind = "vanishing"
    return Verdict(
        kind=kind,
        growth=growth,
        steps=steps,
        factor=factor,
        share=share,
        horizon=horizon(values, share) if values[-1] > 0 else 0,
        expected_horizon=growth.steps_to(share * growth.start),
        overflow=growth.steps_to(float(info.max)),
        underflow=growth.steps_to(float(info.tiny)),
        first_infinite=infinite,
        first_underflow=low,
    )


def _norms(norms: ArrayLike) -> Array:
    values = np.asarray(norms, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"norms have shape {values.shape}; expected (T + 1,) with T from 1 on")
    if (values < 0).any():
        raise ValueError("a norm is not negative")
    return values


def _first_true(mask: Array) -> int | None:
    return int(mask.argmax()) if mask.any() else None

"""How the gradient of a recurrent model changes on its way back through time: measured, fitted and judged.

Use a loss of the last step alone: then the gradient at an earlier state has come all the way back, and its size shows
whether a cause that long ago can be learned from. With a loss of every step, each step adds its own share.
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
    """Return the total gradient of the state before each step and after the last.

    The total gradient of a state includes all that depends on it: the output at t, an upper layer, and step t + 1. The
    parts of a tuple are treated as independent, so the gradient of c excludes the path through the h of the same t. The
    gradients of the parameters are left unchanged.

    Args:
        model: an RNN, LSTM or GRU of one direction, or a cell: any function or module (x_t, state) -> state, where a
            state is (B, H) or a tuple such as (h, c).
        x: (T, B, I) for a layer, or a sequence of T inputs of the cell.
        loss: a function from the output (T, B, H), the first part of the state after each step, to one number.
        state: the initial state, required for a cell; a layer starts from zeros by default.

    Returns:
        (T + 1, B, S), the initial state first. The parts of a state, and the layers, are concatenated: S = 2 H with h
        first for (h, c).

    Raises:
        ValueError: a layer that reads in both directions, a cell without a state, or an empty sequence.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> U, start = np.diag([0.5, 2.0]), np.ones((1, 2))
        >>> grads = nn.analysis.state_gradients(lambda x, h: h @ U, [None] * 3, lambda out: out[-1].sum(), start)
        >>> grads[:, 0]
        array([[0.125, 8.   ],
               [0.25 , 4.   ],
               [0.5  , 2.   ],
               [1.   , 1.   ]])
    """
    with gradients_put_back(model), np.errstate(**QUIET):
        if is_layer(model):
            one_direction(model)
            output, _ = model(x, state, state_grads=True)
            loss(output).backward()
            return np.concatenate(model.state_grads, axis=-1)
        return _through_a_cell(model, x, loss, state)


def _through_a_cell(cell: Cell, x: Any, loss: Callable[[Any], Tensor], state: State) -> Array:
    """Make each state a leaf, so that each step is a small graph; the chain rule joins them from the last step on."""
    if state is None:
        raise ValueError("a cell needs an initial state: pass state, (B, H) or a tuple such as (h, c)")
    leaves, steps = [_leaves(state)], []
    for x_t in x:
        steps.append(parts_of(cell(x_t, leaves[-1] if isinstance(state, tuple) else leaves[-1][0])))
        leaves.append(_leaves(steps[-1]))
    if not steps:
        raise ValueError("x is an empty sequence; expected one input or more")
    loss(operations.stack([parts[0] for parts in leaves[1:]])).backward()  # the gradients through the outputs
    for parts, following in zip(reversed(steps), reversed(leaves[1:]), strict=True):
        total: Any = 0.0
        for part, leaf in zip(parts, following, strict=True):
            total = total if leaf.grad is None else (part * leaf.grad).sum() + total
        if isinstance(total, Tensor) and total.requires_grad:
            total.backward()  # added to the gradient through the output of the state before
    return np.stack([np.concatenate([_gradient(leaf) for leaf in parts], axis=-1) for parts in leaves])


def _leaves(state: State) -> tuple[Tensor, ...]:
    return tuple(Tensor(part, requires_grad=True) for part in parts_of(state))


def _gradient(leaf: Tensor) -> Array:
    return np.zeros(leaf.shape, leaf.dtype) if leaf.grad is None else leaf.grad


def gradient_norms(source: Any, x: Any = None, loss: Any = None, state: State = None) -> Array:
    """Return the 2-norm of the gradient at each time, with the batch as one long vector.

    Args:
        source: gradients of states, (T + 1, B, S), such as an entry of `layer.state_grads` after `loss.backward()`; or,
            together with x and loss, a model for `state_gradients`.
        x, loss, state: as in `state_gradients`.

    Returns:
        (T + 1,), in double precision.

    Raises:
        ValueError: only one of x and loss, or a list of the gradients of several layers.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer, x = nn.LSTM(3, 5, rng=np.random.default_rng(0)), np.ones((20, 2, 3), np.float32)
        >>> norms = nn.analysis.gradient_norms(layer, x, lambda output: output[-1].sum())
        >>> norms.shape, bool(norms[0] < norms[-1])
        ((21,), True)
    """
    if x is not None or loss is not None:
        if x is None or loss is None:
            raise ValueError("gradient_norms takes a model with both x and loss, or gradients alone")
        source = state_gradients(source, x, loss, state)
    elif isinstance(source, list | tuple):
        if len(source) != 1:
            raise ValueError(f"source holds the gradients of {len(source)} layers or directions: pass one of them")
        (source,) = source
    grads = np.asarray(source, dtype=np.float64)
    if grads.ndim < 2:
        raise ValueError(f"gradients have shape {grads.shape}; expected (T + 1, ..., S)")
    flat = np.abs(grads.reshape(len(grads), -1))
    with np.errstate(**QUIET):
        largest = flat.max(1, keepdims=True, initial=0)
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)  # so that squares stay within the range
        return np.linalg.norm(flat / scale, axis=1) * scale[:, 0]


# ------------------------------------------------------------------------------------------------------------- judging
@dataclass(frozen=True)
class Growth:
    """The fit of a norm by start * rate ** (steps back).

    Example:
        >>> from mazegrad import nn
        >>> found = nn.analysis.Growth(rate=0.5, start=1.0, error=0.0, points=10)
        >>> round(found.steps_to(0.01), 1)
        6.6
    """

    rate: float  # 0: it underflows at once; infinity: it is not finite at once, or the factor is too large for a float
    start: float  # the fitted norm at the last state
    error: float  # root mean square of the residuals, in natural logarithms
    points: int  # number of norms in the fit

    def steps_to(self, limit: float) -> float:
        """Return the number of steps back at which the norm is `limit`; infinity if it moves away from it."""
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

    The fit ends before the first norm that is not finite, or below the smallest number of full precision in `dtype`.

    Example:
        >>> from mazegrad import nn
        >>> found = nn.analysis.growth_rate([0.125, 0.25, 0.5, 1.0])  # the last norm is that of the last state
        >>> round(found.rate, 3), round(found.start, 3)
        (0.5, 1.0)
    """
    values = _norms(norms)[::-1]
    usable = np.isfinite(values) & (values >= np.finfo(dtype).tiny)
    usable &= np.cumsum(~usable) == 0  # up to the first unusable norm
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
    """Return the number of steps back over which a gradient keeps at least `share` of its norm at the last state.

    That is the largest j such that norms[T - i] >= share * norms[T] for all i <= j; it is T if the norm never falls
    below this share.

    Raises:
        ValueError: share is not above 0 and at most 1, or the last norm is 0.


    Example:
        >>> from mazegrad import nn
        >>> nn.analysis.horizon([0.125, 0.25, 0.5, 1.0], share=0.2)
        2
    """
    values = _norms(norms)[::-1]
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; expected a number above 0 and at most 1")
    if values[0] == 0:
        raise ValueError("the gradient at the last state is 0; expected a loss that depends on the last state")
    below = np.flatnonzero(~(values >= share * values[0]))
    return int(below[0]) - 1 if len(below) else len(values) - 1


@dataclass(frozen=True)
class Verdict:
    """Whether a gradient vanishes, stays or explodes over a sequence, and the numbers behind that. Steps count back.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> found = nn.analysis.verdict(0.9 ** np.arange(101)[::-1])
        >>> found.kind, found.horizon, round(found.growth.rate, 3), round(found.underflow)
        ('vanishing', 43, 0.9, 829)
    """

    kind: Literal["vanishing", "stable", "exploding"]
    growth: Growth
    steps: int  # T
    factor: float  # growth.rate ** steps: the norm at the initial state, relative to the last
    share: float  # the gradient vanishes if the factor is below share, and explodes if it is above 1 / share
    horizon: int  # steps back with at least that share, as measured
    expected_horizon: float  # the same from the fitted rate: infinity if the norm does not fall
    overflow: float  # steps to the largest number of the precision, from the fitted rate; infinity: never
    underflow: float  # steps to the smallest number of full precision, likewise
    first_infinite: int | None  # the first step back at which the gradient was not finite
    first_underflow: int | None  # the first at which it was below the smallest number of full precision, or 0

    def __str__(self) -> str:
        text = f"{self.kind}: {self.growth.rate:.4g} a step, {self.factor:.3g} over {self.steps} steps"
        if self.first_infinite is not None:
            return f"{text}; not finite from {self.first_infinite} steps back on"
        if self.horizon < self.steps:
            text += f"; {self.share:.3g} of it remains for {self.horizon} steps"
        if self.first_underflow is not None:
            text += f"; underflows {self.first_underflow} steps back"
        return text


def verdict(norms: ArrayLike, share: float = 0.01, dtype: DTypeLike = np.float32) -> Verdict:
    """Judge the norms (T + 1,) of a gradient through time: vanishing, stable or exploding.

    Over the T steps, the fitted rate changes the norm by a factor. The gradient vanishes if it is below `share`, and
    explodes if it is above 1 / share, or if a norm is not finite. `dtype` is the precision of the gradient.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> print(nn.analysis.verdict(0.9 ** np.arange(101)[::-1]))
        vanishing: 0.9 a step, 2.66e-05 over 100 steps; 0.01 of it remains for 43 steps
        >>> print(nn.analysis.verdict(0.999 ** np.arange(101)[::-1]))
        stable: 0.999 a step, 0.905 over 100 steps
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
        raise ValueError(f"norms have shape {values.shape}; expected (T + 1,) with T of 1 or more")
    if (values < 0).any():
        raise ValueError(f"norms must not be negative, got {values.min():g}")
    return values


def _first_true(mask: Array) -> int | None:
    return int(mask.argmax()) if mask.any() else None

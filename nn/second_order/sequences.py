"""Second derivatives of whole recurrent sequences: their formulas step by step, as compositions of operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import operations as op
from .entry import Entry, Formula

Schedule = Any  # that of `recurrent/schedule.py`, which knows nothing of this

Step = Callable[..., tuple[Any, ...]]
"""From (x_t W^T, each part of the state) to each part of the new state."""


def _walked(step: Step, x: Any, weight_ih: Any, initial: Sequence[Any], size: int, order: Schedule) -> tuple[Any, ...]:
    """Take the steps in their order; the outputs of all times, and the last state's parts."""
    batch, zeros = x.shape[1], np.zeros((x.shape[1], size), x.dtype)
    state: tuple[Any, ...] = tuple(zeros if part is None else part for part in initial)
    outputs: list[Any] = [zeros] * x.shape[0]
    projected = x @ op.transpose(weight_ih)
    for n, steps in order.forwards:
        for t, _, _ in steps:
            fed = tuple(_fed(part[:n], k, order, t) for k, part in enumerate(state))
            new = step(projected[t, :n], *fed)
            outputs[t] = new[0] if n == batch else op.concatenate([new[0], zeros[n:]])
            state = new if n == batch else tuple(op.concatenate([a, b[n:]]) for a, b in zip(new, state, strict=True))
    return op.stack(outputs), *state


def _fed(part: Any, number: int, order: Schedule, t: int) -> Any:
    """A part of the state, with the fresh one where a sequence starts anew."""
    afresh = order.afresh[t]
    if afresh is None or order.resets is None:
        return part
    anew, fresh = np.zeros((len(part), 1), bool), np.zeros(part.shape, part.dtype)
    anew[afresh], fresh[afresh] = True, order.resets.fresh[number]
    return op.where(anew, fresh, part)


def _summed(recurrent: Any, bias: Any) -> Any:
    return recurrent if bias is None else recurrent + bias


def _rnn(
    x: Any,
    h_0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    size: int,
    order: Schedule,
    nonlinearity: str,
    leak: float,
) -> Any:
    functions: dict[str, Callable[[Any], Any]] = {"tanh": op.tanh, "relu": op.relu, "linear": lambda a: a}
    function = functions[nonlinearity]

    def step(projected: Any, h: Any) -> tuple[Any]:
        new = function(_summed(_summed(projected, bias_ih) + h @ op.transpose(weight_hh), bias_hh))
        return (new if leak == 1 else h * (1 - leak) + new * leak,)

    return _walked(step, x, weight_ih, (h_0,), size, order)


def _lstm(
    x: Any,
    h_0: Any,
    c_0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    size: int,
    order: Schedule,
) -> Any:
    def step(projected: Any, h: Any, c: Any) -> tuple[Any, Any]:
        gates = _summed(_summed(projected, bias_ih) + h @ op.transpose(weight_hh), bias_hh)
        i, f, g, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
        c = op.sigmoid(f) * c + op.sigmoid(i) * op.tanh(g)
        return op.sigmoid(o) * op.tanh(c), c

    return _walked(step, x, weight_ih, (h_0, c_0), size, order)


def _gru(
    x: Any,
    h_0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    size: int,
    order: Schedule,
) -> Any:
    def step(projected: Any, h: Any) -> tuple[Any]:
        from_x, from_h = _summed(projected, bias_ih), _summed(h @ op.transpose(weight_hh), bias_hh)
        both = op.sigmoid(from_x[:, : 2 * size] + from_h[:, : 2 * size])
        r, z = both[:, :size], both[:, size:]
        n = op.tanh(from_x[:, 2 * size :] + r * from_h[:, 2 * size :])
        return (n + z * (h - n),)

    return _walked(step, x, weight_ih, (h_0,), size, order)


TABLE: dict[str, Entry] = {
    "rnn": ("x h_0 weight_ih weight_hh bias_ih bias_hh", Formula(_rnn)),
    "lstm": ("x h_0 c_0 weight_ih weight_hh bias_ih bias_hh", Formula(_lstm)),
    "reordered": ("x", lambda grad, back: grad[:, back]),
    "gru": ("x h_0 weight_ih weight_hh bias_ih bias_hh", Formula(_gru)),
}

"""A recurrent layer, one direction, over a whole sequence: three fused operations, each with its derivative beside it.

All inputs are multiplied with their weights in one product before the loop, and each weight's gradient is one product
after it; the loop keeps what must be done step by step: one small product and some elementwise work in the cache.
Sigmoids go through tanh, sigmoid(a) = (1 + tanh(a / 2)) / 2, and the halving is done on the weights.

Time comes first: x (T, batch, features). A state lives in one of T + 1 *slots*: slot t is the state before step t when
time runs forward, and after it when time runs in reverse. Sequences of different `lengths` stand longest first, so that
those alive at a step are always the first n. Where a sequence `resets`, its state begins anew before that step, and no
gradient goes further back: several episodes in a row are one sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import buffers
from ..graph import Array
from ..tensor import Operand, Rule, operation

Keep = Callable[[Array], None]  # takes the gradient of the whole state, (T + 1, batch, size of the state), by slot

# name -> (function, its slope as a function of its value)
NONLINEARITIES: dict[str, tuple[Callable[..., Any], Callable[[Array], Any]]] = {
    "tanh": (np.tanh, lambda value: 1 - value * value),
    "relu": (lambda a, out: np.maximum(a, 0, out=out), lambda value: value > 0),
    "linear": (np.positive, lambda value: 1),
}


@dataclass(frozen=True)
class Resets:
    """Where sequences begin anew, booleans (T, batch), and each part of the state that they have then, (hidden,)."""

    at: Array
    fresh: Sequence[Array]

    def rows(self) -> list[Array | None]:
        """For each time the sequences that begin anew; None where none does."""
        return [np.flatnonzero(row) if row.any() else None for row in self.at]


@dataclass(frozen=True)
class Walk:
    """The order of the steps, in runs `(alive, [(time, slot before, slot after), ...])`; where states begin and end."""

    runs: list[tuple[int, list[tuple[int, int, int]]]]
    first: Any  # slot of each initial state: a number, or one for each sequence
    last: Any
    lengths: Array | None
    resets: Resets | None
    anew: Sequence[Array | None]  # for each time the sequences that begin anew then

    def fed(self, states: Array, part: int, t: int, before: int, n: int) -> Array:
        """One part of the state as step t takes it: that of the slot before, or the fresh one."""
        rows = self.anew[t]
        if rows is None or self.resets is None:
            return states[before, :n]
        fed = states[before, :n].copy()
        fed[rows] = self.resets.fresh[part]
        return fed

    def all_fed(self, states: Array, part: int, reverse: bool) -> Array:
        """One part of the state as all steps took it, (T, batch, hidden)."""
        before = states[1:] if reverse else states[:-1]
        if self.resets is None:
            return before
        return np.where(self.resets.at[..., None], self.resets.fresh[part], before)

    def cut(self, t: int, *grads: Array) -> None:
        """Let no gradient through to the state before, where step t began anew."""
        rows = self.anew[t]
        if rows is not None:
            for grad in grads:
                grad[rows] = 0

    def backwards(self) -> list[tuple[int, list[tuple[int, int, int]]]]:
        """The same runs, the last step first."""
        return [(alive, steps[::-1]) for alive, steps in reversed(self.runs)]


def walk(x: Array, lengths: Array | None, reverse: bool, resets: Resets | None = None) -> Walk:
    """Plan the steps over x (T, batch, features); `lengths` (batch,) in falling order."""
    times, batch = x.shape[:2]
    alive = np.full(times, batch) if lengths is None else (lengths > np.arange(times)[:, None]).sum(1)
    runs: list[tuple[int, list[tuple[int, int, int]]]] = []
    for t in reversed(range(times)) if reverse else range(times):
        if not runs or runs[-1][0] != alive[t]:
            runs.append((int(alive[t]), []))
        runs[-1][1].append((t, t + 1, t) if reverse else (t, t, t + 1))
    far = times if lengths is None else lengths
    anew = [None] * times if resets is None else resets.rows()
    return Walk([run for run in runs if run[0]], far if reverse else 0, 0 if reverse else far, lengths, resets, anew)


def room(times: int, x: Array, size: int, plan: Walk) -> Array:
    """An array (times, batch, size); zero if sequences differ in length, for what no step will write."""
    array = buffers.empty((times, x.shape[1], size), x.dtype)
    if plan.lengths is not None:
        array[...] = 0
    return array


def slots(x: Array, initial: Array | None, size: int, plan: Walk) -> Array:
    """Room for all states, (T + 1, batch, size), with the initial ones (zero if None) in their slots."""
    states = room(len(x) + 1, x, size, plan)
    states[plan.first, np.arange(x.shape[1])] = 0 if initial is None else initial
    return states


def outputs(states: Array, plan: Walk, reverse: bool) -> tuple[Array, Array]:
    """What comes out of a layer: its state after every step, 0 beyond a sequence's length, and its last states."""
    out = states[:-1] if reverse else states[1:]
    if reverse and plan.lengths is not None:  # the initial states stand just beyond
        out = np.where((np.arange(len(out))[:, None] < plan.lengths)[..., None], out, np.zeros((), out.dtype))
    return out, states[plan.last, np.arange(states.shape[1])]


def project(x: Array, weight: Array) -> Array:
    """x @ weight.T for all steps at once: (T, batch, features) -> (T, batch, gates)."""
    out = buffers.empty((*x.shape[:2], len(weight)), x.dtype)
    np.matmul(x.reshape(-1, x.shape[2]), weight.T, out=out.reshape(-1, len(weight)))
    return out


def weight_grads(
    x: Array, before: Array, grad_x: Array, grad_h: Array, weight_ih: Array, needs: Sequence[bool]
) -> list[Array | None]:
    """The gradients of (x, weight_ih, weight_hh, bias_ih, bias_hh), of those that are needed.

    grad_x and grad_h (T, batch, gates) are those of the two products' results; `before` holds the states that were fed.
    """
    ones = np.ones(x.shape[0] * x.shape[1], x.dtype)
    of_x, of_h, rows, states = (a.reshape(len(ones), a.shape[2]) for a in (grad_x, grad_h, x, before))
    return [
        (of_x @ weight_ih).reshape(x.shape) if needs[0] else None,
        of_x.T @ rows if needs[1] else None,
        of_h.T @ states if needs[2] else None,
        ones @ of_x if needs[3] else None,
        ones @ of_h if needs[4] else None,
    ]


def check(x: Array, states: Sequence[Array | None], weight_ih: Array, weight_hh: Array, gates: int) -> int:
    """Say what a layer cannot take; return its hidden size."""
    size = weight_hh.shape[-1]
    if x.ndim != 3 or x.shape[2] != weight_ih.shape[1]:
        raise ValueError(f"expected x (time, batch, {weight_ih.shape[1]}), not {x.shape}")
    if weight_hh.shape != (gates * size, size) or len(weight_ih) != gates * size:
        raise ValueError(f"weights {weight_ih.shape} and {weight_hh.shape} do not belong together")
    for state in states:
        if state is not None and state.shape != (x.shape[1], size):
            raise ValueError(f"expected a state (batch, hidden) of shape {(x.shape[1], size)}, not {state.shape}")
    return size


def total(bias_ih: Array | None, bias_hh: Array | None) -> Any:
    """The sum of both biases."""
    return 0 if bias_ih is None else bias_ih + bias_hh


# ----------------------------------------------------------------------------------------------------------- plain RNN
@operation
def rnn(
    x: Operand,
    h_0: Operand,
    weight_ih: Operand,
    weight_hh: Operand,
    bias_ih: Operand = None,
    bias_hh: Operand = None,
    nonlinearity: str = "tanh",
    leak: float = 1.0,
    lengths: Array | None = None,
    reverse: bool = False,
    resets: Resets | None = None,
    keep: Keep | None = None,
) -> Rule:
    """h' = (1 - leak) h + leak f(weight_ih x + bias_ih + weight_hh h + bias_hh), over time (Elman 1990; Jaeger 2001).

    x (T, batch, features), h_0 (batch, hidden) or None -> all h (T, batch, hidden), the last h (batch, hidden).
    """
    size = check(x, [h_0], weight_ih, weight_hh, 1)
    function, slope = NONLINEARITIES[nonlinearity]
    plan = walk(x, lengths, reverse, resets)
    h = slots(x, h_0, size, plan)
    values = project(x, weight_ih)  # becomes f(...)
    bias, across = total(bias_ih, bias_hh), np.ascontiguousarray(weight_hh.T)
    product = np.empty(h.shape[1:], x.dtype)
    for n, steps in plan.runs:
        recurrent = product[:n]
        for t, before, after in steps:
            a, fed = values[t, :n], plan.fed(h, 0, t, before, n)
            np.matmul(fed, across, out=recurrent)
            recurrent += bias
            a += recurrent
            function(a, out=a)
            if leak == 1:
                h[after, :n] = a
            else:
                h[after, :n] = fed + leak * (a - fed)

    def vjp(grads: Sequence[Array | None], needs: Sequence[bool]) -> tuple[Array | None, ...]:
        grad_out, grad_last = grads
        d = room(len(x), x, size, plan)  # of what f is taken of
        dh = np.zeros_like(product) if grad_last is None else np.array(grad_last)
        kept = None if keep is None else np.zeros_like(h)
        for n, steps in plan.backwards():
            dh_n, product_n = dh[:n], product[:n]
            for t, _, after in steps:
                if grad_out is not None:
                    dh_n += grad_out[t, :n]
                if kept is not None:
                    kept[after, :n] = dh_n
                np.multiply(dh_n, slope(values[t, :n]), out=d[t, :n])
                if leak == 1:
                    np.matmul(d[t, :n], weight_hh, out=dh_n)
                else:
                    d[t, :n] *= leak
                    dh_n *= 1 - leak
                    dh_n += np.matmul(d[t, :n], weight_hh, out=product_n)
                plan.cut(t, dh_n)
        if keep is not None and kept is not None:
            kept[plan.first, np.arange(len(dh))] = dh
            keep(kept)
        fed = plan.all_fed(h, 0, reverse)
        of_x, *others = weight_grads(x, fed, d, d, weight_ih, (needs[0], *needs[2:]))
        return of_x, dh if needs[1] else None, *others

    return outputs(h, plan, reverse), vjp


# ---------------------------------------------------------------------------------------------------------------- LSTM
@operation
def lstm(
    x: Operand,
    h_0: Operand,
    c_0: Operand,
    weight_ih: Operand,
    weight_hh: Operand,
    bias_ih: Operand = None,
    bias_hh: Operand = None,
    lengths: Array | None = None,
    reverse: bool = False,
    resets: Resets | None = None,
    keep: Keep | None = None,
) -> Rule:
    """c' = f c + i g, h' = o tanh(c'): gates i, f, o and candidate g (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    x (T, batch, features), h_0 and c_0 (batch, hidden) or None; rows of the weights: i, f, g, o, as in PyTorch.
    Returns all h (T, batch, hidden), the last h and the last c (batch, hidden). The state that `keep` sees is (h, c).
    """
    size = check(x, [h_0, c_0], weight_ih, weight_hh, 4)
    cut = [slice(k * size, (k + 1) * size) for k in range(4)]
    half, shift = (np.repeat(np.array(row, x.dtype), size) for row in ([0.5, 0.5, 1, 0.5], [0.5, 0.5, 0, 0.5]))
    plan = walk(x, lengths, reverse, resets)
    h, c = slots(x, h_0, size, plan), slots(x, c_0, size, plan)
    gates = project(x, weight_ih * half[:, None])
    bias, across = total(bias_ih, bias_hh) * half, np.ascontiguousarray(weight_hh.T) * half
    squashed = buffers.empty((*x.shape[:2], size), x.dtype)  # tanh(c')
    product, scratch = np.empty(gates.shape[1:], x.dtype), np.empty(h.shape[1:], x.dtype)
    for n, steps in plan.runs:
        recurrent, new = product[:n], scratch[:n]
        for t, before, after in steps:
            a, c_after = gates[t, :n], c[after, :n]
            np.matmul(plan.fed(h, 0, t, before, n), across, out=recurrent)
            recurrent += bias
            a += recurrent
            np.tanh(a, out=a)
            a *= half
            a += shift
            i, f, g, o = (a[:, k] for k in cut)
            np.multiply(i, g, out=new)
            np.multiply(f, plan.fed(c, 1, t, before, n), out=c_after)
            c_after += new
            np.tanh(c_after, out=squashed[t, :n])
            np.multiply(o, squashed[t, :n], out=h[after, :n])

    def vjp(grads: Sequence[Array | None], needs: Sequence[bool]) -> tuple[Array | None, ...]:
        grad_out, grad_h, grad_c = grads
        d = room(len(x), x, 4 * size, plan)  # of what the gates are squashed from
        dh = np.zeros_like(scratch) if grad_h is None else np.array(grad_h)
        dc = np.zeros_like(scratch) if grad_c is None else np.array(grad_c)
        kept = None if keep is None else np.zeros((len(h), len(dh), 2 * size), x.dtype)
        for n, steps in plan.backwards():
            dh_n, dc_n, through, slope = dh[:n], dc[:n], scratch[:n], product[:n]
            for t, before, after in steps:
                a, tanh_c, d_t = gates[t, :n], squashed[t, :n], d[t, :n]
                i, f, g, o = (a[:, k] for k in cut)
                if grad_out is not None:
                    dh_n += grad_out[t, :n]
                if kept is not None:
                    kept[after, :n, :size], kept[after, :n, size:] = dh_n, dc_n
                np.multiply(tanh_c, tanh_c, out=through)
                np.subtract(1, through, out=through)
                through *= o
                through *= dh_n
                dc_n += through
                np.multiply(dc_n, g, out=d_t[:, cut[0]])
                np.multiply(dc_n, plan.fed(c, 1, t, before, n), out=d_t[:, cut[1]])
                np.multiply(dc_n, i, out=d_t[:, cut[2]])
                np.multiply(dh_n, tanh_c, out=d_t[:, cut[3]])
                np.multiply(a, a, out=slope)
                np.subtract(1, slope[:, cut[2]], out=slope[:, cut[2]])
                for sigmoids in (slice(0, 2 * size), cut[3]):
                    np.subtract(a[:, sigmoids], slope[:, sigmoids], out=slope[:, sigmoids])
                d_t *= slope
                dc_n *= f
                np.matmul(d_t, weight_hh, out=dh_n)
                plan.cut(t, dh_n, dc_n)
        if keep is not None and kept is not None:
            kept[plan.first, np.arange(len(dh))] = np.concatenate([dh, dc], 1)
            keep(kept)
        fed = plan.all_fed(h, 0, reverse)
        of_x, *others = weight_grads(x, fed, d, d, weight_ih, (needs[0], *needs[3:]))
        return of_x, dh if needs[1] else None, dc if needs[2] else None, *others

    return (*outputs(h, plan, reverse), c[plan.last, np.arange(len(scratch))]), vjp


# ----------------------------------------------------------------------------------------------------------------- GRU
@operation
def gru(
    x: Operand,
    h_0: Operand,
    weight_ih: Operand,
    weight_hh: Operand,
    bias_ih: Operand = None,
    bias_hh: Operand = None,
    lengths: Array | None = None,
    reverse: bool = False,
    resets: Resets | None = None,
    keep: Keep | None = None,
) -> Rule:
    """h' = (1 - z) n + z h, with n = tanh(W_n x + b_n + r (U_n h + b'_n)) and gates r, z (Cho et al. 2014).

    x (T, batch, features), h_0 (batch, hidden) or None; rows of the weights: r, z, n, as in PyTorch, whose r stands
    outside the product. Returns all h (T, batch, hidden) and the last h (batch, hidden).
    """
    size = check(x, [h_0], weight_ih, weight_hh, 3)
    both, last = slice(0, 2 * size), slice(2 * size, 3 * size)
    half = np.repeat(np.array([0.5, 0.5, 1], x.dtype), size)
    plan = walk(x, lengths, reverse, resets)
    h = slots(x, h_0, size, plan)
    gates = project(x, weight_ih * half[:, None])
    across = np.ascontiguousarray(weight_hh.T) * half
    bias_x, bias_h = (0, 0) if bias_ih is None else (bias_ih * half, bias_hh * half)
    inner = buffers.empty((*x.shape[:2], size), x.dtype)  # U_n h + b'_n
    product, scratch = np.empty(gates.shape[1:], x.dtype), np.empty(h.shape[1:], x.dtype)
    for n, steps in plan.runs:
        recurrent, reset = product[:n], scratch[:n]
        for t, before, after in steps:
            a, h_after, fed = gates[t, :n], h[after, :n], plan.fed(h, 0, t, before, n)
            np.matmul(fed, across, out=recurrent)
            recurrent += bias_h
            a += bias_x
            inner[t, :n] = recurrent[:, last]
            sigmoids, candidate = a[:, both], a[:, last]
            sigmoids += recurrent[:, both]
            np.tanh(sigmoids, out=sigmoids)
            sigmoids *= 0.5
            sigmoids += 0.5
            np.multiply(a[:, :size], recurrent[:, last], out=reset)
            candidate += reset
            np.tanh(candidate, out=candidate)
            np.subtract(fed, candidate, out=h_after)
            h_after *= a[:, size : 2 * size]
            h_after += candidate

    def vjp(grads: Sequence[Array | None], needs: Sequence[bool]) -> tuple[Array | None, ...]:
        grad_out, grad_last = grads
        # four blocks: of n's, r's and z's arguments, and of U_n h; x sees the first three of them, h the last three
        d = room(len(x), x, 4 * size, plan)
        seen_by_x, seen_by_h = slice(0, 3 * size), slice(size, 4 * size)
        dh = np.zeros_like(scratch) if grad_last is None else np.array(grad_last)
        kept = None if keep is None else np.zeros_like(h)
        for n, steps in plan.backwards():
            dh_n, through, slope = dh[:n], scratch[:n], product[:n, both]
            for t, before, after in steps:
                a, d_t = gates[t, :n], d[t, :n]
                r, z, candidate = a[:, :size], a[:, size : 2 * size], a[:, last]
                d_n, d_r, d_z, d_inner = (d_t[:, k * size : (k + 1) * size] for k in range(4))
                if grad_out is not None:
                    dh_n += grad_out[t, :n]
                if kept is not None:
                    kept[after, :n] = dh_n
                np.subtract(plan.fed(h, 0, t, before, n), candidate, out=d_z)
                d_z *= dh_n
                np.multiply(candidate, candidate, out=through)
                np.subtract(1, through, out=through)
                np.subtract(1, z, out=d_n)
                d_n *= through
                d_n *= dh_n
                np.multiply(d_n, r, out=d_inner)
                np.multiply(d_n, inner[t, :n], out=d_r)
                np.multiply(a[:, both], a[:, both], out=slope)
                np.subtract(a[:, both], slope, out=slope)
                d_t[:, size : 3 * size] *= slope
                dh_n *= z
                dh_n += np.matmul(d_t[:, seen_by_h], weight_hh, out=through)
                plan.cut(t, dh_n)
        if keep is not None and kept is not None:
            kept[plan.first, np.arange(len(dh))] = dh
            keep(kept)
        fed = plan.all_fed(h, 0, reverse)
        turned = np.roll(weight_ih, size, 0)  # rows n, r, z
        of_x, of_ih, of_hh, of_bias_x, of_bias_h = weight_grads(
            x, fed, d[..., seen_by_x], d[..., seen_by_h], turned, (needs[0], *needs[2:])
        )
        of_ih, of_bias_x = (None if grad is None else np.roll(grad, -size, 0) for grad in (of_ih, of_bias_x))
        return of_x, dh if needs[1] else None, of_ih, of_hh, of_bias_x, of_bias_h

    return outputs(h, plan, reverse), vjp

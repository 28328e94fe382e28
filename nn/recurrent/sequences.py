"""A recurrent layer, one direction, over a whole sequence: three fused operations, each with its derivative beside it.

All inputs are multiplied by their weights in one product before the loop, and each weight's gradient is one product
after it; inside the loop remain one small product and some elementwise work in the cache. Sigmoids go through tanh,
sigmoid(a) = (1 + tanh(a / 2)) / 2, with the halving done on the weights. Time comes first: x (T, batch, features).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import buffers
from ..graph import Array
from ..rules import Operand, Rule, operation
from .schedule import Resets, Schedule, check, outputs, project, schedule, scratch_array, slots, sum_of, weight_grads

Keep = Callable[[Array], None]
"""Takes the gradient of the whole state by slot, (T + 1, batch, size of the state)."""

NONLINEARITIES: dict[str, tuple[Callable[..., Any], Callable[[Array], Any]]] = {
    "tanh": (np.tanh, lambda value: 1 - value * value),
    "relu": (lambda a, out: np.maximum(a, 0, out=out), lambda value: value > 0),
    "linear": (np.positive, lambda value: 1),
}
"""name -> (function, its slope as a function of its value)"""


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

    Args:
        x: (T, batch, features).
        h_0: (batch, hidden), or None for zeros.
        weight_ih, weight_hh: (hidden, features) and (hidden, hidden).
        bias_ih, bias_hh: (hidden,), or None.
        nonlinearity: a name of NONLINEARITIES.
        leak: the share of the new value in the state, above 0 and at most 1.
        lengths: integers (batch,) in falling order, or None if all sequences have T steps.
        reverse: whether time runs from the end to the start.
        resets: where sequences start afresh, or None.
        keep: called in backward with the gradient of the state.

    Returns:
        All h (T, batch, hidden) and the last h (batch, hidden).
    """
    size = check(x, [h_0], weight_ih, weight_hh, 1)
    function, slope = NONLINEARITIES[nonlinearity]
    order = schedule(x, lengths, reverse, resets)
    h = slots(x, h_0, size, order)
    values = project(x, weight_ih)  # becomes f(...)
    bias, across = sum_of(bias_ih, bias_hh), np.ascontiguousarray(weight_hh.T)
    product = np.empty(h.shape[1:], x.dtype)
    for n, steps in order.forwards:
        recurrent = product[:n]
        for t, before, after in steps:
            a, fed = values[t, :n], order.fed(h, 0, t, before, n)
            np.matmul(fed, across, out=recurrent)
            recurrent += bias
            a += recurrent
            function(a, out=a)
            if leak == 1:
                h[after, :n] = a
            else:
                h[after, :n] = fed + leak * (a - fed)

    def vjp(
        grads: Sequence[Array | None],
        needs: Sequence[bool],
        x: Array = x,
        weight_ih: Array = weight_ih,
        weight_hh: Array = weight_hh,
        h_0: Array | None = h_0,
        bias_ih: Array | None = bias_ih,
        bias_hh: Array | None = bias_hh,
        size: int = size,
        order: Schedule = order,
        nonlinearity: str = nonlinearity,
        leak: float = leak,
    ) -> tuple[Array | None, ...]:
        grad_out, grad_last = grads
        d = scratch_array(len(x), x, size, order)  # with respect to f's argument
        dh = np.zeros_like(product) if grad_last is None else np.array(grad_last)
        kept = None if keep is None else np.zeros_like(h)
        for n, steps in order.backwards():
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
                order.cut(t, dh_n)
        if keep is not None and kept is not None:
            kept[order.first, np.arange(len(dh))] = dh
            keep(kept)
        fed = order.all_fed(h, 0, reverse)
        of_x, *others = weight_grads(x, fed, d, d, weight_ih, (needs[0], *needs[2:]))
        return of_x, dh if needs[1] else None, *others

    return outputs(h, order, reverse), vjp


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

    Arguments as for `rnn`, with a second initial state c_0; the rows of the weights are those of i, f, g, o, as in
    PyTorch. The state whose gradient `keep` receives is h and c side by side.

    Returns:
        All h (T, batch, hidden), the last h and the last c (batch, hidden).
    """
    size = check(x, [h_0, c_0], weight_ih, weight_hh, 4)
    cut = [slice(k * size, (k + 1) * size) for k in range(4)]
    half, shift = (np.repeat(np.array(row, x.dtype), size) for row in ([0.5, 0.5, 1, 0.5], [0.5, 0.5, 0, 0.5]))
    order = schedule(x, lengths, reverse, resets)
    h, c = slots(x, h_0, size, order), slots(x, c_0, size, order)
    gates = project(x, weight_ih * half[:, None])
    bias, across = sum_of(bias_ih, bias_hh) * half, np.ascontiguousarray(weight_hh.T) * half
    squashed = buffers.empty((*x.shape[:2], size), x.dtype)  # tanh(c')
    product, scratch = np.empty(gates.shape[1:], x.dtype), np.empty(h.shape[1:], x.dtype)
    for n, steps in order.forwards:
        recurrent, new = product[:n], scratch[:n]
        for t, before, after in steps:
            a, c_after = gates[t, :n], c[after, :n]
            np.matmul(order.fed(h, 0, t, before, n), across, out=recurrent)
            recurrent += bias
            a += recurrent
            np.tanh(a, out=a)
            a *= half
            a += shift
            i, f, g, o = (a[:, k] for k in cut)
            np.multiply(i, g, out=new)
            np.multiply(f, order.fed(c, 1, t, before, n), out=c_after)
            c_after += new
            np.tanh(c_after, out=squashed[t, :n])
            np.multiply(o, squashed[t, :n], out=h[after, :n])

    def vjp(
        grads: Sequence[Array | None],
        needs: Sequence[bool],
        x: Array = x,
        weight_ih: Array = weight_ih,
        weight_hh: Array = weight_hh,
        h_0: Array | None = h_0,
        c_0: Array | None = c_0,
        bias_ih: Array | None = bias_ih,
        bias_hh: Array | None = bias_hh,
        size: int = size,
        order: Schedule = order,
    ) -> tuple[Array | None, ...]:
        grad_out, grad_h, grad_c = grads
        d = scratch_array(len(x), x, 4 * size, order)  # with respect to the gates' arguments
        dh = np.zeros_like(scratch) if grad_h is None else np.array(grad_h)
        dc = np.zeros_like(scratch) if grad_c is None else np.array(grad_c)
        kept = None if keep is None else np.zeros((len(h), len(dh), 2 * size), x.dtype)
        for n, steps in order.backwards():
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
                np.multiply(dc_n, order.fed(c, 1, t, before, n), out=d_t[:, cut[1]])
                np.multiply(dc_n, i, out=d_t[:, cut[2]])
                np.multiply(dh_n, tanh_c, out=d_t[:, cut[3]])
                np.multiply(a, a, out=slope)
                np.subtract(1, slope[:, cut[2]], out=slope[:, cut[2]])
                for sigmoids in (slice(0, 2 * size), cut[3]):
                    np.subtract(a[:, sigmoids], slope[:, sigmoids], out=slope[:, sigmoids])
                d_t *= slope
                dc_n *= f
                np.matmul(d_t, weight_hh, out=dh_n)
                order.cut(t, dh_n, dc_n)
        if keep is not None and kept is not None:
            kept[order.first, np.arange(len(dh))] = np.concatenate([dh, dc], 1)
            keep(kept)
        fed = order.all_fed(h, 0, reverse)
        of_x, *others = weight_grads(x, fed, d, d, weight_ih, (needs[0], *needs[3:]))
        return of_x, dh if needs[1] else None, dc if needs[2] else None, *others

    return (*outputs(h, order, reverse), c[order.last, np.arange(len(scratch))]), vjp


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

    Arguments as for `rnn`; the rows of the weights are those of r, z, n. As in PyTorch, r multiplies U_n h + b'_n.

    Returns:
        All h (T, batch, hidden) and the last h (batch, hidden).
    """
    size = check(x, [h_0], weight_ih, weight_hh, 3)
    both, last = slice(0, 2 * size), slice(2 * size, 3 * size)
    half = np.repeat(np.array([0.5, 0.5, 1], x.dtype), size)
    order = schedule(x, lengths, reverse, resets)
    h = slots(x, h_0, size, order)
    gates = project(x, weight_ih * half[:, None])
    across = np.ascontiguousarray(weight_hh.T) * half
    bias_x, bias_h = (0, 0) if bias_ih is None else (bias_ih * half, bias_hh * half)
    inner = buffers.empty((*x.shape[:2], size), x.dtype)  # U_n h + b'_n
    product, scratch = np.empty(gates.shape[1:], x.dtype), np.empty(h.shape[1:], x.dtype)
    for n, steps in order.forwards:
        recurrent, reset = product[:n], scratch[:n]
        for t, before, after in steps:
            a, h_after, fed = gates[t, :n], h[after, :n], order.fed(h, 0, t, before, n)
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

    def vjp(
        grads: Sequence[Array | None],
        needs: Sequence[bool],
        x: Array = x,
        weight_ih: Array = weight_ih,
        weight_hh: Array = weight_hh,
        h_0: Array | None = h_0,
        bias_ih: Array | None = bias_ih,
        bias_hh: Array | None = bias_hh,
        size: int = size,
        order: Schedule = order,
    ) -> tuple[Array | None, ...]:
        grad_out, grad_last = grads
        # four blocks: n's, r's and z's arguments, and U_n h; x enters the first three, h the last three
        d = scratch_array(len(x), x, 4 * size, order)
        seen_by_x, seen_by_h = slice(0, 3 * size), slice(size, 4 * size)
        dh = np.zeros_like(scratch) if grad_last is None else np.array(grad_last)
        kept = None if keep is None else np.zeros_like(h)
        for n, steps in order.backwards():
            dh_n, through, slope = dh[:n], scratch[:n], product[:n, both]
            for t, before, after in steps:
                a, d_t = gates[t, :n], d[t, :n]
                r, z, candidate = a[:, :size], a[:, size : 2 * size], a[:, last]
                d_n, d_r, d_z, d_inner = (d_t[:, k * size : (k + 1) * size] for k in range(4))
                if grad_out is not None:
                    dh_n += grad_out[t, :n]
                if kept is not None:
                    kept[after, :n] = dh_n
                np.subtract(order.fed(h, 0, t, before, n), candidate, out=d_z)
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
                order.cut(t, dh_n)
        if keep is not None and kept is not None:
            kept[order.first, np.arange(len(dh))] = dh
            keep(kept)
        fed = order.all_fed(h, 0, reverse)
        turned = np.roll(weight_ih, size, 0)  # rows n, r, z
        of_x, of_ih, of_hh, of_bias_x, of_bias_h = weight_grads(
            x, fed, d[..., seen_by_x], d[..., seen_by_h], turned, (needs[0], *needs[2:])
        )
        of_ih, of_bias_x = (None if grad is None else np.roll(grad, -size, 0) for grad in (of_ih, of_bias_x))
        return of_x, dh if needs[1] else None, of_ih, of_hh, of_bias_x, of_bias_h

    return outputs(h, order, reverse), vjp

"""What the fused sequences share: the order of the steps, where states are stored, and the products around the loop.

A state lives in one of T + 1 *slots*: slot t is the state before step t when time runs forward, and after it when time
runs in reverse. Sequences of different `lengths` stand longest first, so that those still running at a step are always
the first n. Where a sequence `resets`, a fresh state takes the place of the one before that step, and no gradient goes
further back: several episodes after one another are one sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import buffers
from ..graph import Array

Steps = list[tuple[int, list[tuple[int, int, int]]]]
"""Groups of steps with the same number of running sequences: (running, [(time, slot before, slot after), ...])."""


@dataclass(frozen=True)
class Resets:
    """Where sequences start afresh, booleans (T, batch), and the fresh value of each part of the state, (hidden,)."""

    at: Array
    fresh: Sequence[Array]

    def sequences(self) -> list[Array | None]:
        """For each step, which sequences start afresh before it; None where none does."""
        return [np.flatnonzero(step) if step.any() else None for step in self.at]


@dataclass(frozen=True)
class Schedule:
    """The order of the steps, the slots in which states begin and end, and the steps before which states are reset."""

    forwards: Steps
    first: Any  # the slot of each initial state: an integer, or one for each sequence
    last: Any
    lengths: Array | None
    resets: Resets | None
    afresh: Sequence[Array | None]  # for each time, the sequences that start afresh

    def backwards(self) -> Steps:
        """The same steps, the last one first."""
        return [(running, steps[::-1]) for running, steps in reversed(self.forwards)]

    def fed(self, states: Array, part: int, t: int, before: int, n: int) -> Array:
        """One part of the state that step t takes: that of the slot before, or the fresh one."""
        afresh = self.afresh[t]
        if afresh is None or self.resets is None:
            return states[before, :n]
        fed = states[before, :n].copy()
        fed[afresh] = self.resets.fresh[part]
        return fed

    def all_fed(self, states: Array, part: int, reverse: bool) -> Array:
        """One part of the state that each step took, (T, batch, hidden)."""
        before = states[1:] if reverse else states[:-1]
        if self.resets is None:
            return before
        return np.where(self.resets.at[..., None], self.resets.fresh[part], before)

    def cut(self, t: int, *grads: Array) -> None:
        """Set the gradients of the state before step t to 0 where that step started afresh."""
        afresh = self.afresh[t]
        if afresh is not None:
            for grad in grads:
                grad[afresh] = 0


def schedule(x: Array, lengths: Array | None, reverse: bool, resets: Resets | None = None) -> Schedule:
    """Order the steps over x (T, batch, features); `lengths` (batch,) in falling order."""
    times, batch = x.shape[:2]
    running = np.full(times, batch) if lengths is None else (lengths > np.arange(times)[:, None]).sum(1)
    groups: Steps = []
    for t in reversed(range(times)) if reverse else range(times):
        if not groups or groups[-1][0] != running[t]:
            groups.append((int(running[t]), []))
        groups[-1][1].append((t, t + 1, t) if reverse else (t, t, t + 1))
    end = times if lengths is None else lengths
    first, last = (end, 0) if reverse else (0, end)
    afresh = [None] * times if resets is None else resets.sequences()
    return Schedule([group for group in groups if group[0]], first, last, lengths, resets, afresh)


def scratch_array(times: int, x: Array, size: int, order: Schedule) -> Array:
    """An array (times, batch, size); zeros if sequences differ in length, for the entries that no step writes."""
    array = buffers.empty((times, x.shape[1], size), x.dtype)
    if order.lengths is not None:
        array[...] = 0
    return array


def slots(x: Array, initial: Array | None, size: int, order: Schedule) -> Array:
    """An array for all states, (T + 1, batch, size), with the initial states (zeros if None) in their slots."""
    states = scratch_array(len(x) + 1, x, size, order)
    states[order.first, np.arange(x.shape[1])] = 0 if initial is None else initial
    return states


def outputs(states: Array, order: Schedule, reverse: bool) -> tuple[Array, Array]:
    """A layer's outputs: its state after every step, 0 beyond a sequence's length, and its last states."""
    out = states[:-1] if reverse else states[1:]
    if reverse and order.lengths is not None:  # the initial states are stored just beyond
        out = np.where((np.arange(len(out))[:, None] < order.lengths)[..., None], out, np.zeros((), out.dtype))
    return out, states[order.last, np.arange(states.shape[1])]


def project(x: Array, weight: Array) -> Array:
    """x @ weight.T for all steps at once: (T, batch, features) -> (T, batch, gates)."""
    out = buffers.empty((*x.shape[:2], len(weight)), x.dtype)
    np.matmul(x.reshape(-1, x.shape[2]), weight.T, out=out.reshape(-1, len(weight)))
    return out


def weight_grads(
    x: Array, before: Array, grad_x: Array, grad_h: Array, weight_ih: Array, needs: Sequence[bool]
) -> list[Array | None]:
    """The gradients of (x, weight_ih, weight_hh, bias_ih, bias_hh); None for those that are not needed.

    Args:
        x: (T, batch, features).
        before: the state that each step took, (T, batch, hidden).
        grad_x, grad_h: the gradients of x @ weight_ih.T and of before @ weight_hh.T, (T, batch, gates) each.
        weight_ih: (gates, features).
        needs: for each of the five, whether it is needed.
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
    """Check that shapes fit, and return the hidden size.

    Raises:
        ValueError: a shape does not fit the others; names both.
    """
    size = weight_hh.shape[-1]
    if x.ndim != 3 or x.shape[2] != weight_ih.shape[1]:
        raise ValueError(f"expected x (time, batch, {weight_ih.shape[1]}), not {x.shape}")
    if weight_hh.shape != (gates * size, size) or len(weight_ih) != gates * size:
        expected = f"({gates} hidden, features) and ({gates} hidden, hidden)"
        raise ValueError(f"weights have shapes {weight_ih.shape} and {weight_hh.shape}; expected {expected}")
    for state in states:
        if state is not None and state.shape != (x.shape[1], size):
            raise ValueError(f"expected a state (batch, hidden) of shape {(x.shape[1], size)}, not {state.shape}")
    return size


def sum_of(bias_ih: Array | None, bias_hh: Array | None) -> Any:
    """The sum of both biases, 0 without them."""
    return 0 if bias_ih is None else bias_ih + bias_hh

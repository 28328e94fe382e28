"""Beliefs: how likely each state is to one who does not see it, after a history of actions and observations."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.world import World
from .mdp import TabularMDP, as_process

Floats: TypeAlias = NDArray[np.float64]
NO_OBSERVATION: Final = -1
"""in a history: nothing was observed"""


class Filter:
    """How beliefs change: the tables of a process as a filter reads them.

    A terminal state is left by the end of the episode, so whoever goes on is not in one.

    Args:
        mdp: the process.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        self.mdp, self.states, self.actions = mdp, mdp.states, mdp.probability.shape[1]
        self.lives = ~mdp.terminal
        self.sight = sight_of(mdp)  # (A, S, observations)
        self._cells = np.arange(self.actions)[None, :, None] * self.states + mdp.next_state

    def predicted(self, belief: Floats) -> Floats:
        """Return the probability of each next state after each action, (A, S); those that end the episode are 0."""
        weight = belief[:, None, None] * self.mdp.probability
        count = self.actions * self.states
        ahead: Floats = np.bincount(self._cells.ravel(), weight.ravel(), minlength=count).astype(np.float64)
        return ahead.reshape(self.actions, self.states) * self.lives

    def expected(self, values: Floats) -> Floats:
        """Return the mean of values (A, S) of the next state, for each state and action, (S, A)."""
        after: Floats = np.einsum("sak,sak->sa", self.mdp.probability, (values * self.lives).ravel()[self._cells])
        return after


def sight_of(mdp: TabularMDP) -> Floats:
    """Return the probability of each observation in each state after each action, (A, S, observations), read-only."""
    table: Floats = np.asarray(mdp.observation, dtype=np.float64)
    if table.ndim == 1:
        table = (table[:, None] == np.arange(mdp.observations)).astype(np.float64)
    if table.ndim == 2:
        return np.broadcast_to(table, (mdp.probability.shape[1], *table.shape))
    return table


def belief(
    problem: World | TabularMDP,
    actions: Iterable[int],
    observations: Iterable[int],
    *,
    start: Floats | None = None,
) -> Floats:
    """Return how likely each state is after a history, (S,), exact up to rounding (Bayes' rule).

    Args:
        problem: a TabularMDP, or a World, of which the observations are numbered as in `TabularMDP.from_world`.
        actions: those that were taken.
        observations: what was observed after each; or one more, in front: what was observed at the start. A
            `NO_OBSERVATION` says nothing.
        start: how likely each state was before; by default as episodes begin. The episode goes on: what ends it did not
            happen.

    Raises:
        ValueError: as many observations as actions, or one more, are needed; a number out of range; a history that
            cannot happen; a start that is not a distribution.
        TypeError: neither a World nor a TabularMDP.

    Example:
        >>> from mazegrad.envs import POMDPS, belief
        >>> belief(POMDPS["tiger"]().mdp, actions=[0, 0], observations=[0, 0]).round(2)  # heard twice on the left
        array([0.97, 0.03])
    """
    mdp = as_process(problem)
    taken, seen = [int(action) for action in actions], [int(number) for number in observations]
    if len(seen) - len(taken) not in (0, 1):
        raise ValueError(f"{len(taken)} actions need {len(taken)} or {len(taken) + 1} observations, not {len(seen)}")
    known = Filter(mdp)
    for what, numbers, count in (("action", taken, known.actions), ("observation", seen, known.sight.shape[2])):
        for number in numbers:
            if not (0 <= number < count or (what == "observation" and number == NO_OBSERVATION)):
                raise ValueError(f"an {what} of this process is a number from 0 to {count - 1}, not {number}")
    b = np.array(mdp.start if start is None else start, dtype=np.float64)
    if b.shape != (known.states,) or not (b >= 0).all() or abs(b.sum() - 1) > 1e-9:
        raise ValueError(f"a start must be {known.states} probabilities whose sum is 1")
    if len(seen) > len(taken):
        first = seen.pop(0)
        if first != NO_OBSERVATION and np.asarray(mdp.observation).ndim == 3:
            raise ValueError("here nothing is observed before the first action")
        b = _told(b, 1.0 if first == NO_OBSERVATION else known.sight[0, :, first], "at the start")
    for step, (action, number) in enumerate(zip(taken, seen, strict=True), 1):
        b = known.predicted(b)[action]
        b = _told(b, 1.0 if number == NO_OBSERVATION else known.sight[action, :, number], f"after action {step}")
    return b


def _told(b: Floats, likelihood: Any, when: str) -> Floats:
    """Return a belief after an observation."""
    b = b * likelihood
    total = b.sum()
    if not total > 0:
        raise ValueError(f"this history cannot happen: {when} there is no state in which this is observed")
    return np.asarray(b / total)

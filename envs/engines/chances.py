"""A decision process as thresholds: which start, which outcome and which observation 53 random bits stand for.

Of a distribution p the k-th entry is drawn by numbers below 2**53 times the sum of p up to k, and not below that before
it. Both engines, of one lane and of many, read these thresholds, so they draw alike.
"""

from bisect import bisect_right
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.randomness import below
from ..planning.mdp import TabularMDP

_ALL: Final = np.uint64(2**53)


def thresholds(table: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the thresholds of distributions in the last axis; the same shape, rising, the last ones 2**53."""
    bounds = below(np.minimum(np.cumsum(table, axis=-1), 1.0))
    possible = table > 0
    later = possible.sum(axis=-1, keepdims=True) - np.cumsum(possible, axis=-1)  # entries that can still be drawn
    bounds[later == 0] = _ALL
    return bounds


def drawn(bounds: NDArray[np.uint64], random: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return which entry numbers draw, (n,).

    Args:
        bounds: (n, k) thresholds.
        random: (n,) 53 random bits each.
    """
    return (random[:, None] >= bounds).sum(axis=1)


class Chances:
    """The tables of a decision process, for agents that are moved together.

    Args:
        mdp: the process.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        self._mdp = mdp
        self.start = thresholds(mdp.start)
        self.outcome = thresholds(mdp.probability)
        self.noisy = mdp.probability.shape[2] > 1
        # (A or 1, S, observations); None where a state has one observation
        self.seen = None if mdp.observation.ndim == 1 else thresholds(mdp.sights())

    def begin(self, random: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the states in which episodes begin, (n,)."""
        return np.searchsorted(self.start, random, side="right")

    def move(
        self, state: NDArray[np.int64], action: NDArray[np.int64], random: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the next states and the rewards, (n,) each."""
        which = drawn(self.outcome[state, action], random) if self.noisy else 0
        return self._mdp.next_state[state, action, which], self._mdp.reward[state, action, which]

    def see(
        self, action: NDArray[np.int64] | int, state: NDArray[np.int64], random: NDArray[np.uint64]
    ) -> NDArray[np.int64]:
        """Return what is observed, (n,), where that is random; the action led to the state."""
        assert self.seen is not None
        return drawn(self.seen[action if len(self.seen) > 1 else 0, state], random)


class Chance:
    """The same tables as plain Python lists, for one agent; a row of moves is made when it is first asked for.

    Args:
        chances: the tables.
        mdp: the process.
    """

    def __init__(self, chances: Chances, mdp: TabularMDP) -> None:
        self._chances, self._mdp = chances, mdp
        self._start = chances.start.tolist()
        self._rows: dict[int, Any] = {}
        self._seen: dict[tuple[int, int], list[int]] = {}

    def begin(self, random: int) -> int:
        """Return the state in which an episode begins."""
        return bisect_right(self._start, random)

    def see(self, action: int, state: int, random: int) -> int:
        """Return what is observed, where that is random."""
        if (bounds := self._seen.get((action, state))) is None:
            seen = self._chances.seen
            assert seen is not None
            bounds = self._seen[action, state] = seen[action if len(seen) > 1 else 0, state].tolist()
        return bisect_right(bounds, random)

    def move(self, state: int, action: int, random: int) -> tuple[int, float, bool]:
        """Return the next state, the reward and whether the episode is over."""
        if (row := self._rows.get(state)) is None:
            mdp, after = self._mdp, self._mdp.next_state[state]
            table = (self._chances.outcome[state], after, mdp.reward[state], mdp.terminal[after])
            row = self._rows[state] = list(zip(*(part.tolist() for part in table), strict=True))
        bounds, next_state, reward, over = row[action]
        which = bisect_right(bounds, random)
        return next_state[which], reward[which], over[which]

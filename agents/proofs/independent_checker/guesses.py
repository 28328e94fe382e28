"""Guessed value functions, in floating point: their errors are bounded in fractions where they are used."""

from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .policy_boxes import Box
from .problem import Problem, State, Values

QUIT: Final = 1e7
"""at discount 1 some policies never end; in a guess a state may quit at this price, relative to the largest reward"""


class Guesser:
    """Guesses the values of relaxed problems, in which each state chooses its own distribution within a box."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        index = {state: i for i, state in enumerate(problem.states)}
        n = len(index)
        self._steps = np.zeros((n, problem.actions, n))  # discounted
        self._rewards = np.zeros((n, problem.actions))
        self._first = np.zeros(n)  # the values with which a guess begins, from an earlier guess
        for state, moves in problem.moves.items():
            for action, move in enumerate(moves):
                for chance, after, reward in move:
                    self._rewards[index[state], action] += float(chance * reward)
                    if after is not None:
                        self._steps[index[state], action, index[after]] += float(chance * problem.gamma)

    def guess(self, box: Box) -> tuple[Values, dict[State, int]]:
        """Return approximate values of the best in a box, and a best action of each state: policy iteration."""
        problem, steps, rewards = self.problem, self._steps, self._rewards
        n, undiscounted = len(rewards), problem.gamma == 1
        limits = [box[problem.observation[s]] for s in problem.states]
        low = np.array([[float(x) for x in least] for least, _ in limits]).reshape(n, problem.actions)
        room = np.array([[float(x) for x in largest] for _, largest in limits]).reshape(n, problem.actions) - low
        price = -QUIT * max(1.0, float(np.abs(rewards).max(initial=0)))
        quits = np.full(n, undiscounted)
        mix = low.copy()
        value = np.full(n, price) if undiscounted else self._first
        for number in range(1000):
            q = rewards + steps @ value
            better = _filled(low, room, q)
            gain = (better * q).sum(axis=1) - (mix * q).sum(axis=1)
            size = max(1.0, float(np.abs(value[~quits]).max(initial=0)))
            change = (gain > 1e-14 * size) | (number == 0)
            still_quits = quits & ((better * q).sum(axis=1) <= price + 1e-9)
            if not (change & ~still_quits).any() and (quits == still_quits).all():
                break
            mix = np.where((change | quits)[:, None], better, mix)
            quits = still_quits
            matrix = np.eye(n) - np.where(quits[:, None], 0.0, np.einsum("sa,sat->st", mix, steps))
            value = np.linalg.solve(matrix, np.where(quits, price, (mix * rewards).sum(axis=1)))
        if not undiscounted and not self._first.any():
            self._first = value
        best = (rewards + steps @ value + np.where(room + low > 0, 0, -1e300)).argmax(axis=1)
        values = {s: Fraction(round(v * 2**50), 2**50) for s, v in zip(problem.states, value.tolist(), strict=True)}
        return values, dict(zip(problem.states, best.tolist(), strict=True))


def _filled(low: NDArray[Any], room: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    """Return the distributions with the largest mean of q, (n, A): what is left over `low` goes to the best actions."""
    filled, left, rows = low.copy(), 1 - low.sum(axis=1), np.arange(len(q))
    for action in np.argsort(-q, axis=1, kind="stable").T:
        more = np.minimum(left, room[rows, action])
        filled[rows, action] += more
        left = left - more
    return filled

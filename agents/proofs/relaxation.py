"""The relaxed problem of a box: each state chooses its own distribution, so its value bounds every policy in the box.

In a box each observation has a least and a largest probability of each action. In the relaxed problem of the box each
*state* chooses its own distribution, within the limits of its observation. Its value is at least that of any memoryless
policy in the box. It is equal if aliased states choose the same distribution, and it is V* for the box of all policies.
"""

from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .boxes import Box, Disagreement
from .exact import ceiling_of
from .model import Floats, Model

SLACK: Final = 1e-11
"""relative: bounds this close count as equal, and proved bounds are rounded up by this"""
QUIT: Final = 1e7
"""at discount 1 relaxed problems may quit at this price, relative to the largest reward, so that all have a value"""
_ROUNDS: Final = 1000


class Relaxed(NamedTuple):
    """The solution of a relaxed problem."""

    upper: float
    """the value over the starts, proved up to rounding"""
    chosen: Floats
    """(n, A): the distribution of each state"""
    weight: Floats
    """(n,): the expected discounted visits of each state"""
    q: Floats
    """(n, A): the action values; solving a part of the box may begin with them"""


class Relaxation:
    """Solves the relaxed problems of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.gamma, n = float(model.discount), model.count
        self.quit = QUIT * max(1.0, float(np.abs(model.reward).max(initial=0))) if model.discount == 1 else np.inf
        self._entries = (np.arange(n)[:, None, None] * (n + 1) + model.next_state).ravel()  # of a matrix (n, n + 1)

    def whole(self) -> Box:
        """Return the box of all policies; of actions with equal results in all aliased states, only the first."""
        model = self.model
        low = np.zeros((model.observations, model.actions))
        high = np.ones_like(low)
        for observation in np.unique(model.observation).tolist():
            states = np.flatnonzero(model.observation == observation).tolist()
            results = [
                [(model.rewards[s][a], sorted(model.transitions[s][a])) for s in states] for a in range(model.actions)
            ]
            for a in range(1, model.actions):
                high[observation, a] = results[a] not in results[:a]
        return low, high

    def solve(self, box: Box, q: Floats | None = None) -> Relaxed:
        """Solve the relaxed problem of a box by policy iteration.

        Args:
            box: see `boxes.Box`.
            q: (n, A) approximate action values to begin with; by default the rewards.
        """
        model, n = self.model, self.model.count
        low, high = box[0][model.observation], box[1][model.observation]
        quits = np.full(n, model.discount == 1)
        chosen = _filled(low, high, model.reward if q is None else q)
        values, previous = self._evaluate(chosen, quits), None
        for _ in range(_ROUNDS):
            q = self.backup(values)
            greedy = _filled(low, high, q)
            best = (greedy * q).sum(axis=1)
            tolerance = 1e-14 * max(1.0, float(np.abs(values[~quits]).max(initial=0)))
            keep = (chosen * q).sum(axis=1) >= best - tolerance
            leaves = best > -self.quit + tolerance
            if (keep | (quits & ~leaves)).all() and (quits <= ~leaves).all():
                break
            chosen = np.where((keep & ~quits)[:, None], chosen, greedy)
            quits = ~leaves
            values = self._evaluate(chosen, quits)
            if previous is not None and (values <= previous).all():
                break  # only rounding is left to improve
            previous = values
        q = self.backup(values)
        residual = float(((_filled(low, high, q) * q).sum(axis=1) - values)[~quits].max(initial=0))
        residual += 64 * np.finfo(float).eps * float(np.abs(values).max(initial=0))
        start = float(model.start @ values)
        upper = float(ceiling_of(model, Fraction(start), Fraction(residual))) + SLACK * max(abs(start), 1e-3)
        equal = SLACK * max(1.0, float(np.abs(values[~quits]).max(initial=0)))
        chosen = _filled(
            low, high, np.round(q / equal) - self._rank(q, equal) / (2 * model.actions)
        )  # ties go to the popular action
        return Relaxed(upper, chosen, self._visits(chosen, quits), q)

    def value_of(self, policy: Floats) -> float:
        """Return the value of a memoryless policy, (observations, A), over the starts, rounded up."""
        return self.solve((policy, policy)).upper

    def backup(self, values: Floats) -> Floats:
        """Return the action values, (n, A), of state values, (n,)."""
        model = self.model
        following = np.append(values, 0.0)[model.next_state]
        return model.reward + self.gamma * (model.probability * following).sum(axis=2)

    def _matrix(self, chosen: Floats, quits: NDArray[np.bool_]) -> Floats:
        n = self.model.count
        weights = (chosen[:, :, None] * self.model.probability * self.gamma).ravel()
        steps: Floats = np.bincount(self._entries, weights, n * (n + 1)).astype(np.float64).reshape(n, n + 1)[:, :n]
        steps[quits] = 0
        return np.eye(n) - steps

    def _evaluate(self, chosen: Floats, quits: NDArray[np.bool_]) -> Floats:
        rewards = np.where(quits, -self.quit if quits.any() else 0.0, (chosen * self.model.reward).sum(axis=1))
        values: Floats = np.linalg.solve(self._matrix(chosen, quits), rewards).astype(np.float64)
        return values

    def _visits(self, chosen: Floats, quits: NDArray[np.bool_]) -> Floats:
        try:
            visits: Floats = np.linalg.solve(self._matrix(chosen, quits).T, self.model.start).astype(np.float64)
        except np.linalg.LinAlgError:  # at discount 1, rounding made a cycle
            visits = self.model.start
        return visits

    def _rank(self, q: Floats, tolerance: float) -> NDArray[np.int64]:
        """Return (n, A), 0 to A - 1: the actions in order of the number of aliased states in which they are best."""
        observation = self.model.observation
        count = np.zeros((self.model.observations, self.model.actions))
        np.add.at(count, observation, q >= q.max(axis=1, keepdims=True) - tolerance)
        rank = np.argsort(np.argsort(-count, axis=1, kind="stable"), axis=1, kind="stable")
        return rank[observation].astype(np.int64)

    def compare(self, box: Box, relaxed: Relaxed) -> Disagreement:
        """Return how aliased states differ in their choices."""
        observation, count, actions = self.model.observation, self.model.observations, self.model.actions
        weight = np.maximum(relaxed.weight, 0)
        total = np.bincount(observation, weight, count)
        mean = np.zeros((count, actions))
        np.add.at(mean, observation, relaxed.chosen * weight[:, None])
        mean = np.divide(mean, total[:, None], out=np.full((count, actions), 1 / actions), where=total[:, None] > 0)
        apart = np.zeros((count, actions))
        np.add.at(apart, observation, np.abs(relaxed.chosen - mean[observation]) * weight[:, None])
        q, best = relaxed.q, (relaxed.chosen * relaxed.q).sum(axis=1)
        price = np.zeros((count, actions))
        np.add.at(price, observation, (best[:, None] - q) * weight[:, None])
        price = np.where(box[1] > 0, price, np.inf).min(axis=1)
        return Disagreement(mean, apart, np.where(apart.sum(axis=1) > 1e-12, price, -np.inf))


def _filled(low: Floats, high: Floats, q: Floats) -> Floats:
    """Return the distributions between low and high with the largest mean of q, (n, A): the best actions get most."""
    order = np.argsort(-q, axis=1, kind="stable")
    chosen = low.copy()
    left = 1 - low.sum(axis=1)
    rows = np.arange(len(q))
    for k in range(q.shape[1]):
        action = order[:, k]
        more = np.minimum(left, high[rows, action] - low[rows, action])
        chosen[rows, action] += more
        left = left - more
    return chosen

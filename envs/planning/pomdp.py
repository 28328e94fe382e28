"""What is best for one who does not see the state: QMDP, and point-based value iteration between two bounds.

The lower bound is a set of vectors, each the value of a plan in every state; the upper bound is a set of points, and
linear in between. Both are improved at beliefs that good plans come by, chosen where the bounds differ most (HSVI:
Smith & Simmons, UAI 2004 and 2005; SARSOP: Kurniawati, Hsu & Lee, RSS 2008). The upper bound begins with the fast
informed bound (Hauskrecht, JAIR 13, 2000), the lower one with plans that always take one action.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..core.world import World
from .beliefs import Filter, Floats
from .checks import check_discount
from .mdp import TabularMDP, as_process

_TINY: Final = 1e-14  # probabilities below are rounding
_VISITED: Final = 1500  # beliefs that a sweep improves
_AT_ONCE: Final = 32


@dataclass(frozen=True, eq=False, repr=False)
class BeliefValues:
    """Bounds on the value of the best plan from each belief, and the plan of the lower bound.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import POMDPS, point_based
        >>> tiger = POMDPS["tiger"]()
        >>> plan = point_based(tiger.mdp, discount=0.75)
        >>> unsure, sure = np.array([0.5, 0.5]), np.array([0.97, 0.03])  # where the tiger is
        >>> tiger.actions[plan.action(unsure)], tiger.actions[plan.action(sure)]
        ('listen', 'open-right')
        >>> round(plan.value(unsure), 2), round(plan.value(sure), 2)
        (1.93, 8.15)
    """

    vectors: Floats
    """(n, S): the value of n plans in each state"""
    actions: NDArray[np.int64]
    """(n,): the first action of each plan"""
    lower: float
    """a bound on the best expected return, over all starts and first observations; -inf where it is not known (QMDP)"""
    upper: float
    points: tuple[Floats, Floats]
    """(m, S) beliefs and (m,) upper bounds there; the first S are the states"""
    discount: float

    def value(self, belief: Floats) -> float:
        """Return the largest value of the vectors at a belief: for `point_based` a lower bound, for `qmdp` an upper."""
        return float((self.vectors @ belief).max())

    def upper_value(self, belief: Floats) -> float:
        """Return an upper bound on the optimal value at a belief."""
        return float(_sawtooth(*self.points, belief[None])[0])

    def action(self, belief: Floats) -> int:
        """Return the action of the best plan at a belief, the first of equals."""
        return int(self.actions[(self.vectors @ belief).argmax()])

    def __repr__(self) -> str:
        return f"<BeliefValues: {len(self.vectors)} vectors, {self.lower:.6g} to {self.upper:.6g} from the start>"


def qmdp(problem: World | TabularMDP, *, discount: float = 0.95, tol: float = 1e-9) -> BeliefValues:
    """Return the values of one who will see the state after the next action (Littman, Cassandra & Kaelbling, 1995).

    They are upper bounds. Its plans never look for information.

    Args:
        problem: a World, or a TabularMDP.
        discount: from 0, below 1.
        tol: the error of the values.

    Raises:
        ValueError: a discount out of its range.
        TypeError: neither a World nor a TabularMDP.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import POMDPS, qmdp
        >>> plan = qmdp(POMDPS["tiger"]().mdp)
        >>> round(plan.value(np.array([0.5, 0.5])), 2)  # were the state seen after one step; the best plan has 19.4
        189.0
    """
    mdp, discount = as_process(problem), _below_one(discount)
    known = Filter(mdp)
    q = _informed(known, discount, tol, told=True)
    corners = q.max(axis=1)
    weights, firsts = _firsts(known)
    upper = float(weights @ (firsts @ q).max(axis=1))
    return BeliefValues(q.T.copy(), np.arange(known.actions), -np.inf, upper, (np.eye(known.states), corners), discount)


def point_based(
    problem: World | TabularMDP,
    *,
    discount: float = 0.95,
    tol: float = 1e-3,
    max_backups: int = 20_000,
    time_limit: float | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> BeliefValues:
    """Return lower and upper bounds on the best expected return, and plans that reach the lower one.

    Nothing is drawn at random: without a time limit the result is the same each time.

    Args:
        problem: a World, or a TabularMDP.
        discount: from 0, below 1.
        tol: stop when the bounds at the start differ by less.
        max_backups: stop after this many improvements of both bounds.
        time_limit: stop after about this many seconds; None for no limit.
        progress: called after each walk with both bounds at the start.

    Raises:
        ValueError: a discount out of its range, a tol that is not positive.
        TypeError: neither a World nor a TabularMDP.

    Example:
        >>> from mazegrad.envs import POMDPS, point_based
        >>> plan = point_based(POMDPS["tiger"]().mdp, discount=0.75, tol=0.01)
        >>> round(plan.lower, 1), round(plan.upper, 1), plan.upper - plan.lower < 0.01
        (1.9, 1.9, True)
    """
    mdp, discount = as_process(problem), _below_one(discount)
    if not tol > 0:
        raise ValueError(f"tol must be a positive number, not {tol!r}")
    search = _Search(Filter(mdp), discount)
    end = math.inf if time_limit is None else time.monotonic() + time_limit
    while search.gap() > tol and search.backups < max_backups and time.monotonic() < end:
        before = search.backups
        search.walk(tol, lambda: search.backups < max_backups and time.monotonic() < end)
        if progress is not None:
            progress(*search.bounds_at_start())
        if search.backups == before:
            break
    return search.result()


POMDP_SOLVERS: Final[Mapping[str, Callable[..., BeliefValues]]] = MappingProxyType(
    {"qmdp": qmdp, "point_based": point_based}
)
"""Name -> function from a process to `BeliefValues`."""


class _Search:
    """Both bounds, and the walks that improve them."""

    def __init__(self, known: Filter, discount: float) -> None:
        self.known, self.discount = known, discount
        self.weights, self.firsts = _firsts(known)
        self.reward = known.mdp.expected_reward()
        blind = _blind(known, discount)
        self.vectors, self.actions = blind, np.arange(known.actions)
        informed = _informed(known, discount, 1e-6, told=False)
        self.corners = informed.max(axis=1)
        self.beliefs, self.bounds = np.zeros((0, known.states)), np.zeros(0)
        self.backups = self.swept = 0
        # where backups were made lately: the belief, and what may follow it, (A, S)
        self.visited = [(b, known.predicted(b)) for b in self.firsts]

    def lower(self, b: Floats) -> float:
        return float((self.vectors @ b).max())

    def upper(self, b: Floats) -> float:
        return float(self._uppers(b[None])[0])

    def bounds_at_start(self) -> tuple[float, float]:
        lowers = (self.firsts @ self.vectors.T).max(axis=1)
        return float(self.weights @ lowers), float(self.weights @ self._uppers(self.firsts))

    def gap(self) -> float:
        lower, upper = self.bounds_at_start()
        return upper - lower

    def _uppers(self, beliefs: Floats) -> Floats:
        return _sawtooth(
            np.concatenate([np.eye(self.known.states), self.beliefs]),
            np.concatenate([self.corners, self.bounds]),
            beliefs,
        )

    def walk(self, tol: float, go_on: Callable[[], bool]) -> None:
        """Walk from a start along what may be best and is known least, then improve both bounds on the way back."""
        gaps = self._uppers(self.firsts) - (self.firsts @ self.vectors.T).max(axis=1)
        way, b, depth = [], self.firsts[gaps.argmax()], 0
        while go_on():
            way.append(b)
            if self.upper(b) - self.lower(b) <= tol * self.discount**-depth or depth > 400:
                break
            _, excess, after = self._ahead(b, tol * self.discount ** -(depth + 1))
            if not len(excess) or excess.max() <= 0:  # without an observation the episode is over
                break
            b = after[excess.argmax()]
            depth += 1
        for b in reversed(way):
            self.backup(b)

    def _ahead(self, b: Floats, wanted: float) -> tuple[Floats, Floats, Floats]:
        """Return the upper Q of each action; after the best, of each observation the weighted excess and the belief."""
        known, predicted = self.known, self.known.predicted(b)
        joint = np.moveaxis(predicted[:, :, None] * known.sight, 2, 1)  # (A, observations, S)
        chance = joint.sum(axis=2)
        possible = chance > _TINY
        after = joint[possible] / chance[possible][:, None]
        q, uppers = b @ self.reward, np.zeros(chance.shape)
        uppers[possible] = self._uppers(after)
        q = q + self.discount * (chance * uppers).sum(axis=1)
        best = int(q.argmax())
        here = possible[best]
        first = int(possible[:best].sum())
        beliefs = after[first : first + int(here.sum())]
        lowers = (self.vectors @ beliefs.T).max(axis=0)
        return q, chance[best][here] * (uppers[best][here] - lowers - wanted), beliefs

    def backup(self, b: Floats) -> None:
        """Improve both bounds at a belief."""
        self.backups += 1
        known, sight = self.known, self.known.sight
        q, *_ = self._ahead(b, 0.0)
        if q.max() < self.upper(b) - _TINY:
            self.beliefs, self.bounds = np.concatenate([self.beliefs, b[None]]), np.append(self.bounds, q.max())
        self.visited.append((b, predicted := known.predicted(b)))
        joint = predicted[:, :, None] * sight  # (A, S, observations)
        best = np.einsum("ns,aso->nao", self.vectors, joint).argmax(axis=0)  # (A, observations)
        ahead = np.einsum("aso,aos->as", sight, self.vectors[best])
        candidates = (self.reward + self.discount * known.expected(ahead)).T  # (A, S)
        candidates[:, ~known.lives] = 0.0
        action = int((candidates @ b).argmax())
        if candidates[action] @ b > self.lower(b) + _TINY:
            self.vectors = np.concatenate([self.vectors, candidates[action][None]])
            self.actions = np.append(self.actions, action)
        if self.backups % 50 == 0:
            self._prune()
        if self.backups % 50 == 0 and self.swept <= self.backups:  # about half of the work
            self._sweep()

    def _sweep(self) -> None:
        """Improve the lower bound at all beliefs that were visited lately, and keep the vectors that are best at one.

        Spaan & Vlassis, "Perseus" (2005), in the order of visits: a vector that lifts other beliefs too saves their
        backups.
        """
        known, sight, firsts = self.known, self.known.sight, len(self.firsts)
        del self.visited[firsts : max(firsts, len(self.visited) - _VISITED)]
        beliefs = np.stack([b for b, _ in self.visited])
        before = (beliefs @ self.vectors.T).max(axis=1)
        lifted = np.full(len(beliefs), -np.inf)
        vectors, actions = [], []
        for first in range(0, len(beliefs), _AT_ONCE):
            some = np.flatnonzero(lifted[first : first + _AT_ONCE] < before[first : first + _AT_ONCE] + _TINY) + first
            joint = np.stack([self.visited[one][1] for one in some])[..., None] * sight if len(some) else ()
            best = np.tensordot(self.vectors, joint, axes=(1, 2)).argmax(axis=0) if len(some) else ()
            for one, choice in zip(some.tolist(), best, strict=True):  # choice: (A, observations)
                if lifted[one] >= before[one] + _TINY:
                    continue
                self.swept += 1
                ahead = np.einsum("aso,aos->as", sight, self.vectors[choice])
                candidates = (self.reward + self.discount * known.expected(ahead)).T
                candidates[:, ~known.lives] = 0.0
                action = int((candidates @ beliefs[one]).argmax())
                if candidates[action] @ beliefs[one] > before[one] + _TINY:
                    vectors.append(candidates[action])
                    actions.append(action)
                    lifted = np.maximum(lifted, beliefs @ candidates[action])
        if vectors:
            self.vectors, self.actions = np.concatenate([self.vectors, vectors]), np.append(self.actions, actions)
        kept = np.unique((beliefs @ self.vectors.T).argmax(axis=1))
        self.vectors, self.actions = self.vectors[kept], self.actions[kept]

    def _prune(self) -> None:
        """Drop vectors that are nowhere above another one, and points that the others imply."""
        kept: list[int] = []
        for one in range(len(self.vectors) - 1, -1, -1):
            if not kept or not (self.vectors[kept] >= self.vectors[one] - _TINY).all(axis=1).any():
                kept.append(one)
        kept.reverse()
        self.vectors, self.actions = self.vectors[kept], self.actions[kept]
        if len(self.beliefs):
            needed = np.ones(len(self.beliefs), dtype=bool)
            for one in range(len(self.beliefs)):
                needed[one] = False
                rest = np.concatenate([np.eye(self.known.states), self.beliefs[needed]])
                bounds = np.concatenate([self.corners, self.bounds[needed]])
                needed[one] = _sawtooth(rest, bounds, self.beliefs[one][None])[0] > self.bounds[one] + 1e-12
            self.beliefs, self.bounds = self.beliefs[needed], self.bounds[needed]

    def result(self) -> BeliefValues:
        self._prune()
        points = np.concatenate([np.eye(self.known.states), self.beliefs]), np.concatenate([self.corners, self.bounds])
        lower, upper = self.bounds_at_start()
        return BeliefValues(self.vectors, self.actions, lower, upper, points, self.discount)


def _firsts(known: Filter) -> tuple[Floats, Floats]:
    """Return how likely each first observation is, (m,), and the beliefs after it, (m, S); one where there is none."""
    start = np.array(known.mdp.start)
    if np.asarray(known.mdp.observation).ndim == 3:
        return np.ones(1), start[None]
    joint = (start[:, None] * known.sight[0]).T
    joint = joint[joint.sum(axis=1) > 0]
    chance = joint.sum(axis=1)
    return chance, joint / chance[:, None]


def _sawtooth(points: Floats, bounds: Floats, beliefs: Floats) -> Floats:
    """Return an upper bound at each belief, (n,): linear between the corners and one of the points.

    Args:
        points: (m, S); the first S are the corners.
        bounds: (m,).
        beliefs: (n, S).
    """
    states = beliefs.shape[1]
    flat = beliefs @ bounds[:states]
    inner, below = points[states:], bounds[states:] - points[states:] @ bounds[:states]
    best = flat.copy()
    for first in range(0, len(inner), 256):
        some = inner[first : first + 256]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.where(some[:, None] > 0, beliefs[None] / some[:, None], np.inf).min(axis=2)  # (m, n)
        best = np.minimum(best, (flat + below[first : first + 256, None] * np.minimum(ratio, 1.0)).min(axis=0))
    return best


def _informed(known: Filter, discount: float, tol: float, *, told: bool) -> Floats:
    """Return upper bounds of Q, (S, A): of one who will be told the state, or else by the fast informed bound."""
    reward = known.mdp.expected_reward()
    q = np.full(reward.shape, max(float(reward.max()), 0.0) / (1 - discount))
    q[~known.lives] = 0.0
    while True:
        if told:
            ahead = known.expected(np.broadcast_to(q.max(axis=1), (known.actions, known.states)))
        else:
            ahead = np.zeros(reward.shape)
            for number in range(known.sight.shape[2]):
                seen = known.sight[:, :, number]
                ahead += np.max([known.expected(seen * q[:, after]) for after in range(known.actions)], axis=0)
        new = np.where(known.lives[:, None], reward + discount * ahead, 0.0)
        change = float(np.abs(new - q).max())
        q = new
        if change <= tol * (1 - discount):
            return q


def _blind(known: Filter, discount: float) -> Floats:
    """Return lower bounds of the values of taking one action for ever, (A, S)."""
    reward = known.mdp.expected_reward()
    v = np.full((known.actions, known.states), min(float(reward.min()), 0.0) / (1 - discount))
    v[:, ~known.lives] = 0.0
    while True:
        new = np.where(known.lives[:, None], reward + discount * known.expected(v), 0.0).T
        change = float(np.abs(new - v).max())
        v = new
        if change <= 1e-6 * (1 - discount):
            return v


def _below_one(discount: float) -> float:
    if check_discount(discount) == 1:
        raise ValueError("beliefs need a discount below 1")
    return float(discount)

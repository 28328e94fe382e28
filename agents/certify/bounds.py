"""Upper bounds for memoryless policies: trees of boxes of policies, each bounded by a problem that is easier.

A box gives each observation a least and a greatest probability of each action. In a box's relaxed problem each *state*
chooses its own distribution, within the box of what is seen there: the best of it earns at least what any memoryless
policy in the box does, exactly that where states that look alike choose alike, and V* in the box of all policies.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .exact import ceiling_of
from .model import Floats, Model

SLACK: Final = 1e-11
"""relative: bounds this close are taken as one, and what is proven is rounded up by as much"""
QUIT: Final = 1e7
"""at discount 1 relaxed problems may give up, at this price, so that all of them have a value"""
_ROUNDS: Final = 1000


@dataclass
class Tree:
    """A proof: a box is split until each part's relaxed problem earns no more than the bound.

    `splits` has one entry a box, the first one for all policies: None for a leaf, else (observation, action, cut,
    children). With a cut the two children have at most and at least that probability of the action; with cut None and
    action -1 child a takes action a surely, or is -1 where the box forbids it.
    """

    splits: list[tuple[int, int, float | None, list[int]] | None] = field(default_factory=lambda: [None])
    upper: float = np.inf
    policy: Floats | None = None
    """(observations, 4): what the best policy met on the way was made of"""


class Relaxed(NamedTuple):
    """The best of a box's relaxed problem."""

    upper: float
    """over the starts, proven up to rounding"""
    chosen: Floats
    """(n, 4): the distribution of each state"""
    weight: Floats
    """(n,): how much each state counts: its expected discounted visits"""
    hint: Floats
    """(n, 4): what each action is worth, from which boxes within this one may begin"""


Box = tuple[Floats, Floats]
"""(observations, 4) twice: the least and the greatest probabilities"""


class Looks(NamedTuple):
    """How states that look alike choose in a relaxed problem, each counting by its visits."""

    mean: Floats
    """(observations, 4): what they choose on average"""
    apart: Floats
    """(observations, 4): how much they disagree"""
    price: Floats
    """(observations,): what it costs at once to make them agree on the one action that costs least; -inf if they do"""


Split = tuple[int, int, float | None]
"""(observation, action, cut); see `Tree`"""
Choice = Callable[[Box, Looks, Floats, float], Split]


class Relaxation:
    """Solves the relaxed problems of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.gamma, n = float(model.discount), model.count
        self.quit = QUIT * max(1.0, float(np.abs(model.reward).max(initial=0))) if model.discount == 1 else np.inf
        self._rows = (np.arange(n)[:, None, None] * (n + 1) + model.next_state).ravel()

    def whole(self) -> Box:
        """Return the box of all policies; of actions that do the same wherever an observation is met, the first."""
        model = self.model
        low, high = np.zeros((model.observations, 4)), np.ones((model.observations, 4))
        for seen in np.unique(model.seen).tolist():
            at = np.flatnonzero(model.seen == seen).tolist()
            does = [[(model.rewards[s][a], sorted(model.outcomes[s][a])) for s in at] for a in range(4)]
            for a in range(1, 4):
                high[seen, a] = does[a] not in does[:a]
        return low, high

    def solve(self, box: Box, hint: Floats | None = None) -> Relaxed:
        """Return the best of a box's relaxed problem, by policy iteration, from what the hint says is best."""
        model, n = self.model, self.model.count
        low, high = box[0][model.seen], box[1][model.seen]
        quits = np.full(n, model.discount == 1)
        chosen = _filled(low, high, model.reward if hint is None else hint)
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
                break  # what is left to improve is rounding
            previous = values
        q = self.backup(values)
        off = float(((_filled(low, high, q) * q).sum(axis=1) - values)[~quits].max(initial=0))
        off += 64 * np.finfo(float).eps * float(np.abs(values).max(initial=0))
        start = float(model.start @ values)
        upper = float(ceiling_of(model, Fraction(start), Fraction(off))) + SLACK * max(abs(start), 1e-3)
        alike = SLACK * max(1.0, float(np.abs(values[~quits]).max(initial=0)))
        chosen = _filled(low, high, np.round(q / alike) - self._rank(q, alike) / 8)
        return Relaxed(upper, chosen, self._visits(chosen, quits), q)

    def backup(self, values: Floats) -> Floats:
        """Return (n, 4): what each action is worth if states are worth these values, (n,)."""
        model = self.model
        ahead = np.append(values, 0.0)[model.next_state]
        return model.reward + self.gamma * (model.probability * ahead).sum(axis=2)

    def _matrix(self, chosen: Floats, quits: NDArray[np.bool_]) -> Floats:
        n = self.model.count
        weights = (chosen[:, :, None] * self.model.probability * self.gamma).ravel()
        steps: Floats = np.bincount(self._rows, weights, n * (n + 1)).astype(np.float64).reshape(n, n + 1)[:, :n]
        steps[quits] = 0
        return np.eye(n) - steps

    def _evaluate(self, chosen: Floats, quits: NDArray[np.bool_]) -> Floats:
        earned = np.where(quits, -self.quit if quits.any() else 0.0, (chosen * self.model.reward).sum(axis=1))
        values: Floats = np.linalg.solve(self._matrix(chosen, quits), earned).astype(np.float64)
        return values

    def _visits(self, chosen: Floats, quits: NDArray[np.bool_]) -> Floats:
        try:
            visits: Floats = np.linalg.solve(self._matrix(chosen, quits).T, self.model.start).astype(np.float64)
        except np.linalg.LinAlgError:  # at discount 1, rounding made a circle
            visits = self.model.start
        return visits

    def _rank(self, q: Floats, tolerance: float) -> NDArray[np.int64]:
        """Return (n, 4), 0 to 3: the actions in order of how many places that look so they are best in."""
        seen = self.model.seen
        count = np.zeros((self.model.observations, 4))
        np.add.at(count, seen, q >= q.max(axis=1, keepdims=True) - tolerance)
        rank = np.argsort(np.argsort(-count, axis=1, kind="stable"), axis=1, kind="stable")
        return rank[seen].astype(np.int64)

    def compare(self, box: Box, relaxed: Relaxed) -> Looks:
        """Compare what states that look alike choose."""
        seen, count = self.model.seen, self.model.observations
        weight = np.maximum(relaxed.weight, 0)
        total = np.bincount(seen, weight, count)
        mean = np.zeros((count, 4))
        np.add.at(mean, seen, relaxed.chosen * weight[:, None])
        mean = np.divide(mean, total[:, None], out=np.full((count, 4), 0.25), where=total[:, None] > 0)
        apart = np.zeros((count, 4))
        np.add.at(apart, seen, np.abs(relaxed.chosen - mean[seen]) * weight[:, None])
        q, best = relaxed.hint, (relaxed.chosen * relaxed.hint).sum(axis=1)
        price = np.zeros((count, 4))
        np.add.at(price, seen, (best[:, None] - q) * weight[:, None])
        price = np.where(box[1] > 0, price, np.inf).min(axis=1)
        return Looks(mean, apart, np.where(apart.sum(axis=1) > 1e-12, price, -np.inf))


def _filled(low: Floats, high: Floats, q: Floats) -> Floats:
    """Return the distributions between low and high with the greatest mean of q: the best actions are filled first."""
    order = np.argsort(-q, axis=1, kind="stable")
    chosen = low.copy()
    left = 1 - low.sum(axis=1)
    at = np.arange(len(q))
    for k in range(4):
        action = order[:, k]
        given = np.minimum(left, high[at, action] - low[at, action])
        chosen[at, action] += given
        left = left - given
    return chosen


def search(
    tree: Tree,
    relaxation: Relaxation,
    choose: Choice,
    value_of: Callable[[Floats], float],
    go_on: Callable[[int], bool],
    hint: Floats | None = None,
) -> None:
    """Split the box of all policies, the worst part first, until its bound is met.

    Args:
        tree: a fresh one; it is filled, and is a proof at any time, also when this is interrupted.
        relaxation: of the model.
        choose: a split, from a box, how states choose in it, the hint and what the best policy so far earns.
        value_of: what a policy made of a mean policy earns, about.
        go_on: is asked before each step, with the number of boxes, whether to go on.
        hint: (n, 4), what each action is worth, about.
    """
    earned, closed = -np.inf, -np.inf  # the best policy; the boxes that need not be split
    heap: list[tuple[float, int, Box, Looks, Floats]] = []

    def look(number: int, box: Box, hint: Floats | None) -> None:
        nonlocal earned, closed
        relaxed = relaxation.solve(box, hint)
        if relaxed.upper <= earned:
            closed = max(closed, relaxed.upper)
            return
        looks = relaxation.compare(box, relaxed)
        value = value_of(looks.mean)
        if value > earned:
            tree.policy, earned = looks.mean, value
        if looks.price.max() == -np.inf or relaxed.upper <= earned + SLACK * max(1.0, abs(earned)):
            closed = max(closed, relaxed.upper)
        else:
            heapq.heappush(heap, (-relaxed.upper, number, box, looks, relaxed.hint))

    look(0, relaxation.whole(), hint)
    tree.upper = max(closed, -heap[0][0] if heap else -np.inf)
    while heap and -heap[0][0] > earned and go_on(len(tree.splits)):
        _, number, box, looks, hint = heapq.heappop(heap)
        split = choose(box, looks, hint, earned)
        children: list[int] = []
        for part in parts(box, split):
            children.append(-1 if part is None else len(tree.splits))
            if part is not None:
                tree.splits.append(None)
                look(children[-1], part, hint)
        tree.splits[number] = (*split, children)
        tree.upper = max(closed, -heap[0][0] if heap else -np.inf)


def parts(box: Box, split: Split) -> list[Box | None]:
    """Return the parts of a box: two, or with a split by action four, None where the box forbids the action."""
    (low, high), (seen, action, cut) = box, split
    if cut is None:
        return [_with(box, seen, *np.eye(4)[[a, a]]) if high[seen, a] == 1 else None for a in range(4)]
    below, above = high[seen].copy(), low[seen].copy()
    below[action] = above[action] = cut
    return [_with(box, seen, low[seen], below), _with(box, seen, above, high[seen])]


def _with(box: Box, seen: int, least: Floats, most: Floats) -> Box:
    low, high = box[0].copy(), box[1].copy()
    low[seen], high[seen] = least, most
    return low, high


def by_action(box: Box, looks: Looks, seen: int) -> Split:
    """Split an observation by its action: for maps."""
    return seen, -1, None


def in_half(box: Box, looks: Looks, seen: int) -> Split:
    """Split the probability that states which look so disagree on most at the middle of its range."""
    low, high = box[0][seen], box[1][seen]
    action = int(looks.apart[seen].argmax())
    most = min(float(high[action]), 1 - float(low.sum() - low[action]))
    return seen, action, (float(low[action]) + most) / 2


def farthest_apart(box: Box, looks: Looks, hint: Floats, earned: float) -> Split:
    """Split the probability that states which look alike disagree on most, of all, in half."""
    return in_half(box, looks, int(looks.apart.max(axis=1).argmax()))


def careful(relaxation: Relaxation, split: Callable[[Box, Looks, int], Split], tries: int) -> Choice:
    """Return a choice of splits: the first by trying all observations, `tries` parts in all, then the dearest one."""
    tried = 0

    def choose(box: Box, looks: Looks, hint: Floats, earned: float) -> Split:
        nonlocal tried
        dearest = [seen for seen in np.argsort(-looks.price, kind="stable").tolist() if looks.price[seen] > -np.inf]
        best, least = dearest[0], np.inf
        for seen in dearest if tried < tries else []:
            most = -np.inf
            for part in parts(box, split(box, looks, seen)):
                if part is not None and most < least:
                    tried += 1
                    most = max(most, relaxation.solve(part, hint).upper)
            if most < least:
                best, least = seen, most
            if least <= earned:
                break
        return split(box, looks, best)

    return choose

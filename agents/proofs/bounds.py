"""Upper bounds for memoryless policies: branch and bound over boxes of policies."""

import heapq
from collections.abc import Callable

import numpy as np

from .boxes import Box, Disagreement, Split, SplitAt, Tree, in_half, parts
from .model import Floats
from .relaxation import SLACK, Relaxation

Choice = Callable[[Box, Disagreement, Floats, float], Split]
"""from a box, how its states disagree, its action values and the best value found, to a split"""


def search(
    tree: Tree,
    relaxation: Relaxation,
    choose: Choice,
    value_of: Callable[[Floats], float],
    go_on: Callable[[int], bool],
    q: Floats | None = None,
) -> None:
    """Split the box of all policies, always the part with the largest bound, until a policy found reaches the bound.

    Args:
        tree: a new one; it is filled, and is a valid proof at any time, also if this is interrupted.
        relaxation: of the model.
        choose: returns a split.
        value_of: from a mean distribution, (observations, A), to the approximate value of a policy made of it.
        go_on: is called before each step with the number of boxes; False stops the search.
        q: (n, A) approximate action values.
    """
    best, closed = -np.inf, -np.inf  # the value of the best policy; the largest bound of the boxes that are finished
    heap: list[tuple[float, int, Box, Disagreement, Floats]] = []

    def bound(number: int, box: Box, q: Floats | None) -> None:
        nonlocal best, closed
        relaxed = relaxation.solve(box, q)
        if relaxed.upper <= best:
            closed = max(closed, relaxed.upper)
            return
        disagreement = relaxation.compare(box, relaxed)
        value = value_of(disagreement.mean)
        if value > best:
            tree.policy, best = disagreement.mean, value
        if disagreement.price.max() == -np.inf or relaxed.upper <= best + SLACK * max(1.0, abs(best)):
            closed = max(closed, relaxed.upper)
        else:
            heapq.heappush(heap, (-relaxed.upper, number, box, disagreement, relaxed.q))

    bound(0, relaxation.whole(), q)
    tree.upper = max(closed, -heap[0][0] if heap else -np.inf)
    while heap and -heap[0][0] > best and go_on(len(tree.splits)):
        _, number, box, disagreement, q = heapq.heappop(heap)
        split = choose(box, disagreement, q, best)
        children: list[int] = []
        for part in parts(box, split):
            children.append(-1 if part is None else len(tree.splits))
            if part is not None:
                tree.splits.append(None)
                bound(children[-1], part, q)
        tree.splits[number] = (*split, children)
        tree.upper = max(closed, -heap[0][0] if heap else -np.inf)


def farthest_apart(box: Box, disagreement: Disagreement, q: Floats, best: float) -> Split:
    """Split, in half, the probability on which aliased states disagree most."""
    return in_half(box, disagreement, int(disagreement.apart.max(axis=1).argmax()))


def strong_branching(relaxation: Relaxation, split: SplitAt, tries: int) -> Choice:
    """Return a choice of splits that bounds the parts of each candidate and takes the one with the smallest bound.

    Args:
        relaxation: of the model.
        split: makes the split at an observation.
        tries: this many parts are bounded in all calls together; later calls split where the price is largest.
    """
    tried = 0

    def choose(box: Box, disagreement: Disagreement, q: Floats, best: float) -> Split:
        nonlocal tried
        price = disagreement.price
        candidates = [o for o in np.argsort(-price, kind="stable").tolist() if price[o] > -np.inf]
        chosen, least = candidates[0], np.inf
        for observation in candidates if tried < tries else []:
            largest = -np.inf
            for part in parts(box, split(box, disagreement, observation)):
                if part is not None and largest < least:
                    tried += 1
                    largest = max(largest, relaxation.solve(part, q).upper)
            if largest < least:
                chosen, least = observation, largest
            if least <= best:
                break
        return split(box, disagreement, chosen)

    return choose

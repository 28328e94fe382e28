"""Boxes of memoryless policies, the ways to split them, and trees of boxes, which are proofs of upper bounds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .model import Floats

Box = tuple[Floats, Floats]
"""(observations, A) twice: the least and the largest probability of each action on each observation"""
Split = tuple[int, int, float | None]
"""(observation, action, cut); see `Tree`"""


class Disagreement(NamedTuple):
    """How aliased states choose differently in a relaxed problem; each state is weighted by its expected visits."""

    mean: Floats
    """(observations, A): their mean distribution"""
    apart: Floats
    """(observations, A): how far they are from the mean, summed"""
    price: Floats
    """(observations,): the loss if they all took the one best common action; -inf where they agree"""


@dataclass
class Tree:
    """A proof of an upper bound: a box is split until the relaxed problem of each part has no larger value.

    `splits` has one entry for each box, and the first box holds all policies. The entry of a leaf is None, any other is
    (observation, action, cut, children). With a cut, the two children have at most, and at least, that probability of
    the action. Without a cut the action is -1, and child a takes action a with probability 1; it is -1 if the box does
    not allow that.
    """

    splits: list[tuple[int, int, float | None, list[int]] | None] = field(default_factory=lambda: [None])
    upper: float = np.inf
    policy: Floats | None = None
    """(observations, A): the mean distribution from which the best policy found was made"""

    def frozen(self) -> tuple[Any, ...]:
        """Return the splits as tuples."""
        return tuple(None if split is None else (*split[:3], tuple(split[3])) for split in self.splits)


def parts(box: Box, split: Split) -> list[Box | None]:
    """Return the parts of a box: two, or without a cut one for each action, None where the box does not allow it."""
    (low, high), (observation, action, cut) = box, split
    if cut is None:
        sure = np.eye(high.shape[1])
        return [_with(box, observation, row, row) if high[observation, a] == 1 else None for a, row in enumerate(sure)]
    below, above = high[observation].copy(), low[observation].copy()
    below[action] = above[action] = cut
    return [_with(box, observation, low[observation], below), _with(box, observation, above, high[observation])]


def _with(box: Box, observation: int, least: Floats, largest: Floats) -> Box:
    low, high = box[0].copy(), box[1].copy()
    low[observation], high[observation] = least, largest
    return low, high


SplitAt = Callable[[Box, Disagreement, int], Split]
"""from a box, how its states disagree, and an observation, to a split there"""


def by_action(box: Box, disagreement: Disagreement, observation: int) -> Split:
    """Split at an observation by action: for deterministic policies."""
    return observation, -1, None


def in_half(box: Box, disagreement: Disagreement, observation: int) -> Split:
    """Split the probability of the action on which aliased states disagree most, in the middle of its range."""
    low, high = box[0][observation], box[1][observation]
    action = int(disagreement.apart[observation].argmax())
    largest = min(float(high[action]), 1 - float(low.sum() - low[action]))
    return observation, action, (float(low[action]) + largest) / 2

"""The whole physics: what a move leads to, looked up in a World's tables, for one agent or for many."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import left_of, right_of
from .world import World, checked_world

SLIPPED_RIGHT, AS_MEANT, SLIPPED_LEFT = range(3)  # the last axis of `Outcomes`
CASES: Final = (AS_MEANT, SLIPPED_LEFT, SLIPPED_RIGHT)
"""by how many of the thresholds slip and slip / 2 a random number is below"""

# the executed direction, at 3 * action + (0: as meant, 1: slipped to the left, 2: slipped to the right)
_EXECUTED: Final = tuple(way for action in range(4) for way in (action, left_of(action), right_of(action)))
_EXECUTED_ARRAY: Final = np.array(_EXECUTED)


class Slips(NamedTuple):
    """The one table that `slipped` reads, as a list: for ints that is ten times faster than an array."""

    slip: list[float]


def slipped(world: World | Slips, state: Any, action: Any, u: Any) -> Any:
    """Return the executed direction for an action.

    Args:
        world: the tables.
        state, action: ints, or int arrays of equal length.
        u: a uniform number in [0, 1) for each: below slip / 2 the move goes to the right of the action's direction,
            below slip to its left, else in its direction.

    Returns:
        An int, or an int array of the same length.
    """
    slip = world.slip[state]
    case = 3 * action + (u < slip) + (u < slip / 2)
    return _EXECUTED[case] if isinstance(case, int) else _EXECUTED_ARRAY[case]


def transition(world: World, state: Any, direction: Any) -> tuple[Any, Any, Any]:
    """Return the next state, the reward and whether the episode ends.

    Args:
        world: the tables.
        state, direction: ints, or int arrays of equal length; the direction is the executed one, see `slipped`.

    Returns:
        Three numbers, or three arrays of the same length.
    """
    next_state = world.next_state[state, direction]
    return next_state, world.reward[state, direction], world.terminal[next_state]


def case_probabilities(slip: Any) -> tuple[Any, Any, Any]:
    """Return the probabilities of SLIPPED_RIGHT, AS_MEANT and SLIPPED_LEFT, from that of a slip.

    Args:
        slip: a float, an array or a Fraction.

    Returns:
        Three of the same.
    """
    return slip / 2, 1 - slip, slip / 2


@dataclass(frozen=True)
class Outcomes:
    """What can happen after each action in each state: (S, 4, 3), at SLIPPED_RIGHT, AS_MEANT and SLIPPED_LEFT."""

    probability: NDArray[np.float64]
    next_state: NDArray[np.int64]
    reward: NDArray[np.float64]
    terminal: NDArray[np.bool_]
    """Whether the next state is terminal."""


def outcomes(world: World) -> Outcomes:
    """Return what can happen after each action in each state; equal next states are not merged.

    The probabilities come from the thresholds of `slipped`, the rest from `transition`.
    """
    slip = checked_world(world).slip[:, None, None]
    state, action = np.arange(world.states)[:, None, None], np.arange(4)[None, :, None]
    # one u from each of the three intervals of `slipped`
    u = np.concatenate([slip * 0.25, np.ones_like(slip), slip * 0.75], axis=2)
    probability = np.broadcast_to(np.concatenate(case_probabilities(slip), axis=2), (world.states, 4, 3))
    direction = slipped(world, np.broadcast_to(state, probability.shape), action, u)
    return Outcomes(probability, *transition(world, state, direction))

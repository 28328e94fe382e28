"""The whole physics: what a move leads to, looked up in a World's tables, for one agent or for any number."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import DOWN, LEFT, RIGHT, UP
from .world import World, checked_world

# the executed direction, at 3 * action + (0: as meant, 1: slipped to the left hand, 2: slipped to the right hand)
_TURNED: Final = (UP, LEFT, RIGHT, RIGHT, UP, DOWN, LEFT, DOWN, UP, DOWN, RIGHT, LEFT)
_TURNED_ARRAY: Final = np.array(_TURNED)


class Slips(NamedTuple):
    """The one table that `slipped` reads, as a list: with ints it is ten times faster than an array."""

    slip: list[float]


def slipped(world: World | Slips, state: Any, action: Any, u: Any) -> Any:
    """Return the direction that is executed when `action` is meant.

    Args:
        world: the tables.
        state, action: ints, or int arrays of equal length.
        u: a uniform number in [0, 1) for each: below slip/2 the move goes to the agent's right hand, below slip to its
            left hand, else where it was meant to go.
    """
    slip = world.slip[state]
    place = 3 * action + (u < slip) + (u < slip / 2)
    return _TURNED[place] if isinstance(place, int) else _TURNED_ARRAY[place]


def transition(world: World, state: Any, direction: Any) -> tuple[Any, Any, Any]:
    """Return the next state, the reward and whether the episode ends, for ints or int arrays of equal length."""
    next_state = world.next_state[state, direction]
    return next_state, world.reward[state, direction], world.terminal[next_state]


@dataclass(frozen=True)
class Outcomes:
    """What can happen after each action in each state: arrays (S, 4, 3), slipped right, as meant, slipped left."""

    probability: NDArray[np.float64]
    next_state: NDArray[np.int64]
    reward: NDArray[np.float64]
    terminal: NDArray[np.bool_]


def outcomes(world: World) -> Outcomes:
    """List what can happen for each action in each state, unmerged; probabilities are the thresholds of `slipped`."""
    slip = checked_world(world).slip[:, None, None]
    state, action = np.arange(world.states)[:, None, None], np.arange(4)[None, :, None]
    # one u from each of the three intervals that `slipped` tells apart
    u = np.concatenate([slip * 0.25, np.ones_like(slip), slip * 0.75], axis=2)
    probability = np.broadcast_to(np.concatenate([slip / 2, 1 - slip, slip / 2], axis=2), (world.states, 4, 3))
    direction = slipped(world, np.broadcast_to(state, probability.shape), action, u)
    return Outcomes(probability, *transition(world, state, direction))

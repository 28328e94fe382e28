"""What an environment's `info` can hold: each name is a table over the states of a World."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .core.rules import outcomes
from .core.world import World
from .planning.distances import distances
from .planning.values import value_iteration


def _action_mask(world: World, discount: float) -> NDArray[np.int8]:
    """Return 0 for the actions that surely leave the agent where it is, unless all do."""
    what = outcomes(world)
    moves = (what.probability > 0) & (what.next_state != np.arange(world.states)[:, None, None])
    mask = moves.any(axis=2)
    return (mask | ~mask.any(axis=1, keepdims=True)).astype(np.int8)


def _optimal_action(world: World, discount: float) -> NDArray[np.int64]:
    return np.where(world.terminal, -1, value_iteration(world, discount=discount).policy)


def _value(world: World, discount: float) -> NDArray[np.float64]:
    return value_iteration(world, discount=discount).values


# name -> function from a World and the discount to a table, one row a state
INFO: Final[Mapping[str, Callable[[World, float], NDArray[Any]]]] = MappingProxyType(
    {
        "action_mask": _action_mask,
        "distance": lambda world, discount: distances(world),
        "optimal_action": _optimal_action,
        "state": lambda world, discount: np.arange(world.states),
        "value": _value,
    }
)

"""Potential-based shaping: rewards that show the way and leave the best policies as they are.

With a potential phi of states that is 0 where the episode is over, each move earns discount * phi(next) - phi(state)
more. Along an episode these add up to -phi(start), whatever is done on the way: every policy's return from a state
changes by the same amount, and no policy becomes better than another (Ng, Harada & Russell, "Policy invariance under
reward transformations", ICML 1999).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.world import World, checked_world
from ..maps.arguments import nearest
from .checks import check_discount
from .distances import distances


def distance_potential(world: World) -> NDArray[np.float64]:
    """Return minus the number of steps to a goal without slips, (S,); 0 at ends.

    A state without a way to a goal counts as one step further than those of its maze that have one.
    """
    way = distances(world)
    far = np.zeros(len(world.mazes), dtype=np.int64)
    np.maximum.at(far, world.maze_of, way)
    return np.where(world.terminal, 0.0, _potential(way, far[world.maze_of]))


def distance_potential_of_maps(maps: NDArray[np.signedinteger]) -> NDArray[np.float64]:
    """Return the same potential for plain mazes, (n, height, width), from their `distance_maps`."""
    return np.where(maps == 0, 0.0, _potential(maps, maps.max(axis=(1, 2), keepdims=True)))


def _potential(way: NDArray[Any], farthest: NDArray[Any]) -> NDArray[np.float64]:
    return -np.where(way < 0, farthest + 1, way).astype(np.float64)


# name -> potential: function from a World to (S,), 0 at ends
SHAPINGS: Final[Mapping[str, Callable[[World], NDArray[np.float64]]]] = MappingProxyType(
    {"distance": distance_potential}
)


def shaped(world: World, discount: float, shaping: str = "distance") -> World:
    """Return the world with shaped rewards, which leave the best policies as they are (Ng, Harada & Russell, 1999).

    A move earns discount * phi(next) - phi(state) more, where phi is minus the distance to a goal. So a reward still
    depends on the state and the executed direction alone.

    Args:
        world: the tables.
        discount: of the returns that the learner maximises; 0 to 1.
        shaping: a name of `SHAPINGS`.

    Raises:
        ValueError: an unknown shaping, a discount out of its range.
        TypeError: not a World.

    Example:
        >>> from mazegrad.envs import Maze, World, shaped
        >>> world = World.compile(Maze.from_text("S..G"))
        >>> shaped(world, discount=0.9).reward[0].round(3)  # RIGHT: the way is 3 long before, 2 after: 3 - 0.9 * 2
        array([0.3, 1.2, 0.3, 0.3])
    """
    discount = check_discount(discount)
    potential = SHAPINGS[checked_shaping(shaping)](checked_world(world))
    extra = discount * potential[world.next_state] - potential[:, None]
    return replace(world, reward=np.where(world.terminal[:, None], world.reward, world.reward + extra))


def checked_shaping(shaping: str) -> str:
    """Return the name of a shaping.

    Raises:
        ValueError: it is not in `SHAPINGS`.
    """
    if not isinstance(shaping, str) or shaping not in SHAPINGS:
        raise ValueError(f"unknown shaping {shaping!r}{nearest(shaping, SHAPINGS)}")
    return shaping

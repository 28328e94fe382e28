"""Every observation is a table over states, so that it costs one look-up."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gymnasium import Space, spaces
from numpy.typing import NDArray

from .world import World


def _dots(world: World) -> tuple[Space[Any], NDArray[Any]]:
    return spaces.MultiBinary(4), world.dots


def _index(world: World) -> tuple[Space[Any], NDArray[Any]]:
    size = max(maze.height * maze.width for maze in world.mazes)
    return spaces.Discrete(size), world.cell


# name -> function from a World to its space and its table, one row a state
OBSERVATIONS: Final[Mapping[str, Callable[[World], tuple[Space[Any], NDArray[Any]]]]] = MappingProxyType(
    {"dots": _dots, "index": _index}
)

"""Places: where lanes are. Observations, info, pictures and saved states need to know no more of an engine."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .world import World


class Places(NamedTuple):
    """Where agents are: three integers, or three (n,) int64 arrays."""

    maze: Any
    """the number of the maze in the engine's `Scene`"""
    cell: Any
    """row * width + column in that maze"""
    carried: Any
    """what is carried, a set of inventory bits"""

    def of(self, lanes: Any) -> "Places":
        """Return the places of some lanes, by an index array, a mask or a slice."""
        return Places(self.maze[lanes], self.cell[lanes], self.carried[lanes])


def places_of(world: World, states: NDArray[np.int64]) -> Places:
    """Return the places of states of a world whose mazes are numbered as in `world.mazes`."""
    return Places(world.maze_of[states], world.cell[states], world.carried[states])

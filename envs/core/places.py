"""Places: where lanes are. Observations, info, pictures and saved states need to know no more of an engine."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .world import World


class Places(NamedTuple):
    """Where agents are: integers, or (n,) int64 arrays.

    Example:
        >>> from mazegrad.envs import Maze, MazeVectorEnv
        >>> envs = MazeVectorEnv([Maze.from_text("S.G"), Maze.from_text("G.S")], num_envs=2)
        >>> _ = envs.reset(seed=0)
        >>> places = envs.engine.places()
        >>> places.maze, places.cell
        (array([0, 1]), array([0, 2]))
    """

    maze: Any
    """the number of the maze in the engine's `Scene`"""
    cell: Any
    """row * width + column in that maze"""
    carried: Any
    """what is carried, a set of inventory bits"""
    heading: Any = 0
    """the direction that is faced where actions turn, else 0"""

    def of(self, lanes: Any) -> "Places":
        """Return the places of some lanes, by an index array, a mask or a slice."""
        heading = self.heading if isinstance(self.heading, int) else self.heading[lanes]
        return Places(self.maze[lanes], self.cell[lanes], self.carried[lanes], heading)

    def rows(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield (maze, cell, carried, heading) of one place after the other."""
        heading = [self.heading] * len(self.cell) if isinstance(self.heading, int) else self.heading.tolist()
        yield from zip(self.maze.tolist(), self.cell.tolist(), self.carried.tolist(), heading, strict=True)


def places_of(world: World, states: NDArray[np.int64]) -> Places:
    """Return the places of states of a world whose mazes are numbered as in `world.mazes`."""
    return Places(world.maze_of[states], world.cell[states], world.carried[states], world.heading[states])

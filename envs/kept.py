"""The lanes that one environment has made: each maze is compiled once, and kept where it can come again."""

from typing import Any, Final

from .core.world import World
from .engines.engine import Setup
from .engines.lane import Lane
from .maps.changes import Changes
from .maps.levels import Levels
from .maps.maze import Maze
from .observations import Sight

_KEPT: Final = 1024  # mazes that stay compiled: levels that can come again, and as many of saved states


class KeptLanes:
    """Lanes by maze, by level and by change. A pickle of it keeps none: they are made again.

    Args:
        setup, sight: of the environment.
    """

    asked: dict[Maze, None]
    """mazes that were questioned"""

    def __init__(self, setup: Setup, sight: Sight) -> None:
        self._setup, self._sight = setup, sight
        self.asked = {}
        self._saved: dict[Maze, Lane] = {}
        self._levels: dict[int, Lane] = {}
        self._last_level: tuple[int, Lane] | None = None  # its key, while the lane stays in it

    def __reduce__(self) -> tuple[Any, ...]:
        return KeptLanes, (self._setup, self._sight)

    def lane(self, maze: Maze) -> Lane:
        """Return the lane of a maze, the one that a saved state has kept if there is one.

        Raises:
            MazeError: the maze is not usable.
            ValueError: its observations are not the declared ones.
        """
        if (lane := self._saved.get(maze)) is not None:
            return lane
        self._setup.checked([maze], self._sight)
        return Lane(self._setup, self._sight, maze)

    def level(self, levels: Levels, drawn: int) -> Lane:
        """Return the lane of the level for 64 random bits; those of a given set stay compiled."""
        key = levels.draw(drawn)
        if self._last_level is not None and self._last_level[0] == key:
            return self._last_level[1]
        if (lane := self._levels.get(key)) is None:
            lane = self.lane(levels.make(key))
            if levels.keys is not None and len(self._levels) < _KEPT:
                self._levels[key] = lane
        self._last_level = (key, lane) if levels.repeat > 1 else None
        return lane

    def stage(self, changes: Changes, earlier: int, first: Lane) -> Lane:
        """Return the lane of the maze that the world has become after a number of steps; all of them stay compiled.

        Args:
            first: of the maze before all changes.
        """
        stage = changes.stage(earlier)
        if not stage:
            return first
        if stage not in self._levels:
            self._levels[stage] = self.lane(changes.mazes[stage - 1])
        return self._levels[stage]

    def changed_worlds(self, changes: Changes | None, first: Lane) -> list[World]:
        """Return the worlds that changes lead to."""
        return [self.stage(changes, steps, first).world for steps in changes.steps] if changes else []

    def keep(self, lane: Lane) -> None:
        """Keep the lane of a saved state; the oldest makes room."""
        if lane.maze not in self._saved:
            if len(self._saved) >= _KEPT:
                del self._saved[next(iter(self._saved))]
            self._saved[lane.maze] = lane

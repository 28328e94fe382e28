"""Where a single environment's mazes come from: one that stays, levels that resets draw, or mazes that change."""

from typing import Final

import numpy as np

from .engines.lane import Lane
from .kept import KeptLanes
from .maps.changes import Changes
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import MAZE, bits, key_from_seed, stream

_NO_LEVEL: Final = np.int64(-1)


class Source:
    """The mazes of episodes.

    Args:
        kept: lanes that are made already.
        first: in the maze before all changes, or in that which stays.
        levels: None, or where each reset draws from.
        changes: None, or the mazes that take the place of the first.
    """

    def __init__(self, kept: KeptLanes, first: Lane, levels: Levels | None, changes: Changes | None) -> None:
        self._kept, self._first, self._levels, self._changes = kept, first, levels, changes

    @property
    def stays(self) -> bool:
        """Whether there is one maze for good."""
        return self._levels is None and self._changes is None

    @property
    def changes(self) -> bool:
        """Whether the maze depends on the steps made before."""
        return self._changes is not None

    @property
    def many(self) -> bool:
        """Whether mazes are made in batches, so that step limits go by their size."""
        return self._levels is not None and self._levels.batch is not None

    @property
    def repeat(self) -> int | None:
        """How many episodes a level stays; None where no levels are drawn."""
        return None if self._levels is None else self._levels.repeat

    def lane(self, key: int, episode: int, earlier: int) -> Lane | None:
        """Return the lane of an episode; None where the maze stays.

        Args:
            key, episode: of the lane; see `clock`.
            earlier: steps of the episodes before, since the seed.
        """
        if self._levels is not None:
            return self._kept.level(self._levels, self._bits(self._levels, key, episode))
        return None if self._changes is None else self._kept.stage(self._changes, earlier, self._first)

    def number(self, key: int, episode: int, earlier: int) -> np.int64:
        """Return the "level" of `info`: a seed or a key, or a number of changes; -1 where the maze stays."""
        if self._levels is not None:
            return np.int64(self._levels.named(self._bits(self._levels, key, episode)))
        return _NO_LEVEL if self._changes is None else np.int64(self._changes.stage(earlier))

    def level(self, seed: int) -> Maze:
        """Return the maze of a level; see `MazeEnv.level`.

        Raises:
            ValueError: no levels are drawn.
        """
        if self._levels is None:
            raise ValueError("this environment keeps its maze; levels are of environments that draw one at each reset")
        return self._levels.make(int(key_from_seed(seed % 2**64)) if self._levels.seeded else seed)

    @staticmethod
    def _bits(levels: Levels, key: int, episode: int) -> int:
        """Return the bits by which an episode's level is drawn."""
        return int(bits(stream(key, levels.drawing(episode)), MAZE))

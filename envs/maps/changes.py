"""A world that changes while one learns in it: after some steps another map takes the place of the first."""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .arguments import whole
from .levels import Levels
from .maze import Maze
from .shipped import find_maze


@dataclass(frozen=True)
class Changes:
    """Maps and the steps after which they are used, from the first episode on that begins then."""

    steps: tuple[int, ...]
    """rising: steps of a lane since it was seeded"""
    mazes: tuple[Maze, ...]
    """one for each of them"""

    def stage(self, made: int) -> int:
        """Return the number of changes that are due after a number of steps."""
        return bisect.bisect_right(self.steps, made)

    def maze(self, made: int, first: Maze) -> Maze:
        """Return the maze of an episode that begins after a number of steps, in a world that began with `first`."""
        stage = self.stage(made)
        return self.mazes[stage - 1] if stage else first


def changes_of(
    after: Mapping[Any, Any],
    format: str | None = None,
    dressed: Callable[[Sequence[Maze]], list[Maze]] = list,
) -> Changes | None:
    """Return the changes that a keyword says, None for none.

    Args:
        after: from steps (also as text, as JSON has them) to mazes: a Maze, a text, a file or a shipped name.
        format: of texts and files.
        dressed: from mazes to those that are used in their place.

    Raises:
        TypeError: not a mapping, or steps that are not integers.
        ValueError: steps below 1, or twice; a maze that cannot be read.
    """
    if not isinstance(after, Mapping):
        raise TypeError(f"after must be a mapping from steps to mazes, such as {{1000: 'spiral'}}, not {after!r:.80}")
    mazes: dict[int, Maze] = {}
    for given, maze in after.items():
        step = int(given) if isinstance(given, str) and given.isdecimal() else given
        number = whole("each number of steps in after", step, 1)
        if number in mazes:
            raise ValueError(f"after has {number} steps twice")
        mazes[number] = find_maze(maze, format)
    if not mazes:
        return None
    rising = sorted(mazes)
    return Changes(tuple(rising), tuple(dressed([mazes[step] for step in rising])))


def levels_without(changes: Changes | None, maze: Any) -> Levels | None:
    """Return the levels that each reset draws from, None where an environment keeps its maze.

    Args:
        changes: of a maze that is kept; they do not go together with levels.
        maze: the argument of the environment.

    Raises:
        ValueError: levels, and changes.
    """
    levels = maze if isinstance(maze, Levels) else None
    if levels is not None and changes is not None:
        raise ValueError("after changes a maze that is kept, but here each reset draws one: leave out after")
    return levels

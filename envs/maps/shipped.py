"""The maps that come with the library, by name."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from .arguments import nearest
from .legend import LEGEND
from .maze import Maze

MAZES: Final[Mapping[str, Path]] = MappingProxyType(
    {path.stem: path for path in sorted((Path(__file__).parent / "drawings").glob("*.txt"))}
)
"""Name -> file."""


def load_maze(name: str) -> Maze:
    """Return a shipped maze.

    Raises:
        ValueError: an unknown name; the message names the nearest known one.
    """
    if not isinstance(name, str) or name not in MAZES:
        raise ValueError(f"unknown maze {name!r}{nearest(name, MAZES)}")
    return _shipped(name)


@cache
def _shipped(name: str) -> Maze:
    return Maze.from_text(MAZES[name].read_text(encoding="utf-8"))  # errors need not name a file of the library


def find_maze(maze: Maze | str | Path) -> Maze:
    r"""Return the maze of an argument.

    Args:
        maze: a Maze, a text (with a line break), the name of a shipped maze, or a file.

    Raises:
        MazeError: (a ValueError) the text or the file cannot be read.
        ValueError: neither a known name nor a file.
        TypeError: something else.
    """
    if isinstance(maze, Maze):
        return maze
    if isinstance(maze, str) and "\n" in maze:
        return Maze.from_text(maze)
    if isinstance(maze, str) and maze in MAZES:
        return load_maze(maze)
    if not isinstance(maze, str | Path):
        raise TypeError(f"a maze must be a Maze, a text, a shipped name or a file, not {type(maze).__name__}")
    if os.path.isdir(maze):
        raise ValueError(f"{str(maze)!r} is a folder, not a file with a maze")
    if not os.path.isfile(maze):  # unlike Path.is_file, it accepts a name of any length
        drawn = "S" in str(maze) and set(str(maze)) <= LEGEND.keys()
        hint = "; end a drawing of one line with a line break" if drawn else nearest(maze, MAZES)
        raise ValueError(f"{str(maze)!r:.80} is neither a shipped maze nor a file{hint}")
    return Maze.from_file(maze)

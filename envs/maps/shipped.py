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
"""name -> file"""


def load_maze(name: str) -> Maze:
    """Return a shipped maze.

    Raises:
        ValueError: there is none of this name; the message says the nearest.
    """
    if not isinstance(name, str) or name not in MAZES:
        raise ValueError(f"no shipped maze is called {name!r}{nearest(name, MAZES)}")
    return _shipped(name)


@cache
def _shipped(name: str) -> Maze:
    return Maze.from_text(MAZES[name].read_text(encoding="utf-8"))  # its errors need not name a file of the library


def find_maze(maze: Maze | str | Path) -> Maze:
    r"""Return the maze that is meant: a Maze itself, a text (with a line break), a shipped name or a file.

    Raises:
        ValueError: no shipped name and no file; a MazeError, if it cannot be read.
    """
    if isinstance(maze, Maze):
        return maze
    if isinstance(maze, str) and "\n" in maze:
        return Maze.from_text(maze)
    if isinstance(maze, str) and maze in MAZES:
        return load_maze(maze)
    if not isinstance(maze, str | Path):
        raise TypeError(f"a maze is a Maze, a text, a shipped name or a file, not {type(maze).__name__}")
    if not os.path.isfile(maze):  # unlike Path.is_file, it takes a name of any length
        drawn = "S" in str(maze) and set(str(maze)) <= LEGEND.keys()
        hint = "; a drawing of one line ends with a line break" if drawn else nearest(maze, MAZES)
        raise ValueError(f"{str(maze)!r:.80} is neither a shipped maze nor a file{hint}")
    return Maze.from_file(maze)

"""The maps that come with the library, by name."""

import difflib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from .arguments import nearest
from .formats import read_maze, read_text
from .legend import LEGEND
from .maze import Maze

MAZES: Final[Mapping[str, Path]] = MappingProxyType(
    {path.stem: path for path in sorted((Path(__file__).parent / "drawings").glob("*.txt"))}
)
"""Name -> file."""


def load_maze(
    name: str | Path,
    *,
    format: str | None = None,
    legend: Mapping[str, str] | None = None,
    start: tuple[int, int] | None = None,
    goal: tuple[int, int] | None = None,
) -> Maze:
    """Return a shipped maze, or the maze in a file.

    Args:
        name: of a shipped maze, or a file.
        format: of the file, a name of `FORMATS`; by default the one of its suffix, or else our text.
        legend: of a drawing with letters of its own: character -> one of our tiles, such as `{"E": "G", " ": "."}`.
        start, goal: (row, column), in place of those that are drawn; see `Maze.with_ends`.

    Raises:
        MazeError: (a ValueError) the file cannot be read.
        ValueError: neither a known name nor a file, or an unknown format.
        TypeError: neither a text nor a path.

    Example:
        >>> from mazegrad.envs import load_maze
        >>> load_maze("four_rooms").tiles.shape
        (13, 13)
    """
    if not isinstance(name, str | Path):
        raise TypeError(f"a maze must be a Maze, a text, a shipped name or a file, not {type(name).__name__}")
    if isinstance(name, str) and name in MAZES:
        return _shipped(name).with_ends(start, goal) if start or goal else _shipped(name)
    if os.path.isdir(name):
        raise ValueError(f"{str(name)!r} is a folder, not a file with a maze")
    if not os.path.isfile(name):  # unlike Path.is_file, it accepts a name of any length
        raise ValueError(_missing(str(name)))
    maze = read_maze(name, format=format, legend=legend)
    return maze.with_ends(start, goal) if start or goal else maze


def _missing(name: str) -> str:
    """Return what is wrong with a name that is neither a shipped maze nor a file."""
    if "S" in name and set(name) <= LEGEND.keys():
        hint = "; end a drawing of one line with a line break"
    elif os.path.exists(name):
        return f"{name!r} is a pipe or a device; write the maze to a file, and name that"
    elif os.path.basename(name) != name or os.path.splitext(name)[1]:  # it looks like a file
        folder = os.path.dirname(name)
        try:
            there = os.listdir(folder or ".")
        except (OSError, ValueError):  # it cannot be read, or cannot be a name
            there = []
        near = difflib.get_close_matches(os.path.basename(name), there, n=1)
        return f"there is no file {name!r:.80}" + (f"; did you mean {os.path.join(folder, near[0])!r}?" if near else "")
    else:
        hint = nearest(name, MAZES)
    return f"{name!r:.80} is neither a shipped maze nor a file{hint}"


@cache
def _shipped(name: str) -> Maze:
    return Maze.from_text(MAZES[name].read_text(encoding="utf-8"))  # errors need not name a file of the library


def find_maze(maze: Maze | str | Path, format: str | None = None) -> Maze:
    r"""Return the maze of an argument.

    Args:
        maze: a Maze, a text (with a line break), the name of a shipped maze, or a file.
        format: of a text or a file, a name of `FORMATS`.

    Raises:
        MazeError: (a ValueError) the text cannot be read.
        ValueError, TypeError: see `load_maze`.
    """
    if isinstance(maze, Maze):
        return maze
    if isinstance(maze, str) and "\n" in maze:
        return read_text(maze, format)
    return load_maze(maze, format=format)

"""Files of mazes: each format reads and writes one kind, chosen by its name or by the suffix of the file."""

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..arguments import nearest
from ..files import write_file
from ..maze import Maze, read_file
from .format import Format, text_format
from .frozen_lake import FROZEN_LAKE

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "text": text_format("a drawing in text, with metadata", ".txt", read=Maze.from_text, write=Maze.to_text),
        "frozen_lake": FROZEN_LAKE,
    }
)
"""Name -> format. The first is that of all files with an unknown suffix."""

_BY_SUFFIX: Final = {suffix: entry for entry in FORMATS.values() for suffix in entry.suffixes}


def read_maze(path: str | PathLike[str], *, format: str | None = None) -> Maze:
    """Return the maze in a file.

    Args:
        path: the file.
        format: a name of `FORMATS`; by default the one of the file's suffix, or else "text".

    Raises:
        MazeError: (a ValueError) what cannot be read, with file, line and column.
        ValueError: an unknown format.
        OSError: the file cannot be opened.
    """
    return read_file(path, _format_of(path, format).read)


def save_maze(path: str | PathLike[str], maze: Maze, *, format: str | None = None) -> None:
    """Write a maze to a file, whole or not at all.

    Args:
        path: the file.
        maze: the maze.
        format: see `read_maze`.

    Raises:
        MazeError: (a ValueError) the format does not have a tile or a setting of the maze.
        ValueError: an unknown format.
        OSError: the file cannot be written.
    """
    write_file(path, _format_of(path, format).write(maze))


def _format_of(path: str | PathLike[str], name: str | None) -> Format:
    if name is None:
        return _BY_SUFFIX.get(Path(fspath(path)).suffix.lower(), FORMATS["text"])
    if name not in FORMATS:
        raise ValueError(f"unknown format {name!r}{nearest(name, FORMATS)}")
    return FORMATS[name]


__all__ = ["FORMATS", "Format", "read_maze", "save_maze"]

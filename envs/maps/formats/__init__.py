"""Files of mazes: each format reads and writes one kind, chosen by its name or by the suffix of the file."""

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ..arguments import nearest
from ..files import write_file
from ..maze import Maze, MazeError, read_file
from .blank_floor import BLANK_FLOOR, other_format
from .format import Format, text_format
from .frozen_lake import FROZEN_LAKE

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "text": text_format("a drawing in text, with metadata", ".txt", read=Maze.from_text, write=Maze.to_text),
        "frozen_lake": FROZEN_LAKE,
        "blank_floor": BLANK_FLOOR,
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
    found = _format_of(path, format)
    return read_file(path, _text if format is None and found is FORMATS["text"] else found.read)


def _text(data: bytes) -> Maze:
    """Return the maze of our own text, where no format was named; an error names the one that would read it."""
    try:
        return FORMATS["text"].read(data)
    except MazeError as error:
        hint = other_format(data.decode(errors="replace"))
        if not hint:
            raise
        raise MazeError(error.message + hint, error.line, error.column, error.file) from None


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


def read_text(text: str, format: str | None = None) -> Maze:
    """Return the maze in a text.

    Args:
        text: the text.
        format: a name of `FORMATS`; by default our own.

    Raises:
        MazeError: (a ValueError) what cannot be read, with line and column.
        ValueError: an unknown format.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        line, column = text.count("\n", 0, error.start) + 1, error.start - text.rfind("\n", 0, error.start)
        raise MazeError(f"{text[error.start]!r} is not a character", line, column) from None
    return _text(data) if format is None else checked_format(format).read(data)


def checked_format(name: Any) -> Format:
    """Return the format of a name.

    Raises:
        ValueError: it is not one of `FORMATS`.
    """
    if not isinstance(name, str) or name not in FORMATS:
        raise ValueError(f"unknown format {name!r}{nearest(name, FORMATS)}")
    return FORMATS[name]


def _format_of(path: str | PathLike[str], name: str | None) -> Format:
    if name is None:
        return _BY_SUFFIX.get(Path(fspath(path)).suffix.lower(), FORMATS["text"])
    return checked_format(name)


__all__ = ["FORMATS", "Format", "checked_format", "read_maze", "read_text", "save_maze"]

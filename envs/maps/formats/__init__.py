"""Files of mazes: each format reads and writes one kind, chosen by its name or by the suffix of the file."""

import warnings
from collections.abc import Callable, Mapping
from os import PathLike, fspath
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ..arguments import nearest
from ..errors import MazeError
from ..files import write_file
from ..legend import LEGEND
from ..maze import Maze, read_file
from ..thin import read_thin, thin_hint, write_thin
from .arrays import ARRAY, PICTURE, maze_from_array, maze_to_array
from .berkeley import BERKELEY
from .blank_floor import BLANK_FLOOR, other_format
from .d4rl import D4RL
from .format import Format, text_format
from .frozen_lake import FROZEN_LAKE
from .jumanji import JUMANJI
from .letters import letters_format
from .lists import LISTS
from .minigrid import MINIGRID
from .movingai import MOVINGAI, Problem, read_problems
from .puzzle_rows import PUZZLE_ROW, read_rows
from .tiled import TILED

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "text": text_format("a drawing in text, with metadata", ".txt", read=Maze.from_text, write=Maze.to_text),
        "frozen_lake": FROZEN_LAKE,
        "blank_floor": BLANK_FLOOR,
        "berkeley": BERKELEY,
        "movingai": MOVINGAI,
        "minigrid": MINIGRID,
        "d4rl": D4RL,
        "lists": LISTS,
        "jumanji": JUMANJI,
        "puzzle_row": PUZZLE_ROW,
        "array": ARRAY,
        "picture": PICTURE,
        "tiled": TILED,
        "thin": text_format("walls between cells, drawn as +--+", ".walls", read=read_thin, write=write_thin),
    }
)
"""Name -> format. The first is that of all files with an unknown suffix."""

_NOT_MAZES: Final = (
    *(".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".svg", ".pdf", ".mp4", ".avi", ".mov"),
    *(".doc", ".docx", ".odt", ".html", ".zip", ".gz"),
)  # text under such a name would mislead
_BY_SUFFIX: Final = {suffix: entry for entry in FORMATS.values() for suffix in entry.suffixes}


def read_maze(path: str | PathLike[str], *, format: str | None = None, legend: Mapping[str, str] | None = None) -> Maze:
    """Return the maze in a file.

    Args:
        path: the file.
        format: a name of `FORMATS`; by default the one of the file's suffix, or else "text".
        legend: of a drawing with letters of its own: character -> one of our tiles, such as `{"E": "G", " ": "."}`.
            Characters that it leaves out are our tiles. It takes the place of `format`.

    Raises:
        MazeError: (a ValueError) what cannot be read, with file, line and column.
        ValueError: an unknown format.
        OSError: the file cannot be opened.
    """
    if legend is not None:
        return read_file(path, _with_legend(legend, format))
    found = _format_of(path, format)
    return read_file(path, _text if format is None and found is FORMATS["text"] else found.read)


def _with_legend(legend: Mapping[str, str], format: str | None) -> Callable[[bytes], Maze]:
    """Return what reads drawings with letters of their own."""
    if format is not None:
        raise ValueError(f"give legend or format, not both; {format!r} has a legend of its own")
    for letter, tile in legend.items():
        if not isinstance(letter, str) or len(letter) != 1 or tile not in LEGEND:
            raise ValueError(f"legend must map characters to tiles of LEGEND, not {letter!r} to {tile!r}")
    return letters_format("", tiles={tile: tile for tile in LEGEND} | dict(legend)).read


def _text(data: bytes) -> Maze:
    """Return the maze of our own text, where no format was named; an error names the one that would read it."""
    try:
        return FORMATS["text"].read(data)
    except MazeError as error:
        text = data.decode(errors="replace")
        hint = thin_hint(text) or other_format(text)
        if not hint:
            raise
        raise MazeError(error.message + hint, error.line, error.column, error.file) from None


def save_maze(path: str | PathLike[str], maze: Maze, *, format: str | None = None) -> None:
    """Write a maze to a file, whole or not at all.

    A format that has fewer settings loses the others: of slips and rewards a `UserWarning` says so; what changes where
    moves lead is refused.

    Args:
        path: the file.
        maze: the maze.
        format: see `read_maze`.

    Raises:
        MazeError: (a ValueError) the format does not have a tile or a setting of the maze.
        ValueError: an unknown format.
        OSError: the file cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from mazegrad.envs import load_maze, save_maze
        >>> maze = load_maze("four_rooms")
        >>> with TemporaryDirectory() as folder:
        ...     save_maze(Path(folder) / "rooms.txt", maze)
        ...     load_maze(Path(folder) / "rooms.txt") == maze
        True
    """
    if not isinstance(maze, Maze):
        raise TypeError(f"expected a Maze, not {type(maze).__name__}; Maze.from_text reads a drawing")
    found = _format_of(path, format)
    suffix = Path(fspath(path)).suffix.lower()
    if format is None and suffix in _NOT_MAZES:
        raise ValueError(
            f"no format of mazes is written as {suffix}; known: {', '.join(_BY_SUFFIX)}; `draw` and `draw_svg` make"
            " pictures of a maze"
        )
    data = found.write(maze)
    lost = [key for key in not_kept(maze, found.read(data)) if key not in ("name", "title", "source")]
    write_file(path, data)
    if lost:
        warnings.warn(f"{path}: this format does not keep {', '.join(lost)}", stacklevel=2)


def not_kept(maze: Maze, again: Maze) -> list[str]:
    """Return the settings of a maze that are not those of what was read again from its file."""
    return [key for key, value in maze.metadata.items() if again.metadata.get(key) != value]


def read_text(text: str, format: str | None = None, legend: Mapping[str, str] | None = None) -> Maze:
    """Return the maze in a text.

    Args:
        text: the text.
        format: a name of `FORMATS`; by default our own.
        legend: see `read_maze`.

    Raises:
        MazeError: (a ValueError) what cannot be read, with line and column.
        ValueError: an unknown format.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        line, column = text.count("\n", 0, error.start) + 1, error.start - text.rfind("\n", 0, error.start)
        raise MazeError(f"{text[error.start]!r} is not a character", line, column) from None
    if legend is not None:
        return _with_legend(legend, format)(data)
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


__all__ = [
    "FORMATS",
    "Format",
    "Problem",
    "checked_format",
    "maze_from_array",
    "maze_to_array",
    "not_kept",
    "read_maze",
    "read_problems",
    "read_rows",
    "read_text",
    "save_maze",
]

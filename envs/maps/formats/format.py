"""A Format reads a maze from the content of a file, and writes it as such."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ..map_text import decoded
from ..maze import Maze
from ..metadata import MOVING


class Format(NamedTuple):
    """How mazes are kept in files."""

    about: str
    """one line"""
    suffixes: tuple[str, ...]
    """of such files, in lower case, each in one format only"""
    read: Callable[[bytes], Maze]
    """raises MazeError for what it cannot read, with line and column"""
    write: Callable[[Maze], bytes]
    """raises MazeError for what the format does not have, with the line and column of the tile or the metadata"""


def text_format(about: str, *suffixes: str, read: Callable[[str], Maze], write: Callable[[Maze], str]) -> Format:
    """Return a format whose files are UTF-8 text.

    Args:
        about, suffixes: see `Format`.
        read: from the text to a maze; raises MazeError.
        write: from a maze to the text; raises MazeError.
    """
    return Format(about, suffixes, lambda data: read(decoded(data)), lambda maze: write(maze).encode())


def check_fits(
    maze: Maze,
    tiles: Iterable[str],
    has: str,
    lacks: str = "this format does not have",
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Check that a format can say all of a maze that matters to a walk; titles and the like may be lost.

    Args:
        maze: what is to be written.
        tiles: those that the format has.
        has: what an error says of them, after the tile that it lacks.
        lacks: how that error begins.
        metadata: of every maze in this format.

    Raises:
        MazeError: another tile, or a setting that changes where moves lead (`MOVING`), with its line and column.
    """
    for row, column in np.argwhere(~np.isin(maze.tiles, [ord(tile) for tile in tiles]))[:1]:
        raise maze.error(row, column, f"{lacks} the tile {chr(maze.tiles[row, column])!r}{has}")
    for key in MOVING:
        if maze.metadata.get(key, metadata.get(key)) != metadata.get(key):
            raise maze.setting_error(key, f"this format does not have {key!r}; remove the line")

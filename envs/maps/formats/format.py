"""A Format reads a maze from the content of a file, and writes it as such."""

from collections.abc import Callable
from typing import NamedTuple

from ..maze import Maze, decoded


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

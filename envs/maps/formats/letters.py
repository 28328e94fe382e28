"""Formats in which each character is a tile: a dict from their characters to our tiles reads and writes them."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ..errors import MazeError
from ..maze import Maze
from .format import Format, check_fits, text_format


def letters_format(
    about: str,
    *suffixes: str,
    tiles: Mapping[str, str],
    metadata: Mapping[str, str] = MappingProxyType({}),
    refused: Mapping[str, str] = MappingProxyType({}),
) -> Format:
    """Return a format of text: one row of tiles a line, all of one length.

    Empty lines around them are accepted, and blanks behind the width of the first row. What is written has no metadata:
    that of the format comes back when it is read. A maze whose metadata changes where moves lead (`MOVING`) is refused.

    Args:
        about, suffixes: see `Format`.
        tiles: character -> tile; of several characters for one tile, the first is written.
        metadata: of every maze in this format.
        refused: characters that such files have and a maze cannot -> what they are, for the error.
    """
    letters: dict[str, str] = {}
    for letter, tile in tiles.items():
        letters.setdefault(tile, letter)

    def read(text: str) -> Maze:
        lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        rows = {number: line for number, line in enumerate(lines, 1) if line}
        if not rows:
            raise MazeError("the maze is empty; draw at least one row of tiles", 1, 1)
        first = min(rows)
        width = len(rows[first])
        for number in range(first, max(rows) + 1):
            line = lines[number - 1]
            if len(line) > width and not line[width:].strip(" "):
                line = rows[number] = line[:width]
            for column, letter in enumerate(line, 1):
                if letter not in tiles:
                    what = f"{letter!r} is {refused[letter]}" if letter in refused else f"unknown character {letter!r}"
                    raise MazeError(f"{what}; known: {_listed(tiles)}", number, column)
            if len(line) != width:
                message = f"this row has {len(line)} tiles, but the first has {width}; draw all rows as long"
                raise MazeError(message, number, len(line) + 1)
        drawn = "".join(rows.values()).translate({ord(letter): tile for letter, tile in tiles.items()})
        codes = np.frombuffer(drawn.encode("ascii"), dtype=np.uint8).reshape(len(rows), -1)
        return Maze(codes, metadata, _source=(None, list(rows)))

    def write(maze: Maze) -> str:
        check_fits(maze, letters, f"; it has {_listed(letters)}", metadata=metadata)
        return "\n".join(maze.rows()).translate({ord(tile): letter for tile, letter in letters.items()}) + "\n"

    return text_format(about, *suffixes, read=read, write=write)


def _listed(characters: Mapping[str, str]) -> str:
    """Return characters as a list to be read."""
    return " ".join(repr(character) if character == " " else character for character in characters)

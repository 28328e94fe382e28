"""Drawings whose floor is blank, as mazelib, maze-dataset, CS50 and many puzzles and courses have them."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ..errors import MazeError
from ..legend import LEGEND
from ..maze import Maze
from .format import check_fits, text_format

# what start, exit and a drawn way are called: the first that has a start and an exit, and all characters, is meant
_DIALECTS: Final[tuple[Mapping[str, str], ...]] = (
    {"S": "S", "E": "G", "+": ".", "X": ".", "*": ".", ".": "."},  # mazelib and maze-dataset, with or without the way
    {"S": "S", "X": "G", ".": "."},
    {"S": "S", "G": "G", ".": "."},
    {"A": "S", "B": "G", "*": "."},  # CS50's search project
    {"P": "S", ".": "G"},  # a Pac-Man that looks for one dot (Berkeley's search project)
)
_WALLS: Final = {"#": "#", "%": "#", "\u2588": "#"}
_FLOOR: Final = {" ": ".", "\u00a0": "."}


def read_blank_floor(text: str) -> Maze:
    """Return the maze of a drawing in which blanks are floor.

    Walls are `#`, `%` or full blocks. Rows may leave out blanks at their ends, or some have more of them than others;
    empty lines around them are accepted.

    Raises:
        MazeError: characters that are not known, or do not go together.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    used = [number for number, line in enumerate(lines) if line]
    if not used:
        raise MazeError("the maze is empty; draw at least one row of tiles", 1, 1)
    first, last = used[0], used[-1]
    rows = lines[first : last + 1]
    if len(set(map(len, rows))) > 1:
        rows = [row.rstrip(" ") for row in rows]
    width = max(map(len, rows))
    rows = [row.ljust(width) for row in rows]
    drawn = set().union(*rows)
    dialects = [{**_WALLS, **_FLOOR, **dialect} for dialect in _DIALECTS]
    fitting = [tiles for tiles in dialects if drawn <= tiles.keys()]
    whole = [tiles for tiles in fitting if {"S", "G"} <= {tiles[letter] for letter in drawn}]
    for tiles in (*whole, *fitting):
        translated = "".join(rows).translate({ord(letter): tile for letter, tile in tiles.items()})
        codes = np.frombuffer(translated.encode("ascii"), dtype=np.uint8).reshape(len(rows), -1)
        return Maze(codes, _source=(None, range(first + 1, last + 2)))
    known = set().union(*dialects)
    for allowed, what in ((known, "unknown character"), (dialects[0].keys(), "beside the others, unknown character")):
        for number, row in enumerate(rows, first + 1):
            for column, letter in enumerate(row, 1):
                if letter not in allowed:
                    raise MazeError(
                        f"{what} {letter!r}; a drawing with blank floor has walls #, and a start and an exit: "
                        "S and E, S and X, S and G, A and B, or P and a dot", number, column,
                    )  # fmt: skip
    raise AssertionError("all characters are of the first dialect, so it fits")


def _write(maze: Maze) -> str:
    letters = {"#": "#", ".": " ", "S": "S", "G": "E"}
    check_fits(maze, letters, "; it has # . S G")
    return "\n".join(maze.rows()).translate({ord(tile): letter for tile, letter in letters.items()}) + "\n"


BLANK_FLOOR: Final = text_format(
    "blank floor, S start, E, X or G exit: mazelib, maze-dataset, CS50, puzzles", read=read_blank_floor, write=_write
)


def other_format(text: str) -> str:
    """Return a hint for an error, where a drawing has a start and an exit once its blanks are floor; else nothing."""
    try:
        if not set(text) - set(LEGEND) - {"\n", "\r"} and " " not in text:
            return ""  # it is a drawing of ours, without blanks
        maze = read_blank_floor(text)
    except MazeError:
        return ""
    return HINT if len(maze.find("S")) and len(maze.find("G")) else ""


HINT: Final = (
    "; if blanks are its floor, or E or X its exit, as in mazelib, maze-dataset and puzzles, read it with "
    'format="blank_floor"'
)

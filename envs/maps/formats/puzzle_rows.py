"""Square mazes in one row of characters, as HRM and TRM train on them: `# SG`, and o for a way, 900 for 30 x 30."""

import csv
import io
from os import PathLike
from typing import Final

import numpy as np

from ..errors import MazeError
from ..map_text import decoded
from ..maze import Maze
from .format import check_fits, text_format

_TILES: Final = {"#": "#", " ": ".", "S": "S", "G": "G", "o": "."}
_WRITTEN: Final = {"#": "#", ".": " ", "S": "S", "G": "G"}


def _read(text: str) -> Maze:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    rows = [number for number, line in enumerate(lines, 1) if line]
    if len(rows) != 1:
        raise MazeError(f"expected one row of characters, not {len(rows)}; read_rows reads several", 1, 1)
    return _maze(lines[rows[0] - 1], rows[0], 1)


def _maze(drawn: str, line: int, first: int) -> Maze:
    """Return the maze of a row that begins at this line and column of its file."""
    size = round(len(drawn) ** 0.5)
    if not drawn or size * size != len(drawn):
        message = f"a square maze has n x n characters, not {len(drawn)}; the nearest square is {max(size, 1) ** 2}"
        raise MazeError(message, line, first)
    for column, letter in enumerate(drawn, first):
        if letter not in _TILES:
            raise MazeError(f"unknown character {letter!r}; known: # wall, blank floor, S, G, o a way", line, column)
    tiles = drawn.translate({ord(letter): tile for letter, tile in _TILES.items()})
    codes = np.frombuffer(tiles.encode("ascii"), dtype=np.uint8).reshape(size, size)
    return Maze(codes, _source=(None, [line] * size))


def _write(maze: Maze) -> str:
    if maze.height != maze.width:
        message = f"a row of characters is a square maze, and this one has {maze.height} x {maze.width} tiles"
        raise maze.error(0, 0, message)
    check_fits(maze, _WRITTEN, "; it has # . S G")
    return "".join(maze.rows()).translate({ord(tile): letter for tile, letter in _WRITTEN.items()}) + "\n"


def read_rows(path: str | PathLike[str]) -> list[Maze]:
    """Return all mazes of a file of rows: one a line, or the column `question` of a CSV.

    Raises:
        MazeError: (a ValueError) a row that is not a maze, with file, line and column.
        OSError: the file cannot be opened.

    Example:
        >>> import os, tempfile
        >>> from mazegrad.envs import read_rows
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "test.csv")
        ...     with open(path, "w") as file:
        ...         _ = file.write("source,question,answer,rating\\nx,S  G,SooG,1\\n")
        ...     print(read_rows(path)[0].to_text())
        S.
        .G
    """
    name = str(path)
    with open(path, "rb") as file:
        data = file.read()
    try:
        text = decoded(data).removeprefix("\ufeff").replace("\r\n", "\n")
        lines = text.split("\n")
        header = next(csv.reader([lines[0]]), [])
        if "question" not in header:
            return [_maze(line, number, 1) for number, line in enumerate(lines, 1) if line]
        place, found = header.index("question"), []
        rows = csv.reader(io.StringIO(text))
        next(rows)
        for fields in rows:
            if len(fields) != len(header):
                raise MazeError(f"this row has {len(fields)} fields, but the first {len(header)}", rows.line_num, 1)
            before = sum(len(field) + 1 for field in fields[:place])
            found.append(_maze(fields[place], rows.line_num, before + 1))
        return found
    except csv.Error as error:
        raise MazeError(f"not a table of comma-separated values: {error}", 1, 1, name) from None
    except MazeError as error:
        raise MazeError(error.message, error.line, error.column, name) from None


PUZZLE_ROW: Final = text_format(
    "one row of a square maze, as HRM and TRM have it: # wall, blank floor, S, G and o",
    ".row", read=_read, write=_write,
)  # fmt: skip

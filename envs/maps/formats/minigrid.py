"""Grids of Minigrid as its `pprint_grid()` prints them: two characters a cell, a kind and the letter of a colour."""

from typing import Final

import numpy as np

from ..errors import MazeError
from ..maze import Maze
from .format import check_fits, text_format

_COLOURS: Final = "RGBPY"  # keys and doors a to e; grey is G as green is
_CELLS: Final = {
    "  ": ".", "WG": "#", "GG": "G", "VR": "X", ">>": "S", "VV": "S", "<<": "S", "^^": "S",
    **{f"K{colour}": letter for colour, letter in zip(_COLOURS, "abcde", strict=True)},
    **{f"L{colour}": letter for colour, letter in zip(_COLOURS, "ABCDE", strict=True)},
    **{f"A{colour}": "*" for colour in "YRGBP"},
}  # fmt: skip
# what is read as floor: doors without a lock, and coloured floor
_PASSABLE: Final = {"__": ".", **{f"{kind}{colour}": "." for kind in "DF" for colour in _COLOURS}}
_WRITTEN: Final = {tile: cell for cell, tile in reversed(_CELLS.items())} | {"S": ">>"}


def _read(text: str) -> Maze:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    used = [number for number, line in enumerate(lines, 1) if line]
    if not used:
        raise MazeError("the maze is empty; draw at least one row of cells", 1, 1)
    rows, width = [], len(lines[used[0] - 1])
    for number in range(used[0], used[-1] + 1):
        line = lines[number - 1]
        if len(line) != width or width % 2:
            message = (
                f"this row has {len(line)} characters; expected {width + width % 2}, two for each cell, as the first"
            )
            raise MazeError(message, number, len(line) + 1)
        row = ""
        for column in range(0, width, 2):
            cell = line[column : column + 2]
            tile = _CELLS.get(cell, _PASSABLE.get(cell))
            if tile is None:
                known = "wall WG, goal GG, lava VR, keys K, locked doors L, balls A and a colour, an agent such as >>"
                raise MazeError(f"unknown cell {cell!r}; known: {known}", number, column + 1)
            row += tile
        rows.append(row)
    codes = np.frombuffer("".join(rows).encode("ascii"), dtype=np.uint8).reshape(len(rows), -1)
    return Maze(codes, _source=(None, range(used[0], used[-1] + 1)))


def _write(maze: Maze) -> str:
    check_fits(maze, _WRITTEN, "", "Minigrid does not have")
    return "".join("".join(_WRITTEN[tile] for tile in row) + "\n" for row in maze.rows())


MINIGRID: Final = text_format(
    "grids of Minigrid as its pprint_grid() prints them, two characters a cell; doors without a lock are floor",
    ".minigrid",
    read=_read,
    write=_write,
)

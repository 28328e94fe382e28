"""Thin walls, between cells: kept in a maze's metadata, read from edge arrays and from `+--+` drawings."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .directions import DOWN, LEFT, RIGHT, UP
from .errors import MazeError
from .legend import LEGEND
from .maze import Maze
from .own_tiles import own_kinds

RIGHT_SIDE: Final = 1
"""of a digit of `walls`: a wall on the cell's right side"""
LOWER_SIDE: Final = 2
"""of a digit of `walls`: a wall on its lower side"""


class _Drawn(Protocol):
    tiles: NDArray[np.uint8]
    metadata: Mapping[str, str]


def sides(maze: _Drawn) -> NDArray[np.uint8] | None:
    """Return which sides of each cell have a thin wall, (height, width), bit d for direction d; None without any.

    Rows and columns that `walls` does not mention have none; those outside the maze do not count.
    """
    if "walls" not in maze.metadata:
        return None
    height, width = maze.tiles.shape
    digits = np.zeros((height, width), dtype=np.uint8)
    for row, line in enumerate(maze.metadata["walls"].split()[:height]):
        digits[row, : min(width, len(line))] = [int(digit) for digit in line[:width]]
    found = np.zeros((height, width), dtype=np.uint8)
    right, lower = digits & RIGHT_SIDE, (digits & LOWER_SIDE) >> 1
    found |= right << RIGHT | lower << DOWN
    found[:, 1:] |= right[:, :-1] << LEFT
    found[1:] |= lower[:-1] << UP
    return found


def thin_maze(
    tiles: NDArray[np.uint8], right: ArrayLike, lower: ArrayLike, metadata: Mapping[str, str] | None = None
) -> Maze:
    """Return a maze with walls between cells, from edge arrays.

    Args:
        tiles: (height, width), as bytes.
        right: (height, width - 1) bool, a wall between a cell and the one to its right.
        lower: (height - 1, width) bool, a wall between a cell and the one below.
        metadata: of the maze.

    Raises:
        ValueError: arrays of another shape.
    """
    height, width = tiles.shape
    walls = np.zeros((height, width), dtype=np.uint8)
    for name, given, shape, bit in (
        ("right", right, (height, width - 1), RIGHT_SIDE),
        ("lower", lower, (height - 1, width), LOWER_SIDE),
    ):
        edges = np.asarray(given)
        if edges.shape != shape:
            raise ValueError(f"{name} has shape {shape}, one for each pair of cells, not {edges.shape}")
        walls[: shape[0], : shape[1]] |= edges.astype(bool).astype(np.uint8) * np.uint8(bit)
    text = " ".join("".join(map(str, row)) for row in walls.tolist())
    return Maze(tiles, {**(metadata or {}), "walls": text})


def thinned(maze: Maze) -> Maze:
    """Return a maze of walls as tiles, 2 * rows + 1 by 2 * columns + 1, as one of rows by columns with thin walls.

    What stands in a passage, such as a goal, comes into one of the rooms beside it.
    """
    tiles = maze.tiles
    right, lower = tiles[1::2, 2:-1:2] == ord("#"), tiles[2:-1:2, 1::2] == ord("#")
    rooms = tiles[1::2, 1::2].copy()
    for row, column in np.argwhere((tiles != ord("#")) & (tiles != ord("."))).tolist():
        if row % 2 and column % 2:
            continue
        beside = [(row // 2, column // 2), ((row - 1) // 2, (column - 1) // 2)]
        free = [room for room in beside if rooms[room] == ord(".")]
        if free:
            rooms[free[0]] = tiles[row, column]
    return thin_maze(rooms, right, lower, maze.metadata)


def read_thin(text: str) -> Maze:
    """Return the maze of a drawing with `+` at corners, `-` and `|` for walls, and a tile in the middle of each cell.

    Cells are one, two or more characters wide; a blank cell is floor. Lines `key: value` above are metadata.

    Raises:
        MazeError: with the line and column of what cannot be read.
    """
    metadata: dict[str, str] = {}
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip("\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line.lstrip()[:1] == "+"), None)
    if first is None:
        raise MazeError("a drawing of thin walls begins with a line such as +--+--+", 1, 1)
    for number, line in enumerate(lines[:first], 1):
        key, colon, value = line.partition(":")
        if line.strip() and not line.startswith(";"):
            if not colon:
                raise MazeError("a line above the drawing is `key: value`, or a comment that begins with ;", number, 1)
            metadata[key.strip()] = value.strip()
    drawn = lines[first:]
    corners = [column for column, sign in enumerate(drawn[0]) if sign == "+"]
    pitch = corners[1] - corners[0] if len(corners) > 1 else 0
    even = pitch > 1 and corners == list(range(0, pitch * len(corners), pitch))
    if not even or len(drawn) % 2 == 0 or len(drawn) < 3:
        raise MazeError("cells are equally wide, and each has a line of walls above and below", first + 1, 1)
    height, width = len(drawn) // 2, len(corners) - 1
    lengths = [len(line) for line in drawn]
    drawn = [line.ljust(pitch * width + 1) for line in drawn]
    tiles = np.full((height, width), ord("."), dtype=np.uint8)
    right, lower = np.zeros((height, width), dtype=bool), np.zeros((height, width), dtype=bool)
    for row in range(height):
        middle, below = drawn[2 * row + 1], drawn[2 * row + 2]
        for column in range(width):
            inside = middle[pitch * column + 1 : pitch * (column + 1)].strip()
            if len(inside) > 1 or (inside and inside not in LEGEND and inside not in _declared(metadata)):
                where = first + 2 * row + 2, min(pitch * column + 1, lengths[2 * row + 1]) + 1
                raise MazeError(f"a cell holds one tile or nothing, not {inside!r}", *where)
            if inside:
                tiles[row, column] = ord(inside)
            edge = middle[pitch * (column + 1)]
            floor = set(below[pitch * column + 1 : pitch * (column + 1)])
            if edge not in " |" or floor - set(" -"):
                at = min(pitch * (column + 1), lengths[2 * row + 1])
                raise MazeError("walls are drawn as | and -", first + 2 * row + 2, at + 1)
            right[row, column], lower[row, column] = edge == "|", "-" in floor
    source = [first + 2 * row + 2 for row in range(height)]
    made = thin_maze(tiles, right[:, :-1], lower[:-1], metadata)
    vars(made)["_lines"] = source
    return made


def thin_hint(text: str) -> str:
    """Return the end of an error for a text that draws walls as `+--+`, else nothing."""
    drawn = any(line.startswith("+-") for line in text.splitlines())
    return '; walls between cells, drawn as +--+, are read with format="thin"' if drawn else ""


def _declared(metadata: Mapping[str, str]) -> Sequence[str]:
    try:
        return [*own_kinds(metadata)]
    except ValueError:
        return []


def thin_lines(maze: Maze, cells: Sequence[str]) -> list[str]:
    """Return a maze as lines of `+--+` and cells of three characters; `cells` has one character for each cell."""
    walls = sides(maze)
    if walls is None:
        walls = np.zeros(maze.tiles.shape, dtype=np.uint8)
    height, width = maze.tiles.shape
    lines = ["+" + "---+" * width]
    for row in range(height):
        middle, below = "|", "+"
        for column in range(width):
            bits, last = int(walls[row, column]), column == width - 1
            middle += f" {cells[row * width + column]} " + ("|" if last or bits >> RIGHT & 1 else " ")
            below += ("---" if row == height - 1 or bits >> DOWN & 1 else "   ") + "+"
        lines += [middle, below]
    return lines


def write_thin(maze: Maze) -> str:
    """Return a maze as `read_thin` reads it.

    Raises:
        MazeError: a tile of nothing, since blank cells are floor.
    """
    for row, column in np.argwhere(maze.tiles == ord(" "))[:1].tolist():
        raise maze.error(row, column, "this format does not have the tile ' ': a blank cell is floor")
    kept = {key: value for key, value in maze.metadata.items() if key != "walls"}
    head = [f"{key}: {value}" for key, value in kept.items()]
    cells = [chr(tile) if tile != ord(".") else " " for tile in maze.tiles.ravel().tolist()]
    return "\n".join([*head, *thin_lines(maze, cells)]) + "\n"

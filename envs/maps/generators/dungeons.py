"""Rooms and corridors: halls that do not touch, and L-shaped corridors that connect them all."""

from collections.abc import Iterator

import numpy as np

from ..arguments import fraction, whole
from .grid import FLOOR, WALL, Grid, Tiles, words


def dungeon(
    grid: Grid, stream: int, *, halls: int | None = None, smallest: int = 2, largest: int = 4, loops: float = 0.15
) -> Tiles:
    """Place halls at random, keep those that do not touch, and connect each to the nearest one placed before it.

    In the manner of Rogue (Toy, Wichman and Arnold, 1980). All open tiles are connected.

    Args:
        grid: the rooms of a perfect maze; halls and corridors are aligned to them.
        stream: of random bits.
        halls: the number of halls to try; by default one for every 8 rooms.
        smallest, largest: the sides of a hall, in rooms; a hall of n rooms is 2 * n - 1 tiles wide.
        loops: the probability that a hall gets a second corridor, to any hall placed before it.

    Returns:
        (height, width) tiles without start and goal.
    """
    tries = whole("halls", max(1, grid.rows * grid.columns // 8) if halls is None else halls, 1)
    smallest = whole("smallest", smallest, 1)
    largest, loops = whole("largest", largest, smallest), fraction("loops", loops)
    random = words(stream)
    taken = np.zeros((grid.rows, grid.columns), dtype=bool)
    tiles = np.full((grid.height, grid.width), WALL, dtype=np.uint8)
    placed: list[tuple[int, int, int, int]] = []  # row, column, rows, columns
    for _ in range(tries):
        rows = min(smallest + _below(random, largest - smallest + 1), grid.rows)
        columns = min(smallest + _below(random, largest - smallest + 1), grid.columns)
        row, column = _below(random, grid.rows - rows + 1), _below(random, grid.columns - columns + 1)
        if taken[row : row + rows, column : column + columns].any():
            continue
        taken[row : row + rows, column : column + columns] = True
        tiles[2 * row + 1 : 2 * (row + rows), 2 * column + 1 : 2 * (column + columns)] = FLOOR
        hall = (row, column, rows, columns)
        if placed:
            nearest = min(placed, key=lambda other: _distance(hall, other))
            dig(tiles, _spot(random, hall), _spot(random, nearest), _below(random, 2))
            if next(random) < loops * 2**32:
                dig(tiles, _spot(random, hall), _spot(random, placed[_below(random, len(placed))]), _below(random, 2))
        placed.append(hall)
    return tiles


def dig(tiles: Tiles, begin: tuple[int, int], end: tuple[int, int], across_first: int) -> None:
    """Open an L-shaped corridor between two (row, column), in place."""
    row, column = (begin[0], end[1]) if across_first else (end[0], begin[1])
    for one, other in ((begin, (row, column)), ((row, column), end)):
        top, bottom = sorted((one[0], other[0]))
        left, right = sorted((one[1], other[1]))
        tiles[top : bottom + 1, left : right + 1] = FLOOR


def _below(random: Iterator[int], n: int) -> int:
    return next(random) * n >> 32


def _spot(random: Iterator[int], hall: tuple[int, int, int, int]) -> tuple[int, int]:
    """Return the (row, column) of a random tile in a hall, aligned to the rooms."""
    row, column, rows, columns = hall
    return 2 * (row + _below(random, rows)) + 1, 2 * (column + _below(random, columns)) + 1


def _distance(hall: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> int:
    """Return twice the Manhattan distance of the centres of two halls."""
    return sum(abs(2 * hall[i] + hall[i + 2] - 2 * other[i] - other[i + 2]) for i in (0, 1))

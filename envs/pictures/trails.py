"""A trail marks where the agent went: for each cell the sides that were crossed, as four bits."""

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import OFFSETS, opposite
from ..maps.maze import Maze


def new_trail(maze: Maze) -> NDArray[np.uint8]:
    """Return an empty trail: for each cell of the maze the set of sides it was crossed at, bit d for direction d."""
    return np.zeros(maze.height * maze.width, dtype=np.uint8)


def read_trail(digits: str, maze: Maze) -> NDArray[np.uint8]:
    """Return a trail in this maze from its bytes in hexadecimal, as saved states have them.

    Raises:
        ValueError: it is no trail, or not one in this maze.
        TypeError: it is no text.
    """
    trail = np.frombuffer(bytes.fromhex(digits), dtype=np.uint8).copy()
    if len(trail) != maze.tiles.size or (trail > 15).any():
        raise ValueError(f"a trail in this maze is {maze.tiles.size} bytes from 0 to 15")
    return trail


def extend_trail(trail: NDArray[np.uint8], cell: int, next_cell: int, width: int) -> None:
    """Mark, in place, a move to a neighbouring cell; any other move (a bump, a jump) leaves no mark."""
    for direction, (row, column) in enumerate(OFFSETS.tolist()):
        if next_cell - cell == row * width + column and (row or cell // width == next_cell // width):
            trail[cell] |= 1 << direction
            trail[next_cell] |= 1 << opposite(direction)

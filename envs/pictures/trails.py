"""A trail marks where the agent went: for each cell, the sides that it crossed, as four bits."""

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import OFFSETS, opposite
from ..maps.maze import Maze


def new_trail(maze: Maze) -> NDArray[np.uint8]:
    """Return an empty trail, (height * width,): for each cell the sides that were crossed, bit d for direction d."""
    return np.zeros(maze.height * maze.width, dtype=np.uint8)


def checked_trail(trail: bytes | None, maze: Maze) -> NDArray[np.uint8]:
    """Return a trail in this maze from its bytes, as saved states have it; None is an empty trail.

    Raises:
        ValueError: not a trail in this maze.
        TypeError: not bytes.
    """
    if trail is None:
        return new_trail(maze)
    crossed = np.frombuffer(trail, dtype=np.uint8).copy()
    if len(crossed) != maze.tiles.size or (crossed > 15).any():
        raise ValueError(f"a trail in this maze must have {maze.tiles.size} bytes from 0 to 15")
    return crossed


def extend_trail(trail: NDArray[np.uint8], cell: int, next_cell: int, width: int) -> None:
    """Mark a move to a neighbouring cell, in place; any other move (a bump, a jump) leaves no mark."""
    for direction, (row, column) in enumerate(OFFSETS.tolist()):
        if next_cell - cell == row * width + column and (row or cell // width == next_cell // width):
            trail[cell] |= 1 << direction
            trail[next_cell] |= 1 << opposite(direction)

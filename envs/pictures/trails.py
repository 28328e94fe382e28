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


class Trails:
    """The trails of many lanes, each drawn in the maze that its lane is in.

    Args:
        lanes: the number of lanes.
    """

    def __init__(self, lanes: int) -> None:
        self._trails = [np.zeros(0, dtype=np.uint8)] * lanes
        self._widths = [0] * lanes

    def begin(self, lane: int, maze: Maze, trail: bytes | None = None) -> None:
        """Begin a lane's trail, or go on with one; see `checked_trail`."""
        self._trails[lane], self._widths[lane] = checked_trail(trail, maze), maze.width

    def extend(self, cells: NDArray[np.int64], next_cells: NDArray[np.int64], but: NDArray[np.int64] | None) -> None:
        """Mark the move of each lane from a cell to the next one, except the moves of some lanes."""
        moves = zip(self._trails, cells.tolist(), next_cells.tolist(), self._widths, strict=True)
        left_out = set() if but is None else set(but.tolist())
        for lane, move in enumerate(moves):
            if lane not in left_out:
                extend_trail(*move)

    def copy(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
        """Give target lanes the trails of source lanes."""
        copies = [(self._trails[lane].copy(), self._widths[lane]) for lane in source.tolist()]
        for lane, (trail, width) in zip(target.tolist(), copies, strict=True):
            self._trails[lane], self._widths[lane] = trail, width

    def __getitem__(self, lane: int) -> NDArray[np.uint8]:
        """Return the trail of a lane."""
        return self._trails[lane]

    def saved(self) -> tuple[bytes, ...]:
        """Return all trails as bytes; see `checked_trail`."""
        return tuple(trail.tobytes() for trail in self._trails)

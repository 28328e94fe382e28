"""A path: dots that do not touch themselves, as exercise 38 means it."""

import numpy as np

from .directions import OFFSETS
from .maze import Maze


def check_path(maze: Maze) -> None:
    """Check that the maze is a path that does not touch itself, as exercise 38 means it.

    Each dot has at most two neighbours and is connected to the start; there is one start and at most one goal, which
    is at an end of the path.

    Raises:
        MazeError: with the line and column of the first tile that breaks this.
    """
    for row, column in np.argwhere(~np.isin(maze.tiles, np.frombuffer(b" #.SG", dtype=np.uint8)))[:1]:
        raise maze.error(row, column, f"a path can have only the tiles . S and G, not {chr(maze.tiles[row, column])}")
    starts, goals = maze.find("S"), maze.find("G")
    if len(starts) != 1:
        row, column = starts[1] if len(starts) else np.argwhere(maze.open)[0] if maze.open.any() else (0, 0)
        raise maze.error(row, column, f"a path must have one start S, not {len(starts)}")
    for row, column in goals[1:2]:
        raise maze.error(row, column, f"a path can have one goal G at most, not {len(goals)}")
    cells = np.argwhere(maze.open)
    padded = np.pad(maze.open, 1)
    beside = [padded[1 + dr : 1 + dr + maze.height, 1 + dc : 1 + dc + maze.width] for dr, dc in OFFSETS]
    near = np.sum(beside, axis=0)
    for row, column in cells[near[tuple(cells.T)] > 2][:1]:
        raise maze.error(
            row, column, f"the path touches itself: this tile has {near[row, column]} neighbours, more than 2"
        )
    for row, column in goals[near[tuple(goals.T)] > 1]:
        raise maze.error(row, column, "the goal is inside the path; put it at an end")
    apart = {(int(r), int(c)) for r, c in cells}
    frontier = [(int(starts[0][0]), int(starts[0][1]))]
    while frontier:
        row, column = frontier.pop()
        if (row, column) in apart:
            apart.remove((row, column))
            frontier += [(row + int(dr), column + int(dc)) for dr, dc in OFFSETS]
    for row, column in sorted(apart)[:1]:
        raise maze.error(row, column, "this tile is not connected to the start")

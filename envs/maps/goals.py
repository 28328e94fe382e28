"""A goal that is moved to another tile: the maze stays what it is but for that."""

from typing import Any

import numpy as np

from .arguments import row_and_column
from .maze import Maze


def moved_goal(position: Any, maze: Maze) -> Maze:
    """Return a maze whose only goal is at a position; where goals were is floor.

    Args:
        position: (row, column).
        maze: the maze; with the goal there already it is returned as it is.

    Raises:
        ValueError: neither plain floor nor a goal is there.
    """
    row, column = row_and_column(position)
    tiles = maze.tiles
    if not (0 <= row < maze.height and 0 <= column < maze.width and chr(tiles[row, column]) in ".G"):
        raise ValueError(f"a goal can be on floor, '.', not at row {row}, column {column} (both from 0)")
    goals = tiles == ord("G")
    if goals[row, column] and goals.sum() == 1:
        return maze
    moved = np.where(goals, np.uint8(ord(".")), tiles)
    moved[row, column] = ord("G")
    return Maze(moved, maze.metadata)


def without_goals(maze: Maze) -> Maze:
    """Return a maze with floor where its goals were."""
    return Maze(np.where(maze.tiles == ord("G"), np.uint8(ord(".")), maze.tiles), maze.metadata)

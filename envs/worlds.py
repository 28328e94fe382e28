"""The registered environments: each is a MazeEnv with a maze of its own."""

from pathlib import Path
from typing import Any

from .env import MazeEnv
from .maze import Maze, check_path
from .shipped import find_maze


def path_follow(maze: Maze | str | Path = "sheet38", **keywords: Any) -> MazeEnv:
    """Exercise 38, `mazegrad/PathFollow-v0`: a path of dots that does not touch itself; see `MazeEnv`.

    Raises:
        MazeError: the maze is not such a path; see `check_path`.
    """
    return MazeEnv(find_maze(maze), check=check_path, **keywords)


def grid_world(maze: Maze | str | Path = "four_rooms", **keywords: Any) -> MazeEnv:
    """Any map, `mazegrad/GridWorld-v0`: a Maze, a text, a file or a shipped name; see `MazeEnv`."""
    return MazeEnv(find_maze(maze), **keywords)

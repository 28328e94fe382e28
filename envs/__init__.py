"""Worlds: mazes drawn as text, compiled into tables, and walked as Gymnasium environments."""

from .directions import DOWN, LEFT, RIGHT, UP, opposite
from .draw import draw
from .env import MazeEnv
from .maze import LEGEND, Maze, MazeError
from .planners import distances, optimal_actions, shortest_path
from .rules import outcomes, slipped, transition
from .shipped import MAZES, load_maze
from .window import NoDisplayError, WindowClosed
from .world import World

__all__ = [
    "DOWN", "LEFT", "LEGEND", "MAZES", "RIGHT", "UP",
    "Maze", "MazeEnv", "MazeError", "NoDisplayError", "WindowClosed", "World",
    "distances", "draw", "load_maze", "opposite", "optimal_actions", "outcomes", "shortest_path", "slipped", "transition",
]  # fmt: skip

"""Worlds: mazes drawn as text, compiled into tables, and walked as Gymnasium environments."""

from .directions import DOWN, LEFT, RIGHT, UP, opposite
from .draw import draw
from .env import MazeEnv
from .maze import LEGEND, REWARDS, Maze, MazeError
from .observations import AGENT_CODE, INFO, OBSERVATIONS, TILE_CODES
from .planners import distances, optimal_actions, shortest_path
from .rules import outcomes, slipped, transition
from .shipped import MAZES, load_maze
from .window import NoDisplayError, WindowClosed
from .world import World

__all__ = [
    "AGENT_CODE", "DOWN", "INFO", "LEFT", "LEGEND", "MAZES", "OBSERVATIONS", "REWARDS", "RIGHT", "TILE_CODES", "UP",
    "Maze", "MazeEnv", "MazeError", "NoDisplayError", "WindowClosed", "World",
    "distances", "draw", "load_maze", "opposite", "optimal_actions", "outcomes", "shortest_path", "slipped",
    "transition",
]  # fmt: skip

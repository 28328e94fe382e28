"""Worlds: mazes drawn as text, compiled into tables, and walked as Gymnasium environments."""

from .directions import DOWN, LEFT, RIGHT, UP, opposite
from .draw import draw
from .env import MazeEnv
from .maze import LEGEND, REWARDS, Maze, MazeError
from .mdp import TabularMDP
from .observations import AGENT_CODE, INFO, OBSERVATIONS, TILE_CODES
from .planners import distances, optimal_actions, shortest_path
from .replay import Replay
from .rules import outcomes, slipped, transition
from .shipped import MAZES, load_maze
from .solvers import SOLVERS, Solution, solve
from .values import Values, evaluate_policy, value_iteration
from .window import NoDisplayError, WindowClosed
from .world import World

__all__ = [
    "AGENT_CODE", "DOWN", "INFO", "LEFT", "LEGEND", "MAZES", "OBSERVATIONS", "REWARDS", "RIGHT", "SOLVERS", "TILE_CODES",
    "UP", "Maze", "MazeEnv", "MazeError", "NoDisplayError", "Replay", "Solution", "TabularMDP", "Values", "WindowClosed",
    "World",
    "distances", "draw", "evaluate_policy", "load_maze", "opposite", "optimal_actions", "outcomes", "shortest_path",
    "slipped", "solve", "transition", "value_iteration",
]  # fmt: skip

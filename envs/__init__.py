"""Worlds: mazes drawn as text, compiled into tables, and walked as Gymnasium environments."""

from .directions import DOWN, LEFT, RIGHT, UP, opposite
from .draw import draw
from .env import MazeEnv
from .frozen import suite
from .generators import GENERATORS, generate, generate_batch, generate_from_key
from .levels import Levels
from .maze import LEGEND, REWARDS, Maze, MazeError
from .mdp import TabularMDP
from .observations import AGENT_CODE, INFO, OBSERVATIONS, TILE_CODES
from .planners import distances, optimal_actions, shortest_path
from .replay import Replay
from .rules import outcomes, slipped, transition
from .shipped import MAZES, load_maze
from .solvers import SOLVERS, Solution, solve
from .values import Values, evaluate_policy, value_iteration
from .vector import MazeVectorEnv
from .window import NoDisplayError, WindowClosed
from .world import World

__all__ = [
    "AGENT_CODE", "DOWN", "GENERATORS", "INFO", "LEFT", "LEGEND", "MAZES", "OBSERVATIONS", "REWARDS", "RIGHT",
    "SOLVERS", "TILE_CODES", "UP",
    "Levels", "Maze", "MazeEnv", "MazeError", "MazeVectorEnv", "NoDisplayError", "Replay", "Solution", "TabularMDP",
    "Values", "WindowClosed", "World",
    "distances", "draw", "evaluate_policy", "generate", "generate_batch", "generate_from_key", "load_maze",
    "opposite", "optimal_actions", "outcomes", "shortest_path", "slipped", "solve", "suite", "transition",
    "value_iteration",
]  # fmt: skip

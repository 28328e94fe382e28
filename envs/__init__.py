"""Worlds: mazes drawn as text, compiled into tables, and walked as Gymnasium environments."""

from .core.rules import outcomes, slipped, transition
from .core.world import World
from .env import MazeEnv
from .info import INFO
from .maps.directions import DOWN, LEFT, RIGHT, UP, opposite
from .maps.generators import GENERATORS, generate, generate_batch, generate_from_key
from .maps.legend import LEGEND, REWARDS
from .maps.levels import Levels
from .maps.maze import Maze, MazeError
from .maps.shipped import MAZES, load_maze
from .maps.suites import suite
from .observations import AGENT_CODE, OBSERVATIONS, TILE_CODES
from .pictures import notebook as notebook
from .pictures.draw import draw
from .pictures.window import NoDisplayError, WindowClosed
from .planning.describe import DifficultyCard, describe
from .planning.distances import distances, optimal_actions, shortest_path
from .planning.mdp import TabularMDP
from .planning.solvers import SOLVERS, Solution, solve
from .planning.values import Values, evaluate_policy, value_iteration
from .replay import Replay
from .vector import MazeVectorEnv

__all__ = [
    "AGENT_CODE", "DOWN", "GENERATORS", "INFO", "LEFT", "LEGEND", "MAZES", "OBSERVATIONS", "REWARDS", "RIGHT",
    "SOLVERS", "TILE_CODES", "UP",
    "DifficultyCard",
    "Levels", "Maze", "MazeEnv", "MazeError", "MazeVectorEnv", "NoDisplayError", "Replay", "Solution", "TabularMDP",
    "Values", "WindowClosed", "World",
    "describe", "distances", "draw", "evaluate_policy", "generate", "generate_batch", "generate_from_key", "load_maze",
    "opposite", "optimal_actions", "outcomes", "shortest_path", "slipped", "solve", "suite", "transition",
    "value_iteration",
]  # fmt: skip

"""Worlds: mazes drawn as text, compiled into tables, and walked as Gymnasium environments."""

from . import notebook as notebook
from .core.places import Places
from .core.rules import outcomes, slipped, transition
from .core.scene import TILE_CODES
from .core.world import World
from .editor import MazeEditor
from .engines.choice import ENGINES
from .engines.engine import Engine
from .env import MazeEnv
from .info import INFO
from .maps.directions import DOWN, LEFT, RIGHT, UP, opposite
from .maps.errors import MazeError
from .maps.formats import FORMATS, Problem, maze_from_array, maze_to_array, read_problems, read_rows, save_maze
from .maps.generators import GENERATORS, generate, generate_batch, generate_from_key, growth
from .maps.legend import AGENT_CODE, AGENT_CODES, LEGEND, REWARDS
from .maps.level_buffer import LevelBuffer, Replayed
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.mutation import mutate
from .maps.plain import MEASURES, distance_maps, measures
from .maps.shipped import MAZES, load_maze
from .maps.splits import canonical, level_digest, level_hashes, split_levels
from .maps.suites import HOLDOUTS, suite
from .observations import ENCODINGS, OBSERVATIONS, PLANES, SIDE_PLANES
from .parallel import ParallelMazes
from .parallel_make import parallel_env
from .pictures.draw import draw
from .pictures.vector import draw_pdf, draw_svg
from .pictures.window import NoDisplayError, WindowClosed
from .planning.beliefs import belief
from .planning.describe import DifficultyCard, describe
from .planning.distances import distances, optimal_actions, shortest_path
from .planning.hitting import explorer_limits, hitting_times
from .planning.mdp import TabularMDP
from .planning.plain import best_actions, shortest_paths, value_maps
from .planning.pomdp import POMDP_SOLVERS, BeliefValues, point_based, qmdp
from .planning.pomdp_text import PomdpTables, parse_pomdp
from .planning.pomdps import POMDPS, Pomdp
from .planning.questions import MapWarning, questions
from .planning.shaping import SHAPINGS, shaped
from .planning.solvers import SOLVERS, Solution, solve
from .planning.values import Values, evaluate_policy, value_iteration
from .replay import Replay
from .saved import SavedState
from .tabular_env import TabularMDPEnv
from .tabular_settings import TableState
from .tabular_vector import TabularMDPVectorEnv
from .vector import MazeVectorEnv

__all__ = [
    "AGENT_CODE",
    "AGENT_CODES",
    "DOWN",
    "ENCODINGS",
    "ENGINES",
    "FORMATS",
    "GENERATORS",
    "HOLDOUTS",
    "INFO",
    "LEFT",
    "LEGEND",
    "MAZES",
    "MEASURES",
    "OBSERVATIONS",
    "PLANES",
    "POMDPS",
    "POMDP_SOLVERS",
    "REWARDS",
    "RIGHT",
    "SHAPINGS",
    "SIDE_PLANES",
    "SOLVERS",
    "TILE_CODES",
    "UP",
    "BeliefValues",
    "DifficultyCard",
    "Engine",
    "LevelBuffer",
    "Levels",
    "MapWarning",
    "Maze",
    "MazeEditor",
    "MazeEnv",
    "MazeError",
    "MazeVectorEnv",
    "NoDisplayError",
    "ParallelMazes",
    "Places",
    "Pomdp",
    "PomdpTables",
    "Problem",
    "Replay",
    "Replayed",
    "SavedState",
    "Solution",
    "TableState",
    "TabularMDP",
    "TabularMDPEnv",
    "TabularMDPVectorEnv",
    "Values",
    "WindowClosed",
    "World",
    "belief",
    "best_actions",
    "canonical",
    "describe",
    "distance_maps",
    "distances",
    "draw",
    "draw_pdf",
    "draw_svg",
    "evaluate_policy",
    "explorer_limits",
    "generate",
    "generate_batch",
    "generate_from_key",
    "growth",
    "hitting_times",
    "level_digest",
    "level_hashes",
    "load_maze",
    "maze_from_array",
    "maze_to_array",
    "measures",
    "mutate",
    "opposite",
    "optimal_actions",
    "outcomes",
    "parallel_env",
    "parse_pomdp",
    "point_based",
    "qmdp",
    "questions",
    "read_problems",
    "read_rows",
    "save_maze",
    "shaped",
    "shortest_path",
    "shortest_paths",
    "slipped",
    "solve",
    "split_levels",
    "suite",
    "transition",
    "value_iteration",
    "value_maps",
]  # fmt: skip

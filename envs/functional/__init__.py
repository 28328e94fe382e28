"""The environments as pure functions over the arrays of numpy, JAX or torch: one physics, for every device."""

from .backtracker import backtracker
from .distances import distance_maps
from .outcome import Episodes, Steps
from .plain import best_actions, measures, shortest_paths, value_maps
from .rollout import Policy, rollout
from .solving import StateValues, value_iteration
from .stepping import info, keys, observe, reset, restart, step
from .structure import State, Tables
from .tables import tables, tables_of
from .vector import FunctionalVectorEnv

__all__ = [
    "Episodes",
    "FunctionalVectorEnv",
    "Policy",
    "State",
    "StateValues",
    "Steps",
    "Tables",
    "backtracker",
    "best_actions",
    "distance_maps",
    "info",
    "keys",
    "measures",
    "observe",
    "reset",
    "restart",
    "rollout",
    "shortest_paths",
    "step",
    "tables",
    "tables_of",
    "value_iteration",
    "value_maps",
]

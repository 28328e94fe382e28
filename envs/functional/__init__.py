"""The environments as pure functions over the arrays of numpy, JAX or torch: one physics, for every device."""

from .backtracker import backtracker
from .distances import distance_maps
from .outcome import Episodes, Steps
from .rollout import Policy, rollout
from .stepping import info, keys, observe, reset, restart, step
from .structure import State, Tables
from .tables import tables, tables_of
from .vector import FunctionalVectorEnv

__all__ = [
    "Episodes",
    "FunctionalVectorEnv",
    "Policy",
    "State",
    "Steps",
    "Tables",
    "backtracker",
    "distance_maps",
    "info",
    "keys",
    "observe",
    "reset",
    "restart",
    "rollout",
    "step",
    "tables",
    "tables_of",
]

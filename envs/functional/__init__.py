"""The environments as pure functions over the arrays of numpy, JAX or torch: one physics, for every device."""

from .fresh import backtracker, fresh_tables
from .rollout import Episodes, Policy, Steps, rollout
from .stepping import State, info, keys, observe, reset, restart, step
from .tables import Tables, tables, tables_of
from .vector import FunctionalVectorEnv

__all__ = [
    "Episodes",
    "FunctionalVectorEnv",
    "Policy",
    "State",
    "Steps",
    "Tables",
    "backtracker",
    "fresh_tables",
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

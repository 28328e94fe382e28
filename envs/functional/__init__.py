"""The environments as pure functions over the arrays of numpy, JAX or torch: one physics, for every device."""

from .stepping import State, info, keys, observe, reset, restart, step
from .tables import Tables, tables

__all__ = ["State", "Tables", "info", "keys", "observe", "reset", "restart", "step", "tables"]

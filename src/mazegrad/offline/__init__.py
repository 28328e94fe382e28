"""Offline data: what an agent did in many lanes, as episodes that lie end to end in a few arrays."""

from .collecting import EXACT, POLICIES, collect
from .dataset import Arrays, Dataset, as_torch, flat

__all__ = ["EXACT", "POLICIES", "Arrays", "Dataset", "as_torch", "collect", "flat"]

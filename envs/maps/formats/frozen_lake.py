"""Gymnasium's FrozenLake: rows of S, F, H and G, as in its argument `desc`."""

from typing import Final

from .letters import letters_format

# slippery, as FrozenLake-v1 is by default; its other odds are arguments there, and `slip=` here
FROZEN_LAKE: Final = letters_format(
    "Gymnasium's FrozenLake, the rows of its `desc`: S start, F frozen, H hole, G goal",
    ".lake",
    tiles={"S": "S", "F": ".", "H": "X", "G": "G"},
    metadata={"slip": "2/3", "rewards": "trap 0"},
)

"""The legend: every tile that a map may hold, and the rewards that tiles give by default."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .directions import LEFT, RIGHT

# the order is that of the tile codes which agents see: it only ever grows
LEGEND: Final[Mapping[str, str]] = MappingProxyType(
    {
        " ": "nothing: cannot be entered",
        "#": "wall",
        ".": "dot: floor",
        "S": "start; of several one is drawn at random",
        "G": "goal: ends the episode",
        "X": "trap: ends the episode, or with `trap: restart` sends back to the start",
        "~": "ice: moves slip sideways with a probability",
        "^": "conveyor, moves on by one up",
        ">": "conveyor, moves on by one right",
        "<": "conveyor, moves on by one left",
        "v": "conveyor, moves on by one down",
        **{str(digit): f"teleporter, to the other {digit}" for digit in range(10)},
        "*": "item, collected once",
        **{letter: f"key to the doors {letter.upper()}" for letter in "abcdef"},
        **{letter: f"door, opens with a key {letter.lower()}" for letter in "ABCDEF"},
        "{": "sign: the left bit is shown though there is no dot",
        "}": "sign: the right bit is shown though there is no dot",
    }
)
REWARDS: Final[Mapping[str, float]] = MappingProxyType({"goal": 1.0, "trap": -1.0, "item": 1.0, "step": 0.0})
"""what things earn by default; what a move earns adds up: `step` for any move, and what is at its end"""
SIGNS: Final[Mapping[str, int]] = MappingProxyType({"{": LEFT, "}": RIGHT})
"""sign -> the direction whose dot it shows though no dot is there"""
MAX_TILES: Final = 2**22  # 2048 x 2048: a bound, so that a wrong file is refused before it fills the memory


def is_open(tiles: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which tiles can be entered, locked doors included: all but wall and nothing; any shape."""
    return (tiles != ord("#")) & (tiles != ord(" "))

"""The legend: every tile of the text format, and the default rewards."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .directions import LEFT, RIGHT

# in the order of the tile codes that agents observe: new tiles go to the end, so that all others keep theirs
LEGEND: Final[Mapping[str, str]] = MappingProxyType(
    {
        " ": "nothing: cannot be entered",
        "#": "wall",
        ".": "dot: floor",
        "S": "start: of several, one is drawn at random",
        "G": "goal: ends the episode",
        "X": "trap: ends the episode, or with `trap: restart` sends back to the start",
        "~": "ice: moves slip sideways with a probability",
        "^": "conveyor: moves the agent one cell up",
        ">": "conveyor: moves the agent one cell right",
        "<": "conveyor: moves the agent one cell left",
        "v": "conveyor: moves the agent one cell down",
        **{str(digit): f"teleporter: to the other {digit}" for digit in range(10)},
        "*": "item: collected once",
        **{letter: f"key: opens doors {letter.upper()}" for letter in "abcdef"},
        **{letter: f"door: opens with a key {letter.lower()}" for letter in "ABCDEF"},
        "{": "sign: shows a dot to the left though no dot is there",
        "}": "sign: shows a dot to the right though no dot is there",
    }
)
AGENT_CODE: Final = 36
"""Marks the agent in the observation `map`; no tile has this code."""
AGENT_CODES: Final = np.array([AGENT_CODE, 253, 254, 255], dtype=np.uint8)
"""The same by the direction that the agent faces, where actions turn: up, right, left, down."""
CODES: Final[Mapping[str, int]] = MappingProxyType(
    {tile: number + (number >= AGENT_CODE) for number, tile in enumerate(LEGEND)}
)
"""Tile -> its code in observations."""
LAST_CODE: Final = max(AGENT_CODE, *CODES.values())
REWARDS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "goal": 1.0,
        "trap": -1.0,
        "item": 1.0,
        "step": 0.0,
        "bump": 0.0,
    }
)
"""The default rewards. The reward of a move is that of `step`, and of `bump` if its step cannot be made, plus that of
the tile where it ends."""
TILE_REWARDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "G": "goal",
        "X": "trap",
        "*": "item",
    }
)
"""Tile -> the name of its reward in `REWARDS`, where it has one."""
SIGNS: Final[Mapping[str, int]] = MappingProxyType({"{": LEFT, "}": RIGHT})
"""Sign -> the direction in which it shows a dot though no dot is there."""
MAX_TILES: Final = 2**22  # 2048 x 2048: a bound, so that a wrong file is refused before it fills the memory


def is_open(tiles: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which tiles are open: all except wall and nothing. Locked doors count as open.

    Args:
        tiles: any shape.

    Returns:
        The same shape.
    """
    return (tiles != ord("#")) & (tiles != ord(" "))

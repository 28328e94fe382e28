"""Metadata: the `key: value` lines above a drawing, the allowed values of each key, and how to read them."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from .directions import DIRECTION_NAMES
from .legend import REWARDS
from .moves import NAMED, read_moves
from .noise import NOISE, WIND, read_noise, read_wind
from .own_tiles import JUMP, REWARD, STARTS, read_jump, read_reward, read_starts


def _text_value(value: str) -> str:
    value.encode()  # UnicodeEncodeError, a ValueError, for a lone surrogate
    return value


def _probability(value: str) -> float:
    above, slash, below = value.partition("/")
    number = float(above) / float(below) if slash else float(above)
    if not 0 <= number <= 1:
        raise ValueError
    return number


def _rewards(value: str) -> dict[str, float]:
    rewards = {}
    for entry in value.split(","):
        name, number = entry.split()
        if name not in REWARDS or name in rewards or not math.isfinite(float(number)):
            raise ValueError
        rewards[name] = float(number)
    return rewards


def _walls(value: str) -> tuple[str, ...]:
    rows = tuple(value.split())
    if not rows or not set("".join(rows)) <= set("0123") or len({len(row) for row in rows}) != 1:
        raise ValueError
    return rows


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError
        return value

    return read


MOVING: Final = (
    "trap", "wind", "noise", "actions", "corners", "facing", "jump", "starts", "exit", "walls",
)  # fmt: skip
"""what changes where moves lead"""
# key -> (what is allowed, its reader); a reader raises ValueError
METADATA: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = MappingProxyType(
    {
        "name": ("a text", _text_value),
        "title": ("a text", _text_value),
        "source": ("a text", _text_value),
        "slip": ("a probability such as 0.1 or 2/3", _probability),
        "ice": ("a probability such as 0.1 or 2/3", _probability),
        "rewards": (f"numbers for some of {', '.join(REWARDS)}, such as: step -1, trap -100", _rewards),
        "trap": ("`end` or `restart`", _one_of("end", "restart")),
        "wind": (WIND, read_wind),
        "noise": (NOISE, read_noise),
        "actions": (f"one of {', '.join(NAMED)}, or names and steps such as: up -1 0, leap 0 2", read_moves),
        "reward": (REWARD, read_reward),
        "jump": (JUMP, read_jump),
        "starts": (STARTS, read_starts),
        "exit": ("`any time` or `all items`", _one_of("any time", "all items")),
        "walls": ("a digit for each cell, 1 for a wall to its right, 2 below, 3 for both, such as: 0120 2010", _walls),
        "corners": ("`keep` or `cut`", _one_of("keep", "cut")),
        "facing": (f"one of {', '.join(DIRECTION_NAMES)}", _one_of(*DIRECTION_NAMES)),
    }
)

"""Metadata: the `key: value` lines above a drawing, what each may hold, and how it is read."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from .legend import REWARDS


def _text_value(value: str) -> str:
    value.encode()  # a lone surrogate is no text: UnicodeEncodeError, a ValueError
    return value


def _probability(value: str) -> float:
    above, slash, below = value.partition("/")
    number = float(above) / float(below) if slash else float(above)
    if not 0 <= number <= 1:
        raise ValueError
    return number


def _rewards(value: str) -> dict[str, float]:
    earns = {}
    for entry in value.split(","):
        name, number = entry.split()
        if name not in REWARDS or name in earns or not math.isfinite(float(number)):
            raise ValueError
        earns[name] = float(number)
    return earns


def _trap(value: str) -> str:
    if value not in ("end", "restart"):
        raise ValueError
    return value


def _wind(value: str) -> tuple[int, ...]:
    strengths = tuple(int(number) for number in value.split())
    if not strengths or min(strengths) < 0:
        raise ValueError
    return strengths


# metadata: key -> (what it wants, its reader); a reader raises ValueError
METADATA: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = MappingProxyType(
    {
        "name": ("a text", _text_value),
        "title": ("a text", _text_value),
        "source": ("a text", _text_value),
        "slip": ("a probability such as 0.1 or 2/3", _probability),
        "ice": ("a probability such as 0.1 or 2/3", _probability),
        "rewards": (f"numbers for some of {', '.join(REWARDS)}, such as: step -1, trap -100", _rewards),
        "trap": ("`end` or `restart`", _trap),
        "wind": ("a number of cells for each column, such as: 0 0 1 2 1", _wind),
    }
)

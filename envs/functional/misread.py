"""Sight that is noisy: which bits of "dots" lanes see wrongly, drawn as `randomness.misread` draws them."""

from typing import Any, Final

import numpy as np

from ..maps.randomness import GAMMA, SIGHT, below
from ..observations import Sight
from . import words
from .namespace import Array, namespace
from .structure import Tables

_A_STEP: Final = 16
"""counters in the stream of sight"""


def with_error(tables: Tables, sight: Sight, error: float, array: Any) -> Tables:
    """Return the tables of an environment in which bits of "dots" are seen wrongly.

    Args:
        tables: without that.
        sight: what is observed.
        error: a probability; 0 changes nothing.
        array: from a numpy array to one of the library at hand.
    """
    if not error:
        return tables
    limit = int(below(error))
    halves = np.array([limit >> 26, limit & (2**26 - 1)], dtype=np.int32)
    names = [name for name in sight.bare if sight.kind(name) == "dots"]
    return tables._replace(error={name: array(halves) for name in (names if isinstance(tables.seen, dict) else [""])})


def begun(key: words.Pair, time: int) -> words.Pair:
    """Return where in the streams of sight episodes are, `time` steps after they began.

    Args:
        key: those of the episodes, moved on.
        time: 0, or -1 with the step to come.
    """
    high, low = words.mix(key)
    apart = high ^ words.signed(SIGHT >> 32), low ^ words.signed(SIGHT)
    return words.later(words.mix(apart), _A_STEP * time)


def moved(place: words.Pair) -> words.Pair:
    """Return where they are a step later."""
    return words.plus(place, _A_STEP * GAMMA)


def misread(error: Any, seen: Any, place: words.Pair) -> Any:
    """Return what lanes see of what is to be observed, (lanes, ...), or a dict of such arrays.

    Args:
        error: see `Tables`.
        seen: what is to be observed.
        place: in the streams of sight.
    """
    if isinstance(seen, dict):
        return {name: _flipped(part, error[name], place) if name in error else part for name, part in seen.items()}
    return _flipped(seen, error[""], place)


def _flipped(seen: Array, limit: Array, place: words.Pair) -> Array:
    """Return bits, (lanes, D), of which some are wrong."""
    xp, count = namespace(seen), seen.shape[1]
    wrong = [words.below(words.bits(place, bit), (limit[0], limit[1])) for bit in range(count)]
    return xp.where(xp.stack(wrong, axis=1), 1 - seen, seen)

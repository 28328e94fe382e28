"""Schedules: numbers that change as a learner gets on, as functions of a count that begins at 0.

An exploration rate counts episodes, a learning rate counts the updates of one pair of state and action.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

from ....envs.maps.arguments import is_whole

Schedule: TypeAlias = Callable[[int], float]


def linear(first: float, last: float, count: int) -> Schedule:
    """Return a straight line from `first` to `last`, which is reached after `count` and kept."""
    count = _count(count)
    return lambda n: first + (last - first) * min(n / count, 1.0)


def exponential(first: float, half_life: float, last: float = 0.0) -> Schedule:
    """Return a curve from `first` towards `last` that halves the difference every `half_life`."""
    half_life = _positive("half_life", half_life)
    return lambda n: last + (first - last) * 2.0 ** (-n / half_life)


def harmonic(first: float, half: float) -> Schedule:
    """Return first * half / (half + n): the half of `first` after `half`; the sum over n is infinite."""
    half = _positive("half", half)
    return lambda n: first * half / (half + n)


def power(exponent: float) -> Schedule:
    """Return (1 + n) ** -exponent; from 1/2 to 1, learning rates like these converge (Robbins & Monro, 1951)."""
    exponent = _positive("exponent", exponent)
    return lambda n: (1.0 + n) ** -exponent


def as_schedule(name: str, given: float | Schedule) -> Schedule:
    """Return a schedule from a number, which is kept, or from a function, whose values are checked as they come.

    Raises:
        ValueError: the number is not from 0 to 1, or a value of the function is not.
        TypeError: neither a number nor a function.
    """
    if callable(given):
        schedule = given

        def checked(n: int) -> float:
            return _share(f"{name}({n})", schedule(n))

        return checked
    value = _share(name, given)
    return lambda n: value


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} must be a number from 0 to 1, or a function of a count, not {value!r:.80}")
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}")
    return number


def _positive(name: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a positive number, not {value!r}")
    return float(value)


def _count(count: int) -> int:
    if not is_whole(count) or count < 1:
        raise ValueError(f"count must be a positive integer, not {count!r}")
    return int(count)

"""Checks of arguments, so that one mistake is reported in one way wherever it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

Allowed = tuple[str, Callable[[Any], bool]]
"""What is allowed, in words and as a test; the test is False for NaN."""


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


POSITIVE_INTEGER: Allowed = "an integer from 1 on", lambda value: _is_integer(value) and value >= 1
NATURAL: Allowed = "an integer from 0 on", lambda value: _is_integer(value) and value >= 0
NOT_NEGATIVE: Allowed = "a finite number from 0 on", lambda value: 0 <= value < math.inf
POSITIVE_OR_INFINITE: Allowed = "a positive number", lambda value: value > 0
POSITIVE: Allowed = "a finite number above 0", lambda value: 0 < value < math.inf
PROBABILITY: Allowed = "a number from 0 to 1", lambda value: 0 <= value <= 1
BELOW_ONE: Allowed = "a number from 0 on and below 1", lambda value: 0 <= value < 1
TWO_BELOW_ONE: Allowed = (
    "two numbers from 0 on and below 1",
    lambda pair: len(pair) == 2 and all(map(BELOW_ONE[1], pair)),
)
ABOVE_ZERO: Allowed = "a number above 0, at most 1", lambda value: 0 < value <= 1


def check(allowed: Allowed, **arguments: Any) -> None:
    """Check arguments by name: `check(POSITIVE, lr=lr, eps=eps)`.

    Raises:
        ValueError: an argument is not allowed; names it, what it is and what is allowed.
        TypeError: an argument cannot even be compared with a number.
    """
    words, fits = allowed
    for name, value in arguments.items():
        try:
            good = fits(value)
        except (TypeError, ValueError):  # ValueError: an array of several numbers
            raise TypeError(f"{name} is {value!r}; expected {words}") from None
        if not good:
            raise ValueError(f"{name} is {value!r}; expected {words}")


def check_choice(choices: Collection[str], **arguments: Any) -> None:
    """Check arguments that are one of some names: `check_choice(("mean", "sum"), reduction=reduction)`.

    Raises:
        ValueError: names the argument, what it is and the choices.
    """
    for name, value in arguments.items():
        if value not in choices:
            *others, last = map(repr, choices)
            raise ValueError(f"{name} is {value!r}; expected {', '.join(others)} or {last}")

"""Checks of a learner's settings: a number out of its range is named, with what is allowed."""

import math
from typing import Any

from ...envs.maps.arguments import whole


def check_at_least(least: int, **settings: Any) -> None:
    """Raise ValueError, or TypeError for what is not an integer, unless each is an integer from `least` on."""
    for name, value in settings.items():
        whole(name, value, least)


def check_share(**settings: Any) -> None:
    """Raise ValueError unless each is a number from 0 to 1."""
    for name, value in settings.items():
        if not (_is_number(value) and 0 <= value <= 1):
            raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}")


def check_positive(**settings: Any) -> None:
    """Raise ValueError unless each is a finite number above 0."""
    for name, value in settings.items():
        if not (_is_number(value) and 0 < value < math.inf):
            raise ValueError(f"{name} must be a number above 0, not {value!r}")


def check_not_negative(**settings: Any) -> None:
    """Raise ValueError unless each is a finite number from 0 on."""
    for name, value in settings.items():
        if not (_is_number(value) and 0 <= value < math.inf):
            raise ValueError(f"{name} must be a number from 0 on, not {value!r}")


def check_schedule(**settings: Any) -> None:
    """Raise ValueError unless each is a finite number from 0 on, or (first, last, steps) with two such numbers."""
    for name, value in settings.items():
        line = value if isinstance(value, tuple | list) else (value, value, 1)
        fits = len(line) == 3 and all(_is_number(part) and 0 <= part < math.inf for part in line) and line[2] >= 1
        if not fits:
            raise ValueError(f"{name} must be a number from 0 on, or (first, last, steps), not {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Checks of arguments that every storey shares: integers in a range, fractions, known names; and locked arrays."""

import difflib
import operator
from collections.abc import Iterable
from typing import Any, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def nearest(word: object, known: Iterable[str]) -> str:
    """Return the end of an error message: "; did you mean 'x'?", or else the list of known words."""
    names = list(known)
    small = {name.lower(): name for name in reversed(names)}
    close = difflib.get_close_matches(str(word).lower(), small, n=1)
    return f"; did you mean {small[close[0]]!r}?" if close else f"; known: {', '.join(names)}"


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether a value is an integer, of Python or of numpy, and not True or False."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def whole(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return a value as an int.

    Args:
        name: of the argument, for the error message.
        value: what was given.
        least, most: the allowed range, both included; without `most` there is no upper bound.

    Raises:
        TypeError: the value is not an integer.
        ValueError: it is out of the range.
    """
    allowed = f">= {least}" if most is None else f"from {least} to {most}"
    if not is_whole(value):
        raise TypeError(f"{name} must be an integer {allowed}, not {value!r:.80}")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name} must be an integer {allowed}, not {value!r:.80}")
    return int(value)


def fraction(name: str, value: object) -> float:
    """Return a number from 0 to 1 as a float: a probability, a discount, a part of a whole.

    Raises:
        ValueError: something else.
    """
    if not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, not {value!r:.80}")
    return float(value)


def generator_of_numbers(rng: object) -> np.random.Generator:
    """Return what was given as `rng=`, if it is a numpy Generator.

    Raises:
        TypeError: it is not a numpy Generator: a seed, None, or numpy's older RandomState.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy Generator, such as numpy.random.default_rng(0), not {rng!r:.80}")
    return rng


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a view of an array that can never be written to again; the array itself is locked too."""
    array.setflags(write=False)
    return array.view()  # numpy refuses to unlock a view of a locked array


def row_and_column(position: Any) -> tuple[int, int]:
    """Return a position as two ints.

    Raises:
        ValueError: it is not (row, column).
    """
    try:
        row, column = (operator.index(number) for number in position)
    except (TypeError, ValueError):
        raise ValueError(f"a position is (row, column), two integers from 0, not {position!r}") from None
    return row, column

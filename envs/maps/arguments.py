"""Checks of arguments that every storey shares: integers in a range, names that are known, arrays to be locked."""

import difflib
from collections.abc import Iterable
from typing import TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def nearest(word: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the known word that is nearest, or else the list of all that are known."""
    names = list(known)
    close = difflib.get_close_matches(str(word), names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether this is an integer, of Python or of numpy; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def whole(name: str, value: object, least: int) -> int:
    """Return what a keyword was given, checked to be an integer that is large enough."""
    if not is_whole(value):
        raise TypeError(f"{name} is an integer from {least} on, not {value!r:.80}")
    if value < least:
        raise ValueError(f"{name} is {least} or more, not {value}")
    return int(value)


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a view of an array that is read-only from here on; numpy does not unlock a view of what is locked."""
    array.setflags(write=False)
    return array.view()

"""Up, right, left, down: the four directions, in the order shared by actions, observations and hidden states."""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

UP: Final = 0  # one row less
RIGHT: Final = 1  # one column more
LEFT: Final = 2  # one column less
DOWN: Final = 3  # one row more

DIRECTION_NAMES: Final = ("up", "right", "left", "down")
ARROWS: Final = "↑→←↓"

# (row, column) offsets; rows grow downwards
OFFSETS: Final[NDArray[np.int64]] = np.array([(-1, 0), (0, 1), (0, -1), (1, 0)])
OFFSETS.setflags(write=False)

_LEFT_OF: Final = (LEFT, UP, DOWN, RIGHT)

Directions = TypeVar("Directions", int, NDArray[np.int64])


def opposite(direction: Directions) -> Directions:
    """Return the direction that leads back, for an int or an array of ints.

    Example:
        >>> from mazegrad.envs import UP, opposite
        >>> opposite(UP)
        3
    """
    return 3 - direction


def left_of(heading: int) -> int:
    """Return the direction to the left of a heading."""
    return _LEFT_OF[heading]


def right_of(heading: int) -> int:
    """Return the direction to the right of a heading."""
    return opposite(_LEFT_OF[heading])

"""The four bits of exercise 38: which neighbours of the agent can be entered."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maps.legend import SIGNS


def dots(tiles: NDArray[np.uint8], needed: Iterable[NDArray[np.int64]], carried: NDArray[Any]) -> NDArray[np.int8]:
    """Return 1 for each direction whose neighbour can be entered; a sign adds one, though no dot is there.

    Args:
        tiles: (n,), the tiles on which the agents stand, as bytes.
        needed: (4, n) or four arrays, what must be carried to enter each neighbour; see `needs`.
        carried: (n,), what is carried.

    Returns:
        (n, 4), a fresh array.
    """
    bits = np.empty((len(tiles), 4), dtype=np.int8)
    for direction, need in enumerate(needed):
        bits[:, direction] = need & ~carried == 0
    for sign, direction in SIGNS.items():
        bits[tiles == ord(sign), direction] = 1
    return bits

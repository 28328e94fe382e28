"""The four bits of exercise 38: which neighbours of the agent can be entered."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maps.legend import SIGNS


def dots(tiles: NDArray[np.uint8], needed: NDArray[np.int64], carried: NDArray[Any]) -> NDArray[np.int8]:
    """Return 1 for each direction whose neighbour can be entered; a sign adds one, though no dot is there.

    Args:
        tiles: (n,), the tiles that the agents stand on, as bytes.
        needed: (n, 4), what must be carried to enter each neighbour; see `needs`.
        carried: (n,), what is carried.

    Returns:
        (n, 4), a fresh array.
    """
    bits = (needed & ~carried[:, None] == 0).astype(np.int8)
    for sign, direction in SIGNS.items():
        bits[tiles == ord(sign), direction] = 1
    return bits

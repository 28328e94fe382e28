"""The bits of exercise 38, one a direction: which neighbours of the agent can be entered."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import OFFSETS
from ..maps.legend import SIGNS
from ..maps.moves import Moves


def dots(
    moves: Moves, tiles: NDArray[np.uint8], can_step: Iterable[NDArray[np.bool_]], heading: Any
) -> NDArray[np.int8]:
    """Return 1 for each step of `Moves.seen` that can be made; a sign adds one, though no dot is there.

    Args:
        moves: of the agents.
        tiles: (n,), the tiles on which the agents stand, as bytes.
        can_step: (D, n) or D arrays, whether each step can be made.
        heading: (n,), read where actions turn.

    Returns:
        (n, D), a fresh array.
    """
    bits = np.empty((len(tiles), moves.seen.shape[1]), dtype=np.int8)
    for number, can in enumerate(can_step):
        bits[:, number] = can
    for sign, direction in SIGNS.items():
        standing = np.flatnonzero(tiles == ord(sign))
        if len(standing):
            ways = (moves.seen == OFFSETS[direction]).all(axis=2)  # (headings, D)
            bits[standing] |= ways[heading[standing] if moves.headings > 1 else np.zeros_like(standing)]
    return bits

"""Whether a step can be made: the cell that it leads to can be entered, and it does not cut a corner."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Positions: TypeAlias = NDArray[np.int64]
"""flat indices of tiles in mazes with a margin"""
CanEnter: TypeAlias = Callable[[Positions], NDArray[np.bool_]]
"""whether agents, one for each position, can enter the tiles at these positions"""


def can_step(position: Positions, row: Any, column: Any, width: int, can_enter: CanEnter, cuts: bool) -> Any:
    """Return whether agents can make a step, (n,).

    Args:
        position: (n,), where they stand.
        row, column: of the step; ints, or (n,) arrays.
        width: of a row of tiles, margin included.
        can_enter: see `CanEnter`.
        cuts: whether diagonal steps cut corners: else both cells beside such a step must be such as can be entered.
    """
    down = row * width
    can = can_enter(position + down + column)
    if not cuts:
        diagonal = np.logical_and(np.abs(row) == 1, np.abs(column) == 1)
        if np.any(diagonal):
            can = can & (~diagonal | (can_enter(position + down) & can_enter(position + column)))
    return can

"""Whether a step can be made: the cell that it leads to can be entered, no thin wall is crossed, no corner is cut."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import OFFSETS

Positions: TypeAlias = NDArray[np.int64]
"""flat indices of tiles in mazes with a margin"""
CanEnter: TypeAlias = Callable[[Positions], NDArray[np.bool_]]
"""whether agents, one for each position, can enter the tiles at these positions"""

_NONE: Final = 7  # a side that no cell has
_SIDE: Final = np.full((3, 3), _NONE)  # at (row + 1, column + 1) of a step to a neighbour: its direction
_SIDE[tuple(OFFSETS.T + 1)] = range(4)


def is_free(sides: NDArray[np.uint8], position: Positions, row: Any, column: Any) -> NDArray[np.bool_]:
    """Return whether no thin wall lies on the way of a step to one of the four neighbours, (n,); True for others.

    Args:
        sides: flat, for each position which of its sides have a thin wall, bit d for direction d.
        position: (n,).
        row, column: of the step; ints, or (n,) arrays.
    """
    near = np.logical_and(np.abs(row) <= 1, np.abs(column) <= 1)
    side = np.where(near, _SIDE[np.clip(row, -1, 1) + 1, np.clip(column, -1, 1) + 1], _NONE)
    free: NDArray[np.bool_] = (sides[position] >> side.astype(np.uint8)) & 1 == 0
    return free


def can_step(
    position: Positions,
    row: Any,
    column: Any,
    width: int,
    can_enter: CanEnter,
    cuts: bool,
    sides: NDArray[np.uint8] | None = None,
) -> Any:
    """Return whether agents can make a step, (n,).

    Args:
        position: (n,), where they stand.
        row, column: of the step; ints, or (n,) arrays.
        width: of a row of tiles, margin included.
        can_enter: see `CanEnter`.
        cuts: whether diagonal steps cut corners: else both cells beside such a step must be such as can be entered, and
            no thin wall may end at the corner; with it, one of the two ways around is enough.
        sides: see `is_free`; None without thin walls. Longer steps jump over them.
    """
    down = row * width
    can = can_enter(position + down + column)
    diagonal = np.logical_and(np.abs(row) == 1, np.abs(column) == 1)
    if sides is not None:
        can = can & is_free(sides, position, row, column)
        if np.any(diagonal):
            first = is_free(sides, position, row, 0) & is_free(sides, position + down, 0, column)
            other = is_free(sides, position, 0, column) & is_free(sides, position + column, row, 0)
            can = can & (~diagonal | ((first | other) if cuts else (first & other)))
    if not cuts and np.any(diagonal):
        can = can & (~diagonal | (can_enter(position + down) & can_enter(position + column)))
    return can

"""Who stays where, when agents in one maze move at once: rules in which no agent comes before another.

Each agent is in a cell, and its move leads it to a cell, which may be the same. With "blocked" and "swap" an agent
stays where it is if

1. another agent wants the same cell, or stays in it: a cell that several want, nobody gets;
2. with "blocked", the agent in the cell that it wants wants its own: two agents do not change places;
3. the agent in the cell that it wants stays.

Nobody else stays: where the agent ahead leaves its cell, the next one follows. So a chain of agents moves if its head
does, and a ring of three or more turns. Rule 3 is applied until nothing changes; what is found is the same in every
order, since an agent that has to stay never makes another one free. With "through" nobody stays.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

COLLISIONS: Final = ("blocked", "swap", "through")
"""names of the rules"""


def staying(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    live: NDArray[np.bool_],
    groups: NDArray[np.int64],
    rule: str,
) -> NDArray[np.bool_]:
    """Return which agents do not get where they want, (lanes, agents).

    Args:
        before: (lanes, agents), the cells that agents are in: of those of one group, each in another.
        after: (lanes, agents), the cells that their moves lead to.
        live: (lanes, agents); others are not in the maze.
        groups: (agents,), only agents of one group are in each other's way.
        rule: one of `COLLISIONS`.
    """
    moves = live & (after != before)
    stays = np.zeros_like(live)
    if rule == "through" or live.shape[1] == 1:
        return stays
    pairs = live[:, :, None] & live[:, None, :] & (groups[:, None] == groups) & ~np.eye(live.shape[1], dtype=bool)
    wants = (after[:, :, None] == before[:, None, :]) & pairs  # the cell that the other one is in
    stays |= moves & ((after[:, :, None] == after[:, None, :]) & pairs).any(axis=2)
    if rule == "blocked":
        stays |= moves & (wants & wants.swapaxes(1, 2)).any(axis=2)
    while True:
        more = moves & ~stays & (wants & stays[:, None, :]).any(axis=2)
        if not more.any():
            return stays
        stays |= more


def meetings(
    before: NDArray[np.int64], after: NDArray[np.int64], live: NDArray[np.bool_], groups: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which agents of different groups meet: in one cell after the move, or on their way into each other's.

    Args:
        before, after: (lanes, agents), the cells before a move and after it.
        live, groups: see `staying`.

    Returns:
        (lanes, agents, agents), symmetric.
    """
    pairs = live[:, :, None] & live[:, None, :] & (groups[:, None] != groups)
    crossed = after[:, :, None] == before[:, None, :]
    same: NDArray[np.bool_] = after[:, :, None] == after[:, None, :]
    return pairs & (same | (crossed & crossed.swapaxes(1, 2)))

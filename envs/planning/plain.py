"""The first moves of shortest paths in many plain mazes at once; and when a shortest path is a best policy."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.rules import outcomes
from ..core.world import World, checked_world
from ..maps.directions import OFFSETS


def best_actions(maps: NDArray[np.signedinteger]) -> NDArray[np.int8]:
    r"""Return which moves begin a shortest path, from each tile of plain mazes.

    Args:
        maps: (n, height, width), as `distance_maps` returns them.

    Returns:
        (n, height, width, 4) int8: 1 for such moves; all are 0 at goals, and 1 where there is no way.

    Example:
        >>> from mazegrad.envs import Maze, best_actions, distance_maps
        >>> maps = distance_maps(Maze.from_text("S..\n.#.\n..G").tiles[None])
        >>> best_actions(maps)[0, 0, 0]  # at the start, right and down are equally good
        array([0, 1, 0, 1], dtype=int8)
    """
    _, height, width = maps.shape
    framed = np.pad(maps, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    nearer = np.where(maps > 0, maps - maps.dtype.type(1), maps.dtype.type(-2))
    four = np.where(maps < 0, np.uint32(0x01010101), np.uint32(0))  # four bytes, the lowest for the first direction
    for direction, (row, column) in enumerate(OFFSETS.tolist()):
        near = framed[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]
        four |= (near == nearer).astype(np.uint32) << np.uint32(8 * direction)
    return four.astype("<u4").view(np.int8).reshape(*maps.shape, 4)


class ArrivalRewards(NamedTuple):
    """The rewards of a world in which nothing counts but how soon a goal is reached."""

    step: float
    """of a move that does not end the episode"""
    arrival: float
    """of the move to a goal"""


def arrival_rewards(world: World, discount: float) -> ArrivalRewards | None:
    """Return the rewards of a world where the best policies are just those that take shortest paths; else None.

    This is so where nothing slips, every end is a goal, all moves to goals have one reward and all other moves
    another, and each further step makes the return smaller: V(1) = arrival, V(d + 1) = step + discount * V(d).
    """
    moves = outcomes(checked_world(world))
    happens = (moves.probability > 0) & ~world.terminal[:, None, None]
    if (happens.sum(axis=2) > 1).any() or (world.terminal & ~world.goal).any():
        return None
    arrives, lasts = (happens & (moves.terminal == ends) for ends in (True, False))
    rewards = [np.unique(moves.reward[chosen]) for chosen in (lasts, arrives)]
    if len(rewards[0]) > 1 or len(rewards[1]) != 1:
        return None
    step, arrival = (float(values[0]) if len(values) else 0.0 for values in rewards)
    sooner = arrival * (1 - discount) > step if discount < 1 else step < 0
    return ArrivalRewards(step, arrival) if sooner and discount > 0 else None


def values_of_distances(distance: NDArray[np.integer], rewards: ArrivalRewards, discount: float) -> NDArray[np.float64]:
    """Return V* at distances of any shape, where `arrival_rewards` holds; 0 at goals."""
    values = [0.0, rewards.arrival]
    for _ in range(2, int(distance.max(initial=0)) + 1):
        values.append(rewards.step + discount * values[-1])
    never = -np.inf if discount == 1 else rewards.step / (1 - discount)
    return np.array([*values, never])[distance]  # -1 is the last one

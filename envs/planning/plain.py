"""Shortest paths in many plain mazes at once, read off their tiles; and when a shortest path is a best policy.

A plain maze has walls, floor, starts and goals, and nothing else. Its distances need no compiled tables.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.rules import outcomes
from ..core.world import World, checked_world
from ..maps.directions import OFFSETS

PLAIN: Final = np.frombuffer(b" #.SG", dtype=np.uint8)
"""The tiles of a plain maze."""
IS_PLAIN: Final = np.isin(np.arange(256), PLAIN)
"""(256,): of the byte of a tile, whether a plain maze may have it."""
_UNSEEN, _WALL, _UNKNOWN = -1, -2, -3
_MANY: Final = 1000  # tiles; for fewer the calls count for more
_LEVELS: Final = np.full(256, _UNKNOWN, dtype=np.int16)  # of the byte of a tile, before the search
_LEVELS[PLAIN] = [_WALL, _WALL, _UNSEEN, _UNSEEN, 0]


def distance_maps(tiles: NDArray[np.uint8]) -> NDArray[np.signedinteger]:
    r"""Return the smallest number of steps to a goal from each tile of plain mazes, -1 where there is no way.

    Breadth-first search in all mazes at once, from all goals.

    Args:
        tiles: (n, height, width), as bytes.

    Returns:
        (n, height, width), int16 where that is wide enough, else int32.

    Raises:
        ValueError: another number of axes, or a tile that a plain maze does not have.

    Example:
        >>> from mazegrad.envs import Maze, distance_maps
        >>> distance_maps(Maze.from_text("S..\n.#.\n..G").tiles[None])
        array([[[ 4,  3,  2],
                [ 3, -1,  1],
                [ 2,  1,  0]]], dtype=int16)
    """
    if tiles.ndim != 3 or tiles.dtype != np.uint8:
        raise ValueError(f"tiles is a uint8 array (n, height, width), not {tiles.dtype} {tiles.shape}")
    n, height, width = tiles.shape
    levels = np.full((n, height + 2, width + 2), _WALL, dtype=np.int16 if height * width < 2**15 else np.int32)
    inner = levels[:, 1:-1, 1:-1]
    inner[:] = _LEVELS[tiles]
    if (inner == _UNKNOWN).any():
        known, one = PLAIN.tobytes().decode(), chr(tiles[inner == _UNKNOWN][0])
        raise ValueError(f"distance_maps takes mazes of the tiles {known!r} alone, not of {one!r}")
    flat, steps = levels.reshape(-1), OFFSETS @ (width + 2, 1)
    frontier, distance = np.flatnonzero(flat == 0), 0
    by = np.empty(len(flat), dtype=np.int64)  # which entry of the frontier has reached a tile last
    while len(frontier):
        distance += 1
        reached = []
        # few tiles: all directions in one call; many: one after the other, so that no tile is reached twice
        for step in [steps[:, None]] if len(frontier) < _MANY else steps:
            ahead = (frontier + step).ravel()
            ahead = ahead[flat.take(ahead, mode="clip") == _UNSEEN]
            flat[ahead] = distance
            reached.append(ahead)
        frontier = np.concatenate(reached)
        if len(reached) == 1:
            number = np.arange(len(frontier))
            by[frontier] = number
            frontier = frontier[by.take(frontier, mode="clip") == number]
    return np.maximum(inner, _UNSEEN)


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

"""What is best in many plain mazes at once: first moves, shortest paths, values; and when a shortest path is best."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.compile import checked_rewards
from ..core.rules import outcomes
from ..core.world import World, checked_world
from ..maps.directions import OFFSETS
from ..maps.legend import REWARDS
from ..maps.plain import distance_maps
from .checks import check_discount

_PLAIN_REWARDS: Final = ("step", "goal")


def best_actions(maps: NDArray[np.signedinteger]) -> NDArray[np.int8]:
    r"""Return which moves begin a shortest path, from each tile of plain mazes.

    Args:
        maps: (n, height, width), as `distance_maps` returns them.

    Returns:
        (n, height, width, 4) int8: 1 for such moves. All four are 0 at a goal, and 1 where no goal can be reached.

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


def shortest_paths(tiles: NDArray[np.uint8]) -> NDArray[np.int32]:
    r"""Return a shortest path of each plain maze, from its first start to a goal; ties go to the first direction.

    The same paths as `shortest_path`, which takes the world of a maze of any kind.

    Args:
        tiles: (n, height, width), as `distance_maps` takes them.

    Returns:
        (n, steps of the longest path + 1): the cells of the path, row * width + column, both ends included, and -1
        behind its end; all -1 where the maze has no start, or no goal can be reached from it.

    Raises:
        ValueError: as `distance_maps`.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import Maze, shortest_paths
        >>> texts = ("S..\nG#.\n", "S..\n##G\n", "S#G\n...\n")
        >>> shortest_paths(np.stack([Maze.from_text(text).tiles for text in texts]))
        array([[ 0,  3, -1, -1, -1],
               [ 0,  1,  2,  5, -1],
               [ 0,  3,  4,  5,  2]], dtype=int32)
    """
    maps = distance_maps(tiles)
    n, _, width = tiles.shape
    change = np.zeros((n, maps[0].size if n else 0), dtype=np.int64)
    best = best_actions(maps).reshape(*change.shape, 4) != 0
    for direction in range(3, -1, -1):
        change[best[:, :, direction]] = OFFSETS[direction] @ (width, 1)
    starts = tiles.reshape(n, -1) == ord("S")
    maze, at = np.arange(n), starts.argmax(axis=1)
    left = np.where(starts.any(axis=1), maps.reshape(n, -1)[maze, at], -1)
    paths = np.full((n, int(left.max(initial=-1)) + 1), -1, dtype=np.int32)
    for step in range(paths.shape[1]):
        walking = left >= step
        paths[walking, step] = at[walking]
        walking &= left > step
        at = np.where(walking, at + change[maze, at], at)
    return paths


class ArrivalRewards(NamedTuple):
    """The rewards of a world in which nothing counts but when a goal is reached."""

    step: float
    """of a move that does not end the episode"""
    arrival: float
    """of the move to a goal"""

    def soon(self, discount: float) -> bool:
        """Return whether each further step makes the return smaller."""
        return self.arrival * (1 - discount) > self.step if discount < 1 else self.step < 0


def plain_rewards(discount: float, rewards: Mapping[str, float] | None) -> ArrivalRewards:
    """Return the rewards of plain mazes.

    Raises:
        TypeError: not a mapping.
        ValueError: a reward that plain mazes do not have, or that is not finite; a discount that is not from 0 to 1; or
            discount 1 and steps that cost nothing.
    """
    given = checked_rewards(rewards or {})
    for name in given:
        if name not in _PLAIN_REWARDS:
            raise ValueError(
                f"values of plain mazes have rewards for 'step' and 'goal' alone, not {name!r}; for others use "
                "value_iteration(World.compile(mazes, rewards=...))"
            )
    step, goal = (given.get(name, REWARDS[name]) for name in _PLAIN_REWARDS)
    if check_discount(discount) == 1 and step >= 0:
        raise ValueError(
            f'discount 1 needs a negative reward for each step, not {step}; give rewards={{"step": -1}}, say, or a '
            "discount below 1"
        )
    return ArrivalRewards(step, step + goal)


def value_maps(
    tiles: NDArray[np.uint8], *, discount: float = 0.99, rewards: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """Return V*, the value of the best policy, of each tile of plain mazes.

    The same values as `value_iteration`, which takes a world of any kind; here they follow from distances, without
    sweeps. Where each step makes the return smaller, as by default, `best_actions` are the best actions.

    Args:
        tiles: (n, height, width), as `distance_maps` takes them.
        discount: 0 to 1; at 1 a step must have a negative reward.
        rewards: of a "step" and of the "goal", 0 and 1 by default.

    Returns:
        (n, height, width) float64; 0 at goals and at walls; at discount 1, -inf where no goal can be reached.

    Raises:
        ValueError: as `distance_maps`; a discount or rewards that are not allowed.
        TypeError: rewards that are not a mapping.

    Example:
        >>> from mazegrad.envs import Maze, value_maps
        >>> value_maps(Maze.from_text("S..G").tiles[None], discount=0.5)
        array([[[0.25, 0.5 , 1.  , 0.  ]]])
    """
    earned = plain_rewards(discount, rewards)
    maps, size = distance_maps(tiles), tiles.shape[1] * tiles.shape[2]
    if earned.soon(discount):
        index = np.where(maps < 0, size, maps)
    else:
        framed = np.pad(tiles == ord("G"), ((0, 0), (1, 1), (1, 1)))
        shut_in = framed[:, :-2, 1:-1] & framed[:, 2:, 1:-1] & framed[:, 1:-1, :-2] & framed[:, 1:-1, 2:]
        index = np.where(maps == 0, 0, np.where(shut_in, 1, size))
    walls = (tiles == ord("#")) | (tiles == ord(" "))
    values: NDArray[np.float64] = values_by_distance(earned, discount, size)[np.where(walls, size + 1, index)]
    return values


def values_by_distance(rewards: ArrivalRewards, discount: float, size: int) -> NDArray[np.float64]:
    """Return V* by distance, (size + 2,): the last entries are of places without a way, and of walls.

    Args:
        rewards: of the steps. Where a step does not make the return smaller, V* is not that of a shortest path.
        discount: 0 to 1.
        size: one more than the largest distance.
    """
    far = np.append(values_of_distances(np.arange(-1, size), rewards, discount), 0.0)
    return np.concatenate([far[1:-1], far[:1], far[-1:]])


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
    found = ArrivalRewards(step, arrival)
    return found if found.soon(discount) and discount > 0 else None


def values_of_distances(distance: NDArray[np.integer], rewards: ArrivalRewards, discount: float) -> NDArray[np.float64]:
    """Return V* at distances of any shape, where `arrival_rewards` holds; 0 at goals."""
    values = [0.0, rewards.arrival]
    for _ in range(2, int(distance.max(initial=0)) + 1):
        values.append(rewards.step + discount * values[-1])
    never = -np.inf if discount == 1 else rewards.step / (1 - discount)
    return np.array([*values, never])[distance]  # -1 is the last one

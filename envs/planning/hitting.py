"""How long an explorer takes who knows nothing: the hitting time of a random walk, and the step limits made of it.

The walk draws each action uniformly. It never enters a state from which there is no way to a goal (a trap that ends the
episode, a one-way street without return): where an action would lead into one, it stays. So the hitting time is finite
wherever there is a way, and it measures exploration, not luck.
"""

import contextlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.rules import outcomes
from ..core.world import World, checked_world
from .distances import distances
from .linear import TooWideError, solve_chain

MULTIPLE: Final = 2
"""Of the hitting time: the limit on a drawn map. A random walk then arrives in 85 to 92 % of its episodes."""
MAX_STATES: Final = 20_000
"""A maze with more states is not solved; its limit is `size_limit`."""

Floats = NDArray[np.float64]


def hitting_times(world: World) -> Floats:
    """Return the expected number of steps of a random walk to a goal, from each state, by one linear solve.

    On a maze of floor and walls with one goal, without loops, it is a sum of distances (Tetali, "Random walks and the
    effective resistance of networks", 1991): from s to g, 2 * sum over x of d(x, g) + d(s, g) - d(x, s).

    Args:
        world: the tables; of a stack, each maze on its own.

    Returns:
        (S,): 0 at goals, inf where there is no way to a goal.

    Raises:
        TooWideError: (a ValueError) the mazes are too wide to be solved exactly.

    Example:
        >>> from mazegrad.envs import Maze, World, hitting_times
        >>> hitting_times(World.compile(Maze.from_text("S..G"))).round(9)  # half of all moves run into a wall
        array([24., 20., 12.,  0.])
    """
    way = distances(checked_world(world))
    walks = way > 0
    moves = outcomes(world)
    happens = (moves.probability > 0) & walks[:, None, None]
    state = np.nonzero(happens)[0]
    weight = moves.probability[happens] / moves.probability.shape[1]
    after = moves.next_state[happens]
    after = np.where(way[after] < 0, state, after)
    goes_on = walks[after]
    number = np.cumsum(walks) - 1
    times = np.where(way == 0, 0.0, np.inf)
    ones = np.ones((np.count_nonzero(walks), 1))
    times[walks] = solve_chain(number[state[goes_on]], number[after[goes_on]], weight[goes_on], ones)[:, 0]
    return times


def explorer_limits(world: World) -> NDArray[np.int64]:
    """Return a step limit for each maze of a world that lets an explorer arrive, (mazes,).

    It is `MULTIPLE` times the hitting time from the start where that is longest, rounded; and `size_limit` where no
    start has a way to a goal, or the maze is too large to be solved.

    Example:
        >>> from mazegrad.envs import Maze, World, explorer_limits
        >>> corridors = [World.compile(Maze.from_text("S" + "." * dots + "G")) for dots in (2, 20)]
        >>> explorer_limits(World.stack(corridors))
        array([  48, 1848])
    """
    limits = np.array([size_limit(np.count_nonzero(maze.open)) for maze in checked_world(world).mazes], dtype=np.int64)
    states = np.bincount(world.maze_of, minlength=len(world.mazes))
    in_trees, is_tree = _tree_times(world)
    longest = np.zeros(len(world.mazes))
    np.maximum.at(longest, world.maze_of[world.start_states], in_trees[world.start_states])
    for number in np.flatnonzero(~is_tree & (states <= MAX_STATES)).tolist():
        # one by one, so that a maze has the limit that it has alone
        alone = world if len(world.mazes) == 1 else world.only(number)
        with contextlib.suppress(TooWideError):
            times = hitting_times(alone)[alone.start_states]
            longest[number] = times.max(initial=0.0, where=np.isfinite(times))
    known = (longest > 0) & (states <= MAX_STATES)
    limits[known] = np.rint(MULTIPLE * longest[known])
    return limits


def _tree_times(world: World) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the hitting times in mazes without loops, (S,), and which mazes of a world are such, (mazes,).

    There each state has one next state on its way to the goal. A walk gets to that in A times as many steps as there
    are states whose way leads through this one, itself included. So all times are integers, found in one pass.
    """
    is_tree = np.full(len(world.mazes), world.noise is None and world.actions <= 4)
    times = np.zeros(world.states, dtype=np.int64)
    if not is_tree.any():
        return times, is_tree
    way, every = distances(world), np.arange(world.states)
    rows = np.flatnonzero(way > 0)
    after = world.meant[rows]
    there = way[after]
    nearer, farther = there == way[rows, None] - 1, there == way[rows, None] + 1
    stays = (after == rows[:, None]) | (there < 0)
    parent = every.copy()
    parent[rows] = after[np.arange(len(rows)), nearer.argmax(axis=1)]
    led_to = np.bincount(after[farther], minlength=world.states)  # from farther on: how many moves lead here
    well = (nearer | farther | stays).all(axis=1) & (nearer.sum(axis=1) == 1)
    well &= (~farther | (parent[after] == rows[:, None])).all(axis=1)
    well &= (led_to[rows] == 1) | (way[rows] == 1)
    is_tree[world.maze_of[rows[~well]]] = False

    rows = rows[is_tree[world.maze_of[rows]]]
    rows = rows[way[rows].argsort(kind="stable")]
    levels = np.split(rows, np.flatnonzero(np.diff(way[rows])) + 1)
    behind = np.ones(world.states, dtype=np.int64)
    for level in levels[:0:-1]:
        np.add.at(behind, parent[level], behind[level])
    for level in levels:
        times[level] = times[parent[level]] + world.actions * behind[level]
    return times, is_tree


def size_limit(open_tiles: Any) -> Any:
    """Return a step limit by the size of a maze alone: the square of its open tiles.

    A random walk through a corridor of n tiles, the slowest maze without loops, takes 2 * n * (n - 1) steps; through a
    maze of the recursive backtracker of 3 x 3 to 20 x 20 rooms about n * n; through one of Wilson's, half of that.

    Args:
        open_tiles: an int, or an int array.
    """
    return open_tiles * open_tiles

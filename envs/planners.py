"""Planners read the tables: how far it is to the goal from everywhere, and the ways that are shortest."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .rules import transition
from .world import World


def distances(world: World) -> NDArray[np.int64]:
    """Return the smallest number of steps to a goal from each state, (S,), when nothing slips; -1 where there is no way.

    Breadth-first from all goals at once, against the arrows of `next_state`.
    """
    source = np.repeat(np.arange(world.states), 4)
    target = world.next_state.ravel()
    order = np.argsort(target, kind="stable")
    came_from = source[order]
    first = np.searchsorted(target[order], np.arange(world.states + 1))

    distance = np.full(world.states, -1)
    frontier = np.flatnonzero(world.goal)
    steps = 0
    while len(frontier):
        distance[frontier] = steps
        steps += 1
        counts = first[frontier + 1] - first[frontier]
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        before = came_from[np.repeat(first[frontier], counts) + offsets]
        frontier = np.unique(before[(distance[before] < 0) & ~world.terminal[before]])
    return distance


def optimal_actions(world: World) -> NDArray[np.bool_]:
    """Return which actions lead to the goal in the fewest steps when nothing slips: (S, 4); none at a goal or without a way."""
    distance = distances(world)
    after = distance[world.next_state]
    return (after >= 0) & (after == distance[:, None] - 1)


def shortest_path(world: World, start: int | None = None) -> Sequence[int]:
    """Return the states of a shortest way to a goal, both ends included; ties go to the first direction in order.

    Args:
        world: the tables.
        start: a state; by default the first start.

    Raises:
        ValueError: no goal can be reached from there.
    """
    state = int(world.start_states[0]) if start is None else start
    best = optimal_actions(world)
    path = [state]
    while not world.goal[state]:
        if not best[state].any():
            raise ValueError(f"no goal can be reached from state {state}")
        state = int(transition(world, state, int(best[state].argmax()))[0])
        path.append(state)
    return path

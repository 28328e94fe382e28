"""Planners read the tables: how far it is to the goal from everywhere, and the ways that are shortest.

Distance means steps to the nearest goal when nothing slips. A step is one action: one that is carried on by a
conveyor or through a teleporter counts once, a way that has to fetch a key counts the detour, and a trap that leads
back to the start is a step like any other (one that ends the episode leads nowhere).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.world import World, checked_state, checked_world


class Graph:
    """A directed graph, laid out so that whole frontiers can be followed at once.

    Args:
        tail, head: (arrows,), the nodes each arrow leads from and to.
        nodes: how many there are.
    """

    def __init__(self, tail: NDArray[Any], head: NDArray[Any], nodes: int) -> None:
        order = np.argsort(tail, kind="stable")
        self.nodes = nodes
        self._head = head[order]
        self._first = np.searchsorted(tail[order], np.arange(nodes + 1))
        self._mark = np.zeros(nodes, dtype=np.int64)

    def spread(self, seeds: NDArray[Any], level: NDArray[np.int64], first: int = 0) -> NDArray[Any]:
        """Write into `level`, where it is -1, `first` + the number of arrows from the seeds, breadth-first.

        Returns:
            The nodes that were reached last.
        """
        frontier = last = seeds
        while len(frontier):
            level[frontier] = first
            first += 1
            counts = self._first[frontier + 1] - self._first[frontier]
            offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            reached = self._head[np.repeat(self._first[frontier], counts) + offsets]
            reached = reached[level[reached] < 0]
            mark = np.arange(len(reached))
            self._mark[reached] = mark  # of equal nodes the last one stays
            last, frontier = frontier, reached[self._mark[reached] == mark]
        return last

    def levels(self, seeds: NDArray[Any]) -> NDArray[np.int64]:
        """Return the smallest number of arrows from the seeds to each node, -1 where there is no way."""
        level = np.full(self.nodes, -1)
        self.spread(seeds, level)
        return level


def distances(world: World) -> NDArray[np.int64]:
    """Return the smallest number of steps to a goal from each state, (S,), if nothing slips; -1 where there is no way.

    Breadth-first from all goals at once, against the arrows of `next_state`.
    """
    backwards = Graph(checked_world(world).next_state.ravel(), np.repeat(np.arange(world.states), 4), world.states)
    return backwards.levels(np.flatnonzero(world.goal))


def optimal_actions(world: World) -> NDArray[np.bool_]:
    """Return which actions begin a shortest way to a goal, (S, 4); none do at a goal or where there is no way."""
    distance = distances(world)
    after = distance[world.next_state]
    begins: NDArray[np.bool_] = (after >= 0) & (after == distance[:, None] - 1)
    return begins


def shortest_path(world: World, start: int | None = None) -> Sequence[int]:
    """Return the states of a shortest way to a goal, both ends included; ties go to the first direction in order.

    Args:
        world: the tables.
        start: a state; by default the first start.

    Raises:
        ValueError: no goal can be reached from there, or there is no such state.
    """
    state = checked_start(world, start)
    best = optimal_actions(world)
    first_best = np.where(best.any(axis=1), best.argmax(axis=1), -1)
    path = [state]
    while not world.goal[state]:
        if first_best[state] < 0:
            raise ValueError(f"no goal can be reached from state {state}")
        state = int(world.next_state[state, first_best[state]])
        path.append(state)
    return path


def checked_start(world: World, start: int | None) -> int:
    """Return the state to start from, by default the first start.

    Raises:
        ValueError: there is no such state.
    """
    return checked_state(world, checked_world(world).start_states[0] if start is None else start)

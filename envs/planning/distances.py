"""Distances and shortest paths to a goal, read off the tables.

The distance is the number of steps to the nearest goal when every move is as meant. A step is one action: a step onto a
conveyor or a teleporter counts once, a detour for a key counts, and a trap that leads back to the start is a step like
any other (a trap that ends the episode leads nowhere).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.world import World, checked_state, checked_world


class Graph:
    """A directed graph, laid out so that breadth-first search takes a whole frontier at once.

    Args:
        tail, head: (edges,), the nodes from and to which each edge leads.
        nodes: the number of nodes.
    """

    def __init__(self, tail: NDArray[Any], head: NDArray[Any], nodes: int) -> None:
        edges = np.multiply(tail, nodes, dtype=np.int64)
        edges += head
        self._lay(edges, nodes)

    @classmethod
    def of_numbers(cls, edges: NDArray[np.int64], nodes: int) -> "Graph":
        """Return the graph of edges that are given as numbers, tail * nodes + head; they are changed in place."""
        graph = cls.__new__(cls)
        graph._lay(edges, nodes)
        return graph

    def _lay(self, edges: NDArray[np.int64], nodes: int) -> None:
        number = np.int32 if nodes < 2**31 else np.int64
        edges.sort()
        self.nodes = nodes
        self._first = np.searchsorted(edges, np.arange(0, nodes * nodes + 1, max(nodes, 1)))
        edges %= max(nodes, 1)
        self._head = edges.astype(number)
        self._mark = np.zeros(nodes, dtype=number)

    def spread(self, seeds: NDArray[Any], level: NDArray[np.int64], first: int = 0) -> NDArray[Any]:
        """Number the nodes by their distance from the seeds, breadth-first, in place.

        Args:
            seeds: nodes.
            level: (nodes,): -1 for nodes still to be reached, which get `first` + the number of edges from the seeds.
            first: the level of the seeds.

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
            self._mark[reached] = mark  # of equal nodes, keep the last
            last, frontier = frontier, reached[self._mark[reached] == mark]
        return last

    def levels(self, seeds: NDArray[Any]) -> NDArray[np.int64]:
        """Return the smallest number of edges from the seeds to each node, (nodes,); -1 where there is no way."""
        level = np.full(self.nodes, -1)
        self.spread(seeds, level)
        return level


def distances(world: World) -> NDArray[np.int64]:
    """Return the smallest number of steps to a goal from each state, (S,), without slips; -1 where there is no way.

    Breadth-first search from all goals at once, backwards along `World.meant`.

    Example:
        >>> from mazegrad.envs import Maze, World, distances
        >>> distances(World.compile(Maze.from_text("S.G")))
        array([2, 1, 0])
    """
    meant = checked_world(world).meant
    edges, count = np.empty(meant.size, dtype=np.int64), 0
    for action in range(meant.shape[1]):
        moving = np.flatnonzero(meant[:, action] != np.arange(world.states))
        some = edges[count : count + len(moving)]
        np.multiply(meant[moving, action], world.states, out=some)
        some += moving
        count += len(moving)
    del moving
    backwards = Graph.of_numbers(edges[:count], world.states)
    del edges, some
    return backwards.levels(np.flatnonzero(world.goal))


def optimal_actions(world: World) -> NDArray[np.bool_]:
    """Return which actions begin a shortest path to a goal, (S, A) bool; none at a goal or where there is no way.

    Example:
        >>> from mazegrad.envs import Maze, World, optimal_actions
        >>> optimal_actions(World.compile(Maze.from_text("S.G")))
        array([[False,  True, False, False],
               [False,  True, False, False],
               [False, False, False, False]])
    """
    distance = distances(world)
    after = distance[world.meant]
    begins: NDArray[np.bool_] = (after >= 0) & (after == distance[:, None] - 1)
    return begins


def shortest_path(world: World, start: int | None = None) -> Sequence[int]:
    """Return the states of a shortest path to a goal, both ends included; ties go to the first direction in order.

    Args:
        world: the tables.
        start: a state; by default the first start.

    Raises:
        ValueError: no goal can be reached from there, or the world does not have this state.

    Example:
        >>> from mazegrad.envs import World, load_maze, shortest_path
        >>> world = World.compile(load_maze("four_rooms"))
        >>> len(shortest_path(world)) - 1
        16
    """
    state = checked_start(world, start)
    best = optimal_actions(world)
    first_best = np.where(best.any(axis=1), best.argmax(axis=1), -1)
    path = [state]
    while not world.goal[state]:
        if first_best[state] < 0:
            raise ValueError(f"no goal can be reached from state {state}")
        state = int(world.meant[state, first_best[state]])
        path.append(state)
    return path


def checked_start(world: World, start: int | None) -> int:
    """Return the state to start from, by default the first start.

    Raises:
        TypeError: the start is not an integer, or the world is not a World.
        ValueError: the world does not have this state.
    """
    return checked_state(world, checked_world(world).start_states[0] if start is None else start)

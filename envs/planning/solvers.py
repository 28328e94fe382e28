"""Solvers: six classic ways to find a path to a goal, each with the states that it visits, to be watched.

They read the same tables as everything else, every kind of tile included, and assume that no move slips. A trap that
ends the episode counts as a wall. The methods:

* breadth-first: Moore, "The shortest path through a maze", 1959.
* A*: Hart, Nilsson & Raphael, "A formal basis for the heuristic determination of minimum cost paths", 1968.
* Trémaux: described by Lucas, "Récréations mathématiques" I, 1882.
* wall follower: one hand on the wall, folklore; it always succeeds in a maze without loops.
* dead-end filling: wall up each dead end until none is left; the rest contains every shortest path.
* random mouse: a random walk; Aleliunas et al., 1979: where each passage can be walked both ways, it needs at most
  2 x passages x distance steps on average.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.world import World, checked_world
from ..maps.arguments import generator_of_numbers, nearest
from ..maps.directions import OFFSETS, UP, left_of, opposite, right_of
from ..pictures.draw import draw
from ..pictures.tiles import Frame
from .distances import checked_start, distances

Moves: TypeAlias = list[list[int]]


@dataclass(frozen=True)
class Solution:
    """The result of a solver.

    Example:
        >>> from mazegrad.envs import Maze, World, solve
        >>> solution = solve("breadth_first", World.compile(Maze.from_text("..S.G")))
        >>> solution.path, solution.visited  # states
        ([2, 3, 4], [2, 3, 1, 4])
    """

    path: Sequence[int] | None
    """The states from the start to a goal, both included, none twice; None if the solver found no path."""
    visited: Sequence[int]
    """The states it expanded, walked through (with repetitions) or walled up, in order."""

    @property
    def solved(self) -> bool:
        """Whether the solver found a path."""
        return self.path is not None

    def plot(self, world: World, **keywords: Any) -> Frame:
        """Draw the states that were visited, coloured by their order, and the path; see `draw`."""
        return draw(world, **{"search": self, **keywords})


def breadth_first(world: World, start: int | None = None, rng: np.random.Generator | None = None) -> Solution:
    """Expand all states one step away, then two, ...; the path is a shortest one."""
    return _search(_moves(world), world.goal.tolist(), checked_start(world, start))


def a_star(world: World, start: int | None = None, rng: np.random.Generator | None = None) -> Solution:
    """Expand first the state with the fewest steps so far plus estimated steps to come; the path is a shortest one.

    The estimate is the Manhattan distance to the nearest goal, divided by the most that one move of this world covers
    (1, except with conveyors, teleporters and wind): admissible and consistent.
    """
    source = checked_start(world, start)
    moves, goal, ahead = _moves(world), world.goal.tolist(), _steps_at_least(world, source).tolist()
    steps, came_from = {source: 0}, {source: source}
    queue = [(ahead[source], 0, source)]  # (estimate, minus the steps: of equals the deepest first, state)
    closed = set()
    visited = []
    while queue:
        state = heappop(queue)[2]
        if state in closed:
            continue
        closed.add(state)
        visited.append(state)
        if goal[state]:
            return Solution(_trace(came_from, state), visited)
        count = steps[state] + 1
        for after in moves[state]:
            if count < steps.get(after, count + 1):
                steps[after], came_from[after] = count, state
                heappush(queue, (count + ahead[after], -count, after))
    return Solution(None, visited)


def tremaux(world: World, start: int | None = None, rng: np.random.Generator | None = None) -> Solution:
    """Walk with a piece of chalk: mark a passage each time it is walked, and never walk one a third time.

    In a known state that was reached by a new passage, turn back; else go on by a passage with the fewest marks. The
    passages marked once are the path. It takes only passages that can be walked both ways (and the last one, into the
    goal). Equal passages are taken in the order of directions, or at random with `rng`.
    """
    moves, goal = _moves(world), world.goal.tolist()
    source = state = behind = checked_start(world, start)
    marks: dict[frozenset[int], int] = {}  # of the passage between two states
    visited, known = [state], set()
    while not goal[state]:
        passages = {frozenset((state, after)): after for after in moves[state] if goal[after] or state in moves[after]}
        came_by = frozenset((behind, state))
        if state not in known or marks[came_by] == 2:
            choices = [passage for passage in passages if marks.get(passage, 0) < 2]
            if not choices:
                return Solution(None, visited)
            if rng is not None:
                rng.shuffle(choices)
            came_by = min(choices, key=lambda passage: marks.get(passage, 0))
        marks[came_by] = marks.get(came_by, 0) + 1
        known.add(state)
        behind, state = state, passages[came_by]
        visited.append(state)
    beside: dict[int, set[int]] = {}
    for one, other in (passage for passage, count in marks.items() if count == 1):
        beside.setdefault(one, set()).add(other)
        beside.setdefault(other, set()).add(one)
    path = [source]
    while path[-1] != state:
        after = beside[path[-1]].pop()
        beside[after].remove(path[-1])
        path.append(after)
    return Solution(path, visited)


def wall_follower(
    world: World, start: int | None = None, rng: np.random.Generator | None = None, *, hand: str = "right"
) -> Solution:
    """Walk with one hand on the wall, facing up at first; this always succeeds in a maze without loops.

    It gives up when it is in the same state with the same heading as before, and at once where the actions are not
    steps to all four sides.

    Raises:
        ValueError: a hand that is neither "right" nor "left".
    """
    turns = hand_turns(hand)
    state, heading = checked_start(world, start), UP
    steps = world.moves.steps
    if world.moves.headings > 1 or not set(map(tuple, OFFSETS.tolist())) <= set(steps):
        return Solution(None, [state])
    sides = [steps.index((row, column)) for row, column in OFFSETS.tolist()]
    next_state, goal = _walled(world)[:, sides].tolist(), world.goal.tolist()
    visited, seen = [state], set()
    while not goal[state]:
        ways = [way for way in turns[heading] if next_state[state][way] != state]
        if not ways or (state, heading) in seen:
            return Solution(None, visited)
        seen.add((state, heading))
        heading = ways[0]
        state = next_state[state][heading]
        visited.append(state)
    return Solution(_without_loops(visited), visited)


def dead_end_filling(world: World, start: int | None = None, rng: np.random.Generator | None = None) -> Solution:
    """Wall up each state that can only be entered and left by the same side; then take the shortest path that is left.

    No such state is on a path from the start to a goal that visits no state twice, so the path is a shortest one.
    """
    after = [set(states) for states in _moves(world)]
    before: list[set[int]] = [set() for _ in after]
    for state, states in enumerate(after):
        for other in states:
            before[other].add(state)
    kept = world.goal.tolist()
    source = checked_start(world, start)
    kept[source] = True

    def dead_end(state: int) -> bool:
        into, out = before[state], after[state]
        return not kept[state] and (not into or not out or (len(into) == 1 and into == out))

    queue = deque(state for state in range(world.states) if dead_end(state))
    filled = dict.fromkeys(queue)
    while queue:
        state = queue.popleft()
        for other in sorted(before[state] | after[state]):
            before[other].discard(state)
            after[other].discard(state)
            if other not in filled and dead_end(other):
                filled[other] = None
                queue.append(other)
    moves = [[] if state in filled else list(after[state]) for state in range(world.states)]
    return Solution(_search(moves, world.goal.tolist(), source).path, list(filled))


def random_mouse(world: World, start: int | None = None, rng: np.random.Generator | None = None) -> Solution:
    """Walk at random, and give up only where no goal can be reached any more.

    It is sure to reach a goal if it stays reachable, but on average after a number of steps that grows with the square
    of the maze's size.

    Raises:
        ValueError: no `rng`.
    """
    if rng is None:
        raise ValueError("random_mouse needs rng=, a numpy.random.Generator")
    moves, goal, way_left = _moves(world), world.goal.tolist(), (distances(world) >= 0).tolist()
    state = checked_start(world, start)
    visited = [state]
    draws: Iterator[float] = iter(())
    while not goal[state]:
        if not way_left[state]:
            return Solution(None, visited)
        draw = next(draws, None)
        if draw is None:
            draws = iter(rng.random(1024).tolist())
            draw = next(draws)
        state = moves[state][int(draw * len(moves[state]))]
        visited.append(state)
    return Solution(_without_loops(visited), visited)


SOLVERS: Final[Mapping[str, Callable[[World, int | None, np.random.Generator | None], Solution]]] = MappingProxyType(
    {
        solver.__name__: solver
        for solver in (breadth_first, a_star, tremaux, wall_follower, dead_end_filling, random_mouse)
    }
)
"""Name -> function (world, start, rng) -> Solution; the start is a state, by default the first start."""


def solve(name: str, world: World, start: int | None = None, rng: np.random.Generator | None = None) -> Solution:
    """Return the Solution of the solver with this name.

    Args:
        name: one of `SOLVERS`.
        world: the tables.
        start: a state; by default the first start.
        rng: for random choices; "random_mouse" needs it, "tremaux" can use it.

    Raises:
        ValueError: an unknown name (the message names the nearest), or the world does not have this state.
        TypeError: rng is not a numpy Generator.

    Example:
        >>> from mazegrad.envs import World, load_maze, solve
        >>> world = World.compile(load_maze("four_rooms"))
        >>> solution = solve("a_star", world)
        >>> len(solution.path) - 1
        16
    """
    if name not in SOLVERS:
        raise ValueError(f"unknown solver {name!r}{nearest(name, SOLVERS)}")
    if rng is not None:
        generator_of_numbers(rng)
    return SOLVERS[name](world, start, rng)


def hand_turns(hand: str) -> Mapping[int, Sequence[int]]:
    """Return for each heading the directions that a wall follower tries, in order.

    To the side of the hand, straight on, to the other side, back.

    Raises:
        ValueError: a hand that is neither "right" nor "left".
    """
    if hand not in _TURNS:
        raise ValueError(f"unknown hand {hand!r}{nearest(hand, _TURNS)}")
    return _TURNS[hand]


_TURNS: Final = {  # by hand and heading
    "right": {way: (right_of(way), way, left_of(way), opposite(way)) for way in range(4)},
    "left": {way: (left_of(way), way, right_of(way), opposite(way)) for way in range(4)},
}


def _walled(world: World) -> NDArray[np.int64]:
    """Return where actions lead, (S, A), with a wall in front of every trap that ends the episode."""
    stay = np.arange(checked_world(world).states)[:, None]
    return np.where((world.terminal & ~world.goal)[world.meant], stay, world.meant)


def _moves(world: World) -> Moves:
    """Return for each state the other states one step away, each once, in the order of directions."""
    rows = _walled(world).tolist()
    return [[after for after in dict.fromkeys(row) if after != state] for state, row in enumerate(rows)]


def _search(moves: Moves, goal: Sequence[bool], source: int) -> Solution:
    came_from = {source: source}
    queue = deque([source])
    visited = []
    while queue:
        state = queue.popleft()
        visited.append(state)
        if goal[state]:
            return Solution(_trace(came_from, state), visited)
        for after in moves[state]:
            if after not in came_from:
                came_from[after] = state
                queue.append(after)
    return Solution(None, visited)


def _trace(came_from: Mapping[int, int], state: int) -> list[int]:
    path = [state]
    while came_from[state] != state:
        state = came_from[state]
        path.append(state)
    return path[::-1]


def _without_loops(walk: Sequence[int]) -> list[int]:
    """Return the walk without its loops: from each state go on as after its last visit."""
    last = {state: step for step, state in enumerate(walk)}
    path = [walk[0]]
    while path[-1] != walk[-1]:
        path.append(walk[last[path[-1]] + 1])
    return path


def _steps_at_least(world: World, start: int) -> NDArray[np.int64]:
    """Return a lower bound on the steps to a goal, (S,), from the geometry of the start's maze."""
    here = world.maze_of == world.maze_of[start]
    height, width = world.mazes[world.maze_of[start]].tiles.shape
    position = np.stack(np.divmod(world.cell, width), axis=1)  # (S, 2): (row, column)
    stride = max(1, int(np.abs(position[world.meant[here]] - position[here, None]).sum(axis=2).max()))
    goals = world.cell[here & world.goal]
    if not len(goals):
        return np.zeros(world.states, dtype=np.int64)
    away = np.full((height, width), height + width)  # the Manhattan distance to the nearest goal
    away.flat[goals] = 0
    for axis, length in enumerate(away.shape):  # one axis after the other, forwards and backwards
        along = np.arange(length).reshape((-1, 1) if axis == 0 else (1, -1))
        for _ in range(2):
            away = np.flip(np.minimum.accumulate(away - along, axis=axis) + along, axis)
    return np.where(here, -(-away.flat[np.where(here, world.cell, 0)] // stride), 0)

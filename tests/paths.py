"""Paths of dots that do not touch themselves: all of a length, staircases, a long random one; a walk on all at once."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mazegrad.agents import LinearRNN
from mazegrad.envs import Maze, World, distances, opposite, shortest_path, transition
from mazegrad.envs.maps.directions import OFFSETS

Cell = tuple[int, int]
STEPS: list[Cell] = [(int(row), int(column)) for row, column in OFFSETS]
BELOW: Cell = (1, 0)


def neighbours(cell: Cell) -> list[Cell]:
    return [(cell[0] + row, cell[1] + column) for row, column in STEPS]


def paths(steps: int, behind: Sequence[Cell] = ()) -> Iterator[list[Cell]]:
    """Yield every path of so many steps from (0, 0) in which each dot lies next to its neighbours on the path alone.

    `behind` are dots before the start that belong to the path too.
    """
    stack = [[*behind, (0, 0)]]
    while stack:
        path = stack.pop()
        if len(path) == steps + 1 + len(behind):
            yield path[len(behind) :]
            continue
        for cell in neighbours(path[-1]):
            if cell not in path and not any(near in path[:-1] for near in neighbours(cell)):
                stack.append([*path, cell])


def all_paths(steps: int, behind: Sequence[Cell] = ()) -> World:
    """Return the world of every path of so many steps; those of one size are compiled at once."""
    mazes = sorted((drawn(way, behind) for way in paths(steps, behind)), key=lambda maze: maze.tiles.shape)
    sizes = itertools.groupby(mazes, key=lambda maze: maze.tiles.shape)
    return World.stack([World.compile(list(alike)) for _, alike in sizes])


def drawn(path: Sequence[Cell], behind: Sequence[Cell] = (), closed: bool = False) -> Maze:
    """Draw a path, S at its first cell and G at its last; no goal if it is closed."""
    cells = np.array([*path, *behind])
    corner = cells.min(axis=0)
    tiles = np.full(cells.max(axis=0) - corner + 1, ord(" "), dtype=np.uint8)
    tiles[tuple((cells - corner).T)] = ord(".")
    if not closed:
        tiles[tuple(path[-1] - corner)] = ord("G")
    tiles[tuple(path[0] - corner)] = ord("S")
    return Maze(tiles)


def directions(path: Sequence[Cell]) -> NDArray[np.int64]:
    """Return the directions that lead along a path."""
    return np.array([STEPS.index((b[0] - a[0], b[1] - a[1])) for a, b in itertools.pairwise(path)])


def staircase(steps: int, first: int, second: int) -> list[Cell]:
    """Return a path that goes one step in each of two directions in turn."""
    cells = [(0, 0)]
    for step in range(steps):
        row, column = STEPS[(first, second)[step % 2]]
        cells.append((cells[-1][0] + row, cells[-1][1] + column))
    return cells


STAIRCASES = [(a, b) for a in range(4) for b in range(4) if b not in (a, opposite(a))]


def stacked(mazes: Sequence[Maze]) -> tuple[World, list[int]]:
    """Return the stacked world of mazes, those of one size compiled at once, and the order of mazes in it."""
    order = sorted(range(len(mazes)), key=lambda i: mazes[i].tiles.shape)
    groups = itertools.groupby(order, key=lambda i: mazes[i].tiles.shape)
    return World.stack([World.compile([mazes[i] for i in group]) for _, group in groups]), order


class Walk:
    """One net on many paths of equal length at once, on the tables of their stacked worlds.

    The paths stand in the order of `stacked`.

    margin: (steps, paths), by how much the path's direction beats the best other one; at most 0 is a failure.
    """

    def __init__(self, rnn: LinearRNN, ways: Sequence[Sequence[Cell]], mazes: Sequence[Maze]) -> None:
        world, order = stacked(mazes)
        wanted = np.array([directions(ways[i]) for i in order])
        state = world.start_states
        h = np.tile(rnn.h0, (len(ways), 1))
        margins, largest = [], 0.0
        self.ended = np.zeros(len(ways), dtype=bool)
        for step in range(wanted.shape[1]):
            assert not self.ended.any()
            h = rnn.step(world.dots[state], h)
            along = np.take_along_axis(h, wanted[:, step, None], axis=1)[:, 0]
            others = h.copy()
            np.put_along_axis(others, wanted[:, step, None], -np.inf, axis=1)
            margins.append(along - others.max(axis=1))
            largest = max(largest, float(np.abs(h).max()))
            # on failure too, go on along the path: each step's margin is wanted
            state, _, self.ended = transition(world, state, wanted[:, step])
        self.margin = np.array(margins)
        self.largest = largest


def long_random_path(steps: int, rng: np.random.Generator) -> list[Cell]:
    """Return a random path: a long way in a random maze, cut, its corners flipped at random where nothing touches."""
    rooms = int(np.sqrt(2.5 * steps))
    tiles = np.full((2 * rooms + 1, 2 * rooms + 1), ord("#"), dtype=np.uint8)
    stack = [(0, 0)]
    tiles[1, 1] = ord(".")
    while stack:
        row, column = stack[-1]
        inside = [(r, c) for r, c in neighbours((row, column)) if 0 <= r < rooms and 0 <= c < rooms]
        ways = [(r, c) for r, c in inside if tiles[2 * r + 1, 2 * c + 1] == ord("#")]
        if not ways:
            stack.pop()
            continue
        way = ways[rng.integers(len(ways))]
        tiles[row + way[0] + 1, column + way[1] + 1] = tiles[2 * way[0] + 1, 2 * way[1] + 1] = ord(".")
        stack.append(way)
    tiles[1, 1], tiles[2 * rooms - 1, 2 * rooms - 1] = ord("G"), ord("S")
    world = World.compile(Maze(tiles))
    path = [divmod(int(world.cell[s]), tiles.shape[1]) for s in shortest_path(world, int(distances(world).argmax()))]
    path = path[: steps + 1]
    on = set(path)
    for place in rng.integers(1, len(path) - 1, size=40 * len(path)).tolist():
        before, corner, after = path[place - 1 : place + 2]
        flipped = (before[0] + after[0] - corner[0], before[1] + after[1] - corner[1])
        if flipped in on:
            continue  # a straight piece, whose middle flips onto itself
        if sum(near in on for near in neighbours(flipped)) == 2:
            on.remove(corner)
            on.add(flipped)
            path[place] = flipped
    return path

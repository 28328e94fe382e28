"""Rooms on a drawing: where they are, which walls are between them, and how a maze is drawn from its passages.

A grid of rooms is drawn on 2 * rows + 1 by 2 * columns + 1 tiles; a room is where row and column are odd, a wall
between two of them. Everything here is a flat tile index, row * width + column: a room's neighbour is two steps
away, the wall between them one.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import nearest, whole
from ..directions import OFFSETS
from ..legend import MAX_TILES
from ..randomness import bits, choice, stream

T = TypeVar("T")
Tiles: TypeAlias = NDArray[np.uint8]

WALL, FLOOR, START, GOAL, NOTHING = b"#.SG "

# the streams that a maze draws from, as episodes of its key
CARVING, BRAIDING, PLACING = range(3)

# the 24 orders in which a room can try its four directions
TURNS: Final = tuple(itertools.permutations(range(4)))

_BLOCK: Final = 512


class Grid:
    """A grid of rooms on tiles; `grid_of(rows, columns)` makes it once."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.height, self.width = 2 * rows + 1, 2 * columns + 1
        self.steps = tuple(int(row * self.width + column) for row, column in OFFSETS)
        """One tile up, right, left, down."""
        tiles = np.arange(self.height * self.width).reshape(self.height, self.width)
        self.rooms = tiles[1::2, 1::2].ravel()
        self.inner_walls = np.sort(np.concatenate([tiles[1::2, 2:-1:2].ravel(), tiles[2:-1:2, 1::2].ravel()]))
        is_room = np.zeros((self.height + 1, self.width), dtype=np.uint8)
        is_room.ravel()[self.rooms] = 1
        # one row more than the drawing: two steps over any border end on a tile that is not a room
        self.is_room = is_room.tobytes()
        self.turns = tuple(tuple(self.steps[direction] for direction in turn) for turn in TURNS)
        """The 24 orders in which a room can try its four steps."""

    @cached_property
    def room_list(self) -> list[int]:
        """The rooms in reading order."""
        result: list[int] = self.rooms.tolist()
        return result

    @cached_property
    def exits(self) -> dict[int, tuple[int, ...]]:
        """The steps from each room that lead to a wall with another room behind it."""
        return {room: tuple(step for step in self.steps if self.is_room[room + 2 * step]) for room in self.room_list}

    def unseen(self) -> bytearray:
        """Return one byte for each tile, 1 for a room: the rooms that a walk has not seen yet."""
        return bytearray(self.is_room)

    def draw(self, passages: Iterable[int]) -> Tiles:
        """Return the tiles, (height, width), with these walls opened."""
        tiles = np.full(self.height * self.width, WALL, dtype=np.uint8)
        tiles[self.rooms] = FLOOR
        tiles[np.fromiter(passages, dtype=np.int64)] = FLOOR
        return tiles.reshape(self.height, self.width)


@lru_cache(maxsize=64)
def _grid(rows: int, columns: int) -> Grid:
    return Grid(rows, columns)


def grid_of(rows: int, columns: int) -> Grid:
    """Return the grid with these rows and columns of rooms.

    Raises:
        TypeError: a number that is not an integer.
        ValueError: a number below 1, or more than `MAX_TILES` tiles.
    """
    rows, columns = whole("rows", rows, 1), whole("columns", columns, 1)
    if (2 * rows + 1) * (2 * columns + 1) > MAX_TILES:
        raise ValueError(f"{rows} x {columns} rooms make more than {MAX_TILES:,} tiles; ask for fewer")
    return _grid(rows, columns)


def words(stream: int, counter: int = 0) -> Iterator[int]:
    """Yield a stream's random 32-bit words, from a counter on; `word * n >> 32` is a choice from n."""
    for first in itertools.count(counter, _BLOCK):
        counters = np.arange(first, first + _BLOCK, dtype=np.uint64)
        yield from (np.asarray(bits(stream, counters)) >> np.uint64(32)).tolist()


def room_turns(grid: Grid, stream: int) -> list[tuple[int, ...]]:
    """Return for each tile index of a room the order in which it tries its four steps, from one random word.

    Stepping to the first unseen room in such an order, again and again, is the same as choosing uniformly among the
    unseen ones each time: which of the untried steps comes first is independent of all that happened before.
    """
    turn = np.zeros(grid.rooms[-1] + 1, dtype=np.int64)
    turn[grid.rooms] = choice(stream, np.arange(len(grid.rooms), dtype=np.uint64), len(TURNS))
    return [grid.turns[number] for number in turn.tolist()]


def flood(floor: bytearray, start: int, steps: Iterable[int]) -> dict[int, int]:
    """Return the reachable tiles in order of distance, by breadth-first search.

    Args:
        floor: one byte for each tile, not 0 where it is open; set to 0 where it is reached. The border is closed.
        start: where to begin.
        steps: one tile in each direction.

    Returns:
        Tile -> the tile before it on a shortest way; the start's is itself.
    """
    came_from, frontier = {start: start}, deque([start])
    floor[start] = 0
    while frontier:
        tile = frontier.popleft()
        for step in steps:
            if floor[tile + step]:
                floor[tile + step] = 0
                came_from[tile + step] = tile
                frontier.append(tile + step)
    return came_from


def floor_of(tiles: Tiles) -> bytearray:
    """Return one byte for each tile, 1 where it is not a wall: the floor that `flood` takes."""
    return bytearray((tiles != WALL).tobytes())


def one_of(name: str, value: str, known: Mapping[str, T]) -> T:
    """Return the entry of `known` for a knob's value."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"unknown {name} {value!r}{nearest(value, known)}")
    return known[value]


def open_dead_ends(grid: Grid, tiles: Tiles, key: int, braid: float) -> None:
    """Open a fraction of the dead ends, in place, each into a neighbour that is a dead end too, if there is one.

    Buck, "Mazes for Programmers" (2015), chapter 9: such a maze is braided. Each dead end is opened with probability
    `braid`, unless another one was opened into it before; at 1 none is left, unless there is only one row or column.
    """
    flat = tiles.ravel()
    exits = (flat[grid.rooms[:, None] + np.array(grid.steps)] != WALL).sum(axis=1)
    ends = np.flatnonzero(exits == 1)
    dead = set(grid.rooms[ends].tolist())
    random = bits(stream(key, BRAIDING), ends.astype(np.uint64))
    for room, word in zip(grid.rooms[ends].tolist(), np.asarray(random).tolist(), strict=True):
        if room not in dead or (word >> 32) >= braid * 2**32:
            continue
        closed = [step for step in grid.exits[room] if flat[room + step] == WALL]
        steps = [step for step in closed if room + 2 * step in dead] or closed
        if steps:
            step = steps[(word & 0xFFFFFFFF) * len(steps) >> 32]
            flat[room + step] = FLOOR
            dead -= {room, room + 2 * step}


def place_ends(tiles: Tiles, key: int, start: str, goal: str) -> None:
    """Put the start and the goal on open tiles, in place; on a single open tile, only the start."""
    random = stream(key, PLACING)
    flat, floor = tiles.ravel(), np.flatnonzero(tiles == FLOOR)
    starts: dict[str, Callable[[], int]] = {"first": lambda: 0, "random": lambda: int(choice(random, 0, len(floor)))}
    begin = one_of("start", start, starts)()
    others = np.delete(floor, begin)
    up, right = -tiles.shape[1], 1
    goals: dict[str, Callable[[], int]] = {
        "last": lambda: others[-1],
        "random": lambda: others[int(choice(random, 1, len(others)))],
        "farthest": lambda: list(flood(floor_of(tiles), int(floor[begin]), (up, right, -right, -up)))[-1],
    }
    end = one_of("goal", goal, goals)
    if len(others):
        flat[end()] = GOAL
    flat[floor[begin]] = START

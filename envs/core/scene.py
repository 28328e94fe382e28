"""A Scene holds the mazes that lanes are in, by number, as arrays that grow and are written in place."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.legend import CODES, is_open
from ..maps.maze import Maze
from ..maps.moves import FOUR, Moves, moves_of
from ..maps.noise import floor_signs
from ..maps.own_tiles import OWN_CODES, own_kinds
from ..maps.thin import sides
from .compile import listed_states
from .inventory import inventory_bits, inventory_size
from .places import Places

# byte of a tile -> its code
TILE_CODES: Final[NDArray[np.uint8]] = np.zeros(256, dtype=np.uint8)
TILE_CODES[[ord(tile) for tile in CODES]] = [*CODES.values()]
for (_kind, _letter), _code in OWN_CODES.items():
    if _kind == "floor":
        TILE_CODES[ord(_letter)] = _code
TILE_CODES.setflags(write=False)
_TO_CODES: Final = TILE_CODES.tobytes()
TILES: Final[NDArray[np.uint8]] = np.full(256, ord(" "), dtype=np.uint8)
"""code -> byte of its tile"""
TILES[[*CODES.values()]] = [ord(tile) for tile in CODES]
TILES[[*OWN_CODES.values()]] = [ord(letter) for _, letter in OWN_CODES]
IS_GOAL: Final[NDArray[np.bool_]] = np.zeros(256, dtype=np.bool_)
"""code -> whether it is a goal"""
IS_GOAL[[CODES["G"], *(code for (kind, _), code in OWN_CODES.items() if kind == "goal")]] = True
IS_GOAL.setflags(write=False)
TILES.setflags(write=False)


_WEATHER: Final = frozenset(("wind", "noise", "slip"))


SIDES: Final = 8
"""where a cell of "view" and "map" has its thin walls, above the code of its tile: bit SIDES + d for direction d"""


class Scene:
    """Mazes by number: their tile codes in a margin of nothing, and what they hold.

    Args:
        count: the number of mazes there is room for; more room is made when it is needed.
        height, width: of the largest maze; larger ones may follow.
        margin: tiles around each maze, at least 1, and as many as a move of the agents reaches.
        tile: how large the mazes are drawn, see `frame_size` of `pictures/draw.py`; None leaves it to `draw`.
        moves: of the agents.
        slip: over that of the mazes' metadata; None leaves it.
        slips: the same for single mazes, over `slip`.
    """

    codes: NDArray[np.uint8]
    """(mazes, margin + height + margin, margin + width + margin): tile codes"""
    bits: NDArray[np.int64] | None
    """the same shape: inventory bits; None while no maze has any"""
    sides: NDArray[np.uint8] | None
    """the same shape: which sides of a cell have a thin wall, bit d for direction d; None while no maze has any"""
    widths: NDArray[np.int64]
    """(mazes,)"""
    open_tiles: NDArray[np.int64]
    """(mazes,): the number of tiles that can be entered"""
    needed: NDArray[np.int64]
    """(mazes,): the items, as inventory bits, without which goals do not count"""
    written: NDArray[np.int64]
    """(mazes,): how many times the maze of this number was replaced; what is computed of a maze holds for one value"""

    def __init__(
        self,
        count: int,
        height: int,
        width: int,
        *,
        margin: int = 1,
        tile: Any = None,
        moves: Moves = FOUR,
        slip: float | None = None,
        slips: Mapping[Maze, float | None] = MappingProxyType({}),
    ) -> None:
        self.margin = margin = max(margin, moves.reach)
        self._slip, self._slips = slip, dict(slips)
        self.tile, self.height, self.width, self.moves = tile, height, width, moves
        self.codes = np.zeros((count, height + 2 * margin, width + 2 * margin), dtype=np.uint8)
        self.bits = self.sides = None
        self._heights, self.widths = np.zeros((2, count), dtype=np.int64)
        self.open_tiles, self.written, self.needed = np.zeros((3, count), dtype=np.int64)
        self._mazes: dict[int, Maze] = {}
        # state numbers by cell, and of mazes with keys or items instead their `numbering`; see `states`
        self._numbers, self._numbered = np.zeros((0, 0), dtype=np.int64), np.zeros(0, dtype=np.int64)
        self._carrying: dict[int, NDArray[np.int64]] = {}
        self._weather: set[int] = set()  # numbers of mazes whose metadata has `_WEATHER`

    def __len__(self) -> int:
        """Return the number of mazes there is room for."""
        return len(self.codes)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(mazes,): height * width."""
        return self._heights * self.widths

    def index(self, places: Places) -> NDArray[np.int64]:
        """Return the flat indices of places in `codes` and `bits`, (n,)."""
        row, column = self.rows_and_columns(places)
        _, height, width = self.codes.shape
        return (places.maze * height + row + self.margin) * width + column + self.margin

    def rows_and_columns(self, places: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (rows, columns) of places, each (n,)."""
        row, column = np.divmod(places.cell, self.widths[places.maze])
        return row, column

    def tiles(self, places: Places) -> NDArray[np.uint8]:
        """Return the tiles that agents stand on as drawn, as bytes, (n,)."""
        return TILES[self.codes.ravel()[self.index(places)]]

    def states(self, places: Places) -> NDArray[np.int64]:
        """Return the number of the state at each place, (n,), in the World of its maze alone."""
        cells = self.height * self.width
        if self._numbers.shape != (len(self), cells):
            self._numbers, self._numbered = np.zeros((len(self), cells), dtype=np.int64), np.zeros_like(self.written)
        used = np.unique(places.maze)
        stale = used[self._numbered[used] != self.written[used]]
        for number in stale.tolist():
            maze = self.maze(number)
            self._carrying.pop(number, None)
            if inventory_size(maze) or self.moves.headings > 1:
                self._carrying[number] = numbering(maze)
            else:
                self._numbers[number, : maze.tiles.size] = np.cumsum(maze.open) - 1
        self._numbered[stale] = self.written[stale]
        found: NDArray[np.int64] = self._numbers[places.maze, places.cell]
        for number in self._carrying.keys() & set(used.tolist()):
            here = places.maze == number
            some = places.of(here)
            load = some.carried if self.moves.headings == 1 else some.carried * self.moves.headings + some.heading
            keys = load * self.sizes[number] + some.cell
            found[here] = np.searchsorted(self._carrying[number], keys)
        return found

    def write(self, numbers: NDArray[np.int64], mazes: Sequence[Maze]) -> None:
        """Put mazes of any sizes at these numbers."""
        if len({maze.tiles.shape for maze in mazes}) > 1:
            for number, maze in zip(numbers.tolist(), mazes, strict=True):
                self.write(np.array([number]), [maze])
            return
        tiles, m = np.stack([maze.tiles for maze in mazes]), self.margin
        _, height, width = tiles.shape
        self._make_room(int(numbers.max()) + 1, height, width)
        self.codes[numbers] = 0
        self.codes[numbers, m : m + height, m : m + width] = TILE_CODES[tiles]
        if self.sides is None and any("walls" in maze.metadata for maze in mazes):
            self.sides = np.zeros(self.codes.shape, dtype=np.uint8)
        for number, maze in zip(numbers.tolist(), mazes, strict=True):
            self._write_own(number, maze)
        bits = inventory_bits(tiles)
        if self.bits is None and bits.any():
            self.bits = np.zeros(self.codes.shape, dtype=np.int64)
        if self.bits is not None:
            self.bits[numbers] = 0
            self.bits[numbers, m : m + height, m : m + width] = bits
        self._heights[numbers], self.widths[numbers] = height, width
        self.open_tiles[numbers] = np.count_nonzero(is_open(tiles), axis=(1, 2))
        self._mazes.update(zip(numbers.tolist(), mazes, strict=True))
        self._weather.difference_update(numbers.tolist())
        self._weather.update(
            n for n, maze in zip(numbers.tolist(), mazes, strict=True) if _WEATHER & maze.metadata.keys()
        )
        self.written[numbers] += 1

    def _write_own(self, number: int, maze: Maze) -> None:
        """Write what a maze's header says of its tiles."""
        self.needed[number] = 0
        if self.sides is not None:
            walls, m = sides(maze), self.margin
            self.sides[number] = 0
            if walls is not None:
                self.sides[number, m : m + maze.height, m : m + maze.width] = walls
        if not maze.metadata:
            return
        m, codes = self.margin, self.codes[number]
        inner = codes[m : m + maze.height, m : m + maze.width]
        for letter, kind in own_kinds(maze.metadata).items():
            inner[maze.tiles == ord(letter)] = OWN_CODES[kind, letter]
        if maze.metadata.get("exit") == "all items":
            bits = inventory_bits(maze.tiles[None])[0]
            self.needed[number] = bits[maze.tiles == ord("*")].sum()

    def at_goal(self, places: Places) -> NDArray[np.bool_]:
        """Return whether agents are at a goal that counts, (n,): some wait until all items are collected."""
        there: NDArray[np.bool_] = IS_GOAL[self.codes.ravel()[self.index(places)]]
        return there & (self.needed[places.maze] & ~places.carried == 0)

    def write_tiles(self, numbers: NDArray[np.int64], tiles: NDArray[np.uint8], open_tiles: NDArray[np.int64]) -> None:
        """Put mazes of the scene's own size, without keys, doors and items, at these numbers.

        Args:
            numbers: (n,).
            tiles: (n, height, width).
            open_tiles: (n,), the number of open tiles of each.
        """
        m = self.margin
        codes = np.frombuffer(tiles.tobytes().translate(_TO_CODES), dtype=np.uint8)  # five times faster than indexing
        self.codes[numbers, m : m + self.height, m : m + self.width] = codes.reshape(tiles.shape)
        for marks in (self.bits, self.sides):
            if marks is not None:
                marks[numbers] = 0
        self._heights[numbers], self.widths[numbers] = self.height, self.width
        self.open_tiles[numbers] = open_tiles
        for number in numbers.tolist() if self._mazes else ():
            self._mazes.pop(number, None)
            self._weather.discard(number)
        self.written[numbers] += 1

    def copy(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
        """Put the mazes of some numbers at others too; all are read before one is written."""
        mazes = [self.maze(number) for number in source.tolist()]
        for array in (self.codes, self.bits, self.sides, self._heights, self.widths, self.open_tiles, self.needed):
            if array is not None:
                array[target] = array[source]
        self._mazes.update(zip(target.tolist(), mazes, strict=True))
        self._weather.difference_update(target.tolist())
        self._weather.update(
            n for n, maze in zip(target.tolist(), mazes, strict=True) if _WEATHER & maze.metadata.keys()
        )
        self.written[target] += 1

    def maze(self, number: int) -> Maze:
        """Return the maze of this number."""
        if number not in self._mazes:
            m, height, width = self.margin, self._heights[number], self.widths[number]
            self._mazes[number] = Maze(TILES[self.codes[number, m : m + height, m : m + width]])
        return self._mazes[number]

    @property
    def heights(self) -> NDArray[np.int64]:
        """(mazes,)."""
        return self._heights

    def floor_signs(self, numbers: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the `floor_signs` of the cells of mazes of one size, (n, height, width); None where there are none."""
        if not (self._weather or self._slip or any(self._slips.values())):
            return None
        mazes = [self.maze(number) for number in numbers.tolist()]
        return np.stack([floor_signs(maze, self._slips.get(maze, self._slip)) for maze in mazes])

    def drawings(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the tiles of mazes of the scene's own size, as bytes: (n, height, width)."""
        m = self.margin
        return TILES[self.codes[numbers, m : m + self.height, m : m + self.width]]

    def _make_room(self, count: int, height: int, width: int) -> None:
        if count <= len(self) and height <= self.height and width <= self.width:
            return
        count = len(self) if count <= len(self) else max(count, 2 * len(self))
        self.height, self.width = max(height, self.height), max(width, self.width)
        shape = (count, self.height + 2 * self.margin, self.width + 2 * self.margin)
        self.codes = _grown(self.codes, shape)
        self.bits = None if self.bits is None else _grown(self.bits, shape)
        self.sides = None if self.sides is None else _grown(self.sides, shape)
        self._heights, self.widths = _grown(self._heights, (count,)), _grown(self.widths, (count,))
        self.open_tiles, self.written = _grown(self.open_tiles, (count,)), _grown(self.written, (count,))
        self.needed = _grown(self.needed, (count,))


def numbering(maze: Maze) -> NDArray[np.int64]:
    """Return load * height * width + cell of each state of the maze's World, (S,), rising.

    The load is what is carried, and where actions turn 4 * carried + heading.
    """
    headings = moves_of(maze).headings
    if not inventory_size(maze):
        cells = np.flatnonzero(maze.open)
        return np.concatenate([heading * maze.tiles.size + cells for heading in range(headings)])
    states = listed_states(maze)
    return (states.carried * headings + states.heading) * maze.tiles.size + states.cell


def scene_of(
    mazes: Sequence[Maze],
    margin: int = 1,
    tile: Any = None,
    slip: float | None = None,
    slips: Mapping[Maze, float | None] = MappingProxyType({}),
) -> Scene:
    """Return a scene of these mazes, numbered in their order."""
    height, width = max(maze.height for maze in mazes), max(maze.width for maze in mazes)
    scene = Scene(len(mazes), height, width, margin=margin, tile=tile, moves=moves_of(mazes[0]), slip=slip, slips=slips)
    scene.write(np.arange(len(mazes)), mazes)
    return scene


def _grown(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    larger = np.zeros(shape, dtype=array.dtype)
    larger[tuple(slice(length) for length in array.shape)] = array
    return larger

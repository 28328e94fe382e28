"""What an agent may see and be told: every observation is a function of the state, and most are tables over states."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from .core.inventory import FLOOR, inventory_bits, inventory_size
from .core.world import World
from .maps.arguments import is_whole
from .maps.legend import LEGEND
from .pictures.draw import draw, tile_size

States = NDArray[np.int64]

# byte of a tile -> its code
TILE_CODES: Final[NDArray[np.uint8]] = np.zeros(256, dtype=np.uint8)
TILE_CODES[[ord(tile) for tile in LEGEND]] = range(len(LEGEND))
TILE_CODES.setflags(write=False)
AGENT_CODE: Final = len(LEGEND)
"""marks the agent in the observation `map`"""
MAX_VIEW: Final = 999  # a megabyte each: a bound, so that a wrong number is refused before it fills the memory


class Observation(NamedTuple):
    """What is seen from the states of one World."""

    space: Space[Any]
    look: Callable[[States], NDArray[Any]]
    """(n,) states -> (n, ...) observations, a fresh array"""


def _dots(world: World, view_size: int) -> Observation:
    return Observation(spaces.MultiBinary(4), partial(np.take, world.dots, axis=0))


def _index(world: World, view_size: int) -> Observation:
    tiles = np.array([maze.tiles.size for maze in world.mazes])
    size = max(maze.tiles.size << inventory_size(maze) for maze in world.mazes)
    return Observation(spaces.Discrete(size), partial(np.take, world.carried * tiles[world.maze_of] + world.cell))


def _position(world: World, view_size: int) -> Observation:
    height, width = _size(world)
    table = np.stack(np.divmod(world.cell, _widths(world)[world.maze_of]), axis=1)
    return Observation(spaces.MultiDiscrete([height, width]), partial(np.take, table, axis=0))


def _view(world: World, view_size: int) -> Observation:
    if not is_whole(view_size) or not 1 <= view_size <= MAX_VIEW or view_size % 2 == 0:
        raise ValueError(
            "view_size is an odd number of tiles, so that the agent is in the middle, "
            f"{MAX_VIEW} at most, not {view_size!r}"
        )
    view_size = int(view_size)
    codes, bits = _framed(world, view_size // 2)
    row, column = np.divmod(world.cell, _widths(world)[world.maze_of])
    corner = (world.maze_of * codes.shape[1] + row) * codes.shape[2] + column

    def look(states: States) -> NDArray[np.uint8]:
        at = corner[states]
        seen = windows(codes, at, view_size)
        return _as_carried(seen, bits, lambda bits: windows(bits, at, view_size), world.carried[states])

    return Observation(spaces.Box(0, AGENT_CODE - 1, (view_size, view_size), np.uint8), look)


def _map(world: World, view_size: int) -> Observation:
    codes, bits = _framed(world, 0)
    row, column = np.divmod(world.cell, _widths(world)[world.maze_of])
    place = row * codes.shape[2] + column

    def look(states: States) -> NDArray[np.uint8]:
        maze = world.maze_of[states]
        seen = _as_carried(codes[maze], bits, lambda bits: bits[maze], world.carried[states])
        return marked(seen, place[states])

    return Observation(spaces.Box(0, AGENT_CODE, codes.shape[1:], np.uint8), look)


def _pixels(world: World, view_size: int) -> Observation:
    tiles = [tile_size(maze) for maze in world.mazes]
    sizes = [np.multiply(maze.tiles.shape, tile) for maze, tile in zip(world.mazes, tiles, strict=True)]
    space = spaces.Box(0, 255, (*np.max(sizes, axis=0).tolist(), 3), np.uint8)

    def look(states: States) -> NDArray[np.uint8]:
        frames = np.zeros((len(states), *space.shape), dtype=np.uint8)
        for frame, state in zip(frames, states.tolist(), strict=True):
            picture = draw(world, state, tile=tiles[world.maze_of[state]])
            frame[: len(picture), : picture.shape[1]] = picture
        return frames

    return Observation(space, look)


# name -> function from a World and the side of its views
OBSERVATIONS: Final[Mapping[str, Callable[[World, int], Observation]]] = MappingProxyType(
    {"dots": _dots, "index": _index, "position": _position, "view": _view, "map": _map, "pixels": _pixels}
)


def _size(world: World) -> tuple[int, int]:
    """Return the (height, width) that holds every maze of the world."""
    return max(maze.height for maze in world.mazes), max(maze.width for maze in world.mazes)


def _widths(world: World) -> NDArray[np.int64]:
    return np.array([maze.width for maze in world.mazes])


def _framed(world: World, margin: int) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    """Return the tile codes (mazes, rows, columns) in a margin of nothing, and the bits of things and doors.

    The bits are None where no maze has any.
    """
    height, width = _size(world)
    tiles = np.full((len(world.mazes), height + 2 * margin, width + 2 * margin), ord(" "), dtype=np.uint8)
    for number, maze in enumerate(world.mazes):
        tiles[number, margin : margin + maze.height, margin : margin + maze.width] = maze.tiles
    bits = inventory_bits(tiles)
    return TILE_CODES[tiles], bits if bits.any() else None


def windows(plane: NDArray[Any], corners: NDArray[np.int64], side: int) -> NDArray[Any]:
    """Return the squares of `plane` whose upper left corners are at these flat indices: (n, side, side), fresh.

    Args:
        plane: (mazes, rows, columns), contiguous.
        corners: (n,).
        side: of each square.
    """
    step, stride = plane.itemsize, plane.strides[1]
    # each row of a square as one wide element, so that numpy copies rows
    rows = plane.size - (side - 1) * plane.shape[2] - side + 1
    squares: NDArray[Any] = np.ndarray((rows, side), f"V{side * step}", plane.data, strides=(step, stride))
    return squares[corners].view(plane.dtype).reshape(-1, side, side)


def marked(maps: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Mark the agent in maps (n, height, width), in place, at flat indices (n,); return them."""
    maps.reshape(len(maps), -1)[np.arange(len(maps)), places] = AGENT_CODE
    return maps


def _as_carried(
    seen: NDArray[np.uint8],
    bits: NDArray[np.int64] | None,
    cut: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    carried: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Show floor, in (n, rows, columns), where something was taken or a door stands open; `cut` cuts the bits."""
    if bits is not None:
        seen[cut(bits) & carried[:, None, None] != 0] = TILE_CODES[FLOOR]
    return seen

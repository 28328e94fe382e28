"""What an agent may see and be told: every observation is a function of the state, and most are tables over states."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from .draw import draw, tile_size
from .maze import LEGEND
from .planners import distances
from .rules import outcomes
from .things import FLOOR, thing_bits, thing_count
from .world import World

States = NDArray[np.int64]

# byte of a tile -> its code
TILE_CODES: Final[NDArray[np.uint8]] = np.zeros(256, dtype=np.uint8)
TILE_CODES[[ord(tile) for tile in LEGEND]] = range(len(LEGEND))
TILE_CODES.setflags(write=False)
AGENT_CODE: Final = len(LEGEND)
"""marks the agent in the observation `map`"""


class Observation(NamedTuple):
    """What is seen from the states of one World."""

    space: Space[Any]
    look: Callable[[States], NDArray[Any]]
    """(n,) states -> (n, ...) observations, a fresh array"""


def _dots(world: World, view_size: int) -> Observation:
    return Observation(spaces.MultiBinary(4), partial(np.take, world.dots, axis=0))


def _index(world: World, view_size: int) -> Observation:
    tiles = np.array([maze.tiles.size for maze in world.mazes])
    size = max(maze.tiles.size << thing_count(maze) for maze in world.mazes)
    return Observation(spaces.Discrete(size), partial(np.take, world.carried * tiles[world.maze_of] + world.cell))


def _position(world: World, view_size: int) -> Observation:
    height, width = _size(world)
    table = np.stack(np.divmod(world.cell, _widths(world)[world.maze_of]), axis=1)
    return Observation(spaces.MultiDiscrete([height, width]), partial(np.take, table, axis=0))


def _view(world: World, view_size: int) -> Observation:
    if not isinstance(view_size, int) or view_size < 1 or view_size % 2 == 0:
        raise ValueError(f"view_size is an odd number of tiles, so that the agent is in the middle, not {view_size!r}")
    codes, bits = _framed(world, view_size // 2)
    stride = codes.shape[2]
    window = (np.arange(view_size)[:, None] * stride + np.arange(view_size)).ravel()
    shape = (-1, view_size, view_size)

    def look(states: States) -> NDArray[np.uint8]:
        maze = world.maze_of[states]
        row, column = np.divmod(world.cell[states], _widths(world)[maze])
        corner = (maze * codes.shape[1] + row) * stride + column
        tiles = corner[:, None] + window
        return _as_carried(codes.take(tiles), bits, tiles, world.carried[states]).reshape(shape)

    return Observation(spaces.Box(0, AGENT_CODE - 1, shape[1:], np.uint8), look)


def _map(world: World, view_size: int) -> Observation:
    codes, bits = _framed(world, 0)
    flat, shape = codes.reshape(len(codes), -1), (-1, *codes.shape[1:])

    def look(states: States) -> NDArray[np.uint8]:
        maze = world.maze_of[states]
        tiles = maze[:, None] * flat.shape[1] + np.arange(flat.shape[1]) if bits is not None else maze
        seen = _as_carried(flat[maze], bits, tiles, world.carried[states])
        row, column = np.divmod(world.cell[states], _widths(world)[maze])
        seen[np.arange(len(states)), row * shape[2] + column] = AGENT_CODE
        return seen.reshape(shape)

    return Observation(spaces.Box(0, AGENT_CODE, shape[1:], np.uint8), look)


def _pixels(world: World, view_size: int) -> Observation:
    height, width = _size(world)
    tile = min(tile_size(maze) for maze in world.mazes)
    space = spaces.Box(0, 255, (height * tile, width * tile, 3), np.uint8)

    def look(states: States) -> NDArray[np.uint8]:
        frames = np.zeros((len(states), *space.shape), dtype=np.uint8)
        for frame, state in zip(frames, states.tolist(), strict=True):
            picture = draw(world, state, tile=tile)
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
    bits = thing_bits(tiles)
    return TILE_CODES[tiles], bits if bits.any() else None


def _as_carried(
    seen: NDArray[np.uint8], bits: NDArray[np.int64] | None, tiles: NDArray[np.int64], carried: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Show floor, in (n, tiles), where something was taken and where a door stands open."""
    if bits is not None:
        seen[bits.take(tiles) & carried[:, None] != 0] = TILE_CODES[FLOOR]
    return seen


def _action_mask(world: World, discount: float) -> NDArray[np.int8]:
    """Return 0 for the actions that surely leave the agent where it is, unless all do."""
    what = outcomes(world)
    moves = (what.probability > 0) & (what.next_state != np.arange(world.states)[:, None, None])
    mask = moves.any(axis=2)
    return (mask | ~mask.any(axis=1, keepdims=True)).astype(np.int8)


def _optimal_action(world: World, discount: float) -> NDArray[np.int64]:
    from .values import value_iteration

    return np.where(world.terminal, -1, value_iteration(world, discount=discount).policy)


def _value(world: World, discount: float) -> NDArray[np.float64]:
    from .values import value_iteration

    return value_iteration(world, discount=discount).values


# name -> function from a World and the discount to a table, one row a state
INFO: Final[Mapping[str, Callable[[World, float], NDArray[Any]]]] = MappingProxyType(
    {
        "action_mask": _action_mask,
        "distance": lambda world, discount: distances(world),
        "optimal_action": _optimal_action,
        "state": lambda world, discount: np.arange(world.states),
        "value": _value,
    }
)

"""A maze, its agent and the agent's trail as a numpy frame, put together from one small picture for each tile."""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.inventory import OPENED, inventory_bits, is_door, tiles_now
from ..core.world import World, checked_state, checked_world
from ..maps.arguments import whole
from ..maps.maze import Maze
from .shown import ShownFrame
from .tiles import Frame, tile_pictures

AUTO_SIZE: Final = 352
"""About how many px the longer side of a picture has by default."""


def tile_size(maze: Maze, height: int = AUTO_SIZE, width: int = AUTO_SIZE) -> int:
    """Return the side of a tile in px, from 4 to 96, for a picture of the maze that fits into height x width px."""
    return min(max(min(height // maze.height, width // maze.width), 4), 96)


def draw(
    drawing: Maze | World, state: int | None = None, *, trail: NDArray[np.uint8] | None = None, tile: int | None = None
) -> Frame:
    """Draw a maze, or a world with the agent ○ in a state.

    Args:
        drawing: a Maze, or a World, of which the maze of the state is drawn.
        state: of the agent; None for no agent.
        trail: (height * width,), as `extend_trail` makes it; None for no trail.
        tile: px of a tile's side; by default the longer side of the picture has about 350 px.

    Returns:
        (height * tile, width * tile, 3) uint8, red, green, blue; a fresh array, which a notebook shows as a picture.

    Raises:
        TypeError: neither a Maze nor a World; a state of a Maze; a state or a tile size that is not an integer.
        ValueError: the world does not have this state; a tile size below 1 px.
    """
    if isinstance(drawing, Maze):
        if state is not None:
            raise TypeError("a state belongs to a World: draw(World.compile(maze), state)")
        return draw_place(drawing, trail=trail, tile=tile)
    if state is None:
        return draw_place(checked_world(drawing).mazes[0], trail=trail, tile=tile)
    state = checked_state(drawing, state)
    maze, cell = drawing.mazes[int(drawing.maze_of[state])], int(drawing.cell[state])
    return draw_place(maze, cell, int(drawing.carried[state]), trail=trail, tile=tile)


def draw_place(
    maze: Maze,
    cell: int | None = None,
    carried: int = 0,
    *,
    trail: NDArray[np.uint8] | None = None,
    tile: int | None = None,
) -> Frame:
    """Draw a maze with the agent on a cell (row * width + column), carrying a set of inventory bits; see `draw`."""
    size = tile_size(maze) if tile is None else tile
    canvas = _canvas(maze, size)
    frame = canvas.background.copy()
    blocks = frame.reshape(maze.height, size, maze.width, size, 3).swapaxes(1, 2)
    kinds = canvas.kinds
    if carried:
        kinds = np.where(canvas.bits & carried, canvas.kinds_taken, kinds)
        cells = np.flatnonzero(kinds != canvas.kinds)
        blocks[np.divmod(cells, maze.width)] = canvas.sheet[kinds[cells], 0, 0]
    if trail is not None:
        cells = np.flatnonzero(trail)
        blocks[np.divmod(cells, maze.width)] = canvas.sheet[kinds[cells], trail[cells], 0]
    if cell is not None:
        blocks[divmod(cell, maze.width)] = canvas.sheet[kinds[cell], 0 if trail is None else trail[cell], 1]
    return frame.view(ShownFrame)


class _Canvas(NamedTuple):
    """What stays the same each time a maze is drawn at one tile size."""

    background: Frame
    sheet: Frame  # (kinds, 16 trails, without or with the agent, size, size, 3): the pictures of the tiles in use
    kinds: NDArray[np.intp]  # (height * width,)
    kinds_taken: NDArray[np.intp]  # the same when every item and key is taken and every door is open
    bits: NDArray[np.int64]  # (height * width,): `inventory_bits`


@lru_cache(maxsize=64, typed=True)  # typed: 8.0 is not a size, though it equals 8
def _canvas(maze: Maze, size: int) -> _Canvas:
    size = whole("tile", size, 1)
    present = np.unique(maze.tiles)
    later = [ord("."), *(present[is_door(present)] + OPENED)]  # where an item was taken or a door opened
    tiles = np.union1d(present, np.array(later, dtype=np.uint8))
    strengths = maze.setting("wind") or ()
    wind = np.array([min(s, 3) for s in strengths] if len(strengths) == maze.width else [0] * maze.width)
    kind_of = np.zeros((4, 256), dtype=np.intp)  # by strength of the wind and byte of the tile
    pairs = [(strength, int(tile)) for strength in np.unique(wind).tolist() for tile in tiles]
    kind_of[tuple(np.transpose(pairs))] = range(len(pairs))
    sheet = np.stack([tile_pictures(tile, strength, size) for strength, tile in pairs])
    kinds = kind_of[wind, maze.tiles]
    background = sheet[kinds, 0, 0].swapaxes(1, 2).reshape(maze.height * size, maze.width * size, 3)
    kinds_taken = kind_of[wind, tiles_now(maze, -1)]
    return _Canvas(background, sheet, kinds.ravel(), kinds_taken.ravel(), inventory_bits(maze.tiles[None]).ravel())

"""A maze with several agents, each in its colour and with its number; the same as text."""

import numpy as np
from numpy.typing import NDArray

from ..core.inventory import tiles_now
from ..maps.maze import Maze
from ..maps.noise import SLIPS, floor_signs
from .draw import FrameSize, draw_place, filled_up, tile_of
from .shown import ShownFrame
from .text import maze_text
from .tiles import Frame, Look, cell_picture


def draw_crowd(
    maze: Maze,
    cells: NDArray[np.int64],
    carried: NDArray[np.int64],
    numbers: NDArray[np.int64] | None,
    trail: NDArray[np.uint8] | None = None,
    tile: int | FrameSize | None = None,
    slip: float | None = None,
) -> Frame:
    """Draw a maze with agents.

    Args:
        maze: the maze, as the first agent has it: what it took is gone.
        cells: (n,), row * width + column; of those in one cell the last is on top.
        carried: (n,), sets of inventory bits.
        numbers: (n,), from 0, which decide their colours; None: there is one agent, drawn as it is alone.
        trail: (height * width,), what was crossed, or None.
        tile: the side of a tile in px, or how large the picture is; None: as `draw` has it.
        slip: over that of the maze's metadata; None leaves it.
    """
    first = int(carried[0]) if len(carried) else 0
    if numbers is None:
        return draw_place(maze, int(cells[0]), first, trail=trail, tile=tile, slip=slip)
    size = tile_of(maze.tiles.shape, tile)
    frame = draw_place(maze, None, first, trail=trail, tile=size, slip=slip)
    tiles = tiles_now(maze, first).ravel()
    signs = floor_signs(maze, slip).ravel().tolist()
    for cell, number in zip(cells.tolist(), numbers.tolist(), strict=True):
        row, column = divmod(cell, maze.width)
        sides = 0 if trail is None else int(trail[cell])
        wind, slips = signs[cell] % SLIPS, signs[cell] >= SLIPS
        look = Look(int(tiles[cell]), wind, sides, agent=number + 2, slips=slips)
        picture = cell_picture(look, size)
        frame[row * size : (row + 1) * size, column * size : (column + 1) * size] = picture
    return filled_up(frame, tile).view(ShownFrame)


def crowd_text(maze: Maze, cells: NDArray[np.int64], carried: int, numbers: NDArray[np.int64] | None) -> str:
    """Return a maze with agents as text: ① ② ..., or ○ for one that is alone.

    Args:
        maze, cells, numbers: see `draw_crowd`.
        carried: what the first agent carries.
    """
    signs = "○" if numbers is None else [chr(ord("①") + number % 20) for number in numbers.tolist()]
    return maze_text(maze, dict(zip(cells.tolist(), signs, strict=True)), carried=carried)

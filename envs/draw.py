"""Pictures: a maze, its agent and the agent's trail as a numpy frame, put together from one small picture a tile."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .directions import OFFSETS, opposite
from .maze import LEGEND, Maze
from .world import World

Frame = NDArray[np.uint8]
Colour = tuple[int, int, int]
Mask = NDArray[np.float32]

PAPER: Final = (251, 249, 244)
INK: Final = (44, 56, 72)
WALL: Final = (72, 86, 104)
AGENT: Final = (217, 72, 32)
TRAIL: Final = (249, 196, 160)
GOAL: Final = (28, 134, 88)

AUTO_SIZE: Final = 352
"""px of a picture's longer side, about, where no tile size is asked for"""


def tile_size(maze: Maze, height: int = AUTO_SIZE, width: int = AUTO_SIZE) -> int:
    """Return the tile size in px, from 4 to 96, with which the maze's picture fits into height x width px if it can."""
    return min(max(min(height // maze.height, width // maze.width), 4), 96)


def draw(
    drawing: Maze | World, state: int | None = None, *, trail: NDArray[np.uint8] | None = None, tile: int | None = None
) -> Frame:
    """Draw a maze, or a world with the agent ○ in a state.

    Args:
        drawing: a Maze, or a World, whose maze is the state's.
        state: where the agent stands; None for no agent.
        trail: (height * width,), as `extend_trail` makes it; None for no trail.
        tile: px a tile; by default the longer side measures about 350 px.

    Returns:
        (height * tile, width * tile, 3) uint8, red, green, blue; a fresh array.
    """
    if isinstance(drawing, Maze):
        if state is not None:
            raise TypeError("a state belongs to a World: draw(World.compile(maze), state)")
        maze = drawing
    else:
        maze = drawing.mazes[0 if state is None else int(drawing.maze_of[state])]
    size = tile_size(maze) if tile is None else tile
    sheet, kinds = _sheet(size), _KIND[maze.tiles.ravel()]
    frame = _background(maze, size).copy()
    blocks = frame.reshape(maze.height, size, maze.width, size, 3).swapaxes(1, 2)
    if trail is not None:
        cells = np.flatnonzero(trail)
        blocks[np.divmod(cells, maze.width)] = sheet[kinds[cells], trail[cells], 0]
    if isinstance(drawing, World) and state is not None:
        cell = int(drawing.cell[state])
        blocks[divmod(cell, maze.width)] = sheet[kinds[cell], 0 if trail is None else trail[cell], 1]
    return frame


def draw_text(world: World, state: int) -> str:
    """Return a world as text: ○ the agent, ● a dot, █ wall, else the letters of the legend."""
    maze = world.mazes[int(world.maze_of[state])]
    rows = [row.replace(".", "●").replace("#", "█") for row in maze.rows()]
    row, column = divmod(int(world.cell[state]), maze.width)
    rows[row] = rows[row][:column] + "○" + rows[row][column + 1 :]
    return "\n".join(rows) + "\n"


def new_trail(maze: Maze) -> NDArray[np.uint8]:
    """Return an empty trail: for each cell of the maze the set of sides it was crossed at, bit d for direction d."""
    return np.zeros(maze.height * maze.width, dtype=np.uint8)


def extend_trail(trail: NDArray[np.uint8], cell: int, next_cell: int, width: int) -> None:
    """Mark, in place, a move to a neighbouring cell; any other move (a bump, a jump) leaves no mark."""
    for direction, (row, column) in enumerate(OFFSETS.tolist()):
        if next_cell - cell == row * width + column and (row or cell // width == next_cell // width):
            trail[cell] |= 1 << direction
            trail[next_cell] |= 1 << opposite(direction)


@lru_cache(maxsize=64)
def _background(maze: Maze, size: int) -> Frame:
    blocks = _sheet(size)[_KIND[maze.tiles], 0, 0]
    return blocks.swapaxes(1, 2).reshape(maze.height * size, maze.width * size, 3)


# Tiles are drawn as masks: how much of each px is covered, from the signed distance to a shape's edge. The tile spans
# -1/2..1/2 both ways, x to the right and y downwards.


def _cover(distance: NDArray[np.float32], size: int) -> Mask:
    return np.clip(0.5 - distance * size, 0, 1)


def _disc(x: Mask, y: Mask, radius: float) -> Mask:
    return np.hypot(x, y) - np.float32(radius)


def _box(x: Mask, y: Mask, left: float, right: float, top: float, bottom: float) -> Mask:
    return np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))


def _flag(x: Mask, y: Mask) -> Mask:
    pole = _box(x, y, -0.22, -0.14, -0.36, 0.36)
    cloth = np.maximum(-0.16 - x, (x + 2 * np.abs(y + 0.14) - 0.30) / np.float32(5**0.5))
    return np.minimum(pole, cloth)


# tile -> the shapes on its paper, each a colour and a signed distance
_SHAPES: Final[Mapping[str, list[tuple[Colour, Callable[[Mask, Mask], Mask]]]]] = MappingProxyType(
    {
        "#": [(WALL, lambda x, y: _box(x, y, -1, 1, -1, 1))],
        " ": [],
        ".": [(INK, lambda x, y: _disc(x, y, 0.17))],
        "S": [(INK, lambda x, y: np.minimum(_disc(x, y, 0.12), np.abs(_disc(x, y, 0.25)) - 0.03))],
        "G": [(GOAL, _flag)],
    }
)
_KIND: Final = np.zeros(256, dtype=np.intp)
_KIND[[ord(tile) for tile in LEGEND]] = range(len(LEGEND))


@lru_cache(maxsize=16)
def _sheet(size: int) -> Frame:
    """Return every tile's picture: (tiles of the legend, 16 trails, without or with the agent, size, size, 3)."""
    if size < 1:
        raise ValueError(f"a tile measures at least 1 px, not {size}")
    middle = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = np.meshgrid(middle, middle)
    sheet = np.empty((len(LEGEND), 16, 2, size, size, 3), dtype=np.float32)
    sheet[:] = PAPER

    def paint(where: NDArray[np.float32], colour: Colour, distance: Mask) -> None:
        mask = _cover(distance, size)[..., None]
        where += mask * (np.array(colour, dtype=np.float32) - where)

    for trail in range(1, 16):
        arms = [_disc(x, y, 0.09)]
        for direction, (row, column) in enumerate(OFFSETS.tolist()):
            if trail >> direction & 1:  # an arm from the middle to the side
                along = np.clip(x * column + y * row, 0, 1)
                arms.append(np.hypot(x - along * column, y - along * row) - np.float32(0.09))
        paint(sheet[:, trail], TRAIL, np.minimum.reduce(arms))
    for kind, tile in enumerate(LEGEND):
        for colour, distance in _SHAPES[tile]:
            paint(sheet[kind], colour, distance(x, y))
    paint(sheet[:, :, 1], PAPER, _disc(x, y, 0.36))
    paint(sheet[:, :, 1], AGENT, np.abs(_disc(x, y, 0.30)) - np.float32(0.075))
    pictures = np.rint(sheet).astype(np.uint8)
    pictures.setflags(write=False)
    return pictures

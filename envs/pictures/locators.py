"""Rings around agents and goals of a large maze, where a single tile is easily lost."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .palette import Colour, Theme
from .shapes import Box, Mask, Ring, Shape
from .tiles import Frame, Layer

LARGE: Final = 30
"""tiles: mazes with a longer side than this have rings"""
_MOST: Final = 8  # rings of one kind; more would hide the maze


class Locator(NamedTuple):
    """A ring around a cell: a square one for a goal, a circle for an agent."""

    row: int
    column: int
    square: bool
    colour: Colour

    def layers(self, longer: int, theme: Theme) -> tuple[Layer, Layer]:
        """Return the line and a wider one of paper below it, around the middle of the cell.

        Args:
            longer: the longer side of the maze, in tiles: a ring is a twentieth of it wide.
            theme: the colours.
        """
        radius, width = longer / 40, longer / 160

        def ring(line: float) -> Shape:
            return Box(0, 0, radius, radius, line=line) if self.square else Ring(0, 0, radius, line)

        return Layer(theme.paper, ring(2 * width)), Layer(self.colour, ring(width))


def locators(shape: tuple[int, int], goals: Sequence[int], agents: dict[int, Colour], theme: Theme) -> list[Locator]:
    """Return the rings of a maze; none in a small one.

    Args:
        shape: (height, width) of the maze.
        goals: their cells.
        agents: cell -> the colour of the agent there.
        theme: the colours.
    """
    if max(shape) <= LARGE:
        return []
    places = [(cell, True, theme.goal) for cell in goals if len(goals) <= _MOST]
    places += [(cell, False, colour) for cell, colour in agents.items() if len(agents) <= _MOST]
    return [Locator(*divmod(cell, shape[1]), square, colour) for cell, square, colour in places]


def paint_locators(frame: Frame, shown: Sequence[Locator], size: int, longer: int, theme: Theme) -> None:
    """Paint rings into the frame of a maze, in place; `size` is the side of a tile in px."""
    for one in shown:
        for colour, mask in _masks(one._replace(row=0, column=0), size, longer, theme):
            half = len(mask) // 2
            top, left = one.row * size + size // 2 - half, one.column * size + size // 2 - half
            rows = slice(max(0, -top), max(0, min(len(mask), frame.shape[0] - top)))
            columns = slice(max(0, -left), max(0, min(len(mask), frame.shape[1] - left)))
            here = frame[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
            share = mask[rows, columns, None]
            here[:] = np.rint(here + share * (np.array(colour, dtype=np.float32) - here)).astype(np.uint8)


@lru_cache(maxsize=64)
def _masks(one: Locator, size: int, longer: int, theme: Theme) -> list[tuple[Colour, NDArray[np.float32]]]:
    """Return the colour and the share of each layer of a ring around a cell's middle, (n, n), n odd or even as size."""
    drawn = one.layers(longer, theme)
    half = int(np.ceil(size * (longer / 40 + longer / 80 + 0.5)))
    middle = (np.arange(-half, half + size % 2) + (0 if size % 2 else 0.5)).astype(np.float32) / np.float32(size)
    grid: list[Mask] = [axis.astype(np.float32) for axis in np.meshgrid(middle, middle)]
    return [
        (layer.colour, np.clip(0.5 - layer.shape.distance(*grid) * size, 0, 1).astype(np.float32)) for layer in drawn
    ]

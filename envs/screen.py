"""What a single environment shows: its maze and the trail of its agent, as a frame, as text or in a window."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .core.world import World
from .maps.maze import Maze
from .pictures.draw import FrameSize, draw, tile_size
from .pictures.text import draw_text
from .pictures.trails import extend_trail, new_trail
from .pictures.window import Window

_WINDOW_SIZE: Final = 640  # px of the longer side


class Screen:
    """A picture, a text or a window of one agent.

    Args:
        tile: of frames; see `draw`.
    """

    trail: NDArray[np.uint8] | None
    """what was crossed, (height * width,); None before `begin`"""

    def __init__(self, tile: int | FrameSize | None) -> None:
        self.trail = None
        self._tile, self._window, self._width, self._cell = tile, Window(), 0, 0

    def begin(self, maze: Maze, cell: int, trail: NDArray[np.uint8] | None = None) -> None:
        """Begin a trail on a cell, or go on with one."""
        self.trail = new_trail(maze) if trail is None else trail
        self._width, self._cell = maze.width, cell

    def move(self, cell: int) -> None:
        """Mark the move to a cell; there is a trail."""
        assert self.trail is not None
        extend_trail(self.trail, self._cell, cell, self._width)
        self._cell = cell

    def show(self, mode: str, world: World, state: int, fps: int) -> NDArray[np.uint8] | str | None:
        """Return the frame ("rgb_array") or the text ("ansi"), or show the window ("human"); see `MazeEnv.render`."""
        if mode == "ansi":
            return draw_text(world, state)
        human = mode == "human"
        tile = tile_size(world.mazes[0], _WINDOW_SIZE, _WINDOW_SIZE) if human else self._tile
        frame = draw(world, state, trail=self.trail, tile=tile)
        if not human:
            return frame
        self._window.show(frame, fps)
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()

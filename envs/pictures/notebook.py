"""Pictures for notebooks: a maze as an SVG, a walk as an animated one."""

import base64
from collections.abc import Sequence
from typing import Final

import numpy as np

from ..core.world import World
from ..maps.maze import Maze
from .draw import tile_size
from .palette import LIGHT
from .png import png
from .tiles import Frame
from .vector import draw_svg

_SIDE: Final = 320  # px of the longer side of a picture
_GAP: Final = 16  # px between frames


def svg(drawing: Maze | World) -> str:
    """Return a maze, or a world with the agent at its first start, as an SVG."""
    maze = drawing if isinstance(drawing, Maze) else drawing.mazes[0]
    state = None if isinstance(drawing, Maze) else int(drawing.start_states[0])
    return draw_svg(drawing, state, tile=_tile(maze))


def animated_svg(world: World, states: Sequence[int], fps: float = 6.0) -> str:
    """Return a walk through states of one maze as an SVG that plays in a loop.

    The maze is drawn as it is at first: items and keys stay in the picture when they are taken.

    Args:
        world: the tables.
        states: of one maze, in the order of the walk.
        fps: steps a second.
    """
    maze = world.mazes[int(world.maze_of[states[0]])]
    tile = _tile(maze)
    rows, columns = np.divmod(world.cell[np.array([*states, *[states[-1]] * round(fps)])], maze.width)
    moves = "".join(
        f'<animate attributeName="{name}" dur="{len(rows) / fps:.2f}s" repeatCount="indefinite" calcMode="discrete"'
        f' values="{";".join(f"{(number + 0.5) * tile:g}" for number in numbers.tolist())}"/>'
        for name, numbers in (("cx", columns), ("cy", rows))
    )
    first = f'cx="{(columns[0] + 0.5) * tile:g}" cy="{(rows[0] + 0.5) * tile:g}"'  # where it stays where nothing moves
    disc = f'r="{0.40 * tile:g}" stroke-width="{0.06 * tile:g}" stroke="rgb{LIGHT.paper}" fill="rgb{LIGHT.agent}"'
    drawing = world if len(world.mazes) == 1 else maze  # a World knows the slip that a keyword gave it
    return draw_svg(drawing, tile=tile).replace("</svg>", f"<circle {first} {disc}>{moves}</circle></svg>")


def frames_svg(frames: Sequence[Frame]) -> str:
    """Return frames side by side as an SVG, each shown at half its size."""
    height = max(len(frame) for frame in frames)
    padded = [np.pad(frame, ((0, height - len(frame)), (0, _GAP), (0, 0)), constant_values=255) for frame in frames]
    return _wrapped(np.concatenate(padded, axis=1)[:, :-_GAP])


def _tile(maze: Maze) -> int:
    return min(tile_size(maze, _SIDE, _SIDE), 32)


def _wrapped(frame: Frame) -> str:
    height, width = frame.shape[0], frame.shape[1]
    data = base64.b64encode(png(frame)).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width // 2}" height="{height // 2}"'
        f' viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )


for _shown in (Maze, World):  # attached from here: a Maze does not know how it is drawn
    setattr(_shown, "_repr_svg_", svg)  # noqa: B010 (type checkers know the attributes of classes)

"""A certificate as a picture: the states of the proof, side by side in their mazes."""

import base64
import html
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...envs import draw
from ...envs.pictures.draw import tile_size
from ...envs.pictures.png import png
from .claims import Claims
from .explanation import explain

_GAP: Final = 12  # px between the pictures of two states


def picture(claims: Claims) -> NDArray[np.uint8]:
    """Draw the states of the proof side by side, with the agent in each; if there are none, the first start.

    Returns:
        (height, width, 3) uint8.
    """
    world = claims.world
    states: tuple[int, ...] = world.start_states[:1].tolist()
    if claims.confusion is not None:
        states = claims.confusion.states[:4]
    elif claims.witness is not None:
        states = claims.witness[:2]
    tile = min(tile_size(maze) for maze in world.mazes)
    frames = [draw(world, state, tile=tile) for state in states]
    height = max(frame.shape[0] for frame in frames)
    parts: list[NDArray[np.uint8]] = []
    for frame in frames:
        parts += [
            np.full((height, _GAP, 3), 255, dtype=np.uint8),
            np.pad(frame, ((0, height - len(frame)), (0, 0), (0, 0)), constant_values=255),
        ]
    return np.concatenate(parts[1:], axis=1)


def as_html(claims: Claims) -> str:
    """Return the picture and the explanation for a notebook."""
    image = base64.b64encode(png(picture(claims))).decode("ascii")
    return f"<img src='data:image/png;base64,{image}'><pre>{html.escape(explain(claims))}</pre>"

"""A Canvas is a pygame surface that is drawn on in units of a layout; it needs no display."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import pygame

from .envs.maps.directions import ARROWS
from .envs.pictures.lettering import font
from .envs.pictures.palette import Colour
from .envs.pictures.tiles import INK, PAPER, Frame

WIDTH: Final = 460
HEIGHT: Final = 720
"""units of the layout, which is scaled to the height of the picture"""

_FONT: Final = 0.72  # the height of an em, in units of the layout's sizes


class Canvas:
    """A surface of WIDTH x HEIGHT units.

    Args:
        height: of the surface, in px.
    """

    def __init__(self, height: int) -> None:
        self.scale = height / HEIGHT
        self.surface = pygame.Surface((round(WIDTH * self.scale), height))
        self.surface.fill(PAPER)

    def box(self, x: float, y: float, width: float, height: float, colour: Sequence[int], radius: float = 0) -> None:
        """Fill a rectangle, with round corners where there is a radius."""
        left, top = round(x * self.scale), round(y * self.scale)
        size = max(1, round((x + width) * self.scale) - left), max(1, round((y + height) * self.scale) - top)
        pygame.draw.rect(self.surface, colour, (left, top, *size), border_radius=round(radius * self.scale))

    def text(self, x: float, y: float, text: str, size: float = 16, colour: Colour = INK, align: float = 0) -> float:
        """Write text whose middle is at height y, a fraction `align` of it left of x; return its width."""
        picture = font(max(6, round(_FONT * size * self.scale))).render(text, True, colour)
        place = x * self.scale - align * picture.get_width(), y * self.scale - picture.get_height() / 2
        self.surface.blit(picture, place)
        return float(picture.get_width() / self.scale)

    def paste(self, x: float, y: float, picture: Frame, size: float) -> None:
        """Show a picture whose longer side has a size, its upper left corner at a point."""
        surface = pygame.image.frombuffer(np.ascontiguousarray(picture).tobytes(), picture.shape[1::-1], "RGB")
        scale = size * self.scale / max(picture.shape[:2])
        shown = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        self.surface.blit(pygame.transform.smoothscale(surface, shown), (x * self.scale, y * self.scale))

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Sequence[int], width: float) -> None:
        """Draw a straight line."""
        first, last = ((x * self.scale, y * self.scale) for x, y in (start, end))
        pygame.draw.line(self.surface, colour, first, last, max(1, round(width * self.scale)))

    def symbol(self, x: float, y: float, text: str, size: float = 18, colour: Colour = INK) -> None:
        """Write a term such as "W x_t + U h_t", with its subscripts, starting at x."""
        for i, part in enumerate(text.split("_")):
            if i:
                index, _, part = part.partition(" ")
                x += self.text(x, y + size * 0.28, index, size * 0.62, colour) + size * 0.15
            x += self.text(x, y, part, size, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour, ring: bool = False) -> None:
        """Draw a disc, or a ring, around a point."""
        stamp = _stamp("ring" if ring else "disc", max(4, round(2 * radius * self.scale)), tuple(colour))
        self.surface.blit(stamp, (x * self.scale - stamp.get_width() / 2, y * self.scale - stamp.get_height() / 2))

    def arrow(self, x: float, y: float, direction: int, size: float, colour: Colour) -> None:
        """Draw an arrow in a direction, its middle at a point."""
        stamp = _stamp(ARROWS[direction], max(6, round(size * self.scale)), tuple(colour))
        self.surface.blit(stamp, (x * self.scale - stamp.get_width() / 2, y * self.scale - stamp.get_height() / 2))


@lru_cache(maxsize=256)
def _stamp(shape: str, size: int, colour: Colour) -> pygame.Surface:
    """Return a small transparent picture of a shape, drawn at 8 times its size and shrunk for smooth edges."""
    n = 8 * size
    picture = pygame.Surface((n, n), pygame.SRCALPHA)
    picture.fill((*colour, 0))
    if shape in ARROWS:
        head, shaft = 0.42 * n, 0.11 * n
        points = [(n / 2, 0.04 * n), (n / 2 + head, head), (n / 2 + shaft, head), (n / 2 + shaft, 0.96 * n)]
        points += [(n - x, y) for x, y in reversed(points[1:])]
        pygame.draw.polygon(picture, colour, points)
        picture = pygame.transform.rotate(picture, (0, -90, 90, 180)[ARROWS.index(shape)])
    else:
        pygame.draw.circle(picture, colour, (n // 2, n // 2), n // 2, n // 9 if shape == "ring" else 0)
    return pygame.transform.smoothscale(picture, (size, size))

"""Text in pictures: DejaVu Sans, which comes with the package (fonts/LICENSE), painted by pygame without a display."""

import os
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .palette import Colour


def font(size: int) -> Any:
    """Return the font, a `pygame.font.Font`, at a size in px."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame.font

    if not pygame.font.get_init():  # also after somebody called pygame.quit(), which breaks fonts that are open
        _opened.cache_clear()
        pygame.font.init()
    return _opened(size)


@lru_cache(maxsize=64)
def _opened(size: int) -> Any:
    import pygame.font

    with as_file(files(__package__) / "fonts" / "DejaVuSans.ttf") as path:
        return pygame.font.Font(path, size)


@lru_cache(maxsize=1024)
def text_mask(text: str, size: int) -> NDArray[np.float32]:
    """Return a line of text as a mask, (height, width), 0 where nothing is and 1 where the ink is; read-only."""
    import pygame.surfarray

    alpha = pygame.surfarray.array_alpha(font(size).render(text, True, (255, 255, 255))).T
    mask = alpha.astype(np.float32) / np.float32(255)
    mask.setflags(write=False)
    return mask


def text_width(text: str, size: int) -> int:
    """Return the width of a line of text in px."""
    return text_mask(text, size).shape[1]


def paint_text(
    frame: NDArray[np.uint8], text: str, x: float, y: float, size: int, ink: Colour, halo: Colour | None = None
) -> None:
    """Paint a line of text into a frame, in place; what lies outside of the frame is cut off.

    Args:
        frame: (height, width, 3).
        text: the line.
        x: px, of its middle.
        y: px, of its middle.
        size: of the font, px.
        ink: its colour.
        halo: the colour of a line around it; None for no line.
    """
    around = max(1, size // 8) if halo is not None else 0
    padded, spread = _outlined(text, size, around) if around else (text_mask(text, size),) * 2
    top, left = round(y - padded.shape[0] / 2), round(x - padded.shape[1] / 2)
    rows = slice(max(0, -top), max(0, min(padded.shape[0], frame.shape[0] - top)))
    columns = slice(max(0, -left), max(0, min(padded.shape[1], frame.shape[1] - left)))
    here = frame[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
    if not here.size:
        return
    if halo is not None:
        _blend(here, spread[rows, columns], halo)
    _blend(here, padded[rows, columns], ink)


@lru_cache(maxsize=1024)
def _outlined(text: str, size: int, around: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a line of text as a mask with an empty margin, and the same spread over the margin."""
    padded = np.pad(text_mask(text, size), around)
    spread = padded.copy()
    for down in range(-around, around + 1):
        for across in range(-around, around + 1):
            if down * down + across * across <= around * around:
                np.maximum(spread, np.roll(padded, (down, across), axis=(0, 1)), out=spread)
    return padded, spread


def _blend(here: NDArray[np.uint8], mask: NDArray[np.float32], colour: Colour) -> None:
    share = mask[..., None]
    here[:] = np.rint(here + share * (np.array(colour, dtype=np.float32) - here)).astype(np.uint8)

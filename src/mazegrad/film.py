"""Moments as files: PNG, GIF, MP4, or a sheet of pictures. A moment is whatever the given function draws."""

import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from .envs.maps.files import replacing, write_file
from .envs.pictures.png import png
from .envs.pictures.tiles import PAPER, Frame
from .extras import require
from .progress import progress

M = TypeVar("M")

GIF_MOMENTS: Final = 1000  # half a megabyte of memory each


def save_picture(stem: str, frame: Frame) -> None:
    """Write a frame to the first of stem-1.png, stem-2.png, ... that does not exist yet, and print its name."""
    path = next(p for n in itertools.count(1) if not (p := Path(f"{stem}-{n}.png")).exists())
    save_png(path, frame)
    print(f"saved {path}")


def save_png(path: Path, frame: Frame) -> None:
    """Write a frame as PNG, whatever the file is called; needs neither a display nor an optional dependency."""
    write_file(path, png(frame))


def save_gif(path: Path, moments: Sequence[M], draw: Callable[[M], Frame], fps: float) -> None:
    """Write moments as an endless GIF, and show the progress on a terminal; needs the extra `video`."""
    Image = require("PIL.Image", "video")
    if len(moments) > GIF_MOMENTS:
        print(f"the GIF shows the first {GIF_MOMENTS} of {len(moments)} moments; record an .mp4 to keep all")
        moments = moments[:GIF_MOMENTS]
    # one palette for all pictures, so that nothing flickers
    palette = Image.fromarray(film_strip(moments, draw, 2, 2)).quantize(128)
    pictures: list[Any] = []
    for number, moment in enumerate(moments, 1):
        pictures.append(Image.fromarray(draw(moment)).quantize(palette=palette, dither=0))
        if sys.stderr.isatty():
            print(f"\rdrawing {number}/{len(moments)}", end="" if number < len(moments) else "\n", file=sys.stderr)
    durations = [round(min(1000 / fps, 600_000))] * (len(pictures) - 1) + [2000]
    with replacing(path) as beside:
        pictures[0].save(beside, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def save_mp4(path: Path, moments: Sequence[M], draw: Callable[[M], Frame], fps: float) -> None:
    """Write moments as an MP4 (H.264); needs the extra `video`."""
    imageio = require("imageio.v2", "video")
    require("imageio_ffmpeg", "video")
    with replacing(path) as beside, imageio.get_writer(beside, fps=fps, macro_block_size=2) as film:
        for moment in progress(moments, len(moments), "drawing"):
            film.append_data(draw(moment))


def film_strip(moments: Sequence[M], draw: Callable[[M], Frame], columns: int = 3, rows: int = 3) -> Frame:
    """Return a sheet of pictures from the first moment to the last, in reading order."""
    chosen = np.unique(np.linspace(0, len(moments) - 1, columns * rows).round().astype(int))
    pictures = [draw(moments[index]) for index in chosen]
    height, width = max(len(picture) for picture in pictures), max(picture.shape[1] for picture in pictures)
    sheet = np.empty((-(-len(chosen) // columns) * height, columns * width, 3), dtype=np.uint8)
    sheet[:] = PAPER
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        sheet[row * height :, column * width :][: len(picture), : picture.shape[1]] = picture
    return sheet

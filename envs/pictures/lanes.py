"""The frames of many agents, drawn at once: rows of pixels of tiles are gathered, as numpy copies them fastest."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..core.inventory import FLOOR, OPENED, is_door
from ..core.places import Places
from ..core.scene import TILES, Scene
from ..maps.noise import SLIPS
from ..maps.own_tiles import OWN_CODES
from .draw import thin_mask, tile_of
from .locators import LARGE, locators, paint_locators
from .palette import LIGHT
from .tiles import Frame, tile_pictures

_SHOWN: Final = TILES.copy()  # code -> byte of the tile as it is drawn
_SHOWN[[code for (kind, _), code in OWN_CODES.items() if kind == "goal"]] = ord("G")
_SHOWN[[code for (kind, _), code in OWN_CODES.items() if kind == "trap"]] = ord("X")
_AGENTS: Final = 6  # in a cell: none, one without a heading, one of each heading


def draw_places(scene: Scene, places: Places, shape: Sequence[int] = ()) -> Frame:
    """Draw the mazes of many agents with these, each as `draw_place` does, all at once.

    Args:
        scene: the mazes, and how large they are drawn.
        places: (n,) each.
        shape: (height, width, 3) of the frames; smaller pictures are in the upper left corner.

    Returns:
        (n, *shape) uint8, a fresh array.
    """
    sizes = np.stack([scene.heights[places.maze], scene.widths[places.maze]], axis=1)
    kinds = np.unique(sizes, axis=0).tolist()
    frames = np.zeros((len(sizes), *shape), dtype=np.uint8) if len(kinds) != 1 else None
    for height, width in kinds:
        here = (sizes == (height, width)).all(axis=1)
        drawn = _draw_alike(scene, places if frames is None else places.of(here), height, width)
        if frames is None and drawn.shape[1:] == tuple(shape):
            return drawn
        if frames is None:
            frames = np.zeros((len(sizes), *shape), dtype=np.uint8)
        frames[here, : drawn.shape[1], : drawn.shape[2]] = drawn
    assert frames is not None
    return frames


def _draw_alike(scene: Scene, places: Places, height: int, width: int) -> Frame:
    """Draw mazes of one size with an agent each, (n, height * size, width * size, 3)."""
    size = tile_of((height, width), scene.tile)
    inner = (slice(scene.margin, scene.margin + height), slice(scene.margin, scene.margin + width))
    tiles = _SHOWN[scene.codes[places.maze, *inner]]
    if scene.bits is not None:
        changed = (scene.bits[places.maze, *inner] & places.carried[:, None, None]) != 0
        now = np.where(is_door(tiles), tiles + np.uint8(OPENED), np.uint8(FLOOR))
        tiles = np.where(changed, now, tiles)
    look = tiles.astype(np.intp)
    signs = scene.floor_signs(places.maze)
    if signs is not None:
        look += 256 * signs
    look *= _AGENTS
    agent = 1 if scene.moves.headings == 1 else 2 + places.heading
    look.reshape(len(look), -1)[np.arange(len(look)), places.cell] += agent
    # (n, height, size, width): which row of pixels of which tile's picture, one wide element each
    rows = _sheet(size).rows_of(look)[:, :, None, :] + np.arange(size)[:, None]
    frames = _sheet(size).pixels[rows].view(np.uint8).reshape(len(look), height * size, width * size, 3)
    if max(height, width) > LARGE:
        for frame, tile, cell in zip(frames, tiles, places.cell.tolist(), strict=True):
            goals = np.flatnonzero(tile == ord("G")).tolist()
            paint_locators(
                frame, locators((height, width), goals, {cell: LIGHT.agent}, LIGHT), size, max(height, width), LIGHT
            )
    if scene.sides is not None:
        for frame, number in zip(frames, places.maze.tolist(), strict=True):
            if "walls" in scene.maze(number).metadata:
                frame[thin_mask(scene.maze(number), size)] = LIGHT.wall
    return frames


class _Sheet:
    """The pictures of tiles at one size, without trails, as rows of pixels; drawn when they are first needed."""

    def __init__(self, size: int) -> None:
        self._size = size
        # by signs on the floor, tile, agent: first row
        self._first = np.full(2 * SLIPS * 256 * _AGENTS, -1, dtype=np.intp)
        self.pixels = np.zeros(0, dtype=f"V{3 * size}")

    def rows_of(self, looks: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the first row of the picture of each _AGENTS * (256 * signs + tile) + agent."""
        rows = self._first[looks]
        if rows.min() < 0:
            for look in np.unique(looks[rows < 0]).tolist():
                kind, agent = divmod(look, _AGENTS)
                signs, tile = divmod(kind, 256)
                pictures = tile_pictures(tile, signs, self._size, headings=1 if agent < 2 else 4)
                picture = np.ascontiguousarray(pictures[0, agent if agent < 2 else agent - 1])
                self._first[look] = len(self.pixels)
                self.pixels = np.concatenate([self.pixels, picture.reshape(-1).view(self.pixels.dtype)])
            rows = self._first[looks]
        return rows


@lru_cache(maxsize=16)
def _sheet(size: int) -> _Sheet:
    return _Sheet(size)

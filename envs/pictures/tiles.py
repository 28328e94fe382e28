"""The picture of each tile: shapes given by their signed distance, painted in layers."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..core.inventory import OPENED
from ..maps.directions import OFFSETS

Frame = NDArray[np.uint8]
Colour = tuple[int, int, int]
Mask = NDArray[np.float32]

PAPER: Final = (251, 249, 244)
INK: Final = (44, 56, 72)
WALL: Final = (72, 86, 104)
AGENT: Final = (217, 72, 32)
TRAIL: Final = (249, 196, 160)
GOAL: Final = (28, 134, 88)
PIT: Final = (58, 34, 38)
SPIKE: Final = (206, 52, 52)
ICE: Final = (203, 231, 246)
GLINT: Final = (244, 251, 255)
BELT: Final = (224, 225, 228)
CHEVRON: Final = (116, 128, 144)
GEM: Final = (22, 150, 196)
GEM_LIGHT: Final = (140, 218, 240)
WIND: Final = (205, 226, 240)
WOOD: Final = (158, 112, 66)
SHADE: Final = (70, 48, 30)

# of keys and doors a-f: far apart in hue and in lightness
LETTERS: Final[tuple[Colour, ...]] = (
    (230, 168, 0), (0, 128, 190), (204, 60, 130), (60, 150, 60), (120, 84, 190), (200, 96, 20),
)  # fmt: skip
# of the teleporters 0-9
DIGITS: Final[tuple[Colour, ...]] = (
    (124, 77, 196), (0, 139, 139), (214, 84, 60), (66, 120, 214), (190, 130, 0),
    (200, 60, 140), (80, 150, 50), (120, 100, 90), (30, 80, 140), (150, 40, 60),
)  # fmt: skip


# A shape is a function of x and y, the coordinates of the pixels' centres, that returns the signed distance to its
# edge, negative inside. A tile spans -1/2 to 1/2 both ways, x to the right and y downwards.


def _cover(distance: NDArray[np.float32], size: int) -> Mask:
    return np.clip(0.5 - distance * size, 0, 1)


def _disc(x: Mask, y: Mask, radius: float) -> Mask:
    return np.hypot(x, y) - np.float32(radius)


def _box(x: Mask, y: Mask, left: float, right: float, top: float, bottom: float) -> Mask:
    return np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))


def _everywhere(x: Mask, y: Mask) -> Mask:
    return np.full_like(x, -1)


def _rounded(x: Mask, y: Mask, half_width: float, half_height: float, radius: float) -> Mask:
    x, y = np.abs(x) - np.float32(half_width - radius), np.abs(y) - np.float32(half_height - radius)
    return np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - np.float32(radius)


def _stroke(x: Mask, y: Mask, start: tuple[float, float], end: tuple[float, float], radius: float) -> Mask:
    """Return the distance to a line with round ends."""
    across, down = end[0] - start[0], end[1] - start[1]
    along = np.clip(((x - start[0]) * across + (y - start[1]) * down) / (across**2 + down**2), 0, 1)
    return np.hypot(x - start[0] - along * across, y - start[1] - along * down).astype(np.float32) - np.float32(radius)


def _convex(x: Mask, y: Mask, *corners: tuple[float, float]) -> Mask:
    """Return the distance to a convex polygon; its corners go clockwise as drawn."""
    sides = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        sides.append(((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / np.float32(np.hypot(x1 - x0, y1 - y0)))
    return np.maximum.reduce(sides).astype(np.float32)


def _ring(x: Mask, y: Mask, radius: float, half_line: float) -> Mask:
    return np.abs(_disc(x, y, radius)) - np.float32(half_line)


def _flag(x: Mask, y: Mask) -> Mask:
    pole = _box(x, y, -0.22, -0.14, -0.36, 0.36)
    cloth = np.maximum(-0.16 - x, (x + 2 * np.abs(y + 0.14) - 0.30) / np.float32(5**0.5))
    return np.minimum(pole, cloth)


def _spikes(x: Mask, y: Mask) -> Mask:
    spikes = [_convex(x, y, (c - 0.11, 0.31), (c, top), (c + 0.11, 0.31)) for c, top in _SPIKES]
    return np.minimum.reduce(spikes)


_SPIKES: Final = ((-0.22, -0.10), (0.0, -0.28), (0.22, -0.10))


def _glint(x: Mask, y: Mask) -> Mask:
    long = _stroke(x, y, (-0.30, 0.02), (0.02, -0.30), 0.035)
    short = _stroke(x, y, (0.08, 0.28), (0.28, 0.08), 0.035)
    return np.minimum(long, short)


def _rails(x: Mask, y: Mask) -> Mask:
    return np.float32(0.44) - np.abs(x)


def _chevrons(x: Mask, y: Mask) -> Mask:
    pair = [_stroke(np.abs(x), y, (0, tip), (0.21, tip + 0.19), 0.05) for tip in (-0.30, 0.03)]
    return np.minimum.reduce(pair)


def _breeze(x: Mask, y: Mask) -> Mask:
    return _stroke(np.abs(x), y, (0, -0.11), (0.34, 0.11), 0.05)


# the seven strokes of a digit: top, upper left, upper right, middle, lower left, lower right, bottom
_STROKES: Final = [
    ((-1, -2), (1, -2)), ((-1, -2), (-1, 0)), ((1, -2), (1, 0)), ((-1, 0), (1, 0)),
    ((-1, 0), (-1, 2)), ((1, 0), (1, 2)), ((-1, 2), (1, 2)),
]  # fmt: skip
_LIT: Final = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)


def _digit(x: Mask, y: Mask, number: int) -> Mask:
    lit = [stroke for stroke, on in zip(_STROKES, _LIT[number], strict=True) if on == "1"]
    x = x + np.float32(0.09 * (number == 1))  # move a 1 to the middle
    return np.minimum.reduce(
        [_stroke(x, y, (0.09 * a, 0.09 * b), (0.09 * c, 0.09 * d), 0.038) for (a, b), (c, d) in lit]
    )


def _key(x: Mask, y: Mask) -> Mask:
    bow, shaft = _ring(x + 0.22, y, 0.15, 0.055), _box(x, y, -0.10, 0.42, -0.055, 0.055)
    teeth = np.minimum(_box(x, y, 0.31, 0.42, 0, 0.20), _box(x, y, 0.13, 0.23, 0, 0.16))
    return np.minimum.reduce([bow, shaft, teeth])


def _keyhole(x: Mask, y: Mask) -> Mask:
    return np.minimum(
        _disc(x, y + 0.05, 0.09), _convex(x, y, (0.03, -0.02), (0.09, 0.19), (-0.09, 0.19), (-0.03, -0.02))
    )


def _frame(x: Mask, y: Mask) -> Mask:
    return np.abs(_rounded(x, y, 0.42, 0.42, 0.06)) - np.float32(0.05)


def _leaf(x: Mask, y: Mask) -> Mask:
    return _convex(x, y, (-0.40, -0.40), (-0.20, -0.27), (-0.20, 0.27), (-0.40, 0.40))


def _post(x: Mask, y: Mask) -> Mask:
    return _box(x, y, -0.05, 0.05, -0.10, 0.42)


def _board(x: Mask, y: Mask) -> Mask:
    """Return the distance to a signboard that points to the right."""
    return _convex(x, y, (-0.36, -0.34), (0.18, -0.34), (0.42, -0.13), (0.18, 0.08), (-0.36, 0.08))


def _arrow(x: Mask, y: Mask) -> Mask:
    shaft = _stroke(x, y, (-0.24, -0.13), (0.22, -0.13), 0.035)
    tip = _stroke(x, np.abs(y + 0.13), (0.24, 0.0), (0.13, 0.11), 0.035)
    return np.minimum(shaft, tip)


Shape = Callable[[Mask, Mask], Mask]
Layer = tuple[Colour, Shape]


def _turned(shape: Shape, direction: int) -> Shape:
    """Return a shape that points up, turned to a direction."""
    row, column = OFFSETS[direction].tolist()
    return lambda x, y: shape(y * column - x * row, -(x * column + y * row))


def _mirrored(shape: Shape) -> Shape:
    return lambda x, y: shape(-x, y)


def _tinted(colour: Colour, share: float) -> Colour:
    """Return a mixture: this share of a colour, the rest paper."""
    red, green, blue = (round(share * c + (1 - share) * p) for c, p in zip(colour, PAPER, strict=True))
    return red, green, blue


def _shapes() -> dict[str, list[Layer]]:
    """Return the layers of each tile, from the lowest: a colour and a shape."""
    shapes: dict[str, list[Layer]] = {
        " ": [],
        "#": [(WALL, _everywhere)],
        ".": [(INK, partial(_disc, radius=0.17))],
        "S": [(INK, lambda x, y: np.minimum(_disc(x, y, 0.12), _ring(x, y, 0.25, 0.03)))],
        "G": [(GOAL, _flag)],
        "X": [(PIT, lambda x, y: _rounded(x, y, 0.44, 0.44, 0.12)), (SPIKE, _spikes)],
        "~": [(ICE, _everywhere), (GLINT, _glint)],
        "*": [
            (GEM, lambda x, y: _convex(x, y, (-0.20, -0.26), (0.20, -0.26), (0.36, -0.06), (0, 0.34), (-0.36, -0.06))),
            (GEM_LIGHT, lambda x, y: _convex(x, y, (-0.16, -0.22), (0.02, -0.22), (-0.08, -0.07), (-0.29, -0.07))),
            (GEM_LIGHT, lambda x, y: _convex(x, y, (-0.08, -0.03), (0.10, -0.03), (0.01, 0.27))),
        ],
        "}": [(SHADE, _post), (WOOD, _board), (PAPER, _arrow)],
    }
    shapes["{"] = [(colour, _mirrored(shape)) for colour, shape in shapes["}"]]
    for direction, tile in enumerate("^><v"):
        layers = [(BELT, _everywhere), (CHEVRON, _rails), (CHEVRON, _chevrons)]
        shapes[tile] = [(colour, _turned(shape, direction)) for colour, shape in layers]
    for number, colour in enumerate(DIGITS):
        glow = [
            (_tinted(colour, 0.25), partial(_disc, radius=0.40)),
            (colour, partial(_ring, radius=0.37, half_line=0.06)),
        ]
        shapes[str(number)] = [*glow, (colour, partial(_digit, number=number))]
    for letter, colour in zip("abcdef", LETTERS, strict=True):
        door: Layer = (colour, lambda x, y: _rounded(x, y, 0.47, 0.47, 0.06))
        panel: Layer = (_tinted(colour, 0.8), lambda x, y: _rounded(x, y, 0.36, 0.36, 0.04))
        shapes[letter] = [(colour, _key)]
        shapes[letter.upper()] = [door, panel, (INK, _keyhole)]
        shapes[chr(ord(letter.upper()) + OPENED)] = [(colour, _frame), (colour, _leaf)]
    return shapes


_FLAT: Final = "~^><v"  # tiles whose lowest layer lies below the trail
_SHAPES: Final[Mapping[str, list[Layer]]] = MappingProxyType(_shapes())


@lru_cache(maxsize=256)
def tile_pictures(tile: int, wind: int, size: int) -> Frame:
    """Return the pictures of one tile.

    Args:
        tile: its byte.
        wind: gusts to draw, 0 to 3.
        size: px, at least 1.

    Returns:
        (16 trails, without or with the agent, size, size, 3) uint8, read-only.
    """
    middle = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = (axis.astype(np.float32) for axis in np.meshgrid(middle, middle))
    pictures = np.empty((16, 2, size, size, 3), dtype=np.float32)
    pictures[:] = PAPER

    def paint(where: NDArray[np.float32], colour: Colour, distance: Mask) -> None:
        mask = _cover(distance, size)[..., None]
        where += mask * (np.array(colour, dtype=np.float32) - where)

    layers = _SHAPES[chr(tile)]
    flat = chr(tile) in _FLAT
    for colour, shape in layers[:flat]:
        paint(pictures, colour, shape(x, y))
    for gust in range(wind if chr(tile) not in "# " else 0):
        paint(pictures, WIND, _breeze(x, y - np.float32(0.3 * gust - 0.24)))
    for trail in range(1, 16):
        arms = [_disc(x, y, 0.09)]
        for direction, (row, column) in enumerate(OFFSETS.tolist()):
            if trail >> direction & 1:  # an arm from the middle to this side
                along = np.clip(x * column + y * row, 0, 1)
                arms.append(np.hypot(x - along * column, y - along * row) - np.float32(0.09))
        paint(pictures[trail], TRAIL, np.minimum.reduce(arms))
    for colour, shape in layers[flat:]:
        paint(pictures, colour, shape(x, y))
    paint(pictures[:, 1], PAPER, _disc(x, y, 0.36))
    paint(pictures[:, 1], AGENT, np.abs(_disc(x, y, 0.30)) - np.float32(0.075))
    rounded = np.rint(pictures).astype(np.uint8)
    rounded.setflags(write=False)
    return rounded

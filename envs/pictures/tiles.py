"""What a cell looks like: a `Look` says what is to be seen there, `layers` the coloured shapes it is painted with."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.inventory import OPENED
from ..maps.directions import OFFSETS, UP
from ..maps.noise import SLIPS
from .palette import LIGHT, Colour, Theme, mixed
from .shapes import EVERYWHERE, Box, Disc, Line, Mask, Polygon, Ring, Shape, mirrored, turned

Frame: TypeAlias = NDArray[np.uint8]

PAPER: Final = LIGHT.paper
INK: Final = LIGHT.ink
AGENT: Final = LIGHT.agent
LETTERS: Final = LIGHT.letters

HEAT_LEVELS: Final = 64
"""shades of a heat map"""
STRENGTHS: Final = 4
"""lengths of a policy's arrow"""
FLOWS: Final = 7
"""widths of a trail of many agents"""


class Look(NamedTuple):
    """What is to be seen in one cell, beside its tile; the defaults are nothing."""

    tile: int
    """its byte; a door that stands open has `OPENED` more"""
    wind: int = 0
    """gusts, 1 to 3, and 3 times the direction that they blow in; 0 without wind"""
    trail: int = 0
    """the sides that were crossed, bit d for direction d"""
    agent: int = 0
    """0: none; 1: the agent; 2, 3, ...: one of several agents, number 1, 2, ..."""
    heat: int = -1
    """0 to HEAT_LEVELS - 1; -1: none"""
    arrows: tuple[tuple[int, int, int], ...] = ()
    """(row, column, strength) of each: where it points, and its length, 1 to STRENGTHS"""
    flow: tuple[int, ...] = ()
    """for each direction, how many agents crossed this side: 0 to FLOWS"""
    dim: bool = False
    """behind a veil, since the agent does not see it"""
    nose: int = 0
    """1 + the direction that the agent faces, where actions turn"""
    slips: bool = False
    """whether a move from here may go elsewhere"""


class Layer(NamedTuple):
    """A shape in one colour; what is transparent lets the layers below shine through."""

    colour: Colour
    shape: Shape
    alpha: float = 1.0


_FLAT: Final = "~^><v"  # tiles whose lowest layer lies below trails and heat

# the seven strokes of a digit or letter: top, upper left, upper right, middle, lower left, lower right, bottom
_STROKES: Final = (
    ((-1, -2), (1, -2)), ((-1, -2), (-1, 0)), ((1, -2), (1, 0)), ((-1, 0), (1, 0)),
    ((-1, 0), (-1, 2)), ((1, 0), (1, 2)), ((-1, 2), (1, 2)),
)  # fmt: skip
_LIT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0": "1110111", "1": "0010010", "2": "1011101", "3": "1011011", "4": "0111010", "5": "1101011", "6": "1101111",
        "7": "1010010", "8": "1111111", "9": "1111011", "A": "1111110", "B": "0101111", "C": "1100101", "D": "0011111",
        "E": "1101101", "F": "1101100",
    }
)  # fmt: skip


def _glyph(sign: str, x: float, y: float, unit: float) -> list[Shape]:
    """Return the strokes of a digit or a letter A to F around a point, as a display of seven segments shows it."""
    if sign == "1":
        x -= unit  # to the middle
    strokes = [stroke for stroke, on in zip(_STROKES, _LIT[sign], strict=True) if on == "1"]
    return [Line(tuple((x + unit * a, y + unit * b) for a, b in ends), 0.84 * unit) for ends in strokes]


def _gem() -> tuple[list[Shape], list[Shape]]:
    body = Polygon(((-0.20, -0.26), (0.20, -0.26), (0.36, -0.06), (0, 0.34), (-0.36, -0.06)))
    facets = [
        Polygon(((-0.16, -0.22), (0.02, -0.22), (-0.08, -0.07), (-0.29, -0.07))),
        Polygon(((-0.08, -0.03), (0.10, -0.03), (0.01, 0.27))),
    ]
    return [body], list(facets)


def _key(letter: str) -> list[Shape]:
    """Return a key that stands on its teeth, and its letter, as large as on the door, beside it."""
    teeth = [Box(-0.17, 0.34, 0.10, 0.045), Box(-0.18, 0.18, 0.09, 0.045)]
    return [Ring(-0.25, -0.24, 0.13, 0.10), Box(-0.25, 0.12, 0.05, 0.265), *teeth, *_glyph(letter, 0.23, 0, 0.12)]


def _sign() -> tuple[list[Shape], list[Shape], list[Shape]]:
    """Return the post, the board and the arrow of a signpost that points to the right."""
    board = Polygon(((-0.36, -0.34), (0.18, -0.34), (0.42, -0.13), (0.18, 0.08), (-0.36, 0.08)))
    arrow = Line(((-0.24, -0.13), (0.22, -0.13)), 0.07), Line(((0.11, -0.24), (0.24, -0.13), (0.11, -0.02)), 0.07)
    return [Box(0, 0.16, 0.05, 0.26)], [board], list(arrow)


_GLINTS: Final = (Line(((-0.30, 0.02), (0.02, -0.30)), 0.07), Line(((0.08, 0.28), (0.28, 0.08)), 0.07))
_SLIPS: Final = (Line(((0.22, 0.42), (0.42, 0.22)), 0.07), Line(((-0.42, -0.28), (-0.28, -0.42)), 0.06))
_SEE_THROUGH: Final = "S*{}abcdef0123456789"  # tiles through which the ground is seen
_PLATE: Final = Box(0, 0, 0.46, 0.46, 0.12)
_CHEVRONS: Final[tuple[Shape, ...]] = tuple(
    Line(((-0.21, y + 0.19), (0.0, y), (0.21, y + 0.19)), 0.10) for y in (-0.30, 0.03)
)
_RAILS: Final[tuple[Shape, ...]] = (Box(-0.47, 0, 0.03, 0.5), Box(0.47, 0, 0.03, 0.5))
_SPIKES: Final = tuple(
    Polygon(((c - 0.11, 0.31), (c, top), (c + 0.11, 0.31))) for c, top in ((-0.22, -0.10), (0.0, -0.28), (0.22, -0.10))
)
_FLAG: Final = (Box(-0.18, 0, 0.04, 0.34), Polygon(((-0.16, -0.34), (0.30, -0.13), (-0.16, 0.08))))


def _tiles(theme: Theme) -> dict[str, list[Layer]]:
    """Return the layers of each tile, from the lowest."""

    def of(colour: Colour, *shapes: Shape) -> list[Layer]:
        return [Layer(colour, shape) for shape in shapes]

    body, facets = _gem()
    post, board, arrow = _sign()
    tiles = {
        " ": [],
        "#": of(theme.wall, EVERYWHERE),
        ".": of(theme.dot, Disc(0, 0, 0.15)),
        "S": of(theme.ink, Disc(0, 0, 0.12), Ring(0, 0, 0.25, 0.06)),
        "G": [*of(theme.goal, Box(0, 0, 0.45, 0.45, 0.10)), *of(theme.paper, *_FLAG)],
        "X": [*of(theme.pit, Box(0, 0, 0.44, 0.44, 0.12)), *of(theme.spike, *_SPIKES)],
        "~": [*of(theme.ice, EVERYWHERE), *of(theme.ice_line, Box(0, 0, 0.46, 0.46, 0, 0.05), *_GLINTS)],
        "*": [*of(theme.gem, *body), *of(theme.gem_light, *facets)],
        "}": [*of(theme.shade, *post), *of(theme.wood, *board), *of(theme.paper, *arrow)],
        "{": [
            *of(theme.shade, *post),
            *of(theme.wood, *map(mirrored, board)),
            *of(theme.paper, *map(mirrored, arrow)),
        ],
    }
    for direction, tile in enumerate("^><v"):
        marks: list[Shape] = [turned(shape, direction) for shape in (*_RAILS, *_CHEVRONS)]
        tiles[tile] = [*of(theme.belt, EVERYWHERE), *of(theme.chevron, *marks)]
    for number, colour in enumerate(theme.digits):
        glow = of(mixed(colour, theme.paper, 0.15), Disc(0, 0, 0.40))
        tiles[str(number)] = [*glow, *of(colour, Ring(0, 0, 0.39, 0.09), *_glyph(str(number), 0, 0, 0.11))]
    for letter, colour in zip("abcdef", theme.letters, strict=True):
        sign = letter.upper()
        tiles[letter] = of(colour, *_key(sign))
        tiles[sign] = [*of(colour, Box(0, 0, 0.47, 0.47, 0.06)), *of(theme.paper, *_glyph(sign, 0, 0, 0.12))]
        leaf = Polygon(((-0.40, -0.40), (-0.20, -0.27), (-0.20, 0.27), (-0.40, 0.40)))
        tiles[chr(ord(sign) + OPENED)] = of(
            colour, Box(0, 0, 0.42, 0.42, 0.06, 0.10), leaf, *_glyph(sign, 0.10, 0, 0.085)
        )
    return tiles


@lru_cache(maxsize=8)
def _tiles_of(theme: Theme) -> Mapping[str, list[Layer]]:
    return MappingProxyType(_tiles(theme))


def _own_tile(theme: Theme) -> list[Layer]:
    """Return a letter that a map declares: floor with a mark."""
    mark = ((0.0, -0.36), (0.36, 0.0), (0.0, 0.36), (-0.36, 0.0))
    inner = tuple((0.6 * x, 0.6 * y) for x, y in mark)
    return [Layer(theme.wood, Polygon(mark)), Layer(theme.paper, Polygon(inner)), Layer(theme.ink, Disc(0, 0, 0.08))]


def layers(look: Look, theme: Theme = LIGHT) -> list[Layer]:
    """Return what a cell is painted with, on a ground of the theme's paper, from the lowest layer."""
    sign = chr(look.tile)
    tiles, flat = _tiles_of(theme), sign in _FLAT
    tile = tiles[sign] if sign in tiles else _own_tile(theme)
    found = list(tile[:flat])
    if look.slips and sign not in "# ~":
        found.insert(0, Layer(theme.slippery, EVERYWHERE))
    if look.heat >= 0 and sign not in "# ":
        found.append(Layer(theme.heat_colour(look.heat / (HEAT_LEVELS - 1)), EVERYWHERE))
    found += _floor(look, theme) if sign not in "# " else []
    trails = [*_trail(look.trail), *_flow(look.flow)]
    if look.heat >= 0 or flat or look.slips:
        found += [Layer(theme.paper, _wider(shape, 0.10)) for shape in trails]
    found += [Layer(theme.trail, shape) for shape in trails]
    if sign == "S" and look.agent:  # it covers the start
        pass
    elif sign == "S" and look.arrows:  # they lie in the ring
        found += [Layer(theme.paper, Ring(0, 0, 0.44, 0.12)), Layer(theme.ink, Ring(0, 0, 0.44, 0.05))]
    elif sign != "." or not (look.arrows or look.heat >= 0):  # dots would hide what is drawn over them
        if look.heat >= 0 and sign in _SEE_THROUGH:
            found.append(Layer(theme.paper, _PLATE))
        if look.heat >= 0 and flat:
            found += [Layer(theme.paper, _edged(part.shape)) for part in tile[flat:]]
        found += tile[flat:]
    arrows = [_arrow(*arrow) for arrow in look.arrows]
    found += [Layer(theme.paper, Line(line.points, line.line + 0.10)) for lines in arrows for line in lines]
    found += [Layer(theme.ink, line) for lines in arrows for line in lines]
    if look.agent:
        number = look.agent - 1
        colour = theme.agents[(number - 1) % len(theme.agents)] if number else theme.agent
        found += [Layer(theme.paper, Disc(0, 0, 0.44)), Layer(colour, Disc(0, 0, 0.37))]
        if number:
            digits = f"{number % 100}"
            starts = [0.24 * (i - (len(digits) - 1) / 2) for i in range(len(digits))]
            for digit, x in zip(digits, starts, strict=True):
                found += [Layer(theme.paper, shape) for shape in _glyph(digit, x, 0, 0.08)]
    if look.nose:
        row, column = OFFSETS[look.nose - 1].tolist()
        found.append(Layer(theme.paper, Line(((0.0, 0.0), (0.34 * column, 0.34 * row)), 0.14)))
    if look.dim:
        found.append(Layer(theme.paper, EVERYWHERE, 0.72))
    return found


def _floor(look: Look, theme: Theme) -> list[Layer]:
    """Return the signs of wind and slips, and on a heat map a pale line around each."""
    direction, gusts = divmod(look.wind - 1, 3)
    ys = [0.3 * gust - 0.24 for gust in range(gusts + 1 if look.wind else 0)]
    upwards = [Line(((-0.34, y + 0.11), (0.0, y - 0.11), (0.34, y + 0.11)), 0.08) for y in ys]
    signs = [(theme.wind, line, direction) for line in upwards]
    if look.slips and look.tile not in b"GX":
        crowded = look.heat >= 0 or look.wind
        signs += [(theme.ice_line, line, UP) for line in (_SLIPS[:1] if crowded else _SLIPS)]
    pale = [(theme.paper, Line(line.points, line.line + 0.08), way) for _, line, way in signs if look.heat >= 0]
    return [Layer(colour, turned(line, way)) for colour, line, way in (*pale, *signs)]


def _trail(sides: int) -> list[Disc | Line]:
    """Return a line from the middle to each side that was crossed."""
    if not sides:
        return []
    ends = [(0.5 * column, 0.5 * row) for d, (row, column) in enumerate(OFFSETS.tolist()) if sides >> d & 1]
    return [Disc(0, 0, 0.10), *[Line(((0.0, 0.0), end), 0.20) for end in ends]]


def _edged(shape: Shape) -> Shape:
    """Return a line or a box that is a little wider on every side."""
    if isinstance(shape, Line):
        return replace(shape, line=shape.line + 0.10)
    assert isinstance(shape, Box)
    if shape.line:
        return replace(shape, line=shape.line + 0.10)
    return replace(shape, half_width=shape.half_width + 0.05, half_height=shape.half_height + 0.05)


def _wider(shape: Disc | Line, by: float) -> Disc | Box:
    """Return a part of a trail that is wider, and ends at the edge of the cell all the same."""
    if isinstance(shape, Disc):
        return Disc(shape.x, shape.y, shape.radius + by / 2)
    (_, (x, y)), across = shape.points, (shape.line + by) / 2  # from the middle to a side
    return Box(x / 2, y / 2, abs(x) / 2 or across, abs(y) / 2 or across)


def _flow(flow: tuple[int, ...]) -> list[Disc | Line]:
    """Return a line from the middle to each side, the wider the more agents crossed it."""
    widths = [0.03 + 0.07 * level for level in flow]
    lines: list[Disc | Line] = [
        Line(((0.0, 0.0), (0.5 * column, 0.5 * row)), width)
        for (row, column), width, level in zip(OFFSETS.tolist(), widths, flow, strict=False)
        if level
    ]
    return [*lines, Disc(0, 0, max(widths) / 2)] if lines else []


_GAP: Final = 0.12  # arrows of one cell do not touch each other


def _arrow(row: int, column: int, strength: int) -> list[Line]:
    """Return the shaft and the tip of an arrow from the middle; without a direction, a short bar: stay."""
    if not row and not column:
        return [Line(((-0.12, 0.0), (0.12, 0.0)), 0.08)]
    length = float(np.hypot(row, column))
    x, y = column / length, row / length
    end, tip = 0.16 + 0.28 * strength / STRENGTHS, 0.06 + 0.09 * strength / STRENGTHS
    point = (end * x, end * y)
    barbs = [(point[0] - tip * (x + side * y), point[1] - tip * (y - side * x)) for side in (1, -1)]
    return [Line(((_GAP * x, _GAP * y), point), 0.08), Line((barbs[0], point, barbs[1]), 0.08)]


def cell_picture(look: Look, size: int, theme: Theme = LIGHT) -> Frame:
    """Return the picture of a cell, (size, size, 3) uint8, read-only; `size` is at least 1 px."""
    middle = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = (axis.astype(np.float32) for axis in np.meshgrid(middle, middle))
    picture = np.empty((size, size, 3), dtype=np.float32)
    picture[:] = theme.paper
    for colour, shape, alpha in layers(look, theme):
        mask: Mask = np.clip(0.5 - shape.distance(x, y) * size, 0, 1)
        picture += (alpha * mask)[..., None] * (np.array(colour, dtype=np.float32) - picture)
    rounded = np.rint(picture).astype(np.uint8)
    rounded.setflags(write=False)
    return rounded


@lru_cache(maxsize=256)
def tile_pictures(tile: int, signs: int, size: int, theme: Theme = LIGHT, headings: int = 1) -> Frame:
    """Return the pictures of one tile with every trail, without and with the agent.

    Args:
        tile: its byte.
        signs: on the floor, below 2 * SLIPS, as `floor_signs` returns them.
        size: px, at least 1.
        theme: the colours.
        headings: of agents: 1, or 4 where they turn.

    Returns:
        (16 trails, 1 + headings, size, size, 3) uint8, read-only: without an agent, then with one of each heading.
    """
    agents = [(0, 0), (1, 0)] if headings == 1 else [(0, 0), *((1, nose) for nose in range(1, 5))]
    wind, slips = signs % SLIPS, signs >= SLIPS
    looks = [Look(tile, wind, trail, agent, nose=nose, slips=slips) for trail in range(16) for agent, nose in agents]
    pictures = np.stack([cell_picture(look, size, theme) for look in looks])
    pictures = pictures.reshape(16, 1 + headings, size, size, 3)
    pictures.setflags(write=False)
    return pictures

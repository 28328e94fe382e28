"""Shapes that can be painted on pixels, by their signed distance, and written as paths, for SVG and PDF alike.

A tile spans -1/2 to 1/2 both ways, x to the right and y downwards; a shape's numbers are in tiles. `distance` returns
the signed distance of points to the edge, negative inside. `path` returns the same edge as commands, and `line` is the
width of the line along them, 0 for an area.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.float32]
Point: TypeAlias = tuple[float, float]
Command: TypeAlias = tuple[str, tuple[Point, ...]]
"""("M", (to,)), ("L", (to,)), ("C", (control, control, to)) or ("Z", ())"""

_ROUND: Final = 0.5522847498  # of a quarter circle: how far its control points lie from its ends, in radii


class Shape(Protocol):
    """What a layer of a picture is made of."""

    @property
    def line(self) -> float:
        """The width of the line along the path, in tiles; 0 for a filled area."""

    def distance(self, x: Mask, y: Mask) -> Mask:
        """Return the signed distance of points to the edge, negative inside; the shape of x and y."""

    def path(self) -> list[Command]:
        """Return the outline, or the line, as commands."""

    def mapped(self, to: Callable[[float, float], Point]) -> Shape:
        """Return the shape after a turn by quarters or a mirroring, given as a function of a point."""


@dataclass(frozen=True)
class Disc:
    """A disc around a point."""

    x: float
    y: float
    radius: float
    line: ClassVar[float] = 0.0

    def distance(self, x: Mask, y: Mask) -> Mask:
        """See `Shape`."""
        return np.hypot(x - np.float32(self.x), y - np.float32(self.y)) - np.float32(self.radius)

    def path(self) -> list[Command]:
        """See `Shape`."""
        return _circle(self.x, self.y, self.radius)

    def mapped(self, to: Callable[[float, float], Point]) -> Disc:
        """See `Shape`."""
        return Disc(*to(self.x, self.y), self.radius)


@dataclass(frozen=True)
class Ring:
    """A circular line around a point."""

    x: float
    y: float
    radius: float
    line: float

    def distance(self, x: Mask, y: Mask) -> Mask:
        """See `Shape`."""
        return np.abs(Disc(self.x, self.y, self.radius).distance(x, y)) - np.float32(self.line / 2)

    def path(self) -> list[Command]:
        """See `Shape`."""
        return _circle(self.x, self.y, self.radius)

    def mapped(self, to: Callable[[float, float], Point]) -> Ring:
        """See `Shape`."""
        return Ring(*to(self.x, self.y), self.radius, self.line)


@dataclass(frozen=True)
class Line:
    """Straight lines from point to point, with round ends and corners."""

    points: tuple[Point, ...]
    line: float

    def distance(self, x: Mask, y: Mask) -> Mask:
        """See `Shape`."""
        return np.minimum.reduce([self._piece(x, y, *ends) for ends in zip(self.points, self.points[1:], strict=False)])

    def _piece(self, x: Mask, y: Mask, start: Point, end: Point) -> Mask:
        across, down = end[0] - start[0], end[1] - start[1]
        along = np.clip(((x - start[0]) * across + (y - start[1]) * down) / (across**2 + down**2), 0, 1)
        away = np.hypot(x - start[0] - along * across, y - start[1] - along * down)
        return away.astype(np.float32) - np.float32(self.line / 2)

    def path(self) -> list[Command]:
        """See `Shape`."""
        return [("L" if i else "M", (point,)) for i, point in enumerate(self.points)]

    def mapped(self, to: Callable[[float, float], Point]) -> Line:
        """See `Shape`."""
        return Line(tuple(to(*point) for point in self.points), self.line)


@dataclass(frozen=True)
class Polygon:
    """A convex area; its corners go clockwise as drawn."""

    corners: tuple[Point, ...]
    line: ClassVar[float] = 0.0

    def distance(self, x: Mask, y: Mask) -> Mask:
        """See `Shape`."""
        sides = []
        for (x0, y0), (x1, y1) in zip(self.corners, self.corners[1:] + self.corners[:1], strict=True):
            sides.append(((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / np.float32(np.hypot(x1 - x0, y1 - y0)))
        return np.maximum.reduce(sides).astype(np.float32)

    def path(self) -> list[Command]:
        """See `Shape`."""
        return [*Line(self.corners, 0).path(), ("Z", ())]

    def mapped(self, to: Callable[[float, float], Point]) -> Polygon:
        """See `Shape`."""
        corners = tuple(to(*corner) for corner in self.corners)
        return Polygon(corners if _clockwise(corners) else corners[::-1])


@dataclass(frozen=True)
class Box:
    """A rectangle around a point with round corners, filled, or as a line along its edge."""

    x: float
    y: float
    half_width: float
    half_height: float
    radius: float = 0.0
    line: float = 0.0

    def distance(self, x: Mask, y: Mask) -> Mask:
        """See `Shape`."""
        across = np.abs(x - np.float32(self.x)) - np.float32(self.half_width - self.radius)
        down = np.abs(y - np.float32(self.y)) - np.float32(self.half_height - self.radius)
        outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
        away = outside + np.minimum(np.maximum(across, down), 0) - np.float32(self.radius)
        return np.abs(away) - np.float32(self.line / 2) if self.line else away

    def path(self) -> list[Command]:
        """See `Shape`."""
        left, right = self.x - self.half_width, self.x + self.half_width
        top, bottom = self.y - self.half_height, self.y + self.half_height
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        if not self.radius:
            return Polygon(tuple(corners)).path()
        commands: list[Command] = []
        for i, (x, y) in enumerate(corners):  # each corner is a quarter circle between two edges
            before, after = corners[i - 1], corners[(i + 1) % 4]
            start, end = _towards((x, y), before, self.radius), _towards((x, y), after, self.radius)
            bend = self.radius * (1 - _ROUND)
            commands.append(("L" if i else "M", (start,)))
            commands.append(("C", (_towards((x, y), before, bend), _towards((x, y), after, bend), end)))
        return [*commands, ("Z", ())]

    def mapped(self, to: Callable[[float, float], Point]) -> Box:
        """See `Shape`."""
        (x, y), (corner_x, corner_y) = to(self.x, self.y), to(self.x + self.half_width, self.y + self.half_height)
        return Box(x, y, abs(corner_x - x), abs(corner_y - y), self.radius, self.line)


EVERYWHERE: Final = Box(0, 0, 0.5, 0.5)
"""the whole tile"""


def turned(shape: Shape, direction: int) -> Shape:
    """Return a shape that points up, turned to a direction: 0 up, 1 right, 2 left, 3 down."""
    turns: tuple[Callable[[float, float], Point], ...] = (
        lambda x, y: (x, y),
        lambda x, y: (-y, x),
        lambda x, y: (y, -x),
        lambda x, y: (-x, -y),
    )
    return shape.mapped(turns[direction])


def mirrored(shape: Shape) -> Shape:
    """Return a shape with left and right exchanged."""
    return shape.mapped(lambda x, y: (-x, y))


def _circle(x: float, y: float, radius: float) -> list[Command]:
    k = radius * _ROUND
    return [
        ("M", ((x, y - radius),)),
        ("C", ((x + k, y - radius), (x + radius, y - k), (x + radius, y))),
        ("C", ((x + radius, y + k), (x + k, y + radius), (x, y + radius))),
        ("C", ((x - k, y + radius), (x - radius, y + k), (x - radius, y))),
        ("C", ((x - radius, y - k), (x - k, y - radius), (x, y - radius))),
        ("Z", ()),
    ]


def _towards(start: Point, end: Point, step: float) -> Point:
    """Return the point at a distance from start on the way to end; one of their coordinates is equal."""
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    share = step / length
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _clockwise(corners: tuple[Point, ...]) -> bool:
    pairs = zip(corners, corners[1:] + corners[:1], strict=True)
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs) > 0

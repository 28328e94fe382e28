"""Encodings: observations as nets take them, floats in a flat row or a few planes of zeros and ones."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..maps.arguments import nearest
from ..maps.directions import DIRECTION_NAMES
from ..maps.legend import AGENT_CODES, CODES, LEGEND
from ..maps.own_tiles import OWN_CODES

Encode: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""from n observations, (n, ...), to n encoded ones, a fresh array"""

# plane -> the tiles that it marks; a tile may be in several planes
_MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "closed": " #", "open": "".join(tile for tile in LEGEND if tile not in " #"),
        "goal": "G", "trap": "X", "ice": "~", "mover": "^><v0123456789", "thing": "*abcdef", "door": "ABCDEF",
        "up": "^", "right": ">}", "left": "<{", "down": "v",
    }
)  # fmt: skip
PLANES: Final = (*_MARKS, "agent")
"""the planes of the encoding "planes", in order; up to down are the directions of conveyors, signs and of an agent that
turns, which faces up where none of them is set"""

_PLANES_OF: Final[NDArray[np.uint8]] = np.zeros((256, len(PLANES)), dtype=np.uint8)  # by code
for _tile, _code in CODES.items():
    _PLANES_OF[_code] = [*(_tile in marks for marks in _MARKS.values()), False]
for (_kind, _), _code in OWN_CODES.items():
    _PLANES_OF[_code] = [name in ("open", _kind) for name in PLANES]
SIDE_PLANES: Final = tuple(f"wall {name}" for name in DIRECTION_NAMES)
"""further planes where mazes have thin walls: which cells have one on this side"""
for _code, _faces in zip(AGENT_CODES.tolist(), ("", "right", "left", "down"), strict=True):
    _PLANES_OF[_code] = [name in ("open", "agent", _faces) for name in PLANES]

# the same by code and sides, see `with_sides`
_SIDED: Final = np.concatenate(
    [
        np.tile(_PLANES_OF, (16, 1)),
        (np.arange(16).repeat(256)[:, None] >> np.arange(len(SIDE_PLANES)) & 1).astype(np.uint8),
    ],
    axis=1,
)


def plane_count(codes: Space[Any]) -> int:
    """Return the number of planes that tile codes of this space become."""
    return len(PLANES) + (len(SIDE_PLANES) if codes.dtype == np.uint16 else 0)


class Encoded(NamedTuple):
    """A space, and the function that takes observations into it."""

    space: Space[Any]
    encode: Encode


def _one_hot(space: spaces.Discrete) -> Encoded:
    rows = np.arange(space.n)

    def encode(seen: NDArray[Any]) -> NDArray[Any]:
        return (seen[:, None] == rows).astype(np.float32)

    return Encoded(spaces.Box(0, 1, (int(space.n),), np.float32), encode)


def _scaled(space: spaces.MultiDiscrete) -> Encoded:
    largest = np.maximum(np.asarray(space.nvec) - 1, 1).astype(np.float32)
    return Encoded(spaces.Box(0, 1, space.shape, np.float32), lambda seen: (seen / largest).astype(np.float32))


def _planes(space: spaces.Box) -> Encoded:
    """Tile codes (height, width) -> (planes, height, width) of 0 and 1."""
    shape, planes_of = (plane_count(space), *space.shape), _planes_of(space)

    def encode(seen: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(np.moveaxis(planes_of[seen], -1, 1))

    return Encoded(spaces.Box(0, 1, shape, np.uint8), encode)


def _planes_last(space: spaces.Box) -> Encoded:
    """Tile codes (height, width) -> (height, width, planes) of 0 and 1."""
    planes_of = _planes_of(space)
    return Encoded(spaces.Box(0, 1, (*space.shape, plane_count(space)), np.uint8), lambda seen: planes_of[seen])


def _planes_of(space: spaces.Box) -> NDArray[np.uint8]:
    return _SIDED if space.dtype == np.uint16 else _PLANES_OF


def _float(space: Space[Any]) -> Encoded:
    """A flat row of float32: one-hot numbers, scaled positions and pixels, flat planes, bits as they are."""
    if isinstance(space, spaces.Discrete):
        return _one_hot(space)
    if isinstance(space, spaces.MultiDiscrete):
        return _scaled(space)
    if isinstance(space, spaces.MultiBinary):
        return Encoded(spaces.Box(0, 1, space.shape, np.float32), lambda seen: seen.astype(np.float32))
    assert isinstance(space, spaces.Box)
    if is_tile_codes(space):
        planes = _planes(space)
        flat = int(np.prod(planes.space.shape or ()))
        return Encoded(
            spaces.Box(0, 1, (flat,), np.float32),
            lambda seen: planes.encode(seen).reshape(len(seen), flat).astype(np.float32),
        )
    size = int(np.prod(space.shape))
    return Encoded(
        spaces.Box(0, 1, (size,), np.float32), lambda seen: seen.reshape(len(seen), size).astype(np.float32) / 255
    )


def is_tile_codes(space: Space[Any]) -> bool:
    """Return whether observations are tile codes: "view" and "map"."""
    return isinstance(space, spaces.Box) and len(space.shape) == 2


_OF_TILE_CODES: Final[Mapping[str, Callable[[spaces.Box], Encoded]]] = MappingProxyType(
    {"planes": _planes, "planes_last": _planes_last}
)
PLANAR: Final = tuple(_OF_TILE_CODES)
"""those that make planes"""
ENCODINGS: Final = ("float", *_OF_TILE_CODES)
"""the names that `encoding=` takes, besides None"""


def encoded(space: Space[Any], encoding: str | None) -> Encoded | None:
    """Return how observations of a space are encoded, None where they stay as they are.

    Args:
        space: of the observations.
        encoding: None, "float" (any space becomes a flat float32 Box), "planes" (tile codes become `PLANES`, channels
            first; other spaces stay) or "planes_last" (the same, channels last).

    Raises:
        ValueError: an unknown encoding.
    """
    if encoding is None:
        return None
    if encoding == "float":
        return _float(space)
    if encoding not in _OF_TILE_CODES:
        raise ValueError(f"unknown encoding {encoding!r}{nearest(encoding, ENCODINGS)}")
    if not is_tile_codes(space):
        return None
    assert isinstance(space, spaces.Box)
    return _OF_TILE_CODES[encoding](space)

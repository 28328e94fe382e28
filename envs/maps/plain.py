r"""Plain mazes, many at once, read off their tiles: how far each tile is from a goal, and how hard a maze is.

A plain maze has walls, floor, starts and goals, and nothing else. Its distances need no compiled tables.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arguments import nearest
from .directions import OFFSETS

PLAIN: Final = np.frombuffer(b" #.SG", dtype=np.uint8)
"""The tiles of a plain maze."""
IS_PLAIN: Final = np.isin(np.arange(256), PLAIN)
"""(256,): of the byte of a tile, whether a plain maze may have it."""
_UNSEEN, _WALL, _UNKNOWN = -1, -2, -3
_MANY: Final = 1000  # tiles; for fewer the calls count for more
_LEVELS: Final = np.full(256, _UNKNOWN, dtype=np.int16)  # of the byte of a tile, before the search
_LEVELS[PLAIN] = [_WALL, _WALL, _UNSEEN, _UNSEEN, 0]


def distance_maps(tiles: NDArray[np.uint8]) -> NDArray[np.signedinteger]:
    r"""Return the smallest number of steps to a goal from each tile of plain mazes, -1 where there is no way.

    Breadth-first search in all mazes at once, from all goals.

    Args:
        tiles: (n, height, width), as bytes.

    Returns:
        (n, height, width), int16 where that is wide enough, else int32.

    Raises:
        ValueError: another number of axes, or a tile that a plain maze does not have.

    Example:
        >>> from mazegrad.envs import Maze, distance_maps
        >>> distance_maps(Maze.from_text("S..\n.#.\n..G").tiles[None])
        array([[[ 4,  3,  2],
                [ 3, -1,  1],
                [ 2,  1,  0]]], dtype=int16)
    """
    if tiles.ndim != 3 or tiles.dtype != np.uint8:
        raise ValueError(f"tiles is a uint8 array (n, height, width), not {tiles.dtype} {tiles.shape}")
    n, height, width = tiles.shape
    levels = np.full((n, height + 2, width + 2), _WALL, dtype=np.int16 if height * width < 2**15 else np.int32)
    inner = levels[:, 1:-1, 1:-1]
    inner[:] = _LEVELS[tiles]
    if (inner == _UNKNOWN).any():
        known, one = PLAIN.tobytes().decode(), chr(tiles[inner == _UNKNOWN][0])
        raise ValueError(f"distance_maps takes mazes of the tiles {known!r} alone, not of {one!r}")
    flat, steps = levels.reshape(-1), OFFSETS @ (width + 2, 1)
    frontier, distance = np.flatnonzero(flat == 0), 0
    by = np.empty(len(flat), dtype=np.int64)  # which entry of the frontier has reached a tile last
    while len(frontier):
        distance += 1
        reached = []
        # few tiles: all directions in one call; many: one after the other, so that no tile is reached twice
        for step in [steps[:, None]] if len(frontier) < _MANY else steps:
            ahead = (frontier + step).ravel()
            ahead = ahead[flat.take(ahead, mode="clip") == _UNSEEN]
            flat[ahead] = distance
            reached.append(ahead)
        frontier = np.concatenate(reached)
        if len(reached) == 1:
            number = np.arange(len(frontier))
            by[frontier] = number
            frontier = frontier[by.take(frontier, mode="clip") == number]
    return np.maximum(inner, _UNSEEN)


# ------------------------------------------------------------------------------------------------------------- measures
class Seen(NamedTuple):
    """What measures are read off."""

    tiles: NDArray[np.uint8]
    """(n, height, width)"""
    maps: NDArray[np.signedinteger]
    """(n, height, width): the steps to a goal, see `distance_maps`"""
    neighbours: NDArray[np.uint8]
    """(n, height, width): a bit for each open neighbour, in the order of directions; 0 for walls"""
    open: NDArray[np.bool_]


_COUNT: Final = np.array([bits.bit_count() for bits in range(16)], dtype=np.uint8)


def _per_maze(marked: NDArray[Any]) -> NDArray[np.int64]:
    return marked.reshape(len(marked), -1).sum(axis=1, dtype=np.int64)


def _path_length(seen: Seen) -> NDArray[np.int64]:
    starts = seen.tiles == ord("S")
    flat = np.where(starts, seen.maps, 0).reshape(len(starts), -1)
    stuck = (_per_maze(starts & (seen.maps < 0)) > 0) | (_per_maze(starts) == 0)
    return np.where(stuck, -1, flat.max(axis=1)).astype(np.int64)


def _frontier(seen: Seen) -> NDArray[np.int64]:
    n, longest = len(seen.maps), int(seen.maps.max(initial=0)) + 1
    maze, row, column = np.nonzero(seen.maps >= 0)
    at = maze * longest + seen.maps[maze, row, column]
    return np.bincount(at, minlength=n * longest).reshape(n, longest).max(axis=1)


def _look_alikes(seen: Seen) -> NDArray[np.int64]:
    maze, row, column = np.nonzero(seen.open)
    at = maze * 16 + seen.neighbours[maze, row, column]
    counts = np.bincount(at, minlength=16 * len(seen.tiles)).reshape(-1, 16)
    return np.where(counts > 1, counts, 0).sum(axis=1)


VIEW: Final = 7
"""the side of the views that are compared: the default of observation="view" """
VIEW_WEIGHTS: Final[NDArray[np.uint64]] = np.random.default_rng(0).integers(
    2**64, size=(2, VIEW), dtype=np.uint64
) | np.uint64(1)
"""(2, side): odd factors of the rows and of the columns of a view, whose sum of products is its hash"""
VIEW_CODES: Final[NDArray[np.uint8]] = np.zeros(256, dtype=np.uint8)
"""(256,): of the byte of a tile, a small number; blanks look like what lies beyond the border, 0"""
VIEW_CODES[PLAIN] = range(len(PLAIN))
_CLOSED: Final = np.uint64(2**64 - 1)


def _view_look_alikes(seen: Seen) -> NDArray[np.int64]:
    """Count by hashes of 64 bits: two views that differ have the same one with a probability below 2**-57."""
    n, height, width = seen.tiles.shape
    margin = VIEW // 2
    rows, columns = VIEW_WEIGHTS
    codes = np.pad(VIEW_CODES[seen.tiles].astype(np.uint64), ((0, 0), (margin, margin), (margin, margin)))
    along = sum(codes[:, :, column : column + width] * columns[column] for column in range(VIEW))
    hashes: Any = sum(along[:, row : row + height] * rows[row] for row in range(VIEW))
    hashes = np.sort(np.where(seen.open, hashes, _CLOSED).reshape(n, -1), axis=1)
    same = (hashes[:, 1:] == hashes[:, :-1]) & (hashes[:, 1:] != _CLOSED)
    none = np.zeros((n, 1), dtype=np.bool_)
    return _per_maze(np.concatenate([same, none], axis=1) | np.concatenate([none, same], axis=1))


MEASURES: Final[Mapping[str, Callable[[Seen], NDArray[np.int64]]]] = MappingProxyType(
    {
        "path_length": _path_length,
        "open_cells": lambda seen: _per_maze(seen.open),
        "dead_ends": lambda seen: _per_maze(seen.open & (_COUNT[seen.neighbours] <= 1)),
        "corridors": lambda seen: _per_maze(_COUNT[seen.neighbours] == 2),
        "junctions": lambda seen: _per_maze(_COUNT[seen.neighbours] >= 3),
        "frontier": _frontier,
        "look_alikes": _look_alikes,
        "view_look_alikes": _view_look_alikes,
    }
)
"""Name -> how hard a plain maze is: steps from the farthest start to a goal (-1 without a way); open cells; those with
at most one, two, and more open neighbours; the most cells at one distance from the goal, which a breadth-first search
has open at once; the cells whose dots look like another's; those whose view, 7 x 7 tiles, does."""


def measures(tiles: NDArray[np.uint8], *names: str) -> dict[str, NDArray[np.int64]]:
    r"""Return how hard many plain mazes are: name -> (n,).

    The same counts as `describe`, which takes a maze of any kind, but for all mazes at once. (A plain maze has as many
    states as open cells.)

    Args:
        tiles: (n, height, width), as bytes.
        names: of `MEASURES`; all of them by default.

    Raises:
        ValueError: an unknown name; a tile that a plain maze does not have.

    Example:
        >>> from mazegrad.envs import load_maze, measures
        >>> spiral = load_maze("spiral").tiles
        >>> {name: int(values[0]) for name, values in measures(spiral[None], "path_length", "dead_ends").items()}
        {'path_length': 94, 'dead_ends': 2}
    """
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"unknown measure {name!r}{nearest(name, MEASURES)}")
    maps = distance_maps(tiles)
    is_open = (tiles != ord("#")) & (tiles != ord(" "))
    framed = np.pad(is_open, ((0, 0), (1, 1), (1, 1)))
    _, height, width = tiles.shape
    neighbours = np.zeros(tiles.shape, dtype=np.uint8)
    for direction, (row, column) in enumerate(OFFSETS.tolist()):
        ahead = framed[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]
        neighbours |= (ahead & is_open).astype(np.uint8) << np.uint8(direction)
    seen = Seen(tiles, maps, neighbours, is_open)
    return {name: MEASURES[name](seen) for name in names or MEASURES}


Bounds = tuple[int | None, int | None]
"""the least and the largest allowed, None for no bound"""


def checked_bounds(given: Mapping[str, Any]) -> dict[str, Bounds]:
    """Return bounds of measures.

    Raises:
        ValueError: an unknown measure, or bounds that nothing fits.
        TypeError: not a pair of whole numbers or None.
    """
    bounds: dict[str, Bounds] = {}
    for name, pair in given.items():
        if name not in MEASURES:
            raise ValueError(f"unknown measure {name!r}{nearest(name, MEASURES)}")
        is_pair = isinstance(pair, tuple | list) and len(pair) == 2
        if not is_pair or any(type(one) not in (int, type(None)) for one in pair):
            raise TypeError(f"{name} must be (least, largest), integers or None, such as (110, None), not {pair!r:.80}")
        least, largest = pair
        if least is not None and largest is not None and least > largest:
            raise ValueError(f"{name} must be from the smaller to the larger number, not {least} to {largest}")
        bounds[name] = least, largest
    return bounds


def fitting(tiles: NDArray[np.uint8], bounds: Mapping[str, Bounds]) -> NDArray[np.bool_]:
    """Return which plain mazes (n, height, width) are within all bounds, (n,)."""
    fits = np.ones(len(tiles), dtype=np.bool_)
    found = measures(tiles, *bounds) if bounds else {}
    for name, (least, largest) in bounds.items():
        if least is not None:
            fits &= found[name] >= least
        if largest is not None:
            fits &= found[name] <= largest
    return fits


def why_none(tiles: NDArray[np.uint8], bounds: Mapping[str, Bounds], tried: int) -> str:
    """Return the text of an error: what mazes have, where none is within the bounds."""
    found = measures(tiles, *bounds)
    parts = []
    for name, (least, largest) in bounds.items():
        wanted = f"{'' if least is None else f'at least {least}'}{' and ' if None not in (least, largest) else ''}"
        wanted += "" if largest is None else f"at most {largest}"
        parts.append(f"{name} {wanted} (they have {found[name].min()} to {found[name].max()})")
    return f"none of {tried:,} mazes has {', '.join(parts)}; ask for less, or for another size"

"""Small changes of a level, as ACCEL makes them (Parker-Holder et al. 2022): walls flip, start and goal move."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arguments import generator_of_numbers, nearest, whole
from .maze import Maze

EDITS: Final[Mapping[str, float]] = MappingProxyType({"wall": 1.0, "start": 0.1, "goal": 0.1})
"""edit -> how often it is made, relative to the others, by default"""

KINDS: Final = ("wall", "start", "goal", "trap", "item")
"""all edits: flip a wall, move the start, move the goal, add or remove a trap, add or remove an item"""

_EDGE: Final = 1  # tiles at the edge stay as they are


def mutate(
    maze: Maze, rng: np.random.Generator, edits: int = 1, kinds: Mapping[str, float] = EDITS, *, edge: bool = True
) -> Maze:
    """Return a maze with some random edits; it need not be solvable any more.

    An edit takes a random tile: a wall becomes floor or floor a wall; the start or the goal moves to a floor tile; a
    trap or an item appears on a floor tile, or disappears. An edit that finds no place changes nothing.

    Args:
        maze: the level.
        rng: draws the edits and their places.
        edits: how many.
        kinds: name of `KINDS` -> how often it is drawn, relative to the others.
        edge: whether the tiles at the edge stay as they are.

    Raises:
        ValueError: an unknown kind, or weights that are negative or all 0.
        TypeError: rng is not a numpy Generator.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import generate, mutate
        >>> rng = np.random.default_rng(0)
        >>> maze = generate("backtracker", 4, 4, rng=rng)
        >>> mutant = mutate(maze, edits=3, rng=rng)
        >>> int((mutant.tiles != maze.tiles).sum())
        3
    """
    whole("edits", edits, 0)
    generator_of_numbers(rng)
    for name in kinds:
        if name not in KINDS:
            raise ValueError(f"unknown edit {name!r}{nearest(name, KINDS)}")
    weights = np.array(list(kinds.values()), dtype=np.float64)
    if not len(weights) or (weights < 0).any() or not weights.sum() > 0:
        raise ValueError(f"kinds must have weights that are not negative and not all 0, not {dict(kinds)}")
    tiles = maze.tiles.copy()
    names = list(kinds)
    for drawn in rng.choice(len(names), size=edits, p=weights / weights.sum()).tolist():
        _edit(tiles, names[drawn], rng, edge)
    return Maze(tiles, dict(maze.metadata))


def _edit(tiles: NDArray[np.uint8], kind: str, rng: np.random.Generator, edge: bool) -> None:
    """Make one edit in place."""
    inside = np.zeros(tiles.shape, dtype=bool)
    reach = slice(_EDGE, -_EDGE) if edge and min(tiles.shape) > 2 * _EDGE else slice(None)
    inside[reach, reach] = True
    floor = tiles == ord(".")
    if kind == "wall":
        places = inside & (floor | (tiles == ord("#")))
    elif kind in ("start", "goal"):
        places = inside & floor
    else:
        places = inside & (floor | (tiles == ord("X" if kind == "trap" else "*")))
    found = np.flatnonzero(places)
    if not len(found):
        return
    cell = int(rng.choice(found))
    now = tiles.flat[cell]
    if kind == "wall":
        tiles.flat[cell] = ord(".") if now == ord("#") else ord("#")
    elif kind in ("start", "goal"):
        sign = ord("S" if kind == "start" else "G")
        before = np.flatnonzero(tiles == sign)
        if len(before):
            tiles.flat[int(rng.choice(before))] = ord(".")
        tiles.flat[cell] = sign
    else:
        sign = ord("X" if kind == "trap" else "*")
        tiles.flat[cell] = sign if now == ord(".") else ord(".")

"""Fourteen ways to make a maze: each a function of rows, columns and one 64-bit key, the same on every machine.

A generator that is handed `rng` draws one key from it; whatever is random afterwards is a hash of that key.
"""

import inspect
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arguments import nearest
from ..maze import Maze
from ..randomness import MASK, stream
from .batch import backtracker_batch
from .cellular import caves
from .dungeons import dungeon
from .grid import CARVING, GOAL, START, Grid, Tiles, grid_of, open_dead_ends, place_ends, share
from .growing import POPS, backtracker, growing_tree, hunt_and_kill, prim
from .lines import binary_tree, recursive_division, sidewinder
from .paths import path
from .sets import eller, kruskal
from .uniform import aldous_broder, wilson

# (grid, stream, **knobs) -> the walls to open: a spanning tree of the rooms
TREES: Final[Mapping[str, Callable[..., list[int]]]] = MappingProxyType(
    {
        "backtracker": backtracker,
        "prim": prim,
        "kruskal": kruskal,
        "wilson": wilson,
        "aldous_broder": aldous_broder,
        "eller": eller,
        "growing_tree": growing_tree,
        "hunt_and_kill": hunt_and_kill,
        "sidewinder": sidewinder,
        "binary_tree": binary_tree,
        "recursive_division": recursive_division,
    }
)

# (grid, stream, **knobs) -> tiles
_DRAWINGS: Final[Mapping[str, Callable[..., Tiles]]] = MappingProxyType(
    {"dungeon": dungeon, "caves": caves, "path": path}
)
_FAMILIES: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType({**TREES, **_DRAWINGS})
_ENDS: Final = MappingProxyType({"start": "first", "goal": "last"})


def _own_knobs(name: str) -> dict[str, Any]:
    parameters = inspect.signature(_FAMILIES[name]).parameters.values()
    return {knob.name: knob.default for knob in parameters if knob.kind == knob.KEYWORD_ONLY}


KNOBS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        name: {**_own_knobs(name), **({"braid": 0.0} if name in TREES else {}), **({} if name == "path" else _ENDS)}
        for name in _FAMILIES
    }
)
"""name -> its knobs and their defaults"""


def generate(name: str, rows: int, columns: int, *, rng: np.random.Generator, **knobs: Any) -> Maze:
    """Make a maze.

    A perfect maze (one way, and only one, between any two rooms) is drawn on 2 * rows + 1 by 2 * columns + 1 tiles; all
    but "dungeon", "caves" and "path" make one. These three draw on as many tiles, and their open tiles are connected.

    Args:
        name: one of `GENERATORS`.
        rows, columns: the number of rooms, at least 1. A maze of a single room has a start and no goal.
        rng: one 64-bit key is drawn from it.
        knobs: `braid` (perfect mazes): the share of dead ends to open, 0 by default. `start` (all but "path"): "first",
            the top left room, or "random". `goal` (likewise): "last", the bottom right room, "random", or "farthest",
            the tile that takes the most steps from the start. Further ones by generator: see `KNOBS` and `GENERATORS`.

    Raises:
        ValueError: an unknown generator or knob (the message says the nearest), or a number out of its range.
        TypeError: a number is of the wrong kind, or rng is no numpy Generator.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is a numpy Generator, such as numpy.random.default_rng(seed), not {rng!r}")
    key = int(rng.integers(0, MASK, dtype=np.uint64, endpoint=True))
    return generate_from_key(name, rows, columns, key, **knobs)


def generate_from_key(name: str, rows: int, columns: int, key: int, **knobs: Any) -> Maze:
    """Make the maze of a 64-bit key; see `generate`."""
    key = operator.index(key)
    if not 0 <= key <= MASK:
        raise ValueError(f"a key is an integer from 0 to 2**64 - 1, not {key}")
    check_knobs(name, knobs)
    return Maze(_tiles(name, rows, columns, key, **knobs))


def generate_batch(name: str, rows: int, columns: int, keys: NDArray[np.uint64], **knobs: Any) -> Tiles:
    """Make the mazes of many keys: tiles (n, 2 * rows + 1, 2 * columns + 1), each as `generate_from_key` makes it.

    The recursive backtracker makes them all at once, the others one after the other; see `generate` for what is raised.
    """
    check_knobs(name, knobs)
    grid = grid_of(rows, columns)
    if keys.dtype != np.uint64 or keys.ndim != 1:
        raise TypeError(f"keys are a 1-d uint64 array, not {keys.ndim}-d {keys.dtype}")
    if name != "backtracker":
        mazes = [_tiles(name, rows, columns, key, **knobs) for key in keys.tolist()]
        return np.array(mazes, dtype=np.uint8).reshape(len(keys), grid.height, grid.width)
    tiles = backtracker_batch(grid, np.asarray(stream(keys, CARVING)))
    if knobs:
        for drawing, key in zip(tiles, keys.tolist(), strict=True):
            _finish(grid, drawing, key, **knobs)
    else:
        tiles[:, -2, -2] = GOAL
        tiles[:, 1, 1] = START
    return tiles


def check_knobs(name: str, knobs: Mapping[str, Any]) -> None:
    """Raise ValueError for a generator or a knob that there is not."""
    if name not in _FAMILIES:
        raise ValueError(f"no generator is called {name!r}{nearest(name, _FAMILIES)}")
    for knob in knobs:
        if knob not in KNOBS[name]:
            raise ValueError(f"{name} has no knob {knob!r}{nearest(knob, KNOBS[name]) if KNOBS[name] else ''}")


def _tiles(name: str, rows: int, columns: int, key: int, **knobs: Any) -> Tiles:
    grid, family = grid_of(rows, columns), _FAMILIES[name]
    common = {} if name == "path" else {knob: knobs.pop(knob) for knob in ("braid", *_ENDS) if knob in knobs}
    drawn = family(grid, stream(key, CARVING), **knobs)
    tiles: Tiles = grid.draw(drawn) if name in TREES else drawn
    if name != "path":  # it has its ends
        _finish(grid, tiles, key, **common)
    return tiles


def _finish(
    grid: Grid, tiles: Tiles, key: int, *, braid: float = 0.0, start: str = "first", goal: str = "last"
) -> None:
    if share("braid", braid):
        open_dead_ends(grid, tiles, key, braid)
    place_ends(tiles, key, start, goal)


def _generator(name: str) -> Callable[..., Maze]:
    def generator(rows: int, columns: int, rng: np.random.Generator, **knobs: Any) -> Maze:
        return generate(name, rows, columns, rng=rng, **knobs)

    generator.__name__ = generator.__qualname__ = name
    generator.__doc__ = _FAMILIES[name].__doc__
    given = list(inspect.signature(generator).parameters.values())[:3]
    keyword = inspect.Parameter.KEYWORD_ONLY
    knobs = [inspect.Parameter(knob, keyword, default=value) for knob, value in KNOBS[name].items()]
    generator.__signature__ = inspect.Signature([*given, *knobs])  # type: ignore[attr-defined]
    return generator


GENERATORS: Final[Mapping[str, Callable[..., Maze]]] = MappingProxyType({name: _generator(name) for name in _FAMILIES})
"""name -> function (rows, columns, rng, **knobs) -> Maze; see `generate`"""

__all__ = ["GENERATORS", "KNOBS", "POPS", "check_knobs", "generate", "generate_batch", "generate_from_key"]

"""Ways to make a maze: each a function of rows, columns and one 64-bit key, the same on every machine.

A generator called with `rng` draws one key from it; all later randomness is a hash of that key.
"""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arguments import fraction, generator_of_numbers, nearest, whole
from ..maze import Maze
from ..plain import MEASURES, Bounds, checked_bounds, fitting, why_none
from ..randomness import MASK, stream
from ..thin import thinned
from . import cellular, dungeons, growing, lines, paths, sets, uniform
from .batch import backtracker_batch
from .grid import CARVING, GOAL, START, WALL, Grid, Tiles, grid_of, open_dead_ends, place_ends

# (grid, stream, **knobs) -> the walls to open: a spanning tree of the rooms
TREES: Final[Mapping[str, Callable[..., list[int]]]] = MappingProxyType(
    {
        "backtracker": growing.backtracker,
        "prim": growing.prim,
        "kruskal": sets.kruskal,
        "wilson": uniform.wilson,
        "aldous_broder": uniform.aldous_broder,
        "eller": sets.eller,
        "growing_tree": growing.growing_tree,
        "hunt_and_kill": growing.hunt_and_kill,
        "sidewinder": lines.sidewinder,
        "binary_tree": lines.binary_tree,
        "recursive_division": lines.recursive_division,
    }
)

# (grid, stream, **knobs) -> tiles
_DRAWINGS: Final[Mapping[str, Callable[..., Tiles]]] = MappingProxyType(
    {"dungeon": dungeons.dungeon, "caves": cellular.caves, "path": paths.path}
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
"""Name -> its knobs and their defaults."""


def generate(
    name: str, rows: int, columns: int, *, rng: np.random.Generator, walls: str = "tiles", **knobs: Any
) -> Maze:
    """Make a maze.

    All generators but "dungeon", "caves" and "path" make a perfect maze: exactly one way between any two rooms. The
    open tiles of these three are connected, too. Every maze has 2 * rows + 1 by 2 * columns + 1 tiles.

    Args:
        name: one of `GENERATORS`.
        rows, columns: of rooms, at least 1. A maze of a single room has a start and no goal.
        rng: one 64-bit key is drawn from it.
        walls: "tiles", or of perfect mazes "thin": walls between cells, so that the maze has rows by columns tiles.
        knobs: `braid` (perfect mazes): the fraction of dead ends to open, 0 by default. `start` (all but "path"):
            "first", the top left room, or "random". `goal` (likewise): "last", the bottom right room, "random", or
            "farthest", the tile that takes the most steps from the start. See `KNOBS` and `GENERATORS` for the rest.
            And bounds of `MEASURES`, (least, largest), such as `path_length=(110, None)`: mazes are made until one is
            within all of them.

    Raises:
        ValueError: an unknown generator or knob (the message names the nearest), or a number out of range; bounds that
            no maze is within, of as many as are tried.
        TypeError: a number of the wrong type, or rng is not a numpy Generator.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import generate
        >>> print(generate("binary_tree", 2, 3, rng=np.random.default_rng(0)).to_text())
        #######
        #S....#
        ###.#.#
        #...#G#
        #######
    """
    checked_walls(name, walls)
    bounds = checked_bounds({knob: knobs.pop(knob) for knob in [*knobs] if knob in MEASURES})
    key = _key(rng)
    if bounds:
        key = key_within(bounds, name, rows, columns, key, **knobs)
    maze = generate_from_key(name, rows, columns, key, **knobs)
    return thinned(maze) if walls == "thin" else maze


def key_within(
    bounds: Mapping[str, Bounds], name: str, rows: int, columns: int, key: int, *, most: int = 20_000, **knobs: Any
) -> int:
    """Return the key of a maze that is within the bounds of measures: the first of a sequence that a key begins.

    Args:
        bounds: measure -> (least, largest).
        name, rows, columns, knobs: see `generate_from_key`.
        key: of the sequence.
        most: how many mazes are tried.

    Raises:
        ValueError: none of them is within the bounds; the message says what they have.
    """
    tried, batch = 0, 1
    while True:
        batch = min(batch, most - tried)
        keys = np.asarray(stream(key, np.arange(tried, tried + batch, dtype=np.uint64)), dtype=np.uint64)
        tiles = generate_batch(name, rows, columns, keys, **knobs)
        fits = fitting(tiles, bounds)
        if fits.any():
            return int(keys[fits.argmax()])
        tried, batch = tried + batch, min(4 * batch, 512)
        if tried >= most:
            raise ValueError(why_none(tiles, bounds, tried))


def checked_walls(name: str, walls: str) -> str:
    """Return how walls are made.

    Raises:
        ValueError: neither "tiles" nor "thin", or thin ones of a generator that does not make perfect mazes.
    """
    if walls not in ("tiles", "thin"):
        raise ValueError(f"walls is 'tiles' or 'thin', not {walls!r:.80}")
    if walls == "thin" and name in _FAMILIES and name not in TREES:
        raise ValueError(f"{name} has no thin walls; those that have are {', '.join(TREES)}")
    return walls


def _key(rng: np.random.Generator) -> int:
    """Draw the 64-bit key of a maze."""
    return int(generator_of_numbers(rng).integers(0, MASK, dtype=np.uint64, endpoint=True))


def growth(
    name: str, rows: int, columns: int, *, rng: np.random.Generator, frames: int = 100, **knobs: Any
) -> list[Maze]:
    """Return how a maze grows: from walls alone, passage by passage, to the maze that `generate` makes.

    Args:
        name: a generator of `TREES`, which open one passage after the other.
        rows, columns, rng, knobs: as for `generate`.
        frames: the most stages that are returned, in equal steps.

    Raises:
        ValueError: as for `generate`; a generator that does not open passages; fewer than one frame.
        TypeError: as for `generate`.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import growth
        >>> stages = growth("prim", 2, 3, rng=np.random.default_rng(0))
        >>> len(stages)
        7
        >>> print(stages[2].to_text())
        #######
        #...###
        ###.###
        ###.###
        #######
    """
    key = _key(rng)
    whole_maze = generate_from_key(name, rows, columns, key, **knobs)
    if name not in TREES:
        raise ValueError(f"{name} does not open one passage after the other; {', '.join(TREES)} do")
    own = {knob: value for knob, value in knobs.items() if knob not in ("braid", *_ENDS)}
    grid = grid_of(rows, columns)
    passages = TREES[name](grid, stream(key, CARVING), **own)
    ends = np.unique(np.linspace(0, len(passages), whole("frames", frames, 1)).round().astype(int)).tolist()
    return [*(Maze(_reached(grid, passages[:end])) for end in ends), whole_maze]


def _reached(grid: Grid, passages: list[int]) -> Tiles:
    """Return the tiles with these walls opened; a room without a passage is a wall still."""
    tiles = grid.draw(passages)
    rooms = tiles[1::2, 1::2]
    beside = np.stack([tiles[:-2:2, 1::2], tiles[2::2, 1::2], tiles[1::2, :-2:2], tiles[1::2, 2::2]])
    rooms[(beside == WALL).all(axis=0)] = WALL
    return tiles


def generate_from_key(name: str, rows: int, columns: int, key: int, **knobs: Any) -> Maze:
    """Make the maze of a 64-bit key; see `generate` for the arguments and errors.

    Example:
        >>> from mazegrad.envs import generate_from_key
        >>> print(generate_from_key("backtracker", 2, 3, key=7).to_text())
        #######
        #S..#.#
        #.###.#
        #....G#
        #######
    """
    key = whole("key", key, 0, MASK)
    check_knobs(name, knobs)
    return Maze(_tiles(name, rows, columns, key, **knobs))


def generate_batch(name: str, rows: int, columns: int, keys: NDArray[np.uint64], **knobs: Any) -> Tiles:
    """Make the mazes of many keys, each as `generate_from_key` makes it: the recursive backtracker all at once.

    Args:
        name, rows, columns, knobs: as for `generate`.
        keys: (n,) uint64.

    Returns:
        (n, 2 * rows + 1, 2 * columns + 1) uint8 tiles.

    Raises:
        ValueError, TypeError: as for `generate`.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import generate_batch, generate_from_key
        >>> tiles = generate_batch("backtracker", 2, 3, np.arange(5, dtype=np.uint64))
        >>> tiles.shape
        (5, 5, 7)
        >>> bool((tiles[3] == generate_from_key("backtracker", 2, 3, key=3).tiles).all())
        True
    """
    check_knobs(name, knobs)
    grid = grid_of(rows, columns)
    if keys.dtype != np.uint64 or keys.ndim != 1:
        raise TypeError(f"keys must be a 1-d uint64 array, not {keys.ndim}-d {keys.dtype}")
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
    """Raise ValueError for an unknown generator or an unknown knob."""
    if name not in _FAMILIES:
        raise ValueError(f"unknown generator {name!r}{nearest(name, _FAMILIES)}")
    for knob in knobs:
        if knob not in KNOBS[name]:
            raise ValueError(f"{name} has no knob {knob!r}{nearest(knob, [*KNOBS[name], *MEASURES])}")


def _tiles(name: str, rows: int, columns: int, key: int, **knobs: Any) -> Tiles:
    grid, family = grid_of(rows, columns), _FAMILIES[name]
    common = {} if name == "path" else {knob: knobs.pop(knob) for knob in ("braid", *_ENDS) if knob in knobs}
    drawn = family(grid, stream(key, CARVING), **knobs)
    tiles: Tiles = grid.draw(drawn) if name in TREES else drawn
    if name != "path":  # a path has its ends already
        _finish(grid, tiles, key, **common)
    return tiles


def _finish(
    grid: Grid, tiles: Tiles, key: int, *, braid: float = 0.0, start: str = "first", goal: str = "last"
) -> None:
    if fraction("braid", braid):
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
"""Name -> function (rows, columns, rng, **knobs) -> Maze; see `generate`."""

__all__ = ["GENERATORS", "KNOBS", "check_knobs", "checked_walls", "generate", "generate_batch", "generate_from_key"]

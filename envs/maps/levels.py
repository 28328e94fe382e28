"""Where an environment's mazes come from when each reset draws one."""

import operator
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import whole
from .generators import check_knobs, checked_walls, generate_batch, generate_from_key
from .generators.grid import Tiles
from .legend import MAX_TILES
from .maze import Maze
from .randomness import MASK, below, key_from_seed, seed_from_key
from .thin import thinned

_LISTED_TILES: Final = 2**18  # of a set of levels that are all made to find the largest


@dataclass(frozen=True)
class Levels:
    """Mazes of one size, each made from a 64-bit key, of which each reset draws one.

    Args:
        make: from a key to its maze.
        keys: the levels to draw from; by default any 64 bits name a level.
        pinned: lane i keeps level i, modulo the number of levels, and draws none.
        repeat: how many episodes a lane stays in a level before it draws the next.
        seeded: keys are those of seeds (see `key_from_seed`), by which `named` calls them.
        batch: from keys, (n,) uint64, to the tiles of their mazes, (n, height, width), each as `make` makes it, without
            metadata and of walls, floor, start and goal alone; None: they are made one by one.
        shares: (keys,), how many of 2**53 draws are of this key or of one before it; None: each is drawn as often.

    `Levels.of` makes them from a list of mazes.

    Example:
        >>> from mazegrad.envs import Levels, Maze, MazeVectorEnv
        >>> levels = Levels.of([Maze.from_text("S.G"), Maze.from_text("G.S")])
        >>> envs = MazeVectorEnv(levels, num_envs=4)
        >>> envs.reset(seed=0)[0]  # in lanes 0 and 1 the way leads right, in lanes 2 and 3 left
        array([[0, 1, 0, 0],
               [0, 1, 0, 0],
               [0, 0, 1, 0],
               [0, 0, 1, 0]], dtype=int8)
    """

    make: Callable[[int], Maze]
    keys: tuple[int, ...] | None = None
    pinned: bool = False
    batch: Callable[[NDArray[np.uint64]], Tiles] | None = None
    repeat: int = 1
    seeded: bool = False
    shares: NDArray[np.uint64] | None = None

    @classmethod
    def of(cls, mazes: Sequence[Maze], weights: ArrayLike | None = None) -> "Levels":
        """Return levels that are given mazes; `info` "level" is their place in the sequence.

        Args:
            mazes: of one size.
            weights: (mazes,), how often each is drawn, relative to the others; by default all are drawn as often.

        Raises:
            ValueError: no mazes, mazes of several sizes, or weights that are not one finite number for each, from 0 up
                and not all 0.
            TypeError: something that is not a Maze.
        """
        given = tuple(mazes)
        for maze in given:
            if not isinstance(maze, Maze):
                raise TypeError(f"levels are mazes, not {type(maze).__name__}; load_maze(...) reads one")
        if not given:
            raise ValueError("levels need at least one maze")
        sizes = sorted({maze.tiles.shape for maze in given})
        if len(sizes) > 1:
            raise ValueError(f"levels are mazes of one size, not of {sizes[0]} and {sizes[-1]} tiles")
        return cls(given.__getitem__, tuple(range(len(given))), shares=_shares(weights, len(given)))

    def drawing(self, episode: Any) -> Any:
        """Return which draw of its lane an episode's level is: with `repeat`, several episodes have the same."""
        return episode if self.repeat == 1 else episode // self.repeat

    def named(self, bits: Any, lane: Any = 0) -> Any:
        """Return the seeds of the levels for 64 random bits each, or their keys if they are not of seeds, as int64."""
        key = np.atleast_1d(np.asarray(bits, dtype=np.uint64))
        if self.keys is not None:
            number = np.asarray(self.number(key, lane)).astype(np.int64)
            key = np.array([self.keys[one] for one in number.tolist()], dtype=np.uint64)
        names = np.asarray(seed_from_key(key) if self.seeded else key).view(np.int64)
        return names if np.ndim(bits) else names[0]

    def number(self, bits: Any, lane: Any = 0) -> Any:
        """Return which of `keys` is the level for 64 random bits: an episode's, at counter MAZE of its stream."""
        count = len(self.keys or ())
        if self.pinned:
            return lane % count
        if self.shares is not None:
            drawn = np.searchsorted(self.shares, np.asarray(bits, dtype=np.uint64) >> np.uint64(11), side="right")
            return drawn if np.ndim(bits) else int(drawn)
        return (bits >> 32) * count >> 32

    def widest(self, first: Maze) -> list[Maze]:
        """Return mazes none of which has fewer states than any level: all of a small set, else one that is all open.

        Args:
            first: one of the levels.
        """
        if self.keys is not None and len(self.keys) * first.tiles.size <= _LISTED_TILES:
            return [self.make(key) for key in dict.fromkeys(self.keys)]
        return [] if self.batch is None else [Maze(np.full_like(first.tiles, ord(".")))]

    def draw(self, bits: int, lane: int = 0) -> int:
        """Return the key of the level for 64 random bits."""
        return bits if self.keys is None else self.keys[self.number(bits, lane)]


def generated(
    generator: str,
    size: tuple[int, int],
    *,
    level_seeds: Iterable[int] | None = None,
    pinned: bool = False,
    walls: str = "tiles",
    **knobs: Any,
) -> Levels:
    """Return the levels that a generator makes; seed s stands for the maze of `key_from_seed(s)`.

    Raises:
        ValueError: an unknown generator or knob, a size without room for a start and a goal, no seed, a seed out of its
            range, or `pinned` without seeds.
        TypeError: a seed that is not an integer.
    """
    check_knobs(generator, knobs)
    checked_walls(generator, walls)
    try:
        rows, columns = (operator.index(number) for number in size)
    except (TypeError, ValueError):
        raise ValueError(f"size is (rows, columns), two integers, not {size!r:.80}") from None
    if rows * columns < 2:
        raise ValueError(f"size is (rows, columns) with at least two rooms, not {size}")
    keys = None
    if level_seeds is not None:
        if not isinstance(level_seeds, Iterable):
            raise TypeError(f"level_seeds must hold integers, such as range(100), not {level_seeds!r:.80}")
        seeds = [whole("each of level_seeds", seed, 0, MASK) for seed in level_seeds]
        keys = tuple(int(key_from_seed(seed)) for seed in (sorted(seeds) if isinstance(level_seeds, Set) else seeds))
        if not keys:
            raise ValueError("level_seeds is empty; give at least one seed")
    elif pinned:
        raise ValueError("pinned=True keeps a level for each lane: say which, by level_seeds")
    how: Any = (generator, rows, columns)
    make, batch = partial(generate_from_key, *how, **knobs), partial(generate_batch, *how, **knobs)
    if walls == "thin":
        return Levels(partial(_thin, make), keys, pinned, seeded=True)
    return Levels(make, keys, pinned, batch, seeded=True)


def _thin(make: Callable[[int], Maze], key: int) -> Maze:
    return thinned(make(key))


def _shares(weights: ArrayLike | None, count: int) -> NDArray[np.uint64] | None:
    if weights is None:
        return None
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (count,) or not (np.isfinite(given) & (given >= 0)).all() or not given.any():
        raise ValueError(f"weights must be {count} numbers from 0 up, one for each maze and not all 0, not {given}")
    reached = np.cumsum(given / given.max())
    return below(reached / reached[-1])


def t_maze_levels(corridor: int) -> Levels:
    """Return the two T-mazes with a corridor of this length: key 0 has the goal on its left, key 1 on its right."""
    corridor = whole("corridor", corridor, 1)
    if 5 * (corridor + 4) > MAX_TILES:
        raise ValueError(f"a corridor of {corridor} tiles makes more than {MAX_TILES:,} tiles")
    return Levels(partial(_t_maze, corridor), keys=(0, 1))


def _t_maze(corridor: int, key: int) -> Maze:
    arms, sign = ("#X.G#", "##}##") if key else ("#G.X#", "##{##")
    return Maze.from_text("\n".join(["#####", arms, *["##.##"] * (corridor - 1), sign, "##S##", "#####"]))

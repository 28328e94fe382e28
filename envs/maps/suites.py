"""A frozen suite for comparisons: three difficulties, a hundred mazes each to train on and a hundred to test on."""

import hashlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from .arguments import nearest
from .generators import generate_from_key
from .maze import Maze
from .randomness import key_from_seed

# difficulty -> rooms along a side
DIFFICULTIES: Final[Mapping[str, int]] = MappingProxyType({"easy": 5, "medium": 10, "hard": 20})
# split -> its seeds
SPLITS: Final[Mapping[str, range]] = MappingProxyType({"train": range(100), "test": range(100, 200)})

# the perfect generators of the day when the suite was frozen
_GENERATORS: Final = (
    "backtracker", "prim", "kruskal", "wilson", "aldous_broder", "eller", "growing_tree", "hunt_and_kill", "sidewinder",
    "binary_tree", "recursive_division",
)  # fmt: skip
HOLDOUTS: Final = (
    "sixteen_rooms",
    "sixteen_rooms_2",
    "labyrinth",
    "labyrinth_flipped",
    "labyrinth_2",
    "standard_maze",
    "standard_maze_2",
    "standard_maze_3",
)
"""The shipped mazes on which those who train on generated levels report: 13 x 13 tiles in a border, nothing is
trained on them. They are drawn anew after Jiang et al., "Replay-guided adversarial environment design", 2021."""

# SHA-256 of a split's maze digests, one a line: what makes the suite frozen
_DIGESTS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("easy", "train"): "fa42a4fce8f6d616c4a365c10fe6bc267f45e42b922ae8a5941d0de2f865a271",
        ("easy", "test"): "f87a859da3b2032a418d568eea5da5b9098a85e77f99252a232d651f91e77805",
        ("medium", "train"): "34bc3354ad27f97a66e9d2b54be31d0bcfa1d1dbbca15d22aadf8392e9803054",
        ("medium", "test"): "214e8c04336a7aee5accacf114664fdf97334c55093653fb9814d6db114010c0",
        ("hard", "train"): "3d6265fb6118dbe66cc16f355037d70459e1d938e24c6cb1124091d262b279d5",
        ("hard", "test"): "2804b3cc3d17d50312d1bb8ba043206f8987ade43a13c069415b46afdbbb74da",
    }
)


def suite(difficulty: str, split: str) -> list[Maze]:
    """Return the 100 mazes of a split: perfect mazes, the goal as far from the start as possible.

    Seed s, 0 to 99 for "train" and 100 to 199 for "test", stands for the maze that the (s mod 11)-th of eleven perfect
    generators makes from `key_from_seed(s)`, with `goal="farthest"`: all eleven families are in each split. A digest of
    each split is stored in the code and checked, so that results from different times and machines compare the same
    mazes.

    Args:
        difficulty: "easy" (5 x 5 rooms), "medium" (10 x 10) or "hard" (20 x 20).
        split: "train" or "test".

    Raises:
        ValueError: an unknown difficulty or split.
        RuntimeError: the mazes have changed since the suite was frozen.

    Example:
        >>> from mazegrad.envs import suite
        >>> mazes = suite("easy", "test")
        >>> len(mazes), mazes[0].tiles.shape
        (100, (11, 11))
    """
    for what, name, known in (("difficulty", difficulty, DIFFICULTIES), ("split", split, SPLITS)):
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}{nearest(name, known)}")
    return list(_suite(difficulty, split))


@cache
def _suite(difficulty: str, split: str) -> tuple[Maze, ...]:
    side = DIFFICULTIES[difficulty]
    mazes = tuple(
        generate_from_key(_GENERATORS[seed % len(_GENERATORS)], side, side, int(key_from_seed(seed)), goal="farthest")
        for seed in SPLITS[split]
    )
    if digest_of(mazes) != _DIGESTS[difficulty, split]:
        raise RuntimeError(f"the {difficulty!r} {split} mazes have changed: a generator no longer makes the same mazes")
    return mazes


def digest_of(mazes: tuple[Maze, ...]) -> str:
    """Return the SHA-256 of the mazes' digests, one a line, in hexadecimal."""
    return hashlib.sha256("".join(f"{maze.digest}\n" for maze in mazes).encode()).hexdigest()

"""Splits without leaks: symmetric copies have one hash and one split; different levels have different ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mazegrad.envs import (
    LEGEND,
    Maze,
    World,
    canonical,
    generate_batch,
    level_digest,
    level_hashes,
    shortest_path,
    split_levels,
)
from mazegrad.envs.maps.splits import SPLITS, symmetric

TILES = st.sampled_from([ord(tile) for tile in LEGEND if tile not in "{}"])
drawings = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=TILES)
)


@settings(max_examples=100, deadline=None)
@given(drawings)
def test_copies_have_one_hash_one_digest_and_one_canonical_form(tiles: np.ndarray) -> None:
    copies = [np.ascontiguousarray(copy) for copy in symmetric(tiles)]
    assert len(copies) == 8
    assert len({int(level_hashes(copy[None])[0]) for copy in copies}) == 1
    assert len({level_digest(Maze(copy)) for copy in copies}) == 1
    assert len({canonical(Maze(copy)) for copy in copies}) == 1
    back = list(symmetric(copies[2]))
    assert any(copy.shape == tiles.shape and np.array_equal(copy, tiles) for copy in back), "a group"


def test_a_turned_maze_is_as_long() -> None:
    maze = Maze.from_text("S>.#\n..^.\n#.vG\n")
    lengths = {len(shortest_path(World.compile(Maze(np.ascontiguousarray(copy))))) for copy in symmetric(maze.tiles)}
    assert len(lengths) == 1
    signs = Maze.from_text("S}.\n..G\n")
    assert len(list(symmetric(signs.tiles))) == 4, "a sign cannot point up"


def test_a_hundred_thousand_levels_have_no_leak_by_brute_force() -> None:
    tiles = generate_batch(
        "backtracker", 3, 3, np.arange(100_000, dtype=np.uint64)
    )  # few rooms, so that many are equal
    split = split_levels(tiles)
    assert sorted(np.concatenate(list(split.values())).tolist()) == list(range(len(tiles)))
    seen: dict[bytes, str] = {}
    for name, numbers in split.items():
        for drawn in np.unique(tiles[numbers].reshape(len(numbers), 49), axis=0):
            for copy in symmetric(drawn.reshape(7, 7)):
                assert seen.setdefault(copy.tobytes(), name) == name


def test_shares_are_kept_and_splits_do_not_depend_on_the_list() -> None:
    tiles = generate_batch("backtracker", 5, 5, np.arange(20_000, dtype=np.uint64))
    split = split_levels(tiles)
    for name, share in SPLITS.items():
        assert abs(len(split[name]) / len(tiles) - share) < 0.01
    half = split_levels(tiles[:10_000])
    assert all(np.array_equal(half[name], split[name][split[name] < 10_000]) for name in SPLITS)
    other = split_levels(tiles, salt=1)
    assert len(np.intersect1d(other["test"], split["test"])) < 500
    assert len(np.unique(level_hashes(tiles))) == len({level_digest(Maze(drawn)) for drawn in tiles})


def test_wrong_shares_are_refused() -> None:
    with pytest.raises(ValueError, match="shares must not be negative and must sum to 1"):
        split_levels(np.zeros((1, 2, 2), dtype=np.uint8), {"train": 0.5})
    with pytest.raises(ValueError, match="tiles is a uint8 array"):
        level_hashes(np.zeros((2, 2), dtype=np.uint8))

"""The frozen suite: the same mazes for ever."""

from itertools import product

import pytest

from mazegrad.envs import World, distances
from mazegrad.envs.maps import suites
from mazegrad.envs.maps.suites import DIFFICULTIES, SPLITS, suite

ALL = list(product(DIFFICULTIES, SPLITS))


@pytest.mark.parametrize(("difficulty", "split"), ALL)
def test_the_suite_is_what_it_was(difficulty, split):
    suites._suite.cache_clear()
    mazes = suite(difficulty, split)  # recomputes all and compares with the digests that are kept
    assert len(mazes) == 100
    mazes.clear()
    assert len(suite(difficulty, split)) == 100  # the list is the caller's own


def test_no_maze_comes_twice():
    assert len({maze for name in ALL for maze in suite(*name)}) == 600


def test_harder_means_farther():
    def steps(maze):
        world = World.compile(maze)
        return int(distances(world)[world.start_states[0]])

    easy, medium, hard = (sum(map(steps, suite(name, "test"))) for name in DIFFICULTIES)
    assert 1.8 * easy < medium < hard / 1.8


def test_a_change_is_noticed(monkeypatch):
    suites._suite.cache_clear()
    monkeypatch.setattr(suites, "key_from_seed", lambda seed: seed)
    with pytest.raises(RuntimeError, match="have changed"):
        suite("easy", "train")
    suites._suite.cache_clear()


@pytest.mark.parametrize(
    ("names", "message"),
    [(("esy", "train"), "'easy'"), (("easy", "tests"), "'test'"), ((1, "test"), "unknown difficulty 1")],
)
def test_unknown_names(names, message):
    with pytest.raises(ValueError, match=message):
        suite(*names)

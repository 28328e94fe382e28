"""Value iteration over tables finds the values of each world, whatever tiles and moves it has, in every library."""

import functools

import numpy as np
import pytest

from mazegrad.envs import Maze, World, functional, generate, value_iteration

from random_worlds import random_worlds
from test_functional import MODULES, using

WORLDS = [world for world in random_worlds(80, seed=3) if not world.noisy]
SPECIAL = [
    Maze.from_text(text)
    for text in ("S.aA.G\n#0#.#0\n", "S>.vG\n.^X<.\n", "wind: 0 0 1 1 0\n.....\n.....\nS...G\n", "S*.*G\n.{}..\n")
]


def tables_of(what, xp="numpy", **keywords):
    return functional.tables(what, xp=xp, map_warnings=False, time_limit=9, **keywords)


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.95])
def test_values_are_those_of_the_host(discount):
    assert len(WORLDS) >= 10
    for world in [*WORLDS, *map(World.compile, SPECIAL)]:
        wanted = value_iteration(world, discount=discount, tol=1e-12)
        found = functional.value_iteration(tables_of(world), discount=discount)
        np.testing.assert_allclose(found.values, wanted.values, rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(found.action_values, wanted.action_values, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("name", MODULES)
def test_many_mazes_at_once_in_every_library(name):
    rng = np.random.default_rng(0)
    mazes = [generate("caves", 4, 5, rng=rng, goal="random") for _ in range(20)]
    for each in (mazes, [SPECIAL[0]] * 2 + [SPECIAL[3]], [SPECIAL[1]]):
        rewards = {"rewards": {"step": -0.1}} if len(each) == 3 else {}
        with using(name) as (xp, compiled):
            tables = tables_of(each, xp, **rewards)
            solve = compiled(functools.partial(functional.value_iteration, discount=0.9))
            found = [np.asarray(array) for array in solve(tables)]
        close = {"rtol": 1e-12, "atol": 1e-11} if found[0].dtype == np.float64 else {"rtol": 1e-5, "atol": 1e-5}
        wanted = [
            value_iteration(World.compile(maze, **rewards), discount=0.9, tol=1e-12) for maze in dict.fromkeys(each)
        ]
        for array, parts in zip(found, ("values", "action_values"), strict=True):
            np.testing.assert_allclose(array, np.concatenate([getattr(one, parts) for one in wanted]), **close)


def test_what_it_does_not_take():
    for keywords, words in (({"slip": 0.1}, "moves may slip"), ({"discount": 1}, "a discount below 1")):
        discount = keywords.pop("discount", 0.9)
        with pytest.raises(ValueError, match=words):
            functional.value_iteration(tables_of("S.G\n", **keywords), discount=discount)
    fresh = functional.tables("mazegrad/Maze-v0", size=(2, 2))
    with pytest.raises(ValueError, match="the tables hold no mazes"):
        functional.value_iteration(fresh)

"""Tables that are filled up to a number of states: the same episodes, and one shape for any mazes."""

import numpy as np
import pytest

from mazegrad.envs import Maze, functional, generate

from test_functional import MODULES, using, walk

MAZES = ["S.G", "S..\n.#.\n..G", "S.S\n.X.\n#.G", "GS"]
SOME = {
    "dots": {"maze": MAZES},
    "one maze": {"maze": MAZES[:1]},
    "equal mazes": {"maze": MAZES[:1] * 4},
    "some equal": {"maze": [MAZES[0], MAZES[1], MAZES[0]]},
    "slips": {"maze": MAZES, "slip": 0.3},
    "ice": {"maze": [MAZES[0], "S~~G\n.~.."]},
    "limits by size": {"maze": MAZES, "time_limit": "auto"},
    "seen and info": {
        "maze": MAZES[1:3],
        "observation": ("view", "position"),
        "info": ("distance", "level", "success"),
    },
    "many rewards": {"maze": MAZES, "shaping": "distance", "time_limit": 9},
    "errors": {"maze": MAZES, "dots_error": 0.2},
}


@pytest.fixture(params=MODULES)
def library(request):
    with using(request.param) as (xp, compiled):
        yield request.param, xp, compiled


@pytest.mark.parametrize("keywords", SOME.values(), ids=SOME)
@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
def test_episodes_are_the_same(library, keywords, mode):
    mazes = [Maze.from_text(text) for text in keywords["maze"]]
    keywords = {**keywords, "maze": mazes, "autoreset_mode": mode, "map_warnings": False}
    assert walk(library, "mazegrad/GridWorld-v0", 30, lanes=len(mazes), states=64, **keywords)


def test_levels_can_be_filled_up(library):
    keywords = {"size": (3, 3), "level_seeds": range(5), "generator": "dungeon", "time_limit": 15}
    assert walk(library, "mazegrad/Maze-v0", 40, states=400, autoreset_mode="SameStep", **keywords)


def shapes(mazes, **keywords):
    tables = functional.tables(mazes, states=81 * len(mazes), map_warnings=False, **keywords)
    return [getattr(part, "shape", part) for part in tables]


@pytest.mark.parametrize("observation", ["dots", "view"])
def test_shapes_depend_on_the_number_of_mazes_alone(observation):
    rng = np.random.default_rng(0)
    sets = [[generate("caves", 4, 4, rng=rng) for _ in range(6)] for _ in range(5)]
    sets += [sets[0][:1] * 6, [*sets[1][:2], *sets[2][:2], *sets[1][:2]]]
    found = [shapes(mazes, observation=observation, time_limit=50) for mazes in sets]
    assert all(one == found[0] for one in found)


def test_too_few_states_are_refused():
    with pytest.raises(ValueError, match="states must be at least 3, the states of these mazes, not 2"):
        functional.tables("S.G\n", states=2)
    with pytest.raises(ValueError, match="leave it out for a new maze at each reset"):
        functional.tables("mazegrad/Maze-v0", states=100)

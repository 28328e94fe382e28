"""The whole contract over random worlds: any actions, noise, wind, rewards, jumps, thin walls and noisy sight at once.

200 worlds; `MAZEGRAD_WORLDS=2000 pytest tests/test_random_worlds.py -m slow` walks through as many as it says.
"""

import os

import gymnasium
import numpy as np
import pytest
from test_values import by_linear_programming

from mazegrad.envs import (
    OBSERVATIONS,
    MazeVectorEnv,
    Replay,
    SavedState,
    TabularMDP,
    World,
    evaluate_policy,
    value_iteration,
)

from random_worlds import ACTIONS, random_maze
from test_vector import MODES, same, singles, walk_alike

GRID = "mazegrad/GridWorld-v0"
WORLDS = int(os.environ.get("MAZEGRAD_WORLDS", "200"))
PARTS = 4
KINDS = [kind for kind in OBSERVATIONS if kind not in ("pixels", "goal")]


def keywords_of(number, rng):
    """Every observation, sight that is noisy, several kinds, slips over the map's own, info."""
    kind = KINDS[number % len(KINDS)]
    keywords = {
        "observation": kind,
        "time_limit": 7,
        "info": ("action_mask", "distance", "state"),
        "map_warnings": False,
    }
    if kind == "dots" or number % 3 == 0:
        keywords |= {
            "observation": "dots" if kind == "dots" else ("dots", kind),
            "dots_error": float(rng.choice([0.1, 0.5])),
        }
    return keywords


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mazegrad.envs.MapWarning")
@pytest.mark.parametrize("part", range(PARTS))
def test_lanes_saved_states_replays_and_values(part, tmp_path):
    rng, seen = np.random.default_rng(part), set()
    for number in range(part, WORLDS, PARTS):
        maze = random_maze(rng, actions=str(rng.choice(("four", *ACTIONS))))
        world, keywords, mode = World.compile(maze), keywords_of(number, rng), MODES[number // PARTS % 3]
        seen |= {*maze.metadata, *keywords}

        ours = MazeVectorEnv(maze, 2, autoreset_mode=mode, **keywords)
        walk_alike(ours, singles(GRID, 2, mode, maze=maze, **keywords), 12, seed=number, rng=number)
        again = MazeVectorEnv(maze, 2, autoreset_mode=mode, **keywords)
        again.set_state(SavedState.from_json(ours.get_state().to_json()))
        if mode.value != "Disabled":
            for _ in range(6):
                chosen = rng.integers(0, world.actions, 2)
                same(ours.step(chosen), again.step(chosen))

        recorder = Replay.record(gymnasium.make(GRID, maze=maze, **keywords))
        recorder.reset(seed=number)
        for action in rng.integers(0, world.actions, 7):
            if any(recorder.step(int(action))[2:4]):
                break
        recorder.replay.save(tmp_path / "walk")
        assert Replay.load(tmp_path / "walk").verify() is None

        mdp, discount = TabularMDP.from_world(world), (0.5, 0.9, 0.99)[number % 3]
        exact, best = by_linear_programming(mdp, discount), value_iteration(mdp, discount=discount)
        assert np.abs(best.values - exact).max() <= 1e-6 * max(1, np.abs(exact).max())
        walked = evaluate_policy(world, best.policy, discount=discount)
        assert np.abs(walked.values - best.values).max() <= 2 * (best.error + walked.error)
    if WORLDS >= 200:
        assert seen >= {
            "actions",
            "noise",
            "wind",
            "walls",
            "reward",
            "rewards",
            "jump",
            "starts",
            "exit",
            "dots_error",
        }

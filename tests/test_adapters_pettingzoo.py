"""PettingZoo: its own tests pass, with one agent it is the single environment, and AEC comes by its wrapper."""

import pickle
import runpy
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest

pytest.importorskip("pettingzoo")
from pettingzoo import ParallelEnv
from pettingzoo.utils import parallel_to_aec

with warnings.catch_warnings():  # it imports its own games in a way that it deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test, seed_test

from mazegrad.envs import OBSERVATIONS, Maze, parallel_env

EXAMPLES = Path(__file__).parent.parent / "examples"
IDS = [name for name in gymnasium.registry if name.startswith("mazegrad/") and name != "mazegrad/Tabular-v0"]
ROOMS, FRESH = "mazegrad/FourRooms-v0", "mazegrad/Maze-v0"
KINDS = [
    {"agents": 1},
    {"agents": 3, "collisions": "swap", "observation": "map", "encoding": "planes"},
    {"agents": 4, "pursuers": 2, "observation": "view", "info": ("distance", "action_mask")},
    {"agents": 2, "collisions": "through", "observation": "position", "encoding": "float", "time_limit": 30},
    {"agents": 3, "observation": "index", "slip": 0.2},
]
SIGNS = "ignore:Observation (space|is|numpy).*:UserWarning"  # of MultiBinary and MultiDiscrete, and of zeros


@pytest.mark.filterwarnings(SIGNS)
@pytest.mark.parametrize("world", KINDS, ids=str)
@pytest.mark.parametrize("env_id", IDS)
def test_its_own_tests_pass(env_id, world):
    parallel_api_test(parallel_env(env_id, **world), 60)
    parallel_seed_test(lambda: parallel_env(env_id, **world), 60)


@pytest.mark.filterwarnings(SIGNS)
@pytest.mark.parametrize("world", KINDS, ids=str)
@pytest.mark.parametrize("env_id", [ROOMS, FRESH])
def test_those_of_agents_by_turns_pass_too(env_id, world):
    api_test(parallel_to_aec(parallel_env(env_id, **world)), 60)
    seed_test(lambda: parallel_to_aec(parallel_env(env_id, **world)), 30)


def test_rendering(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    render_test(lambda render_mode=None: parallel_to_aec(parallel_env(ROOMS, 2, render_mode=render_mode, time_limit=9)))


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return type(one) is type(other) and np.array_equal(one, other)


@pytest.mark.parametrize("kind", [*OBSERVATIONS, "net", ("dots", "goal")], ids=str)
@pytest.mark.parametrize("env_id", IDS)
def test_one_agent_is_the_single_environment(env_id, kind):
    """Bit for bit: observations, rewards, ends, infos, their types, and frames."""
    world = {"observation": kind, "slip": 0.2, "time_limit": 13, "info": ("value", "action_mask", "level", "success")}
    frames = {"render_mode": "rgb_array"} if kind == "dots" else {}
    several = parallel_env(env_id, 1, **world, **frames)
    single = gymnasium.make(env_id, disable_env_checker=True, **world, **frames).unwrapped
    assert isinstance(several, ParallelEnv) and several.possible_agents == ["agent_0"]
    assert several.observation_space("agent_0") == single.observation_space
    rng = np.random.default_rng(0)
    for seed in (3, None, None, 2**64 - 1):
        (seen, infos), (wanted, info) = several.reset(seed), single.reset(seed=seed)
        assert equal(seen, {"agent_0": wanted}) and equal(infos, {"agent_0": info})
        while several.agents:
            action = int(rng.integers(0, 4))
            results, wanted = several.step({"agent_0": action}), single.step(action)
            assert all(equal(mine, {"agent_0": theirs}) for mine, theirs in zip(results, wanted, strict=True))
            if frames:
                assert np.array_equal(several.render(), single.render())
        assert several.step({}) == ({}, {}, {}, {}, {})


def test_agents_leave_by_name():
    maze = Maze.from_text("######\n#S..G#\n######\n")
    env = parallel_env("mazegrad/GridWorld-v0", 2, maze=maze, observation="position", time_limit=4)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step({})
    env.reset(0, {"start": [(1, 2), (1, 3)]})
    seen, rewards, ended, cut, infos = env.step({"agent_0": 1, "agent_1": np.int64(1)})
    assert rewards == {"agent_0": 0.0, "agent_1": 1.0} and ended == {"agent_0": False, "agent_1": True}
    assert env.agents == ["agent_0"] and set(seen) == set(cut) == set(infos) == {"agent_0", "agent_1"}
    assert set(env.step({"agent_0": 0})[0]) == {"agent_0"}
    env.step({"agent_0": 0})
    assert env.step({"agent_0": 0})[3] == {"agent_0": True} and env.agents == []
    env.reset()
    with pytest.raises(ValueError, match="missing for agent_1"):
        env.step({"agent_0": 0})
    with pytest.raises(ValueError, match="not 7"):
        env.step({"agent_0": 0, "agent_1": 7})
    with pytest.raises(ValueError, match="unknown option"):
        env.reset(options={"begin": 1})
    assert env.state().shape == (3, 6) and env.state() in env.state_space


def test_it_pickles():
    env = parallel_env(FRESH, 2, size=(3, 3))
    env.reset(1)
    again = pickle.loads(pickle.dumps(env))
    for _ in range(5):
        actions = dict.fromkeys(env.agents, 1)
        assert equal(env.step(actions)[0], again.step(actions)[0])


def test_the_example_catches(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["pursuit.py", "--quick"])
    runpy.run_path(str(EXAMPLES / "pursuit.py"), run_name="__main__")
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert len(rows) == 3 and float(rows[-1][-1].rstrip("%")) > float(rows[0][-1].rstrip("%"))

"""The vector environment is the single one, many times over: lane i is the single one seeded seed + i, bit for bit."""

import copy
import json
import pickle

import gymnasium
import numpy as np
import pytest
from contract_child import IDS
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from mazegrad.envs import INFO, OBSERVATIONS, Maze, MazeVectorEnv, World, load_maze
from mazegrad.envs.levels import Levels, generated
from mazegrad.envs.randomness import below, bits, key_from_seed, later, stream, uniform

MODES = tuple(AutoresetMode)
PLAIN_INFO = ("action_mask", "distance", "state")
SLOW_INFO = ("optimal_action", "value")


def singles(name, lanes, mode, **keywords):
    return SyncVectorEnv([lambda: gymnasium.make(name, **keywords)] * lanes, autoreset_mode=mode)


def same(ours, theirs, where=""):
    """Assert that two things returned are equal in kind, shape, type and every bit."""
    assert type(ours) is type(theirs), (where, type(ours), type(theirs))
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), where
        for name in ours:
            same(ours[name], theirs[name], f"{where} {name}")
    elif isinstance(ours, tuple | list):
        assert len(ours) == len(theirs), where
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            same(*pair, f"{where} {number}")
    elif isinstance(ours, np.ndarray):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, (where, ours.dtype, theirs.dtype)
        if ours.dtype == object:
            same(list(ours), list(theirs), where)
        else:
            assert ours.tobytes() == theirs.tobytes(), (where, ours, theirs)
    else:
        assert ours == theirs, where


def walk_alike(ours, theirs, steps, seed=5, rng=3):
    """Walk both with the same random actions, resetting by mask where that is theirs to do; return the resets seen."""
    rng = np.random.default_rng(rng)
    same(ours.reset(seed=seed), theirs.reset(seed=seed), "reset")
    ends = 0
    for step in range(steps):
        actions = rng.integers(0, 4, ours.num_envs)
        told = ours.step(actions)
        same(told, theirs.step(actions), f"step {step}")
        over = told[2] | told[3]
        ends += int(over.sum())
        if ours.metadata["autoreset_mode"] is AutoresetMode.DISABLED and over.any():
            mask = over | (rng.random(ours.num_envs) < 0.1)
            masks = ({"reset_mask": mask.copy()} for _ in range(2))
            same(ours.reset(options=next(masks)), theirs.reset(options=next(masks)), f"reset after {step}")
    return ends


@pytest.mark.parametrize("slip", [None, 0.3], ids=["as_it_is", "slip"])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("name", IDS)
def test_lanes_are_single_environments(name, observation, mode, slip):
    lanes, steps = (2, 30) if observation == "pixels" else (5, 200)
    keywords = {"observation": observation, "slip": slip, "info": PLAIN_INFO, "time_limit": 13}
    ours = gymnasium.make_vec(name, num_envs=lanes, autoreset_mode=mode, **keywords)
    assert isinstance(ours, MazeVectorEnv)
    theirs = singles(name, lanes, mode, **keywords)
    assert ours.metadata["autoreset_mode"] is mode
    assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
    assert walk_alike(ours, theirs, steps) >= lanes * (steps // 14) * 0.9

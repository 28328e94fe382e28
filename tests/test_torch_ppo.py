"""examples/training/ppo.py: it learns in small, with and without a memory, and its nets are agents."""

import importlib.util
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from mazegrad.adapters import as_agent
from mazegrad.agents import evaluate, rollout

PROGRAM = Path(__file__).parent.parent / "examples" / "training" / "ppo.py"


@pytest.fixture(scope="module")
def ppo():
    spec = importlib.util.spec_from_file_location("one_file_ppo", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    torch.set_num_threads(1)
    return module


def learned(ppo, name, steps, settings, *, recurrent=False, **keywords):
    envs = gymnasium.make_vec(name, num_envs=settings.lanes, autoreset_mode="SameStep", **keywords)
    net = ppo.train(envs, steps, settings, recurrent=recurrent, seed=0)
    return net, evaluate(gymnasium.make_vec(name, num_envs=50, **keywords), as_agent(net), 50, 10**6)


@pytest.mark.slow
def test_it_learns_four_rooms(ppo):
    settings = ppo.Settings(lanes=256, segment=32, epochs=4)
    _, found = learned(ppo, "mazegrad/FourRooms-v0", 400_000, settings, observation="index")
    assert found.successes.mean() >= 0.95


@pytest.mark.slow
def test_a_memory_learns_a_t_maze(ppo):
    settings = ppo.Settings(lanes=256, segment=32, epochs=4)
    rewards = {"goal": 4, "trap": -0.1}
    _, found = learned(
        ppo, "mazegrad/TMaze-v0", 250_000, settings, recurrent=True, corridor=1, rewards=rewards, observation="dots"
    )
    assert found.successes.mean() >= 0.9  # a guess: half


@pytest.mark.parametrize("recurrent", [False, True])
def test_lanes_and_single_environments_get_the_same_actions(ppo, recurrent):
    torch.manual_seed(0)
    env = gymnasium.make("mazegrad/Maze-v0", size=(2, 2), time_limit=20)
    net = ppo.Net(env.observation_space, 4, 8, recurrent)
    one = [evaluate(env, as_agent(net), 1, seed).lengths[0] for seed in range(4)]
    many = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=4, size=(2, 2), time_limit=20)
    assert evaluate(many, as_agent(net), 4, 0).lengths.tolist() == one
    assert len(rollout(env, as_agent(net), seed=0).states) == one[0] + 1


def test_a_segment_is_its_steps(ppo):
    """The pass over whole segments gives the outputs that steps gave, episodes that begin inside included."""
    torch.manual_seed(0)
    net = ppo.Net(gymnasium.spaces.MultiBinary(4), 4, 8, True)
    rng = np.random.default_rng(0)
    seen = torch.from_numpy(rng.integers(0, 2, (6, 3, 4)).astype(np.int8))
    starts = torch.from_numpy((rng.random((6, 3, 1)) < 0.7).astype(np.float32))
    first = state = torch.randn(3, 8)
    outputs = []
    for row, begins in zip(seen, starts, strict=True):
        output, state = net.step(row, state * begins)
        outputs.append(output)
    assert torch.allclose(torch.cat(outputs), net.segment(seen, first, starts), atol=1e-6)

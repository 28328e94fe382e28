"""RLlib: PPO on native lanes, with and without memory, and its modules as agents."""

import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

pytest.importorskip("ray.rllib")

from mazegrad.adapters import as_agent
from mazegrad.agents import Agent, evaluate, rollout
from mazegrad.distributed import cluster

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own

EXAMPLE = Path(__file__).parent.parent / "examples" / "rllib_ppo.py"
TMAZE, KEYWORDS = "mazegrad:mazegrad/TMaze-v0", {"corridor": 2, "encoding": "float", "time_limit": 30}


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    with cluster(cpus=2):
        yield


@pytest.mark.parametrize("lstm", [False, True])
def test_ppo_trains_and_is_an_agent(lstm):
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

    algorithm = (
        PPOConfig()
        .environment(TMAZE, env_config=KEYWORDS)
        .env_runners(gym_env_vectorize_mode="vector_entry_point", num_envs_per_env_runner=8, num_env_runners=1)
        .training(train_batch_size_per_learner=256, minibatch_size=64, num_epochs=1)
        .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[16], use_lstm=lstm, lstm_cell_size=16))
        .debugging(seed=0)
        .build_algo()
    )
    assert algorithm.train()["env_runners"]["num_env_steps_sampled_lifetime"] >= 256
    for agent in (as_agent(algorithm), as_agent(algorithm.get_module())):
        assert isinstance(agent, Agent)
        one = evaluate(gymnasium.make(TMAZE, **KEYWORDS), agent, 6, 0)
        many = evaluate(gymnasium.make_vec(TMAZE, num_envs=3, **KEYWORDS), agent, 6, 0)
        assert one.returns.tolist() == many.returns.tolist() and one.lengths.tolist() == many.lengths.tolist()
        states = rollout(gymnasium.make(TMAZE, **KEYWORDS), agent, seed=0).states
        assert (len(states[1]) > 1) == lstm
        if lstm:
            assert not np.array_equal(states[0][1], states[1][1])
    drawing = as_agent(algorithm, deterministic=False)
    lengths = {len(rollout(gymnasium.make(TMAZE, **KEYWORDS), drawing, seed=0).actions) for _ in range(20)}
    assert len(lengths) > 1
    algorithm.stop()


@pytest.mark.slow
def test_the_example_is_within_five_percent_of_the_optimum():
    done = subprocess.run([sys.executable, EXAMPLE, "--steps", "60000"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "within 5 % of V*" in done.stdout

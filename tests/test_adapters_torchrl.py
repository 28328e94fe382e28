"""TorchRL takes native lanes by one word, its own checks pass, its numbers are ours, and it learns in small."""

import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torchrl")
import torch
from tensordict.nn import TensorDictModule
from torchrl.envs import GymWrapper, check_env_specs
from torchrl.modules import ProbabilisticActor

from mazegrad.adapters import as_agent
from mazegrad.agents import evaluate

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
ROOMS, FRESH, TMAZE = "mazegrad/FourRooms-v0", "mazegrad/Maze-v0", "mazegrad/TMaze-v0"
INFO = ("success", "level", "distance", "action_mask", "value")


@pytest.mark.parametrize("observation", ["dots", "net", "index", "view", ("dots", "goal")], ids=str)
@pytest.mark.parametrize("name", [ROOMS, FRESH, TMAZE])
def test_env_specs(name, observation):
    keywords = {"observation": observation, "info": INFO}
    vector = gymnasium.make_vec(name, num_envs=3, autoreset_mode="Disabled", **keywords)
    for env in (gymnasium.make(name, **keywords), vector):
        wrapped = GymWrapper(env)
        wrapped.auto_register_info_dict()
        check_env_specs(wrapped)


def test_lanes_in_torchrl_are_native_lanes():
    """A random rollout through TorchRL, with resets of single lanes, replayed on the native environment."""
    keywords = {"size": (2, 2), "slip": 0.2, "time_limit": 9, "info": INFO, "autoreset_mode": "Disabled"}
    wrapped = GymWrapper(gymnasium.make_vec(FRESH, num_envs=4, **keywords))
    wrapped.auto_register_info_dict()
    wrapped.set_seed(5)
    torch.manual_seed(0)
    walked = wrapped.rollout(60, break_when_any_done=False)
    assert walked["next", "done"].sum() > 10
    ours = gymnasium.make_vec(FRESH, num_envs=4, **keywords)
    actions = walked["action"].argmax(-1).numpy()
    ours.reset(seed=5)  # `set_seed` resets, and so does `rollout`
    seen, _ = ours.reset()
    assert np.array_equal(walked["observation"][:, 0].numpy(), seen)
    for step in range(60):
        seen, reward, terminated, truncated, info = ours.step(actions[:, step])
        told = walked["next"][:, step]
        assert np.array_equal(told["observation"].numpy(), seen)
        assert np.allclose(told["reward"][:, 0].numpy(), reward)
        assert np.array_equal(told["terminated"][:, 0].numpy(), terminated)
        for name in INFO:
            assert np.allclose(told[name].numpy().astype(float), np.asarray(info[name], dtype=float), atol=1e-6), name
        over = terminated | truncated
        if over.any():
            ours.reset(options={"reset_mask": over})


def test_actors_are_agents():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4))
    module = TensorDictModule(net, in_keys=["observation"], out_keys=["logits"])
    actor = ProbabilisticActor(module, in_keys=["logits"], distribution_class=torch.distributions.Categorical)
    env = gymnasium.make(ROOMS, encoding="float", time_limit=30)
    found = [evaluate(env, as_agent(model), 5, 0).lengths.tolist() for model in (net, module, actor)]
    assert found[0] == found[1] == found[2]
    with pytest.raises(TypeError, match="writes"):
        as_agent(TensorDictModule(net, in_keys=["observation"], out_keys=["other"]))


@pytest.mark.slow
def test_the_example_learns_four_rooms():
    program = Path(__file__).parent.parent / "examples" / "training" / "torchrl_ppo.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
    assert done.returncode == 0 and "100.0%" in done.stdout, done.stdout + done.stderr

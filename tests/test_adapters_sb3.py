"""Stable-Baselines3 on native lanes: the contract of its VecEnv, the same episodes as ours, and learning in small."""

import subprocess
import sys
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")
import torch
from sb3_contrib import MaskablePPO, RecurrentPPO
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3 import A2C, DQN, PPO, HerReplayBuffer
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecMonitor, VecNormalize

from mazegrad.adapters import as_agent, sb3
from mazegrad.agents import Agent, agent_value, evaluate, rollout
from mazegrad.cli import main
from mazegrad.named import choose_agent

from contract_child import IDS

ROOMS, FRESH, TMAZE = "mazegrad/FourRooms-v0", "mazegrad/Maze-v0", "mazegrad/TMaze-v0"


@pytest.mark.parametrize("observation", ["dots", "view", ("dots", "index")], ids=str)
@pytest.mark.parametrize("name", [ROOMS, FRESH, TMAZE])
def test_lanes_are_those_of_dummy_vec_env(name, observation):
    """SB3's own loop over single environments gives the same numbers, terminal observations included."""
    keywords = {"observation": observation, "encoding": "float", "slip": 0.2, "time_limit": 9}
    ours = sb3(name, 4, **keywords)
    theirs = DummyVecEnv([lambda: gymnasium.make(name, disable_env_checker=True, **keywords)] * 4)
    assert isinstance(ours, VecEnv) and ours.observation_space == theirs.observation_space
    ours.seed(3), theirs.seed(3)

    def equal(one, other):
        if isinstance(one, dict):
            assert one.keys() == other.keys()
            return all(equal(one[part], other[part]) for part in one)
        return np.array_equal(one, other)

    assert equal(ours.reset(), theirs.reset())
    rng, ends = np.random.default_rng(0), 0
    for _ in range(60):
        actions = rng.integers(0, 4, 4)
        one, other = ours.step(actions), theirs.step(actions)
        assert equal(one[0], other[0]) and equal(one[1], other[1]) and equal(one[2], other[2])
        for done, info, wanted in zip(one[2], one[3], other[3], strict=True):
            if done:
                ends += 1
                assert equal(info["terminal_observation"], wanted["terminal_observation"])
                assert info["TimeLimit.truncated"] == wanted["TimeLimit.truncated"]
    assert ends > 10


def test_wrappers_and_evaluation():
    with pytest.warns(UserWarning, match="already wrapped with a `Monitor`"):  # infos hold its statistics
        monitored = VecMonitor(sb3(ROOMS, 4))
    env = VecFrameStack(VecNormalize(monitored), 2)
    env.seed(0), env.reset()
    for _ in range(300):
        env.step(np.random.default_rng(0).integers(0, 4, 4))
    model = A2C("MlpPolicy", sb3(ROOMS, 4), n_steps=4, seed=0)
    mean, _ = evaluate_policy(model, sb3(ROOMS, 4, time_limit=20), 8, deterministic=False)
    assert 0 <= mean <= 1
    assert env.observation_space.dtype == np.float32 and sb3(FRESH, 2, encoding="planes").observation_space.shape[0] > 9


def test_masks_infos_and_attributes():
    env = sb3(FRESH, 5, size=(3, 3), observation="dots")
    env.reset()
    assert np.stack(env.env_method("action_masks")).tolist() == env.env.unwrapped.action_masks().tolist()
    assert get_action_masks(env).shape == (5, 4)
    assert env.get_attr("num_envs", [0, 2]) == [5, 5]
    with pytest.raises(AttributeError):
        env.set_attr("x", 1)
    env.set_options({"start": (1, 1)})
    assert env.reset().shape == (5, 4)


def test_what_cannot_be_adapted_is_refused():
    with pytest.raises(ValueError, match='autoreset_mode="SameStep"'):
        sb3(gymnasium.make_vec(ROOMS, num_envs=2))
    with pytest.raises(TypeError, match="vector environment of mazegrad"):
        sb3(gymnasium.make_vec("CartPole-v1", num_envs=2))
    with pytest.raises(TypeError, match="keywords go with an id"):
        sb3(gymnasium.make_vec(ROOMS, num_envs=2, autoreset_mode="SameStep"), slip=0.1)
    with pytest.warns(UserWarning, match="tile codes as sizes"):
        sb3(gymnasium.make_vec(ROOMS, num_envs=2, autoreset_mode="SameStep", observation="view"))


@pytest.mark.parametrize("algorithm", [PPO, A2C, DQN, MaskablePPO, RecurrentPPO])
def test_models_train_and_are_agents(algorithm):
    policy = "MlpLstmPolicy" if algorithm is RecurrentPPO else "MlpPolicy"
    few = {} if algorithm is DQN else {"n_steps": 8}
    model = algorithm(policy, sb3(TMAZE, 8, corridor=2, observation="dots"), seed=0, **few).learn(256)
    agent = as_agent(model)
    assert isinstance(agent, Agent)
    keywords = {"corridor": 2, "encoding": "float", "time_limit": 30}
    one = evaluate(gymnasium.make(TMAZE, **keywords), agent, 6, 0)
    many = evaluate(gymnasium.make_vec(TMAZE, num_envs=3, **keywords), agent, 6, 0)
    assert one.returns.tolist() == many.returns.tolist() and one.lengths.tolist() == many.lengths.tolist()
    assert len(rollout(gymnasium.make(TMAZE, **keywords), agent, seed=0).actions) > 0


def test_torch_modules_and_functions_are_agents():
    import torch

    torch.manual_seed(0)
    net = torch.nn.Linear(4, 4)
    env = gymnasium.make(ROOMS, time_limit=20)
    by_net = evaluate(env, as_agent(net), 3, 0)

    def function(seen):
        return seen @ net.weight.detach().numpy().T + net.bias.detach().numpy()

    assert by_net.lengths.tolist() == evaluate(env, as_agent(function), 3, 0).lengths.tolist()
    with pytest.raises(TypeError, match="as_agent takes"):
        as_agent(3)


@pytest.mark.slow
def test_ppo_learns_four_rooms():
    env = sb3(ROOMS, 32, time_limit=200)
    model = PPO("MlpPolicy", env, n_steps=32, batch_size=256, learning_rate=1e-3, ent_coef=0.01, seed=0).learn(60_000)
    found = evaluate(gymnasium.make(ROOMS, observation="net", time_limit=100), as_agent(model), 20, 0)
    assert found.successes.all()


def test_hindsight_replay():
    """Relabelled goals earn what `compute_reward` says."""
    keywords = {"random_goals": True, "observation": ("index", "goal"), "encoding": "float", "time_limit": 20}
    model = DQN(
        "MultiInputPolicy", sb3(ROOMS, 4, **keywords), replay_buffer_class=HerReplayBuffer, learning_starts=100, seed=0
    ).learn(600)
    batch = model.replay_buffer.sample(400)
    reached = (batch.next_observations["achieved_goal"] == batch.next_observations["desired_goal"]).all(dim=1)
    assert reached.sum() > 20 and (batch.rewards[:, 0] == reached.float()).all()
    assert evaluate(gymnasium.make(ROOMS, **keywords), as_agent(model), 2, 0).lengths.max() <= 20


@pytest.mark.parametrize("name", IDS)
def test_sb3s_environment_checker(name):
    """Single environments, as they come and with what nets take."""
    goals = {"observation": ("dots", "goal"), "encoding": "float"}
    for keywords in ({}, {"observation": "net"}, *[goals] * ("Cliff" not in name)):  # a fall earns what no place tells
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*(image|uint8|channel).*")
            check_env(gymnasium.make(name, info=("success", "level", "action_mask"), **keywords).unwrapped)


@pytest.mark.slow
@pytest.mark.parametrize("training", ["compare", "recurrent", "maskable", "hindsight"])
def test_examples_run(training):
    program = Path(__file__).parent.parent / "examples" / "training" / "sb3_trainings.py"
    done = subprocess.run([sys.executable, str(program), "--quick", training], capture_output=True, text=True)
    assert done.returncode == 0 and "success" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("algorithm", [PPO, DQN, MaskablePPO, RecurrentPPO])
def test_saved_models_are_read_without_running_what_is_in_them(algorithm, relu, tmp_path, monkeypatch):
    """The agent in a file acts as the model did, and no pickle is opened."""
    recurrent = algorithm is RecurrentPPO
    name, keywords = (TMAZE, {"corridor": 2, "observation": "dots"}) if recurrent else (ROOMS, {"observation": "net"})
    few = {} if algorithm is DQN else {"n_steps": 8}
    arguments = {"policy_kwargs": {"activation_fn": torch.nn.ReLU}} if relu else {}
    policy = "MlpLstmPolicy" if recurrent else "MlpPolicy"
    model = algorithm(policy, sb3(name, 8, **keywords), seed=0, **few, **arguments).learn(256)
    model.save(tmp_path / "model.zip")
    env = gymnasium.make(name, time_limit=40, **{"encoding": "float", **keywords})
    wanted = rollout(env, as_agent(model), seed=3).actions.tolist()
    for reader in ("cloudpickle.loads", "pickle.loads", "pickle.load"):
        monkeypatch.setattr(reader, None)
    agent = choose_agent(str(tmp_path / "model.zip"))
    assert agent.observation == keywords["observation"]
    made, seen = agent.make(env.unwrapped.world, np.random.default_rng(0)), {"observation": agent.observation}
    assert rollout(env, made, seed=3).actions.tolist() == wanted
    assert evaluate(env, made, 4, 0).lengths.tolist() == evaluate(env, as_agent(model), 4, 0).lengths.tolist()
    value = agent_value(env.unwrapped.world, as_agent(model), episodes=2, encoding="float", **seen)
    assert value == agent_value(env.unwrapped.world, made, episodes=2, encoding="float", **seen)
    with pytest.raises(ValueError, match="trained with"):
        rollout(gymnasium.make(FRESH, observation="net"), made, seed=0)


def test_commands_take_saved_models(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    PPO("MlpPolicy", sb3(ROOMS, 8), n_steps=8, seed=0).save("model.zip")
    main(["evaluate", "model.zip", "--env", "FourRooms-v0", "--world", "time_limit=40", "--episodes", "4"])
    assert "model.zip" in capsys.readouterr().out
    main(["watch", "--agent", "model.zip", "--maze", "four_rooms", "--headless"])
    assert "made for" not in capsys.readouterr().err
    main(["certify", "FourRooms-v0", "--agent", "model.zip", "--episodes", "4", "--time", "1"])
    assert "measured: model.zip, which sees 'index'" in capsys.readouterr().out
    Path("other.zip").write_bytes(b"PK")
    assert main(["watch", "--agent", "other.zip"]) == 2
    assert "not a model of Stable-Baselines3" in capsys.readouterr().err

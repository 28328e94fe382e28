"""Stable-Baselines3 and sb3-contrib on native lanes: four trainings, each to a stated score.

    python examples/training/sb3_trainings.py compare      # PPO to the same score: native lanes beside DummyVecEnv
    python examples/training/sb3_trainings.py recurrent    # RecurrentPPO in a T-maze: only a memory helps
    python examples/training/sb3_trainings.py maskable     # MaskablePPO, which never walks into walls
    python examples/training/sb3_trainings.py hindsight    # DQN with hindsight replay: any goal in four rooms
    python examples/training/sb3_trainings.py --quick compare

Needs `pip install "mazegrad[sb3]"`. Time is processor time, learning included. A training is tested every few thousand
steps on episodes of its own, and ends when it has its score.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import gymnasium

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.adapters import as_agent, sb3
from mazegrad.agents import evaluate
from mazegrad.extras import require
from mazegrad.script import natural, start

ROOMS, TMAZE, MAZE = "mazegrad/FourRooms-v0", "mazegrad/TMaze-v0", "mazegrad/Maze-v0"


def until(model: Any, score: Callable[[], float], wanted: float, every: int, most: int) -> tuple[int, float, float]:
    """Train until a score is reached; return the steps, the seconds of processor time, and the score."""
    began, tested, found = time.process_time(), 0.0, 0.0
    while model.num_timesteps < most and found < wanted:
        model.learn(every, reset_num_timesteps=False)
        before = time.process_time()
        found = score()
        tested += time.process_time() - before
    return model.num_timesteps, time.process_time() - began - tested, found


def success(model: Any, name: str, episodes: int = 100, **keywords: Any) -> float:
    """Return the share of test episodes that reach the goal."""
    envs = gymnasium.make_vec(name, num_envs=50, **keywords)
    return float(evaluate(envs, as_agent(model), episodes, 10**6).successes.mean())


def report(what: str, steps: int, seconds: float, score: float) -> None:
    print(f"{what:<28} {steps:>9,} steps  {seconds:7.1f} s  {steps / seconds:8,.0f} steps/s  success {score:6.1%}")


def compare(seed: int, quick: bool) -> None:
    """PPO in one level of 5 x 5 rooms, to the same score three ways.

    Native lanes allow many lanes and large batches. Beside them stand the same settings over as many environments in
    SB3's own loop, and what one writes without a thought: eight environments and SB3's default settings.
    """
    PPO = require("stable_baselines3", "sb3").PPO
    make_vec_env = require("stable_baselines3.common.env_util", "sb3").make_vec_env
    world = {"size": (3, 3) if quick else (5, 5), "level_seeds": (0,), "observation": "index", "encoding": "float"}
    large = {"n_steps": 32, "batch_size": 2048, "n_epochs": 6, "learning_rate": 3e-3, "ent_coef": 0.01}
    common = {"seed": seed, "device": "cpu"}
    lanes, most = (64, 20_000) if quick else (256, 1_000_000)
    ways = {
        f"sb3(), {lanes} lanes": lambda: PPO("MlpPolicy", sb3(MAZE, lanes, **world), **large, **common),
        f"DummyVecEnv of {lanes}, same": lambda: PPO(
            "MlpPolicy", make_vec_env(MAZE, lanes, env_kwargs=world), **large, **common
        ),
        "DummyVecEnv of 8, defaults": lambda: PPO("MlpPolicy", make_vec_env(MAZE, 8, env_kwargs=world), **common),
    }
    for what, make in ways.items():
        model = make()
        report(what, *until(model, lambda model=model: success(model, MAZE, 50, **world), 1.0, 8192, most))


def recurrent(seed: int, quick: bool) -> None:
    """RecurrentPPO in the T-maze with a corridor of 6 tiles, which sees four bits; a guess is right in 50 %."""
    RecurrentPPO = require("sb3_contrib", "sb3").RecurrentPPO
    corridor, lanes, most = (1, 64, 20_000) if quick else (6, 256, 1_000_000)
    world = {"corridor": corridor, "observation": "dots", "rewards": {"goal": 4, "trap": -0.1}}
    model = RecurrentPPO(
        "MlpLstmPolicy", sb3(TMAZE, lanes, **world), n_steps=32, batch_size=8 * lanes, n_epochs=8, learning_rate=3e-3,
        ent_coef=0.01, gamma=0.98, seed=seed, device="cpu",
        policy_kwargs={"lstm_hidden_size": 64, "net_arch": [], "enable_critic_lstm": False, "shared_lstm": True},
    )  # fmt: skip
    score = until(model, lambda: success(model, TMAZE, encoding="float", **world), 0.9, 128 * lanes, most)
    report(f"RecurrentPPO, corridor {corridor}", *score)


def maskable(seed: int, quick: bool) -> None:
    """MaskablePPO in one level of 5 x 5 rooms, where walls are masked."""
    MaskablePPO = require("sb3_contrib", "sb3").MaskablePPO
    size, most = ((3, 3), 8192) if quick else ((5, 5), 100_000)
    world = {"size": size, "level_seeds": (0,), "observation": "index", "encoding": "float"}
    model = MaskablePPO(
        "MlpPolicy", sb3(MAZE, 64, **world), n_steps=32, batch_size=512, n_epochs=5, learning_rate=1e-3,
        ent_coef=0.01, seed=seed, device="cpu",
    )  # fmt: skip
    report("MaskablePPO, one level", *until(model, lambda: success(model, MAZE, 50, **world), 1.0, 4096, most))


def hindsight(seed: int, quick: bool) -> None:
    """DQN with hindsight replay (Andrychowicz et al. 2017): goals anywhere in four rooms, most of them far away."""
    DQN = require("stable_baselines3", "sb3").DQN
    replay = require("stable_baselines3", "sb3").HerReplayBuffer
    most = 6000 if quick else 200_000
    world = {
        "random_goals": True, "observation": ("index", "goal"), "encoding": "float", "time_limit": 50,
        "rewards": {"step": -1, "goal": 1},
    }  # fmt: skip
    model = DQN(
        "MultiInputPolicy", sb3(ROOMS, 16, **world), replay_buffer_class=replay,
        replay_buffer_kwargs={"n_sampled_goal": 4, "goal_selection_strategy": "future"}, learning_starts=2000,
        learning_rate=1e-3, gamma=0.95, batch_size=256, train_freq=2, gradient_steps=2, target_update_interval=500,
        exploration_fraction=0.3, policy_kwargs={"net_arch": [128, 128]}, seed=seed, device="cpu",
    )  # fmt: skip
    report("DQN, hindsight replay", *until(model, lambda: success(model, ROOMS, **world), 0.9, 4096, most))


TRAININGS = {"compare": compare, "recurrent": recurrent, "maskable": maskable, "hindsight": hindsight}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", choices=TRAININGS)
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--quick", action="store_true", help="in seconds, to see that it runs")
    options = parser.parse_args()
    require("torch", "sb3").set_num_threads(1)
    TRAININGS[options.training](options.seed, options.quick)


if __name__ == "__main__":
    start(main)

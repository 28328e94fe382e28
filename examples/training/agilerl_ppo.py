"""AgileRL on native lanes: PPO in four rooms.

    python examples/training/agilerl_ppo.py             # a population of two, 160,000 steps each: seconds
    python examples/training/agilerl_ppo.py --quick     # one, 80,000 steps

Needs `pip install agilerl peft`. AgileRL takes Gymnasium's vector environments, so it takes ours as they are. Its
own loop (2.58) stores beside each step whether that step ended the episode, but its advantages read there whether
the episode ended *before* it. So the reward at a goal reaches the last step alone, and where nothing else is earned
nothing is learned: 300,000 steps in four rooms left it at 0 %. `collect` below is its loop with the flag in its place.
"""

import argparse
import warnings
from typing import Any

import gymnasium
import numpy as np

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.agents import evaluate
from mazegrad.extras import require
from mazegrad.script import natural, start

WORLD = {"id": "mazegrad/FourRooms-v0", "observation": "net", "time_limit": 1000}


class Policy:
    """A PPO of AgileRL as an agent of ours; it draws its actions."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def initial_state(self, batch_size: int | None = None) -> None:
        """Return nothing: nothing is remembered."""

    def act(self, observation: Any, state: None) -> tuple[Any, None]:
        """Return the actions for a batch of observations."""
        self._model.set_training_mode(False)
        return self._model.get_action(observation)[0], None


def collect(
    agent: Any,
    env: Any,
    n_steps: int,
    last_obs: Any = None,
    last_done: Any = None,
    last_scores: Any = None,
    last_info: Any = None,
) -> tuple[list[float], Any, Any, Any, Any]:
    """Fill the agent's buffer; return the scores of finished episodes, and what the next call begins with."""
    seen, over, scores, info = last_obs, last_done, last_scores, last_info
    if seen is None:
        seen, info = env.reset()
        over, scores = np.zeros(agent.num_envs, dtype=bool), np.zeros(agent.num_envs)
    finished: list[float] = []
    agent.rollout_buffer.reset()
    for _ in range(n_steps):
        action, log_prob, _, value = agent.get_action(seen)
        following, reward, terminated, truncated, info = env.step(action)
        agent.rollout_buffer.add(
            obs=seen, action=action, reward=reward, done=over, value=value, log_prob=log_prob, next_obs=following
        )
        seen, over, scores = following, terminated | truncated, scores + reward
        finished += scores[over].tolist()
        scores[over] = 0
    agent.rollout_buffer.compute_returns_and_advantages(last_value=agent.get_action(seen)[3], last_done=over)
    return finished, seen, over, scores, info


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--quick", action="store_true", help="one, 80,000 steps")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch = require("torch", "sb3")
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)  # AgileRL shuffles its batches with it  # noqa: NPY002
    PPO = require("agilerl.algorithms", "agilerl").PPO
    train = require("agilerl.training.train_on_policy", "agilerl").train_on_policy
    lanes = 64
    env = gymnasium.make_vec(**WORLD, num_envs=lanes, autoreset_mode="SameStep")
    population = [
        PPO(
            env.single_observation_space, env.single_action_space, index=index, batch_size=512, lr=1e-3,
            learn_step=128 * lanes, num_envs=lanes, ent_coef=0.01,
        )
        for index in range(1 if options.quick else 2)
    ]  # fmt: skip
    steps = 80_000 if options.quick else 160_000
    trained, _ = train(
        env, WORLD["id"], "PPO", population, max_steps=steps, evo_steps=steps // 4, eval_steps=200, eval_loop=1,
        tournament=None, mutation=None, verbose=False, collect_rollouts_fn=collect,
    )  # fmt: skip
    for model in trained:
        score = evaluate(gymnasium.make_vec(**WORLD, num_envs=50), Policy(model), 50, 10**6)
        print(score)
        if score.successes.mean() < 0.9:
            raise SystemExit("fewer than 90 % succeed")


if __name__ == "__main__":
    start(main)

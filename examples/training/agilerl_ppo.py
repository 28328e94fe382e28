"""AgileRL on native lanes: PPO whose hyperparameters evolve, in four rooms.

    python examples/training/agilerl_ppo.py             # some minutes
    python examples/training/agilerl_ppo.py --quick     # in seconds, to see that it runs

Needs `pip install agilerl peft`. AgileRL takes Gymnasium's vector environments, so it takes ours as they are.
"""

import argparse
import warnings

import gymnasium

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.agents import evaluate
from mazegrad.extras import require
from mazegrad.script import natural, start

WORLD = {"id": "mazegrad/FourRooms-v0", "observation": "net", "time_limit": 200}


class Greedy:
    """A PPO of AgileRL as an agent of ours."""

    def __init__(self, model: object) -> None:
        self._model = model

    def initial_state(self, batch_size: int | None = None) -> None:
        """Return nothing: nothing is remembered."""

    def act(self, observation: object, state: None) -> tuple[object, None]:
        """Return the actions for a batch of observations."""
        self._model.set_training_mode(False)
        return self._model.get_action(observation)[0], None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--quick", action="store_true", help="in seconds, to see that it runs")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    require("torch", "sb3").manual_seed(options.seed)
    PPO = require("agilerl.algorithms", "agilerl").PPO
    train = require("agilerl.training.train_on_policy", "agilerl").train_on_policy
    lanes = 16 if options.quick else 64
    env = gymnasium.make_vec(**WORLD, num_envs=lanes)
    population = [
        PPO(
            env.single_observation_space, env.single_action_space, index=index, batch_size=512, lr=1e-3,
            learn_step=32 * lanes, num_envs=lanes, ent_coef=0.01,
        )
        for index in range(1 if options.quick else 2)
    ]  # fmt: skip
    steps = 2 * 32 * lanes if options.quick else 200_000
    trained, _ = train(
        env, WORLD["id"], "PPO", population, max_steps=steps, evo_steps=steps // 2, eval_steps=200, eval_loop=1,
        tournament=None, mutation=None, verbose=False,
    )  # fmt: skip
    print(evaluate(gymnasium.make_vec(**WORLD, num_envs=50), Greedy(trained[0]), 50, 10**6))


if __name__ == "__main__":
    start(main)

"""RLlib's PPO on native lanes, on this machine or on a cluster, until it is within 5 % of the optimal value V*.

    python examples/rllib_ppo.py                          # four rooms, in less than a minute
    python examples/rllib_ppo.py --world level            # one maze of 5 x 5 rooms
    python examples/rllib_ppo.py --world t_maze --lstm    # the cue must be remembered
    python examples/rllib_ppo.py --runners 16 --lanes 64 --address auto     # on a cluster that runs already

Each env runner steps a native vector environment: `gym_env_vectorize_mode="vector_entry_point"`. The id names the
module before the colon, so that workers on other machines find it; our keywords are the `env_config`. Needs, in an
environment of its own, since RLlib pins an older Gymnasium:

    python -m pip install "mazegrad[rllib]"
"""

import argparse
import sys
import time
from typing import Any

import gymnasium
import numpy as np

from mazegrad.adapters import as_agent
from mazegrad.agents import evaluate
from mazegrad.distributed import cluster
from mazegrad.extras import require
from mazegrad.script import count, start

WORLDS = {
    "four_rooms": ("mazegrad:mazegrad/FourRooms-v0", {"observation": "index"}),
    "level": ("mazegrad:mazegrad/Maze-v0", {"observation": "index", "size": (5, 5), "level_seeds": [0]}),
    "t_maze": ("mazegrad:mazegrad/TMaze-v0", {"observation": "dots", "corridor": 4}),
}
DISCOUNT = 0.99
EPISODES, LIMIT = 100, 100  # of an evaluation: a policy that walks to and fro is soon known


def config(world: str, *, lstm: bool, lanes: int, runners: int, seed: int) -> Any:
    """The configuration of PPO."""
    ppo = require("ray.rllib.algorithms.ppo", "rllib").PPOConfig
    nets = require("ray.rllib.core.rl_module.default_model_config", "rllib").DefaultModelConfig
    name, keywords = WORLDS[world]
    return (
        ppo()
        .environment(name, env_config=keywords | {"encoding": "float"})
        .env_runners(
            gym_env_vectorize_mode="vector_entry_point", num_envs_per_env_runner=lanes, num_env_runners=runners
        )
        .training(
            lr=1e-3,
            gamma=DISCOUNT,
            train_batch_size_per_learner=2048,
            minibatch_size=256,
            num_epochs=6,
            entropy_coeff=[(0, 0.05), (50_000, 0.005)],  # or it stops to look around before it has met the goal
            vf_loss_coeff=0.5,
        )
        .rl_module(
            model_config=nets(
                fcnet_hiddens=[64, 64],
                fcnet_activation="tanh",
                use_lstm=lstm,
                lstm_cell_size=64,
                max_seq_len=20,
                vf_share_layers=True,
            )
        )
        .debugging(seed=seed, log_level="ERROR")
    )


def optimal(world: str) -> float:
    """The mean of V* at the start of the episodes that are evaluated."""
    name, keywords = WORLDS[world]
    env = gymnasium.make(name, info=("value",), discount=DISCOUNT, **keywords)
    return float(np.mean([env.reset(seed=seed)[1]["value"] for seed in range(EPISODES)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", choices=WORLDS, default="four_rooms")
    parser.add_argument("--lstm", action="store_true", help="a recurrent net")
    parser.add_argument("--lanes", type=count, default=32, help="of each env runner (default: 32)")
    parser.add_argument("--runners", type=count, default=1, help="processes that step (default: 1)")
    parser.add_argument("--address", help="of a cluster, such as auto or ray://host:10001; default: a local one")
    parser.add_argument("--steps", type=count, default=200_000, help="at most (default: 200,000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    require("torch", "rllib").set_num_threads(1)  # these nets are small
    best = optimal(options.world)
    name, keywords = WORLDS[options.world]
    envs = gymnasium.make_vec(name, num_envs=EPISODES, encoding="float", time_limit=LIMIT, **keywords)
    how = {"lstm": options.lstm, "lanes": options.lanes, "runners": options.runners, "seed": options.seed}
    with cluster(options.address, cpus=options.runners + 1):
        algorithm = config(options.world, **how).build_algo()
        begin, steps, share = time.perf_counter(), 0, 0.0
        while steps < options.steps and share < 0.95:
            result = algorithm.train()
            steps = int(result["env_runners"]["num_env_steps_sampled_lifetime"])
            found = evaluate(envs, as_agent(algorithm), EPISODES, 0, discount=DISCOUNT)
            share = float(found.returns.mean()) / best
            seconds = time.perf_counter() - begin
            print(f"{steps:8,} steps {seconds:6.1f} s   discounted return {share:7.1%} of V*   {found}", flush=True)
        algorithm.stop()
    if share < 0.95:
        sys.exit(f"not within 5 % of V* after {steps:,} steps")
    print(f"within 5 % of V* = {best:.4f} after {steps:,} steps and {seconds:.0f} s")


if __name__ == "__main__":
    start(main)

"""How long does recurrent PPO take to the same score, here and in sb3-contrib? Processor time, one thread.

    pip install "mazegrad[sb3]"
    taskset -c 0 python benchmarks/recurrent_ppo.py
    taskset -c 0 python benchmarks/recurrent_ppo.py --corridor 20 --seeds 1

The task is `mazegrad/TMaze-v0` with the rewards of Bakker (2002), seen as four bits: the sign at the start of a
corridor says which arm at its end has the goal. Without a memory one is right half the time. A run ends when, of the
last 500 episodes of training, 95 % have reached the goal. Both learners have an LSTM of 64 units that actor and critic
share, 64 lanes stepped by `mazegrad` (for Stable-Baselines3 by `mazegrad.adapters.sb3`), segments of 128 steps, 4
epochs of 4 minibatches, and the same discount, clipping, learning rate and weight of the entropy. What differs: values
are normalised here, the recurrent weights begin orthogonal, and a minibatch is whole segments.
"""

import argparse
import os
import time
from collections import deque
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import gymnasium  # noqa: E402
import numpy as np  # noqa: E402
from measure import machine  # noqa: E402

import mazegrad  # noqa: E402, F401
from mazegrad.adapters import sb3  # noqa: E402
from mazegrad.agents import PPO, RecurrentPolicy  # noqa: E402

LANES, SEGMENT, HIDDEN, RATE, ENTROPY = 64, 128, 64, 1e-3, 0.02
SCORE, EPISODES = 0.95, 500


def ours(seed: int, most: int, keywords: dict[str, Any]) -> tuple[int, float]:
    """Return the steps that were made, and the success at the end."""
    env = gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=LANES, **keywords)
    rng = np.random.default_rng(seed)
    policy = RecurrentPolicy(env.single_observation_space, env.single_action_space, "lstm", HIDDEN, rng=rng)
    learner = PPO(env, policy, segment=SEGMENT, learning_rate=RATE, entropy=ENTROPY, target_kl=None, rng=rng)
    while learner.steps < most and not learner.score("success", EPISODES) >= SCORE:
        learner.train(1)  # an update
    return learner.steps, learner.score("success", EPISODES)


def theirs(seed: int, most: int, keywords: dict[str, Any]) -> tuple[int, float]:
    """The same with sb3-contrib."""
    from sb3_contrib import RecurrentPPO
    from stable_baselines3.common.callbacks import BaseCallback
    from torch import set_num_threads

    set_num_threads(1)
    last: deque[bool] = deque(maxlen=EPISODES)

    class Stop(BaseCallback):
        """Ends the training once the score is reached."""

        def _on_step(self) -> bool:
            ended = np.flatnonzero(self.locals["dones"])
            last.extend(bool(self.locals["rewards"][lane] > 0) for lane in ended)
            return len(last) < EPISODES or np.mean(last) < SCORE

    model = RecurrentPPO(
        "MlpLstmPolicy", sb3("mazegrad/TMaze-v0", LANES, **keywords), learning_rate=RATE, n_steps=SEGMENT,
        batch_size=LANES * SEGMENT // 4, n_epochs=4, ent_coef=ENTROPY, seed=seed, device="cpu",
        policy_kwargs={
            "lstm_hidden_size": HIDDEN, "net_arch": [], "shared_lstm": True, "enable_critic_lstm": False,
        },
    )  # fmt: skip
    model.learn(most, callback=Stop())
    return model.num_timesteps, float(np.mean(last))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corridor", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--most", type=int, default=2_000_000, help="steps after which a run is given up")
    options = parser.parse_args()
    keywords = {"corridor": options.corridor, "rewards": {"goal": 4.0, "trap": -0.1}}
    print(machine())
    print(f"\nTMaze, corridor {options.corridor}: until {SCORE:.0%} of the last {EPISODES} episodes succeed")
    print(f"  {'':30}{'seed':>6}{'steps':>12}{'seconds':>10}{'steps/s':>10}{'success':>10}")
    totals = {}
    for name, run in (("mazegrad PPO", ours), ("sb3-contrib RecurrentPPO", theirs)):
        for seed in range(options.seeds):
            begin = time.process_time()
            steps, success = run(seed, options.most, keywords)
            seconds = time.process_time() - begin
            totals[name] = totals.get(name, 0.0) + seconds
            rate = steps / seconds
            print(f"  {name:30}{seed:>6}{steps:>12,}{seconds:>10.1f}{rate:>10,.0f}{success:>10.1%}", flush=True)
    first, second = totals.values()
    print(f"\nseconds together: {first:.1f} and {second:.1f}, {second / first:.1f} times as long")


if __name__ == "__main__":
    main()

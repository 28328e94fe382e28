"""How many environment steps a second does recurrent PPO make, learning included? One thread, float32.

    taskset -c 0 python benchmarks/training.py
    taskset -c 0 python benchmarks/training.py --lanes 64 --segment 128

`mazegrad/TMaze-v0` with its four bits, 64 units, 256 lanes, segments of T = 64 steps, 4 epochs of 4 minibatches of
whole lane segments (64 lanes each), no stop by the KL divergence: walking, advantages, gradients through time and Adam.
The steps that only reset a lane are not counted. Processor time is counted. The second column is the part that no
learner can avoid: acting in the environment with the same net, without learning.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import gymnasium  # noqa: E402
import numpy as np  # noqa: E402
from measure import Run, machine, rates  # noqa: E402

import mazegrad  # noqa: E402, F401
from mazegrad.agents import PPO, RecurrentPolicy  # noqa: E402
from mazegrad.agents.learners.policy import drawn  # noqa: E402

FLOORS = {"none": 0, "rnn": 100_000, "gru": 0, "lstm": 25_000}  # steps a second; goal for the LSTM: 40,000


def learner(cell: str, options: argparse.Namespace) -> PPO:
    env = gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=options.lanes, corridor=10)
    rng = np.random.default_rng(0)
    policy = RecurrentPolicy(env.single_observation_space, 4, cell, options.hidden, rng=rng)
    return PPO(env, policy, segment=options.segment, epochs=4, minibatches=4, target_kl=None, rng=rng)


def learning(made: PPO) -> Run:
    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            made.curve.append(made.update())

    return run


def acting(made: PPO, segment: int) -> Run:
    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            made.lanes.collect(segment, lambda logits, info: drawn(logits, made.rng))

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lanes", type=int, default=256)
    parser.add_argument("--segment", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each row (default: %(default)s)")
    options = parser.parse_args()
    print(machine())
    items, runs = options.lanes * options.segment, {}
    learners = {cell: learner(cell, options) for cell in FLOORS}
    for cell, made in learners.items():
        runs |= {f"{cell} learning": (learning(made), items), f"{cell} acting": (acting(made, options.segment), items)}
    found = rates(runs, seconds=options.seconds)
    print(f"\nsteps a second, {options.lanes} lanes, T = {options.segment}, {options.hidden} units")
    print(f"  {'cell':8}{'learning':>12}{'acting alone':>16}")
    for cell, floor in FLOORS.items():
        made = learners[cell]
        live = made.steps / (len(made.curve) * items)  # the rest are resets
        rate = live * found[f"{cell} learning"]
        note = f"   floor {floor:,}: {'met' if rate >= floor else 'MISSED'}" if floor else ""
        print(f"  {cell:8}{rate:>12,.0f}{live * found[f'{cell} acting']:>16,.0f}{note}")


if __name__ == "__main__":
    main()

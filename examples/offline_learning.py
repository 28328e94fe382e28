"""Learning from data that somebody else made: a policy better than the walks it was learned from, and how much better.

An agent that takes a random action half of the time, and one that only ever does, walk in 1,024 lanes; their steps are
written as data sets of Minari, and read back. From these steps alone two learners make a policy:

    cloning   in each state the action that was taken most often
    fitted Q  Q(s, a) = mean of r + discount * mask * max Q(s', .) over the steps that are there (Ernst, Geurts &
              Wehenkel, "Tree-based batch mode reinforcement learning", 2005, a table in place of trees); an action
              that was never taken in a state is not considered (Fujimoto, Meger & Precup, "Off-policy deep
              reinforcement learning without exploration", 2019)

The exact value of each policy is computed from the map, and stands beside V*, which the data have as an info.
"""

import argparse
from pathlib import Path

import gymnasium
import numpy as np

from mazegrad.adapters import minari
from mazegrad.envs import evaluate_policy, value_iteration
from mazegrad.extras import require
from mazegrad.offline import Dataset, collect
from mazegrad.script import count, start

DISCOUNT = 0.99


def counts(data: Dataset, states: int) -> np.ndarray:
    """Return how often each action was taken in each state, (states, 4)."""
    found = np.zeros((states, 4))
    np.add.at(found, (data.observations[data.rows], data.actions), 1)
    return found


def cloned(data: Dataset, states: int) -> np.ndarray:
    """Return the action that was taken most often in each state, (states,)."""
    return counts(data, states).argmax(axis=1)


def fitted(data: Dataset, states: int, sweeps: int = 500) -> np.ndarray:
    """Return the best action in each state by Q, which is fitted to the steps, (states,)."""
    steps, taken = data.ogbench(), counts(data, states)
    pair = 4 * steps["observations"] + steps["actions"]
    q = np.zeros((states, 4))
    for _ in range(sweeps):
        best = np.where(taken > 0, q, -np.inf).max(axis=1)
        best[~np.isfinite(best)] = 0
        target = steps["rewards"] + DISCOUNT * steps["masks"] * best[steps["next_observations"]]
        q = np.bincount(pair, target, 4 * states).reshape(states, 4) / np.maximum(taken, 1)
    return np.where(taken > 0, q, -np.inf).argmax(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="mazegrad/FourRooms-v0", metavar="ID", help="with a map of its own")
    parser.add_argument("--steps", type=count, default=200_000, metavar="N", help="of each data set")
    parser.add_argument("--lanes", type=count, default=1024, metavar="N")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="for the data sets (default: Minari's)")
    arguments = parser.parse_args()
    require("minari", "minari")

    world = gymnasium.make(arguments.env).unwrapped.world
    starts = world.start_states
    best = value_iteration(world, discount=DISCOUNT).values[starts].mean()
    print(f"{arguments.env}, V* {best:.3f}\n{'data':<12}{'steps':>10}{'episodes':>10}{'cloning':>10}{'fitted Q':>10}")
    for name, agent, epsilon in (("random", "random", 0.0), ("half random", "optimal", 0.5)):
        made = collect(
            arguments.env, agent, arguments.steps, lanes=arguments.lanes, epsilon=epsilon, observation="state"
        )
        identity = f"{arguments.env.removesuffix('-v0')}/example-{name.replace(' ', '-')}-v0"
        if not minari.folder_of(identity, arguments.folder).exists():
            minari.write(made, identity, folder=arguments.folder, algorithm_name=name)
        data = minari.read(minari.folder_of(identity, arguments.folder))
        values = []
        for learn in (cloned, fitted):
            policy = learn(data, world.states)
            values.append(evaluate_policy(world, policy, discount=DISCOUNT).values[starts].mean())
        print(f"{name:<12}{data.steps:>10,}{data.episodes:>10,}{values[0]:>10.3f}{values[1]:>10.3f}")


if __name__ == "__main__":
    start(main, ValueError)

"""Which learners of tables find the best policy of each textbook world, at their default settings?

    python benchmarks/tabular.py                     # the tables of docs/learning.md, some six minutes
    python benchmarks/tabular.py --first 100         # the same with seeds from 100 on

A run counts when the learner's greedy policy is worth V* within 1 %, by exact evaluation. The second table has the
learners that learn what their own way to explore is worth, with less of it: none, and one that falls to 0.
"""

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from mazegrad.agents import (
    SARSA,
    DoubleQLearning,
    DynaQ,
    ExpectedSARSA,
    PrioritizedSweeping,
    QLearning,
    TDLearner,
    regret,
)
from mazegrad.agents.learners.tabular.schedules import harmonic
from mazegrad.envs import value_iteration
from mazegrad.progress import progress
from mazegrad.script import count

EPISODES = {"CliffWalk": 500, "WindyGrid": 500, "DynaMaze": 500, "FourRooms": 500, "KeyDoor": 500, "IceLake": 5000}
FEWER = {name: episodes // 5 for name, episodes in EPISODES.items()} | {"IceLake": 5000}
"""of learners that plan; on the ice a model has to see as much as a table"""
MORE = EPISODES | {"IceLake": 10_000}
"""of learners whose exploration fades"""


class Column(NamedTuple):
    """A learner, its settings, and the episodes in each world."""

    title: str
    kind: type[TDLearner]
    episodes: dict[str, int]
    settings: dict[str, Any]


DEFAULT = (
    *(Column(kind.__name__, kind, EPISODES, {}) for kind in (QLearning, DoubleQLearning, SARSA, ExpectedSARSA)),
    *(Column(kind.__name__, kind, FEWER, {}) for kind in (DynaQ, PrioritizedSweeping)),
)
FADING = tuple(
    Column(f"{kind.__name__}, {title}", kind, MORE, {"epsilon": epsilon})
    for title, epsilon in (("epsilon=0", 0.0), ("epsilon=harmonic(0.1, 100)", harmonic(0.1, 100)))
    for kind in (SARSA, ExpectedSARSA)
)


def found(column: Column, name: str, seeds: range) -> int:
    """Return how many of the runs find a policy within 1 % of V*."""
    env = gymnasium.make(f"mazegrad/{name}-v0", observation="index")
    world, good = env.unwrapped.world, 0
    best = value_iteration(world).expected_return
    for seed in seeds:
        learner = column.kind(env, rng=np.random.default_rng(seed), **column.settings)
        learner.train(column.episodes[name], seed)
        good += regret(world, learner) <= 0.01 * abs(best)
    return good


def table(columns: Sequence[Column], seeds: range) -> None:
    """Learn, and print a row for each world."""
    rows = []
    for name in progress(EPISODES, len(EPISODES), "worlds"):
        cells = [f"{column.episodes[name]:,}: {found(column, name, seeds)}" for column in columns]
        rows.append("| " + " | ".join([name, *cells]) + " |")
    print("\n| world | " + " | ".join(column.title for column in columns) + " |")
    print("| --- " * (1 + len(columns)) + "|")
    print(*rows, sep="\n")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=count, default=20, help="runs of each; default: %(default)s")
    parser.add_argument("--first", type=int, default=0, help="the first seed; default: %(default)s")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    print(f"episodes: how many of {options.seeds} runs are within 1 % of V*")
    table(DEFAULT, seeds)
    table(FADING, seeds)


if __name__ == "__main__":
    main()

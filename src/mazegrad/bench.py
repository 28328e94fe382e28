"""`mazegrad bench`: how many steps a second this machine makes, next to Gymnasium's own environments."""

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np

from .colour import paint
from .envs import generate

Run = Callable[[int], object]
"""does its work n times"""


def rates(runs: Mapping[str, tuple[Run, int]], seconds: float = 1.5, turns: int = 7) -> dict[str, float]:
    """Return the items a second that each run processes.

    Seconds are processor time of this process, so other work on the machine is not counted. The runs take turns, so a
    slow period of the machine affects all of them; the best turn of each counts.

    Args:
        runs: name -> (run, items that one repetition processes).
        seconds: processor time to spend on each run, about.
        turns: how often each run is measured.

    Returns:
        name -> items a second.
    """
    best = dict.fromkeys(runs, 0.0)
    repeats = dict.fromkeys(runs, 1)
    for name, (run, _) in runs.items():
        while True:
            begin = time.process_time()
            run(repeats[name])
            if time.process_time() - begin >= seconds / turns / 3:
                break
            repeats[name] *= 2
    for _ in range(turns):
        for name, (run, items) in runs.items():
            begin = time.process_time()
            run(repeats[name])
            best[name] = max(best[name], repeats[name] * items / (time.process_time() - begin))
    return best


def stepping(env: Any, actions: Any, bundle: int = 1) -> Run:
    """Return a run that steps a vector environment, `bundle` steps a repetition.

    Args:
        env: the vector environment; it is reset here.
        actions: (steps, lanes), repeated from the start when they are used up.
        bundle: steps in one repetition.
    """
    env.reset(seed=0)
    rows, at = list(actions), 0

    def run(repetitions: int) -> None:
        nonlocal at
        step = env.step
        for i in range(at, at + repetitions * bundle):
            step(rows[i % len(rows)])
        at += repetitions * bundle

    return run


def single(name: str, **keywords: Any) -> tuple[Run, int]:
    """Return a run that steps (and resets) an environment made by `gymnasium.make`, and its steps a repetition."""
    env = gymnasium.make(name, **keywords)
    env.reset(seed=0)
    count = env.action_space.n  # type: ignore[attr-defined]
    actions = np.random.default_rng(0).integers(0, count, 4096).tolist()

    def run(repetitions: int) -> None:
        step = env.step
        for _ in range(repetitions):
            for action in actions:
                _, _, terminated, truncated, _ = step(action)
                if terminated or truncated:
                    env.reset()

    return run, len(actions)


def bench(lanes: int = 1024, seed: int = 0) -> list[tuple[str, float]]:
    """Return (name, steps a second) of one environment and of many lanes, ours and Gymnasium's.

    Args:
        lanes: number of lanes of the vector environments.
        seed: of the maze and the actions.
    """
    rng = np.random.default_rng(seed)
    steps = min(256, max(2, 2**22 // lanes))  # the actions stay below 32 MiB
    maze, actions = generate("backtracker", 10, 10, rng=rng), rng.integers(0, 4, (steps, lanes))

    def many(name: str, **keywords: Any) -> tuple[Run, int]:
        rows = actions % 2 if name.startswith("CartPole") else actions
        return stepping(gymnasium.make_vec(name, num_envs=lanes, **keywords), rows), lanes

    runs = {
        "one environment, a 21 x 21 maze": single("mazegrad/GridWorld-v0", maze=maze),
        "one environment, Gymnasium's FrozenLake-v1": single("FrozenLake-v1"),
        f"{lanes:,} lanes, one shared 21 x 21 maze": many("mazegrad/GridWorld-v0", maze=maze),
        f"{lanes:,} lanes, slip 0.3": many("mazegrad/GridWorld-v0", maze=maze, slip=0.3),
        f"{lanes:,} lanes, Gymnasium's CartPole-v1": many("CartPole-v1", vectorization_mode="vector_entry_point"),
    }
    return list(rates(runs).items())


def print_rates(arguments: Namespace) -> None:
    """Print millions of steps a second."""
    print(paint("millions of steps a second, on one core", "strong", sys.stdout))
    for name, rate in bench(arguments.lanes, arguments.seed):
        print(f"  {name:44}{rate / 1e6:10.3f}")

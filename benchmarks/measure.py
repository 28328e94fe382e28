"""Time calls side by side: many short runs taken in turn, of which the best of each counts."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

Run = Callable[[int], object]
"""does its work so many times"""


def rates(runs: Mapping[str, tuple[Run, int]], seconds: float = 1.5, turns: int = 7) -> dict[str, float]:
    """Return how many items a second each of `runs` gets done: name -> (run, items that one repetition does).

    Seconds are those that the processor works for this process, so that other work on the machine is not counted. The
    runs take turns, so that a slow spell of the machine meets all of them; the best turn of each counts.
    """
    best = dict.fromkeys(runs, 0.0)
    repeats = {}
    for name, (run, _) in runs.items():
        count, took = 1, 0.0
        while took < seconds / turns / 4:
            begin = time.process_time()
            run(count)
            took = time.process_time() - begin
            repeats[name] = count
            count *= 2
    for _ in range(turns):
        for name, (run, items) in runs.items():
            count = max(1, repeats[name])
            begin = time.process_time()
            run(count)
            best[name] = max(best[name], count * items / (time.process_time() - begin))
    return best


def print_table(title: str, rows: Sequence[tuple[str, float]], unit: str = "", per: float = 1.0) -> None:
    """Print names and rates, and the ratio of the first to each of the others."""
    print(f"\n{title}")
    for name, rate in rows:
        ratio = "" if name == rows[0][0] else f"{rows[0][1] / rate:>10.1f} x" if rate else ""
        print(f"  {name:<58}{rate / per:>12,.3f} {unit}{ratio}")


def machine() -> str:
    """Return what the figures were taken on."""
    packages = []
    for name in ("numpy", "gymnasium", "minigrid", "envpool"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"Python {platform.python_version()}, {', '.join(packages)}, {platform.machine()}, {cores} core(s)"


def random_actions(lanes: int, steps: int = 256) -> np.ndarray:
    """Return random actions, (steps, lanes), drawn ahead."""
    return np.random.default_rng(0).integers(0, 4, (steps, lanes))

"""What the benchmarks share: the clock of `mazegrad bench`, and how its figures are printed side by side."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from mazegrad.bench import Run, rates, single, stepping

__all__ = ["Run", "machine", "print_table", "random_actions", "rates", "single", "stepping"]


def print_table(title: str, rows: Sequence[tuple[str, float]], per: float = 1.0) -> None:
    """Print names and rates, and the ratio of the first to each of the others."""
    print(f"\n{title}")
    for name, rate in rows:
        ratio = "" if name == rows[0][0] else f"{rows[0][1] / rate:>10.1f} x"
        print(f"  {name:<76}{rate / per:>12,.3f}{ratio}")


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

"""What the benchmarks share: the clock of `mazegrad bench`, and how its figures are printed side by side."""

import ctypes
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from mazegrad.bench import Run, rates, single, stepping

__all__ = [
    "Run",
    "check_paths",
    "keep_memory",
    "kernels",
    "machine",
    "print_table",
    "random_actions",
    "rates",
    "single",
    "stepping",
    "take_turns",
]


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


def kernels() -> str:
    """Return a warning if the environment holds OpenBLAS to other kernels than the processor's; else nothing."""
    core = os.environ.get("OPENBLAS_CORETYPE")
    return f"; OPENBLAS_CORETYPE={core} is set, which may halve numpy's speed and not torch's" if core else ""


def keep_memory() -> None:
    """Let glibc keep the memory of arrays that die, up to 32 MiB each; without glibc, do nothing.

    By itself it may return that memory to the system, depending on where the arrays happen to lie. PyTorch then pays
    for new pages at every call in one process and in none of the next, and takes up to three times as long.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        trim_threshold, mmap_threshold = -1, -3  # as in malloc.h
        mallopt(mmap_threshold, 1 << 25)
        mallopt(trim_threshold, (1 << 31) - 1)


def random_actions(lanes: int, steps: int = 256) -> np.ndarray:
    """Return random actions, (steps, lanes), drawn ahead."""
    return np.random.default_rng(0).integers(0, 4, (steps, lanes))


def take_turns(
    jobs: Mapping[str, Callable[[], object]], rounds: int, repeats: Mapping[str, int] | int
) -> dict[str, list[float]]:
    """Processor time of each job in milliseconds, one figure a round: the mean of `repeats` runs.

    The jobs take turns, so that a busy machine disturbs all of them alike: compare the figures of one round.
    """
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            count = repeats if isinstance(repeats, int) else repeats[name]
            job()  # the caches are somebody else's
            start = time.process_time()
            for _ in range(count):
                job()
            times[name].append((time.process_time() - start) / count * 1e3)
    return times


def check_paths(steps: Mapping[str, Callable[[], float]], count: int) -> None:
    """Take `count` training steps with each, and stop the program if their losses are not those of the first."""
    paths = {name: [step() for _ in range(count)] for name, step in steps.items()}
    first = next(iter(paths.values()))
    for name, path in paths.items():
        if not np.allclose(path, first, rtol=1e-3):
            raise SystemExit(f"{name} computes something else: losses {path}, here {first}")

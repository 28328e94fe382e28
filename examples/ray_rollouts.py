"""Steps a second against the number of Ray actors, and what a thousand of them would do.

    python examples/ray_rollouts.py                      # 1 and 2 actors on this machine, about a minute
    python examples/ray_rollouts.py --actors 1 2 4 8 16
    python examples/ray_rollouts.py --address auto --actors 8 64 512    # on a cluster that runs already

Three kinds of work, from the smallest answer to the largest: `evaluate` (three numbers an episode), `collect` with the
four bits of `dots`, and `collect` with the codes of the whole `map`. For each the program measures steps a second, and
from one actor's speed, the size of its answers and the speed at which this process takes answers in, says what 1,000
workers would do and what breaks first. One worker more is a gain only as long as the process that collects can keep up;
nothing is measured beyond the actors that are named. Numbers of actors take turns, and the median of several turns is
shown, since other programs may be running. Needs:

    python -m pip install "mazegrad[ray]"
"""

import argparse
import os
import pickle
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from mazegrad.agents import RandomAgent
from mazegrad.distributed import Actors, cluster, collect, evaluate
from mazegrad.script import count, start

ENVIRONMENT, KEYWORDS = "mazegrad/Maze-v0", {"size": (5, 5), "time_limit": 1000}
WORKERS = 1000
LINK = 10e9 / 8
"""bytes a second into one machine, at 10 Gbit/s"""


def agent() -> RandomAgent:
    return RandomAgent(np.random.default_rng(0))


def evaluated(blocks: int, lanes: int, **how: Any) -> tuple[int, int]:
    """Return the steps made, and the bytes of the answers."""
    found = evaluate(ENVIRONMENT, agent(), blocks * lanes, 0, keywords=KEYWORDS, num_envs=lanes, **how)
    answer = (found.returns[:lanes], found.lengths[:lanes], found.successes[:lanes])
    return int(found.lengths.sum()), blocks * len(pickle.dumps(answer))


def collected(blocks: int, lanes: int, observation: str, length: int, **how: Any) -> tuple[int, int]:
    """Return the steps made, `length` in each lane, and the bytes of the answers."""
    steps = size = 0
    keywords = KEYWORDS | {"observation": observation}
    for batch in collect(ENVIRONMENT, agent(), blocks * lanes, length, 0, keywords=keywords, num_envs=lanes, **how):
        steps += batch.actions.size
        size += sum(part.nbytes for part in batch)
    return steps, size


KINDS: dict[str, Callable[..., tuple[int, int]]] = {
    "evaluate": evaluated,
    "collect dots": lambda blocks, lanes, **how: collected(blocks, lanes, "dots", 800, **how),
    "collect map": lambda blocks, lanes, **how: collected(blocks, lanes, "map", 150, **how),
}


def intake(ray: Any, size: int) -> float:
    """Return the bytes a second at which this process takes in answers of a size: fetched and copied."""

    def answer(size: int) -> np.ndarray:
        return np.zeros(size, np.uint8)

    remote = ray.remote(answer)
    references = [remote.remote(size) for _ in range(9)]
    ray.wait(references, num_returns=len(references))
    seconds = []
    for reference in references:
        begin = time.perf_counter()
        ray.get(reference).copy()
        seconds.append(time.perf_counter() - begin)
    return size / statistics.median(seconds)


def project(rate: float, bytes_a_step: float, takes: float) -> None:
    """Print what a thousand workers of one's speed would do."""
    asked = WORKERS * rate
    limits = {f"the collecting process, {takes / 1e6:,.0f} MB/s": takes, "a link of 10 Gbit/s": LINK}
    print(f"    {WORKERS:,} workers make {asked:.2e} steps/s: {asked * bytes_a_step / 1e6:,.0f} MB/s of answers")
    for name, limit in sorted(limits.items(), key=lambda pair: pair[1]):
        workers = limit / (rate * bytes_a_step)
        full = "is not reached" if workers >= WORKERS else f"is full at {workers:,.0f} workers"
        print(f"    {name}: {full}")
    least = min(limits.values())
    if least >= asked * bytes_a_step:
        print(f"    nothing breaks before {WORKERS:,} workers but the list of episodes: give each many")
    else:
        print(f"    so at most {least / bytes_a_step:.2e} steps/s arrive: let actors reduce or write what they collect")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actors", type=count, nargs="+", default=[1, 2])
    parser.add_argument("--lanes", type=count, default=1024, help="of each actor's environment (default: 1,024)")
    parser.add_argument("--blocks", type=count, default=12, help="of lanes, of each run (default: 12)")
    parser.add_argument("--turns", type=count, default=5)
    parser.add_argument("--address", help="of a cluster; by default a local one is started")
    options = parser.parse_args()
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load average {busy:.1f}; {ENVIRONMENT}, {options.lanes} lanes an actor")
    with cluster(options.address, cpus=max(options.actors)) as ray:
        for name, run in KINDS.items():
            rates: dict[int, list[float]] = {actors: [] for actors in options.actors}
            with ExitStack() as stack:
                crews = {actors: stack.enter_context(Actors(actors, options={"num_cpus": 0})) for actors in rates}
                for crew in crews.values():  # every actor makes its environment
                    run(8 * crew.count, options.lanes, actors=crew)
                for _ in range(options.turns):
                    for actors, crew in crews.items():
                        begin = time.perf_counter()
                        steps, size = run(options.blocks, options.lanes, actors=crew)
                        rates[actors].append(steps / (time.perf_counter() - begin))
            medians = {actors: statistics.median(found) for actors, found in rates.items()}
            first = min(medians)
            print(f"{name}: {size / options.blocks / 1e3:,.0f} kB an answer, {size / steps:.2g} bytes a step")
            for actors, rate in medians.items():
                print(f"    {actors:4} actors {rate:13,.0f} steps/s, {rate / medians[first]:.2f} times {first}")
            project(medians[first] / first, size / steps, intake(ray, max(1, size // options.blocks)))


if __name__ == "__main__":
    start(main)

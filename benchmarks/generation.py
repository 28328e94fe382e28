"""How many mazes a second: each generator alone, the backtracker in batches, and the peers that are installed."""

import argparse
import importlib
import os
import platform
import time
from collections.abc import Callable

import numpy as np

from mazegrad.envs import GENERATORS, generate_batch, generate_from_key
from mazegrad.envs.maps.randomness import key_from_seed


def rate(make: Callable[[int], object], mazes: int, repeats: int) -> float:
    """Return mazes a second: the best of several runs, each of `mazes` calls of `make`."""
    best = float("inf")
    for run in range(repeats):
        begin = time.perf_counter()
        for i in range(mazes):
            make(run * mazes + i)
        best = min(best, time.perf_counter() - begin)
    return mazes / best


def mazelib_backtracker(rows: int, columns: int) -> Callable[[int], object]:
    core = importlib.import_module("mazelib")
    family = importlib.import_module("mazelib.generate.BacktrackingGenerator")
    generator = family.BacktrackingGenerator(rows, columns)

    def make(seed: int) -> object:
        maze = core.Maze(seed)
        maze.generator = generator
        maze.generate()
        return maze.grid

    return make


def labmaze_random(rows: int, columns: int) -> Callable[[int], object]:
    maze = importlib.import_module("labmaze").RandomMaze(
        height=2 * rows + 1, width=2 * columns + 1, max_rooms=0, simplify=False, random_seed=1
    )

    def make(seed: int) -> object:
        maze.regenerate()
        return maze.entity_layer

    return make


# module -> (what it makes, a function that returns a maker)
PEERS = {
    "mazelib": ("recursive backtracker, Python", mazelib_backtracker),
    "labmaze": ("corridors only, C++", labmaze_random),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="on one core: taskset -c 0 python ...")
    parser.add_argument("--rooms", type=int, default=21, help="rooms along a side (default: 21)")
    parser.add_argument("--batch", type=int, default=1024, help="mazes in a batch (default: 1024)")
    parser.add_argument("--repeats", type=int, default=7, help="runs, of which the best counts (default: 7)")
    parser.add_argument("--large", type=int, default=101, help="rooms along a side of the large one (default: 101)")
    options = parser.parse_args()
    side, large = options.rooms, options.large

    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}, {os.cpu_count()} cores")
    print(f"{side}x{side} rooms, best of {options.repeats}; seconds for one maze of {large}x{large} rooms\n")
    print(f"{'generator':<42}{'mazes/s':>10}{'ratio':>8}{f'{large}x{large}':>10}")

    keys = np.array([key_from_seed(seed) for seed in range(options.batch)], dtype=np.uint64)
    batched = rate(lambda run: generate_batch("backtracker", side, side, keys), 1, options.repeats) * options.batch
    rows: list[tuple[str, float, float | None]] = [(f"backtracker, batches of {options.batch}", batched, None)]
    for name in GENERATORS:
        alone = rate(lambda key, name=name: generate_from_key(name, side, side, key), 20, options.repeats)
        once = 1 / rate(lambda key, name=name: generate_from_key(name, large, large, key), 1, min(3, options.repeats))
        rows.append((name, alone, once))
    for module, (what, peer) in PEERS.items():
        try:
            make = peer(side, side)
        except ImportError:
            print(f"({module} is not installed)")
            continue
        rows.append((f"{module}: {what}", rate(make, 5, options.repeats), None))

    unit = next(mazes for name, mazes, _ in rows if name == "backtracker")
    for name, mazes, seconds in rows:
        print(f"{name:<42}{mazes:>10,.0f}{mazes / unit:>8.2f}" + (f"{seconds:>9.3f}s" if seconds is not None else ""))


if __name__ == "__main__":
    main()

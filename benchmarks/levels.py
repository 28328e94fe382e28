"""Many levels at once: mazes made and solved, distances, values, paths, measures, and a split checked for leaks.

python benchmarks/levels.py            # with a split of a million levels, about a minute
python benchmarks/levels.py --levels 100000
"""

import argparse
import importlib.util
import platform
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from mazegrad.envs import (
    Levels,
    Maze,
    distance_maps,
    functional,
    generate_batch,
    level_hashes,
    measures,
    shortest_paths,
    split_levels,
    value_maps,
)
from mazegrad.envs.maps.splits import symmetric
from mazegrad.script import count

BATCH = 4096


def rate(use: Callable[[], Any], levels: int, repeats: int = 3) -> float:
    """Return levels a second of processor time: the best of several runs."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        use()
        best = min(best, time.process_time() - begin)
    return levels / best


def leaks(tiles: np.ndarray, splits: dict[str, np.ndarray]) -> int:
    """Return how many levels have a symmetric copy in another split, by looking for all eight of each."""
    of: dict[bytes, str] = {}
    found = 0
    for name, numbers in splits.items():
        for copy in symmetric(tiles[numbers]):
            for drawn in np.unique(np.ascontiguousarray(copy).reshape(len(numbers), -1), axis=0):
                found += of.setdefault(drawn.tobytes(), name) != name
    return found


def in_library(name: str, tiles: np.ndarray) -> None:
    """Print rows for the same functions over the arrays of JAX, compiled, or of torch, on its CPU."""
    if name == "jax":
        import jax

        given, compiled, done = jax.numpy.asarray(tiles), jax.jit, jax.block_until_ready
    else:
        import torch

        torch.set_num_threads(1)
        given, compiled, done = torch.from_numpy(tiles), lambda function: function, lambda result: result
    for what, function in (
        ("distance maps", functional.distance_maps),
        ("values", functional.value_maps),
        ("shortest paths", functional.shortest_paths),
        ("all measures", functional.measures),
    ):
        use = compiled(function)
        done(use(given))
        found = rate(lambda use=use: done(use(given)), len(tiles))
        print(f"{f'{what} of 13 x 13, {name}':<43} {found:>12,.0f}")


def given(lanes: int = 256, steps: int = 50) -> None:
    """Print how many steps lanes make where each episode has a new level."""
    actions = np.random.default_rng(0).integers(0, 4, (steps, lanes))
    drawn = generate_batch("backtracker", 6, 6, np.arange(10 * lanes, dtype=np.uint64))
    sets = [[Maze(tiles) for tiles in drawn[first : first + lanes]] for first in range(0, len(drawn), lanes)]
    plain, grid, levels = "mazegrad/Maze-v0", "mazegrad/GridWorld-v0", Levels.of([*sets[0], *sets[1]])
    for name, env, resets in (
        ("made by Maze-v0", gymnasium.make_vec(plain, num_envs=lanes, size=(6, 6), time_limit=steps - 1), False),
        ("of a list", gymnasium.make_vec(grid, num_envs=lanes, maze=levels, time_limit=steps - 1), False),
        ("given to Maze-v0", gymnasium.make_vec(plain, num_envs=lanes, size=(6, 6), time_limit=None), True),
        ("given to GridWorld-v0", gymnasium.make_vec(grid, num_envs=lanes, maze=sets[0][0], time_limit=None), True),
    ):
        env.reset(seed=0)
        begin = time.process_time()
        for mazes in sets:
            if resets:
                env.reset(options={"maze": mazes})
            for taken in actions:
                env.step(taken)
        speed = len(sets) * steps * lanes / (time.process_time() - begin)
        print(f"{f'steps a second, levels {name}':<43} {speed:>12,.0f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", type=count, default=1_000_000, metavar="N", help="to split; default: %(default)s")
    options = parser.parse_args()
    keys = np.arange(BATCH, dtype=np.uint64)
    large, small = generate_batch("backtracker", 15, 15, keys), generate_batch("backtracker", 6, 6, keys)
    print(f"one core of {platform.processor() or platform.machine()}, numpy {np.__version__}, levels a second\n")
    made = rate(lambda: distance_maps(generate_batch("backtracker", 15, 15, keys)), BATCH)
    print(f"mazes of 31 x 31 tiles made and solved      {made:>12,.0f}")
    print(f"distance maps of 31 x 31                    {rate(lambda: distance_maps(large), BATCH):>12,.0f}")
    print(f"distance maps of 13 x 13                    {rate(lambda: distance_maps(small), BATCH):>12,.0f}")
    print(f"values of 13 x 13                           {rate(lambda: value_maps(small), BATCH):>12,.0f}")
    print(f"shortest paths of 13 x 13                   {rate(lambda: shortest_paths(small), BATCH):>12,.0f}")
    print(f"all measures of 13 x 13                     {rate(lambda: measures(small), BATCH):>12,.0f}")
    print(f"hashes under eight symmetries of 13 x 13    {rate(lambda: level_hashes(small), BATCH):>12,.0f}")
    given()
    for name, needed in (("jax", ["jax"]), ("torch", ["torch", "array_api_compat"])):
        if all(map(importlib.util.find_spec, needed)):
            in_library(name, small)
    tiles = np.concatenate(
        [generate_batch("backtracker", 6, 6, np.arange(first, min(first + BATCH, options.levels), dtype=np.uint64))
         for first in range(0, options.levels, BATCH)]
    )  # fmt: skip
    begin = time.process_time()
    split = split_levels(tiles)
    seconds = time.process_time() - begin
    checked = tiles[:100_000]
    some = {name: numbers[numbers < len(checked)] for name, numbers in split.items()}
    print(f"\n{len(tiles):,} levels of 13 x 13 split in {seconds:.1f} s: {leaks(checked, some)} leaks among the first")
    print(f"{len(checked):,}, by brute force over the eight symmetries")


if __name__ == "__main__":
    main()

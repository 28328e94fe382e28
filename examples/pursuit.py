"""Pursuit: how many pursuers does it take to catch an evader in a maze with loops?

Pursuers take a shortest way to the evader, whom they see at any distance; the evader goes to the neighbouring cell that
is farthest from the nearest pursuer. In a maze without loops one pursuer is enough. With loops an evader runs around
them for ever, unless pursuers come from two sides: the least number that always suffices is the cop number of the graph
(Aigner & Fromme, "A game of cops and robbers", 1984; at most 3 if it is planar, as these mazes are). The pursuers here
do not plan together, so even three let some escape.

All lanes step together as arrays (`num_envs=`); then one episode is played by PettingZoo's own loop.
"""

import argparse

import numpy as np

from mazegrad.envs import Maze, generate, parallel_env
from mazegrad.envs.maps.directions import OFFSETS
from mazegrad.script import count, start


def steps_between(maze: Maze) -> np.ndarray:
    """Return the number of steps between any two cells, (cells, cells); a large number where there is no way."""
    cells, far = maze.tiles.size, 1 << 20
    neighbours = next_cells(maze)
    steps = np.full((cells, cells), far)
    np.fill_diagonal(steps, 0)
    for _ in range(cells):
        closer = np.minimum(steps, 1 + steps[neighbours].min(axis=1))
        if np.array_equal(closer, steps):
            break
        steps = closer
    return steps


def next_cells(maze: Maze) -> np.ndarray:
    """Return where each move leads, (cells, 4)."""
    inside = maze.open.ravel()
    moves = np.arange(maze.tiles.size)[:, None] + OFFSETS @ (maze.width, 1)
    moves = np.clip(moves, 0, maze.tiles.size - 1)
    return np.where(inside[moves], moves, np.arange(maze.tiles.size)[:, None])


def choose(
    cells: np.ndarray, steps: np.ndarray, moves: np.ndarray, pursuers: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the actions of all agents, (lanes, agents).

    Args:
        cells: (lanes, agents), pursuers first, then one evader.
        steps, moves: of the maze, see `steps_between` and `next_cells`.
        pursuers: their number.
        rng: breaks ties.
    """
    evader = cells[:, pursuers]
    ways = steps[moves[cells[:, :pursuers]], evader[:, None, None]]  # (lanes, pursuers, 4)
    flights = steps[moves[evader][:, :, None], cells[:, None, :pursuers]].min(axis=2)  # (lanes, 4)
    chase = (ways + 0.5 * rng.random(ways.shape)).argmin(axis=2)
    flee = (flights + 0.5 * rng.random(flights.shape)).argmax(axis=1)
    return np.concatenate([chase, flee[:, None]], axis=1)


def caught(maze: Maze, pursuers: int, lanes: int, limit: int, rng: np.random.Generator) -> float:
    """Return the share of lanes in which the evader is tagged within a limit of steps."""
    env = parallel_env(
        "mazegrad/GridWorld-v0", pursuers + 1, num_envs=lanes, maze=maze, pursuers=pursuers, collisions="through",
        observation="index", presence=False, time_limit=limit, map_warnings=False,
    )  # fmt: skip
    cells, _ = env.reset(seed=0)
    steps, moves = steps_between(maze), next_cells(maze)
    tagged = np.zeros(lanes, dtype=bool)
    for _ in range(limit):
        actions = choose(cells, steps, moves, pursuers, rng)
        cells, rewards, _, _, _ = env.step(actions)
        tagged |= rewards[:, pursuers] < 0
    return float(tagged.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lanes", type=count, default=500, metavar="N")
    parser.add_argument("--rooms", type=count, default=6, metavar="N", help="on each side of the maze")
    parser.add_argument("--limit", type=count, default=200, metavar="N", help="steps")
    parser.add_argument("--quick", action="store_true", help="fewer lanes, a smaller maze")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.lanes, arguments.rooms, arguments.limit = 40, 4, 60
    rng = np.random.default_rng(0)
    maze = generate("backtracker", arguments.rooms, arguments.rooms, rng=rng, braid=1.0)
    tiles = maze.tiles.copy()
    starts, goals = tiles == ord("S"), tiles == ord("G")
    tiles[goals] = ord(".")  # nowhere to escape to
    tiles[tiles == ord(".")] = ord("S")  # all agents start anywhere
    tiles[starts] = ord("S")
    arena = Maze(tiles)
    print(maze.to_text())
    for pursuers in (1, 2, 3):
        share = caught(arena, pursuers, arguments.lanes, arguments.limit, rng)
        print(f"{pursuers} pursuer{'s' * (pursuers > 1)}: the evader is caught in {share:.0%}")

    env = parallel_env("mazegrad/Maze-v0", 3, pursuers=2, size=(3, 3), observation="dots", render_mode="ansi")
    env.reset(seed=0)
    while env.agents:
        env.step({name: env.action_space(name).sample() for name in env.agents})
    print(f"\nplayed by PettingZoo's loop, at random:\n\n{env.render()}")


if __name__ == "__main__":
    start(main, ValueError, ImportError)

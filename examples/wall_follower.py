"""A hand on the wall as W, U, b: does the hand-set net solve every perfect maze, and does the path follower?

The generators of perfect mazes take turns; all mazes of a batch are walked at once, on stacked tables. The limit is
twice as many steps as the maze has open tiles.
"""

import argparse

import numpy as np

from mazegrad.agents import Agent, path_follower, wall_follower_rnn
from mazegrad.envs import GENERATORS, World, generate_from_key, transition
from mazegrad.script import count, natural, start

BATCH = 250


def solved(agent: Agent, world: World, limit: int) -> np.ndarray:
    """Return for each maze whether the agent reaches its goal within the limit."""
    at, state = world.start_states, agent.initial_state(len(world.mazes))
    for _ in range(limit):
        actions, state = agent.act(world.dots[at], state)
        at, _, _ = transition(world, at, actions)  # a goal leads to itself
    return world.goal[at]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mazes", type=count, default=220, help="number of mazes (default: 220)")
    parser.add_argument("--rooms", type=count, default=21, help="rows and columns of rooms (default: 21)")
    parser.add_argument("--seed", type=natural, default=0)
    arguments = parser.parse_args()

    perfect = [name for name in GENERATORS if name not in ("dungeon", "caves", "path")]
    keys = np.random.default_rng(arguments.seed).integers(2**64, size=arguments.mazes, dtype=np.uint64).tolist()
    agents = {
        "wall_follower_rnn": wall_follower_rnn(),
        "with its left hand": wall_follower_rnn("left"),
        "path_follower": path_follower(),
    }
    found = {name: dict.fromkeys(perfect, 0) for name in agents}
    for first, generator in enumerate(perfect):
        mine = keys[first :: len(perfect)]
        for place in range(0, len(mine), BATCH):
            mazes = [
                generate_from_key(generator, arguments.rooms, arguments.rooms, key)
                for key in mine[place : place + BATCH]
            ]
            world = World.compile(mazes)
            for name, agent in agents.items():
                found[name][generator] += int(solved(agent, world, 2 * int(mazes[0].open.sum())).sum())

    print(f"{'generator':20}" + "".join(f"{name:>20}" for name in agents))
    for first, generator in enumerate(perfect):
        print(
            f"{generator:20}"
            + "".join(f"{found[name][generator]:>13} / {len(keys[first :: len(perfect)]):<4}" for name in agents)
        )
    print(f"{'all':20}" + "".join(f"{sum(found[name].values()):>12} / {len(keys):<5}" for name in agents))


if __name__ == "__main__":
    start(main)

"""Random worlds to try planners on: perfect mazes, and small drawings with every kind of tile."""

import numpy as np

from mazegrad.envs import Maze, World

TILES = "........##~^><v*aAX{}"


def perfect_maze(rooms, rng):
    """A spanning tree of rooms x rooms rooms, by joining them in random order; start and goal in opposite corners."""
    tiles = np.full((2 * rooms + 1, 2 * rooms + 1), ord("#"), dtype=np.uint8)
    tiles[1::2, 1::2] = ord(".")
    parent = list(range(rooms * rooms))

    def root(room):
        while parent[room] != room:
            parent[room] = parent[parent[room]]
            room = parent[room]
        return room

    walls = [(r, c, dr, 1 - dr) for r in range(rooms) for c in range(rooms) for dr in (0, 1)]
    for number in rng.permutation(len(walls)).tolist():
        r, c, dr, dc = walls[number]
        if r + dr < rooms and c + dc < rooms:
            one, other = root(r * rooms + c), root((r + dr) * rooms + c + dc)
            if one != other:
                parent[one] = other
                tiles[2 * r + 1 + dr, 2 * c + 1 + dc] = ord(".")
    tiles[1, 1], tiles[-2, -2] = ord("S"), ord("G")
    return Maze(tiles)


def random_maze(rng, rewards=None):
    """A drawing of every kind of tile: few things to carry, teleporters in pairs, wind and restarting traps now and then."""
    height, width = rng.integers(2, 7, size=2).tolist()
    tiles = rng.choice(list(TILES), size=height * width)
    carried = np.flatnonzero(np.isin(tiles, ["*", "a"]))
    tiles[carried[3:]] = "."
    places = rng.permutation(height * width).tolist()
    tiles[places[0]], tiles[places[1]] = "S", "G"
    if height * width > 8 and rng.random() < 0.5:
        tiles[places[2:4]] = "0"
    restart = rng.random() < 0.3
    if not restart and rng.random() < 0.3:
        tiles[places[4 % len(places)]] = "S"
        tiles[places[1]] = "G"
    metadata = {"slip": repr(float(rng.choice([0, 0.2, 2 / 3]))), "ice": repr(float(rng.random()))}
    if restart and (tiles == "S").sum() == 1:
        metadata["trap"] = "restart"
    if rng.random() < 0.2:
        metadata["wind"] = " ".join(map(str, rng.integers(0, 3, size=width)))
    if rewards is None:
        rewards = {name: float(rng.normal()) for name in ("goal", "trap", "item", "step") if rng.random() < 0.5}
    if rewards:
        metadata["rewards"] = ", ".join(f"{name} {value!r}" for name, value in rewards.items())
    codes = np.array([ord(tile) for tile in tiles], dtype=np.uint8).reshape(height, width)
    return Maze(codes, metadata)


def random_worlds(count, seed=0, rewards=None):
    rng = np.random.default_rng(seed)
    return [World.compile(random_maze(rng, rewards)) for _ in range(count)]

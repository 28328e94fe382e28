"""Random worlds to try planners on: perfect mazes, and small drawings with every kind of tile."""

import numpy as np

from mazegrad.envs import Maze, World
from mazegrad.envs.maps.moves import read_moves

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


ACTIONS = ("stay", "king", "king_stay", "turns", "up -1 0, leap 0 2, back 0 -1", "east 0 1, knight 2 -1, up -1 0")
WORDS = ("sideways", "left_of", "right_of", "back", "stay", "other", "any")


def random_actions(rng):
    """The actions of a maze: mostly the four directions, None."""
    return None if rng.random() < 0.4 else str(rng.choice(ACTIONS))


def random_noise(rng):
    """What may happen in place of a move, in general or on ice alone."""

    def spread():
        words = rng.choice(WORDS, size=rng.integers(1, 4), replace=False)
        chances = rng.multinomial(int(rng.integers(1, 21)), np.ones(len(words)) / len(words)) / 20
        return ", ".join(f"{word} {chance}" for word, chance in zip(words, chances, strict=True))

    clauses = [spread()] if rng.random() < 0.7 else []
    return "; ".join([*clauses, *([f"~ {spread()}"] if not clauses or rng.random() < 0.5 else [])])


def random_physics(rng, height, width, actions=None):
    """Metadata of any set of moves, noise and wind."""
    metadata = {} if actions is None else {"actions": actions}
    if actions == "king":  # the others keep corners
        metadata["corners"] = "cut"
    if actions == "turns" and rng.random() < 0.5:
        metadata["facing"] = str(rng.choice(["up", "right", "left", "down"]))
    if rng.random() < 0.5:
        metadata["noise"] = random_noise(rng)
    if rng.random() < 0.4:
        digits = rng.choice(list("0123"), p=[0.6, 0.15, 0.15, 0.1], size=(height, width))
        metadata["walls"] = " ".join("".join(row) for row in digits)
    if rng.random() < 0.4:
        direction = str(rng.choice(["up", "right", "left", "down"]))
        strengths = rng.integers(0, 3, size=width if direction in ("up", "down") else height)
        varies = str(rng.choice(["", " varies", " varies 0.5"]))
        metadata["wind"] = f"{direction} {' '.join(map(str, strengths))}{varies}"
    return metadata


def random_earnings(rng, tiles, names):
    """Metadata of tiles of the map's own, rewards where they are, jumps, weighted starts; these tiles are drawn in."""
    free = rng.permutation(np.flatnonzero(tiles == ".")).tolist()
    lines, metadata = [], {}

    def draw(letter, count=1):
        cells = [free.pop() for _ in range(min(count, len(free)))]
        tiles[cells] = letter
        return cells

    def some():
        return repr(float(rng.integers(-8, 9)) / 4)

    if rng.random() < 0.6:
        draw("m", 2)
        lines += [f"m {some()}", f"m {some()} leaving", f"~ {some()}"]
    if rng.random() < 0.5:
        draw("o"), draw("x")
        lines += [f"o {some()} goal", f"x {some()} trap"]
    if rng.random() < 0.4:
        lines.append(f"{rng.choice(names)} {some()}")
    lines = [line for line in lines if len(line.split()[0]) > 1 or line[0] in "~mox"]
    if lines:
        metadata["reward"] = ", ".join(lines)
    if rng.random() < 0.4 and len(free) >= 2:
        draw("P")
        target = str(rng.choice(["p", "start"]))
        draw("p", int(rng.integers(1, 3)))
        metadata["jump"] = f"P {target} {some()}"
        if target == "start":
            tiles[tiles == "p"] = "."
    if rng.random() < 0.3 and "trap" not in metadata and free:
        draw("h")
        metadata["starts"] = f"h {rng.integers(1, 4)}, S 2"
    if rng.random() < 0.4:
        metadata["exit"] = "all items"
    return metadata


def random_maze(rng, rewards=None, actions=None):
    """A drawing of every kind of tile: few things to carry, teleporters in pairs, at times wind or restarting traps.

    With `actions`, also noise and winds of every kind.
    """
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
    if actions is not None:
        metadata |= random_physics(rng, height, width, actions)
        if rng.random() < 0.6:
            earnings = random_earnings(rng, tiles, read_moves(actions).names)
            if metadata.get("trap") == "restart":
                earnings.pop("starts", None)
                tiles[tiles == "h"] = "."
            metadata |= earnings
    if rewards is None:
        rewards = {name: float(rng.normal()) for name in ("goal", "trap", "item", "step") if rng.random() < 0.5}
        if actions is not None and rng.random() < 0.5:
            rewards["bump"] = float(rng.normal())
    if rewards:
        metadata["rewards"] = ", ".join(f"{name} {value!r}" for name, value in rewards.items())
    codes = np.array([ord(tile) for tile in tiles], dtype=np.uint8).reshape(height, width)
    return Maze(codes, metadata)


def random_worlds(count, seed=0, rewards=None):
    rng = np.random.default_rng(seed)
    return [World.compile(random_maze(rng, rewards)) for _ in range(count)]


def general_worlds(count, seed=0, rewards=None):
    """Worlds with any actions, noise and wind."""
    rng = np.random.default_rng(seed)
    return [World.compile(random_maze(rng, rewards, str(rng.choice(("four", *ACTIONS))))) for _ in range(count)]

"""Break map texts at random: reading one gives a Maze or a MazeError, compiling that a World or a MazeError."""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable

from mazegrad.envs import LEGEND, MAZES, Maze, MazeError, World

MENAGERIE = """\
; every tile
title: A menagerie
slip: 1/10
ice: 0.5
rewards: step -1, item 2
trap: restart
wind: 0 0 1 0 2 0 0 0 0
#########
#S.~*aA0#
#^>.<v.1#
#{.}X*b1#
#.B0...G#
#########
"""
ODD = "\t\r\0;:=-,/\x85\u2028\u00e9\u25cf\ud800\U0001f600" + "9" * 3
LINES = (
    "slip: 2/0", "slip: nan", "slip: 1e400", "ice: -1", "ice: 1/3", "trap: end", "trap: restart", "trap: maybe",
    "wind: 1", "wind:", "wind: -1 2 x", "wind: " + "9" * 30, "wind: 1 1 1 1 1 1 1 1 1",
    "rewards: goal", "rewards: goal inf", "rewards: step -1, step 1", "rewards: trap -100",
    "actions: king", "actions: turns", "actions: a 1 2, b -1 0", "corners: cut", "facing: left", "noise: other 1/3",
    "noise: any 0.5, left_of 0.7", "noise: ~ stay 0.5; . back 1", "wind: left 1 1 1 1 1 1 1 varies", "wind: varies",
    "reward: $ 1 goal, m -1, up 2", "reward: A 3, G 2, # 1", "jump: P p 1, Q start", "jump: P X", "starts: h 2, S 3",
    "exit: all items", "walls: 012 3", "walls: 0120 3000 1212", "name", ":", ": x", "name: \ud800", "S", "", " ", ";",
)  # fmt: skip


def mutated(rng: random.Random, texts: list[str]) -> str:
    """Return one of the texts with one to eight random changes."""
    text = rng.choice(texts)
    for _ in range(rng.randint(1, 8)):
        lines = text.split("\n")
        place, line = rng.randrange(len(text) + 1), rng.randrange(len(lines))
        match rng.randrange(9):
            case 0 | 1 | 2:
                text = text[:place] + rng.choice([*LEGEND, *"$mPpQh"]) + text[place + 1 :]
            case 3:
                text = text[:place] + rng.choice(ODD) + text[place + rng.randrange(2) :]
            case 4:
                text = text[:place] + text[place + rng.randint(1, 12) :]
            case 5:
                text = "\n".join([*lines[:line], rng.choice(LINES), *lines[line:]])
            case 6:
                text = "\n".join([*lines[:line], *lines[line + 1 :]])
            case 7:
                text = "\n".join([*lines[:line], lines[rng.randrange(len(lines))], *lines[line:]])
            case _:
                other = rng.choice(texts)
                text = text[:place] + other[rng.randrange(len(other)) :][: rng.randint(1, 80)] + text[place:]
    return text


CHANCES = ("0", "1", "0.1", "1/3", "2/7", "0.25", "1/2", "1e-3", "0.3333333333333333", "1/1000003", "1e-12", "1e400")
NUMBERS = ("0", "1", "-1", "0.5", "-0.04", "10", "1e3", "-2", "1/3", "7_0", "+3", ".5", "2.", "\u0663")
HAPPENS = ("sideways", "left_of", "right_of", "back", "stay", "other", "any", "up", "right", "left", "down")
ACTS = ("up", "right", "left", "down", "a", "b", "leap", "forward", "stay", "other")


def invented(rng: random.Random) -> str:
    """Return a small map with some of all settings, at random; about half of them can be read and compiled."""
    height, width = rng.randint(1, 6), rng.randint(1, 7)
    settings = {line.split(":")[0]: line for line in (_setting(rng, height, width) for _ in range(rng.randint(0, 6)))}
    own = [tile for tile in "mPpQq$h!" if any(tile in line for line in settings.values()) or rng.random() < 0.01]
    pool = [*"......##~^><v*XG {}", *own, *rng.sample("aAbB0123", rng.randint(0, 4))]
    tiles = rng.choices(pool, k=height * width)
    for digit in {*tiles} & {*"0123"}:
        if height * width > 3 and rng.random() < 0.95:
            tiles = ["." if tile == digit else tile for tile in tiles]
            for cell in rng.sample(range(height * width), 2):
                tiles[cell] = digit
    for _ in range(rng.choice([1, 1, 2])):
        tiles[rng.randrange(height * width)] = "S"
    return "\n".join([*settings.values(), *("".join(tiles[i : i + width]) for i in range(0, height * width, width))])


def _setting(rng: random.Random, height: int, width: int) -> str:
    """Return a line of metadata."""

    def several(entry: Callable[[], str], most: int = 3) -> str:
        return rng.choice([", ", ",", " , "]).join(entry() for _ in range(rng.randint(1, most)))

    def wind() -> str:
        side = rng.choice(["", "up", "right", "left", "down"])
        lines = height if side in ("right", "left") else width
        varies = rng.choice(["", " varies", f" varies {rng.choice(CHANCES)}"])
        return f"{side} {' '.join(rng.choices('001239', k=lines))}{varies}"

    def noise() -> str:
        tile = rng.choice(["", "", "~ ", ". ", "^ ", "G "])
        return tile + several(lambda: f"{rng.choice(HAPPENS)} {rng.choice(CHANCES)}")

    def steps() -> str:
        return several(lambda: f"{rng.choice(ACTS)} {rng.randint(-2, 2)} {rng.randint(-2, 2)}", 5)

    def earning() -> str:
        if rng.random() < 0.3:
            return f"{rng.choice(ACTS)} {rng.choice(NUMBERS)}"
        return f"{rng.choice('$m!qS.G~X*a0^')} {rng.choice(NUMBERS)}{rng.choice(['', ' goal', ' trap', ' leaving'])}"

    lines: dict[str, Callable[[], str]] = {
        "slip": lambda: rng.choice(CHANCES),
        "ice": lambda: rng.choice(CHANCES),
        "rewards": lambda: several(
            lambda: f"{rng.choice(['goal', 'trap', 'item', 'step', 'bump', 'constructor'])} {rng.choice(NUMBERS)}"
        ),
        "trap": lambda: rng.choice(["end", "restart"]),
        "wind": wind,
        "noise": lambda: "; ".join(noise() for _ in range(rng.randint(1, 2))),
        "actions": lambda: rng.choice(["four", "stay", "king", "king_stay", "turns", steps(), steps()]),
        "reward": lambda: several(earning, 4),
        "jump": lambda: several(
            lambda: (
                f"{rng.choice('PQ$h')} {rng.choice(['p', 'q', 'start', 'S', '.', 'm', '*', 'a'])}"
                f" {rng.choice(['', *NUMBERS])}"
            )
        ),
        "starts": lambda: several(lambda: f"{rng.choice('Shm$')} {rng.randint(1, 4)}"),
        "exit": lambda: rng.choice(["any time", "all items"]),
        "walls": lambda: " ".join("".join(rng.choices("000123", k=width)) for _ in range(height)),
        "corners": lambda: rng.choice(["keep", "cut"]),
        "facing": lambda: rng.choice(["up", "right", "left", "down"]),
        "size": lambda: f"{height} x {width}",
        "name": lambda: rng.choice(["\u200b", "x'y\"z", "\U0001f600"]),
    }
    key = rng.choice(list(lines))
    return f"{key}: {lines[key]()}"


def fuzz(count: int, seed: int) -> Counter[str]:
    """Return how often each thing happened; any exception but MazeError comes through."""
    rng = random.Random(seed)
    texts = [MENAGERIE, *(path.read_text(encoding="utf-8") for path in MAZES.values())]
    seen: Counter[str] = Counter()
    for _ in range(count):
        text = mutated(rng, texts) if rng.random() < 0.8 else invented(rng)
        try:
            maze = Maze.from_text(text)
        except MazeError as error:
            check_error(error, text)
            seen["MazeError when read"] += 1
            continue
        assert Maze.from_text(maze.to_text()) == maze
        assert Maze(maze.tiles, maze.metadata) == maze
        try:
            world = World.compile(maze)
        except MazeError as error:
            check_error(error, text)
            seen["MazeError when compiled"] += 1
            continue
        assert world.states
        assert (world.next_state >= 0).all()
        assert (world.next_state < world.states).all()
        seen["World"] += 1
    return seen


def check_error(error: MazeError, text: str) -> None:
    """Check that the error points into the text."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    assert 1 <= error.line <= len(lines), (error, text)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 2, (error, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.perf_counter()
    for what, number in fuzz(arguments.count, arguments.seed).most_common():
        print(f"{number:>9,}  {what}")
    print(f"{time.perf_counter() - started:>9.1f}  seconds")

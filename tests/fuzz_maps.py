"""Break map texts at random: reading one gives a Maze or a MazeError, compiling that a World or a MazeError."""

import argparse
import random
import time
from collections import Counter

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


def fuzz(count: int, seed: int) -> Counter[str]:
    """Return how often each thing happened; any exception but MazeError comes through."""
    rng = random.Random(seed)
    texts = [MENAGERIE, *(path.read_text(encoding="utf-8") for path in MAZES.values())]
    seen: Counter[str] = Counter()
    for _ in range(count):
        text = mutated(rng, texts)
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

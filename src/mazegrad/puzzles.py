"""Mazes with their shortest paths, for those who train models to reason: `mazegrad dataset maze-hard`.

A puzzle is a drawing of walls, blanks, S and G; its answer marks a shortest path with o. Any shortest path is right:
`score` accepts it, and the number of shortest paths is beside each puzzle. Copies of a puzzle, turned or mirrored, are
never in two splits.
"""

import csv
import io
import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .envs import GENERATORS, Maze, draw, generate_batch, level_hashes, split_levels
from .envs.maps.arguments import whole
from .envs.maps.directions import OFFSETS
from .envs.maps.files import write_file
from .envs.maps.plain import Bounds, checked_bounds, distance_maps, fitting, why_none
from .envs.maps.randomness import key_from_seed, stream
from .film import save_png
from .progress import progress

CHARACTERS: Final = "# SGo"
"""of questions and answers; in the .npy files each is its place here plus 1, and 0 is padding"""
MOVES: Final = "URLD"
"""letters of the moves up, right, left and down"""
_BATCH: Final = 4096
_SHARES: Final = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True)
class Puzzle:
    """A maze and one of its shortest paths."""

    question: str
    """rows of # wall, blank floor, S and G, without line breaks"""
    answer: str
    """the same with the cells of the path as o"""
    moves: str
    """the path as moves, letters of `MOVES`"""
    paths: int
    """how many shortest paths there are"""
    size: int
    """of a side"""

    @property
    def prompt(self) -> str:
        """The puzzle in English, with the drawing in rows."""
        rows = "\n".join(self.question[i : i + self.size] for i in range(0, len(self.question), self.size))
        return (
            f"{rows}\n\nIn this maze # is a wall. Go from S to G, one cell up, right, left or down at a time. Answer"
            " with the moves of a shortest way, as letters U, R, L and D without blanks."
        )


def score(question: str, answer: str) -> bool:
    """Return whether an answer is a shortest path: any of them counts.

    Args:
        question: a square drawing in rows without line breaks; line breaks are accepted.
        answer: moves, letters of `MOVES`; or the drawing with the cells of the path as o.

    Raises:
        ValueError: the question is not a square drawing with one S and one G.
    """
    tiles, size = _grid(question)
    start, goal = int(np.flatnonzero(tiles == ord("S"))[0]), int(np.flatnonzero(tiles == ord("G"))[0])
    ways = distance_maps(_as_tiles(tiles).reshape(1, size, size))[0].ravel()
    drawn = answer.replace("\n", "").replace("\r", "")
    if len(drawn) == size * size and set(drawn) <= set(CHARACTERS):
        path = np.frombuffer(drawn.encode("ascii"), dtype=np.uint8)
        unchanged = path != ord("o")
        if (path[unchanged] != tiles[unchanged]).any() or (tiles[~unchanged] != ord(" ")).any():
            return False
        return _is_path(~unchanged, start, goal, ways, size)
    moves = answer.strip().upper()
    if ways[start] < 0 or len(moves) != ways[start] or set(moves) - set(MOVES):
        return False
    cell = start
    for letter in moves:
        row, column = OFFSETS[MOVES.index(letter)].tolist()
        y, x = cell // size + row, cell % size + column
        if not (0 <= y < size and 0 <= x < size) or ways[y * size + x] != ways[cell] - 1:
            return False
        cell = y * size + x
    return cell == goal


def _is_path(marked: NDArray[np.bool_], start: int, goal: int, ways: NDArray[Any], size: int) -> bool:
    """Return whether marked cells are those between the start and the goal of one shortest path."""
    length = int(ways[start])
    if length < 1 or int(marked.sum()) != length - 1:
        return False
    cells = sorted([start, *np.flatnonzero(marked).tolist()], key=lambda cell: -int(ways[cell]))
    steps = [int(ways[cell]) for cell in cells]
    if steps != list(range(length, 0, -1)):
        return False
    pairs = zip(cells, [*cells[1:], goal], strict=True)
    return all(abs(a // size - b // size) + abs(a % size - b % size) == 1 for a, b in pairs)


def _grid(question: str) -> tuple[NDArray[np.uint8], int]:
    drawn = question.replace("\n", "").replace("\r", "")
    size = round(len(drawn) ** 0.5)
    if size * size != len(drawn) or set(drawn) - set("# SG") or drawn.count("S") != 1 or drawn.count("G") != 1:
        raise ValueError(
            f"a question is a square of #, blanks, one S and one G; not {len(drawn)} characters {drawn!r:.60}"
        )
    return np.frombuffer(drawn.encode("ascii"), dtype=np.uint8), size


def _as_tiles(characters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(characters == ord(" "), ord("."), characters).astype(np.uint8)


# --------------------------------------------------------------------------------------------------------------- making
def puzzles(
    n: int,
    *,
    size: int = 30,
    shortest: int = 0,
    generator: str = "backtracker",
    braid: float = 0.0,
    seed: int = 0,
    avoid: NDArray[np.uint64] | None = None,
    within: Mapping[str, Bounds] = MappingProxyType({}),
) -> tuple[NDArray[np.uint8], NDArray[np.integer[Any]]]:
    """Return n different mazes whose shortest path has a least length, and their distances to the goal.

    No two are equal, turned or mirrored. An even size gets one more row and column of wall.

    Args:
        n: how many.
        size: of a side, from 5 on.
        shortest: the fewest steps from the start to the goal.
        generator: a name of `GENERATORS`.
        braid: the fraction of dead ends that are opened; loops make several shortest paths.
        seed: the mazes are those of the keys from this seed on.
        avoid: `level_hashes` of mazes that must not be among them.
        within: bounds of `MEASURES`, name -> (least, largest).

    Returns:
        (n, size, size) bytes of `.#SG`, and (n, size, size) steps.

    Raises:
        ValueError: a length that such mazes hardly ever have.
    """
    n, size = whole("n", n, 1), whole("size", size, 5)
    rooms = (size - 1) // 2
    knobs = {"braid": braid} if braid else {}
    drawn, steps, tried, found, key = [], [], 0, 0, key_from_seed(seed)
    seen = np.zeros(0, dtype=np.uint64) if avoid is None else avoid
    while found < n:
        keys = np.asarray(stream(key, np.arange(tried, tried + _BATCH, dtype=np.uint64)), dtype=np.uint64)
        tried += _BATCH
        tiles = generate_batch(generator, rooms, rooms, keys, **knobs)
        tiles = np.pad(
            tiles, ((0, 0), (0, size - tiles.shape[1]), (0, size - tiles.shape[2])), constant_values=ord("#")
        )
        ways = distance_maps(tiles)
        length = (ways * (tiles == ord("S"))).reshape(len(tiles), -1).max(axis=1)
        hashes = level_hashes(tiles)
        _, first = np.unique(hashes, return_index=True)
        fresh = np.zeros(len(tiles), dtype=bool)
        fresh[first] = ~np.isin(hashes[first], seen)
        kept = np.flatnonzero(fresh & (length >= max(shortest, 1)) & fitting(tiles, within))[: n - found]
        seen = np.concatenate([seen, hashes[kept]])
        drawn.append(tiles[kept])
        steps.append(ways[kept])
        found += len(kept)
        if tried >= 50 * _BATCH and found * 2000 < tried:
            if not found and within:
                raise ValueError(why_none(tiles, within, tried))
            bounds = "".join(f", and {name} from {least} to {most}" for name, (least, most) in within.items())
            raise ValueError(
                f"of {tried:,} mazes only {found} have a shortest path of {shortest} steps{bounds}; ask for less"
            )
    return np.concatenate(drawn), np.concatenate(steps)


def answers(tiles: NDArray[np.uint8], ways: NDArray[np.integer[Any]]) -> Iterator[Puzzle]:
    """Yield the puzzles of mazes: a shortest path of each, and how many there are."""
    letters = np.where(tiles == ord("."), ord(" "), tiles).astype(np.uint8)
    size = tiles.shape[1]
    for drawing, text, steps in zip(tiles, letters, ways, strict=True):
        flat, here = steps.ravel(), drawing.ravel()
        cell = int(np.flatnonzero(here == ord("S"))[0])
        marked, moves = text.ravel().copy(), ""
        while flat[cell] > 0:
            for letter, (row, column) in zip(MOVES, OFFSETS.tolist(), strict=True):
                after = cell + row * size + column
                if 0 <= after < len(flat) and flat[after] == flat[cell] - 1 and abs(after % size - cell % size) <= 1:
                    moves += letter
                    cell = after
                    break
            if flat[cell] > 0:
                marked[cell] = ord("o")
        yield Puzzle(text.tobytes().decode(), marked.tobytes().decode(), moves, _count(here, flat, size), size)


def _count(here: NDArray[np.uint8], ways: NDArray[np.integer[Any]], size: int) -> int:
    """Return the number of shortest paths from the start to a goal."""
    start = int(np.flatnonzero(here == ord("S"))[0])
    layer = {start: 1}
    for _ in range(int(ways[start])):
        following: dict[int, int] = {}
        for cell, count in layer.items():
            for row, column in OFFSETS.tolist():
                after = cell + row * size + column
                if 0 <= after < len(ways) and ways[after] == ways[cell] - 1 and abs(after % size - cell % size) <= 1:
                    following[after] = following.get(after, 0) + count
        layer = following
    return sum(layer.values())


# -------------------------------------------------------------------------------------------------------------- writing
def write_puzzles(arguments: Namespace) -> None:
    """Write puzzles in the formats that training code reads.

    Into `out`: for each split a folder of .npy files as HRM and TRM load them, a .csv (source, question, answer,
    rating), a .jsonl (prompt, moves, length, paths) and a .txt of maze-dataset's tokens. The splits
    "test_larger", "test_loopier" and "test_other" are for tests beyond the training distribution.

    Args:
        arguments: `size`, `n`, `out`, `seed`, `measure` (bounds of the mazes, but for the tests beyond them), and
            `pictures` (how many PNGs of each split).
    """
    out: Path = arguments.out or Path("maze-hard")
    size, n = arguments.size, arguments.n
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty; name another folder with --out")
    within = checked_bounds(dict(arguments.measure))
    shortest = round(110 * (size / 30) ** 2)  # HRM's 30 x 30 mazes have more than 110 steps
    if "path_length" in within:
        shortest = 0
    beyond: dict[str, dict[str, Any]] = {
        "larger": {"size": size + 10, "shortest": shortest},
        "loopier": {"size": size, "shortest": shortest // 3, "braid": 0.5},
        "other": {"size": size, "shortest": shortest // 3, "generator": "wilson"},
    }
    tiles, ways = puzzles(n, size=size, shortest=shortest, seed=arguments.seed, within=within)
    split = split_levels(tiles, _SHARES, salt=arguments.seed)
    for name, numbers in split.items():
        if len(numbers):
            _write_split(out, name, tiles[numbers], ways[numbers], arguments.pictures)
    known, tests = level_hashes(tiles), max(1, len(split["test"]))
    for number, (name, settings) in enumerate(beyond.items(), 1):
        more, steps = puzzles(tests, **settings, seed=arguments.seed + number, avoid=known)
        known = np.concatenate([known, level_hashes(more)]) if more.shape[1] == size else known
        _write_split(out, f"test_{name}", more, steps, arguments.pictures)
    write_file(out / "identifiers.json", b'["<blank>"]')
    print(f"wrote {out}")


def _write_split(out: Path, name: str, tiles: NDArray[np.uint8], ways: NDArray[np.integer[Any]], pictures: int) -> None:
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    made = list(progress(answers(tiles, ways), len(tiles), name))
    number = np.zeros(256, dtype=np.uint8)
    number[np.frombuffer(CHARACTERS.encode(), dtype=np.uint8)] = np.arange(1, len(CHARACTERS) + 1)
    n = len(made)
    fields = {
        "inputs": number[np.array([np.frombuffer(puzzle.question.encode(), np.uint8) for puzzle in made])],
        "labels": number[np.array([np.frombuffer(puzzle.answer.encode(), np.uint8) for puzzle in made])],
        "puzzle_identifiers": np.zeros(n, dtype=np.int32),
        "puzzle_indices": np.arange(n + 1, dtype=np.int32),
        "group_indices": np.arange(n + 1, dtype=np.int32),
    }
    for field, array in fields.items():
        written = io.BytesIO()
        np.save(written, array)
        write_file(folder / f"all__{field}.npy", written.getvalue())
    facts: Mapping[str, Any] = {
        "pad_id": 0, "ignore_label_id": 0, "blank_identifier_id": 0, "vocab_size": len(CHARACTERS) + 1,
        "seq_len": made[0].size ** 2, "num_puzzle_identifiers": 1, "total_groups": n, "total_puzzles": n,
        "mean_puzzle_examples": 1, "sets": ["all"],
    }  # fmt: skip
    write_file(folder / "dataset.json", json.dumps(facts).encode())
    table = io.StringIO(newline="")
    rows = csv.writer(table)
    rows.writerow(["source", "question", "answer", "rating"])
    rows.writerows(["mazegrad", puzzle.question, puzzle.answer, len(puzzle.moves)] for puzzle in made)
    write_file(out / f"{name}.csv", table.getvalue().encode())
    lines = (
        {
            "prompt": puzzle.prompt,
            "question": puzzle.question,
            "answer": puzzle.moves,
            "length": len(puzzle.moves),
            "paths": puzzle.paths,
        }
        for puzzle in made
    )
    write_file(out / f"{name}.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    write_file(out / f"{name}.txt", "".join(tokens(puzzle) + "\n" for puzzle in made).encode())
    for i in range(min(pictures, n)):
        save_png(folder / f"{i:04d}.png", draw(Maze(tiles[i])))
    several = sum(puzzle.paths > 1 for puzzle in made) / n
    lengths = [len(puzzle.moves) for puzzle in made]
    print(f"{name:14} {n:>8,} mazes, {min(lengths)} to {max(lengths)} steps, {several:.1%} with several shortest paths")


def tokens(puzzle: Puzzle) -> str:
    """Return a puzzle as maze-dataset writes it: the connections of cells, the origin, the target and the path."""
    size, cells = puzzle.size, np.frombuffer(puzzle.question.encode(), np.uint8).reshape(puzzle.size, puzzle.size)
    is_open = cells != ord("#")

    def name(row: int, column: int) -> str:
        return f"({row},{column})"

    pairs = [
        f"{name(row, column)} <--> {name(row + down, column + across)} ;"
        for row, column in np.argwhere(is_open).tolist()
        for down, across in ((0, 1), (1, 0))
        if row + down < size and column + across < size and is_open[row + down, column + across]
    ]
    (start,), (goal,) = np.argwhere(cells == ord("S")).tolist(), np.argwhere(cells == ord("G")).tolist()
    way, (row, column) = [name(*start)], start
    for letter in puzzle.moves:
        down, across = OFFSETS[MOVES.index(letter)].tolist()
        row, column = row + down, column + across
        way.append(name(row, column))
    return (
        f"<ADJLIST_START> {' '.join(pairs)} <ADJLIST_END> <ORIGIN_START> {name(*start)} <ORIGIN_END>"
        f" <TARGET_START> {name(*goal)} <TARGET_END> <PATH_START> {' '.join(way)} <PATH_END>"
    )


class MazePuzzles:
    """Puzzles by number, in the manner of reasoning-gym: `dataset[i]` is a dict, `score_answer` is 1.0 or 0.0.

    Args:
        size: the number of puzzles.
        grid_size: of a side.
        shortest: the fewest steps of a shortest path.
        generator, braid: see `puzzles`.
        seed: another number gives other puzzles.
    """

    def __init__(
        self, size: int = 500, grid_size: int = 15, shortest: int = 20, generator: str = "backtracker",
        braid: float = 0.0, seed: int = 0,
    ) -> None:  # fmt: skip
        if generator not in GENERATORS:
            raise ValueError(f"unknown generator {generator!r}; known: {', '.join(GENERATORS)}")
        tiles, ways = puzzles(size, size=grid_size, shortest=shortest, generator=generator, braid=braid, seed=seed)
        self._puzzles = list(answers(tiles, ways))

    def __len__(self) -> int:
        return len(self._puzzles)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return question, answer and metadata of a puzzle."""
        puzzle = self._puzzles[number]
        metadata = {"grid": puzzle.question, "length": len(puzzle.moves), "paths": puzzle.paths, "source_index": number}
        return {"question": puzzle.prompt, "answer": puzzle.moves, "metadata": metadata}

    def score_answer(self, answer: str | None, entry: Mapping[str, Any]) -> float:
        """Return 1.0 for any shortest path, else 0.0."""
        return float(answer is not None and score(entry["metadata"]["grid"], answer))

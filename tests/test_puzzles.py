"""Puzzles: files that HRM's loader reads, answers that are shortest paths, a score for which any of them counts."""

import csv
import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest

from mazegrad.cli import main
from mazegrad.envs import Maze, World, shortest_path
from mazegrad.envs.maps.splits import symmetric
from mazegrad.puzzles import CHARACTERS, MOVES, MazePuzzles, answers, puzzles, score, tokens

# the fields of `PuzzleDatasetMetadata` in TRM; HRM's has all but total_puzzles
METADATA = {
    "pad_id", "ignore_label_id", "blank_identifier_id", "vocab_size", "seq_len", "num_puzzle_identifiers",
    "total_groups", "total_puzzles", "mean_puzzle_examples", "sets",
}  # fmt: skip
LOOP = "######S  ## # ##  G######"  # 5 x 5, two ways of four steps around a wall


def test_any_shortest_path_is_right_and_nothing_else() -> None:
    assert score(LOOP, "RRDD") and score(LOOP, "ddrr") and score(LOOP, "DDRR\n")
    assert score(LOOP, "######Soo## #o##  G######") and score(LOOP, "######S  ##o# ##ooG######")
    wrong = [
        "",
        "RR",
        "RDRD",
        "RRDDL",
        "LRRRDD",
        "xyz",
        "UUUU",
        LOOP,
        "######Soo## #o## oG######",
        "######Soo##o#o##ooG######",
    ]
    assert not any(score(LOOP, answer) for answer in wrong)
    with pytest.raises(ValueError, match="a question is a square"):
        score("S G", "RR")


def test_random_answers_are_judged_as_a_brute_force_does() -> None:
    tiles, ways = puzzles(20, size=9, braid=0.7, seed=5)
    rng = random.Random(0)
    for drawing, puzzle in zip(tiles, answers(tiles, ways), strict=True):
        world = World.compile(Maze(drawing))
        best = len(shortest_path(world)) - 1
        assert (
            len(puzzle.moves) == best and score(puzzle.question, puzzle.moves) and score(puzzle.question, puzzle.answer)
        )
        right = set()
        for _ in range(100):
            state, moves = int(world.start_states[0]), ""
            while len(moves) < best and not world.goal[state]:
                action = rng.randrange(4)
                state, moves = int(world.next_state[state, action]), moves + MOVES[action]
            assert score(puzzle.question, moves) == (len(moves) == best and bool(world.goal[state]))
            if world.goal[state]:
                right.add(moves)
        assert len(right) <= puzzle.paths


def test_mazes_differ_and_are_long_enough() -> None:
    tiles, ways = puzzles(200, size=9, shortest=14)
    drawn = {drawing.tobytes() for drawing in tiles}
    assert len(drawn) == 200
    for drawing in tiles[:50]:
        copies = {np.ascontiguousarray(copy).tobytes() for copy in symmetric(drawing)} - {drawing.tobytes()}
        assert not copies & drawn
    assert all(ways[i][tiles[i] == ord("S")][0] >= 14 for i in range(200))
    assert puzzles(3, size=12)[0].shape == (3, 12, 12)
    with pytest.raises(ValueError, match="ask for less"):
        puzzles(10, size=5, shortest=100)


def test_the_folders_are_those_of_hrm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["dataset", "maze-hard", "--size", "12", "--n", "120", "--out", str(tmp_path / "d"), "--pictures", "1"]
    assert main(words) == 0
    assert "with several shortest paths" in capsys.readouterr().out
    folders = ["train", "validation", "test", "test_larger", "test_loopier", "test_other"]
    seen: dict[bytes, str] = {}
    for name in folders:
        folder = tmp_path / "d" / name
        facts = json.loads((folder / "dataset.json").read_text())
        arrays = {field: np.load(folder / f"all__{field}.npy") for field in
                  ("inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices")}  # fmt: skip
        n = facts["total_groups"]
        assert facts.keys() == METADATA and facts["total_puzzles"] == n
        assert arrays["inputs"].shape == arrays["labels"].shape == (n, facts["seq_len"])
        assert arrays["puzzle_indices"].tolist() == arrays["group_indices"].tolist() == list(range(n + 1))
        assert arrays["inputs"].min() >= 1 and arrays["labels"].max() < facts["vocab_size"] == len(CHARACTERS) + 1
        with (tmp_path / "d" / f"{name}.csv").open(newline="") as file:
            (_, *rows) = csv.reader(file)
        lines = [json.loads(line) for line in (tmp_path / "d" / f"{name}.jsonl").read_text().splitlines()]
        assert len(rows) == len(lines) == n
        for (_, question, answer, rating), line, numbers in zip(rows, lines, arrays["inputs"], strict=True):
            assert score(question, answer) and score(question, line["answer"]) and int(rating) == line["length"]
            assert "".join(CHARACTERS[number - 1] for number in numbers) == question == line["question"]
            side = round(len(question) ** 0.5)
            for copy in symmetric(np.frombuffer(question.encode(), np.uint8).reshape(side, side)):
                assert seen.setdefault(np.ascontiguousarray(copy).tobytes(), name) == name, "a leak"
        assert (folder / "0000.png").read_bytes().startswith(b"\x89PNG")
    assert main(words) == 2
    assert "is not empty" in capsys.readouterr().err


def test_tokens_and_a_generator_in_the_manner_of_reasoning_gym() -> None:
    dataset = MazePuzzles(size=5, grid_size=9, shortest=8)
    entry = dataset[2]
    assert len(dataset) == 5 and dataset.score_answer(entry["answer"], entry) == 1.0
    assert dataset.score_answer("U", entry) == 0.0 == dataset.score_answer(None, entry)
    (puzzle,) = answers(*puzzles(1, size=9, shortest=8))
    words = tokens(puzzle)
    path = words.split("<PATH_START> ")[1].split(" <PATH_END>")[0].split()
    assert len(path) == len(puzzle.moves) + 1
    assert f"<ORIGIN_START> {path[0]} <ORIGIN_END>" in words and f"<TARGET_START> {path[-1]} <TARGET_END>" in words
    for a, b in itertools.pairwise(path):
        assert f"{a} <--> {b} ;" in words or f"{b} <--> {a} ;" in words

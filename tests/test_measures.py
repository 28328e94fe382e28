"""How hard mazes are, many at once: the counts of `describe`, and generators that are steered by them."""

import json
from pathlib import Path

import numpy as np
import pytest

from mazegrad.cli import main
from mazegrad.envs import MEASURES, Maze, describe, generate, load_maze, measures


def test_measures_are_those_of_describe() -> None:
    for name in ("backtracker", "caves", "dungeon", "wilson"):
        mazes = [generate(name, 5, 6, rng=np.random.default_rng(i)) for i in range(20)]
        found = measures(np.array([maze.tiles for maze in mazes]))
        for number, card in enumerate(map(describe, mazes)):
            wanted = {
                "path_length": card.shortest_path, "open_cells": card.open_cells, "dead_ends": card.dead_ends,
                "corridors": card.corridors, "junctions": card.junctions, "look_alikes": card.look_alikes["dots"],
                "view_look_alikes": card.look_alikes["view"],
            }  # fmt: skip
            assert {key: int(found[key][number]) for key in wanted} == wanted


def test_the_frontier_is_that_of_a_plain_search() -> None:
    maze = load_maze("four_rooms")
    layer, seen, most = [tuple(place) for place in maze.find("G").tolist()], set(), 0
    while layer:
        seen |= set(layer)
        most = max(most, len(layer))
        ahead = {
            (row + down, column + right) for row, column in layer for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0))
        }
        layer = [place for place in ahead if maze.open[place] and place not in seen]
    assert measures(maze.tiles[None], "frontier")["frontier"].tolist() == [most]


def test_no_way_and_no_start_are_minus_one() -> None:
    tiles = np.array([Maze.from_text(text).tiles for text in ("S#G", "..G", "S.G")])
    assert measures(tiles, "path_length")["path_length"].tolist() == [-1, -1, 2]
    with pytest.raises(ValueError, match="unknown measure 'dead_end'; did you mean 'dead_ends'"):
        measures(tiles, "dead_end")


@pytest.mark.parametrize("bounds", [{"path_length": (60, None)}, {"dead_ends": (None, 6), "junctions": (1, 9)}])
def test_generators_are_steered(bounds: dict[str, tuple[int | None, int | None]]) -> None:
    made = [generate("backtracker", 8, 8, rng=np.random.default_rng(seed), **bounds) for seed in range(12)]
    found = measures(np.array([maze.tiles for maze in made]))
    free = measures(np.array([generate("backtracker", 8, 8, rng=np.random.default_rng(s)).tiles for s in range(12)]))
    for name, (least, largest) in bounds.items():
        assert (found[name] >= (least or 0)).all() and (found[name] <= (largest or 10**6)).all()
    assert any(
        (free[name] < (least or 0)).any() or (free[name] > (most or 10**6)).any()
        for name, (least, most) in bounds.items()
    )
    again = generate("backtracker", 8, 8, rng=np.random.default_rng(3), **bounds)
    assert again == made[3] and len(set(made)) == len(made)


def test_what_cannot_be_says_what_there_is() -> None:
    rng = np.random.default_rng(0)
    for bounds, error, message in (
        (
            {"path_length": (110, None)},
            ValueError,
            r"none of 20,000 mazes has path_length at least 110 \(they have 8 to",
        ),
        ({"path_length": (5, 4)}, ValueError, "from the smaller to the larger number, not 5 to 4"),
        ({"path_length": 110}, TypeError, r"must be \(least, largest\), integers or None"),
        ({"path_lenght": (1, 2)}, ValueError, "has no knob 'path_lenght'; did you mean 'path_length'"),
    ):
        with pytest.raises(error, match=message):
            generate("backtracker", 3, 3, rng=rng, **bounds)


def test_the_command_line_steers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "m.txt"
    words = ["generate", "--rows", "8", "--columns", "8", "--measure", "path_length=60:", "--out", str(out)]
    assert main(words) == 0
    assert describe(load_maze(out)).shortest_path >= 60
    assert main([*words, "--measure", "dead_ends=:0"]) == 2
    assert "dead_ends at most 0 (they have" in capsys.readouterr().err
    assert main(["generate", "--measure", "length=1:"]) == 2
    assert "unknown measure 'length'" in capsys.readouterr().err
    folder = tmp_path / "set"
    words = ["dataset", "maze-hard", "--size", "15", "--n", "20", "--out", str(folder)]
    assert main([*words, "--measure", "path_length=30:40", "--measure", "dead_ends=:8"]) == 0
    for line in (folder / "train.jsonl").read_text().splitlines():
        question = json.loads(line)["question"].replace(" ", ".")
        card = describe(Maze.from_text("\n".join(question[i : i + 15] for i in range(0, 225, 15))))
        assert 30 <= card.shortest_path <= 40 and card.dead_ends <= 8
    assert main(["list"]) == 0
    assert " ".join(MEASURES) in capsys.readouterr().out

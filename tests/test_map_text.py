"""Map texts: what is read is printed unchanged, and what cannot be read is refused with line and column."""

import pickle

import numpy as np
import pytest
from fuzz_maps import MENAGERIE, fuzz
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.envs import AGENT_CODE, LEGEND, TILE_CODES, Maze, MazeError
from mazegrad.envs.maps.metadata import METADATA
from mazegrad.envs.maps.moves import NAMED

NUMBERS = st.floats(-1e6, 1e6).map(repr)
VALUES = {
    **dict.fromkeys(("slip", "ice"), st.floats(0, 1).map(repr) | st.just("2/3")),
    "rewards": st.dictionaries(st.sampled_from(["goal", "trap", "item", "step"]), NUMBERS, min_size=1).map(
        lambda earns: ", ".join(f"{name} {value}" for name, value in earns.items())
    ),
    "trap": st.sampled_from(["end", "restart"]),
    "wind": st.builds(
        lambda way, wind, varies: f"{way}{' '.join(map(str, wind))}{varies}",
        st.sampled_from(["", "up ", "left ", "right ", "down "]),
        st.lists(st.integers(0, 9), min_size=1),
        st.sampled_from(["", " varies", " varies 1/2"]),
    ),
    "noise": st.sampled_from(["other 1/3", "left_of 0.1, right_of 0.2", "~ stay 1/2", "back 0; ~ up 1; . any 1/4"]),
    "actions": st.sampled_from([*NAMED, "up -1 0, leap 0 2", "a 0 1"]),
    "walls": st.sampled_from(["0", "012 300", "10 02 33"]),
    "reward": st.sampled_from(["$ 10 goal, m -1", "up -0.1, ~ 0.5", "x -1e3 trap, x 2 leaving"]),
    "jump": st.sampled_from(["P p 10, Q q", "P start"]),
    "starts": st.sampled_from(["S 2, h 1", "h 1000"]),
    "exit": st.sampled_from(["all items", "any time"]),
    "corners": st.sampled_from(["keep", "cut"]),
    "facing": st.sampled_from(["up", "right", "left", "down"]),
    **dict.fromkeys(
        ("name", "title", "source"),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")).map(str.strip),
    ),
}


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.data())
def test_tiles_and_metadata_survive_text(height: int, width: int, data: st.DataObject) -> None:
    size = height * width
    tiles = data.draw(st.lists(st.sampled_from([ord(tile) for tile in LEGEND]), min_size=size, max_size=size))
    metadata = data.draw(st.fixed_dictionaries({}, optional=VALUES))
    maze = Maze(np.array(tiles, dtype=np.uint8).reshape(height, width), metadata)
    again = Maze.from_text(maze.to_text())
    assert np.array_equal(again.tiles, maze.tiles) and again.metadata == maze.metadata
    assert again == maze and hash(again) == hash(maze) and again.to_text() == maze.to_text()
    assert pickle.loads(pickle.dumps(maze)) == maze
    assert {key: maze.setting(key) for key in METADATA} == {key: again.setting(key) for key in METADATA}


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 40), st.sampled_from(["; a comment", ";", "name: x"]))
def test_what_was_read_is_printed_unchanged(place: int, line: str) -> None:
    lines = MENAGERIE.split("\n")
    lines.insert(place % 3, line)
    text = "\n".join(lines)
    maze = Maze.from_text(text)
    assert maze.to_text() == text
    assert (maze == Maze.from_text(MENAGERIE)) == line.startswith(";")  # metadata counts, comments do not


def test_every_setting_has_an_example_here() -> None:
    assert set(VALUES) == set(METADATA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slip: 1/0\nS", "line 1, column 6: 'slip' must be a probability"),
        ("slip: nan\nS", "line 1, column 6: 'slip' must be a probability"),
        ("slip: 1e999999999\nS", "line 1, column 6: 'slip' must be a probability"),
        ("\nice: 1.1\nS", "line 2, column 5: 'ice' must be a probability"),
        ("trap: maybe\nS", "line 1, column 6: 'trap' must be `end` or `restart`"),
        ("wind: 1 -1\nS.", "line 1, column 6: 'wind' must be a whole number of cells for each column"),
        ("wind:\nS.", "line 1, column 6: 'wind' must be"),
        ("rewards: gaol 1\nS", "line 1, column 9: 'rewards' must be numbers for some of goal, trap, item, step"),
        ("rewards: goal\nS", "line 1, column 9: 'rewards' must be"),
        ("rewards: goal inf\nS", "line 1, column 9: 'rewards' must be"),
        ("rewards: goal 1, goal 2\nS", "line 1, column 9: 'rewards' must be"),
        ("winds: 1\nS", "line 1, column 1: unknown key 'winds'; did you mean 'wind'"),
        ("title: \ud800\nS", "line 1, column 7: 'title' must be a text"),
        ("S.\n.Z", "line 2, column 2: unknown tile 'Z'"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(MazeError, match=message):
        Maze.from_text(text)


def test_settings() -> None:
    maze = Maze.from_text(MENAGERIE)
    assert maze.setting("rewards") == {"step": -1.0, "item": 2.0}
    assert maze.setting("wind") == (0, (0, 0, 1, 0, 2, 0, 0, 0, 0), 0)  # up
    assert (maze.setting("slip"), maze.setting("ice"), maze.setting("trap")) == (0.1, 0.5, "restart")
    assert Maze.from_text("S").setting("wind") is None


@pytest.mark.slow
def test_broken_texts_give_a_maze_or_a_maze_error() -> None:
    """A small run of the fuzzer; `python tests/fuzz_maps.py` makes a large one."""
    seen = fuzz(4000, seed=2026)
    assert seen["MazeError when read"] > 400 and seen["MazeError when compiled"] > 100 and seen["World"] > 400


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_gives_a_maze_or_a_maze_error(text: str) -> None:
    try:
        assert Maze.from_text(Maze.from_text(text).to_text()) == Maze.from_text(text)
    except MazeError as error:
        assert error.line >= 1 and error.column >= 1


def test_a_tile_keeps_its_code() -> None:
    """Nets that observe codes rely on it: a new tile comes after the agent's mark."""
    known = " #.SGX~^><v0123456789*abcdefABCDEF{}"
    assert [int(TILE_CODES[ord(tile)]) for tile in known] == list(range(36)) and AGENT_CODE == 36
    assert len({int(TILE_CODES[ord(tile)]) for tile in LEGEND} | {AGENT_CODE}) == len(LEGEND) + 1

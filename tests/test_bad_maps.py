"""Maps that are not what they should be: a MazeError with line and column, or accepted where that is kinder."""

import copy
import pickle
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mazegrad.envs import LEGEND, Maze, MazeError, World, load_maze
from mazegrad.envs.core.world import TABLES
from mazegrad.envs.maps.paths import check_path

SQUARE = "####\n#SG#\n####\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("", 1, 1, "empty"),
        ("\n\n\n", 1, 1, "empty"),
        ("; only a comment\n", 1, 1, "empty"),
        ("name: nothing\n", 1, 1, "empty"),
        ("####\n#SG\n####\n", 2, 4, "3 tiles, but the drawing is 4 wide"),
        ("####\n#SG##\n####\n", 1, 5, "4 tiles, but the drawing is 5 wide"),
        ("####\n#S?#\n####\n", 2, 3, "unknown tile '?'"),
        ("####\n#Sg#\n####\n", 2, 3, "keys have six letters, a to f"),
        ("####\n#SG#\n###\u25cf\n", 3, 4, "unknown tile '\u25cf'"),
        ("####\n#S\tG#\n####\n", 2, 3, "a tab"),
        ("####\n#S\0G#\n####\n", 2, 3, "unknown tile '\\x00'"),
        ("; a comment\nname: x\n\n####\n#S?#\n####\n", 5, 3, "unknown tile"),
        ("###\n; in between\n#?#\n", 3, 2, "unknown tile"),
        ("nmae: x\n" + SQUARE, 1, 1, "did you mean 'name'?"),
        ('{"format": "mazegrad replay 1", "id": "mazegrad/Maze-v0"}\n', 1, 1, "looks like JSON"),
        ("S.:G\n....\n", 1, 3, "':' is not a tile, and 'S.' is not a metadata key; known keys: name, "),
        ("name: x\nname: y\n" + SQUARE, 2, 1, "given twice"),
        ("slip: often\n" + SQUARE, 1, 6, "a probability such as 0.1 or 2/3, not 'often'"),
        ("slip: 3/2\n" + SQUARE, 1, 6, "probability"),
        ("slip: 1/0\n" + SQUARE, 1, 6, "probability"),
        ("slip: nan\n" + SQUARE, 1, 6, "probability"),
    ],
)
def test_an_error_in_a_map_names_line_and_column(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(MazeError) as error:
        Maze.from_text(text)
    assert (error.value.line, error.value.column) == (line, column)
    assert says in str(error.value)
    assert str(error.value).startswith(f"line {line}, column {column}: ")


@pytest.mark.parametrize(
    "text",
    [
        SQUARE.replace("\n", "\r\n"),
        "\ufeff" + SQUARE,
        "\n\n" + SQUARE + "\n\n",
        SQUARE.removesuffix("\n"),
        "####  \n#SG#\n####    \n",
        "; a comment\n" + SQUARE,
        SQUARE.replace("\n#S", "\n; in between\n#S"),
    ],
    ids=[
        "Windows line ends",
        "byte order mark",
        "empty lines",
        "no last line end",
        "trailing blanks",
        "comment",
        "inside",
    ],
)
def test_what_means_the_same_is_accepted(text: str) -> None:
    assert Maze.from_text(text) == Maze.from_text(SQUARE)


def test_paths_may_leave_out_trailing_blanks() -> None:
    assert Maze.from_text("S....\n    .\nG....\n") == Maze.from_text("S....\n    .\nG....")
    assert Maze.from_text("S.\n .....\n").rows() == ["S.    ", " ....."]


def test_no_start_no_world() -> None:
    with pytest.raises(MazeError, match="line 2, column 1: the maze has no start; put an S"):
        World.compile(Maze.from_text("; a comment\n###\n#G#\n###\n"))


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("...\n", 1, 1, "must have one start S, not 0"),
        ("S.S\n", 1, 3, "must have one start S, not 2"),
        ("GSG\n", 1, 3, "can have one goal G at most, not 2"),
        ("S.G.\n", 1, 3, "the goal is inside the path"),
        ("S..\n .\n", 1, 2, "touches itself"),
        ("S.G\n   \n...\n", 3, 1, "not connected to the start"),
    ],
)
def test_path_follow_needs_a_path(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(MazeError, match=f"line {line}, column {column}: .*{says}"):
        check_path(Maze.from_text(text))
    with pytest.raises(MazeError, match=says):
        gymnasium.make("mazegrad/PathFollow-v0", maze=text)


def test_a_start_that_only_a_key_leads_to() -> None:
    env = gymnasium.make("mazegrad/KeyDoor-v0")
    for start in ((4, 3), (3, 6), (9, 1)):  # on the key, in the door, behind both doors
        with pytest.raises(
            ValueError, match=f"only an agent that carries a key .* at row {start[0]}, column {start[1]} "
        ):
            env.reset(options={"start": start})
    with pytest.raises(ValueError, match="an agent cannot stand at row 0, column 0"):
        env.reset(options={"start": (0, 0)})


def test_two_goals_and_no_goal_are_fine_in_a_grid_world() -> None:
    for maze in ("GSG\n", "S..\n"):
        gymnasium.make("mazegrad/GridWorld-v0", maze=maze).reset(seed=0)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "map.txt"
    file.write_bytes(SQUARE.encode())
    assert Maze.from_file(file) == Maze.from_text(SQUARE)
    file.write_bytes(b"####\n#S\xff#\n####\n")
    with pytest.raises(MazeError, match=r"map.txt, line 2, column 3: byte 0xff is not text"):
        Maze.from_file(file)
    file.write_bytes(b"####\n#S?#\n####\n")
    with pytest.raises(MazeError, match=r"map.txt, line 2, column 3: unknown tile") as caught:
        gymnasium.make("mazegrad/GridWorld-v0", maze=str(file))
    assert (caught.value.line, caught.value.column, caught.value.file) == (2, 3, str(file))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    for text, says in (("wind: 1\nS..\n", "line 1, column 6: 1 numbers for 3"), ("S.1\n", "line 1, column 3: a tele")):
        file.write_text(text)
        with pytest.raises(MazeError, match=rf"map.txt, {says}"):  # read, but no world
            World.compile(Maze.from_file(file))
    with pytest.raises(FileNotFoundError):
        Maze.from_file(tmp_path / "none.txt")
    with pytest.raises(ValueError, match="neither a shipped maze nor a file; did you mean 'spiral'"):
        gymnasium.make("mazegrad/GridWorld-v0", maze="spirall")
    with pytest.raises(ValueError, match="is a folder, not a file with a maze"):
        gymnasium.make("mazegrad/GridWorld-v0", maze=str(tmp_path))
    with pytest.raises(ValueError, match="nor a file; end a drawing of one line with a line break"):
        gymnasium.make("mazegrad/GridWorld-v0", maze="S..G")
    for name in (5, ["spiral"], None):
        with pytest.raises(TypeError, match="a maze must be a Maze, a text, a shipped name or a file"):
            load_maze(name)
    with pytest.raises(ValueError, match="neither a shipped maze nor a file"):
        gymnasium.make("mazegrad/GridWorld-v0", maze="S" + "." * 300 + "G")  # longer than a file's name can be


@pytest.mark.parametrize("tile", [b"#", b"\n", b"S", b"\x00", b"\xff", b"a: b\n"])
def test_ten_megabytes_are_refused_or_read(tile: bytes, tmp_path: Path) -> None:
    file = tmp_path / "map.txt"
    file.write_bytes((tile * 10_000_000)[:10_000_000])
    with pytest.raises(MazeError, match=r"map.txt, line 1, column \d+: "):
        Maze.from_file(file)


def test_a_large_map_within_the_bound_is_read(tmp_path: Path) -> None:
    file = tmp_path / "map.txt"
    file.write_text("\n".join(["." * 2000] * 1999 + ["S" + "G" * 1999]))
    assert Maze.from_file(file).height == 2000


@given(st.text(max_size=80) | st.text(alphabet=[*LEGEND, "\n", "\r", ";", ":", "x"], max_size=80))
def test_any_text_is_a_maze_or_a_maze_error(text: str) -> None:
    try:
        maze = Maze.from_text(text)
    except MazeError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= max(map(len, lines)) + 1
        return
    assert Maze.from_text(maze.to_text()) == maze
    try:
        world = World.compile(maze)
    except MazeError as error:
        assert b"S" not in maze.tiles.tobytes() or "teleporter" in str(error) or "keys and items" in str(error)
    else:
        assert world.carried.any() or world.states <= maze.open.sum()


@given(st.binary(max_size=60))
def test_any_bytes_are_a_maze_or_a_maze_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.txt"
    file.write_bytes(data)
    try:
        Maze.from_file(file)
    except MazeError as error:
        assert error.line >= 1
        assert error.column >= 1


drawings = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.text(alphabet=list(LEGEND), min_size=width, max_size=width), min_size=1, max_size=6)
)


@given(drawings)
def test_tiles_print_and_parse_unchanged(rows: list[str]) -> None:
    text = "\n".join(rows) + "\n"
    maze = Maze.from_text(text)
    assert maze.to_text() == text
    assert maze.rows() == rows
    assert Maze.from_text("\ufeff" + text.replace("\n", "\r\n")).to_text() == text
    again = Maze(maze.tiles, {"name": "again"})
    assert Maze.from_text(again.to_text()) == again != maze


def test_tiles_are_read_only_and_copied() -> None:
    tiles = np.full((2, 2), ord("."), dtype=np.uint8)
    maze = Maze(tiles)
    tiles[0, 0] = 0
    assert (maze.tiles == ord(".")).all()
    with pytest.raises(ValueError, match="read-only"):
        maze.tiles[0, 0] = 0
    world = World.compile(load_maze("key_door"))
    for array in (maze.tiles, maze.open, *(getattr(world, name) for name in TABLES)):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)
    for bad in (tiles.astype(int), tiles[0], "S.G"):
        with pytest.raises(TypeError, match="uint8"):
            Maze(bad)
    with pytest.raises(MazeError, match="unknown tile"):
        Maze(tiles)


def test_metadata_is_text() -> None:
    with pytest.raises(TypeError, match=r"metadata must be text, such as .*, not \{'slip': 0\.1\}"):
        Maze(Maze.from_text(SQUARE).tiles, {"slip": 0.1})


def test_a_maze_is_immutable() -> None:
    maze = load_maze("sheet38")  # everybody's
    before = maze.digest
    for name in ("tiles", "metadata", "open", "digest", "anything"):
        with pytest.raises(AttributeError, match=f"a maze is immutable, '{name}'"):
            setattr(maze, name, None)
        with pytest.raises(AttributeError, match=f"a maze is immutable, '{name}'"):
            delattr(maze, name)
    for again in (copy.copy(maze), copy.deepcopy(maze), pickle.loads(pickle.dumps(maze))):
        assert again.digest == before
        assert again.to_text() == maze.to_text()
        assert (again.open == maze.open).all()


def test_equality_and_hash_follow_the_content() -> None:
    plain, commented = Maze.from_text(SQUARE), Maze.from_text("; hello\n" + SQUARE)
    named = Maze.from_text("name: x\n" + SQUARE)
    assert plain == commented
    assert hash(plain) == hash(commented)
    assert plain != named
    assert len({plain, commented, named}) == 2
    assert plain.digest == Maze.from_text(SQUARE).digest
    assert (plain == 3) is False

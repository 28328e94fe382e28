"""Blanks at the edges of a drawing survive editors that strip them, by a `size` line."""

import numpy as np
import pytest

from mazegrad.envs import Maze, MazeError, World, load_maze, save_maze


def stripped(text: str) -> str:
    """What an editor makes of a text that strips blanks at line ends and empty lines at the end."""
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n") + "\n"


@pytest.mark.parametrize("seed", range(300))
def test_any_maze_survives_an_editor(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tiles = rng.choice(np.frombuffer(b"   .#SG", dtype=np.uint8), size=rng.integers(1, 5, size=2))
    metadata = {} if seed % 3 else {"wind": " ".join(["1"] * tiles.shape[1]), "name": "x"}
    maze = Maze(tiles, metadata)
    again = Maze.from_text(stripped(maze.to_text()))
    assert again == maze and again.digest == maze.digest and again.metadata == metadata
    assert Maze.from_text(maze.to_text()) == maze


def test_the_line_is_written_only_where_an_edge_is_blank() -> None:
    def text(*rows: str) -> str:
        return Maze(np.array([[ord(tile) for tile in row] for row in rows], dtype=np.uint8)).to_text()

    assert text("S G", " ..") == "S G\n ..\n"
    assert text("S G", ".. ") == "size: 2 x 3\nS G\n.. \n"
    assert text("   ", "S.G") == "size: 2 x 3\n   \nS.G\n"


def test_lines_are_those_of_the_text() -> None:
    maze = Maze.from_text("; a comment\nwind: 0 1 0\nsize: 4 x 3\n\nS.G\n; between\n 0\n")
    assert maze.rows() == ["   ", "S.G", " 0 ", "   "]
    with pytest.raises(MazeError, match="line 7, column 2: a teleporter"):
        World.compile(maze)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("size: 3\nS.G\n", 1, 6, "rows x columns"),
        ("size: 0 x 3\nS.G\n", 1, 6, "1 to"),
        ("size: 99999999 x 99999999\nS.G\n", 1, 6, "1 to"),
        ("size: 1 x 3\nsize: 1 x 3\nS.G\n", 2, 1, "twice"),
        ("size: 1 x 3\n\nS.G\n", 3, 1, "more than the 1 rows that line 1 says"),
        ("size: 1 x 2\nS.G\n", 2, 3, "more than the 2 columns"),
        ("S.G\nsize: 1 x 3\n", 2, 1, "unknown tile"),
    ],
)
def test_wrong_sizes(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(MazeError, match=said) as caught:
        Maze.from_text(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_files(tmp_path) -> None:
    maze = Maze(np.frombuffer(b"   S.G", dtype=np.uint8).reshape(2, 3))
    save_maze(tmp_path / "a.txt", maze)
    assert load_maze(tmp_path / "a.txt") == maze
    save_maze(tmp_path / "b.txt", load_maze(tmp_path / "a.txt"))
    assert (tmp_path / "b.txt").read_text() == (tmp_path / "a.txt").read_text()

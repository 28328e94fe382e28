"""Files as people have them: text from Windows, names of pictures, pipes, recordings that were cut short."""

import codecs
import os
from pathlib import Path

import pytest

from mazegrad.cli import main
from mazegrad.envs import Maze, MazeError, load_maze, save_maze

DRAWN = "#####\n#S.G#\n#####\n"
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_text_of_any_editor_is_read(encoding: str, tmp_path: Path, capsys: Captured) -> None:
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    path = tmp_path / "mine.txt"
    path.write_bytes(mark + DRAWN.replace("\n", "\r\n").encode(encoding))
    assert load_maze(path) == Maze.from_file(path) == Maze.from_text(DRAWN)
    assert main(["solve", str(path)]) == 0
    assert "breadth_first: 2 steps" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".svg", ".jpg", ".GIF", ".pdf"])
def test_a_maze_is_not_written_as_text_under_the_name_of_a_picture(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"mine{suffix}"
    with pytest.raises(ValueError, match=f"no format of mazes is written as {suffix.lower()}; known: .txt, "):
        save_maze(path, Maze.from_text(DRAWN))
    assert not path.exists()
    save_maze(path, Maze.from_text(DRAWN), format="text")
    assert path.read_text() == DRAWN


def test_small_letters_and_short_rows(tmp_path: Path) -> None:
    with pytest.raises(MazeError, match=r"unknown tile 's'; did you mean 'S'\?"):
        Maze.from_text(DRAWN.replace("S", "s"))
    (tmp_path / "short.txt").write_text("#####\n#S.G#\n####\n")
    with pytest.raises(MazeError, match=r"draw the missing tiles$"):  # without a word of other formats
        load_maze(tmp_path / "short.txt")
    (tmp_path / "blanks.txt").write_text("#####\n#S E#\n####\n")
    with pytest.raises(MazeError, match="blank_floor"):
        load_maze(tmp_path / "blanks.txt")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device_is_named_without_an_error_number(capsys: Captured) -> None:
    assert main(["generate", "--out", "/dev/full"]) == 2
    assert capsys.readouterr().err == "mazegrad: /dev/full: No space left on device\n"


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="needs /dev/null")
def test_a_maze_is_converted_into_a_device_but_not_read_from_one(capsys: Captured) -> None:
    assert main(["convert", "spiral", "/dev/null"]) == 0
    assert main(["solve", "/dev/null"]) == 2
    assert "'/dev/null' is a pipe or a device; write the maze to a file" in capsys.readouterr().err


def test_a_recording_that_was_cut_short_names_its_line(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "walk.jsonl"
    assert main(["record", str(path)]) == 0
    path.write_bytes(path.read_bytes()[:-40])
    assert main(["replay", str(path)]) == 2
    assert "walk.jsonl, line 2: this is not JSON: the file was cut short" in capsys.readouterr().err

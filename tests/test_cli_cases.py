"""Cases of the command line that went wrong once: late refusals, foreign files, odd terminals, agents out of place."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from mazegrad import mazes
from mazegrad.agents import EXCHANGE
from mazegrad.cli import main
from mazegrad.envs import SOLVERS
from mazegrad.files import kind_of

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
ENVIRONMENT |= {"PYTHONIOENCODING": "utf-8"}
Captured = pytest.CaptureFixture[str]


def mazegrad(*words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mazegrad", *words]
    return subprocess.run(
        command, cwd=cwd, env={**ENVIRONMENT, **more}, capture_output=True, encoding="utf-8", timeout=120
    )


# ------------------------------------------------------------------------------------------------------------- outputs
OUTPUTS = [
    "watch --headless --gif {}.gif",
    "generate --out {}.txt",
    "generate --png {}.png",
    "solve spiral --png {}.png",
    "certify FourRooms-v0 --json {}.json",
    "certify FourRooms-v0 --png {}.png",
    "record {}.jsonl",
    "record {}.gif",
    "record {}.mp4",
]


@pytest.mark.parametrize("words", OUTPUTS)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    words: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mazegrad.envs.World.compile", lambda *_, **__: pytest.fail("it began to work"))
    (tmp_path / "file").write_text("")
    missing, inside_a_file = tmp_path / "missing" / "x", tmp_path / "file" / "x"
    for path, reason in ((missing, "there is no folder"), (inside_a_file, "Not a directory")):
        with pytest.raises(SystemExit) as stop:
            main(words.format(path).split())
        assert stop.value.code == 2
        error = capsys.readouterr().err
        assert f"cannot write '{path}" in error
        assert reason in error
        assert error.count("\n") == 1
    folder = Path(words.format(tmp_path / "folder").split()[-1])
    folder.mkdir()
    with pytest.raises(SystemExit):
        main(words.format(tmp_path / "folder").split())
    assert f"cannot write '{folder}': it is a folder" in capsys.readouterr().err


def test_the_check_leaves_nothing_behind_and_an_existing_file_as_it_is(tmp_path: Path) -> None:
    existing = tmp_path / "maze.txt"
    existing.write_text("before")
    assert main(["generate", "prims", "--out", str(existing)]) == 2
    assert existing.read_text() == "before"
    assert main(["generate", "prims", "--out", str(tmp_path / "new.txt")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["maze.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_to_whatever_it_is_called(tmp_path: Path, capsys: Captured) -> None:
    pipe, received = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    assert main(["generate", "--rows", "2", "--columns", "2", "--png", str(pipe)]) == 0
    reader.join(60)
    assert received[0].startswith(b"\x89PNG")


# --------------------------------------------------------------------------------------------------------------- files
@pytest.fixture
def foreign(tmp_path: Path, capsys: Captured) -> Path:
    """A folder with a file of each kind."""
    assert main(["record", str(tmp_path / "walk.jsonl"), "--maze", "spiral"]) == 0
    assert main(["certify", "sheet38", "--json", str(tmp_path / "proof.json")]) == 0
    assert main(["generate", "--png", str(tmp_path / "maze.png"), "--out", str(tmp_path / "maze.txt")]) == 0
    good_net(tmp_path / "net.npz")
    np.save(tmp_path / "array.npy", np.eye(3))
    (tmp_path / "film.gif").write_bytes(b"GIF89a" + bytes(20))
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(20))
    (tmp_path / "numbers.json").write_text('{"a": 1}\n')
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "noise.bin").write_bytes(bytes(range(128, 256)))
    (tmp_path / "folder").mkdir()
    capsys.readouterr()
    return tmp_path


KINDS = {
    "walk.jsonl": "a recorded run",
    "proof.json": "a memory certificate",
    "maze.png": "a PNG picture",
    "maze.txt": "text",
    "net.npz": "a zip or npz archive",
    "array.npy": "a numpy array (.npy)",
    "film.gif": "a GIF picture",
    "film.mp4": "an MP4 film",
    "numbers.json": "JSON",
    "notes.txt": "text",
    "empty.txt": "an empty file",
    "noise.bin": "binary data",
    "folder": "a folder",
}


def good_net(path: Path) -> Path:
    np.savez(path, W=2 * np.eye(4), U=(np.eye(4) - EXCHANGE) / 2, b=np.zeros(4))
    return path


def test_a_foreign_file_is_named_for_what_it_is(foreign: Path, capsys: Captured) -> None:
    for name, kind in KINDS.items():
        assert kind_of(foreign / name) == kind
        if name != "walk.jsonl":
            assert main(["replay", str(foreign / name)]) == 2
            assert f"{name} is {kind}, not a recorded run" in capsys.readouterr().err
        if name not in ("net.npz", "folder"):
            assert main(["check", str(foreign / name)]) == 2
            assert f"{name}: this is {kind}, not an npz file" in capsys.readouterr().err
    for name in ("walk.jsonl", "proof.json", "film.mp4", "empty.txt", "noise.bin"):
        for words in (["solve"], ["watch", "--headless", "--maze"], ["check", str(foreign / "net.npz"), "--maze"]):
            assert main([*words, str(foreign / name)]) == 2
            assert f"{name} is {KINDS[name]}, not a maze" in capsys.readouterr().err
    assert main(["solve", str(foreign / "folder")]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_the_command_for_a_foreign_file_is_named(foreign: Path, capsys: Captured) -> None:
    for name, command in (("walk.jsonl", "replay"), ("proof.json", "certify")):
        assert main(["solve", str(foreign / name)]) == 2
        assert f"see `mazegrad {command}`" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------------- terminals
def test_a_terminal_without_unicode_shows_the_drawing_in_ascii(tmp_path: Path) -> None:
    drawn = mazegrad("solve", "spiral", cwd=tmp_path, PYTHONIOENCODING="ascii").stdout
    assert "?" not in drawn
    assert set("^>v<") <= set(drawn.split("\n\n")[0])
    words = ("watch", "--headless", "--maze", "dyna_maze", "--size", "160x120")
    plain, unicode = (mazegrad(*words, cwd=tmp_path, PYTHONIOENCODING=name).stdout for name in ("ascii", "utf-8"))
    assert "?" not in plain
    assert plain == unicode.translate(str.maketrans("█●○↑→←↓·", "#.@^><v-"))


@pytest.mark.parametrize("driver", ["dummy", "offscreen"])
def test_watch_ends_where_a_window_would_not_be_seen(driver: str, tmp_path: Path) -> None:
    words = "watch --maze from_the_end --gif x.gif --size 160x120"
    result = mazegrad(*words.split(), cwd=tmp_path, SDL_VIDEODRIVER=driver)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "x.gif").read_bytes().startswith(b"GIF89a")
    result = mazegrad("play", cwd=tmp_path, SDL_VIDEODRIVER=driver)
    assert result.returncode == 2
    assert f"SDL_VIDEODRIVER={driver} shows no window" in result.stderr


# --------------------------------------------------------------------------------------------------------------- solve
def test_solve_prints_the_way_and_each_row_at_once(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    solve, printed = mazes.find_way, []

    def observed(*arguments: object, **keywords: object) -> object:
        printed.append(capsys.readouterr().out)
        return solve(*arguments, **keywords)

    monkeypatch.setattr(mazes, "find_way", observed)
    assert main(["solve", "spiral"]) == 0
    before_the_first, before_the_second, *later = [*printed, capsys.readouterr().out]
    assert before_the_first == ""
    assert "breadth_first: 94 steps" in before_the_second
    assert [text.split()[0] for text in later] == [name for name in SOLVERS if name != "breadth_first"]


# -------------------------------------------------------------------------------------------------------------- agents
def test_a_net_that_check_accepts_is_watched_and_recorded(tmp_path: Path, capsys: Captured) -> None:
    net = str(good_net(tmp_path / "good.npz"))
    assert main(["check", net]) == 0
    capsys.readouterr()
    gif, run = str(tmp_path / "walk.gif"), str(tmp_path / "walk.jsonl")
    assert main(["watch", "--headless", "--agent", net, "--gif", gif, "--size", "160x120"]) == 0
    printed = capsys.readouterr()
    assert "h = ( 2.50,  0.00,  0.00,  1.50)" in printed.out
    assert "at the goal, return 1" in printed.out
    assert printed.err == ""
    assert main(["record", run, "--agent", net]) == 0
    assert main(["replay", run]) == 0


def test_a_file_that_is_not_a_net_is_refused_as_an_agent(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "notes.npz").write_text("hello")
    for name, message in (("notes.npz", "this is text, not an npz file"), ("none.npz", "no such file")):
        assert main(["watch", "--headless", "--agent", str(tmp_path / name)]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("--maze four_rooms --agent path_follower", "path_follower is made for paths of dots"),
        ("--maze four_rooms --agent compiled_automaton", "compiled_automaton is made for paths of dots"),
        ("--maze four_rooms --agent t_maze_automaton", "t_maze_automaton is made for mazegrad/TMaze-v0"),
        ("--maze spiral --agent path_follower", ""),
        ("--env TMaze-v0 --agent t_maze_automaton", ""),
        ("--maze dyna_maze --agent wall_follower", ""),
    ],
)
def test_a_hint_when_the_agent_is_not_made_for_the_world(
    words: str, hint: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(f"watch --headless --size 160x120 {words}".split()) == 0
    error = capsys.readouterr().err
    assert hint in error
    assert ("--agent shortest_path" in error) == bool(hint)


def test_what_an_agent_remembers_is_shown_or_nothing(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = {}
    for agent in ("random", "wall_follower", "path_automaton", "path_follower"):
        assert main(f"watch --headless --maze from_the_end --size 160x120 --agent {agent}".split()) == 0
        lines = capsys.readouterr().out.splitlines()
        shown[agent] = next(line for line in lines if "goes" in line).partition("goes")[0].split()[3:]
    assert shown["random"] == shown["wall_follower"] == []
    assert shown["path_automaton"][0] == "node"
    assert shown["path_follower"][0] == "h"

"""What commands write: refused early where it cannot be written, kept after Ctrl-C, in colour on a terminal."""

import argparse
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mazegrad import cli
from mazegrad.cli import main
from mazegrad.commands import add_commands
from mazegrad.commands.options import folder
from mazegrad.envs import Maze, Replay

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
ENVIRONMENT |= {"PYTHONIOENCODING": "utf-8", "TERM": "xterm"}
ENVIRONMENT.pop("NO_COLOR", None)
Captured = pytest.CaptureFixture[str]
needs_terminals = pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")


def parsers() -> dict[str, argparse.ArgumentParser]:
    parser = argparse.ArgumentParser()
    add_commands(parser)
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return commands.choices


def outputs() -> Iterator[tuple[str, str]]:
    """Yield (command, option) of all files and folders that are written."""
    for name, parser in parsers().items():
        for action in parser._actions:
            written = getattr(action.type, "__qualname__", "").startswith("output.") or action.type is folder
            if written:
                yield name, (action.option_strings or [action.dest])[0]


def test_what_runs_can_be_imported() -> None:
    for name, parser in parsers().items():
        file, function = parser.get_default("run").split(":")
        assert callable(getattr(importlib.import_module(f"mazegrad.{file}"), function)), name


def test_help_imports_nothing_that_takes_long() -> None:
    code = "import sys, mazegrad.cli; mazegrad.cli._parser().format_help(); print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'mazegrad.envs'" not in modules
    assert "'mazegrad.agents'" not in modules


def test_every_option_that_writes_is_checked() -> None:
    """Whatever a command writes is one of these; an option FILE of another type is read."""
    assert len(list(outputs())) == 18
    for name, parser in parsers().items():
        for action in parser._actions:
            if "writ" in (action.help or "") and action.metavar in ("FILE", "FOLDER") and "that" not in action.help:
                option = (action.option_strings or [action.dest])[0]
                assert (name, option) in set(outputs()), (name, option)


@pytest.mark.parametrize(("command", "option"), list(outputs()))
def test_it_is_refused_before_the_work(command: str, option: str, tmp_path: Path) -> None:
    action = next(each for each in parsers()[command]._actions if option in (*each.option_strings, each.dest))

    def refused(path: Path, reason: str) -> None:
        with pytest.raises(argparse.ArgumentTypeError, match=reason):
            action.type(str(path))

    (tmp_path / "file").write_text("")
    if action.type is folder:
        assert action.type(str(tmp_path / "new" / "folder")) == tmp_path / "new" / "folder"
        refused(tmp_path / "file" / "x", "is a file")
        return
    name = next(f"x{ending}" for ending in ENDINGS if accepts(action.type, tmp_path / f"x{ending}"))
    if (command, option) not in ANY_ENDING:
        refused(tmp_path / "x.none", "must end in")
    refused(tmp_path / "none" / name, "there is no folder")
    refused(tmp_path / "file" / name, "Not a directory")
    (tmp_path / name).write_text("before")
    (tmp_path / name).chmod(0o400)
    refused(tmp_path / name, "it is read-only")
    assert (tmp_path / name).read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", name]


ENDINGS = (".gif", ".png", ".json", ".npz", ".md", ".html", ".csv")
ANY_ENDING = (("generate", "--out"), ("convert", "out"))  # in any format that has a name


def accepts(kind: Callable[[str], Path], path: Path) -> bool:
    try:
        return kind(str(path)) == path
    except argparse.ArgumentTypeError:
        return False


def test_a_read_only_file_stays_as_it_is(tmp_path: Path, capsys: Captured) -> None:
    """Also for root, who may write it, and where the folder could take a new file in its place."""
    kept, link = tmp_path / "kept.txt", tmp_path / "link.txt"
    kept.write_text("before")
    kept.chmod(0o444)
    link.symlink_to(kept)
    for path in (kept, link):
        with pytest.raises(SystemExit) as stop:
            main(["generate", "prim", "--out", str(path)])
        assert stop.value.code == 2
        assert f"cannot write '{path}': it is read-only" in capsys.readouterr().err
    assert kept.read_text() == "before"


# ------------------------------------------------------------------------------------------------------------ terminals
def on_a_terminal(*words: str, cwd: Path, error: bool = False, **more: str) -> str:
    """Return what a command prints where stdout and stderr are a terminal."""
    master, slave = os.openpty()
    command = [sys.executable, "-m", "mazegrad", *words]
    process = subprocess.Popen(command, cwd=cwd, env={**ENVIRONMENT, **more}, stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    printed = b""
    try:
        while chunk := os.read(master, 4096):
            printed += chunk
    except OSError:  # the other side is closed
        pass
    process.wait(120)
    os.close(master)
    return printed.decode("utf-8").replace("\r\n", "\n")


@needs_terminals
def test_verdicts_errors_ways_and_headings_are_coloured_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("title: G and X\n####\n#SG#\n#X.#\n####\n")
    solved = on_a_terminal("solve", "dyna_maze", cwd=tmp_path)
    assert "\x1b[90m█" in solved, "walls"
    assert "\x1b[1;36m→→→→→↑\x1b[0m" in solved, "a way"
    assert "\x1b[32mbreadth_first: 14 steps\x1b[0m" in solved, "the answer"
    assert "\x1b[1msolver " in solved, "the head of a table"
    assert "\x1b[1;31mmazegrad:\x1b[0m unknown solver" in on_a_terminal(
        "solve", "spiral", "--solver", "x", cwd=tmp_path
    )
    assert "\x1b[1;31mmazegrad:\x1b[0m argument --fps" in on_a_terminal("watch", "--fps", "0", cwd=tmp_path)
    assert "\x1b[1mMEMORY HELPS:\x1b[0m this maze" in on_a_terminal("certify", "sheet38", cwd=tmp_path)


@needs_terminals
@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(more: dict[str, str], tmp_path: Path) -> None:
    assert "\x1b[" not in on_a_terminal("solve", "nowhere", cwd=tmp_path, **more)
    assert "\x1b[" not in on_a_terminal("list", cwd=tmp_path, **more)


@needs_terminals
def test_a_terminal_without_unicode_has_colours_and_ascii(tmp_path: Path) -> None:
    solved = on_a_terminal("solve", "dyna_maze", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert "\x1b[90m#" in solved
    assert "\x1b[1;36m>>>>>^\x1b[0m" in solved
    assert "?" not in solved


def test_no_colour_in_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mazegrad", "solve", "dyna_maze"]
    assert "\x1b" not in subprocess.run(command, env=ENVIRONMENT, capture_output=True, encoding="utf-8").stdout


def test_the_settings_above_a_drawing_keep_their_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mazegrad.colour.coloured", lambda stream: True)
    from mazegrad.colour import paint_maze

    painted = paint_maze("title: Great X\n#SG#\n", sys.stdout)
    assert painted == "title: Great X\n\x1b[90m#\x1b[0mS\x1b[32mG\x1b[0m\x1b[90m#\x1b[0m\n"


@needs_terminals
def test_work_that_takes_long_says_on_a_terminal_what_runs(tmp_path: Path) -> None:
    assert "random_mouse is running (Ctrl-C stops it) ...\r" in on_a_terminal("solve", "spiral", cwd=tmp_path)
    assert "wilson makes a maze (Ctrl-C stops it) ...\r" in on_a_terminal("generate", "wilson", cwd=tmp_path)
    command = [sys.executable, "-m", "mazegrad", "generate", "wilson"]
    assert not subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True).stderr


@needs_terminals
def test_a_device_is_written_to(tmp_path: Path) -> None:
    """A terminal is a device that can do no harm."""
    master, slave = os.openpty()
    name = os.ttyname(slave)
    before = os.stat(name).st_rdev
    assert main(["generate", "prim", "--rows", "2", "--columns", "2", "--out", name]) == 0
    assert before and os.stat(name).st_rdev == before, "it was replaced by a file"
    os.close(slave)
    written = b""
    while written.count(b"\n") < 5:
        written += os.read(master, 4096)
    os.close(master)
    assert Maze.from_text(written.decode().replace("\r\n", "\n")).height == 5


# --------------------------------------------------------------------------------------------------------------- Ctrl-C
def interrupted(words: list[str], cwd: Path, lines: int) -> subprocess.CompletedProcess[bytes]:
    """Run a command, and stop it by Ctrl-C after it has printed some lines."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "mazegrad", *words],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        assert process.stdout is not None
        first = b"".join(process.stdout.readline() for _ in range(lines))
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
    finally:
        process.kill()
    return subprocess.CompletedProcess(words, process.returncode, first + out, error)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_gif_that_was_asked_for_is_kept_after_ctrl_c(tmp_path: Path) -> None:
    words = "watch --headless --maze long_way --agent random --episodes 500 --gif walk.gif --size 160x120"
    result = interrupted(words.split(), tmp_path, 60)
    assert result.returncode == 130, result.stderr
    assert b"interrupted after" in result.stderr
    assert (tmp_path / "walk.gif").read_bytes().startswith(b"GIF89a")
    assert result.stdout.endswith(b"wrote walk.gif\n")


def test_a_recording_is_kept_after_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    from mazegrad import watching

    calls, rollout = [], watching.rollout

    def twice(*arguments: object, **keywords: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return rollout(*arguments, **keywords)

    monkeypatch.setattr(watching, "rollout", twice)
    file = tmp_path / "walk.jsonl"
    assert main(["record", str(file), "--maze", "four_rooms", "--episodes", "9"]) == 130
    assert "interrupted after 2 episodes" in capsys.readouterr().err
    assert Replay.load(file).verify() is None


def test_what_is_interrupted_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def stop(arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mazegrad.listing.show_list", stop)
    assert cli.main(["list"]) == 130
    assert capsys.readouterr().err == "\nmazegrad: interrupted\n"

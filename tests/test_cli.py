"""The command line, as a user runs it: in a process of its own, without a display."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from PIL import Image

from mazegrad import __version__, cli
from mazegrad.check import MAX_LENGTH
from mazegrad.cli import main
from mazegrad.envs import SOLVERS, Maze, draw, generate, load_maze
from mazegrad.envs.pictures.palette import LIGHT

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
ENVIRONMENT |= {"PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"}


def mazegrad(*words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mazegrad", *words]
    return subprocess.run(
        command, cwd=cwd, env={**ENVIRONMENT, **more}, capture_output=True, encoding="utf-8", timeout=120
    )


def test_watch_without_a_display_prints_the_walk_and_writes_a_gif(tmp_path: Path) -> None:
    result = mazegrad("watch", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "There is no display, so here is the walk as text."
    assert lines[-1] == "wrote mazegrad-watch.gif"
    steps = [line for line in lines if "goes" in line]
    assert len(steps) == 70
    assert " ".join(steps[0].split()) == "0 sees ↑··↓ h = ( 2.50, 0.00, 0.00, 1.50) goes ↑ up"
    assert "at the goal, return 1" in result.stdout
    imageio = pytest.importorskip("imageio.v3", reason="needs the extra video")
    frames = imageio.imread(tmp_path / "mazegrad-watch.gif", index=None)
    assert frames.shape == (71, 540, 960, 3)
    changes = (frames[1:] != frames[:-1]).any(axis=(1, 2, 3))
    assert changes.all()
    assert [p.name for p in tmp_path.iterdir()] == ["mazegrad-watch.gif"], "nothing half-written stays"


def test_watch_without_the_extra_writes_a_film_strip(tmp_path: Path) -> None:
    (tmp_path / "PIL.py").write_text("raise ImportError")
    result = mazegrad("watch", "--headless", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "Writing a film strip instead of a GIF: PIL is not installed" in result.stdout
    assert result.stdout.endswith("wrote mazegrad-watch.png\n")
    assert (tmp_path / "mazegrad-watch.png").read_bytes().startswith(b"\x89PNG")


def test_a_gif_that_cannot_be_written_is_an_error_before_the_walk(tmp_path: Path) -> None:
    (tmp_path / "PIL.py").write_text("raise ImportError")
    result = mazegrad("watch", "--headless", "--gif", "a.gif", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert result.returncode == 2
    assert result.stdout == "", "before the walk"
    assert 'python -m pip install "pillow>=10"' in result.stderr


def test_watch_shows_several_walks_side_by_side(tmp_path: Path) -> None:
    imageio = pytest.importorskip("imageio.v3", reason="needs the extra video")
    (tmp_path / "mine.txt").write_text("#####\n#S.G#\n#####\n")
    words = ["--headless", "--maze", "mine.txt", "--gif"]
    two = mazegrad("watch", "wall_follower", "random", *words, "two.gif", cwd=tmp_path)
    assert two.returncode == 0, two.stderr
    results = [line.split() for line in two.stdout.splitlines()[:2]]
    assert [words[0] for words in results] == ["wall_follower", "random"] and results[0][5] == "2"
    many = mazegrad("watch", "random", "--many", "8", *words, "many.gif", cwd=tmp_path)
    assert many.stdout.count("random  ") == 8
    assert imageio.imread(tmp_path / "many.gif", index=None).shape[1:] == (540, 960, 3)
    refused = mazegrad("watch", "random", "--agent", "random", "--headless", cwd=tmp_path)
    assert refused.returncode == 2 and "name agents once" in refused.stderr


def test_a_search_and_a_maze_that_grows_as_gifs(tmp_path: Path) -> None:
    imageio = pytest.importorskip("imageio.v3", reason="needs the extra video")
    assert mazegrad("solve", "key_door", "--gif", "search.gif", cwd=tmp_path).returncode == 0
    words = ["generate", "prim", "--rows", "4", "--columns", "5", "--gif", "g.gif", "--out", "m.txt"]
    assert mazegrad(*words, cwd=tmp_path).returncode == 0
    search, growing = (imageio.imread(tmp_path / name, index=None) for name in ("search.gif", "g.gif"))
    assert len(search) > 50 and len(growing) == 4 * 5 + 1, "no passage, 19 passages, start and goal"
    for film in (search, growing):
        assert (film[1:] != film[:-1]).any(axis=(1, 2, 3)).all()
    refused = mazegrad("generate", "caves", "--gif", "c.gif", cwd=tmp_path)
    assert refused.returncode == 2 and "caves does not open one passage after the other" in refused.stderr


@pytest.mark.parametrize("agent", ["wall_follower", "shortest_path", "random"])
def test_watch_takes_every_agent(agent: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("#####\n#S.G#\n#####\n")
    words = f"watch --headless --maze mine.txt --agent {agent} --seed 3 --episodes 2 --gif w.gif --size 320x200"
    result = mazegrad(*words.split(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("return ") == 2
    assert (tmp_path / "w.gif").exists()


def test_the_same_seed_is_the_same_walk_in_two_processes(tmp_path: Path) -> None:
    words = ("watch", "--headless", "--maze", "four_rooms", "--agent", "random", "--size", "160x120", "--seed")
    one, same, other = (mazegrad(*words, seed, cwd=tmp_path).stdout for seed in ("7", "7", "8"))
    assert one == same != other


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    from mazegrad.agents import AGENTS
    from mazegrad.envs import MAZES

    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for name in ("mazegrad/PathFollow-v0", "mazegrad/GridWorld-v0", *MAZES, *AGENTS):
        assert name in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["watch", "--maze", "spirl"], "did you mean 'spiral'?"),
        (["watch", "--agent", "path_folower"], "did you mean 'path_follower'?"),
        (["watch", "--env", "PathFolow-v0"], "did you mean 'PathFollow-v0'?"),
        (["watch", "--env", "CartPole-v1"], "CartPole-v1 is not an environment of mazegrad"),
        (["watch", "--env", "mazegrad/PathFollow-v0", "--maze", "four_rooms"], "touches itself"),
        (["watch", "--maze", "loop", "--agent", "shortest_path"], "no goal is reachable"),
        (["watch", "--env", "Maze-v0", "--maze", "spiral"], "leave out --maze"),
        (["generate", "kruskall"], "did you mean 'kruskal'?"),
        (["generate", "kruskal", "--knob", "brade=1"], "did you mean 'braid'?"),
        (["generate", "kruskal", "--knob", "rows=3"], "kruskal has no knob 'rows'"),
        (["generate", "dungeon", "--knob", "halls=1.5"], "halls must be an integer >= 1, not 1.5"),
        (["generate", "caves", "--knob", "rounds=x"], "rounds must be an integer >= 0, not 'x'"),
        (["solve", "spirl"], "did you mean 'spiral'?"),
        (["solve", "spiral", "--solver", "a_tsar"], "did you mean 'a_star'?"),
        (["replay", "none.jsonl"], "none.jsonl: No such file or directory"),
        (["generate", "--rows", "1", "--columns", "1"], "1 x 1 rooms have no place for both a start and a goal"),
        (["watch", "--seed", str(2**64)], "seed must be an integer from 0 to 18446744073709551615"),
    ],
)
def test_bad_input_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--headless"] if words[0] == "watch" else words) == 2
    error = capsys.readouterr().err
    assert error.startswith("mazegrad: ")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wach"], "'wach'"),
        (["watch", "--seed", "-1"], "--seed: must be an integer >= 0, not '-1'"),
        (["watch", "--seed", "x"], "--seed: must be an integer >= 0, not 'x'"),
        (["watch", "--fps", "0"], "--fps: must be a number > 0"),
        (["watch", "--fps", "nan"], "--fps: must be a number > 0"),
        (["watch", "--episodes", "0"], "--episodes: must be an integer >= 1"),
        (["watch", "--size", "3x3"], "--size: must be WIDTHxHEIGHT"),
        (["watch", "--size", "big"], "--size: must be WIDTHxHEIGHT"),
        (["generate", "--knob", "braid"], "--knob: must be NAME=VALUE"),
        (["bench", "--lanes", "1000000000"], "--lanes: must be an integer from 1 to 4,194,304, not '1000000000'"),
        (["record", "walk.txt"], "must end in .gif or .mp4 or .jsonl, not 'walk.txt'"),
        (["watch", "--gif", "walk.mp4"], "--gif: the file name must end in .gif, not 'walk.mp4'"),
        (["generate", "--png", "a.jpg"], "--png: the file name must end in .png, not 'a.jpg'"),
        (["solve", "spiral", "--png", "a"], "--png: the file name must end in .png, not 'a'"),
        (["certify", "spiral", "--json", "a.txt"], "--json: the file name must end in .json, not 'a.txt'"),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("mazegrad: ")
    assert message in error
    assert error.count("\n") == 1


def test_too_little_memory_is_reported_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def bench(lanes: int, seed: int) -> None:
        raise MemoryError("Unable to allocate 1.86 TiB")

    monkeypatch.setattr("mazegrad.bench.bench", bench)
    assert main(["bench"]) == 2
    message = "mazegrad: not enough memory (Unable to allocate 1.86 TiB); try a smaller size\n"
    assert capsys.readouterr().err == message


COMMANDS = ("watch", "play", "list", "generate", "solve", "certify", "check", "record", "replay", "bench")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_a_seed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["--seed", "7", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main([command, *words])
        assert stop.value.code == 0
        assert "--seed N" in capsys.readouterr().out


def test_a_seed_changes_nothing_where_nothing_is_random(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert main(["list", "--seed", "7"]) == 0
    assert capsys.readouterr().out == listed


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_helps(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 0
    assert ("usage: mazegrad" in (printed := capsys.readouterr().out)) or __version__ in printed


def test_a_bad_map_file_is_reported_by_name_line_and_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("#####\n#S?G#\n#####\n")
    for words in (["watch", "--headless", "--maze", str(bad)], ["certify", "sheet38", str(bad)]):
        assert main(words) == 2
        assert f"{bad}, line 2, column 3: unknown tile '?'" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_leaves_no_traceback(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mazegrad", "watch", "--headless", "--maze", "long_way", "--agent", "random"]
    words += ["--episodes", "50"]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (a background job ignores it)
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it is well under way
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_ctrl_c_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_parser", interrupted)
    assert main([]) == 130


def test_help_says_how_long_a_check_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    assert f"1 to {MAX_LENGTH}" in " ".join(capsys.readouterr().out.split())


def test_without_a_standard_output_nothing_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as `>&-` and pythonw have it
    assert main(["list"]) == 0


def test_generate_makes_thin_walls_and_pictures_of_a_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, picture = tmp_path / "thin.walls", tmp_path / "thin.png"
    words = ["generate", "wilson", "--rows", "3", "--columns", "4", "--walls", "thin", "--seed", "5"]
    assert main([*words, "--out", str(file), "--png", str(picture), "--size", "200x160"]) == 0
    expected = generate("wilson", 3, 4, rng=np.random.default_rng(5), walls="thin")
    assert np.array_equal(load_maze(file).tiles, expected.tiles) and load_maze(file).setting("walls") is not None
    assert picture.read_bytes()[16:24] == (200).to_bytes(4, "big") + (160).to_bytes(4, "big")
    assert main(["solve", str(file)]) == 0
    assert main(["generate", "dungeon", "--walls", "thin"]) == 2
    assert "dungeon has no thin walls" in capsys.readouterr().err


def test_generate_prints_or_writes_the_maze_of_a_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "kruskal", "--rows", "3", "--columns", "5", "--seed", "4", "--knob", "braid=0.5"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert Maze.from_text(printed).tiles.shape == (7, 11)
    file = tmp_path / "maze.txt"
    for picture in (tmp_path / "maze.png", tmp_path / "LOUD.PNG"):
        assert main([*words, "--out", str(file), "--png", str(picture)]) == 0
        assert Maze.from_file(file) == Maze.from_text(printed)
        with Image.open(picture) as image:
            assert image.format == "PNG"
            drawn = Maze.from_text(printed)
            tile = image.height // drawn.height
            assert (np.asarray(image) == draw(drawn, tile=tile)).all() and tile > 16


def test_solve_draws_the_way_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "dyna_maze", "--png", str(tmp_path / "way.png")]) == 0
    printed = capsys.readouterr().out
    assert "breadth_first: 14 steps" in printed
    assert sum(printed.split("\n\n")[0].count(arrow) for arrow in "↑→←↓") == 13, "all steps but the one from S"
    for name in SOLVERS:
        assert name in printed
    assert (tmp_path / "way.png").exists()


def test_the_way_that_solve_draws_opens_doors_and_has_a_direction(tmp_path: Path) -> None:
    maze = load_maze("key_door")
    assert main(["solve", "key_door", "--png", str(tmp_path / "way.png")]) == 0
    shown = np.asarray(Image.open(tmp_path / "way.png").convert("RGB"))
    tile = shown.shape[0] // maze.height
    closed = draw(maze, tile=tile)
    for door in "AB":
        row, column = np.argwhere(maze.tiles == ord(door))[0]
        part = np.s_[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile]
        filled = [(frame[part] == LIGHT.letters["AB".index(door)]).all(axis=2).mean() for frame in (shown, closed)]
        assert filled[0] < 0.6 * filled[1], "a frame, not a door"
    ink = [(frame == LIGHT.ink).all(axis=2).sum() for frame in (shown, closed)]
    assert ink[0] > ink[1] + 20 * tile, "arrows"


def test_solve_reports_that_there_is_no_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "loop"]) == 1
    assert "breadth_first finds no way to a goal" in capsys.readouterr().out


def test_what_was_recorded_is_replayed_and_a_changed_step_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "walk.jsonl"
    assert main(["record", str(path), "--maze", "four_rooms", "--agent", "random", "--episodes", "3"]) == 0
    assert main(["replay", str(path)]) == 0
    assert "3 episode(s)" in (printed := capsys.readouterr().out)
    assert "every observation and reward is the same, bit for bit" in printed
    lines = path.read_text().splitlines()
    episode = json.loads(lines[2])
    episode["actions"][4] = 3 - episode["actions"][4]
    path.write_text("\n".join([*lines[:2], json.dumps(episode), *lines[3:]]) + "\n")
    assert main(["replay", str(path)]) == 1
    assert "differs in episode 1, step 5" in capsys.readouterr().out


def test_record_makes_films(tmp_path: Path) -> None:
    words = ["--maze", "from_the_end", "--size", "320x200", "--fps", "20"]
    gif, film = tmp_path / "walk.gif", tmp_path / "walk.mp4"
    assert main(["record", str(gif), *words]) == 0
    assert gif.read_bytes().startswith(b"GIF89a")
    assert main(["record", str(tmp_path / "LOUD.GIF"), *words]) == 0
    assert (tmp_path / "LOUD.GIF").read_bytes() == gif.read_bytes()
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="needs the extra video").get_ffmpeg_exe()
    assert main(["record", str(film), *words]) == 0
    # not by imageio's reader, which leaves pipes of a process open that has ended before
    read = subprocess.run([ffmpeg, "-i", film, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True)
    assert read.returncode == 0, read.stderr
    frames, rest = divmod(len(read.stdout), 200 * 320 * 3)
    assert frames > 5
    assert rest == 0


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error there")
@pytest.mark.parametrize(
    "words",
    [
        ["solve", "sheet38", "--png", "file.png"],
        ["watch", "--headless", "--gif", "file.gif", "--size", "160x120"],
        ["generate", "--out", "file.txt", "--png", "file.png"],
        ["certify", "sheet38", "--json", "file.json"],
    ],
)
def test_files_are_written_though_nobody_reads_what_is_printed(words: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-u", "-m", "mazegrad", *words]  # unbuffered: each print meets the closed pipe
    try:
        result = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert (result.returncode, result.stderr) == (0, b"")
    assert {path.name for path in tmp_path.iterdir()} == {word for word in words if word.startswith("file.")}


def test_without_words_it_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: mazegrad") and "certify" in shown


def test_the_version_names_what_it_stands_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert f"mazegrad {__version__} (Python 3." in shown
    assert f"numpy {np.__version__}, gymnasium {gymnasium.__version__}, pygame-ce" in shown


def test_a_shell_completes_commands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert "certify" in script and "--headless" in script
    bash = f'{script}\nCOMP_WORDS=(mazegrad cert); COMP_CWORD=1; _shtab_mazegrad; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", bash], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "certify"

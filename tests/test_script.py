"""Programs end with one message: after Ctrl-C, without data, when training diverges; a bug keeps its traceback."""

import argparse
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from mazegrad import nn, script
from mazegrad.extras import MissingExtra

EXAMPLES = Path(__file__).parent.parent / "examples"
MODULES = (
    "corpora",
    "course",
    "pages",
    "subwords",
    "tiny_autograd",
    "translators",
)  # parts of programs, and one that uses no library
PROGRAMS = [path for path in sorted(EXAMPLES.rglob("*.py")) if path.stem not in MODULES]


def raising(error):
    def main():
        raise error

    return main


def test_ctrl_c(capsys):
    with pytest.raises(SystemExit) as end:
        script.start(raising(KeyboardInterrupt()))
    assert end.value.code == 130
    assert capsys.readouterr().err == "\nstopped\n"


@pytest.mark.parametrize(
    "error",
    [
        nn.data.DataNotFound("no such file"),
        nn.data.DataDamaged("not the file it should be"),
        nn.NonFiniteGradient("weight", 3, "NaN"),
        FileNotFoundError(2, "No such file or directory", "net.npz"),
        MissingExtra("matplotlib is not installed"),
    ],
)
def test_an_error_that_a_user_can_fix_is_its_message(error):
    with pytest.raises(SystemExit) as end:
        script.start(raising(error))
    assert end.value.code == script.in_words(error)


def test_an_error_of_a_file_names_it_without_a_number():
    assert script.in_words(FileNotFoundError(2, "No such file", "net.npz")) == "net.npz: No such file"
    assert script.in_words(OSError("the disk is full")) == "the disk is full"
    assert script.in_words(ValueError()) == "ValueError"


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        script.start(raising(ZeroDivisionError()))
    with pytest.raises(ValueError, match="a bug"):
        script.start(raising(ValueError("a bug")))
    with pytest.raises(SystemExit, match="expected"):
        script.start(raising(LookupError("expected")), LookupError)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", ""])
def test_a_count_is_an_integer_from_1(text):
    assert script.count("12") == 12
    with pytest.raises(argparse.ArgumentTypeError, match="must be an integer >= 1, not"):
        script.count(text)


def test_numbers_for_argparse():
    assert (script.natural("0"), script.positive("1e-3")) == (0, 0.001)
    for text in ("-1", "x", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="must be an integer >= 0, not"):
            script.natural(text)
    for text in ("0", "-1", "nan", "inf", "x", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="must be a number > 0, not"):
            script.positive(text)
    assert (script.fraction("0"), script.fraction("0.5"), script.count("4", most=4)) == (0, 0.5, 4)
    for text in ("-0.1", "1", "nan", "x"):
        with pytest.raises(argparse.ArgumentTypeError, match="must be a number >= 0 and < 1, not"):
            script.fraction(text)
    with pytest.raises(argparse.ArgumentTypeError, match="must be an integer from 1 to 4,000, not '4001'"):
        script.count("4001", most=4000)


# ------------------------------------------------------------------------------------------------------------- examples
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_every_program_starts_like_this(path):
    assert re.search(r'\nif __name__ == "__main__":\n    start\(main(, \w+)*\)\n$', path.read_text(encoding="utf-8"))


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run a program in an empty folder until it ends, at the latest with a training; return its code and message."""

    def trained(*_, **__):
        raise AssertionError("training began before the error was reported")

    def run(name, *words):
        path = EXAMPLES / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *words])
        monkeypatch.syspath_prepend(str(path.parent))
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(path), run_name="__main__")
        printed = capsys.readouterr()
        assert printed.out == ""
        return end.value.code, printed.err

    monkeypatch.setattr(nn.Tensor, "backward", trained)
    monkeypatch.chdir(tmp_path)
    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("mnist_predict nothing.npz", "nothing.npz: No such file or directory"),
        ("mnist_predict text.npz", "text.npz is not a whole npz file"),
        ("mnist_predict other.npz", "other.npz was not written by mnist_cnn.py"),
        ("mnist_cnn --quick --epochs -1", "must be an integer >= 1, not '-1'"),
        ("mnist_cnn --quick --epochs 0", "must be an integer >= 1, not '0'"),
        ("mnist_cnn --max-lr 0", "must be a number > 0, not '0'"),
        ("gradient_remedies --seeds 0", "must be an integer >= 1, not '0'"),
        ("gradient_remedies --steps 0", "must be an integer >= 1, not '0'"),
        ("rnn_counts --depth 0", "must be an integer >= 1, not '0'"),
        ("wall_follower --rooms 0", "must be an integer >= 1, not '0'"),
        ("wall_follower --seed -1", "must be an integer >= 0, not '-1'"),
        ("memory_horizon --lr -1", "must be a number > 0, not '-1'"),
        ("architectures/direct_speech --text nothing.txt", "nothing.txt: No such file or directory"),
        ("architectures/direct_speech --text empty.txt", "empty.txt has no letters"),
        ("architectures/shakespeare --prompt é", "the alphabet has no 'é'"),
        ("architectures/shakespeare --temperatures 0.5 0", "must be a number > 0"),
        ("architectures/shakespeare --dropout 1", "must be a number >= 0 and < 1"),
        ("architectures/transformer --size 100", "--size: 100 is not a multiple of 32"),
        ("architectures/transformer --window 1", "--window: a window has at least 2 letters"),
        ("architectures/transformer --prompt é", "the alphabet has no 'é'"),
        ("architectures/translate --smoothing x", "must be a number >= 0 and < 1"),
        ("architectures/translate --hidden 7", "--hidden must be even"),
        ("architectures/cats_and_dogs --width 0", "must be an integer >= 1, not '0'"),
    ],
)
def test_a_bad_option_is_reported_by_the_parser(words, message, run):
    Path("text.npz").write_text("not an npz")
    Path("empty.txt").write_text("\n")
    nn.save("other.npz", recipe=["large"])
    code, error = run(*words.split())
    assert code == 2
    assert message in error


@pytest.mark.parametrize(
    "words", ["gradient_remedies --figure", "rnn_counts --figure", "gradients_through_time --pictures"]
)
def test_without_matplotlib_a_picture_is_refused_before_the_work(words, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _ = run(*words.split(), "x.png")
    assert code == 'matplotlib is not installed; install it with: python -m pip install "matplotlib>=3.8"'


def test_a_window_without_a_display_is_one_message():
    kept = {name: value for name, value in os.environ.items() if "DISPLAY" not in name and name != "SDL_VIDEODRIVER"}
    words = [sys.executable, EXAMPLES / "follow_path.py", "--human"]
    result = subprocess.run(words, env=kept, capture_output=True, text=True)
    assert result.returncode == 1
    assert "rgb_array" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("words", ["follow_path", "eaten_dots", "wall_follower --mazes 11 --rooms 3"])
def test_the_short_programs_run(words):
    name, *rest = words.split()
    words = [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *rest]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout

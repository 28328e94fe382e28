"""The six programs of exercise 40, and the course of training that they share: one contract for all."""

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mazegrad import nn

TESTS = Path(__file__).parent
ARCHITECTURES = TESTS.parent / "examples" / "architectures"
TINY = TESTS / "tiny_course.py"  # needs no data, so that the course itself is always tested
PROGRAMS = [
    TINY,
    *(
        ARCHITECTURES / f"{name}.py"
        for name in ("shakespeare", "transformer", "cats_and_dogs", "direct_speech", "translate", "autoencoder")
    ),
    TESTS.parent / "examples" / "resnet.py",
]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ARCHITECTURES), "PYTHONIOENCODING": "utf-8"}


def program(path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], Any]:
    """The `main` of a program, which finds its neighbours as if it were run by name."""
    monkeypatch.syspath_prepend(str(path.parent))
    monkeypatch.syspath_prepend(str(ARCHITECTURES))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def flat(state: Any, name: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, by path."""
    if isinstance(state, dict):
        return {k: v for key, value in state.items() for k, v in flat(value, f"{name}/{key}").items()}
    return {name: state}


class Stop:
    """`nn.save`, interrupted by Ctrl-C after a number of successful calls."""

    def __init__(self, after: int) -> None:
        self.left, self.save = after, nn.save

    def __call__(self, path: Path, **objects: Any) -> None:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self.save(path, **objects)


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_learns_and_goes_on_exactly(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In at most 20 seconds the loss falls; stopped after one epoch and continued, the same weights come out."""
    main = program(path, monkeypatch)
    whole, parts, pictures = tmp_path / "whole.npz", tmp_path / "parts.npz", tmp_path / "pictures"
    start = time.process_time()
    try:
        main(["--quick", "--seed", "3", "--save", str(whole), "--pictures", str(pictures)])
    except nn.data.DataNotFound as missing:
        pytest.skip(str(missing))
    assert time.process_time() - start < 20
    saved = nn.load(whole)
    losses = saved["curves"]["loss"]
    assert saved["epoch"] == len(losses) >= 2
    assert losses[-1] < losses[0]
    if importlib.util.find_spec("matplotlib"):
        assert "learning_curves.png" in (drawn := {picture.name for picture in pictures.glob("*.png")})
        assert len(drawn) > 1 or path == TINY

    with monkeypatch.context() as patch:
        patch.setattr(nn, "save", Stop(after=1))
        with pytest.raises(KeyboardInterrupt, match=r"resume with:\n.* --load .*parts\."):
            main(["--quick", "--seed", "3", "--save", str(parts), "--pictures", str(pictures)])
    assert nn.load(parts)["epoch"] == 1
    main(["--load", str(parts)])
    again = nn.load(parts)
    assert again["epoch"] == saved["epoch"]
    for part in ("net", "optimizer", "scheduler", "average", "rng", "curves", "settings", "options"):
        before, after = flat(saved[part]), flat(again[part])
        assert before.keys() == after.keys()
        for name, value in before.items():
            np.testing.assert_array_equal(after[name], value, err_msg=f"{part}{name}")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_help(path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", path, "--help"], env=ENVIRONMENT, capture_output=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    for option in ("--quick", "--seed", "--epochs", "--save", "--load", "--pictures"):
        assert option in result.stdout


# -------------------------------------------------------------------------------------- the course, on the tiny program
def run(words: list[str], folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", TINY, *words]
    result = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, encoding="utf-8")
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_control_c_says_how_to_go_on(tmp_path: Path) -> None:
    words = [sys.executable, "-W", "error", "-u", str(TINY), "--epochs", "100000"]
    process = subprocess.Popen(
        words, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout
    for _ in range(3):  # the third epoch is printed, so the second one is saved
        assert process.stdout.readline().startswith("epoch ")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    command = shlex.split(errors.splitlines()[-1])
    assert command[0] == "python" and command[2:] == ["--load", "tiny_course.npz"]
    done = nn.load(tmp_path / "tiny_course.npz")["epoch"]
    assert f"stopped after {done} of 100000 epochs" in errors
    on = run([*command[2:], "--epochs", str(done + 1)], tmp_path)
    assert on.stdout.startswith(f"epoch {done + 1}/{done + 1}: ")


def test_control_c_in_the_first_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    main = program(TINY, monkeypatch)
    monkeypatch.setattr(nn, "mse_loss", stopped)
    with pytest.raises(KeyboardInterrupt, match="nothing has been saved yet"):
        main(["--save", str(tmp_path / "a.npz")])
    assert not list(tmp_path.iterdir())


def test_a_finished_run_only_shows_its_results(tmp_path: Path) -> None:
    run(["--quick", "--hidden", "5"], tmp_path)
    before = (tmp_path / "tiny_course-quick.npz").read_bytes()
    again = run(["--load", "tiny_course-quick.npz"], tmp_path)
    assert again.stdout.startswith("2 epochs took")
    assert (tmp_path / "tiny_course-quick.npz").read_bytes() == before
    longer = run(["--load", "tiny_course-quick.npz", "--epochs", "3", "--save", "other.npz"], tmp_path)
    assert longer.stdout.startswith("epoch 3/3: ")
    assert nn.load(tmp_path / "other.npz")["options"]["hidden"] == 5


def test_curves_as_text_without_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    program(TINY, monkeypatch)(["--quick", "--save", str(tmp_path / "a.npz"), "--pictures", str(tmp_path / "p")])
    assert "█▁" in capsys.readouterr().out
    assert not (tmp_path / "p").exists()


def test_curves_as_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    assert "wrote curves/learning_curves.png" in run(["--quick", "--pictures", "curves"], tmp_path).stdout
    picture = imread(tmp_path / "curves" / "learning_curves.png")[..., :3]
    width = picture.shape[1]
    assert width == 1008, "as wide as a page's text, at 160 dots an inch"
    for panel in (picture[:, : width // 2], picture[:, width // 2 :]):
        coloured = panel.max(axis=2) - panel.min(axis=2) > 0.3
        assert coloured.any(), "a curve"


def test_training_that_explodes_ends_with_one_message(tmp_path: Path) -> None:
    result = run(["--lr", "1e30"], tmp_path, code=1)
    assert "the gradient of 0.weight holds NaN" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "tiny_course.npz").exists()


def test_a_loss_that_is_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main = program(TINY, monkeypatch)
    mse_loss = nn.mse_loss
    monkeypatch.setattr(nn, "mse_loss", lambda *pair: mse_loss(*pair) + np.inf)
    with pytest.raises(ArithmeticError, match="step 1: the loss is inf"):
        main(["--save", str(tmp_path / "a.npz")])


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    run(["--quick"], tmp_path)
    other = run(["--load", "tiny_course-quick.npz", "--hidden", "5"], tmp_path, code=1)
    assert "tiny_course-quick.npz does not fit" in other.stderr and "0.weight has shape (16, 1)" in other.stderr
    state = nn.load(tmp_path / "tiny_course-quick.npz")
    nn.save(tmp_path / "settings.npz", **{**state, "settings": {"pieces": "cos"}})
    assert "it has pieces = cos, now ['sin']" in run(["--load", "settings.npz"], tmp_path, code=1).stderr
    nn.save(tmp_path / "net.npz", net=state["net"])
    assert "net.npz was not written by tiny_course.py" in run(["--load", "net.npz"], tmp_path, code=2).stderr
    (tmp_path / "text.npz").write_text("no")
    assert "text.npz is not a whole npz file" in run(["--load", "text.npz"], tmp_path, code=2).stderr
    assert "No such file" in run(["--load", "none.npz"], tmp_path, code=2).stderr
    for number in ("-1", "0"):
        assert f"must be an integer >= 1, not '{number}'" in run(["--epochs", number], tmp_path, code=2).stderr

"""Curves grow in a terminal, in a notebook, and in TensorBoard's files, and all three show the same numbers."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mazegrad.cli import main
from mazegrad.curves import Curves, sparkline
from mazegrad.extras import MissingExtra


def heights(lines: list[str], first: int = 9) -> list[float]:
    """How high, from 0 to 1, the dots of each column of a chart stand, read from its Braille characters."""
    drawn = [line[first : first + 30].ljust(30, "\u2800") for line in lines]
    cells = np.array([[ord(letter) - 0x2800 for letter in line] for line in drawn])
    bits = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    dots = (cells[:, None, :, None] & bits[None, :, None, :] > 0).reshape(4 * len(lines), 60)
    return [1 - float(np.flatnonzero(column).mean()) / (len(dots) - 1) for column in dots.T]


def test_a_chart_shows_the_curve() -> None:
    curves = Curves()
    assert curves.text(80) == ""
    for step in range(500):
        curves.add(step, {"loss": 5 - step / 100})
    title, *chart = curves.text(80).split("\n")
    assert title == "loss 0.01"
    assert chart[0].startswith("    4.96 ")
    assert chart[-1].startswith("    0.05 ")
    np.testing.assert_allclose(heights(chart), np.linspace(1, 0, 60), atol=0.05)


def test_charts_stand_side_by_side_where_there_is_room() -> None:
    curves = Curves()
    for step in range(3):
        curves.add(step, {"loss": -step, "right, de": step, "right, ru": 0.5})
    assert len(curves.text(200, 3).split("\n")) == 4
    assert len(curves.text(82, 3).split("\n")) == 8
    assert len(curves.text(10, 3).split("\n")) == 12
    first = curves.text(200, 3).split("\n")
    assert re.fullmatch(r"loss -2 +right, de 2 +right, ru 0.5", first[0])
    assert heights(first[1:])[0] > heights(first[1:])[-1]
    assert heights(first[1:], 9 + 41)[0] < heights(first[1:], 9 + 41)[-1]


def test_what_is_not_finite_is_left_out() -> None:
    curves = Curves()
    for step, value in enumerate([1.0, np.nan, 3.0, np.inf, 2.0]):
        curves.add(step, {"loss": value, "nothing": np.nan})
    title, *chart = curves.text(80).split("\n")
    assert title == "loss 2"
    assert chart[0].startswith("       3 ")
    assert "nan" not in curves._repr_svg_()
    assert "nothing" not in curves.text(80) + curves._repr_svg_()


def test_sparkline() -> None:
    assert sparkline([0, 1, 2, 7]) == "▁▂▃█"
    assert sparkline(range(1000), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([3, 3]) == "▁▁"
    assert sparkline([]) == ""


def test_a_notebook_shows_one_picture_that_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def display(curves: Curves, display_id: bool) -> Any:
        shown.append(curves._repr_svg_())
        return SimpleNamespace(update=lambda curves: shown.append(curves._repr_svg_()))

    notebook = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel=True), display=SimpleNamespace(display=display)
    )
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    curves = Curves()
    for step in range(100):
        curves.add(step, {"a < b": step})
    assert len(shown) < 5  # at most twice a second
    curves.close()
    picture = shown[-1]
    assert "a &lt; b 99" in picture
    points = re.findall(r"([\d.]+),([\d.]+)", picture.split('points="')[1])
    assert (float(points[0][1]), float(points[-1][1])) == (120, 0)
    import xml.etree.ElementTree as tree

    tree.fromstring(picture)


def test_elsewhere_nothing_is_shown(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))  # imported, but no notebook
    curves = Curves()
    curves.add(0, {"loss": 1.0})
    curves.close()
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------------------------------------------------- TensorBoard
def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard reads from a folder."""
    pytest.importorskip("tensorboard", reason='TensorBoard\'s files need pip install "mazegrad[tensorboard]"')
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    found: dict[str, list[tuple[int, float]]] = {}
    for file in folder.iterdir():
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                number = value.simple_value if value.HasField("simple_value") else value.tensor.float_val[0]
                found.setdefault(value.tag, []).append((event.step, number))
    return found


def test_tensorboard_reads_all_points(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason='TensorBoard\'s files need pip install "mazegrad[tensorboard]"')
    curves = Curves(tmp_path / "log")
    curves.add(-1, {"loss": 7.0}, written=True)  # of a training that is resumed: it is in another file
    for step in range(20):
        curves.add(step, {"loss": 1 / (1 + step)})
    curves.add(20, {"accuracy": 0.5})
    curves.close()
    found = read(tmp_path / "log")
    assert found["accuracy"] == [(20, 0.5)]
    assert [step for step, _ in found["loss"]] == list(range(20))
    np.testing.assert_allclose([value for _, value in found["loss"]], 1 / (1 + np.arange(20)), rtol=1e-6)


def test_mazegrad_train_logs_its_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorboard", reason='TensorBoard\'s files need pip install "mazegrad[tensorboard]"')
    monkeypatch.chdir(tmp_path)
    words = "train TMaze-v0 --steps 600 --lanes 8 --hidden 8 --set segment=8 --episodes 2 --log log"
    assert main([*words.split(), "--world", "time_limit=20"]) == 0
    found = read(tmp_path / "log")
    assert set(found) == {"discounted", "success"}
    assert all(0 < step <= 640 for step, _ in found["success"])


def test_without_tensorboard_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtra, match="tensorboard is not installed; install it with"):
        Curves(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "TMaze-v0", "--log", "log"]) == 2
    assert "tensorboard is not installed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

"""The style of figures: a name looks the same everywhere, lines differ by more than a colour, names do not overlap."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from mazegrad.envs.pictures.palette import contrast
from mazegrad.nn.analysis.plot import LINES

pytest.importorskip("matplotlib", reason="needs the extra plot")
from mazegrad.pictures import style


def rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def test_lines_differ_by_dash_or_marker_and_can_be_seen() -> None:
    assert len({(str(line.dash), line.marker) for line in LINES}) == len({line.colour for line in LINES}) == len(LINES)
    assert all(contrast(rgb(line.colour), (255, 255, 255)) >= 3 for line in LINES)


def test_a_name_looks_the_same_in_every_figure() -> None:
    assert style.line("LSTM") == style.line("lstm", ["gru", "lstm"]) == LINES[style.NAMES["lstm"]]
    assert style.line("Q-learning") == style.line("q_learning")
    others = ["lstm", "mine", "yours", "gru"]
    found = [style.line(name, others) for name in others]
    assert len(set(found)) == 4, "what has no place of its own takes one that is free"


def test_names_stand_at_the_ends_of_lines_one_above_the_other() -> None:
    figure, axis = style.figure()
    for i in range(6):
        style.draw_line(axis, [0, 1], [0, 1 + 0.001 * i], f"line {i}")
    style.finish(axis, xlim=(0, 1), ylim=(0, 2))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axis.texts]
    assert len(boxes) == 6
    heights = sorted((box.y0 + box.y1) / 2 for box in boxes)
    assert all(b - a > 0.8 * boxes[0].height for a, b in itertools.pairwise(heights))
    assert [text.get_text() for text in sorted(axis.texts, key=lambda text: text.xy[1])] == [
        f"line {i}" for i in range(6)
    ]


def test_a_band_holds_the_middle_half_of_the_runs() -> None:
    _, axis = style.figure()
    runs = np.arange(5)[:, None] * np.ones(3)
    style.band(axis, [0, 1, 2], runs, "lstm")
    assert axis.get_lines()[0].get_ydata().tolist() == [2, 2, 2]
    corners = axis.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == (1, 3)


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
@pytest.mark.parametrize("theme", style.GROUNDS)
def test_a_figure_is_as_wide_as_a_page_and_written_by_its_ending(ending: str, theme: str, tmp_path: Path) -> None:
    figure, axes = style.figure(2, 2, theme=theme)
    axes[0, 0].set(title="a title")
    assert figure.get_figwidth() == style.TEXT_WIDTH
    style.save(figure, tmp_path / "deep" / f"figure.{ending}")
    begin = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending]
    assert (tmp_path / "deep" / f"figure.{ending}").read_bytes().startswith(begin)
    with pytest.raises(ValueError, match=r"written as .png, .pdf or .svg, not .jpg"):
        style.save(figure, tmp_path / "figure.jpg")


def test_a_figure_for_a_column_is_8_cm_wide_and_pictures_have_no_frame() -> None:
    figure, axis = style.figure(width=style.COLUMN_WIDTH, frame=False)
    assert 2.54 * figure.get_figwidth() == pytest.approx(8, abs=0.01)
    assert axis.get_xticks().size == 0 and not any(spine.get_visible() for spine in axis.spines.values())


@pytest.mark.parametrize("kind", style.SHADES)
def test_text_can_be_read_on_all_shades(kind: str) -> None:
    shades = style.shades(kind)
    for share in np.linspace(0, 1, 65):
        colour = shades(share)
        ground = tuple(round(255 * part) for part in colour[:3])
        assert contrast(rgb(style.ink_at(colour)), ground) >= 4.5
    with pytest.raises(ValueError, match="unknown shades 'rainbow'; known: values, signs, ink"):
        style.shades("rainbow")


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown theme 'neon'; known: light, dark"):
        style.figure(theme="neon")


def test_lines_can_be_read_on_a_dark_ground_too() -> None:
    _, axis = style.figure(theme="dark")
    ground = tuple(bytes.fromhex(style.GROUNDS["dark"][0][1:]))
    names = [f"line {i}" for i in range(9)]
    for name in names:
        style.draw_line(axis, [0, 1], [0, 1], name, names)
    drawn = [tuple(bytes.fromhex(line.get_color()[1:])) for line in axis.get_lines()]
    assert len(set(drawn)) == 9 and min(contrast(colour, ground) for colour in drawn) >= 4.5
    _, plain = style.figure()
    style.draw_line(plain, [0, 1], [0, 1], "lstm")
    assert plain.get_lines()[0].get_color() == style.line("lstm").colour


def test_every_example_draws_in_this_style() -> None:
    for path in sorted((Path(__file__).parents[1] / "examples").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        own = re.findall(r"import matplotlib|from matplotlib|\bplt\.|cmap=\"|\"#[0-9a-fA-F]{6}\"", text)
        assert not own, f"{path.name} draws in a style of its own: {own}"

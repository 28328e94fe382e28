"""Colours: enough contrast in every theme, and differences that people of all kinds of colour vision see."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mazegrad import panel
from mazegrad.envs.pictures.palette import (
    ACCENT,
    FADED,
    LIGHT,
    SIGNS,
    THEMES,
    Colour,
    Theme,
    contrast,
    find_theme,
    ink_on,
    luminance,
)
from mazegrad.envs.pictures.tiles import Look, layers
from mazegrad.nn.analysis.plot import LINES

every_theme = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)

# G. M. Machado, M. M. Oliveira & L. A. F. Fernandes, A Physiologically-based Model for Simulation of Color Vision
# Deficiency, 2009: severity 1, on linear RGB
DEFICIENCIES = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# colours that meet in a picture without another sign, such as a shape or a letter
TOLD_APART = [
    ("paper", "wall"), ("paper", "trail"), ("paper", "agent"), ("paper", "goal"), ("paper", "pit"), ("wall", "goal"),
    ("wall", "ice"), ("wall", "belt"), ("agent", "trail"), ("agent", "goal"), ("agent", "wall"), ("agent", "dot"),
]  # fmt: skip


def lab(colour: Colour, deficiency: object) -> NDArray[np.float64]:
    """Return a colour in CIELAB (D65), as somebody with a deficiency sees it."""
    rgb = np.array(colour) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(deficiency) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    ratio = xyz / (0.95047, 1.0, 1.08883)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_simulation_knows_its_limits() -> None:
    assert np.allclose(lab((255, 255, 255), np.eye(3)), [100, 0, 0], atol=0.02)
    red, green = (150, 50, 0), (85, 85, 0)
    assert np.linalg.norm(lab(red, np.eye(3)) - lab(green, np.eye(3))) > 30
    assert np.linalg.norm(lab(red, DEFICIENCIES["protanopia"]) - lab(green, DEFICIENCIES["protanopia"])) < 30


@every_theme
def test_graphics_have_a_contrast_of_3_and_text_of_4_5(theme: Theme) -> None:
    on_paper = {
        name: getattr(theme, name)
        for name in ("wall", "dot", "agent", "trail", "goal", "pit", "ice_line", "gem", "wind", "wood")
    }
    on_paper |= {f"letter {i}": colour for i, colour in enumerate(theme.letters)}
    on_paper |= {f"digit {i}": colour for i, colour in enumerate(theme.digits)}
    on_paper |= {f"agent {i}": colour for i, colour in enumerate(theme.agents)}
    poor = {name: contrast(colour, theme.paper) for name, colour in on_paper.items()}
    assert {name: ratio for name, ratio in poor.items() if ratio < 3} == {}
    on_ice = {name: contrast(colour, theme.slippery) for name, colour in on_paper.items() if name != "trail"}
    assert {name: ratio for name, ratio in on_ice.items() if ratio < 3} == {}, "trails have an edge of paper there"
    assert contrast(theme.ink, theme.paper) >= 4.5
    assert contrast(theme.spike, theme.pit) >= 3
    assert contrast(theme.chevron, theme.belt) >= 3
    assert contrast(theme.ice_line, theme.ice) >= 3


@every_theme
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_what_has_no_other_sign_differs_by_12_in_cielab(theme: Theme, deficiency: str) -> None:
    seen = {name: lab(getattr(theme, name), DEFICIENCIES[deficiency]) for pair in TOLD_APART for name in pair}
    near = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in TOLD_APART}
    if theme is THEMES["print"]:  # in greys the agent is a disc and the goal a flag
        near = {pair: distance for pair, distance in near.items() if "paper" in pair}
    assert {pair: distance for pair, distance in near.items() if distance < 12} == {}


@every_theme
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_a_heat_map_grows_steadily_lighter_or_darker(theme: Theme, deficiency: str) -> None:
    lightness = [lab(theme.heat_colour(share), DEFICIENCIES[deficiency])[0] for share in np.linspace(0, 1, 33)]
    steps = np.diff(lightness)
    assert (steps > 0).all() or (steps < 0).all()
    assert abs(lightness[-1] - lightness[0]) > 30


def test_text_beside_pictures_can_be_read() -> None:
    for ink in (LIGHT.ink, ACCENT, FADED):
        for ground in (LIGHT.paper, panel.CHOSEN):
            assert contrast(ink, ground) >= 4.5
    assert contrast(LIGHT.paper, ACCENT) >= 4.5 and contrast(panel.POSITIVE, panel.CHOSEN) >= 4.5
    for end in (SIGNS[0], SIGNS[2]):
        for share in np.linspace(0, 1, 101):
            red, green, blue = np.rint(np.array(SIGNS[1]) * (1 - share) + share * np.array(end)).astype(int).tolist()
            assert contrast(ink_on((red, green, blue)), (red, green, blue)) >= 4.5


def test_lines_of_figures_differ_in_their_dash_or_to_every_eye() -> None:
    colours = [tuple(bytes.fromhex(line.colour[1:])) for line in LINES]
    assert min(contrast(colour, (255, 255, 255)) for colour in colours) >= 4.5, "names stand at the ends, in colour"
    assert len({line.marker for line in LINES}) == len(LINES)
    for (i, one), (j, other) in itertools.combinations(enumerate(LINES), 2):
        for deficiency in DEFICIENCIES.values():
            distance = np.linalg.norm(lab(colours[i], deficiency) - lab(colours[j], deficiency))
            assert one.dash != other.dash or distance >= 12


@every_theme
def test_values_lie_on_the_scale(theme: Theme) -> None:
    assert theme.heat_colour(0) == theme.heat[0] == theme.heat_colour(-1)
    assert theme.heat_colour(1) == theme.heat[-1] == theme.heat_colour(2)
    shades = {theme.heat_colour(share) for share in np.linspace(0, 1, 33)}
    assert len(shades) == 33


def test_a_theme_is_named() -> None:
    assert find_theme("light") is LIGHT is find_theme(LIGHT)
    with pytest.raises(ValueError, match=r"unknown theme 'drak'; did you mean 'dark'\?"):
        find_theme("drak")
    with pytest.raises(TypeError, match="theme must be a name or a Theme, not int"):
        find_theme(3)  # type: ignore[arg-type]


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)  # a well-known grey
    for one, other in itertools.combinations(LIGHT.digits[:3], 2):
        assert contrast(one, other) == contrast(other, one) >= 1


LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def seen_around(look: Look, theme: Theme, size: int = 64) -> dict[int, float]:
    """Return for each shape of a cell its contrast with what is painted around it, at a fifth of its edge."""
    middle = (np.arange(size) + 0.5) / size - 0.5
    x, y = (axis.astype(np.float32) for axis in np.meshgrid(middle, middle))
    picture = np.broadcast_to(np.array(theme.paper), (size, size, 3)).astype(np.float64)
    found: dict[int, float] = {}
    for number, (colour, shape, alpha) in enumerate(layers(look, theme)):
        away = shape.distance(x, y) * size
        edge = picture[(away > 1) & (away < 2.5)] / 255
        linear = np.where(edge <= 0.04045, edge / 12.92, ((edge + 0.055) / 1.055) ** 2.4) @ LUMINANCE
        if len(edge) and alpha == 1:
            high, low = np.maximum(linear, luminance(colour)), np.minimum(linear, luminance(colour))
            same = (np.rint(255 * edge) == colour).all(axis=1)  # it goes on in another shape
            ratios = (high + 0.05)[~same] / (low + 0.05)[~same]
            found[number] = float(np.quantile(ratios, 0.2)) if len(ratios) > 3 else 21.0
        mask = np.clip(0.5 - away, 0, 1)[..., None] * alpha
        picture = picture + mask * (np.array(colour) - picture)
    return found


GROUNDS = [{}, {"slips": True}, *({"heat": level} for level in range(0, 64, 9)), {"heat": 63, "slips": True}]


@every_theme
@pytest.mark.parametrize("ground", GROUNDS, ids=str)
def test_what_is_laid_over_a_cell_stands_out_from_what_is_around_it(theme: Theme, ground: dict[str, Any]) -> None:
    over: dict[str, list[dict[str, Any]]] = {
        "trail": [{"trail": 9}, {"trail": 8}, {"flow": (0, 3, 0, 0)}],
        "ink": [{"arrows": ((-1, 0, 4), (0, 1, 2))}, {"arrows": ((1, 1, 3),)}],
        "agent": [{"agent": 1}],
        "ice_line": [{}],
        "chevron": [{}],
    }
    poor = {}
    for tile, (name, several) in itertools.product(".~^S", over.items()):
        for laid in several:
            look = Look(ord(tile), **ground, **laid)
            shapes = layers(look, theme)
            for number, ratio in seen_around(look, theme).items():
                if shapes[number].colour == getattr(theme, name) and ratio < 2.95:
                    poor[tile, str(laid), number] = round(ratio, 2)
    assert poor == {}

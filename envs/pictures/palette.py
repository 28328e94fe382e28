"""The colours of pictures, by theme: on a screen, on a dark screen, and on paper without colours.

What is drawn has a contrast of at least 3 with what is behind it (WCAG 2.2, success criterion 1.4.11), and what must be
told apart has a shape or a letter of its own, not only a colour; tests compute both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import nearest

Colour: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Theme:
    """The colours of one theme: red, green, blue, 0 to 255."""

    paper: Colour
    ink: Colour
    """text, starts, arrows"""
    wall: Colour
    dot: Colour
    agent: Colour
    trail: Colour
    goal: Colour
    pit: Colour
    spike: Colour
    """on a pit"""
    ice: Colour
    ice_line: Colour
    belt: Colour
    chevron: Colour
    """on a belt"""
    gem: Colour
    gem_light: Colour
    wind: Colour
    wood: Colour
    shade: Colour
    letters: tuple[Colour, ...]
    """of the keys and doors a to f"""
    digits: tuple[Colour, ...]
    """of the teleporters 0 to 9"""
    agents: tuple[Colour, ...]
    """of several agents in one maze, which have numbers too"""
    heat: tuple[Colour, ...]
    """from the lowest value to the highest, in equal steps"""

    @property
    def slippery(self) -> Colour:
        """Where moves may slip: the colour of a floor that looks like ice, on which all else can be seen."""
        return mixed(self.ice, self.paper, 0.5)

    def heat_colour(self, share: float) -> Colour:
        """Return the colour of a value, 0 for the lowest and 1 for the highest."""
        anchors = np.array(self.heat, dtype=np.float64)
        at = min(max(share, 0.0), 1.0) * (len(anchors) - 1)
        low = min(int(at), len(anchors) - 2)
        red, green, blue = np.rint(anchors[low] + (at - low) * (anchors[low + 1] - anchors[low])).astype(int).tolist()
        return red, green, blue


LIGHT: Final = Theme(
    paper=(251, 249, 244), ink=(44, 56, 72), wall=(72, 86, 104), dot=(118, 128, 140), agent=(217, 72, 32),
    trail=(205, 120, 70), goal=(28, 134, 88), pit=(58, 34, 38), spike=(240, 110, 100), ice=(203, 231, 246),
    ice_line=(58, 132, 178), belt=(224, 225, 228), chevron=(100, 112, 130), gem=(14, 134, 178),
    gem_light=(140, 218, 240), wind=(84, 136, 172), wood=(128, 88, 48), shade=(70, 48, 30),
    letters=((166, 116, 0), (0, 118, 176), (196, 44, 118), (44, 132, 52), (108, 70, 180), (178, 82, 14)),
    digits=(
        (124, 77, 196), (0, 132, 132), (204, 76, 54), (66, 120, 214), (176, 120, 0),
        (200, 60, 140), (74, 142, 46), (120, 100, 90), (30, 80, 140), (150, 40, 60),
    ),
    agents=((217, 72, 32), (0, 110, 170), (150, 50, 130), (30, 120, 60), (120, 90, 0), (90, 70, 170)),
    heat=((255, 250, 215), (199, 233, 180), (109, 195, 190), (42, 145, 190), (24, 90, 155)),
)  # fmt: skip

ACCENT: Final = (176, 52, 18)
"""of text beside a picture that is about the agent, which has the agent's hue"""
FADED: Final = (90, 96, 104)
"""of text beside a picture that is less important"""
SIGNS: Final = ((44, 104, 160), (226, 223, 216), (176, 66, 24))
"""of numbers that may be negative: the lowest, 0, the highest"""

DARK: Final = Theme(
    paper=(24, 28, 35), ink=(226, 231, 238), wall=(106, 121, 143), dot=(126, 138, 154), agent=(255, 128, 80),
    trail=(190, 104, 58), goal=(62, 190, 130), pit=(236, 214, 216), spike=(186, 40, 40), ice=(38, 66, 86),
    ice_line=(126, 196, 236), belt=(52, 58, 68), chevron=(150, 162, 180), gem=(64, 180, 222),
    gem_light=(170, 230, 248), wind=(96, 150, 190), wood=(196, 148, 98), shade=(214, 186, 156),
    letters=((230, 178, 40), (84, 176, 236), (240, 120, 180), (110, 200, 110), (176, 150, 240), (236, 146, 80)),
    digits=(
        (178, 146, 240), (60, 190, 190), (240, 134, 110), (126, 170, 250), (226, 172, 60),
        (240, 130, 190), (130, 200, 96), (190, 168, 156), (120, 170, 230), (232, 124, 144),
    ),
    agents=((255, 128, 80), (84, 176, 236), (230, 130, 210), (110, 200, 130), (220, 190, 70), (176, 150, 240)),
    heat=((33, 46, 66), (28, 84, 120), (38, 132, 150), (104, 184, 150), (224, 232, 160)),
)  # fmt: skip

PRINT: Final = Theme(
    paper=(255, 255, 255), ink=(0, 0, 0), wall=(96, 96, 96), dot=(120, 120, 120), agent=(0, 0, 0),
    trail=(140, 140, 140), goal=(0, 0, 0), pit=(40, 40, 40), spike=(230, 230, 230), ice=(238, 238, 238),
    ice_line=(110, 110, 110), belt=(230, 230, 230), chevron=(90, 90, 90), gem=(70, 70, 70),
    gem_light=(220, 220, 220), wind=(130, 130, 130), wood=(70, 70, 70), shade=(30, 30, 30),
    letters=((60, 60, 60),) * 6, digits=((60, 60, 60),) * 10, agents=((0, 0, 0),) * 6,
    heat=((255, 255, 255), (150, 150, 150)),
)  # fmt: skip

THEMES: Final[Mapping[str, Theme]] = MappingProxyType({"light": LIGHT, "dark": DARK, "print": PRINT})
"""by name: for a screen, for a dark screen, and for paper, in greys"""


def find_theme(theme: str | Theme) -> Theme:
    """Return a theme by its name.

    Raises:
        ValueError: an unknown name.
        TypeError: neither a name nor a Theme.
    """
    if isinstance(theme, Theme):
        return theme
    if not isinstance(theme, str):
        raise TypeError(f"theme must be a name or a Theme, not {type(theme).__name__}")
    if theme not in THEMES:
        raise ValueError(f"unknown theme {theme!r}{nearest(theme, THEMES)}")
    return THEMES[theme]


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0 for black and 1 for white (WCAG 2.2)."""
    parts: NDArray[np.float64] = np.array(colour, dtype=np.float64) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink_on(ground: Colour) -> Colour:
    """Return a colour in which text can be read on a ground: ink where that is enough, else black or white."""
    if contrast(LIGHT.ink, ground) >= 4.5:
        return LIGHT.ink
    return max(((0, 0, 0), (255, 255, 255)), key=lambda colour: contrast(colour, ground))


def mixed(colour: Colour, with_colour: Colour, share: float) -> Colour:
    """Return a mixture: this share of a colour, the rest of another."""
    red, green, blue = (round(share * c + (1 - share) * p) for c, p in zip(colour, with_colour, strict=True))
    return red, green, blue

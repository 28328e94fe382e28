"""One style for all figures: a name has one colour, dash and marker, wherever it is drawn. Extra: plot.

figure, (left, right) = style.figure(1, 2)
style.band(left, steps, returns, "lstm")     # the mean of the runs, and their spread
style.finish(left)                           # names at the ends of the lines
style.save(figure, "learning.pdf")           # at the width of a page's text, or a PNG
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from ..envs.maps.files import replacing
from ..envs.pictures.palette import LIGHT, SIGNS, Colour, contrast, ink_on, luminance, mixed
from ..extras import require
from ..nn.analysis.plot import INK, LINES, Line, label_ends

TEXT_WIDTH: Final = 6.3
"""inches: the width of the text on a page of A4 with margins of an inch"""
COLUMN_WIDTH: Final = 3.15
"""inches: that of one of two columns, 8 cm"""

_NAMES: Final = (
    ("optimum", "V*", "legal", "linear", "orthogonal"),
    ("lstm", "float64", "q_learning"),
    ("gru", "ppo", "expected_sarsa"),
    ("rnn", "float32", "tanh", "sarsa"),
    ("memoryless", "none", "leaky", "reinforce", "prioritized_sweeping"),
    ("random", "without memory", "fractions"),
    ("lstm, chrono", "chrono", "dagger", "double_q_learning"),
    ("dyna_q",),
    ("dyna_q_plus",),
)
"""names that share a line, since they do not meet in a figure"""

NAMES: Final[Mapping[str, int]] = MappingProxyType({name: i for i, group in enumerate(_NAMES) for name in group})
"""name -> its place in `LINES`"""

SHADES: Final[Mapping[str, tuple[Colour, ...]]] = MappingProxyType(
    {"values": LIGHT.heat, "signs": SIGNS, "ink": ((255, 255, 255), LIGHT.ink)}
)
"""kind of numbers -> colours from the lowest to the highest: values or counts, numbers of both signs, grey pixels"""

GROUNDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"light": ("#ffffff", INK), "dark": ("#181c23", "#e2e7ee")}
)
"""theme -> the colours of the paper and of what is written on it"""


def line(name: str, others: Sequence[str] = ()) -> Line:
    """Return the colour, dash and marker of a name.

    Args:
        name: what is drawn; letters of either case, "_", "-" and spaces are the same, "+" is "_plus".
        others: all names of the figure; one that is not in `NAMES` takes the first line that none of them has.

    Example:
        >>> from mazegrad.pictures import style
        >>> style.line("Q-learning") == style.line("q_learning"), style.line("mine", ["mine", "lstm"]).colour
        (True, '#1c8658')
    """
    places = {_plain(key): place for key, place in NAMES.items()}

    def place(given: str) -> int | None:
        return places.get(_plain(given))

    found = place(name)
    if found is not None:
        return LINES[found]
    names = list(dict.fromkeys([*others, name]))
    taken = {place(other) for other in names}
    free = [i for i in range(len(LINES)) if i not in taken] or list(range(len(LINES)))
    unknown = [other for other in names if place(other) is None]
    return LINES[free[unknown.index(name) % len(free)]]


def _plain(name: str) -> str:
    return name.lower().replace("+", "_plus").replace("-", "_").replace(" ", "_")


def figure(
    rows: int = 1,
    columns: int = 1,
    *,
    height: float = 2.6,
    width: float = TEXT_WIDTH,
    theme: str = "light",
    frame: bool = True,
    **keywords: Any,
) -> tuple[Any, Any]:
    """Return a figure as wide as a page's text, and its axes as `Figure.subplots` returns them.

    Args:
        rows, columns: of axes.
        height: of a row, in inches.
        width: of the figure, in inches; letters keep their size: `COLUMN_WIDTH` for 8 cm.
        theme: "light" or "dark".
        frame: whether axes have lines and numbers; False for pictures.
        keywords: of `Figure.subplots`, such as `sharey`.

    Raises:
        ValueError: an unknown theme.
        MissingExtra: matplotlib is not installed.

    Example:
        >>> from mazegrad.pictures import style
        >>> figure, (left, right) = style.figure(1, 2, theme="dark", sharey=True)
        >>> figure.get_size_inches().tolist()
        [6.3, 2.6]
    """
    if theme not in GROUNDS:
        raise ValueError(f"unknown theme {theme!r}; known: {', '.join(GROUNDS)}")
    paper, ink = GROUNDS[theme]
    made = require("matplotlib.figure", "plot").Figure((width, height * rows), layout="constrained", facecolor=paper)
    axes = made.subplots(rows, columns, **keywords)
    for axis in np.ravel(axes):
        axis.set_facecolor(paper)
        axis.spines[["top", "right"]].set_visible(False)
        if not frame:
            axis.spines[:].set_visible(False)
            axis.set(xticks=[], yticks=[])
        axis.spines[:].set_color(ink)
        axis.tick_params(which="both", colors=ink, labelsize=8)
        for text in (axis.title, axis.xaxis.label, axis.yaxis.label):
            text.set(color=ink, size=9)
    return made, axes


def _on(axis: Any, colour: str) -> str:
    """Return the colour of a line, mixed with white as far as dark axes need it: a contrast of 4.5."""
    ground: Colour = tuple(round(255 * part) for part in axis.get_facecolor()[:3])
    drawn: Colour = tuple(bytes.fromhex(colour[1:]))  # type: ignore[assignment]
    share = 1.0
    while luminance(ground) < 0.18 and contrast(mixed(drawn, (255, 255, 255), share), ground) < 4.5:
        share -= 0.05
    return "#" + bytes(mixed(drawn, (255, 255, 255), share)).hex()


def draw_line(
    axis: Any,
    x: ArrayLike,
    y: ArrayLike,
    name: str,
    others: Sequence[str] = (),
    *,
    marked: bool = False,
    **keywords: Any,
) -> None:
    """Draw one line in the style of its name, with its marker at each point if `marked`; keywords: `Axes.plot`'s.

    Example:
        >>> from mazegrad.pictures import style
        >>> _, axis = style.figure()
        >>> style.draw_line(axis, [0, 1, 2], [0.0, 0.5, 0.75], "sarsa")
        >>> axis.get_lines()[0].get_color() == style.line("sarsa").colour
        True
    """
    colour, dash, marker = line(name, others)
    points = {"marker": marker, "ms": 4} if marked else {}
    axis.plot(x, y, **{"color": _on(axis, colour), "ls": dash, "lw": 1.6, "label": name, **points, **keywords})


def band(axis: Any, x: ArrayLike, runs: ArrayLike, name: str, others: Sequence[str] = ()) -> None:
    """Draw the median of several runs, (runs, points), and the band in which the middle half of them lies.

    Example:
        >>> import numpy as np
        >>> from mazegrad.pictures import style
        >>> _, axis = style.figure()
        >>> style.band(axis, [0, 1], np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 9.0]]), "sarsa")
        >>> axis.get_lines()[0].get_ydata().tolist()  # the median of three runs
        [0.0, 3.0]
    """
    several = np.atleast_2d(np.asarray(runs, dtype=np.float64))
    low, middle, high = np.nanquantile(several, (0.25, 0.5, 0.75), axis=0)
    colour = _on(axis, line(name, others)[0])
    axis.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
    draw_line(axis, x, middle, name, others)


def shades(kind: str) -> Any:
    """Return the colours of a kind of numbers as a matplotlib colormap; see `SHADES`.

    Raises:
        ValueError: an unknown kind.
        MissingExtra: matplotlib is not installed.

    Example:
        >>> from mazegrad.pictures import style
        >>> [round(float(part), 2) for part in style.shades("ink")(0.0)]  # paper: red, green, blue, opacity
        [1.0, 1.0, 1.0, 1.0]
    """
    if kind not in SHADES:
        raise ValueError(f"unknown shades {kind!r}; known: {', '.join(SHADES)}")
    anchors = [[part / 255 for part in colour] for colour in SHADES[kind]]
    return require("matplotlib.colors", "plot").LinearSegmentedColormap.from_list(kind, anchors)


def ink_at(colour: Sequence[float]) -> str:
    """Return a colour in which text can be read on a colour (red, green, blue, from 0 to 1), as a colormap gives it.

    Example:
        >>> from mazegrad.pictures import style
        >>> style.ink_at((1.0, 1.0, 1.0)), style.ink_at((0.0, 0.0, 0.2))
        ('#2c3848', '#ffffff')
    """
    red, green, blue = (round(255 * part) for part in colour[:3])
    return "#" + bytes(ink_on((red, green, blue))).hex()


def finish(axis: Any, **keywords: Any) -> None:
    """Set what `Axes.set` takes, and write the names at the ends of the lines.

    Example:
        >>> from mazegrad.pictures import style
        >>> _, axis = style.figure()
        >>> style.draw_line(axis, [0, 1], [0.0, 1.0], "sarsa")
        >>> style.finish(axis, xlabel="episodes", xlim=(0, 1))
        >>> axis.get_xlabel(), [text.get_text() for text in axis.texts]
        ('episodes', ['sarsa'])
    """
    axis.set(**keywords)
    label_ends(axis)


def save(made: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure by the ending of its name: .png at 160 dots an inch, .pdf or .svg.

    Raises:
        ValueError: another ending.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from mazegrad.pictures import style
        >>> figure, axis = style.figure()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     style.save(figure, Path(folder) / "empty.svg")
        wrote ...empty.svg
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "pdf", "svg"):
        raise ValueError(f"a figure is written as .png, .pdf or .svg, not {path.suffix or 'without an ending'}")
    for axis in made.axes:  # matplotlib gives a title its usual size when it is set
        axis.title.set_size(min(axis.title.get_size(), 9))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        made.savefig(beside, format=kind, dpi=160)
    print(f"wrote {path}")

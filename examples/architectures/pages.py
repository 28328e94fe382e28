"""A page of text with a shade behind each letter, as a picture or in a terminal."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from course import page

from mazegrad.pictures import style

SHADES = (None, 229, 228, 220, 214, 208)  # xterm colours: from no background over yellow to orange


def lines(text: str, values: Sequence[float], columns: int) -> list[list[tuple[str, float]]]:
    """Return letters and their values, a list for each line; lines longer than `columns` are broken."""
    rows: list[list[tuple[str, float]]] = [[]]
    for letter, value in zip(text, values, strict=True):
        if letter == "\n" or len(rows[-1]) == columns:
            rows.append([])
        if letter != "\n":
            rows[-1].append((letter, float(value)))
    return rows


def draw_page(text: str, values: Sequence[float], path: Path, title: str, columns: int = 80) -> None:
    """Draw text as PNG, each letter on its shade from 0 (white) to 1 (orange); does nothing without matplotlib."""
    rows = lines(text, values, columns)
    made = page(height=0.15 * len(rows) + 0.3, frame=False)
    if made is None:
        return
    (figure, axis), shades = made, np.zeros((len(rows), columns, 1))
    for i, row in enumerate(rows):
        for j, (letter, value) in enumerate(row):
            shades[i, j] = value
            axis.text(j, i, letter, family="monospace", fontsize=8, ha="center", va="center", parse_math=False)
    orange = 1 - shades * [0, 0.4, 0.85]  # red, green, blue: from white
    axis.imshow(orange, aspect="auto", interpolation="nearest")
    axis.set_title(title)
    style.save(figure, path)


def coloured(text: str, values: Sequence[float]) -> str:
    """Return text for a terminal, with a background for each letter's value from 0 to 1; elsewhere the plain text."""
    if not sys.stdout.isatty():
        return text
    out, now = [], None
    for letter, value in zip(text, values, strict=True):
        shade = None if letter == "\n" else SHADES[min(int(value * len(SHADES)), len(SHADES) - 1)]
        if shade != now:
            out.append("\x1b[0m" if shade is None else f"\x1b[30;48;5;{shade}m")
            now = shade
        out.append(letter)
    return "".join(out) + "\x1b[0m"

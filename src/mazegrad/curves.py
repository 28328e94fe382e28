"""Learning curves that grow while a training runs: in a terminal, in a notebook, and in files for TensorBoard."""

import math
import shutil
import sys
import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from .extras import require

_DOTS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # of a Braille character, 4 x 2
_LABEL: Final = 8  # characters of a number beside a chart
_CHART: Final = 30  # characters of a chart's width
_WIDTH, _HEIGHT, _MARGIN = 300, 120, 22  # px of a panel in a notebook


class Curves:
    """Named curves: `add` takes new points, and shows them where somebody looks.

    In a notebook the picture in the cell's output is updated, at most twice a second. In a terminal `text()` is the
    same as lines of characters: `progress(..., above=curves.text)` keeps them above its bar. With `log`, a folder, all
    points are also written for TensorBoard: `tensorboard --logdir FOLDER` shows them, while the training runs.

    Args:
        log: where TensorBoard's file is written; needs the extra `tensorboard`. None writes nothing.

    Raises:
        MissingExtra: `log` is given and tensorboard is not installed.

    Example:
        >>> from mazegrad.curves import Curves
        >>> curves = Curves()
        >>> for step in range(1, 50):
        ...     curves.add(step, {"loss": 1 / step})
        >>> print(curves.text(columns=40, height=2))
        loss 0.02041
               1 ⢱⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
         0.02041 ⠈⠒⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
    """

    def __init__(self, log: Path | None = None) -> None:
        self.points: dict[str, list[tuple[float, float]]] = {}  # name -> (step, value)
        self._events = None if log is None else _Events(log)
        self._display: Any = None
        self._shown = -math.inf

    def add(self, step: float, figures: Mapping[str, float], *, written: bool = False) -> None:
        """Add a point to each of the named curves, at the number of steps done so far.

        With `written`, it is in TensorBoard's files already: a point of a training that is resumed.
        """
        for name, value in figures.items():
            self.points.setdefault(name, []).append((step, float(value)))
        if self._events is not None and not written:
            self._events.write(int(step), figures)
        if time.monotonic() - self._shown > 0.5:
            self._show()

    def close(self) -> None:
        """Show and write what has not been shown and written yet."""
        self._show()
        if self._events is not None:
            self._events.close()

    def text(self, columns: int | None = None, height: int = 4) -> str:
        """Return the curves as lines of characters, as many side by side as fit; "" before there are two points.

        Args:
            columns: characters of a line; by default those of the terminal.
            height: lines of a chart, besides its title.
        """
        columns = shutil.get_terminal_size().columns if columns is None else columns
        charts = [_chart(name, *found, height) for name in self.points if (found := self._finite(name)) is not None]
        each = max(1, (columns + 1) // (_LABEL + _CHART + 3))
        rows = [charts[i : i + each] for i in range(0, len(charts), each)]
        return "\n".join("  ".join(parts).rstrip() for row in rows for parts in zip(*row, strict=True))

    def _finite(self, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return steps and values of a curve, without those that are not finite; None if fewer than two are left."""
        steps, values = np.array(self.points[name]).T
        kept = np.isfinite(values)
        return (steps[kept], values[kept]) if kept.sum() > 1 else None

    def _repr_svg_(self) -> str:
        """Return the picture for a notebook: a panel for each curve, side by side."""
        found = {name: points for name in self.points if (points := self._finite(name)) is not None}
        panels = "".join(
            f'<g transform="translate({i * (_WIDTH + _MARGIN) + _MARGIN} {_MARGIN})">{_panel(name, *points)}</g>'
            for i, (name, points) in enumerate(found.items())
        )
        width, height = max(1, len(found)) * (_WIDTH + _MARGIN) + _MARGIN, _HEIGHT + 2 * _MARGIN
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' font-family="sans-serif" font-size="11">{panels}</svg>'
        )

    def _show(self) -> None:
        """Update the picture, in a notebook."""
        self._shown = time.monotonic()
        ipython = sys.modules.get("IPython")
        if ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
            return
        if self._display is None:
            self._display = ipython.display.display(self, display_id=True)
        else:
            self._display.update(self)


def sparkline(values: Any, width: int = 60) -> str:
    """Return values as one line of bars, from the lowest to the highest; `width` means if there are more values.

    Example:
        >>> from mazegrad.curves import sparkline
        >>> sparkline([1, 2, 3, 5, 8, 5, 1])
        '▁▂▃▅█▅▁'
        >>> sparkline(range(1000), width=8)
        '▁▂▃▄▅▆▇█'
    """
    array = np.asarray(values, float)
    means = [part.mean() for part in np.array_split(array, max(1, min(width, len(array)))) if len(part)]
    low, high = min(means, default=0), max(means, default=0)
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (mean - low) / ((high - low) or 1))] for mean in means)


# ----------------------------------------------------------------------------------------------------------- a terminal
def _chart(name: str, steps: np.ndarray, values: np.ndarray, height: int) -> list[str]:
    """Return a curve as `height` + 1 lines of equal length: its name and last value, then the chart in Braille dots."""
    wide, tall = 2 * _CHART, 4 * height
    line = _thinned(steps, values, wide)
    low, high = line.min(), line.max()
    at = np.rint((high - line) / ((high - low) or 1) * (tall - 1)).astype(int)  # from the top
    dots = np.zeros((tall, wide), bool)
    for column, (here, before) in enumerate(zip(at, [at[0], *at[:-1]], strict=True)):
        dots[min(here, before + (here > before)) : max(here, before - (here < before)) + 1, column] = True
    cells = (dots.reshape(height, 4, _CHART, 2) * _DOTS[:, None, :]).sum((1, 3))
    labels = [_number(high), *[""] * (height - 2), _number(low)] if height > 1 else [_number(high)]
    title = f"{name} {_number(values[-1])}"[: _LABEL + 1 + _CHART]
    drawn = [f"{label:>{_LABEL}} " + "".join(map(chr, 0x2800 + row)) for label, row in zip(labels, cells, strict=True)]
    return [f"{title:<{_LABEL + 1 + _CHART}}", *drawn]


def _thinned(steps: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Return `count` values at equal distances: means where there are more points, else on the line between them."""
    edges = np.linspace(steps[0], steps[-1], count + 1)
    place = np.clip(np.searchsorted(edges, steps, side="right") - 1, 0, count - 1)
    many = np.bincount(place, minlength=count)
    means = np.bincount(place, values, count) / np.maximum(many, 1)
    filled = np.flatnonzero(many)
    return np.interp(np.arange(count), filled, means[filled])


def _number(value: float) -> str:
    """Return a number in at most eight characters."""
    return f"{value:.4g}" if len(f"{value:.4g}") <= _LABEL else f"{value:.1e}"


# ----------------------------------------------------------------------------------------------------------- a notebook
def _panel(name: str, steps: np.ndarray, values: np.ndarray) -> str:
    """Return one curve in its frame, as SVG."""
    line = _thinned(steps, values, min(_WIDTH, max(2, len(values))))
    low, high = line.min(), line.max()
    x = np.linspace(0, _WIDTH, len(line))
    y = (high - line) / ((high - low) or 1) * _HEIGHT
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f'<text y="-8">{escape(name)} {_number(values[-1])}</text>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#cccccc"/>'
        f'<polyline points="{points}" fill="none" stroke="#2c68a0" stroke-width="1.5"/>'
        f'<text y="11" x="{_WIDTH - 3}" text-anchor="end" fill="#888888">{_number(high)}</text>'
        f'<text y="{_HEIGHT - 4}" x="{_WIDTH - 3}" text-anchor="end" fill="#888888">{_number(low)}</text>'
        f'<text y="{_HEIGHT + 14}" fill="#888888">{steps[0]:,.0f}</text>'
        f'<text y="{_HEIGHT + 14}" x="{_WIDTH}" text-anchor="end" fill="#888888">{steps[-1]:,.0f} steps</text>'
    )


# ---------------------------------------------------------------------------------------------------------- TensorBoard
class _Events:
    """A file of scalars for TensorBoard."""

    def __init__(self, folder: Path) -> None:
        writers = require("tensorboard.summary.writer.event_file_writer", "tensorboard")
        self._event = require("tensorboard.compat.proto.event_pb2", "tensorboard").Event
        self._summary = require("tensorboard.compat.proto.summary_pb2", "tensorboard").Summary
        self._writer = writers.EventFileWriter(str(folder), flush_secs=5)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=self._summary(value=values)))

    def close(self) -> None:
        self._writer.close()

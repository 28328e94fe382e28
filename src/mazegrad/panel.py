"""The mind's panel: what an agent observes, computes and chooses, drawn on a pygame surface from plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import pygame
from numpy.typing import NDArray

from .canvas import HEIGHT, WIDTH, Canvas
from .envs.maps.directions import DIRECTION_NAMES
from .envs.pictures.palette import ACCENT, FADED, SIGNS, Colour, ink_on, mixed
from .envs.pictures.tiles import AGENT, INK, PAPER, Frame

Array = NDArray[Any]

_REMEMBERED: Final = 60  # steps that a strip of hidden units shows
_CARRIED: Final = 12  # things that are shown
_EDGES: Final = 120  # of an automaton that are drawn
CHOSEN: Final = (253, 234, 222)
"""behind what is chosen"""
NEGATIVE, FAINT, POSITIVE = SIGNS


@dataclass(frozen=True)
class Net:
    """One step of a recurrent net: h_{t+1} = W x_t + U h_t + b."""

    W: Array
    U: Array
    b: Array
    h: Array
    """(n,), the hidden state before x"""
    next_h: Array
    """(n,), the hidden state after x"""


@dataclass(frozen=True)
class Graph:
    """One step of an automaton: its nodes, and the edge that is taken."""

    next_node: Array
    """(nodes, observations)"""
    node: int
    """before the observation"""
    after: int
    """after it"""


@dataclass(frozen=True)
class Mind:
    """What the panel shows of one moment; fields that are None are left out."""

    title: str
    subtitle: str
    step: int
    total: float
    """the return so far"""
    sees: str
    """the observation in words, where it is not four bits"""
    x: Array | None = None
    """(4,), the observed bits"""
    action: int | None = None
    net: Net | None = None
    likely: Array | None = None
    """(4,), how likely each direction is"""
    scores: Array | None = None
    """(4,), what each direction is worth: the values of a table"""
    value: float | None = None
    """what a critic expects to earn from here"""
    units: Array | None = None
    """(k,), what a net remembers"""
    gates: Mapping[str, Array] = field(default_factory=dict)
    """how far each gate of a net opens, 0 to 1: name -> (units,)"""
    history: tuple[Array, ...] = ()
    """`units` of the steps so far, the latest last"""
    graph: Graph | None = None
    view: Frame | None = None
    """what the agent sees, as a picture"""
    carries: tuple[Frame, ...] = ()
    """pictures of what it carries"""
    note: str = ""
    """shown in place of the action when the episode is over"""


def draw_panel(mind: Mind, height: int, large: bool = False) -> Frame:
    """Return the panel as a frame, (height, height * WIDTH / HEIGHT, 3) uint8; needs no display.

    With `large` it shows less, in letters for the last row of a hall: at least 18 points on a slide of 7.5 inches.
    """
    canvas = Canvas(height)
    if large:
        _draw_large(canvas, mind)
        return pygame.surfarray.array3d(canvas.surface).swapaxes(0, 1)
    canvas.text(0, 40, mind.title, 34)
    canvas.text(0, 74, mind.subtitle, 20, FADED)
    canvas.text(0, 120, "step", 20, FADED)
    canvas.text(48, 118, f"{mind.step}", 28)
    canvas.text(122, 120, "return", 20, FADED)
    canvas.text(186, 118, f"{mind.total:g}", 28)
    if mind.action is not None:
        canvas.arrow(300, 118, mind.action, 28, ACCENT)
        canvas.text(326, 118, DIRECTION_NAMES[mind.action], 30, ACCENT)
    else:
        canvas.text(286, 118, mind.note, 28, ACCENT)
    if mind.x is None:
        canvas.text(0, 172, f"sees {mind.sees}", 24)
    room = _CARRIED if mind.view is None else _CARRIED - 4
    for i, picture in enumerate(mind.carries[:room]):
        if not i:
            canvas.text(0, 148, "carries", 20, FADED)
        canvas.paste(70 + 30 * i, 134, picture, 26)
    if mind.view is not None:
        canvas.paste(WIDTH - 136, 140, mind.view, 116)
    top = 168 if mind.x is not None else 200
    if mind.x is not None or mind.likely is not None or mind.scores is not None:
        top += 72 if mind.view is not None else 0
        row = 46 if mind.view is None else 37
        _draw_vectors(canvas, top, mind, row)
        top += 52 + 4 * row
    if mind.graph is not None:
        _draw_graph(canvas, max(top, 400), mind.graph)
    if mind.net is not None:
        if mind.x is not None and len(mind.net.b) == 4:
            _draw_equation(canvas, 396, mind.net, mind.x, mind.action)
        _draw_matrices(canvas, 576, {"W": mind.net.W, "U": mind.net.U, "b": mind.net.b[:, None]})
    if mind.units is not None and len(mind.units):
        strip = 96 if len(mind.history) > 1 else 0
        top = max(top, 430)
        if mind.gates:
            _draw_gates(canvas, top, mind.gates)
            top += 22 * len(mind.gates) + 4
        _draw_units(canvas, top + 10, HEIGHT - strip, mind.units)
        if strip:
            _draw_history(canvas, HEIGHT - strip + 2, np.array(mind.history[-_REMEMBERED:]).T)
    return pygame.surfarray.array3d(canvas.surface).swapaxes(0, 1)


_LARGE: Final = 37.0  # size of letters: 18 points on a slide, also above a line of keys


def _draw_large(canvas: Canvas, mind: Mind) -> None:
    """Draw the step, the move, what is seen and wanted, and below what is remembered, without small print."""
    canvas.text(0, 40, mind.title, 40)
    canvas.text(0, 100, f"step {mind.step}", _LARGE)
    if mind.action is not None:
        canvas.arrow(200, 100, mind.action, 40, ACCENT)
        canvas.text(232, 100, DIRECTION_NAMES[mind.action], 42, ACCENT)
    else:
        canvas.text(190, 100, mind.note, _LARGE, ACCENT)
    for i, picture in enumerate(mind.carries[:_CARRIED]):
        canvas.paste(42 * i, 124, picture, 38)
    top, row = 190.0, 58.0
    if mind.view is not None:
        canvas.paste(WIDTH - 136, 124, mind.view, 116)
        top += 76
    bars = _bars(mind)
    if mind.x is not None or bars is not None:
        bars = bars and bars._replace(half=0.8 * bars.half)  # numbers are wider
        if mind.x is not None:
            canvas.symbol(84, top, "x_t", _LARGE)
        if bars is not None:
            canvas.symbol(bars.zero, top, bars.name.split("  ")[0], _LARGE)
        if mind.value is not None:
            canvas.text(WIDTH - 30, top, f"V {mind.value:.2g}".replace("-", "−"), _LARGE, align=1)
        _draw_directions(canvas, top + 24, mind, bars, row, _LARGE)
        top += 40 + 4 * row
    else:
        canvas.text(0, top, mind.sees, _LARGE)
        top += 60
    if mind.graph is not None:
        _draw_graph(canvas, top, mind.graph, _LARGE)
    elif mind.net is not None:
        size = min(150.0, HEIGHT - top - 60)
        for i, (name, matrix) in enumerate({"W": mind.net.W, "U": mind.net.U}.items()):
            canvas.text(210 * i, top + size / 2 + 20, name, _LARGE)
            rows, columns = matrix.shape
            reach = max(float(np.abs(mind.net.W).max()), float(np.abs(mind.net.U).max())) or 1.0
            for (r, c), value in np.ndenumerate(matrix):
                cell = size / max(rows, columns)
                left, y = 44 + 210 * i + c * cell, top + 20 + r * cell
                canvas.box(left, y, cell - (rows < 20), cell - (rows < 20), _heat(float(value), reach))
    elif mind.gates:
        _draw_gates(canvas, top + 10, mind.gates, _LARGE)
    elif mind.units is not None and len(mind.units):
        canvas.symbol(0, top + 16, "h_t+1", _LARGE)
        _draw_cells(canvas, top + 40, HEIGHT - 10, mind.units)


class _Bars(NamedTuple):
    """What is drawn for each direction as a bar."""

    numbers: Array
    reach: float
    """the largest size that has room"""
    zero: float
    """where bars begin"""
    half: float
    """how long the largest are"""
    name: str


def _bars(mind: Mind) -> _Bars | None:
    """Return h_{t+1} of a net of four units, else how likely each direction is, or what it is worth."""
    if mind.net is not None and len(mind.net.next_h) == 4:
        h = mind.net.next_h
        return _Bars(h, 2.0 ** max(1, np.ceil(np.log2(max(np.abs(h).max(), 1)))), 268, 92, "h_t+1  wants")
    if mind.scores is not None:
        return _Bars(mind.scores, max(float(np.abs(mind.scores).max()), 1e-9), 268, 92, "Q  is worth")
    if mind.likely is not None:
        return _Bars(mind.likely, 1.0, 176, 184, "p  takes")
    return None


def _draw_directions(canvas: Canvas, top: float, mind: Mind, bars: _Bars | None, row: float, size: float = 26) -> None:
    """Draw a row for each direction: whether it is seen, and its bar."""
    for d in range(4):
        y, chosen = top + row * (d + 0.5), d == mind.action
        if chosen:
            canvas.box(0, y - 0.46 * row, WIDTH - 16, 0.92 * row, CHOSEN, 8)
        canvas.arrow(24, y, d, size, ACCENT if chosen else INK)
        if mind.x is not None:
            canvas.disc(94, y, 0.46 * size, INK if mind.x[d] else FADED, ring=not mind.x[d])
        if bars is not None:
            h = float(bars.numbers[d])
            length = bars.half * h / bars.reach
            canvas.box(bars.zero + min(length, 0), y - 12, abs(length), 24, _heat(h, abs(h)), 3)
            number = f"{h:.2f}" if bars.numbers is mind.likely else _number(h)
            canvas.text(WIDTH - 30, y, number, size, ACCENT if chosen else INK, align=1)
    if bars is not None:
        canvas.box(bars.zero - 0.75, top, 1.5, 4 * row, FADED)


def _draw_vectors(canvas: Canvas, top: float, mind: Mind, row: float) -> None:
    """Draw x_t as dots, and as bars h_{t+1} or how likely each direction is, a row for each direction."""
    bars = _bars(mind)
    if mind.x is not None:
        canvas.symbol(64, top, "x_t  sees", 21, FADED)
    if bars is not None:
        canvas.symbol(bars.zero - (0 if bars.numbers is mind.likely else 58), top, bars.name, 21, FADED)
    if mind.value is not None:
        right = WIDTH - 30
        canvas.text(right, top, _number(mind.value), 24, align=1)
        canvas.text(right - 84, top, "V  expects", 21, FADED, align=1)
    _draw_directions(canvas, top + 21, mind, bars, row)


def _draw_graph(canvas: Canvas, top: float, graph: Graph, letters: float = 21) -> None:
    """Draw the nodes of an automaton on a circle, its edges, and in colour the node and the edge that is taken."""
    count = len(graph.next_node)
    radius = min((HEIGHT - top - 90) / 2, (WIDTH - 90) / 2)
    middle = WIDTH / 2 - 12, top + 50 + radius
    angles = 2 * np.pi * np.arange(count) / count - np.pi / 2
    places = [(middle[0] + radius * float(np.cos(a)), middle[1] + radius * float(np.sin(a))) for a in angles]
    if count == 1:
        places = [middle]
    canvas.text(0, top, f"node {graph.node}, then {graph.after}, of {count}", letters, FADED)
    edges = {(node, int(after)) for node, row in enumerate(graph.next_node) for after in set(row.tolist())}
    if len(edges) <= _EDGES:
        for node, after in edges:
            canvas.line(places[node], places[after], FADED, 1)
    canvas.line(places[graph.node], places[graph.after], AGENT, 4)
    size = max(4.0, min(17.0, 2.4 * radius / max(count, 1)))
    for node, place in enumerate(places):
        here = node in (graph.node, graph.after)
        hollow = node == graph.after and node != graph.node
        if node == graph.node == graph.after:  # an edge back to itself
            canvas.disc(place[0], place[1] - 1.2 * size, size, AGENT, ring=True)
        canvas.disc(*place, size, PAPER if hollow else ACCENT if here else FADED)
        if hollow:
            canvas.disc(*place, size, AGENT, ring=True)
        if size > 9 and letters < _LARGE:
            canvas.text(*place, f"{node}", size, ACCENT if hollow else PAPER, align=0.5)


def _draw_gates(canvas: Canvas, top: float, gates: Mapping[str, Array], letters: float = 20) -> None:
    """Draw each gate as a row of cells, one for each unit, dark where it is open; at the right its mean."""
    left, right, high = 3.6 * letters, WIDTH - 30 - 2.4 * letters, 1.1 * letters
    for row, (name, opened) in enumerate(gates.items()):
        y, wide = top + high * row, (right - left) / len(opened)
        canvas.text(0, y + 0.4 * letters, name, letters, FADED)
        for unit, share in enumerate(opened.tolist()):
            canvas.box(left + unit * wide, y, wide, 0.85 * letters, mixed(INK, FAINT, share))
        canvas.text(WIDTH - 30, y + 0.4 * letters, f"{float(np.mean(opened)):.2f}", letters, align=1)


def _draw_history(canvas: Canvas, top: float, history: Array) -> None:
    """Draw what a net remembered as a strip: a row for each unit, a column for each step, now at the right."""
    rows, columns = history.shape
    reach = max(float(np.abs(history).max()), 1e-6)
    width, height = (WIDTH - 24.0) / _REMEMBERED, 72.0 / rows
    canvas.text(0, top + 4, f"the last {columns} steps", 18, FADED)
    for (row, column), value in np.ndenumerate(history):
        x = WIDTH - 24.0 - (columns - column) * width
        canvas.box(x, top + 18 + row * height, width, height, _heat(float(value), reach))


def _draw_units(canvas: Canvas, top: float, bottom: float, units: Array) -> None:
    """Draw what a net remembers as a heat map, in reading order, and its name."""
    canvas.symbol(0, top, "h_t+1  remembers", 21, FADED)
    _draw_cells(canvas, top + 24, bottom - 20, units)


def _draw_cells(canvas: Canvas, top: float, bottom: float, numbers: Array) -> None:
    """Draw numbers as a heat map, in reading order."""
    width, height = WIDTH - 24.0, bottom - top
    cell = min(26.0, float(np.sqrt(width * height / len(numbers))))
    columns = int(width // cell)
    cell = min(cell, height / -(-len(numbers) // columns))
    reach = max(float(np.abs(numbers).max()), 1e-6)
    for i, value in enumerate(numbers.tolist()):
        row, column = divmod(i, columns)
        canvas.box(column * cell, top + row * cell, cell - 1, cell - 1, _heat(value, reach))


def _draw_equation(canvas: Canvas, top: float, net: Net, x: Array, action: int | None) -> None:
    """Draw h_{t+1} = W x_t + U h_t + b, with its numbers below each term."""
    terms = {"h_t+1": net.next_h, "W x_t": net.W @ x, "U h_t": net.U @ net.h, "b": net.b}
    for i, (name, vector) in enumerate(terms.items()):
        left = 50 + 112 * i
        if i:
            canvas.text(left - 28, top, "=" if i == 1 else "+", 26, align=0.5)
        canvas.symbol(left - (10 if name == "b" else 0) + (30 if name == "b" else 0), top, name, 26)
        for d in range(4):
            y, colour = top + 38 + 32 * d, ACCENT if d == action else INK
            canvas.text(left + 46, y, _number(vector[d]), 24, colour, align=1)
            if not i:
                canvas.arrow(24, y, d, 18, ACCENT if d == action else FADED)


def _draw_matrices(canvas: Canvas, top: float, matrices: dict[str, Array]) -> None:
    """Draw each matrix as a heat map, with its numbers where they fit."""
    size = 128
    reach = max(float(np.abs(matrix).max()) for matrix in matrices.values()) or 1.0
    for i, (name, matrix) in enumerate(matrices.items()):
        rows, columns = matrix.shape
        left, cell = 32 + i * 180, size / max(rows, columns)
        canvas.text(left - 9, top + size / 2, name, 28, INK, align=1)
        for (row, column), value in np.ndenumerate(matrix):
            x, y = left + column * cell, top + row * cell
            canvas.box(x, y, cell - (rows < 20), cell - (rows < 20), _heat(float(value), reach))
            if cell > 20:
                colour = ink_on(_heat(float(value), reach))
                canvas.text(x + cell / 2, y + cell / 2, _number(value), 17, colour, align=0.5)


def _heat(value: float, reach: float) -> Colour:
    """Return the colour of a number: red above 0, blue below, the paler the nearer to it."""
    return mixed(POSITIVE if value > 0 else NEGATIVE, FAINT, min(abs(value) / (reach or 1.0), 1.0))


def _number(value: float) -> str:
    """Return a number in at most three digits, with a typographic minus sign."""
    return f"{value:.3g}".replace("-", "−") if value else "0"

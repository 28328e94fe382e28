"""Figures of what `nn.analysis` measures, a function for each; the only file of `nn` that imports matplotlib.

Each function draws on the axes `ax`, new ones by default, and returns them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from .feed_forward import Activation, LayerGradient, NoiseScale
    from .jacobians import Spectrum

INK, PALE = "#2c3848", "#c9c5bb"


class Line(NamedTuple):
    """What a line looks like: it is told from others by its dash too, not by its colour alone."""

    colour: str
    dash: Any
    marker: str


LINES: Final = (
    Line("#1c8658", "-", "o"),
    Line("#2c68a0", "-", "s"),
    Line("#8a5aa8", (0, (6, 1.5)), "^"),
    Line("#cf4118", (0, (4, 1.2, 1, 1.2)), "D"),
    Line("#8f6a00", (0, (2, 1)), "v"),
    Line("#5c6670", (0, (1, 1.2)), "x"),
    Line("#c2185b", (0, (8, 1.5, 1, 1.5)), "P"),
    Line("#00838f", (0, (5, 3)), "<"),
    Line("#7a4a2a", (0, (3, 1.2, 1, 1.2, 1, 1.2)), ">"),
)
"""the lines of a figure, in order"""


def label_ends(axis: Any, size: float = 8.0) -> None:
    """Write the name of each line at its end, in its colour, to the right of the axes; names do not overlap.

    Args:
        axis: axes whose limits are final; lines without a label are left out.
        size: of the letters, in points.
    """
    ends = []
    right, (low, high) = axis.get_xlim()[1], sorted(axis.get_ylim())
    for line in axis.get_lines():
        x, y = np.asarray(line.get_xdata(), dtype=np.float64), np.asarray(line.get_ydata(), dtype=np.float64)
        inside = np.isfinite(x) & np.isfinite(y) & (x <= right) & (y >= low) & (y <= high)
        if line.get_label().startswith("_") or not inside.any():
            continue
        last = np.flatnonzero(inside)[x[inside].argmax()]
        point = axis.transAxes.inverted().transform(axis.transData.transform((x[last], y[last])))
        ends.append((float(point[1]), line.get_label(), line.get_color()))
    ends.sort(key=lambda end: end[0])
    gap = 1.25 * size / 72 / max(axis.get_position().height * axis.figure.get_figheight(), 0.1)
    places: list[float] = []
    for height, _, _ in ends:  # from below, each at least a line above the one before
        places.append(max(height, places[-1] + gap) if places else height)
    if places and places[-1] > 1:  # then down again, so that none is above the axes
        places[-1] = 1.0
        for i in range(len(places) - 2, -1, -1):
            places[i] = min(places[i], places[i + 1] - gap)
    for place, (_, name, colour) in zip(places, ends, strict=True):
        axis.annotate(
            name,
            (1.01, place),
            xycoords="axes fraction",
            color=colour,
            fontsize=size,
            va="center",
            annotation_clip=False,
        )


def _axes(ax: Any) -> Any:
    if ax is None:
        try:
            from matplotlib import pyplot as plt
        except ImportError as error:
            raise ImportError('drawing needs matplotlib: pip install "mazegrad[plot]"') from error
        ax = plt.figure(layout="constrained").add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_gradient_norms(norms: ArrayLike | Mapping[str, ArrayLike], share: float | None = 0.01, ax: Any = None) -> Any:
    """Plot norms (T + 1,) from `gradient_norms`, or several by name, against the steps back from the last state.

    Each curve is divided by its value at the last state. A line marks `share`, which defines the horizon, unless it is
    None. Norms that are 0 or not finite are left out.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> back = np.arange(100)[::-1]
        >>> ax = nn.analysis.plot_gradient_norms({"lstm": 0.99**back, "rnn": 0.8**back})
        >>> ax.get_xlabel(), [line.get_label() for line in ax.get_lines()[:2]]
        ('steps back', ['lstm', 'rnn'])
    """
    ax = _axes(ax)
    several = norms if isinstance(norms, Mapping) else {"": norms}
    for i, (name, values) in enumerate(several.items()):
        back = np.asarray(values, dtype=np.float64)[::-1]
        shown = np.where(np.isfinite(back) & (back > 0), back, np.nan)
        line = LINES[i % len(LINES)]
        ax.semilogy(shown / back[0], color=line.colour, ls=line.dash, label=name, lw=1.8)
    if share is not None:
        ax.axhline(share, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="steps back", ylabel="norm of the gradient, 1 at the last state")
    if len(several) > 1 or "" not in several:
        label_ends(ax)
    return ax


def plot_power_gradient(u: ArrayLike, k_max: int = 1_200, scale: float = 1.0, ax: Any = None) -> Any:
    """Plot the closed form |k u^(k-1)| * scale for each u_i, k = 1 ... k_max, with the ranges of float32 and float64.

    The height is the decimal logarithm, which no float limits. Both axes are linear, so that exponential growth and
    decay are straight lines.

    Example:
        >>> from mazegrad import nn
        >>> ax = nn.analysis.plot_power_gradient([1.2, 2, 1.1], k_max=200)
        >>> [line.get_label() for line in ax.get_lines()[:3]]
        ['u = 1.2', 'u = 2', 'u = 1.1']
    """
    ax = _axes(ax)
    k, highest, lowest = np.linspace(1, k_max, 600), -math.inf, math.inf
    for i, value in enumerate(np.atleast_1d(np.asarray(u, dtype=np.float64))):
        if value:
            height = np.log10(k) + (k - 1) * math.log10(abs(value)) + math.log10(scale)
            line = LINES[i % len(LINES)]
            ax.plot(k, height, color=line.colour, ls=line.dash, label=f"u = {value:g}", lw=1.8)
            highest, lowest = max(highest, height.max()), min(lowest, height.min())
    edge = 1.08 * math.log10(float(np.finfo(np.float64).max))  # what is beyond the floats is cut off
    ax.set(xlim=(1, k_max), ylim=(max(lowest, -1.1 * edge), min(highest + 0.05 * edge, edge)))
    for dtype in (np.float32, np.float64):
        info = np.finfo(dtype)
        for limit in (float(info.max), float(info.smallest_subnormal)):
            if lowest < math.log10(limit) < highest:
                ax.axhline(math.log10(limit), color=INK, lw=0.8, ls=":")
                _beside(ax, math.log10(limit), f"{np.dtype(dtype)}: {limit:.2g}")
    ax.set(xlabel="k", ylabel="|k u^(k-1)|")
    ax.yaxis.set_major_formatter(lambda height, _: f"$10^{{{height:.0f}}}$")
    label_ends(ax)
    return ax


def _beside(ax: Any, height: float, text: str) -> None:
    """Write a text above or below a height, where the shortest pieces of lines lie."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    starts, steps = [], []
    for line in ax.get_lines():
        points = (np.asarray(line.get_xydata(), dtype=np.float64) - (left, low)) / (right - left, high - low)
        if len(points) > 2:
            starts.append(points[:-1])
            steps.append(np.diff(points, axis=0))
    start, step = np.concatenate(starts), np.concatenate(steps)
    drawn = np.isfinite(start + step).all(axis=1)
    start, step = start[drawn], step[drawn]
    x, y = np.moveaxis(start[:, None] + np.linspace(0, 1, 20)[:, None] * step[:, None], -1, 0)
    length, at = np.hypot(*step.T)[:, None], (height - low) / (high - low)
    boxes = [(x0, at + side * 0.045) for x0 in np.linspace(0, 0.62, 9) for side in (1, -1)]
    inside = [(length * ((x > x0) & (x < x0 + 0.38) & (abs(y - middle) < 0.04))).sum() for x0, middle in boxes]
    x0, middle = boxes[int(np.argmin(inside))]
    paper = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.6}  # no line runs through it
    ax.text(x0 + 0.01, middle, text, transform=ax.transAxes, color=INK, fontsize=7, va="center", bbox=paper)


def plot_spectrum(found: Spectrum, ax: Any = None) -> Any:
    """Plot all eigenvalues of a `Spectrum` in the complex plane, with the unit circle.

    Example:
        >>> from mazegrad import nn
        >>> nn.analysis.plot_spectrum(nn.analysis.spectrum([[0.5, 10.0], [0.0, 0.5]])).get_title()
        'spectral radius 0.5, stretches by up to 10'
    """
    ax = _axes(ax)
    around = np.exp(2j * np.pi * np.linspace(0, 1, 200))
    ax.plot(around.real, around.imag, color=PALE, lw=1)
    values = found.eigenvalues.ravel()
    ax.scatter(values.real, values.imag, s=14, color=LINES[3].colour, alpha=max(0.1, min(1.0, 100 / len(values))))
    ax.set(xlabel="real", ylabel="imaginary", aspect="equal")
    ax.set_title(f"spectral radius {found.radius.mean():.3g}, stretches by up to {found.norm.mean():.3g}", fontsize=9)
    return ax


def plot_layer_gradients(layers: Sequence[LayerGradient], ax: Any = None) -> Any:
    """Plot the root mean square of the gradient of each parameter, from `layer_gradients`.

    Example:
        >>> from mazegrad import nn
        >>> layers = [nn.analysis.LayerGradient(f"{i}.weight", (8, 8), 1.0, 0.1**i) for i in range(3)]
        >>> ax = nn.analysis.plot_layer_gradients(layers)
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['0.weight', '1.weight', '2.weight']
    """
    ax = _axes(ax)
    ax.barh([layer.name for layer in layers], [layer.gradient_rms for layer in layers], color=LINES[1].colour)
    ax.set(xscale="log", xlabel="root mean square of the gradient")
    ax.invert_yaxis()
    return ax


def plot_update_ratios(history: Sequence[Mapping[str, float]], ax: Any = None) -> Any:
    """Plot the ratios |update| / |weight| of each parameter, step by step: a list of results of `update_ratios`.

    Example:
        >>> from mazegrad import nn
        >>> ax = nn.analysis.plot_update_ratios([{"weight": 0.01, "bias": 0.1}, {"weight": 0.001, "bias": 0.01}])
        >>> ax.get_yscale(), len(ax.get_lines())  # the third marks 0.001
        ('log', 3)
    """
    ax = _axes(ax)
    for i, name in enumerate(history[0]):
        steps = [ratios[name] for ratios in history]
        line = LINES[i % len(LINES)]
        ax.semilogy(range(1, len(steps) + 1), steps, color=line.colour, ls=line.dash, label=name, lw=1.4)
    ax.axhline(1e-3, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="step", ylabel="|update| / |weight|")
    label_ends(ax)
    return ax


def plot_dead_units(activations: Sequence[Activation], ax: Any = None) -> Any:
    """Plot the mean slopes of the units of each activation, sorted, from `dead_units`: units at 0 are dead.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> ax = nn.analysis.plot_dead_units([nn.analysis.Activation("relu", np.array([0.0, 0.5, 1.0]))])
        >>> ax.get_legend().get_texts()[0].get_text()
        '1: relu, 1 of 3 dead'
    """
    ax = _axes(ax)
    for i, found in enumerate(activations):
        share = (np.arange(len(found.slopes)) + 0.5) / len(found.slopes)
        name = f"{i + 1}: {found.operation}, {int(found.dead().sum())} of {len(found.slopes)} dead"
        line = LINES[i % len(LINES)]
        ax.plot(share, np.sort(found.slopes), color=line.colour, ls=line.dash, label=name, lw=1.4)
    ax.set(xlabel="units, sorted", ylabel="mean slope", ylim=(-0.03, None))
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_noise_scale(found: NoiseScale, batch_sizes: Sequence[int] | None = None, ax: Any = None) -> Any:
    """Plot the progress of one step for each batch size, 1 / (1 + scale / batch): 1 is a step without noise.

    Example:
        >>> from mazegrad import nn
        >>> nn.analysis.plot_noise_scale(nn.analysis.NoiseScale(signal=0.5, noise=32.0)).get_title()
        'noise scale 64'
    """
    ax = _axes(ax)
    if not math.isfinite(found.scale):
        raise ValueError("the noise hides the gradient: measure with more or larger batches")
    sizes = np.geomspace(1, 100 * max(1, found.scale), 200) if batch_sizes is None else np.asarray(batch_sizes)
    ax.semilogx(sizes, 1 / (1 + found.scale / sizes), color=LINES[1].colour, lw=1.8)
    ax.axvline(found.scale, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="batch size", ylabel="progress a step, 1 without noise", ylim=(0, 1))
    ax.set_title(f"noise scale {found.scale:.3g}", fontsize=9)
    return ax

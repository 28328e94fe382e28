"""Figures of what `nn.analysis` measures, a function for each; the only file of `nn` that imports matplotlib.

Each function draws on the axes `ax`, new ones by default, and returns them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from .feed_forward import Activation, LayerGradient, NoiseScale
    from .jacobians import Spectrum

INK, PALE = "#2c3848", "#c9c5bb"
COLOURS = ("#d94820", "#2c68a0", "#1c8658", "#8a5aa8", "#b8860b", "#5c6670", "#c2185b", "#00838f", "#7a4a2a")


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
    """
    ax = _axes(ax)
    several = norms if isinstance(norms, Mapping) else {"": norms}
    for i, (name, values) in enumerate(several.items()):
        back = np.asarray(values, dtype=np.float64)[::-1]
        shown = np.where(np.isfinite(back) & (back > 0), back, np.nan)
        ax.semilogy(shown / back[0], color=COLOURS[i % len(COLOURS)], label=name, lw=1.8)
    if share is not None:
        ax.axhline(share, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="steps back", ylabel="norm of the gradient, 1 at the last state")
    if len(several) > 1 or "" not in several:
        ax.legend(frameon=False)
    return ax


def plot_power_gradient(u: ArrayLike, k_max: int = 10_000, scale: float = 1.0, ax: Any = None) -> Any:
    """Plot the closed form |k u^(k-1)| * scale for each u_i, k = 1 ... k_max, with the ranges of float32 and float64.

    The height is the decimal logarithm, which no float limits, on an axis that is logarithmic outside of -1 to 1.
    """
    ax = _axes(ax)
    k, highest, lowest = np.geomspace(1, k_max, 400), -math.inf, math.inf
    for i, value in enumerate(np.atleast_1d(np.asarray(u, dtype=np.float64))):
        if value:
            height = np.log10(k) + (k - 1) * math.log10(abs(value)) + math.log10(scale)
            ax.plot(k, height, color=COLOURS[i % len(COLOURS)], label=f"u = {value:g}", lw=1.8)
            highest, lowest = max(highest, height.max()), min(lowest, height.min())
    for dtype, line in ((np.float32, "--"), (np.float64, ":")):
        info = np.finfo(dtype)
        for limit in (float(info.max), float(info.smallest_subnormal)):
            if lowest < math.log10(limit) < highest:
                ax.axhline(math.log10(limit), color=INK, lw=0.8, ls=line)
                text = f" {np.dtype(dtype)}: {limit:.2g}"
                ax.annotate(text, (1, math.log10(limit)), color=INK, fontsize=7, va="bottom")
    ax.set(xscale="log", xlabel="k", ylabel="|k u^(k-1)|")
    ax.set_yscale("symlog", linthresh=1)
    ax.yaxis.set_major_formatter(lambda height, _: f"$10^{{{height:.0f}}}$")
    ax.legend(frameon=False)
    return ax


def plot_spectrum(found: Spectrum, ax: Any = None) -> Any:
    """Plot all eigenvalues of a `Spectrum` in the complex plane, with the unit circle."""
    ax = _axes(ax)
    around = np.exp(2j * np.pi * np.linspace(0, 1, 200))
    ax.plot(around.real, around.imag, color=PALE, lw=1)
    values = found.eigenvalues.ravel()
    ax.scatter(values.real, values.imag, s=14, color=COLOURS[0], alpha=max(0.1, min(1.0, 100 / len(values))))
    ax.set(xlabel="real", ylabel="imaginary", aspect="equal")
    ax.set_title(f"spectral radius {found.radius.mean():.3g}, stretches by up to {found.norm.mean():.3g}", fontsize=9)
    return ax


def plot_layer_gradients(layers: Sequence[LayerGradient], ax: Any = None) -> Any:
    """Plot the root mean square of the gradient of each parameter, from `layer_gradients`."""
    ax = _axes(ax)
    ax.barh([layer.name for layer in layers], [layer.gradient_rms for layer in layers], color=COLOURS[1])
    ax.set(xscale="log", xlabel="root mean square of the gradient")
    ax.invert_yaxis()
    return ax


def plot_update_ratios(history: Sequence[Mapping[str, float]], ax: Any = None) -> Any:
    """Plot the ratios |update| / |weight| of each parameter, step by step: a list of results of `update_ratios`."""
    ax = _axes(ax)
    for i, name in enumerate(history[0]):
        steps = [ratios[name] for ratios in history]
        ax.semilogy(range(1, len(steps) + 1), steps, color=COLOURS[i % len(COLOURS)], label=name, lw=1.4)
    ax.axhline(1e-3, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="step", ylabel="|update| / |weight|")
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_dead_units(activations: Sequence[Activation], ax: Any = None) -> Any:
    """Plot the mean slopes of the units of each activation, sorted, from `dead_units`: units at 0 are dead."""
    ax = _axes(ax)
    for i, found in enumerate(activations):
        share = (np.arange(len(found.slopes)) + 0.5) / len(found.slopes)
        name = f"{i + 1}: {found.operation}, {int(found.dead().sum())} of {len(found.slopes)} dead"
        ax.plot(share, np.sort(found.slopes), ".-", color=COLOURS[i % len(COLOURS)], label=name, lw=1.2)
    ax.set(xlabel="units, sorted", ylabel="mean slope", ylim=(-0.03, None))
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_noise_scale(found: NoiseScale, batch_sizes: Sequence[int] | None = None, ax: Any = None) -> Any:
    """Plot the progress of one step for each batch size, 1 / (1 + scale / batch): 1 is a step without noise."""
    ax = _axes(ax)
    if not math.isfinite(found.scale):
        raise ValueError("the noise hides the gradient: measure with more or larger batches")
    sizes = np.geomspace(1, 100 * max(1, found.scale), 200) if batch_sizes is None else np.asarray(batch_sizes)
    ax.semilogx(sizes, 1 / (1 + found.scale / sizes), color=COLOURS[1], lw=1.8)
    ax.axvline(found.scale, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="batch size", ylabel="progress a step, 1 without noise", ylim=(0, 1))
    ax.set_title(f"noise scale {found.scale:.3g}", fontsize=9)
    return ax

"""Exercise 39 in pictures: gradients vanish or explode on their way back through time, unless something carries them.

    python examples/gradients_through_time.py                        # tables; about twenty seconds
    python examples/gradients_through_time.py --pictures FOLDER      # and pictures (needs matplotlib)
    python examples/gradients_through_time.py --quick                # float32 only, shorter sequences

1. The sheet's U_1 = diag(1.2, 2, 1.1) and U_2 = diag(0.8, 0.1, 0.9): the gradient k u^(k-1) for k up to 10,000, in
   closed form and by automatic differentiation, and the first k at which each leaves the range of float32 and float64:
   predicted, and observed by backpropagation through graphs of k steps.
2. Random, orthogonal and gated cells: the gradient's norm at each step back, its decay or growth a step, its horizon.
3. Three agents of exercise 38 on a staircase: memory and gradient decay at the same rate.
"""

import argparse
import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad import nn
from mazegrad.agents import EXCHANGE, LinearRNN, RNNAgent
from mazegrad.extras import require
from mazegrad.nn import analysis
from mazegrad.nn.analysis.plot import INK, LINES
from mazegrad.pictures import style
from mazegrad.script import natural, start

U_1, U_2 = (1.2, 2.0, 1.1), (0.8, 0.1, 0.9)
LARGEST_K = 10_000
DRAWN_K = 1_200


# ------------------------------------------------------------------------------------------------------ 1: the two U
@cache
def by_autodiff(u: tuple[float, ...], k: int, dtype: Any) -> np.ndarray:
    """Return df/du for f = the sum of h_k, h_0 = (1, 1, 1), through a graph of k multiplications: (n,)."""
    weights, h = nn.Tensor(np.array(u, dtype), requires_grad=True), nn.Tensor(np.ones(len(u), dtype))
    with np.errstate(all="ignore"):
        for _ in range(k):
            h = weights * h
        h.sum().backward()
    assert weights.grad is not None
    return weights.grad


def first(condition: Callable[[int], bool], low: int) -> int | None:
    """Return the first k >= `low` that meets a condition, or None above LARGEST_K; from there on all k must meet it."""
    high = low
    while not condition(high):
        if high >= LARGEST_K:
            return None
        low, high = high + 1, min(2 * high, LARGEST_K)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if condition(middle) else (middle + 1, high)
    return low


def limits_table(dtypes: list[Any]) -> None:
    print("1. df/du = k u^(k-1): the first k at which it leaves the range of floats, by formula (and by autodiff)\n")
    heads = f"{'infinite':>15}  {'below full precision':>20}  {'exactly 0':>15}"
    print(f"{'u':>5}  {'precision':9}  {'largest at':>10}  {heads}")
    for us in (U_1, U_2):
        for i, dtype in itertools.product(range(3), dtypes):
            found = analysis.power_limits(float(dtype(us[i])), dtype=dtype)
            predicted = found.overflow, found.underflow, found.zero
            pairs = zip(predicted, observed(us, i, dtype, found.peak or 1), strict=True)
            cells = [f"{k:,} ({'never' if seen is None else f'{seen:,}'})" if k else "-" for k, seen in pairs]
            peak = f"k = {found.peak}" if found.peak else "grows"
            start = f"{us[i]:5}  {np.dtype(dtype)!s:9}  {peak:>10}"
            print(f"{start}  {cells[0]:>15}  {cells[1]:>20}  {cells[2]:>15}")
    print("\nWhere autodiff never reaches 0, rounding stops it: 0.9 times 4 smallest numbers is 3.6, rounded to 4.")
    for i in (0, 2):
        ends = [f"{np.dtype(dtype)}: {by_autodiff(U_2, LARGEST_K, dtype)[i]:.3g}" for dtype in dtypes]
        print(f"u = {U_2[i]}, k = {LARGEST_K:,}   " + "   ".join(ends))


def observed(us: tuple[float, ...], i: int, dtype: Any, peak: int) -> tuple[int | None, int | None, int | None]:
    """Return the first k at which autodiff's i-th entry is infinite, below full precision, and 0; None: never."""

    def grad(k: int) -> float:
        return float(by_autodiff(us, k, dtype)[i])

    if us[i] > 1:
        return first(lambda k: not np.isfinite(grad(k)), 1), None, None
    return None, first(lambda k: grad(k) < np.finfo(dtype).tiny, peak), first(lambda k: grad(k) == 0, peak)


def draw_powers(folder: Path, dtypes: list[Any]) -> None:
    """Draw the closed form, and what autodiff gives: up to the limits of floats, and the first steps as they are."""
    figure, axes = style.figure(2, 2, height=2.5)
    for column, us, name in zip(axes.T, (U_1, U_2), ("U_1", "U_2"), strict=True):
        whole, beginning = column
        ks = np.unique(np.linspace(1, DRAWN_K, 25).round().astype(int))
        for dtype, marker in zip(dtypes, ("x", "o"), strict=False):
            values = np.array([by_autodiff(us, int(k), dtype) for k in ks])
            shown = np.where(np.isfinite(values) & (values > 0), values, np.nan)
            for i, line in enumerate(LINES[:3]):
                whole.plot(ks, np.log10(shown[:, i]), marker, color=line.colour, ms=3.5, mfc="none", label="_")
        analysis.plot_power_gradient(us, DRAWN_K, ax=whole)
        whole.set_title(f"{name} = diag({', '.join(map(str, us))})")
        k = np.arange(1, 13 if max(us) > 1 else 41)
        highest = 50 if max(us) > 1 else 5
        for u, line in zip(us, LINES, strict=False):
            values = k * u ** (k - 1.0)
            beginning.plot(k, values, color=line.colour, ls=line.dash, lw=1.6)
            at = int(np.argmax(np.where(values < highest, values, 0))) or 2  # its peak, or where it leaves the axes
            beginning.annotate(
                f"u = {u:g}", (k[at], values[at]), (6, 3), textcoords="offset points", color=line.colour, fontsize=8
            )
        beginning.set(xlabel=f"k, the first {k[-1]} steps", ylabel="k u^(k-1)", ylim=(0, highest))
    figure.supxlabel("lines: closed form; x float32, o float64, by autodiff", fontsize=8, color=INK)
    style.save(figure, folder / "gradients_power.png")


# ------------------------------------------------------------------------------------------------------- 2: the cells
def make_cells(rng: np.random.Generator, size: int) -> dict[str, Any]:
    """Return layers of `size` units by name; the name says how the weights are initialised."""

    def rnn(weights: np.ndarray | None = None, **settings: Any) -> nn.RNN:
        layer = nn.RNN(4, size, rng=rng, **settings)
        if weights is not None:
            layer.weight_hh_l0.assign(weights)  # type: ignore[attr-defined]
        return layer

    def lstm(forget: float) -> nn.LSTM:
        layer = nn.LSTM(4, size, rng=rng)
        layer.bias_ih_l0.assign(nn.init.forget_bias(size, forget))  # type: ignore[attr-defined]
        return layer

    def gaussian(radius: float) -> np.ndarray:
        weights = nn.init.normal((size, size), 1.0, rng=rng)
        return (weights * (radius / analysis.spectral_radius(weights))).astype(np.float32)

    return {
        "linear, Gaussian, radius 0.9": rnn(gaussian(0.9), nonlinearity="linear"),
        "linear, Gaussian, radius 1.1": rnn(gaussian(1.1), nonlinearity="linear"),
        "linear, orthogonal": rnn(nn.init.orthogonal((size, size), rng=rng), nonlinearity="linear"),
        "tanh, PyTorch's default": rnn(),
        "tanh, orthogonal": rnn(nn.init.orthogonal((size, size), rng=rng)),
        "tanh, orthogonal, leak 1/32": rnn(nn.init.orthogonal((size, size), rng=rng), leak=1 / 32),
        "GRU": nn.GRU(4, size, rng=rng),
        "LSTM": nn.LSTM(4, size, rng=rng),
        "LSTM, forget bias 3": lstm(3.0),
    }


def cells_table(rng: np.random.Generator, steps: int) -> tuple[dict[str, np.ndarray], dict[str, analysis.Spectrum]]:
    size, batch = 32, 8
    print(f"\n2. A gradient that starts at the last of {steps} states; {size} units, random inputs of spread 0.3\n")
    print(f"{'':30}  {'factor':>7}  {'horizon':>8}  {'radius':>7}  {'stretch':>7}  verdict")
    x = 0.3 * rng.normal(size=(steps, batch, 4)).astype(np.float32)
    weights = rng.normal(size=(batch, size)).astype(np.float32)
    norms, spectra = {}, {}
    for name, layer in make_cells(rng, size).items():
        norms[name] = analysis.gradient_norms(layer, x, lambda out: (out[-1] * weights).sum())
        zeros = np.zeros((1, 2, size), np.float32)
        jacobians = analysis.step_jacobians(layer, x[:20, :2], (zeros, zeros) if layer.parts == 2 else zeros)
        spectra[name] = found = analysis.spectrum(jacobians[10:])
        seen = analysis.verdict(norms[name])
        far = f"{seen.horizon}" if seen.horizon < steps else f"> {steps}"
        radius, stretch = found.radius.mean(), found.norm.mean()
        print(f"{name:30}  {seen.growth.rate:7.3f}  {far:>8}  {radius:7.3f}  {stretch:7.3f}  {seen.kind}")
    print("factor: fitted, a step; horizon: steps back until 1 % is left; radius and stretch: largest eigenvalue and")
    print("singular value of a step's Jacobian, averaged over ten steps")
    return norms, spectra


def draw_cells(folder: Path, norms: dict[str, np.ndarray], spectra: dict[str, analysis.Spectrum]) -> None:
    figure, axis = style.figure(height=3.6)
    axis.set(yscale="log", xlim=(0, len(next(iter(norms.values()))) - 1), ylim=(1e-12, 1e12))
    analysis.plot_gradient_norms(norms, ax=axis)
    for line, name in zip(axis.get_lines(), norms, strict=False):
        colour, dash, _ = style.line(name, list(norms))
        line.set(color=colour, linestyle=dash)
    for text in axis.texts:
        text.set_color(style.line(text.get_text(), list(norms)).colour)
    style.save(figure, folder / "gradients_cells.png")
    shown = ("tanh, PyTorch's default", "tanh, orthogonal", "LSTM", "LSTM, forget bias 3")
    figure, axes = style.figure(1, len(shown), height=2.3, sharex=True, sharey=True)
    for name, axis in zip(shown, axes, strict=True):
        analysis.plot_spectrum(spectra[name], ax=axis)
        radius, stretch = spectra[name].radius.mean(), spectra[name].norm.mean()
        axis.set_title(f"{name}\nradius {radius:.2g}, stretch {stretch:.2g}", fontsize=7)
        axis.label_outer()
    style.save(figure, folder / "gradients_spectra.png")


# ------------------------------------------------------------------------------------------------------ 3: the agents
def staircase(steps: int) -> str:
    """Return a path as text: from its start, with a dot below, up, right, up, right, ..., to the goal."""
    up, right = (steps + 1) // 2, steps // 2
    tiles = [[" "] * (right + 3) for _ in range(up + 4)]
    row, column = up + 1, 1
    tiles[row + 1][column], tiles[row][column] = ".", "S"
    for step in range(steps):
        row, column = (row - 1, column) if step % 2 == 0 else (row, column + 1)
        tiles[row][column] = "."
    tiles[row][column] = "G"
    return "\n".join("".join(line) for line in tiles)


def agents() -> dict[str, LinearRNN]:
    b, h0 = np.zeros(4), [1, 0, 0, 0]
    return {
        "U = -J": LinearRNN(np.eye(4), -EXCHANGE, b, h0),
        "U = -J/2": LinearRNN(np.eye(4), -EXCHANGE / 2, b, h0),
        "U = (I - J)/2": LinearRNN(2 * np.eye(4), (np.eye(4) - EXCHANGE) / 2, b, h0),
    }


def walk(rnn: LinearRNN, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk a staircase; return the observations (steps, 4), the margins (steps,) and gradient norms (steps + 1,).

    The margin is the lead of the chosen direction over the second best; the gradient is that of the last margin.
    """
    env, agent = gymnasium.make("mazegrad/PathFollow-v0", maze=staircase(steps)), RNNAgent(rnn)
    observation, _ = env.reset(seed=0)
    state, seen, margins, done = agent.initial_state(), [], [], False
    while not done and len(seen) < steps:
        seen.append(np.asarray(observation, np.float64))
        action, state = agent.act(observation, state)
        margins.append(np.sort(state)[-1] - np.sort(state)[-2])
        observation, _, done, _, _ = env.step(action)
    best, next_best = np.argsort(state)[::-1][:2]
    norms = analysis.gradient_norms(
        lambda x, h: x @ rnn.W.T + h @ rnn.U.T,
        np.array(seen)[:, None],
        lambda out: out[-1, 0, int(best)] - out[-1, 0, int(next_best)],
        rnn.h0[None],
    )
    return np.array(seen), np.array(margins), norms


def agents_table(steps: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    print(f"\n3. Three agents on a staircase of {steps} steps: the factor by which the margin falls at each step,")
    print("and by which the gradient of the last margin falls on its way back\n")
    print(f"{'':15}  {'first margin':>12}  {'last margin':>12}  {'a step':>7}  {'gradient at h_0':>15}  {'a step':>7}")
    curves = {}
    for name, rnn in agents().items():
        _, margins, norms = walk(rnn, steps)
        forward = (margins[-1] / margins[1]) ** (1 / (len(margins) - 2))
        back = (norms[0] / norms[-2]) ** (1 / (len(norms) - 2))
        cells = f"{margins[0]:12.4g}  {margins[-1]:12.4g}  {forward:7.4f}  {norms[0]:15.4g}  {back:7.4f}"
        print(f"{name:15}  {cells}")
        curves[name] = margins, norms
    return curves


def draw_agents(folder: Path, curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    figure, (left, right) = style.figure(1, 2, sharey=True)
    for name, (margins, norms) in curves.items():
        style.draw_line(left, range(1, len(margins) + 1), margins, name, list(curves))
        style.draw_line(right, range(len(norms)), norms[::-1], name, list(curves))
    left.set(title="the margin: what is left of the heading", xlabel="step of the walk", yscale="log")
    style.finish(right, title="the gradient of the last margin", xlabel="steps back")
    style.save(figure, folder / "gradients_maze.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables and draw the pictures."""
    first_line, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=first_line, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=natural, default=0, help="seed of the random cells and inputs (default: 0)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw into this folder (extra: plot)")
    parser.add_argument("--quick", action="store_true", help="float32 only, sequences of 60 steps")
    options = parser.parse_args(arguments)
    dtypes = [np.float32] if options.quick else [np.float32, np.float64]
    if options.pictures is not None:
        require("matplotlib", "plot")  # before the tables are computed

    limits_table(dtypes)
    norms, spectra = cells_table(np.random.default_rng(options.seed), 60 if options.quick else 200)
    curves = agents_table(40)
    if options.pictures is not None:
        draw_powers(options.pictures, dtypes)
        draw_cells(options.pictures, norms, spectra)
        draw_agents(options.pictures, curves)


if __name__ == "__main__":
    start(main)

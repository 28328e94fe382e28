"""Draw the pictures of the README and the docs: `make docs`. Needs the extras plot and video."""

import itertools
import os
import runpy
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import gymnasium
import matplotlib as mpl
import numpy as np

from mazegrad.agents import EXCHANGE, LinearRNN, named_agent
from mazegrad.envs import MazeEnv
from mazegrad.film import save_png
from mazegrad.watch import Picture, walk

mpl.use("Agg")
from matplotlib import pyplot as plt

IMAGES = Path(__file__).parent / "images"
INK, ORANGE, BLUE, GREEN = "#2c3848", "#d94820", "#2c68a0", "#1c8658"


def watch() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0").unwrapped
    assert isinstance(env, MazeEnv)
    picture = Picture("PathFollow-v0", "sheet38, walked by path_follower")
    moment = next(itertools.islice(walk(env, named_agent("path_follower").make, 0), 36, None))
    save_png(IMAGES / "watch.png", picture.draw(moment))


def eigenvalues() -> None:
    """Draw where the eigenvalues lie, and the margins on a staircase from its end, down, right, down, right, ..."""
    nets = {
        "$-J$": (-EXCHANGE, np.eye(4), BLUE),
        "$-J/2$": (-EXCHANGE / 2, np.eye(4), GREEN),
        "$(I-J)/2$": ((np.eye(4) - EXCHANGE) / 2, 2 * np.eye(4), ORANGE),
    }
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.4), width_ratios=[1, 1, 1, 1.9], layout="constrained")
    for (name, (U, W, colour)), axis in zip(nets.items(), axes, strict=False):
        circle = np.exp(2j * np.pi * np.linspace(0, 1, 200))
        axis.plot(circle.real, circle.imag, color="#c9c5bb", lw=1)
        values, counts = np.unique(np.round(np.linalg.eigvalsh(U), 12), return_counts=True)
        axis.axhline(0, color="#e2dfd8", lw=0.8, zorder=0)
        axis.axvline(0, color="#e2dfd8", lw=0.8, zorder=0)
        axis.scatter(values, 0 * values, s=90, color=colour, zorder=3)
        for value, count in zip(values, counts, strict=True):
            axis.annotate(f"{value:g}\n×{count}", (value, 0.14), ha="center", color=INK)
        axis.set(title=f"U = {name}", xlim=(-1.35, 1.35), ylim=(-1.35, 1.35), aspect="equal", xticks=[], yticks=[])
        axis.set_frame_on(False)
        rnn = LinearRNN(W, U, np.zeros(4), [1, 0, 0, 0])
        h, margins, way = rnn.h0, [], [3, 1]
        for step in range(60):
            x = np.eye(4)[way[step % 2]] + (np.eye(4)[3 - way[(step - 1) % 2]] if step else 0)
            h = rnn.step(x, h)
            margins.append(h[way[step % 2]] - np.delete(h, way[step % 2]).max())
        lost = next((step for step, margin in enumerate(margins) if margin <= 0), None)
        axes[3].semilogy(margins[:lost], ".-", color=colour, label=f"U = {name}")
        if lost is not None:
            axes[3].plot(lost, 1e-16, "x", color=colour, ms=10, mew=2.5)
            axes[3].annotate("lost", (lost + 1.2, 1.4e-16), color=colour)
    axes[3].set(title="margin on a staircase, from its end", xlabel="step", ylim=(3e-17, 10))
    axes[3].legend(frameon=False)
    axes[3].spines[["top", "right"]].set_visible(False)
    figure.savefig(IMAGES / "eigenvalues.png", dpi=110)


def gradients() -> None:
    """Draw those of exercise 39, but for three that take minutes each.

    Those come from examples/gradient_remedies.py --figure, long_memory.py --pictures and memory_horizon.py --pictures.
    """
    example = runpy.run_path(str(IMAGES.parents[1] / "examples" / "gradients_through_time.py"))
    example["main"](["--pictures", str(IMAGES)])


def learning() -> None:
    """Draw the curves of the textbook's tables."""
    example = runpy.run_path(str(IMAGES.parents[1] / "examples" / "textbook_learning.py"))
    example["draw"]([panel(10, False) for panel in example["PANELS"]], IMAGES)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    watch()
    eigenvalues()
    gradients()
    learning()

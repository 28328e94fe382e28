"""Draw the pictures of the README and the docs: `make docs`. Needs the extras plot and video."""

import itertools
import os
import runpy
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import gymnasium
import numpy as np

from mazegrad.agents import EXCHANGE, LinearRNN, named_agent
from mazegrad.envs import MazeEnv
from mazegrad.film import save_png
from mazegrad.pictures import style
from mazegrad.watch import Picture, walk

IMAGES = Path(__file__).parent / "images"


def watch() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0").unwrapped
    assert isinstance(env, MazeEnv)
    picture = Picture("PathFollow-v0", "sheet38, walked by path_follower")
    moment = next(itertools.islice(walk(env, named_agent("path_follower").make, 0), 36, None))
    save_png(IMAGES / "watch.png", picture.draw(moment))


def eigenvalues() -> None:
    """Draw where the eigenvalues lie, and the margins on a staircase from its end, down, right, down, right, ..."""
    nets = {
        "−J": (-EXCHANGE, np.eye(4)),
        "−J/2": (-EXCHANGE / 2, np.eye(4)),
        "(I−J)/2": ((np.eye(4) - EXCHANGE) / 2, 2 * np.eye(4)),
    }
    figure, (left, right) = style.figure(1, 2, height=2.6, width_ratios=[1, 1.2])
    for row, (name, (U, W)) in enumerate(nets.items()):
        colour, _, marker = style.line(name, list(nets))
        values, counts = np.unique(np.round(np.linalg.eigvalsh(U), 12), return_counts=True)
        left.plot(values, 0 * values - row, marker, color=colour, ms=9)
        for value, count in zip(values, counts, strict=True):
            left.annotate(f"×{count}", (value, -row), (0, 8), textcoords="offset points", ha="center", fontsize=8)
        rnn = LinearRNN(W, U, np.zeros(4), [1, 0, 0, 0])
        h, margins, way = rnn.h0, [], [3, 1]
        for step in range(60):
            x = np.eye(4)[way[step % 2]] + (np.eye(4)[3 - way[(step - 1) % 2]] if step else 0)
            h = rnn.step(x, h)
            margins.append(h[way[step % 2]] - np.delete(h, way[step % 2]).max())
        lost = next((step for step, margin in enumerate(margins) if margin <= 0), None)
        style.draw_line(
            right, range(len(margins[:lost])), margins[:lost], f"U = {name}", [f"U = {key}" for key in nets]
        )
        right.get_lines()[-1].set(color=colour, linestyle=style.line(name, list(nets)).dash)
        if lost is not None:
            right.get_lines()[-1].set_label("_")
            right.plot(lost, 1e-16, marker, color=colour, ms=7, label="_")
            right.annotate(f"U = {name} is lost", (lost, 1e-16), (0, 8), textcoords="offset points", color=colour,
                           ha="right" if lost else "left", fontsize=8)  # fmt: skip
    for radius in (-1, 1):
        left.axvline(radius, color="#5c6670", lw=0.8, ls=":")
    left.set(title="eigenvalues, all real (dotted: ±1)", xlabel="eigenvalue", xlim=(-1.4, 1.4), ylim=(-2.6, 0.6))
    left.set_yticks([0, -1, -2], [f"U = {name}" for name in nets])
    right.set(yscale="log", xlim=(0, 60), ylim=(3e-17, 10))
    style.finish(right, title="margin on a staircase, from its end", xlabel="step")
    style.save(figure, IMAGES / "eigenvalues.png")


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

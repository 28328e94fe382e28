"""The learning curves of Sutton & Barto's chapters 6 and 8, learned anew: tables in worlds of a few dozen states.

    python examples/textbook_learning.py                    # all curves and a picture of each, some 20 seconds
    python examples/textbook_learning.py --quick            # a taste, in a second
    python examples/textbook_learning.py --runs 100         # smoother

Reinforcement Learning, 2nd edition, 2018; the numbers are those of its examples and figures.

example 6.5    SARSA in the windy grid: how many episodes it has made after so many steps.
example 6.6    Q-learning and SARSA on the cliff: what they earn while they explore. Q-learning learns the best way,
               along the edge, and falls; SARSA the safe one.
figure 6.3     the same and expected SARSA, by learning rate: the mean return of the first 100 episodes, and of many.
figure 8.2     Dyna-Q in the Dyna maze: steps an episode, with 0, 5 and 50 updates from its model after each step.
figure 8.4     the blocking maze: after 1,000 steps the way is closed, and another, longer one is open.
figure 8.5     the shortcut maze: after 3,000 steps a shorter way opens. Only Dyna-Q+ looks for it.

Exploration is 0.1 throughout. The pictures need matplotlib; without it the program prints, and draws nothing.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from mazegrad.agents import SARSA, DynaQ, ExpectedSARSA, QLearning, TDLearner, plot_values, regret
from mazegrad.extras import MissingExtra
from mazegrad.nn.analysis.plot import PALE
from mazegrad.pictures import style
from mazegrad.progress import progress
from mazegrad.script import count, start

BOOK = {"epsilon": 0.1, "initial": 0.0}


class Curve(NamedTuple):
    """A line of a panel."""

    label: str
    x: np.ndarray
    y: np.ndarray
    dashed: bool = False


Panel = tuple[str, str, str, list[Curve]]  # title, labels of the axes, lines


def world(name: str, **keywords: Any) -> gymnasium.Env:
    """An environment in which the agent sees where it is, without a limit on steps, as in the book."""
    return gymnasium.make(f"mazegrad/{name}-v0", observation="index", time_limit=None, **keywords)


def averaged(rows: Sequence[np.ndarray]) -> np.ndarray:
    """The mean over runs."""
    return np.mean(np.array(rows), axis=0)


def learned(kind: type[TDLearner], env: gymnasium.Env, seed: int, **keywords: Any) -> TDLearner:
    """A learner with the book's exploration, not trained yet."""
    return kind(env, rng=np.random.default_rng(seed), **{**BOOK, **keywords})


# ------------------------------------------------------------------------------------------------------------ chapter 6
def windy(runs: int, quick: bool) -> Panel:
    """Example 6.5."""
    steps = 1000 if quick else 8000
    env, made = world("WindyGrid"), []
    for seed in range(runs):
        agent = learned(SARSA, env, seed, learning_rate=0.5, discount=1.0)
        agent.train(steps=steps, seed=seed)
        made.append(np.searchsorted(np.cumsum(agent.lengths), np.arange(steps + 1), side="right"))
    curve = averaged(made)
    print(f"example 6.5  {curve[-1]:.0f} episodes after {steps:,} steps of SARSA (the book: about 170 after 8,000)")
    return "windy grid, example 6.5", "steps", "episodes", [Curve("SARSA", np.arange(steps + 1), curve)]


def cliff(runs: int, quick: bool) -> Panel:
    """Example 6.6."""
    episodes, env, curves = 50 if quick else 500, world("CliffWalk"), []
    for kind, name in ((QLearning, "Q-learning"), (SARSA, "SARSA")):
        agents = [learned(kind, env, seed, learning_rate=0.5, discount=1.0) for seed in range(10 * runs)]
        returns = averaged([agent.train(episodes, seed) for seed, agent in enumerate(agents)])
        best = np.mean([regret(env.unwrapped.world, agent) < 1e-9 for agent in agents])
        print(
            f"example 6.6  {name} earns {returns[-episodes // 5 :].mean():.1f} in the end; {best:.0%} know the best way"
        )
        smooth = np.convolve(returns, np.full(10, 0.1), mode="valid")
        curves.append(Curve(name, np.arange(len(smooth)) + 5, smooth))
    return "cliff, example 6.6", "episode", "return (mean of 10 episodes)", curves


def rates(runs: int, quick: bool) -> Panel:
    """Figure 6.3."""
    many = 200 if quick else 2000
    alphas, env, curves = np.linspace(0.1, 1.0, 4 if quick else 10), world("CliffWalk"), []
    kinds = {"Q-learning": QLearning, "SARSA": SARSA, "expected SARSA": ExpectedSARSA}
    for name, kind in progress(kinds.items(), len(kinds), "figure 6.3"):
        early, late = [], []
        for alpha in alphas:
            returns = np.array(
                [
                    learned(kind, env, seed, learning_rate=float(alpha), discount=1.0).train(many, seed)
                    for seed in range(max(1, runs // 2))
                ]
            )
            early.append(returns[:, :100].mean())
            late.append(returns.mean())
        print(f"figure 6.3   {name}: {early[-1]:.0f} and {late[-1]:.0f} at alpha 1 (100 and {many:,} episodes)")
        curves += [Curve(name, alphas, np.array(late)), Curve("", alphas, np.array(early), dashed=True)]
    return f"cliff, figure 6.3: {many:,} episodes, pale 100", "learning rate", "mean return", curves


# ------------------------------------------------------------------------------------------------------------ chapter 8
def dyna(runs: int, quick: bool) -> Panel:
    """Figure 8.2."""
    episodes, env, curves = 10 if quick else 50, world("DynaMaze"), []
    for planning in (0, 5, 50):
        lengths = []
        for seed in range(runs):
            agent = learned(DynaQ, env, seed, planning=planning, learning_rate=0.1, discount=0.95, forget=1.0)
            agent.train(episodes, seed)
            lengths.append(agent.lengths)
        mean = averaged(lengths)
        near = np.flatnonzero(mean < 30)
        when = f"after {near[0] + 1} episodes" if len(near) else "never"
        print(f"figure 8.2   {planning} updates a step: below 30 steps {when}")
        curves.append(Curve(f"{planning} updates", np.arange(2, episodes + 1), mean[1:]))
    return "Dyna maze, figure 8.2", "episode", "steps", curves


def changing(name: str, figure: str, change: int, steps: int, planning: int, bonus: float, runs: int) -> Panel:
    """A maze that changes, for Dyna-Q and Dyna-Q+."""
    env, curves = world("GridWorld", maze=name, after={change: f"{name}_later"}), []
    for label, kappa in (("Dyna-Q+", bonus), ("Dyna-Q", 0.0)):
        earned = []
        for seed in range(runs):
            agent = learned(
                DynaQ, env, seed, planning=planning, bonus=kappa, learning_rate=1.0, discount=0.95, forget=1.0
            )
            agent.train(steps=steps, seed=seed)
            earned.append(np.searchsorted(np.cumsum(agent.lengths), np.arange(steps + 1), side="right"))
        mean = averaged(earned)
        last = mean[-1] - mean[-501]
        print(f"figure {figure}   {label}: {mean[-1]:.0f} goals in {steps:,} steps, {last:.1f} of them in the last 500")
        curves.append(Curve(label, np.arange(steps + 1), mean))
    return f"{name.replace('_', ' ')}, figure {figure}", "steps", "goals so far", curves


def blocking(runs: int, quick: bool) -> Panel:
    """Figure 8.4."""
    return changing("blocking_maze", "8.4", 1000, 3000, 10, 1e-4, 1 if quick else runs)


def shortcut(runs: int, quick: bool) -> Panel:
    """Figure 8.5."""
    return changing("shortcut_maze", "8.5", 3000, 6000, 10 if quick else 50, 1e-3, 1 if quick else runs)


PANELS = (windy, cliff, rates, dyna, blocking, shortcut)


# -------------------------------------------------------------------------------------------------------------- picture
def draw(panels: list[Panel], folder: Path) -> None:
    """Draw all panels into one picture."""
    try:
        figure, axes = style.figure(3, 2, height=2.3)
    except MissingExtra as error:
        print(f"(no picture: {error})")
        return
    for axis, (title, x, y, curves) in zip(axes.flat, panels, strict=True):
        names = [curve.label for curve in curves if curve.label]
        for number, curve in enumerate(curves):
            name = curve.label or curves[number - 1].label
            dashed = {"alpha": 0.45, "label": "_"} if curve.dashed else {}
            style.draw_line(axis, curve.x, curve.y, name, names, **dashed)
        axis.set(title=title, xlabel=x, ylabel=y, xlim=(curves[0].x[0], curves[0].x[-1]))
        if "return" in y:
            axis.set_ylim(bottom=max(-150, min(curve.y.min() for curve in curves) - 5), top=0)
        if "maze, figure 8.4" in title or "maze, figure 8.5" in title:
            axis.axvline(1000 if "8.4" in title else 3000, color=PALE, lw=0.8)
        style.finish(axis)
    style.save(figure, folder / "textbook_learning.png")
    env = gymnasium.make("mazegrad/DynaMaze-v0", observation="index")
    agent = QLearning(env, rng=np.random.default_rng(0))
    agent.train(episodes=100, seed=0)
    plot_values(env.unwrapped.world, agent, folder / "learned_values.png")
    print(f"wrote {folder / 'learned_values.png'}")


def main(words: list[str] | None = None) -> list[Panel]:
    """Learn, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=count, default=10, help="learners that are averaged; default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="one run, and short ones")
    parser.add_argument(
        "--pictures", type=Path, default=Path("learning"), metavar="FOLDER", help="default: %(default)s"
    )
    options = parser.parse_args(words)
    panels = [panel(1 if options.quick else options.runs, options.quick) for panel in PANELS]
    draw(panels, options.pictures)
    return panels


if __name__ == "__main__":
    start(main)

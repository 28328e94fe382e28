"""Draws what a learner has found out over the maze, beside the exact optimum; the only file here with matplotlib."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ....envs import World, value_iteration
from ....envs.maps.arguments import whole
from ....envs.maps.directions import OFFSETS
from ....envs.maps.maze import Maze
from ....envs.pictures.palette import LIGHT
from .exact import env_of, learned_values, regret
from .temporal import TDLearner

INK: Final = "#2c3848"
WALL: Final = (72 / 255, 86 / 255, 104 / 255)
UNSEEN: Final = (0.94, 0.93, 0.91)
_TIE: Final = 1e-6  # values whose difference is less than this, relative to the largest, have equal arrows


def plot_values(
    world: World, learner: TDLearner, path: str | os.PathLike[str] | None = None, *, carried: int = 0
) -> Any:
    """Draw the learned values and greedy actions over the maze, and beside them V* and all optimal actions.

    A cell's colour is the value of its best action, on one scale for both; its arrows are the actions of that value.
    Cells in which the learner never was are pale.

    Args:
        world: a world of one maze, observed as the learner's environment shows it.
        learner: a learner of a table, such as QLearning.
        path: a PNG that is written, if given.
        carried: in a maze with keys and items, the set of inventory bits of which the values are drawn.

    Returns:
        The matplotlib Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a world of several mazes, or without a state that carries this.
        TypeError: a learner of another kind.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import QLearning, plot_values
        >>> from mazegrad.envs import MazeEnv
        >>> env = MazeEnv("four_rooms", observation="index")
        >>> learner = QLearning(env, rng=np.random.default_rng(0))
        >>> _ = learner.train(episodes=5, seed=0)
        >>> learned, optimal, colours = plot_values(env.world, learner).axes
        >>> optimal.get_title()
        'V*, 0.8601'
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('drawing needs matplotlib: pip install "mazegrad[plot]"') from error
    if len(world.mazes) != 1:
        raise ValueError(f"plot_values draws a world of one maze, not of {len(world.mazes)}; see World.only")
    here = world.carried == whole("carried", carried, 0)
    if not here.any():
        raise ValueError(f"in this world nobody carries {carried}; the sets are {np.unique(world.carried).tolist()}")
    seen = env_of(learner).observations(world)
    maze, discount = world.mazes[0], learner.discount
    met = np.array([learner.key(row) in learner.rows for row in seen])
    learned, exact = learned_values(world, learner), value_iteration(world, discount=discount)
    going = here & ~world.terminal
    values = [np.where(world.terminal, 0.0, learned.max(axis=1)), np.where(world.terminal, 0.0, exact.values)]
    shown = np.concatenate([values[0][going & met], values[1][going & np.isfinite(values[1])]])
    limits = (shown.min(), shown.max()) if len(shown) else (0.0, 1.0)
    wide, high = max(3.2, 0.36 * maze.width), max(1.6, 0.36 * maze.height)
    rows, columns = (2, 1) if wide > 2 * high else (1, 2)
    figure = Figure((columns * wide + 1, rows * (high + 0.5)), layout="constrained")
    best = [_best(learned), exact.optimal]
    steps = f"{len(learner.returns):,} episodes, {sum(learner.lengths):,} steps"
    short = round(regret(world, learner), 9)
    titles = [f"learned: {steps}\nregret {short:.3g} at discount {discount:g}", f"V*, {exact.expected_return:.4g}"]
    axes = figure.subplots(rows, columns)
    for axis, value, actions, title, known in zip(axes, values, best, titles, (met, np.ones_like(met)), strict=True):
        image = _colours(maze, axis, world.cell[going & known], value[going & known], limits)
        _arrows(maze, axis, world.cell[going & known], actions[going & known])
        axis.set_title(title, color=INK, fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.8, label="expected discounted return")
    if path is not None:
        figure.savefig(path, dpi=110, format="png")
    return figure


def _best(action_values: NDArray[np.float64]) -> NDArray[np.bool_]:
    best: NDArray[np.float64] = action_values.max(axis=1, keepdims=True)
    near: NDArray[np.bool_] = action_values >= best - _TIE * np.maximum(1.0, np.abs(best))
    return near


def _colours(
    maze: Maze, axis: Any, cells: NDArray[np.int64], values: NDArray[np.float64], limits: tuple[float, float]
) -> Any:
    """Colour the cells by their values, and draw walls, starts, goals and traps."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patheffects import withStroke

    heat = LinearSegmentedColormap.from_list("heat", [[part / 255 for part in colour] for colour in LIGHT.heat])
    picture = np.full(maze.tiles.size, np.nan)
    picture[cells] = values
    background = np.where(maze.open[..., None], UNSEEN, WALL)
    axis.imshow(background, interpolation="nearest")
    image = axis.imshow(
        picture.reshape(maze.tiles.shape), cmap=heat, vmin=limits[0], vmax=limits[1], interpolation="nearest"
    )
    for row, column in np.ndindex(maze.tiles.shape):
        tile = chr(maze.tiles[row, column])
        if tile not in "#. ":
            aside = 0.0 if np.isnan(picture[row * maze.width + column]) else 0.36
            label = axis.text(column + aside, row - aside, tile, ha="center", va="center", fontsize=7, color=INK)
            label.set(weight="bold", zorder=4, path_effects=[withStroke(linewidth=1.6, foreground="white")])
    axis.set(xticks=[], yticks=[])
    axis.set_frame_on(False)
    return image


def _arrows(maze: Maze, axis: Any, cells: NDArray[np.int64], actions: NDArray[np.bool_]) -> None:
    """Draw an arrow for each of these actions, (n, 4)."""
    which, direction = np.nonzero(actions)
    row, column = np.divmod(cells[which], maze.width)
    down, right = OFFSETS[direction].T
    axis.quiver(
        column - 0.05 * right, row - 0.05 * down, right, -down, pivot="tail", scale=2.6, scale_units="xy", units="xy",
        width=0.07, headwidth=4, headlength=4, headaxislength=3.6, color=INK, ec="white", lw=0.5,
    )  # fmt: skip

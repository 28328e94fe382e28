"""What `reset` is asked for, checked before anything changes: lanes, mazes and starts."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np

from .core.inventory import inventory_size
from .engines.engine import Lanes, Setup
from .maps.arguments import nearest, row_and_column
from .maps.maze import Maze
from .maps.shipped import find_maze


def check_options(options: Iterable[str], known: Collection[str] = ("maze", "start", "goal")) -> None:
    """Raise ValueError for an unknown option of `reset`."""
    for name in options:
        if name not in known:
            raise ValueError(f"unknown option {name!r}{nearest(name, known)}")


def found_mazes(maze: Any, lanes: int, format: str | None) -> list[Maze]:
    """Return the mazes that are meant: one for all lanes, or one for each; texts and files are in this format.

    Raises:
        ValueError: not one maze for each lane; see `find_maze`.
    """
    if isinstance(maze, Maze) or not isinstance(maze, Iterable) or isinstance(maze, str):
        return [find_maze(maze, format)]
    mazes = [find_maze(one, format) for one in maze]
    if len(mazes) != lanes:
        raise ValueError(f"give one maze, or one for each of the {lanes} lanes, not {len(mazes)}")
    return mazes


def each(entries: Sequence[Any], lanes: Lanes) -> list[Any]:
    """Return an entry for each of these lanes, from one for all or one for each lane of the environment."""
    return [*entries] * len(lanes) if len(entries) == 1 else [entries[lane] for lane in lanes.tolist()]


def masked(mask: Any, lanes: int, *, is_reset: bool) -> Lanes:
    """Return the lanes of a `reset_mask`, all of them for None.

    Raises:
        TypeError: the mask is not a bool array.
        ValueError: its shape is not (lanes,), or it has no lane.
        gymnasium.error.ResetNeeded: the first reset has to be of all lanes.
    """
    if mask is None:
        return np.arange(lanes)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        raise TypeError(f"reset_mask is a bool array, not {mask!r}")
    if mask.shape != (lanes,) or not mask.any():
        raise ValueError(f"reset_mask has shape ({lanes},) and a lane to reset, not {mask!r}")
    if not is_reset and not mask.all():
        raise gymnasium.error.ResetNeeded("call reset() for all lanes first")
    return np.flatnonzero(mask)


def found_positions(what: str, given: Any, lanes: int) -> list[Any]:
    """Return the starts or goals that are meant: one for all lanes, or one for each.

    Raises:
        ValueError: not one for each lane.
    """
    positions = [given] if np.ndim(given) <= 1 else [*given]
    if len(positions) not in (1, lanes):
        raise ValueError(f"give one {what}, or one for each of the {lanes} lanes, not {len(positions)}")
    return positions


def start_cell(position: Any, maze: Maze, setup: Setup) -> int:
    """Return the cell of a start, where an agent stands that carries nothing.

    Args:
        position: (row, column).
        maze: the maze.
        setup: how it is compiled, where what is carried decides who can stand there.

    Raises:
        ValueError: an agent cannot start there.
    """
    row, column = row_and_column(position)
    where = f"row {row}, column {column} (both from 0)"
    if not (0 <= row < maze.height and 0 <= column < maze.width and maze.open[row, column]):
        raise ValueError(f"an agent cannot stand at {where}")
    cell = row * maze.width + column
    if inventory_size(maze):
        world = setup.compile([maze])
        here = world.cell == cell
        if not here.any():
            raise ValueError(f"an agent cannot get to {where}")
        if not (here & (world.carried == 0)).any():
            raise ValueError(f"only an agent that carries a key or an item can stand at {where}; it starts with none")
    return cell

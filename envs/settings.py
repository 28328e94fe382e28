"""What environments are told, checked in one place for one agent and for many."""

import operator
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from .core.world import World
from .info import INFO
from .maps.arguments import is_whole, nearest
from .maps.maze import Maze
from .observations import OBSERVATIONS
from .planning.mdp import check_discount

TimeLimit: TypeAlias = int | Literal["auto"] | None


def checked_info_names(
    observation: str,
    info: Sequence[str],
    render_mode: str | None,
    render_modes: Sequence[str],
    time_limit: TimeLimit,
    discount: float,
) -> tuple[str, ...]:
    """Return the names that `info` asks for, once all of these arguments are found to be good.

    Raises:
        TypeError: `info` is no sequence.
        ValueError: an unknown name, a number out of its range.
    """
    if not isinstance(info, Iterable):
        raise TypeError(f"info is a name or several, of {', '.join(INFO)}, not {info!r}")
    names = (info,) if isinstance(info, str) else tuple(info)  # a single name is as good
    wanted: list[tuple[str, Any, Collection[str]]] = [("observation", observation, OBSERVATIONS)]
    wanted += [("info", name, INFO) for name in names]
    wanted += [("render mode", render_mode, render_modes)] * (render_mode is not None)
    for what, name, known in wanted:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"unknown {what} {name!r}{nearest(name, known)}")
    if time_limit not in ("auto", None) and not (is_whole(time_limit) and time_limit > 0):
        raise ValueError(f'time_limit is "auto", None or a positive number of steps, not {time_limit!r}')
    check_discount(discount)
    return names


def steps_allowed(time_limit: TimeLimit, open_tiles: Any) -> Any:
    """Return the number of steps after which an episode is truncated, or None; "auto" is 4 times the open tiles.

    One number of tiles, or an array of them.
    """
    if time_limit == "auto":
        return 4 * open_tiles
    return None if time_limit is None else int(time_limit)


def check_options(options: Iterable[str], known: Collection[str] = ("maze", "start")) -> None:
    """Raise ValueError for an option of `reset` that there is not."""
    for name in options:
        if name not in known:
            raise ValueError(f"unknown option {name!r}{nearest(name, known)}")


def check_space(space: Any, declared: Any) -> None:
    """Raise ValueError where a maze's observations are not what the environment has declared."""
    if space != declared:
        raise ValueError(f"this maze's observations, {space}, are not the declared {declared}")


def state_at(world: World, position: Any, carried: int = 0) -> int:
    """Return the state, in a world of one maze, of an agent that stands at (row, column) and carries this."""
    try:
        row, column = (operator.index(number) for number in position)
    except (TypeError, ValueError):
        raise ValueError(f"a position is (row, column), two integers from 0, not {position!r}") from None
    height, width = world.mazes[0].tiles.shape
    if 0 <= row < height and 0 <= column < width:
        here = world.cell == row * width + column
        for state in np.flatnonzero(here & (world.carried == carried))[:1]:
            return int(state)
        if not carried and here.any():
            where = f"row {row}, column {column} (both from 0)"
            raise ValueError(f"only an agent that carries a key or an item can stand at {where}; it begins with none")
    having = f" and carry {carried}" if carried else ""
    raise ValueError(f"no agent can stand at row {row}, column {column} (both from 0){having}")


def accept(maze: Maze) -> None:
    """Take any maze."""

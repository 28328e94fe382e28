"""Tables filled up to a given size, so that those of other mazes have the same shapes and nothing is compiled again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import whole
from .structure import Tables


def filled(tables: Tables, mazes: int, states: int) -> Tables:
    """Return tables with room for more mazes and states; what is added is never reached.

    Args:
        tables: of numpy, with all mazes in them.
        mazes: at least their number.
        states: at least theirs.

    Raises:
        ValueError: there are more states.
    """
    have, given = tables.words.shape[1], len(tables.first)
    if whole("states", states, 1) < have:
        raise ValueError(f"states must be at least {have:,}, the states of these mazes, not {states:,}")
    several = len(tables.starts) > given  # a start for each maze, or up to as many as there are states
    lanes, maze_of, limits = tables.lanes, tables.maze_of, tables.limits
    if mazes > given == 1:  # equal mazes are kept once
        lanes, maze_of = np.zeros(mazes, dtype=np.int32), np.zeros(have, dtype=np.int32)
    if limits is not None and limits.shape[2] > 1:
        limits = _longer(limits, 2, states * tables.words.shape[2])
    return tables._replace(
        words=_longer(tables.words, 1, states),
        rewards=tables.rewards if tables.rewards.ndim == 1 else _longer(tables.rewards, 1, states),
        seen=_each(tables.seen, lambda table: _longer(table, 0, states)),
        limits=limits,
        starts=_longer(tables.starts, 0, states if several else mazes),
        first=_longer(tables.first, 0, mazes),
        count=_longer(tables.count, 0, mazes),
        maze_of=_each(maze_of, lambda table: _longer(table, 0, states)),
        lanes=lanes,
        time_limit=_each(tables.time_limit, lambda limit: limit if len(limit) == 1 else _longer(limit, 0, mazes)),
        info=_each(tables.info, lambda table: _longer(table, 0, states)),
    )


def moved(tables: Tables, array: Any) -> Tables:
    """Return tables whose arrays are what `array` makes of numpy's."""
    names = [name for name in Tables._fields if name not in ("mode", "fresh")]
    return tables._replace(**{name: _each(getattr(tables, name), array) for name in names})


def _each(arrays: Any, change: Any) -> Any:
    """Return what a function makes of an array, or of each in a dict; None stays None."""
    if isinstance(arrays, dict):
        return {name: _each(array, change) for name, array in arrays.items()}
    return None if arrays is None else change(arrays)


def _longer(array: NDArray[Any], axis: int, length: int) -> NDArray[Any]:
    """Return an array that goes on with zeros, up to this length of an axis."""
    more = [(0, length - size if number == axis else 0) for number, size in enumerate(array.shape)]
    return np.pad(array, more)

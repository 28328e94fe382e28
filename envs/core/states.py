"""Which states mazes have, and their numbers: every open cell, or with keys or items what can be reached."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.legend import is_open
from .framed import FramedMazes, number_type

MAX_CODES: Final = 2**26  # cells times combinations of what is carried: for more, reachable states are kept in a list
MAX_STATES: Final = 2**21  # in that list


class TooManyStates(Exception):
    """The mazes have too many states together to be compiled at once."""


def state_codes(mazes: FramedMazes) -> NDArray[Any]:
    """Return the codes of all states: every open cell, or in a maze with keys or items the reachable ones."""
    if _too_many_codes(mazes):
        if len(mazes.mazes) > 1:
            raise TooManyStates
        return _few_of_many(mazes)
    seen = np.zeros(mazes.code_count, dtype=bool)
    # in a maze without keys a locked door is a state too, which nothing leads to
    open_positions = np.flatnonzero(is_open(mazes.tiles))
    open_positions = open_positions[~mazes.has_inventory[mazes.maze_of(open_positions)]]
    for facing in range(mazes.headings):
        seen[mazes.encode(open_positions, 0, facing)] = True
    starts = mazes.starts[mazes.has_inventory[mazes.maze_of(mazes.starts)]]
    frontier = mazes.encode(starts, 0, mazes.facing[mazes.maze_of(starts)])
    while len(frontier):
        seen[frontier] = True
        reached = _ahead(mazes, frontier)
        frontier = np.unique(reached[~seen[reached]])
    return np.flatnonzero(seen).astype(number_type(mazes.code_count))


def _ahead(mazes: FramedMazes, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the codes of the states that moves lead to, with repetitions."""
    position, carried, heading = mazes.decode(codes)
    going = ~mazes.over(position, carried)
    place = position[going], carried[going], heading[going]
    return np.concatenate(
        [mazes.arrive(place[0], mazes.end(*place, column)[0], *place[1:], column) for column in mazes.columns]
    )


def _few_of_many(mazes: FramedMazes) -> NDArray[np.int64]:
    """Return the codes of the reachable states of one maze that has too many codes for an array of them all."""
    seen = frontier = np.unique(mazes.encode(mazes.starts, 0, mazes.facing[mazes.maze_of(mazes.starts)]))
    while len(frontier):
        reached = np.unique(_ahead(mazes, frontier))
        place = np.minimum(np.searchsorted(seen, reached), len(seen) - 1)
        frontier = reached[seen[place] != reached]
        seen = np.union1d(seen, frontier)
        if len(seen) > MAX_STATES:
            message = f"{mazes.combinations // mazes.headings} combinations of keys and items are too many for a maze"
            raise mazes.error(mazes.last_thing, f"{message} of this size: it has more than {MAX_STATES:,} states")
    return seen


def finder(mazes: FramedMazes, codes: NDArray[Any]) -> Callable[[NDArray[np.int64]], NDArray[Any]]:
    """Return the function from codes to the numbers of states, given the codes of all, rising."""
    if _too_many_codes(mazes):
        return lambda some: np.searchsorted(codes, some)
    state_at = np.zeros(mazes.code_count, dtype=codes.dtype)
    state_at[codes] = np.arange(len(codes), dtype=codes.dtype)
    return lambda some: state_at[some]


def _too_many_codes(mazes: FramedMazes) -> bool:
    return mazes.code_count > MAX_CODES and mazes.combinations > mazes.headings

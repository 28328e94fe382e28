"""The worlds in which an agent is examined, and the numbers of the observations that their states give."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from ...envs import OBSERVATIONS, Maze, World
from ...envs.maps.arguments import nearest
from ...envs.planning.observed import observation_numbers
from .encodings import Bits, Codebook, Encoding, Number

Ints = NDArray[np.int64]


class Observed(NamedTuple):
    """The observations of the S states of a world."""

    numbers: Ints
    """(S,): the number of each state's observation"""
    encode: Encoding
    """from an observation to its number"""
    look: Callable[[Ints], NDArray[Any]]
    """(n,) states -> (n, ...) observations"""


def one_world(worlds: World | Maze | Sequence[World | Maze]) -> World:
    """Return one or several worlds and mazes as one World, in the same order.

    Raises:
        TypeError: something else than a World or a Maze.
        ValueError: an empty list.
    """
    listed = list(worlds) if isinstance(worlds, Iterable) else [worlds]
    for world in listed:
        if not isinstance(world, World | Maze):
            raise TypeError(
                f"expected a World, a Maze or a list of them, not {type(world).__name__}; "
                "load_maze(name) reads a shipped maze"
            )
    if not listed:
        raise ValueError("give at least one world or maze, not an empty list")
    mazes = [maze for maze in listed if isinstance(maze, Maze)]
    if len(mazes) == len(listed):
        return World.compile(mazes)  # those of one size at once
    return World.stack([World.compile(world) if isinstance(world, Maze) else world for world in listed])


def observe(world: World, observation: str, view_size: int, *, keep_pixels: bool = True) -> Observed:
    """Number the observations of a world's states.

    Args:
        world: the tables.
        observation: a name of `OBSERVATIONS`.
        view_size: the side of "view", odd.
        keep_pixels: whether the encoding of "pixels" holds all pictures, to number them again; they take much memory.

    Returns:
        For "dots" the numbers are sum(x[d] << d), for integers the integers themselves, else 0, 1, ... in the order in
        which the observations first occur.

    Raises:
        ValueError: an unknown observation, or a view_size that does not fit it.
    """
    if observation not in OBSERVATIONS:
        raise ValueError(f"unknown observation {observation!r}{nearest(observation, OBSERVATIONS)}")
    space, look = OBSERVATIONS[observation](world, view_size)
    if observation == "dots":
        bits = Bits(world.dots.shape[1])
        return Observed(bits(look(np.arange(world.states))), bits, look)
    if isinstance(space, Discrete):
        return Observed(look(np.arange(world.states)).astype(np.int64), Number(int(space.n)), look)
    numbers = observation_numbers(world, observation, view_size)
    if observation == "pixels" and not keep_pixels:
        return Observed(numbers, Number(int(numbers.max()) + 1), look)
    return Observed(numbers, Codebook(look(np.unique(numbers, return_index=True)[1])), look)

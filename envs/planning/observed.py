"""What is observed in the states of a world, as numbers or as distributions of numbers: the O of a process."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from ..core.world import World
from ..observations import OBSERVATIONS


def misread_dots(world: World, error: float) -> NDArray[np.float64]:
    """Return how likely each number of bits is seen in each state, (S, 2 ** bits).

    Args:
        world: the tables.
        error: how likely each bit is seen wrongly.
    """
    count = world.dots.shape[1]
    bits = np.arange(2**count)[:, None] >> np.arange(count) & 1
    right = world.dots[:, None, :] == bits
    chance: NDArray[np.float64] = np.where(right, 1 - error, error).prod(axis=2)
    return chance


def observation_numbers(world: World, observation: str, view_size: int = 7) -> NDArray[np.int64]:
    """Return the number of the observation in each state, (S,), counted from 0 in the order of states.

    Args:
        world: the tables.
        observation: a name of `OBSERVATIONS`.
        view_size: the side of "view", odd.
    """
    if observation == "dots":  # the default, and a table of the World already
        bits = 1 << np.arange(world.dots.shape[1])
        _, first_at, code = np.unique(world.dots @ bits, return_index=True, return_inverse=True)
        return first_at.argsort().argsort()[code.ravel()]
    look = OBSERVATIONS[observation](world, view_size).look
    known: dict[bytes, int] = {}
    numbers = np.empty(world.states, dtype=np.int64)
    for first in range(0, world.states, 1024):  # not all at once: pictures take much memory
        states = np.arange(first, min(first + 1024, world.states))
        seen = np.ascontiguousarray(look(states)).reshape(len(states), -1)
        numbers[states] = [
            known.setdefault(hashlib.blake2b(row.data, digest_size=16).digest(), len(known)) for row in seen
        ]
    return numbers

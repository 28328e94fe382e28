"""An agent's state, whatever it is made of, as a batch: rows taken from it, and a row of numbers for each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def take(state: Any, rows: Any) -> Any:
    """Return the state of these rows of a batch: arrays are indexed, tuples part by part, the rest stays as it is."""
    if isinstance(state, tuple):
        return tuple(take(part, rows) for part in state)
    return state[rows] if isinstance(state, np.ndarray) else state


def numbers(state: Any, batch: int) -> NDArray[Any]:
    """Return what there is in each row of a batch of states, (batch, k): its arrays, flat and side by side.

    Raises:
        TypeError: a state that is not made of None, ints, arrays and tuples of them.
    """
    if isinstance(state, tuple):
        return np.hstack([np.empty((batch, 0)), *(numbers(part, batch) for part in state)])
    if isinstance(state, np.ndarray):
        return state.reshape(batch, -1)
    if state is None or isinstance(state, int):
        return np.empty((batch, 0)) if state is None else np.full((batch, 1), state)
    raise TypeError(f"cannot compare agents' states of type {type(state).__name__}; known: None, ints, arrays, tuples")

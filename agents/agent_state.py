"""States and observations of a batch, whatever their type: some of its rows, and a matrix of numbers to compare."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows_of(state: Any, rows: Any) -> Any:
    """Return the states of some rows of a batch.

    Args:
        state: of a batch: an array, a tuple or a dict of such states, or anything that all rows share.
        rows: indices, or a mask, as numpy takes them.
    """
    if isinstance(state, Mapping):
        return {name: rows_of(part, rows) for name, part in state.items()}
    if isinstance(state, tuple):
        return tuple(rows_of(part, rows) for part in state)
    return state[rows] if isinstance(state, np.ndarray) else state


def with_rows(state: Any, rows: Any, others: Any) -> Any:
    """Return the states of a batch, those of some rows replaced; nothing that is given is changed.

    Args:
        state: of a batch, see `rows_of`.
        rows: indices, or a mask, as numpy takes them.
        others: the states of these rows; what all rows share is kept as it is in `state`.
    """
    if isinstance(state, Mapping):
        return {name: with_rows(part, rows, others[name]) for name, part in state.items()}
    if isinstance(state, tuple):
        return tuple(with_rows(part, rows, other) for part, other in zip(state, others, strict=True))
    if not isinstance(state, np.ndarray):
        return state
    changed = state.copy()
    changed[rows] = others
    return changed


def row_of(batch: Any, row: int, size: int) -> Any:
    """Return one row of a batch of states, observations or actions, as a copy.

    Args:
        batch: an array, a tuple or a dict of them, or anything that all rows share, which is returned as it is.
        row: the index of the row.
        size: the number of rows; an array of another length is shared.
    """
    if isinstance(batch, Mapping):
        return {name: row_of(part, row, size) for name, part in batch.items()}
    if isinstance(batch, tuple):
        return tuple(row_of(part, row, size) for part in batch)
    if not isinstance(batch, np.ndarray) or len(batch) != size:
        return batch
    return batch[row].item() if batch.ndim == 1 else batch[row].copy()


def stacked(rows: Sequence[Any]) -> Any:
    """Return a batch of observations, given one by one: an array, or where each is a dict, a dict of arrays.

    Args:
        rows: 1 or more.
    """
    if isinstance(rows[0], Mapping):
        return {name: stacked([row[name] for row in rows]) for name in rows[0]}
    return np.stack(rows)


def as_matrix(state: Any, batch_size: int) -> NDArray[Any]:
    """Return the numbers in the states of a batch, (batch_size, k): its arrays, flattened, side by side.

    Raises:
        TypeError: a state that does not consist of None, ints, arrays, and tuples and dicts of these.
    """
    if isinstance(state, Mapping):
        state = tuple(state[name] for name in sorted(state))
    if isinstance(state, tuple):
        return np.hstack([np.empty((batch_size, 0)), *(as_matrix(part, batch_size) for part in state)])
    if isinstance(state, np.ndarray):
        return state.reshape(batch_size, -1)
    if state is None:
        return np.empty((batch_size, 0))
    if isinstance(state, int):
        return np.full((batch_size, 1), state)
    raise TypeError(
        f"cannot compare agent states of type {type(state).__name__}; use None, ints, arrays, tuples or dicts"
    )

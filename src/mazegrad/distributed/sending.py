"""How results travel between processes: their large arrays in one buffer, which is sent and copied at once."""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray


class _Place(NamedTuple):
    """Where an array lies in a buffer, in bytes, and what it is."""

    at: int
    dtype: str
    shape: tuple[int, ...]


class _Packed(NamedTuple):
    """A result whose large arrays lie in one buffer: one thing to send, and one to copy."""

    buffer: NDArray[np.uint8]
    tree: Any


_LARGE: Final = 2**16  # bytes, from which on an array is packed
_room: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)]  # which a process keeps: fresh memory is slow


def packed(tree: Any) -> Any:
    """Return a result as it is sent: its large arrays in one buffer, which the next call fills again."""
    arrays: list[tuple[_Place, NDArray[Any]]] = []
    end = 0

    def placed(part: Any) -> Any:
        nonlocal end
        if not isinstance(part, np.ndarray) or part.nbytes < _LARGE or part.dtype.kind not in "biuf":
            return part
        arrays.append((_Place(end, part.dtype.str, part.shape), part))
        end += -(-part.nbytes // 64) * 64
        return arrays[-1][0]

    tree = _mapped(placed, tree)
    if not arrays:
        return tree
    if len(_room[0]) < end:
        _room[0] = np.empty(end, np.uint8)
    buffer = _room[0][:end]
    for place, part in arrays:
        _at(buffer, place)[...] = part
    return _Packed(buffer, tree)


def own(tree: Any) -> Any:
    """Return a copy of what lies in Ray's memory, where arrays cannot be written to."""
    buffer = np.empty(0, np.uint8)
    if isinstance(tree, _Packed):
        buffer, tree = tree.buffer.copy(), tree.tree

    def copied(part: Any) -> Any:
        if isinstance(part, _Place):
            return _at(buffer, part)
        return part.copy() if isinstance(part, np.ndarray) else part

    return _mapped(copied, tree)


def _at(buffer: NDArray[np.uint8], place: _Place) -> NDArray[Any]:
    size = np.dtype(place.dtype).itemsize * math.prod(place.shape)
    return buffer[place.at : place.at + size].view(place.dtype).reshape(place.shape)


def _mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """Return a tree with what is not a list, a tuple or a dict changed."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields") and not isinstance(tree, _Place):
        return type(tree)(*(_mapped(change, part) for part in tree))
    if isinstance(tree, list | tuple) and not isinstance(tree, _Place):
        return type(tree)(_mapped(change, part) for part in tree)
    if isinstance(tree, dict):
        return {name: _mapped(change, part) for name, part in tree.items()}
    return change(tree)

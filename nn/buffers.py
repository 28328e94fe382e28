"""Large arrays come from here: their memory is used again as soon as nobody holds the array that had it.

A `numpy.empty` of some megabytes is given back to the system when it dies, and the next one is paid for page by page:
in a small net's training step that costs more than the arithmetic. So each thread keeps *owners*, plain blocks of
bytes. An array goes out as a view of an owner, and whatever is made of it (a slice, a transpose, a view of a view)
holds the owner too, since numpy makes every view refer to the array that owns the memory. An owner to which only the
pool refers is therefore free. How many references that is, is measured once, at import.
"""

import sys
import threading
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

SMALLEST = 1 << 15  # bytes; below, numpy's own way is as quick
LARGEST = 1 << 26  # bytes; above, an array is used for so long that its pages hardly count
LIMIT = 1 << 28  # bytes that one thread's pool refers to at most
SHELF = 64  # owners of one size at most, so that a search stays short

_ALIGN = 64  # bytes: a cache line, and the widest vector register
_Entry: TypeAlias = tuple[NDArray[np.uint8], int]  # an owner and its first aligned byte


class _Pool(threading.local):
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.shelves: dict[int, list[_Entry]] = {}  # size in bytes -> owners of that size
        self.size = 0

    def find(self, size: int) -> _Entry | None:
        """Find or make an owner that nobody uses; None if there are too many of its size."""
        shelf = self.shelves.setdefault(size, [])
        entry = _unused(shelf, _FREE)
        if entry is not None:
            return entry
        if len(shelf) == SHELF:
            return None
        if self.size + size > LIMIT:  # forget all: what is in use lives on with its users, the rest is freed
            self.clear()
            shelf = self.shelves.setdefault(size, [])
        owner = np.empty(size + _ALIGN, np.uint8)
        shelf.append((owner, -owner.ctypes.data % _ALIGN))
        self.size += size
        return shelf[-1]


def _unused(shelf: list[_Entry], references: int) -> _Entry | None:
    """Find the first owner with that many references; it is held while it is looked at, so nothing can come between."""
    for owner, start in shelf:
        if sys.getrefcount(owner) == references:
            return owner, start
    return None


def _references_if_free() -> int:
    """Find the number of references by which `_unused` knows a free owner; -1 where such numbers do not tell."""
    if not hasattr(sys, "getrefcount") or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return -1
    shelf = [(np.empty(1, np.uint8), 0)]
    free = next((count for count in range(10) if _unused(shelf, count)), -1)
    view_of_view = np.ndarray(1, np.uint8, shelf[0][0])[:]
    tells = _unused(shelf, free) is None
    del view_of_view
    return free if tells and _unused(shelf, free) else -1


_FREE = _references_if_free()
_pool = _Pool()


def empty(shape: Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Make an uninitialised, C-contiguous array of this shape, as `numpy.empty` does, from memory used before."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if not SMALLEST <= size <= LARGEST or dtype.hasobject or _FREE < 0:
        return np.empty(shape, dtype)
    step = 1 << (size.bit_length() - 4)  # eight sizes for each power of two
    entry = _pool.find(-(-size // step) * step)
    if entry is None:
        return np.empty(shape, dtype)
    owner, start = entry
    return np.ndarray(shape, dtype, owner, start)


def empty_like(array: NDArray[Any], dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Make an uninitialised array of `array`'s shape and memory order, as `numpy.empty_like` does."""
    dtype = array.dtype if dtype is None else np.dtype(dtype)
    if array.size * dtype.itemsize < SMALLEST:
        return np.empty_like(array, dtype, subok=False)
    if array.flags.c_contiguous:
        return empty(array.shape, dtype)
    axes, back = _slowest_first(array.strides)
    return empty([array.shape[axis] for axis in axes], dtype).transpose(back)


def empty_ordered(array: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Make an uninitialised array of another shape in `array`'s memory order."""
    axes, back = _slowest_first(array.strides)
    return empty([shape[axis] for axis in axes], array.dtype).transpose(back)


@lru_cache(maxsize=1024)
def _slowest_first(strides: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Order the axes by memory, the slowest first; and the way back."""
    axes = sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))
    return axes, sorted(range(len(strides)), key=axes.__getitem__)


def clear() -> None:
    """Forget this thread's owners: free ones go back to the system now, others when their last array dies."""
    _pool.clear()

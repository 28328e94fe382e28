"""A pool of memory for large arrays: a block is reused as soon as no array refers to it any more.

The memory of a `numpy.empty` of some megabytes returns to the system when the array dies, and the next one pays for
every page again: in a small net's training step that costs more than the arithmetic. So each thread keeps *owners*,
plain blocks of bytes. An array is handed out as a view of an owner, and everything derived from it (a slice, a
transpose, a view of a view) refers to the owner too, since numpy makes every view refer to the array that owns the
memory. So an owner is free when only the pool refers to it. How many references that means is measured at import.
"""

import sys
import threading
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

SMALLEST = 1 << 15  # bytes; for smaller arrays numpy.empty is as fast
LARGEST = 1 << 26  # bytes; for larger arrays the cost of new pages hardly counts
LIMIT = 1 << 28  # bytes: the most that the pool of one thread refers to
SHELF = 64  # the most owners of one size, which keeps the search short

_ALIGN = 64  # bytes: a cache line, and the widest vector register
_Entry: TypeAlias = tuple[NDArray[np.uint8], int]  # an owner and its first aligned byte


class _Pool(threading.local):
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.shelves: dict[int, list[_Entry]] = {}  # size in bytes -> owners of that size
        self.size = 0

    def find(self, size: int) -> _Entry | None:
        """Return a free owner, an existing or a new one; None if `SHELF` owners of this size are in use."""
        shelf = self.shelves.setdefault(size, [])
        entry = _unused(shelf, _FREE)
        if entry is not None:
            return entry
        if len(shelf) == SHELF:
            return None
        if self.size + size > LIMIT:  # forget all owners: those in use live as long as their arrays, the rest are freed
            self.clear()
            shelf = self.shelves.setdefault(size, [])
        owner = np.empty(size + _ALIGN, np.uint8)
        shelf.append((owner, -owner.ctypes.data % _ALIGN))
        self.size += size
        return shelf[-1]


def _unused(shelf: list[_Entry], references: int) -> _Entry | None:
    """Return the first owner with this number of references, which include those of this function."""
    for owner, start in shelf:
        if sys.getrefcount(owner) == references:
            return owner, start
    return None


def _references_if_free() -> int:
    """Return the number of references of a free owner as `_unused` counts them; -1 where counting is unreliable."""
    if not hasattr(sys, "getrefcount") or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return -1
    shelf = [(np.empty(1, np.uint8), 0)]
    free = next((count for count in range(10) if _unused(shelf, count)), -1)
    view_of_view = np.ndarray(1, np.uint8, shelf[0][0])[:]
    seen = _unused(shelf, free) is None  # a view of a view keeps the owner in use
    del view_of_view
    return free if seen and _unused(shelf, free) else -1


_FREE = _references_if_free()
_pool = _Pool()


def empty(shape: Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return an uninitialised, C-contiguous array like `numpy.empty`, in memory of the pool where its size allows."""
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
    """Return an uninitialised array of the shape and memory order of `array`, like `numpy.empty_like`."""
    dtype = array.dtype if dtype is None else np.dtype(dtype)
    if array.size * dtype.itemsize < SMALLEST:
        return np.empty_like(array, dtype, subok=False)
    if array.flags.c_contiguous:
        return empty(array.shape, dtype)
    axes, back = _slowest_first(array.strides)
    return empty([array.shape[axis] for axis in axes], dtype).transpose(back)


def empty_ordered(array: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Return an uninitialised array of the given shape in the memory order of `array`."""
    axes, back = _slowest_first(array.strides)
    return empty([shape[axis] for axis in axes], array.dtype).transpose(back)


@lru_cache(maxsize=1024)
def _slowest_first(strides: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Return the axes from the largest stride to the smallest, and the inverse permutation."""
    axes = sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))
    return axes, sorted(range(len(strides)), key=axes.__getitem__)


def clear() -> None:
    """Empty the pool of this thread: free memory returns to the system now, the rest when its last array dies."""
    _pool.clear()

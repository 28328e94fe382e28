"""Large arrays come from here, and memory is handed out again as soon as nobody holds the array that used it.

A plain `numpy.empty` of a few megabytes is given back to the system when it dies, and the next one is paid for page by page;
in a small net's training step that costs more than the arithmetic. So each thread keeps *owners*: plain blocks of
bytes. An array goes out as a view of an owner, and whatever a user makes of it (a slice, a transpose, a reshaped view)
holds the owner as well, since numpy lets a view refer to the owner of its memory. An owner that only the pool
refers to is therefore free. How many references that is, is measured once, at import.
"""

import sys
import threading
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

SMALLEST = 1 << 15  # bytes; below it the allocator's own cache is as quick
LARGEST_SHARE = 4  # a single array may take this fraction of the pool at most
LIMIT = 1 << 28  # bytes that one thread's pool refers to at most
SHELF = 64  # owners of one size at most, so that a search is short

_ALIGN = 64  # a cache line, and the widest vector register


class _Pool(threading.local):
    def __init__(self) -> None:
        self.shelves: dict[int, list[NDArray[np.uint8]]] = {}  # size in bytes -> its owners
        self.size = 0

    def owner(self, size: int) -> NDArray[np.uint8] | None:
        """Find or make a block of `size` bytes that nobody uses; None if the pool does not want it."""
        shelf = self.shelves.get(size)
        if shelf is None:
            shelf = self.shelves[size] = []
        for index in range(len(shelf)):
            if sys.getrefcount(shelf[index]) == _FREE:
                return shelf[index]
        if len(shelf) == SHELF or size > LIMIT // LARGEST_SHARE:
            return None
        if self.size + size > LIMIT:  # forget all: what is in use lives on with its users, the rest is freed here
            self.clear()
            shelf = self.shelves[size] = []
        self.size += size
        shelf.append(np.empty(size, np.uint8))
        return shelf[-1]

    def clear(self) -> None:
        self.shelves, self.size = {}, 0


def _references_of_a_free_owner() -> int:
    """Count references to an owner on a shelf the way `_Pool.owner` does; -1 where counts say nothing."""
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    if not hasattr(sys, "getrefcount") or not gil:
        return -1
    shelf = [np.empty(1, np.uint8)]
    for index in range(len(shelf)):
        free = sys.getrefcount(shelf[index])
    view = shelf[0][:]
    for index in range(len(shelf)):
        used = sys.getrefcount(shelf[index])
    del view
    return free if used == free + 1 else -1


_FREE = _references_of_a_free_owner()
_pool = _Pool()


def empty(shape: Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Make an array of this shape, C-contiguous and uninitialised, like `numpy.empty`, from reused memory."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size < SMALLEST or dtype.hasobject or _FREE < 0:
        return np.empty(shape, dtype)
    step = 1 << max(size.bit_length() - 4, 0)  # eight sizes for each power of two
    owner = _pool.owner(-(-size // step) * step + _ALIGN)
    if owner is None:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, owner, -owner.ctypes.data % _ALIGN)


def empty_like(array: NDArray[Any], dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Make an uninitialised array of `array`'s shape and memory order, like `numpy.empty_like`, from reused memory."""
    dtype = array.dtype if dtype is None else np.dtype(dtype)
    if array.size * dtype.itemsize < SMALLEST:
        return np.empty_like(array, dtype, subok=False)
    if array.flags.c_contiguous:
        return empty(array.shape, dtype)
    axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))  # the slowest axis first
    result = empty([array.shape[axis] for axis in axes], dtype)
    return result.transpose(np.argsort(axes))


def clear() -> None:
    """Forget this thread's blocks: free ones go back to the system at once, others when their last array dies."""
    _pool.clear()

"""Rows: images laid out as (height, channels, width, batch), so that neighbouring image rows are one matrix.

In this order `n` image rows, one below the other, are a matrix with `n * channels` lines of `width * batch` numbers
that lies in memory as it is. The window that starts one row further on overlaps with it, without a copy; and a shift
by one column is a shift by `batch` numbers. A convolution needs nothing else.
"""

from collections.abc import Iterator
from math import gcd, prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import buffers

Array: TypeAlias = NDArray[Any]

CACHE_LINE, CACHE_WAYS, CACHE_PERIOD = 64, 8, 4096  # of addresses a period apart, the first-level cache holds 8 lines
SCRATCH = 1 << 18  # bytes that stay in the second-level cache
SHORT = 16  # for fewer numbers in a row a call of BLAS does not pay


def to_hcwb(image: Array) -> Array:
    """Lay (batch, channels, height, width) out as rows; nothing is copied where it is so already."""
    rows = image.transpose(2, 1, 3, 0)
    if rows.flags.c_contiguous:
        return rows
    result = buffers.empty(rows.shape, rows.dtype)
    batch, channels, height, width = image.shape
    if not image.flags.c_contiguous or batch <= CACHE_WAYS * CACHE_PERIOD // gcd(image.strides[0], CACHE_PERIOD):
        result[...] = rows
        return result
    # Pixels about to become neighbours would push each other out of the cache: first move the images apart,
    # as many channels at a time as stay in the second-level cache, an odd number of cache lines from image to image.
    line, size = CACHE_LINE // image.itemsize, height * width
    together = max(1, min(channels, SCRATCH // (batch * size * image.itemsize)))
    distance = (-(-together * size // line) | 1) * line
    apart = buffers.empty((batch, distance), image.dtype)[:, : together * size].reshape(batch, together, height, width)
    for first in range(0, channels, together):
        part = apart[:, : channels - first]
        part[...] = image[:, first : first + together]
        result[:, first : first + together] = part.transpose(2, 1, 3, 0)
    return result


def to_bchw(rows: Array) -> Array:
    """Show rows as (batch, channels, height, width); nothing is copied."""
    return rows.transpose(3, 1, 0, 2)


def pixels(rows: Array) -> Array:
    """View a pixel's numbers of all images as one element, which numpy copies at once: (height, channels, width)."""
    return np.ndarray(rows.shape[:-1], np.dtype((np.void, rows.shape[-1] * rows.itemsize)), rows)


def sum_channels(array: Array, factor: Array | None = None) -> Array:
    """Sum (batch, channels, ...), times `factor` if there is one, to (channels,); along memory first: that is quick."""
    order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    lines, at = array.transpose(order), order.index(1)
    inner = prod(lines.shape[at + 1 :])
    if not lines.flags.c_contiguous or inner < SHORT or (factor is not None and factor.strides != array.strides):
        product = array if factor is None else array * factor
        return product.sum(tuple(axis for axis in range(array.ndim) if axis != 1))
    shape = prod(lines.shape[:at]), array.shape[1], inner
    others = np.ones(inner, array.dtype) if factor is None else factor.transpose(order).reshape(shape)
    return np.vecdot(lines.reshape(shape), others).sum(0)


def windows(rows: Array, start: int, count: int, size: int) -> Array:
    """View `count` windows of `size` rows, each a row below the last: (count, size * channels, width * batch)."""
    _, channels, width, batch = rows.shape
    line = width * batch * rows.itemsize
    shape, strides = (count, size * channels, width * batch), (channels * line, line, rows.itemsize)
    return np.ndarray(shape, rows.dtype, rows if size else b"", start * channels * line if size else 0, strides)


def shifted(rows: Array, kernel_width: int, pad: int, out_width: int) -> Array:
    """Stack `kernel_width` copies, each shifted by a column: (height, kernel_width * channels, out_width, batch)."""
    height, channels, width, batch = rows.shape
    if kernel_width == 1 and pad == 0 and out_width == width:
        return rows
    result = buffers.empty((height, kernel_width, channels, out_width, batch), rows.dtype)
    if height and pad <= 0 and out_width + kernel_width - 1 <= width + pad:  # all at once, out of an overlapping view
        line, column, number = rows.strides[1:]
        strides = (rows.strides[0], column, line, column, number)
        result[...] = np.ndarray(result.shape, rows.dtype, rows, -pad * column, strides)
    else:
        for j in range(kernel_width):
            first, last = seen(j, width, out_width, pad)
            result[:, j, :, :first] = 0
            result[:, j, :, first:last] = rows[:, :, first + j - pad : last + j - pad]
            result[:, j, :, last:] = 0
    return result.reshape(height, kernel_width * channels, out_width, batch)


def seen(shift: int, size: int, out_size: int, pad: int) -> tuple[int, int]:
    """Return the range of outputs for which kernel entry `shift` lies on the input, not on its padding."""
    first = min(max(pad - shift, 0), out_size)
    return first, max(first, min(out_size, size + pad - shift))


def spans(height: int, kernel_height: int, pad: int, first: int, last: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut output rows `first` to `last` into spans `(top, bottom, i, i_end)` that see kernel rows `i` to `i_end`."""
    top = first
    while top < last:
        i = min(max(pad - top, 0), kernel_height)
        i_end = max(i, min(kernel_height, height + pad - top))
        whole = i == 0 and i_end == kernel_height  # so do all rows until the kernel meets the bottom
        bottom = min(last, height + pad - kernel_height + 1) if whole else top + 1
        yield top, bottom, i, i_end
        top = bottom

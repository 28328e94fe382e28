"""Four output rows of a three-row kernel cost six row products instead of twelve: Winograd's F(4, 3).

Let `a` be polynomials' values at six points. A correlation of six numbers with three, which gives four, is

    output = A.T @ ((G @ kernel) * (B.T @ input))        A: (6, 4)    G: (6, 3)    B: (6, 6)

where A and G evaluate polynomials at the points and B interpolates; "infinity" stands for the leading coefficient. Here each
number is a whole row: the products are matrix products over channels and columns, and the two transforms are matrix products
over overlapping windows as well. Only the height is transformed, not the width: that is half of the multiplications for a
rounding error some three times larger than the direct sum's.

Source: S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for
Convolutional Neural Networks, 2016. The same B serves the kernel's gradient, F(3, 4): three outputs, four taps.
"""

import numpy as np

from . import buffers
from .rows import Array, seen, shifted, windows

TILE, TAPS = 4, 3  # output rows and kernel rows
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # and infinity; the smallest rounding error of those tried
INPUTS = TILE + TAPS - 1
FEWEST_CHANNELS, FEWEST_PRODUCTS = 16, 512  # below, the transforms cost more than the products they save


def _powers(count: int) -> Array:
    """Evaluate 1, x, x^2, ... at the points; at infinity only the highest power counts: (6, count)."""
    return np.vstack([np.vander(POINTS, count, increasing=True), np.eye(count)[-1]])


def _interpolation() -> Array:
    """Make B.T: in row k the coefficients of the polynomial that is 0 at all points but the k-th, there 1: (6, 6)."""
    rows = []
    for k, point in enumerate(POINTS):
        others = np.delete(POINTS, k)
        rows.append(np.append(np.poly(others)[::-1] / np.prod(point - others), 0))
    return np.vstack([*rows, np.poly(POINTS)[::-1]])


INTERPOLATE = _interpolation()


def tiles(channels: int, out_channels: int, kernel_height: int, rows: int) -> int:
    """Say how many tiles of `TILE` output rows shall be done this way; none where the direct sum is quicker."""
    few = min(channels, out_channels) < FEWEST_CHANNELS or channels * out_channels < FEWEST_PRODUCTS
    return 0 if few or kernel_height != TAPS else rows // TILE


def correlate(rows: Array, kernel: Array, pad_width: int, out: Array) -> None:
    """Fill `out`, (4 * tiles, out_channels, out_width, batch), from `rows`, of which `out[0]` sees the first three."""
    height, out_channels, out_width, batch = out.shape
    count = height // TILE
    matrices = _combine(_powers(TAPS), kernel.transpose(2, 0, 3, 1)[None])  # (1, 6, out_channels, width, channels)
    inputs = shifted(_inputs(rows, count), kernel.shape[3], pad_width, out_width)
    products = buffers.empty((count, INPUTS, out_channels, out_width * batch), out.dtype)
    np.matmul(
        matrices.reshape(1, INPUTS, out_channels, -1),
        inputs.reshape(count, INPUTS, -1, out_width * batch),
        out=products,
    )
    flat = (count, TILE, out_channels * out_width * batch)
    np.matmul(_powers(TILE).T.astype(out.dtype), products.reshape(count, INPUTS, flat[2]), out=out.reshape(flat))


def grad_kernel(rows: Array, grad: Array, kernel_width: int, pad_width: int) -> Array:
    """Correlate `rows` with `grad`, (4 * tiles, out_channels, out_width, batch): (width, 3, channels, out_channels)."""
    (height, out_channels, out_width, batch), (channels, width) = grad.shape, rows.shape[1:3]
    count = height // TILE
    inputs = _inputs(rows, count).reshape(count, INPUTS, channels, width * batch)
    taps = _combine(_powers(TILE), grad.reshape(count, TILE, out_channels, out_width * batch))
    result = np.zeros((kernel_width, TAPS, channels, out_channels), rows.dtype)
    for j in range(kernel_width):
        first, last = seen(j, width, out_width, pad_width)
        left = inputs[..., (first + j - pad_width) * batch : (last + j - pad_width) * batch]
        right = taps[..., first * batch : last * batch]
        products = np.matmul(left, right.swapaxes(2, 3)).sum(0)  # (6, channels, out_channels)
        result[j] = _combine(_powers(TAPS).T, products[None])[0]
    return result


def _inputs(rows: Array, count: int) -> Array:
    """Transform windows of six rows, four apart, into rows again: (count * 6, channels, width, batch)."""
    _, *line = rows.shape
    flat = windows(rows.reshape(len(rows), 1, -1, line[2]), 0, count, INPUTS, TILE)
    result = buffers.empty((count * INPUTS, *line), rows.dtype)
    np.matmul(INTERPOLATE.astype(rows.dtype), flat, out=result.reshape(flat.shape))
    return result


def _combine(matrix: Array, arrays: Array) -> Array:
    """Apply (m, n) to the second axis of (count, n, ...)."""
    count, n, *rest = arrays.shape
    result = buffers.empty((count, len(matrix), *rest), arrays.dtype)
    np.matmul(matrix.astype(arrays.dtype), arrays.reshape(count, n, -1), out=result.reshape(count, len(matrix), -1))
    return result

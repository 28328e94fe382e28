"""Four output rows under a three-row kernel cost six row products instead of twelve: Winograd's F(4, 3).

A correlation of six numbers with three, which gives four, can be written as

    output = A.T @ ((G @ kernel) * (B.T @ input))        A: (6, 4)    G: (6, 3)    B: (6, 6)

where A and G evaluate polynomials at six points (one of them infinity: the leading coefficient) and B interpolates.
Here each "number" is a whole image row: `*` is a matrix product over channels and columns, and the transforms are
small matrix products over whole rows. Only the height is transformed. That halves the multiplications, for a rounding
error some three times that of the direct sum. F(3, 4), three outputs from four taps, has the same B: the kernel's
gradient.

Source: S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for
Convolutional Neural Networks, 2016.
"""

import numpy as np

from .. import buffers
from .layout import Array, multiply, multiply_turned, seen, shifted

TILE, TAPS = 4, 3  # output rows and kernel rows
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # the smallest rounding error among the sets that were tried
FEWEST_CHANNELS = 32  # with fewer, the transforms cost more than the products they save


def _evaluation(count: int) -> Array:
    """Make the matrix that evaluates a polynomial of `count` coefficients at the points and at infinity: (6, count)."""
    return np.vstack([np.vander(POINTS, count, increasing=True), np.eye(count)[-1]])


def _interpolation() -> Array:
    """Make B.T; row k holds the coefficients of the polynomial that is 1 at point k and 0 at the others: (6, 6)."""
    rows = [np.poly(POINTS)[::-1]]  # last, for infinity: 0 at all points
    for k in reversed(range(len(POINTS))):
        others = np.delete(POINTS, k)
        rows.append(np.append(np.poly(others)[::-1] / np.prod(POINTS[k] - others), 0))
    return np.stack(rows[::-1])


INTERPOLATE, AT_TILE, AT_TAPS = _interpolation(), _evaluation(TILE), _evaluation(TAPS)


def tiles(channels: int, out_channels: int, kernel_height: int, rows: int) -> int:
    """Say how many times `TILE` of these output rows shall be done this way; 0 where the direct sum is quicker."""
    return rows // TILE if kernel_height == TAPS and min(channels, out_channels) >= FEWEST_CHANNELS else 0


def correlate(rows: Array, kernel: Array, pad_width: int, out: Array) -> None:
    """Fill the output rows `out`, a multiple of `TILE`, from `rows`, whose first three `out[0]` sees."""
    out_channels, _, _, kernel_width = kernel.shape
    weights = _combine(AT_TAPS, kernel.transpose(2, 0, 3, 1)).reshape(6, out_channels, -1)
    for top in range(0, len(out), TILE):
        _tile(rows[top : top + 6], weights, kernel_width, pad_width, out[top : top + TILE])


def _tile(rows: Array, weights: Array, kernel_width: int, pad_width: int, out: Array) -> None:
    _, out_channels, out_width, batch = out.shape
    inputs = shifted(_combine(INTERPOLATE, rows), kernel_width, pad_width, out_width)
    products = buffers.empty((6, out_channels, out_width * batch), out.dtype)
    multiply(weights, inputs.reshape(6, inputs.shape[1], out_width * batch), products)
    multiply(AT_TILE.T.astype(out.dtype), products.reshape(6, -1), out.reshape(TILE, -1))


def grad_kernel(rows: Array, grad: Array, kernel_width: int, pad_width: int) -> Array:
    """Correlate `rows` with `grad`, a multiple of `TILE` rows: (kernel_width, 3, channels, out_channels)."""
    _, channels, width, batch = rows.shape
    height, out_channels, out_width, _ = grad.shape
    products = np.zeros((kernel_width, 6, out_channels, channels), rows.dtype)
    for top in range(0, height, TILE):
        inputs = _combine(INTERPOLATE, rows[top : top + 6]).reshape(6, channels, width * batch)
        taps = _combine(AT_TILE, grad[top : top + TILE]).reshape(6, out_channels, out_width * batch)
        for j in range(kernel_width):
            first, last = seen(j, width, out_width, pad_width)
            shift = slice((first + j - pad_width) * batch, (last + j - pad_width) * batch)
            products[j] += multiply_turned(taps[..., first * batch : last * batch], inputs[..., shift])
    return np.stack([_combine(AT_TAPS.T, product) for product in products]).swapaxes(2, 3)


def _combine(matrix: Array, rows: Array) -> Array:
    """Make each new row a combination of the old ones: (m, n) applied to (n, ...) gives (m, ...)."""
    result = buffers.empty((len(matrix), *rows.shape[1:]), rows.dtype)
    multiply(matrix.astype(rows.dtype), rows.reshape(len(rows), -1), result.reshape(len(matrix), -1))
    return result

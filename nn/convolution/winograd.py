"""Winograd's F(4, 3): four output rows under a three-row kernel cost six row products instead of twelve.

A correlation of six numbers with three, which gives four, can be written as

    output = A.T @ ((G @ kernel) * (B.T @ input))        A: (6, 4)    G: (6, 3)    B: (6, 6)

where A and G evaluate polynomials at six points (one of them infinity: the leading coefficient) and B interpolates.
Here each "number" is a whole image row: `*` is a matrix product over channels and columns, and the transforms are
small matrix products over whole rows. Only the height is transformed. That halves the multiplications, for a rounding
error some three times that of the direct sum. F(3, 4), three outputs from four taps, has the same B: the kernel's
gradient.

The transforms mix six rows, so the rounding error of a very large pixel (and an infinite pixel itself) would reach
outputs that do not see it. Tiles in which a number stands out from the others are therefore left to the direct sum:
`steady` decides.

Source: S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for
Convolutional Neural Networks, 2016.
"""

from collections.abc import Callable
from math import inf, prod, sqrt

import numpy as np

from .. import buffers
from .layout import Array, seen, shifted

TILE, TAPS = 4, 3  # output rows and kernel rows
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # the smallest rounding error among the sets that were tried
FEWEST_CHANNELS = 16  # with fewer, the transforms of the image cost more than the products they save
FEWEST_COLUMNS = 128  # of all tiles and images together; with fewer, the transform of the kernel does
FEWEST_PRODUCTS = 1 << 17  # in a column of the kernel for one row of outputs; with fewer, the calls do
HIGHEST_PEAK = 64  # times the root mean square; up to it the largest error doubles at most (measured)
FEW = 16  # so few large numbers are found even among zeros

Direct = Callable[[int, int], None]


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


def tiles(kernel_shape: tuple[int, ...], out_height: int, columns: int) -> int:
    """How many tiles of output rows, from the top, to compute this way; 0 where the direct sum is quicker.

    The last tile may be short of a row: three rows are still cheaper than by the direct sum. `columns`: of the output,
    times images.
    """
    out_channels, channels, height, _ = kernel_shape
    count = (out_height + 1) // TILE
    large = out_channels * channels * columns >= FEWEST_PRODUCTS and count * columns >= FEWEST_COLUMNS
    return count if height == TAPS and min(channels, out_channels) >= FEWEST_CHANNELS and large else 0


def steady(rows: Array, first: int, count: int, high: int) -> list[bool]:
    """For each tile, whether its numbers are finite and none stands out from their root mean square.

    Up to `FEW` that do are found, however large they are: of n numbers, k equal ones among zeros are sqrt(n / k)
    times the root mean square. If there are more, the outputs that they reach are most of the outputs.

    Args:
        rows: (height, ...).
        first: the row at which the first tile starts; each other tile starts `TILE` rows after the one before.
        count, high: the number of tiles, and how many rows each has, those outside included.
    """
    flat = rows.reshape(len(rows), prod(rows.shape[1:]))
    with np.errstate(over="ignore", invalid="ignore"):
        peaks = np.maximum(flat.max(1, initial=0), -flat.min(1, initial=0)).tolist()
        squares = np.matmul(flat[:, None, :], flat[:, :, None]).ravel().tolist()
    result = []
    for top in range(first, first + TILE * count, TILE):  # in Python's numbers, which are quicker where there are few
        here = _inside(top, high, len(flat))
        numbers = max(1, (here.stop - here.start) * flat.shape[1])
        highest = min(HIGHEST_PEAK, sqrt(numbers / FEW)) * sqrt(sum(squares[here]) / numbers)  # NaN if there is one
        result.append(max(peaks[here], default=0.0) <= highest < inf)
    return result


def _inside(top: int, high: int, height: int) -> slice:
    """Of the rows `top` to `top + high`, those that lie on the image; all others are padding."""
    first = min(max(top, 0), height)
    return slice(first, max(first, min(top + high, height)))


def correlate(rows: Array, kernel: Array, pads: tuple[int, int], out: Array, count: int, direct: Direct) -> None:
    """Fill the first `count` tiles of `out`.

    Args:
        rows: (height, channels, width, batch).
        kernel: (out_channels, channels, 3, kernel_width).
        pads: rows of zeros above and columns of zeros on the left.
        out: (out_height, out_channels, out_width, batch).
        count: the number of tiles.
        direct: fills `out[top:bottom]` by the direct sum.
    """
    out_channels, _, _, kernel_width = kernel.shape
    weights = _combine(AT_TAPS, kernel.transpose(2, 0, 3, 1)).reshape(6, out_channels, -1)
    usable = steady(rows, -pads[0], count, 6)
    if not steady(kernel[None], 0, 1, 1)[0]:
        usable = [False] * count
    for top, quick in zip(range(0, TILE * count, TILE), usable, strict=True):
        tile = out[top : top + TILE]
        if quick:
            _tile(_inputs(rows, top - pads[0]), weights, kernel_width, pads[1], tile)
        else:
            direct(top, top + len(tile))


def _inputs(rows: Array, top: int) -> Array:
    """Transform the six rows from `top` on; those outside are zeros, which need no multiplication."""
    inside = _inside(top, 6, len(rows))
    return _combine(INTERPOLATE[:, inside.start - top : inside.stop - top], rows[inside])


def _tile(inputs: Array, weights: Array, kernel_width: int, pad_width: int, out: Array) -> None:
    high, out_channels, out_width, batch = out.shape
    inputs = shifted(inputs, kernel_width, pad_width, out_width)
    products = buffers.empty((6, out_channels, out_width * batch), out.dtype)
    np.matmul(weights, inputs.reshape(6, inputs.shape[1], out_width * batch), out=products)
    np.matmul(AT_TILE.T[:high].astype(out.dtype), products.reshape(6, -1), out=out.reshape(high, -1))


def grad_kernel(
    rows: Array, grad: Array, kernel_width: int, pads: tuple[int, int], count: int, direct: Direct
) -> Array:
    """Correlate `rows` with the first `count` tiles of `grad`: (kernel_width, 3, channels, out_channels).

    `direct(top, bottom)` adds the share of `grad[top:bottom]` by the direct sum, where that is needed; it is not
    contained in the result.
    """
    _, channels, width, batch = rows.shape
    _, out_channels, out_width, _ = grad.shape
    products = np.zeros((kernel_width, 6, out_channels, channels), rows.dtype)
    usable = zip(steady(rows, -pads[0], count, 6), steady(grad, 0, count, TILE), strict=True)
    for top, quick in zip(range(0, TILE * count, TILE), usable, strict=True):
        tile = grad[top : top + TILE]
        if not all(quick):
            direct(top, top + len(tile))
            continue
        inputs = _inputs(rows, top - pads[0]).reshape(6, channels, width * batch)
        taps = _combine(AT_TILE[:, : len(tile)], tile).reshape(6, out_channels, out_width * batch)
        for j in range(kernel_width):
            left, right = seen(j, width, out_width, pads[1])
            shift = slice((left + j - pads[1]) * batch, (right + j - pads[1]) * batch)
            products[j] += np.matmul(taps[..., left * batch : right * batch], inputs[..., shift].swapaxes(-2, -1))
    return np.stack([_combine(AT_TAPS.T, product) for product in products]).swapaxes(2, 3)


def _combine(matrix: Array, rows: Array) -> Array:
    """Make each new row a combination of the old ones: (m, n) applied to (n, ...) gives (m, ...)."""
    result = buffers.empty((len(matrix), *rows.shape[1:]), rows.dtype)
    flat = rows.reshape(len(rows), prod(rows.shape[1:]))
    np.matmul(matrix.astype(rows.dtype), flat, out=result.reshape(len(matrix), flat.shape[1]))
    return result

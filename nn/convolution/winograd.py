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

import numpy as np

from .. import buffers
from .layout import Array, seen, shifted

TILE, TAPS = 4, 3  # output rows and kernel rows
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # the smallest rounding error among the sets that were tried
FEWEST_CHANNELS = 32  # with fewer, the transforms cost more than the products they save
HIGHEST_PEAK = 64  # times the mean size; up to it the largest error grows by half at most (measured)
BLOCK = 1 << 15  # numbers that stay in the cache while their size is taken

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


def tiles(channels: int, out_channels: int, kernel_height: int, rows: int) -> int:
    """How many tiles of these output rows to compute this way; 0 where the direct sum is quicker."""
    return rows // TILE if kernel_height == TAPS and min(channels, out_channels) >= FEWEST_CHANNELS else 0


def steady(rows: Array, first: int, count: int, high: int) -> list[bool]:
    """For each tile, whether all its numbers are finite and none is above `HIGHEST_PEAK` times their mean size.

    Args:
        rows: (height, ...).
        first: the row at which the first tile starts; each other tile starts `TILE` rows after the one before.
        count, high: the number of tiles, and how many rows each has.
    """
    flat = rows.reshape(len(rows), -1)[first : first + TILE * (count - 1) + high]
    numbers = flat.shape[1]
    step = max(1, BLOCK // max(1, numbers))
    size, ones = np.empty((step, numbers), rows.dtype), np.ones(numbers, rows.dtype)
    peaks, sums = np.empty(len(flat)), np.empty(len(flat))
    with np.errstate(over="ignore", invalid="ignore"):
        for top in range(0, len(flat), step):
            part = flat[top : top + step]
            part = np.abs(part, out=size[: len(part)])
            peaks[top : top + step] = part.max(1, initial=0)
            sums[top : top + step] = part @ ones
        return [
            bool(peaks[at : at + high].max() * (high * numbers) <= HIGHEST_PEAK * sums[at : at + high].sum() < np.inf)
            for at in range(0, TILE * count, TILE)
        ]


def correlate(
    rows: Array, kernel: Array, pads: tuple[int, int], out: Array, first: int, last: int, direct: Direct
) -> None:
    """Fill `out[first:last]`, a multiple of `TILE` rows.

    Args:
        rows: (height, channels, width, batch).
        kernel: (out_channels, channels, 3, kernel_width).
        pads: rows of zeros above and columns of zeros on the left; none of `out[first:last]` sees zeros above.
        out: (out_height, out_channels, out_width, batch).
        first, last: the output rows.
        direct: fills `out[top:bottom]` by the direct sum.
    """
    out_channels, _, _, kernel_width = kernel.shape
    weights = _combine(AT_TAPS, kernel.transpose(2, 0, 3, 1)).reshape(6, out_channels, -1)
    usable = steady(rows, first - pads[0], (last - first) // TILE, 6)
    if not steady(kernel[None], 0, 1, 1)[0]:
        usable = [False] * len(usable)
    for top, quick in zip(range(first, last, TILE), usable, strict=True):
        if quick:
            tile = rows[top - pads[0] : top - pads[0] + 6]
            _tile(tile, weights, kernel_width, pads[1], out[top : top + TILE])
        else:
            direct(top, top + TILE)


def _tile(rows: Array, weights: Array, kernel_width: int, pad_width: int, out: Array) -> None:
    _, out_channels, out_width, batch = out.shape
    inputs = shifted(_combine(INTERPOLATE, rows), kernel_width, pad_width, out_width)
    products = buffers.empty((6, out_channels, out_width * batch), out.dtype)
    np.matmul(weights, inputs.reshape(6, inputs.shape[1], out_width * batch), out=products)
    np.matmul(AT_TILE.T.astype(out.dtype), products.reshape(6, -1), out=out.reshape(TILE, -1))


def grad_kernel(
    rows: Array, grad: Array, kernel_width: int, pads: tuple[int, int], first: int, last: int, direct: Direct
) -> Array:
    """Correlate `rows` with `grad[first:last]`, a multiple of `TILE` rows: (kernel_width, 3, channels, out_channels).

    `direct(top, bottom)` adds the share of `grad[top:bottom]` by the direct sum, where that is needed; it is not
    contained in the result.
    """
    _, channels, width, batch = rows.shape
    _, out_channels, out_width, _ = grad.shape
    products = np.zeros((kernel_width, 6, out_channels, channels), rows.dtype)
    count = (last - first) // TILE
    usable = zip(steady(rows, first - pads[0], count, 6), steady(grad, first, count, TILE), strict=True)
    for top, quick in zip(range(first, last, TILE), usable, strict=True):
        if not all(quick):
            direct(top, top + TILE)
            continue
        tile, grad_tile = rows[top - pads[0] : top - pads[0] + 6], grad[top : top + TILE]
        inputs = _combine(INTERPOLATE, tile).reshape(6, channels, width * batch)
        taps = _combine(AT_TILE, grad_tile).reshape(6, out_channels, out_width * batch)
        for j in range(kernel_width):
            left, right = seen(j, width, out_width, pads[1])
            shift = slice((left + j - pads[1]) * batch, (right + j - pads[1]) * batch)
            products[j] += np.matmul(taps[..., left * batch : right * batch], inputs[..., shift].swapaxes(-2, -1))
    return np.stack([_combine(AT_TAPS.T, product) for product in products]).swapaxes(2, 3)


def _combine(matrix: Array, rows: Array) -> Array:
    """Make each new row a combination of the old ones: (m, n) applied to (n, ...) gives (m, ...)."""
    result = buffers.empty((len(matrix), *rows.shape[1:]), rows.dtype)
    np.matmul(matrix.astype(rows.dtype), rows.reshape(len(rows), -1), out=result.reshape(len(matrix), -1))
    return result

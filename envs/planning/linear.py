"""A direct solver for Markov chains on mazes: eliminate one breadth-first layer after another, as small dense blocks.

A layer has edges only to its two neighbours, so x = b + Wx is block tridiagonal (the block Thomas algorithm; Golub &
Van Loan, Matrix Computations, section 4.5). The layers of a maze are a few states wide whatever its size, those of an
open field about as wide as its side. A state with many predecessors (the start, where traps lead back to it) would
join all layers: such hubs are kept out and solved last.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .distances import Graph

HUB: Final = 64
"""A node with more edges into it than this is a hub."""
BLOCK: Final = 24
"""Thin layers are joined to blocks of about this many nodes."""
MAX_ENTRIES: Final = 2**28
"""In all blocks together (2 GiB)."""

Floats = NDArray[np.float64]


class TooWideError(ValueError):
    """The layers of a chain are too wide to be solved exactly."""


def solve_chain(tail: NDArray[np.int64], head: NDArray[np.int64], weight: Floats, b: Floats) -> Floats:
    """Solve x = b + W x, where W[tail, head] is the sum of the weights of these edges.

    Args:
        tail, head, weight: (edges,): weights are not negative, and those out of a node sum to at most 1; from each node
            there is a way to one where the sum is less than 1.
        b: (n, m): several right-hand sides.

    Returns:
        x, (n, m).

    Raises:
        TooWideError: the layers are too wide to be solved exactly.
    """
    n, m = b.shape
    if not n:
        return b.copy()
    pairs, which = np.unique(tail * n + head, return_inverse=True)
    weight = np.bincount(which.ravel(), weight).astype(np.float64)
    tail, head = pairs // n, pairs % n
    hubs = np.flatnonzero(np.bincount(head[tail != head], minlength=n) > HUB)
    if not len(hubs):
        return _solve_layers(tail, head, weight, b)
    rest = np.setdiff1d(np.arange(n), hubs)
    index = np.empty(n, dtype=np.int64)  # of a node among the hubs, or among the rest
    index[rest], index[hubs] = np.arange(len(rest)), np.arange(len(hubs))
    is_hub = np.isin(np.arange(n), hubs)

    def part(rows: bool, columns: bool) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        chosen = (is_hub[tail] == rows) & (is_hub[head] == columns)
        return index[tail[chosen]], index[head[chosen]], weight[chosen]

    def dense(rows: bool, columns: bool) -> Floats:
        matrix = np.zeros((len(hubs) if rows else len(rest), len(hubs) if columns else len(rest)))
        row, column, weights = part(rows, columns)
        matrix[row, column] = weights
        return matrix

    # the rest as a function of the hubs: x = y[:, :m] + y[:, m:] @ x[hubs]
    y = _solve_layers(*part(False, False), np.hstack([b[rest], dense(False, True)]))
    back = dense(True, False)
    x = np.empty_like(b)
    x[hubs] = np.linalg.solve(np.eye(len(hubs)) - dense(True, True) - back @ y[:, m:], b[hubs] + back @ y[:, :m])
    x[rest] = y[:, :m] + y[:, m:] @ x[hubs]
    return x


def _solve_layers(tail: NDArray[np.int64], head: NDArray[np.int64], weight: Floats, b: Floats) -> Floats:
    n = len(b)
    order, bounds = _blocks(tail, head, n)
    index = np.empty(n, dtype=np.int64)  # of a node in this order
    index[order] = np.arange(n)
    by_row = np.argsort(index[tail], kind="stable")
    row, column, weight = index[tail][by_row], index[head][by_row], weight[by_row]
    first = np.searchsorted(row, bounds).tolist()
    y = b[order]
    coupling: list[Floats] = []  # of each block to the next, after elimination
    edges = [0, *bounds.tolist(), n]  # block i is edges[i + 1]..edges[i + 2]
    for i in range(len(bounds) - 1):
        before, low, high, after = edges[i : i + 4]
        mine = slice(first[i], first[i + 1])
        band = np.zeros((high - low, after - before))
        band[np.arange(low, high) - low, np.arange(low, high) - before] = 1
        band[row[mine] - low, column[mine] - before] -= weight[mine]
        left, middle, right = band[:, : low - before], band[:, low - before : high - before], band[:, high - before :]
        if i:
            middle = middle - left @ coupling[-1]
            y[low:high] -= left @ y[before:low]
        solved = np.linalg.solve(middle, np.concatenate([right, y[low:high]], axis=1))
        coupling.append(solved[:, : after - high])
        y[low:high] = solved[:, after - high :]
    for i in range(len(bounds) - 3, -1, -1):
        low, high, after = edges[i + 1 : i + 4]
        y[low:high] -= coupling[i] @ y[high:after]
    x = np.empty_like(y)
    x[order] = y
    return x


def _blocks(tail: NDArray[np.int64], head: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the nodes in an order, and the bounds of blocks in it, each joined only to its two neighbours."""
    graph = Graph(np.concatenate([tail, head]), np.concatenate([head, tail]), n)
    level = np.full(n, -1)
    rough = np.full(n, -1)
    for node in range(n):
        if level[node] < 0:  # a connected component: begin at a far end of it, where layers are thin
            end = graph.spread(np.array([node]), rough)[:1]
            graph.spread(end, level, int(level.max()) + 1)
    order = np.argsort(level, kind="stable")
    bounds = [0]
    for high in np.cumsum(np.bincount(level)).tolist():
        if high - bounds[-1] >= BLOCK or high == n:
            bounds.append(high)
    sizes = np.diff(bounds)
    if (sizes[1:] * sizes[:-1]).sum() + (sizes.max() ** 2) > MAX_ENTRIES:
        raise TooWideError(f"{n:,} states in layers of up to {sizes.max():,} are too many to solve exactly")
    return order, np.array(bounds)

"""Smaller tables with unknown entries: nodes are merged as long as every known entry keeps its action.

A table is (nodes, observations, 2) integers: the action and the next node, or `UNKNOWN` twice. Two nodes may be merged
if they take the same action wherever both are known, and if the nodes that follow may be merged as well. The smallest
such table is NP-hard to find (Pfleeger, State reduction in incompletely specified finite-state machines, 1973). So
merging is greedy, which gives an upper bound; nodes that are pairwise incompatible give a lower bound.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .minimisation import UNKNOWN, Ints, breadth_first, merge_equivalent

MAX_COMPARED: Final = 2000
"""nodes that are compared pair by pair; in a larger table only equivalent nodes are merged"""
MAX_GREED: Final = 100_000
"""nodes times first choices in the greedy search for incompatible nodes: some seconds"""

_GONE: Final = -2  # the node was merged into another


def merge_compatible(table: Ints) -> tuple[Ints, int]:
    """Merge the nodes of a table, greedily.

    Returns:
        The merged table, numbered breadth-first from node 0; and how many nodes any such table must have.
    """
    table, _ = merge_equivalent(table)
    if len(table) > MAX_COMPARED:
        return breadth_first(table), 1
    apart = _incompatible(table)
    merged = breadth_first(_merged_greedily(table, apart))
    return merged, _pairwise_incompatible(apart, enough=len(merged))


def _incompatible(table: Ints) -> NDArray[np.bool_]:
    """Return which pairs of nodes cannot be merged, (nodes, nodes): some sequence known from both gives two actions."""
    padded = np.zeros((len(table) + 1, len(table) + 1), dtype=bool)  # the last row and column are those of UNKNOWN
    apart = padded[:-1, :-1]
    for action in table[..., 0].T:
        known = action != UNKNOWN
        apart |= (action[:, None] != action) & known[:, None] & known
    count = -1
    while count != (count := int(np.count_nonzero(apart))):
        for following in table[..., 1].T:
            apart |= padded[following].take(following, axis=1)
    return apart


def _pairwise_incompatible(apart: NDArray[np.bool_], enough: int) -> int:
    """Return the size of a set of pairwise incompatible nodes: the largest that a greedy search finds.

    From many first nodes, it adds the node that excludes the fewest of those that are left.

    Args:
        apart: (nodes, nodes), symmetric.
        enough: a size at which the search may stop.
    """
    nodes, best = len(apart), 1
    together = ~apart
    for first in np.argsort(together.sum(axis=1), kind="stable")[: max(1, min(200, MAX_GREED // nodes))].tolist():
        left, size = apart[first].copy(), 1
        excludes = together[:, left].sum(axis=1)  # of those left
        while left.any():
            gone = left & together[np.where(left, excludes, nodes + 1).argmin()]
            left[gone] = False
            excludes -= together[gone].sum(axis=0)
            size += 1
        best = max(best, size)
        if best >= enough:
            break
    return best


def _merged_greedily(table: Ints, apart: NDArray[np.bool_]) -> Ints:
    """Merge each node, in order, into the first one kept that allows it."""
    kept: list[int] = []
    for node in range(len(table)):
        if table[node, 0, 0] == _GONE:
            continue
        for other in kept:
            if table[other, 0, 0] == _GONE:
                continue
            if not apart[node, other] and (merged := _merge(table, other, node)) is not None:
                table = merged
                break
        else:
            kept.append(node)
    return table


def _merge(table: Ints, one: int, other: int) -> Ints | None:
    """Return the table with two nodes merged, and all pairs of nodes that follow from this; None if they cannot be."""
    table = table.copy()
    into = np.arange(len(table))  # the node that each node was merged into
    pending = [(one, other)]
    while pending:
        a, b = (_root(into, node) for node in pending.pop())
        if a == b:
            continue
        a, b = min(a, b), max(a, b)
        both = (table[a, :, 0] != UNKNOWN) & (table[b, :, 0] != UNKNOWN)
        if (table[a, both, 0] != table[b, both, 0]).any():
            return None
        pending += zip(table[a, both, 1].tolist(), table[b, both, 1].tolist(), strict=True)
        table[a] = np.where(table[a] == UNKNOWN, table[b], table[a])
        table[b] = _GONE
        into[b] = a
    resolved = np.array([_root(into, node) for node in range(len(table))] + [_GONE, UNKNOWN])
    table[..., 1] = resolved[table[..., 1]]
    return table


def _root(into: Ints, node: int) -> int:
    while into[node] != node:
        node = int(into[node])
    return node

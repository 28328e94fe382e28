"""Smaller tables for the same behaviour: equivalent nodes are merged, and nodes are numbered from the start.

A table is (nodes, observations, 2) integers: the action and the next node. Entries may be `UNKNOWN`, both numbers.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

UNKNOWN: Final = -1


def merge_equivalent(table: Ints) -> tuple[Ints, Ints]:
    """Merge the nodes that no sequence of observations distinguishes, by refining classes until nothing changes.

    Nodes with unknown entries are merged only if the same entries are unknown. Source: E. F. Moore,
    Gedanken-experiments on sequential machines, 1956.

    Returns:
        The table of the merged nodes, which are in the order of their first members; and the new number of each old
        node, (nodes,).
    """
    action, known = table[..., 0], table[..., 0] != UNKNOWN
    classes = _classes(action)
    while True:
        following = np.where(known, classes[table[..., 1]], UNKNOWN)
        finer = _classes(np.column_stack([classes, following]))
        if finer.max() == classes.max():
            break
        classes = finer
    first = np.unique(classes, return_index=True)[1]  # the first member of each class
    order = np.argsort(first)
    number = np.argsort(order)[classes]
    merged = table[first[order]]
    merged[..., 1] = np.where(merged[..., 0] == UNKNOWN, UNKNOWN, number[merged[..., 1]])
    return merged, number


def breadth_first(table: Ints, start: int = 0) -> Ints:
    """Keep the nodes that are reachable from the start, numbered as a breadth-first search finds them."""
    number = {start: 0}
    for node in (queue := [start]):
        for following in table[node, :, 1].tolist():
            if following != UNKNOWN and following not in number:
                number[following] = len(number)
                queue.append(following)
    new = np.full(len(table) + 1, UNKNOWN)  # the last entry is that of UNKNOWN
    new[queue] = range(len(queue))
    return np.stack([table[queue, :, 0], new[table[queue, :, 1]]], axis=-1)


def _classes(rows: Ints) -> Ints:
    """Return a number for each row, (n,), the same for equal rows: 0, 1, ..."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)

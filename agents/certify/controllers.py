"""The search for small controllers: entries (node, observation) are assigned as they are met, fewest nodes first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from ..automaton import Automaton
from .model import OVER, Model

Entry = tuple[int, int]
Table = dict[Entry, tuple[int, int]]
"""(node, observation) -> (action, next node)"""


class OutOfTime(Exception):
    """The limit was reached before the answer."""


def as_automaton(model: Model, table: Table, nodes: int) -> Automaton:
    """Return a table as an automaton; entries that are never met go up, and stay in their node."""
    action = np.zeros((nodes, model.observations), dtype=np.int64)
    next_node = np.repeat(np.arange(nodes)[:, None], model.observations, axis=1)
    for entry, (act, to) in table.items():
        action[entry], next_node[entry] = act, to
    return Automaton(next_node, action, 0, model.encode)


def attain(model: Model, allowed: Sequence[frozenset[int]], nodes: int, go_on: Callable[[], bool]) -> Automaton | None:
    """Return a controller that only ever takes allowed actions, None if there is none of so many nodes.

    Depth-first: walk on until an entry is missing, try each action and next node for it (of the nodes not used so far
    the first will do), and go back where an entry that is there is not allowed.

    Raises:
        OutOfTime: `go_on` said no.
    """
    seen = model.seen.tolist()
    table: Table = {}
    met: dict[tuple[int, int], None] = dict.fromkeys((state, 0) for state in model.starts)
    queue = list(met)  # places in the order they are met; those before `at` were walked on from
    # (length of the queue, place in it, entry, its other ways, nodes used)
    choices: list[tuple[int, int, Entry, list[tuple[int, int]], int]] = []
    at, used = 0, 1
    while at < len(queue):
        if not go_on():
            raise OutOfTime
        state, node = queue[at]
        entry = node, seen[state]
        way = table.get(entry)
        if way is None:
            ways = [(action, to) for action in allowed[state] for to in range(min(used + 1, nodes))]
            ways.sort(key=lambda way: way[1] != node)
            choices.append((len(queue), at, entry, ways[::-1], used))
            way = None
        elif way[0] in allowed[state]:
            _walk_on(model, queue, met, at, way)
            at += 1
            continue
        while choices:  # take the next way of the last choice that has one
            length, at, entry, ways, used = choices[-1]
            for place in queue[length:]:
                del met[place]
            del queue[length:]
            table.pop(entry, None)
            if ways:
                way = ways.pop()
                table[entry] = way
                used = max(used, way[1] + 1)
                break
            choices.pop()
        else:
            return None
    return as_automaton(model, table, used)


def _walk_on(
    model: Model, queue: list[tuple[int, int]], met: dict[tuple[int, int], None], at: int, way: tuple[int, int]
) -> None:
    for _, after in model.outcomes[queue[at][0]][way[0]]:
        place = after, way[1]
        if after != OVER and place not in met:
            met[place] = None
            queue.append(place)


@dataclass
class Best:
    """The best controller found so far."""

    value: float
    automaton: Automaton | None = None


def improve(model: Model, values: Sequence[float], nodes: int, best: Best, go_on: Callable[[int], bool]) -> None:
    """Look for a controller of so many nodes that earns more than the best so far: branch and bound.

    A controller whose entries are missing in part earns at most what it does if each place that misses one is worth V*.

    Raises:
        OutOfTime: `go_on` said no.
    """
    seen = model.seen.tolist()
    stack: list[tuple[Table, int]] = [({}, 1)]
    gamma = float(model.discount)
    for tried in count():
        if not stack:
            return
        if not go_on(tried):
            raise OutOfTime
        table, used = stack.pop()
        bound, missing = _bound(model, values, table, seen, gamma)
        if not bound > best.value + 1e-10 * max(1.0, abs(best.value)):
            continue
        if missing is None:
            best.value, best.automaton = bound, as_automaton(model, table, used)
            continue
        state, node = missing
        ways = []
        for action in range(4):
            hope = float(model.rewards[state][action]) + gamma * sum(
                float(p) * values[after] for p, after in model.outcomes[state][action] if after != OVER
            )
            ways += [(hope, to == node, action, to) for to in range(min(used + 1, nodes))]
        for _, _, action, to in sorted(ways):  # the most hopeful is looked at first
            stack.append(({**table, (node, seen[state]): (action, to)}, max(used, to + 1)))


def _bound(
    model: Model, values: Sequence[float], table: Table, seen: list[int], gamma: float
) -> tuple[float, tuple[int, int] | None]:
    places = {(state, 0): place for place, state in enumerate(model.starts)}
    queue, missing = list(places), None
    rows: list[list[tuple[float, int]]] = []
    right: list[float] = []
    for state, node in queue:
        way = table.get((node, seen[state]))
        if way is None:
            missing = missing or (state, node)
            rows.append([])
            right.append(values[state])
            continue
        action, to = way
        row = []
        for chance, after in model.outcomes[state][action]:
            if after != OVER:
                if (after, to) not in places:
                    places[after, to] = len(places)
                    queue.append((after, to))
                row.append((float(chance), places[after, to]))
        rows.append(row)
        right.append(float(model.rewards[state][action]))
    matrix = np.eye(len(queue))
    for place, row in enumerate(rows):
        for weight, after in row:
            matrix[place, after] -= gamma * weight
    try:
        earned = np.linalg.solve(matrix, np.array(right))
    except np.linalg.LinAlgError:  # at discount 1, going round for ever
        return -np.inf, None
    starts = sum(float(chance) * earned[place] for place, chance in enumerate(model.starts.values()))
    return float(starts), missing

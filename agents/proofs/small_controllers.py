"""The search for small controllers: entries (node, observation) are assigned when they are first visited."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from ..automata import Automaton
from .model import OVER, Model

Entry = tuple[int, int]
"""(node, observation)"""
Table = dict[Entry, tuple[int, int]]
"""(node, observation) -> (action, next node)"""


class OutOfTime(Exception):
    """The limit was reached before the answer was known."""


def as_automaton(model: Model, table: Table, nodes: int) -> Automaton:
    """Return a table as an automaton; in entries that are never visited it takes action 0 and stays in its node."""
    action = np.zeros((nodes, model.observations), dtype=np.int64)
    next_node = np.repeat(np.arange(nodes)[:, None], model.observations, axis=1)
    for entry, (a, following) in table.items():
        action[entry], next_node[entry] = a, following
    return Automaton(next_node, action, 0, model.encode, model.actions)


def attain(model: Model, allowed: Sequence[frozenset[int]], nodes: int, go_on: Callable[[], bool]) -> Automaton | None:
    """Return a controller that takes allowed actions only, or None if no controller of this many nodes does.

    Depth-first search: follow the controller until an entry is missing, try each action and next node for it (of the
    unused nodes only the first), and go back where an action is not allowed.

    Args:
        model: the problem.
        allowed: state -> actions.
        nodes: the largest number of nodes.
        go_on: is called before each step; False stops the search.

    Raises:
        OutOfTime: the search was stopped.
    """
    observation = model.observation.tolist()
    table: Table = {}
    visited: dict[tuple[int, int], None] = dict.fromkeys((state, 0) for state in model.starts)
    queue = list(visited)  # (state, node) in the order of visits; those before `at` have been followed
    # (length of the queue, position in it, entry, remaining choices, nodes in use)
    choices: list[tuple[int, int, Entry, list[tuple[int, int]], int]] = []
    at, used = 0, 1
    while at < len(queue):
        if not go_on():
            raise OutOfTime
        state, node = queue[at]
        entry = node, observation[state]
        choice = table.get(entry)
        if choice is None:
            options = [(action, to) for action in allowed[state] for to in range(min(used + 1, nodes))]
            options.sort(key=lambda option: option[1] != node)
            choices.append((len(queue), at, entry, options[::-1], used))
        elif choice[0] in allowed[state]:
            _follow(model, queue, visited, at, choice)
            at += 1
            continue
        while choices:  # take the next option of the last choice that has one
            length, at, entry, options, used = choices[-1]
            for pair in queue[length:]:
                del visited[pair]
            del queue[length:]
            table.pop(entry, None)
            if options:
                table[entry] = options.pop()
                used = max(used, table[entry][1] + 1)
                break
            choices.pop()
        else:
            return None
    return as_automaton(model, table, used)


def _follow(
    model: Model, queue: list[tuple[int, int]], visited: dict[tuple[int, int], None], at: int, choice: tuple[int, int]
) -> None:
    for _, after in model.transitions[queue[at][0]][choice[0]]:
        pair = after, choice[1]
        if after != OVER and pair not in visited:
            visited[pair] = None
            queue.append(pair)


@dataclass
class Best:
    """The best controller found so far."""

    value: float
    automaton: Automaton | None = None


def improve(model: Model, values: Sequence[float], nodes: int, best: Best, go_on: Callable[[int], bool]) -> None:
    """Search for a controller of this many nodes with a larger value than the best so far, by branch and bound.

    The bound of a controller with missing entries takes V* as the value where an entry is missing.

    Args:
        model: the problem.
        values: state -> V*, approximately.
        nodes: the largest number of nodes.
        best: is updated.
        go_on: is called before each step with the number of tables tried; False stops the search.

    Raises:
        OutOfTime: the search was stopped.
    """
    observation = model.observation.tolist()
    stack: list[tuple[Table, int]] = [({}, 1)]  # with the number of nodes in use
    gamma = float(model.discount)
    for tried in count():
        if not stack:
            return
        if not go_on(tried):
            raise OutOfTime
        table, used = stack.pop()
        bound, missing = _bound(model, values, table)
        if not bound > best.value + 1e-10 * max(1.0, abs(best.value)):
            continue
        if missing is None:
            best.value, best.automaton = bound, as_automaton(model, table, used)
            continue
        state, node = missing
        options = []
        for action in range(model.actions):
            q = float(model.rewards[state][action]) + gamma * sum(
                float(p) * values[after] for p, after in model.transitions[state][action] if after != OVER
            )
            options += [(q, to == node, action, to) for to in range(min(used + 1, nodes))]
        for _, _, action, to in sorted(options):  # the largest q is popped first
            stack.append(({**table, (node, observation[state]): (action, to)}, max(used, to + 1)))


def _bound(model: Model, values: Sequence[float], table: Table) -> tuple[float, tuple[int, int] | None]:
    """Return the bound of a table, and the first (state, node) whose entry is missing, if any."""
    observation = model.observation.tolist()
    number = {(state, 0): i for i, state in enumerate(model.starts)}  # of (state, node)
    queue, missing = list(number), None
    rows: list[list[tuple[float, int]]] = []
    right: list[float] = []
    for state, node in queue:
        entry = table.get((node, observation[state]))
        if entry is None:
            missing = missing or (state, node)
            rows.append([])
            right.append(values[state])
            continue
        action, to = entry
        row = []
        for chance, after in model.transitions[state][action]:
            if after != OVER:
                if (after, to) not in number:
                    number[after, to] = len(number)
                    queue.append((after, to))
                row.append((float(chance), number[after, to]))
        rows.append(row)
        right.append(float(model.rewards[state][action]))
    matrix = np.eye(len(queue))
    for i, row in enumerate(rows):
        for weight, after in row:
            matrix[i, after] -= float(model.discount) * weight
    try:
        solution = np.linalg.solve(matrix, np.array(right))
    except np.linalg.LinAlgError:  # at discount 1, a cycle without end
        return -np.inf, None
    return float(sum(float(chance) * solution[i] for i, chance in enumerate(model.starts.values()))), missing

"""The search for a witness: two aliased states without a common optimal action, visited by every optimal policy."""

from collections.abc import Callable, Sequence
from typing import Final

from .model import OVER, Model

MAX_CANDIDATES: Final = 512
"""states of which it is decided whether every optimal policy visits them"""


def find_witness(model: Model, optimal: Sequence[frozenset[int]], go_on: Callable[[], bool]) -> tuple[int, int] | None:
    """Return two such states, the first pair that is found, or None.

    Args:
        model: the problem.
        optimal: state -> optimal actions.
        go_on: is called before each pair; False stops the search.
    """
    aliased: dict[int, list[int]] = {}
    for state in _reachable(model, optimal):
        aliased.setdefault(int(model.observation[state]), []).append(state)
    visited: dict[int, bool] = {}

    def is_visited(state: int) -> bool:
        if state not in visited:
            visited[state] = always_visited(model, optimal, state)
        return visited[state]

    for states in aliased.values():
        for number, second in enumerate(states):
            for first in states[:number]:
                if not go_on() or len(visited) > MAX_CANDIDATES:
                    return None
                if not optimal[first] & optimal[second] and is_visited(second) and is_visited(first):
                    return first, second
    return None


def _reachable(model: Model, optimal: Sequence[frozenset[int]]) -> list[int]:
    """Return the states that optimal policies may visit, in breadth-first order."""
    reached = list(model.starts)
    known = set(reached)
    for state in reached:
        for action in sorted(optimal[state]):
            for _, after in model.transitions[state][action]:
                if after != OVER and after not in known:
                    known.add(after)
                    reached.append(after)
    return reached


def always_visited(model: Model, optimal: Sequence[frozenset[int]], state: int) -> bool:
    """Return whether every policy of optimal actions visits a state with probability 1, from some start.

    It can be missed from a state where an optimal action may lead to the end of the episode, or to states among which
    optimal actions avoid it forever.
    """
    others = [s for s in range(model.count) if s != state]
    safe = set(others) | {OVER}
    shrinking = True
    while shrinking:  # to the largest set in which one can stay, the end of the episode included
        leaving = [
            s
            for s in safe
            if s != OVER and not any(all(to in safe for _, to in model.transitions[s][a]) for a in optimal[s])
        ]
        safe.difference_update(leaving)
        shrinking = bool(leaving)
    missed = set(safe)
    growing = True
    while growing:  # by the states from which that set may be reached
        joining = [
            s
            for s in others
            if s not in missed and any(to in missed for a in optimal[s] for _, to in model.transitions[s][a])
        ]
        missed.update(joining)
        growing = bool(joining)
    return any(start not in missed for start in model.starts)

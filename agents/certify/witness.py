"""A witness: two states that look alike, share no optimal action, and that every optimal policy is sure to meet."""

from collections.abc import Callable, Sequence
from typing import Final

from .model import OVER, Model

MAX_CANDIDATES: Final = 512
"""states that are looked at"""


def find_witness(model: Model, optimal: Sequence[frozenset[int]], go_on: Callable[[], bool]) -> tuple[int, int] | None:
    """Return two such states, or None where none was found.

    Where several pairs would do, the one of fewest common walks is not sought: the first in the order of the states.
    """
    reached = list(model.starts)
    known = set(reached)
    for state in reached:
        for action in sorted(optimal[state]):
            for _, after in model.outcomes[state][action]:
                if after != OVER and after not in known:
                    known.add(after)
                    reached.append(after)
    by_looks: dict[int, list[int]] = {}
    for state in reached:
        by_looks.setdefault(int(model.seen[state]), []).append(state)
    surely: dict[int, bool] = {}

    def met(state: int) -> bool:
        if state not in surely:
            surely[state] = surely_met(model, optimal, state)
        return surely[state]

    for states in by_looks.values():
        for place, first in enumerate(states):
            for second in states[:place]:
                if not go_on() or len(surely) > MAX_CANDIDATES:
                    return None
                if not optimal[first] & optimal[second] and met(first) and met(second):
                    return second, first
    return None


def surely_met(model: Model, optimal: Sequence[frozenset[int]], state: int) -> bool:
    """Return whether every policy that takes optimal actions alone meets a state with probability 1 from some start.

    It can be missed from where an optimal action may lead, with a probability above 0, to the end of the episode or to
    states among which optimal actions keep for ever away from it.
    """
    others = [s for s in range(model.count) if s != state]
    safe = set(others) | {OVER}
    shrinking = True
    while shrinking:  # the greatest set in which one can stay; the episode's end is in it
        leaving = [
            s
            for s in safe
            if s != OVER and not any(all(to in safe for _, to in model.outcomes[s][a]) for a in optimal[s])
        ]
        safe.difference_update(leaving)
        shrinking = bool(leaving)
    missed = set(safe)
    growing = True
    while growing:
        joining = [
            s
            for s in others
            if s not in missed and any(to in missed for a in optimal[s] for _, to in model.outcomes[s][a])
        ]
        missed.update(joining)
        growing = bool(joining)
    return any(start not in missed for start in model.starts)

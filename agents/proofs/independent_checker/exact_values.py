"""Markov chains with rewards, solved in fractions."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from .claim import require
from .problem import Move, Values

EXACT: Final = 160
"""states of a chain that is not deterministic and is solved in fractions"""


def solve_chain(chain: Mapping[Any, Move], gamma: Fraction) -> Values:
    """Return the value of each state of a chain, which maps it to (probability, next state or None, reward)."""
    if all(len(move) == 1 for move in chain.values()):
        return _follow(chain, gamma)
    require(len(chain) <= EXACT, "the chain has too many states for an exact solution")
    return _eliminate(chain, gamma)


def _follow(chain: Mapping[Any, Move], gamma: Fraction) -> Values:
    """Follow each state to the end, to a known value, or round a cycle, whose values are a geometric series."""
    value: Values = {}
    for first in chain:
        at = first
        path: list[Any] = []
        index: dict[Any, int] = {}
        while at is not None and at not in value and at not in index:
            index[at] = len(path)
            path.append(at)
            at = chain[at][0][1]
        total = Fraction(0)
        if at in index:
            require(gamma < 1, "at discount 1 a policy cycles forever")
            once, power = Fraction(0), Fraction(1)
            for state in path[index[at] :]:
                once += power * chain[state][0][2]
                power *= gamma
            total = once / (1 - power)
        elif at is not None:
            total = value[at]
        for state in reversed(path):
            total = chain[state][0][2] + gamma * total
            value[state] = total
    return value


def _eliminate(chain: Mapping[Any, Move], gamma: Fraction) -> Values:
    """Express each state by those that have no expression yet, until all are numbers."""
    equations: dict[Any, tuple[dict[Any, Fraction], Fraction]] = {}  # state -> (weights of other states, constant)
    for state in reversed(list(chain)):
        row: dict[Any, Fraction] = {}
        constant = Fraction(0)
        for chance, after, reward in chain[state]:
            constant += chance * reward
            if after is not None:
                row[after] = row.get(after, Fraction(0)) + gamma * chance
        while (known := next((s for s in row if s in equations), None)) is not None:
            weight = row.pop(known)
            constant += weight * equations[known][1]
            for other, factor in equations[known][0].items():
                row[other] = row.get(other, Fraction(0)) + weight * factor
        own = 1 - row.pop(state, Fraction(0))
        require(own != 0, "at discount 1 a policy may never end")
        equations[state] = {other: factor / own for other, factor in row.items()}, constant / own
        for done, (weights, value) in equations.items():  # the earlier ones are no longer expressed by this one
            if done != state and state in weights:
                factor = weights.pop(state)
                for other, weight in equations[state][0].items():
                    weights[other] = weights.get(other, Fraction(0)) + factor * weight
                equations[done] = weights, value + factor * equations[state][1]
    for weights, _ in equations.values():
        require(not any(weights.values()), "a policy's values have no solution")
    return {state: value for state, (_, value) in equations.items()}

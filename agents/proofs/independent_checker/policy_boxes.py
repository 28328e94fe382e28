"""Boxes of memoryless policies: for each observation the least and the largest probability of each action."""

from fractions import Fraction
from typing import TypeAlias

from .problem import Move, Problem

Limits: TypeAlias = tuple[list[Fraction], list[Fraction]]
Box: TypeAlias = dict[int, Limits]
"""observation -> (least, largest) probabilities of the actions"""


def all_policies(problem: Problem) -> Box:
    """Return the box of all policies; of actions with equal results in all aliased states, only the first."""
    box: Box = {}
    for observation in set(problem.observation.values()):
        states = [state for state in problem.states if problem.observation[state] == observation]
        high = [Fraction(1)] * problem.actions
        for action in range(problem.actions):
            for earlier in range(action):
                if all(same_results(problem.moves[s][earlier], problem.moves[s][action]) for s in states):
                    high[action] = Fraction(0)
        box[observation] = [Fraction(0)] * problem.actions, high
    return box


def same_results(one: Move, other: Move) -> bool:
    """Return whether two moves have the same expected reward and the same distribution of the next state."""
    if sum((p * r for p, _, r in one), Fraction(0)) != sum((p * r for p, _, r in other), Fraction(0)):
        return False
    return all(
        sum(p for p, after, _ in one if after == to) == sum(p for p, after, _ in other if after == to)
        for to in {after for _, after, _ in one + other}
    )

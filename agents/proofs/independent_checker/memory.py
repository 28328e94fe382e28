"""Beliefs: the sets of aliased states in which an agent may be after a history of actions and observations."""

from typing import Final, TypeAlias

from .claim import require
from .full_state_value import Actions
from .problem import Problem, State

PATIENCE: Final = 100_000
"""beliefs that are examined"""

Belief: TypeAlias = frozenset[State]


def first_beliefs(problem: Problem) -> list[Belief]:
    """Return the beliefs after the first observation."""
    return _by_observation(problem, set(problem.start))


def next_beliefs(problem: Problem, belief: Belief, action: int) -> list[Belief]:
    """Return the beliefs that may follow an action and the next observation."""
    moves = [problem.moves[state][action] for state in belief]
    return _by_observation(problem, {after for move in moves for _, after, _ in move if after is not None})


def _by_observation(problem: Problem, states: set[State]) -> list[Belief]:
    return [
        frozenset(state for state in states if problem.observation[state] == observation)
        for observation in {problem.observation[state] for state in states}
    ]


def memory_attains(problem: Problem, allowed: Actions) -> bool:
    """Return whether a policy with unlimited memory can always take an action allowed in all states of its belief."""
    options: dict[Belief, dict[int, list[Belief]]] = {}
    begin = first_beliefs(problem)
    waiting = list(begin)
    while waiting:
        belief = waiting.pop()
        if belief in options:
            continue
        require(len(options) < PATIENCE, "there are too many beliefs to examine")
        options[belief] = {}
        for action in range(problem.actions):
            if all(action in allowed[state] for state in belief):
                options[belief][action] = next_beliefs(problem, belief, action)
                waiting += options[belief][action]
    shrinking = True
    while shrinking:  # by beliefs from which every action may lead out of what is left
        shrinking = False
        for belief in list(options):
            if not any(all(after in options for after in beliefs) for beliefs in options[belief].values()):
                del options[belief]
                shrinking = True
    return all(belief in options for belief in begin)

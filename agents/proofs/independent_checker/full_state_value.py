"""The claim `full_state_value`: the value V* of the best policy that observes the state. And the optimal actions."""

from fractions import Fraction
from typing import NamedTuple, TypeAlias

from ..claims import Claims
from .claim import require, require_bounds
from .exact_values import EXACT, solve_chain
from .guesses import Guesser
from .policy_boxes import all_policies, same_results
from .problem import Problem, State

Actions: TypeAlias = dict[State, frozenset[int]]


class Optimum(NamedTuple):
    """V* and the optimal actions."""

    value: tuple[Fraction, Fraction]
    """bounds of V* over the starts; equal where it is known exactly"""
    surely: Actions
    """state -> actions that are optimal for certain"""
    maybe: Actions
    """state -> actions that may be optimal; the same dict where they are known exactly"""


def check_full_state_value(claims: Claims, optimum: Optimum) -> None:
    """Check that the claimed bounds contain V*."""
    require_bounds(claims.full_state_value, optimum.value, "full_state_value")


def find_optimum(problem: Problem, guesser: Guesser) -> Optimum:
    """Return V* and the optimal actions: exactly where the chains are small or deterministic, else with bounds."""
    if not problem.deterministic and len(problem.states) > EXACT:
        return _near_optimum(problem, guesser)
    # at discount 1 there may be states from which no policy surely ends; their value is below any number
    ends = _can_surely_end(problem) if problem.gamma == 1 else set(problem.states)
    require(ends.issuperset(problem.start), "at discount 1 every start needs a policy that surely ends")
    _, guess = guesser.guess(all_policies(problem))
    policy = {state: guess[state] for state in ends}
    optimal: Actions = {state: frozenset(range(problem.actions)) for state in problem.states}
    while True:  # policy iteration in fractions
        value = solve_chain({state: problem.moves[state][action] for state, action in policy.items()}, problem.gamma)
        for state in ends:
            q = {
                action: problem.backup(move, value)
                for action, move in enumerate(problem.moves[state])
                if all(after is None or after in ends for _, after, _ in move)
            }
            optimal[state] = frozenset(action for action in q if q[action] == max(q.values()))
        improvable = [state for state in ends if policy[state] not in optimal[state]]
        if not improvable:
            total = problem.over_starts(value)
            return Optimum((total, total), optimal, optimal)
        policy.update((state, min(optimal[state])) for state in improvable)


def _near_optimum(problem: Problem, guesser: Guesser) -> Optimum:
    """Return bounds of V* from the Bellman residual of a guess, and what they say about each action."""
    guess, _ = guesser.guess(all_policies(problem))
    backups = {s: max(problem.backup(move, guess) for move in moves) for s, moves in problem.moves.items()}
    residual = max(abs(backup - guess[s]) for s, backup in backups.items())
    above = {s: problem.at_most(guess[s], residual) for s in problem.states}
    below = {s: problem.at_least(guess[s], residual) for s in problem.states}
    surely: Actions = {}
    maybe: Actions = {}
    for state, moves in problem.moves.items():
        low = max(problem.backup(move, below) for move in moves)
        near = [action for action, move in enumerate(moves) if problem.backup(move, above) >= low]
        maybe[state] = frozenset(near)
        surely[state] = maybe[state] if all(same_results(moves[near[0]], moves[a]) for a in near) else frozenset()
    return Optimum((problem.over_starts(below), problem.over_starts(above)), surely, maybe)


def _can_surely_end(problem: Problem) -> set[State]:
    """Return the states from which some policy ends with probability 1."""
    keep = set(problem.states)
    while True:
        ending: set[State] = set()
        growing = True
        while growing:  # by states that may lead to the end without leaving `keep`
            growing = False
            for state in keep - ending:
                for move in problem.moves[state]:
                    stays = all(after is None or after in keep for _, after, _ in move)
                    if stays and any(after is None or after in ending for _, after, _ in move):
                        ending.add(state)
                        growing = True
                        break
        if ending == keep:
            return keep
        keep = ending

"""The claims `memoryless_value.upper` and `stochastic_bound`: no memoryless policy has a larger value.

A proof is a tree of boxes: the leaves together contain all memoryless policies, and none in a leaf exceeds the bound.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ..claims import Claims
from .claim import require
from .full_state_value import Optimum
from .guesses import Guesser
from .policy_boxes import Box, all_policies
from .problem import Problem


def check_memoryless_bound(claims: Claims, problem: Problem, optimum: Optimum, guesser: Guesser) -> None:
    """Check the upper bound of `memoryless_value`, for deterministic policies."""
    _check(claims.memoryless_proof, False, claims.memoryless_value[1], problem, optimum, guesser)


def check_stochastic_bound(claims: Claims, problem: Problem, optimum: Optimum, guesser: Guesser) -> None:
    """Check `stochastic_bound`, for all memoryless policies."""
    bound = claims.stochastic_bound
    require(math.isfinite(bound), "stochastic_bound must be finite")
    require(bound >= claims.memoryless_value[0], "stochastic_bound must not be less than memoryless_value.lower")
    _check(claims.stochastic_proof, True, bound, problem, optimum, guesser)


def _check(proof: Any, stochastic: bool, bound: float, problem: Problem, optimum: Optimum, guesser: Guesser) -> None:
    if optimum.value[1] <= Fraction(bound):
        return  # V* bounds all policies
    require(proof is not None, "a bound below V* needs a proof")
    for box in _leaves(proof, stochastic, all_policies(problem), problem):
        if any(sum(low) > 1 or sum(high) < 1 for low, high in box.values()):
            continue  # the box contains no policy
        require(_ceiling(problem, box, guesser) <= Fraction(bound), "a proof has a leaf that exceeds its bound")


def _leaves(proof: Any, stochastic: bool, root: Box, problem: Problem) -> Iterator[Box]:
    """Yield the leaves of a proof; together they contain all policies, or all deterministic ones."""
    visited = set()
    waiting = [(0, root)]
    while waiting:
        number, box = waiting.pop()
        require(isinstance(number, int) and 0 <= number < len(proof), "a proof has a child that does not exist")
        require(number not in visited, "a proof is not a tree")
        visited.add(number)
        if proof[number] is None:
            yield box
            continue
        observation, action, cut, children = proof[number]
        require(observation in box, "a proof splits an observation that does not occur")
        low, high = box[observation]
        if cut is None:
            require(not stochastic, "a proof leaves out stochastic policies")
            require(len(children) == problem.actions, "a split by action needs a child for each action")
            for a, child in enumerate(children):
                if child == -1:
                    require(high[a] < 1, "a proof leaves out an action")
                else:
                    sure = [Fraction(int(a == b)) for b in range(problem.actions)]
                    waiting.append((child, {**box, observation: (sure, sure)}))
            continue
        require(
            action in range(problem.actions) and len(children) == 2, "a split at a cut needs an action and 2 children"
        )
        at = Fraction(cut)
        below = [min(x, at) if a == action else x for a, x in enumerate(high)]
        above = [max(x, at) if a == action else x for a, x in enumerate(low)]
        waiting.append((children[0], {**box, observation: (low, below)}))
        waiting.append((children[1], {**box, observation: (above, high)}))


def _ceiling(problem: Problem, box: Box, guesser: Guesser) -> Fraction:
    """Return an upper bound for the policies in a box: for each state alone the best distribution within the box.

    If for some function V no such backup exceeds V by more than a residual, `Problem.at_most` bounds all policies.
    """
    guess, _ = guesser.guess(box)
    residual = Fraction(0)
    for state, moves in problem.moves.items():
        q = [problem.backup(move, guess) for move in moves]
        low, high = box[problem.observation[state]]
        left, best = 1 - sum(low), sum((p * x for p, x in zip(low, q, strict=True)), Fraction(0))
        for action in sorted(range(problem.actions), key=lambda a: -q[a]):
            more = min(left, high[action] - low[action])
            best += more * q[action]
            left -= more
        residual = max(residual, best - guess[state])
    return problem.at_most(problem.over_starts(guess), residual)

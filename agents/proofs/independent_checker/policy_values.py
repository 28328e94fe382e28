"""The claims `memoryless_policy`, `memoryless_value.lower` and `controller_value`: the values of given policies."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from ..claims import NEVER, Claims
from .claim import TIGHT, require, require_bounds
from .exact_values import EXACT, solve_chain
from .problem import Move, Problem, Values


def check_memoryless_policy(claims: Claims, problem: Problem) -> None:
    """Check that the value of `memoryless_policy` is the lower bound of `memoryless_value`."""
    lower, upper = claims.memoryless_value
    require(not math.isnan(upper) and upper >= lower, "memoryless_value must have its lower bound first")
    policy = claims.memoryless_policy.tolist()
    require(len(policy) == problem.observations, "memoryless_policy must have one action for each observation")
    require(all(action in range(problem.actions) for action in policy), "memoryless_policy must hold actions")
    value = _value(problem, 0, lambda node, observation: (policy[observation], node))
    if value is None:
        require(lower == -math.inf, "memoryless_policy may never end, so its value is -inf")
        return
    require(math.isfinite(lower), "memoryless_value must have a finite lower bound")
    require(Fraction(lower) <= value[1], "the value of memoryless_policy is less than memoryless_value")
    slack = Fraction(TIGHT) * max(Fraction(1), abs(value[0]))
    require(value[0] - Fraction(lower) <= slack, "the value of memoryless_policy is larger than memoryless_value")


def check_controller(claims: Claims, problem: Problem) -> None:
    """Check that `controller_value` contains the value of `controller`."""
    action, next_node = claims.controller.action.tolist(), claims.controller.next_node.tolist()
    value = _value(problem, claims.controller.start, lambda node, o: (action[node][o], next_node[node][o]))
    if value is None:
        require(claims.controller_value == NEVER, "the controller may never end, so its value is -inf")
    else:
        require_bounds(claims.controller_value, value, "controller_value")


def _value(
    problem: Problem, start: int, choose: Callable[[int, int], tuple[int, int]]
) -> tuple[Fraction, Fraction] | None:
    """Return bounds of a controller's value over the starts; None if at discount 1 it may never end.

    Args:
        problem: the problem.
        start: the first node.
        choose: from a node and an observation to the action and the next node.
    """
    chain: dict[Any, Move] = {}  # its states are (state, node)
    waiting = [(state, start) for state in problem.start]
    for state, node in waiting:
        if (state, node) not in chain:
            action, following = choose(node, problem.observation[state])
            move = problem.moves[state][action]
            chain[state, node] = [(p, None if after is None else (after, following), r) for p, after, r in move]
            waiting += [pair for _, pair, _ in chain[state, node] if pair is not None]
    if problem.gamma == 1 and not _ends_surely(chain):
        return None

    def over_starts(values: Values) -> Fraction:
        return problem.over_starts({state: values[state, start] for state in problem.start})

    if len(chain) <= EXACT or all(len(move) == 1 for move in chain.values()):
        total = over_starts(solve_chain(chain, problem.gamma))
        return total, total
    guess = _guess(chain, problem.gamma)
    residual = max(abs(problem.backup(move, guess) - guess[pair]) for pair, move in chain.items())
    total = over_starts(guess)
    return problem.at_least(total, residual), problem.at_most(total, residual)


def _ends_surely(chain: Mapping[Any, Move]) -> bool:
    """Return whether a chain ends with probability 1: whether the end is reachable from all its states."""
    before: dict[Any, list[Any]] = {}
    for state, move in chain.items():
        for _, after, _ in move:
            before.setdefault(after, []).append(state)
    reached, waiting = {None}, [None]
    for state in waiting:
        new = [earlier for earlier in before.get(state, []) if earlier not in reached]
        reached.update(new)
        waiting += dict.fromkeys(new)
    return len(reached) == len(chain) + 1


def _guess(chain: Mapping[Any, Move], gamma: Fraction) -> Values:
    """Return approximate values, from a linear solve in floats."""
    index = {state: i for i, state in enumerate(chain)}
    matrix, rewards = np.eye(len(chain)), np.zeros(len(chain))
    for state, move in chain.items():
        for chance, after, reward in move:
            rewards[index[state]] += float(chance * reward)
            if after is not None:
                matrix[index[state], index[after]] -= float(gamma * chance)
    return dict(zip(chain, map(Fraction, np.linalg.solve(matrix, rewards).tolist()), strict=True))

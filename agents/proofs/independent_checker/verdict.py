"""The claims `verdict`, `memory_helps` and `missing`."""

from typing import Final

from ..claims import HELPS, HIDES, SUFFICES, UNDECIDED, VERDICTS, Claims
from .claim import FalseClaim, require
from .full_state_value import Actions, Optimum
from .memory import memory_attains
from .problem import Problem

PATIENCE: Final = 100_000
"""memoryless policies that are examined"""


def check_verdict(claims: Claims, problem: Problem, optimum: Optimum) -> None:
    """Check the verdict, whether memory helps, and that exactly an undecided certificate says what is missing."""
    verdict, helps = claims.verdict, claims.memory_helps
    require(verdict in VERDICTS, "the verdict is unknown")
    undecided, hidden = verdict == UNDECIDED, verdict == HIDES
    require(undecided == bool(claims.missing), f'missing must have a text for the verdict "{UNDECIDED}", and only then')
    require(hidden == (claims.confusion is not None), f'the verdict "{HIDES}" needs a confusion, and no other has one')
    if verdict == SUFFICES:
        policy = claims.memoryless_policy.tolist()
        allowed = {s: optimum.surely[s] & {policy[problem.observation[s]]} for s in problem.states}
        require(_memoryless_attains(problem, allowed), "the value of memoryless_policy is less than V*")
        require(helps is False, "memory cannot help where a memoryless policy has the value V*")
        return
    require(helps is not False, f'only the verdict "{SUFFICES}" proves that memory does not help')
    if verdict == HELPS:
        require(helps is True, f'the verdict "{HELPS}" needs memory_helps')
        known = optimum.surely == optimum.maybe
        require(not known or memory_attains(problem, optimum.surely), "no memory reaches V*: the observation hides it")
    if helps:
        require(_memory_helps(claims, problem, optimum), "there is no proof that memory helps")
    if verdict == HIDES:
        require(not memory_attains(problem, optimum.maybe), "memory can reach V*: the observation does not hide it")


def _memory_helps(claims: Claims, problem: Problem, optimum: Optimum) -> bool:
    """Return whether the controller is proved to be better than all memoryless policies.

    Either by the values. Or because the controller has the value V* and no memoryless policy has: then there is a gap
    between them, since the values of memoryless policies are continuous and the set of these policies is compact.
    """
    if claims.controller_value[0] > claims.stochastic_bound:
        return True
    return _controller_attains(claims, problem, optimum) and not _memoryless_attains(problem, optimum.maybe)


def _controller_attains(claims: Claims, problem: Problem, optimum: Optimum) -> bool:
    """Return whether the controller takes optimal actions only."""
    controller = claims.controller
    waiting = [(state, controller.start) for state in problem.start]
    visited = set(waiting)
    for state, node in waiting:
        observation = problem.observation[state]
        action, following = int(controller.action[node, observation]), int(controller.next_node[node, observation])
        if action not in optimum.surely[state]:
            return False
        for _, after, _ in problem.moves[state][action]:
            if after is not None and (after, following) not in visited:
                visited.add((after, following))
                waiting.append((after, following))
    return True


def _memoryless_attains(problem: Problem, allowed: Actions) -> bool:
    """Return whether some map from observations to actions takes allowed actions only."""
    waiting: list[dict[int, int]] = [{}]  # partial maps
    for _ in range(PATIENCE):
        if not waiting:
            return False
        policy = waiting.pop()
        visited, path, undecided = set(problem.start), list(problem.start), []
        works = True
        for state in path:
            action = policy.get(problem.observation[state])
            if action is None:
                undecided.append(state)
                continue
            works = works and action in allowed[state]
            for _, after, _ in problem.moves[state][action]:
                if after is not None and after not in visited:
                    visited.add(after)
                    path.append(after)
        if not works:
            continue
        if not undecided:
            return True
        observation = problem.observation[undecided[0]]
        common = frozenset(range(problem.actions))
        for state in undecided:
            if problem.observation[state] == observation:
                common &= allowed[state]
        waiting += [{**policy, observation: action} for action in common]
    raise FalseClaim("there are too many memoryless policies to examine")

"""The claim `confusion`: a history after which the agent may be in states that share no optimal action."""

from ..claims import Claims
from .claim import require
from .full_state_value import Optimum
from .memory import first_beliefs, next_beliefs
from .problem import Problem


def check_confusion(claims: Claims, problem: Problem, optimum: Optimum) -> None:
    """Check the confusion, if there is one."""
    if claims.confusion is None:
        return
    actions, states = claims.confusion
    beliefs = set(first_beliefs(problem))
    for action in actions:
        beliefs = {
            following
            for belief in beliefs
            if all(action in optimum.maybe[state] for state in belief)
            for following in next_beliefs(problem, belief, action)
        }
    require(frozenset(states) in beliefs, "the actions of the confusion do not lead to its states")
    common = frozenset(range(problem.actions)).intersection(*(optimum.maybe[state] for state in states))
    require(not common, "the states of the confusion must not share an optimal action")

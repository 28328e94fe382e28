"""The claim `witness`: two aliased states without a common optimal action, which every optimal policy visits."""

from ..claims import Claims
from .claim import require
from .full_state_value import Optimum
from .problem import Problem, State


def check_witness(claims: Claims, problem: Problem, optimum: Optimum) -> None:
    """Check the witness, if there is one."""
    if claims.witness is None:
        return
    first, second, first_actions, second_actions = claims.witness
    require(first in problem.moves and second in problem.moves, "the states of the witness must be reachable")
    require(optimum.surely == optimum.maybe, "the optimal actions are not known exactly, so there can be no witness")
    require(
        problem.observation[first] == problem.observation[second],
        "the states of the witness must have the same observation",
    )
    for state, actions in ((first, first_actions), (second, second_actions)):
        require(
            tuple(sorted(optimum.surely[state])) == tuple(actions),
            "the actions of the witness must be the optimal ones",
        )
    require(not set(first_actions) & set(second_actions), "the states of the witness must not share an optimal action")
    for state in (first, second):
        require(_always_visited(problem, optimum, state), "an optimal policy can avoid a state of the witness")


def _always_visited(problem: Problem, optimum: Optimum, target: State) -> bool:
    """Return whether every policy of optimal actions visits a state with probability 1, from some start."""

    def outcomes(state: State, action: int) -> list[State | None]:
        return [after for _, after, _ in problem.moves[state][action]]

    away = {state for state in problem.states if state != target}
    shrinking = True
    while shrinking:  # to the states where one can avoid the target forever, or end the episode
        shrinking = False
        for state in list(away):
            if not any(all(t is None or t in away for t in outcomes(state, a)) for a in optimum.surely[state]):
                away.remove(state)
                shrinking = True
    growing = True
    while growing:  # by the states from which this may happen
        growing = False
        for state in problem.states:
            if state == target or state in away:
                continue
            if any(t is None or t in away for a in optimum.surely[state] for t in outcomes(state, a)):
                away.add(state)
                growing = True
    return any(start not in away for start in problem.start)

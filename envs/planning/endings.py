"""How episodes end: what sums of rewards without a discount need, of all policies, of some, or of a given one."""

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import DIRECTION_NAMES
from .distances import Graph
from .mdp import TabularMDP

Floats = NDArray[np.float64]


def action_name(mdp: TabularMDP, action: int) -> str:
    """Return a word for an action: of four, the direction."""
    return DIRECTION_NAMES[action] if mdp.actions == 4 else f"action {action}"


def ahead(mdp: TabularMDP, allowed: NDArray[np.bool_], discount: float) -> tuple[Floats, NDArray[np.int64]]:
    """Return discounted probabilities and next states, (S, A, K), of the outcomes after which the episode goes on.

    All other outcomes have probability 0 and lead to state S, one behind the last, whose value is 0.
    """
    goes_on = (mdp.probability > 0) & allowed[:, :, None] & ~mdp.terminal[mdp.next_state]
    return np.where(goes_on, discount * mdp.probability, 0.0), np.where(goes_on, mdp.next_state, mdp.states)


def free_move(mdp: TabularMDP) -> tuple[int, int, int] | None:
    """Return an outcome (state, action, number) that neither ends the episode nor costs anything, or None."""
    free = (mdp.probability > 0) & ~mdp.terminal[:, None, None] & ~mdp.terminal[mdp.next_state] & (mdp.reward >= 0)
    if not free.any():
        return None
    state, action, outcome = np.argwhere(free)[0].tolist()
    return state, action, outcome


def longest(mdp: TabularMDP, free: tuple[int, int, int]) -> float:
    """Return a bound on the expected number of steps to the end, whatever the policy.

    If W >= 1 + P W for all actions, then an error of each backup by delta is one of the values by delta W at most.

    Raises:
        ValueError: some policy may go on for ever, by the free move that is given, say.
    """
    happens = (mdp.probability > 0) & ~mdp.terminal[:, None, None]
    endless, before = ~mdp.terminal, 0
    while endless.sum() != before:  # drop the states from which each action may lead to an end, or to a dropped one
        before = endless.sum()
        stays = np.all(~happens | endless[mdp.next_state], axis=2)  # (S, A)
        endless = endless & np.any(stays, axis=1)
    if endless.any():
        state, action, outcome = free
        raise ValueError(
            "discount 1 needs a negative reward for every move that does not end the episode, or policies that are all "
            f"sure to end it, but {action_name(mdp, action)} from state {state} can have reward "
            f'{mdp.reward[state, action, outcome]}; give rewards={{"step": -1}}, say, or a discount below 1'
        )
    probability, next_state = ahead(mdp, np.ones((mdp.states, mdp.actions), dtype=bool), 1.0)
    W, excess = np.zeros(mdp.states + 1), 1.0
    while excess > 0.5:  # W grows by what is left of the slowest walk; W / (1 - excess) is above what it grows to
        longer = 1 + (probability * W[next_state]).sum(axis=2).max(axis=1)
        longer[mdp.terminal] = 0.0
        excess = float((longer - W[:-1]).max())
        W[:-1] = longer
    return float(W.max() / (1 - excess))


def ending_cost(mdp: TabularMDP) -> float:
    """Return the extra cost of ending that gives every outcome a positive cost, where no move is free."""
    lasting = (mdp.probability > 0) & ~mdp.terminal[:, None, None]
    ends = mdp.terminal[mdp.next_state]
    least = -mdp.reward[lasting & ~ends].max(initial=-1.0)
    return float(least + mdp.reward[lasting & ends].max(initial=0.0))


def ways_to_end(mdp: TabularMDP) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return the actions, (S, A), after which some policy is sure to end, and such a policy, (S,).

    Raises:
        ValueError: from some start no policy is sure to end.
    """
    happens = mdp.probability > 0
    allowed = np.ones((mdp.states, mdp.actions), dtype=bool)
    while True:  # drop states that cannot end, then actions that may lead to them, then states that need those, ...
        edges = happens & allowed[:, :, None]
        level = Graph(mdp.next_state[edges], np.nonzero(edges)[0], mdp.states).levels(np.flatnonzero(mdp.terminal))
        doomed = allowed & (happens & (level < 0)[mdp.next_state]).any(axis=2)
        if not doomed.any():
            break
        allowed &= ~doomed
    lost = np.flatnonzero((level < 0) & (mdp.start > 0))
    if len(lost):
        raise ValueError(
            f"discount 1 needs episodes that can be sure to end, but from start state {lost[0]} no policy is sure to"
        )
    nearer = (edges & (level[mdp.next_state] < level[:, None, None])).any(axis=2)
    return allowed, nearer.argmax(axis=1)


def restless(mdp: TabularMDP, chances: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where a policy still collects rewards, but not for ever, (S,), and where it may do so for ever, (S,).

    Raises:
        ValueError: from a start it may collect rewards for ever.
    """
    happens = (chances[:, :, None] * mdp.probability > 0) & ~mdp.terminal[:, None, None]
    tail = np.nonzero(happens)[0]
    backwards = Graph(mdp.next_state[happens], tail, mdp.states)
    rests = backwards.levels(np.unique(tail[mdp.reward[happens] != 0])) < 0
    never_rests = backwards.levels(np.flatnonzero(rests)) < 0
    endless = backwards.levels(np.flatnonzero(never_rests)) >= 0
    bad = np.flatnonzero(endless & (mdp.start > 0))
    if len(bad):
        raise ValueError(f"discount 1 needs a policy that is sure to end; from start state {bad[0]} this one is not")
    return ~rests & ~endless, endless

"""Can any memory reach V*? A safety game on beliefs, the sets of states in which an agent may be.

A policy has the value V* exactly if each of its actions is optimal in every state in which the agent may then be. After
a history of actions and observations, the agent may be in a set of aliased states. So a policy with memory that has the
value V* exists exactly if, from each first observation, one can go on forever through sets that have a common optimal
action. There are finitely many sets, and those from which one can go on forever are the nodes of a controller.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..automata import Automaton
from .model import OVER, Model

Belief = frozenset[int]
"""aliased states"""


@dataclass(frozen=True)
class Game:
    """The solution of the game."""

    won: bool
    """whether it can go on forever from each first belief"""
    choice: dict[Belief, int]
    """belief from which it can go on forever -> an action with which it does"""
    confusion: tuple[tuple[int, ...], Belief] | None
    """if it is lost: actions, each optimal in all states of its belief, and a belief after them that has no common
    optimal action; with other actions the game is lost too"""


def initial_beliefs(model: Model) -> list[Belief]:
    """Return the beliefs after the first observation."""
    return _by_observation(model, model.starts)


def _by_observation(model: Model, states: Iterable[int]) -> list[Belief]:
    groups: dict[int, set[int]] = {}
    for state in states:
        groups.setdefault(int(model.observation[state]), set()).add(state)
    return [frozenset(group) for _, group in sorted(groups.items())]


def solve_game(model: Model, optimal: Sequence[frozenset[int]], go_on: Callable[[int], bool]) -> Game | None:
    """Return the solution of the game, or None if it was stopped.

    Args:
        model: the problem.
        optimal: state -> optimal actions.
        go_on: is called before each step with the number of beliefs; False stops the search.
    """
    begin = initial_beliefs(model)
    following = _explore(model, begin, optimal, go_on)
    if following is None:
        return None
    rank = _lost(following)
    choice = {
        belief: min(action for action, beliefs in options.items() if not any(b in rank for b in beliefs))
        for belief, options in following.items()
        if belief not in rank
    }
    for belief in begin:
        if belief in rank:
            actions = []
            while following[belief]:  # whatever the action, it may lead to a belief that was lost earlier
                action, beliefs = next(iter(following[belief].items()))
                actions.append(action)
                belief = min((b for b in beliefs if b in rank), key=rank.__getitem__)
            return Game(False, choice, (tuple(actions), belief))
    return Game(True, choice, None)


def _explore(
    model: Model, begin: list[Belief], optimal: Sequence[frozenset[int]], go_on: Callable[[int], bool]
) -> dict[Belief, dict[int, list[Belief]]] | None:
    """Return for each reachable belief its common optimal actions, each with the beliefs that may follow."""
    following: dict[Belief, dict[int, list[Belief]]] = {}
    known, frontier = set(begin), list(begin)
    for belief in frontier:
        if not go_on(len(frontier)):
            return None
        following[belief] = {}
        for action in sorted(frozenset[int](range(model.actions)).intersection(*(optimal[state] for state in belief))):
            after = {to for state in belief for _, to in model.transitions[state][action] if to != OVER}
            following[belief][action] = _by_observation(model, after)
            for new in following[belief][action]:
                if new not in known:
                    known.add(new)
                    frontier.append(new)
    return following


def _lost(following: dict[Belief, dict[int, list[Belief]]]) -> dict[Belief, int]:
    """Return the lost beliefs, each with its rank: whatever the action, a belief of lower rank may follow."""
    before: dict[Belief, set[Belief]] = {}
    for belief, options in following.items():
        for beliefs in options.values():
            for after in beliefs:
                before.setdefault(after, set()).add(belief)
    lost = [belief for belief in following if not following[belief]]
    rank = {belief: number for number, belief in enumerate(lost)}
    for belief in lost:
        for earlier in before.get(belief, ()):
            if earlier not in rank and all(any(b in rank for b in after) for after in following[earlier].values()):
                rank[earlier] = len(lost)
                lost.append(earlier)
    return rank


def controller_of(model: Model, game: Game) -> Automaton:
    """Return a controller with the value V* from a game that is won; its nodes are sets of beliefs."""
    begin = tuple(initial_beliefs(model))
    nodes: dict[tuple[Belief, ...], int] = {begin: 0}
    order, rows = [begin], []
    for node in order:
        action, next_node = [0] * model.observations, [nodes[node]] * model.observations
        for belief in node:
            observation = int(model.observation[next(iter(belief))])
            a = action[observation] = game.choice[belief]
            after = {to for state in belief for _, to in model.transitions[state][a] if to != OVER}
            following = tuple(_by_observation(model, after))
            if following and following not in nodes:
                nodes[following] = len(nodes)
                order.append(following)
            next_node[observation] = nodes.get(following, nodes[node])
        rows.append((next_node, action))
    return Automaton([row[0] for row in rows], [row[1] for row in rows], 0, model.encode, model.actions)

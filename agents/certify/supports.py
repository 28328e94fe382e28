"""Can any memory reach V*? A game of safety on beliefs: the sets of places that an agent may be in.

A policy earns V* exactly if, whatever happens, each action it takes is optimal in every state that it may then be in.
What it may be in, after what it has seen and done, is a set of states; so a policy with memory that earns V* exists
exactly if from each first observation one can go on for ever through sets with a common optimal action. There are
finitely many sets, and the surviving ones are the nodes of a controller.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..automaton import Automaton
from .model import OVER, Model

Belief = frozenset[int]
"""states that look alike"""


@dataclass(frozen=True)
class Game:
    """What came of the game."""

    won: bool
    choice: dict[Belief, int]
    """belief -> an action that keeps V* for certain, for beliefs from which that goes on for ever"""
    confusion: tuple[tuple[int, ...], Belief] | None
    """Where it is lost: actions, each optimal for all that may be the case, and states after them that look alike and
    share no optimal action; other actions would have led to others like these."""


def initial_beliefs(model: Model) -> list[Belief]:
    """Return what may be after the first look."""
    return _by_looks(model, model.starts)


def _by_looks(model: Model, states: Iterable[int]) -> list[Belief]:
    groups: dict[int, set[int]] = {}
    for state in states:
        groups.setdefault(int(model.seen[state]), set()).add(state)
    return [frozenset(group) for _, group in sorted(groups.items())]


def play(model: Model, optimal: Sequence[frozenset[int]], go_on: Callable[[int], bool]) -> Game | None:
    """Play the game with these optimal actions; None if there were too many beliefs."""
    begin = initial_beliefs(model)
    after: dict[Belief, dict[int, list[Belief]]] = {}
    known, frontier = set(begin), list(begin)
    for belief in frontier:
        if not go_on(len(frontier)):
            return None
        common = frozenset[int](range(4)).intersection(*(optimal[state] for state in belief))
        after[belief] = {}
        for action in sorted(common):
            ahead = {to for state in belief for _, to in model.outcomes[state][action] if to != OVER}
            after[belief][action] = _by_looks(model, ahead)
            for following in after[belief][action]:
                if following not in known:
                    known.add(following)
                    frontier.append(following)
    before: dict[Belief, set[Belief]] = {}
    for belief, ways in after.items():
        for action in ways:
            for following in ways[action]:
                before.setdefault(following, set()).add(belief)
    lost = [belief for belief in frontier if not after[belief]]
    rank = {belief: place for place, belief in enumerate(lost)}
    for belief in lost:
        for earlier in before.get(belief, ()):
            if earlier not in rank and all(any(b in rank for b in reached) for reached in after[earlier].values()):
                rank[earlier] = len(lost)
                lost.append(earlier)
    choice = {
        belief: min(action for action, reached in ways.items() if not any(b in rank for b in reached))
        for belief, ways in after.items()
        if belief not in rank
    }
    for belief in begin:
        if belief in rank:
            actions = []
            while after[belief]:  # whatever is done, it may go on to a belief that was lost before
                action, reached = next(iter(after[belief].items()))
                actions.append(action)
                belief = min((b for b in reached if b in rank), key=rank.__getitem__)
            return Game(False, choice, (tuple(actions), belief))
    return Game(True, choice, None)


def controller_of(model: Model, game: Game) -> Automaton:
    """Return the controller whose nodes are beliefs: what may be before the next look; they attain V*."""
    begin = tuple(initial_beliefs(model))
    nodes: dict[tuple[Belief, ...], int] = {begin: 0}
    order, rows = [begin], []
    for node in order:
        action, next_node = [0] * model.observations, [nodes[node]] * model.observations
        for belief in node:
            seen = int(model.seen[next(iter(belief))])
            action[seen] = game.choice[belief]
            reached = {to for state in belief for _, to in model.outcomes[state][action[seen]] if to != OVER}
            following = tuple(_by_looks(model, reached))
            if following and following not in nodes:
                nodes[following] = len(nodes)
                order.append(following)
            next_node[seen] = nodes.get(following, nodes[node])
        rows.append((next_node, action))
    return Automaton([row[0] for row in rows], [row[1] for row in rows], 0, model.encode)

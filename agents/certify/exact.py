"""Exact answers: what a walk earns, which actions are optimal; in fractions where it can be done, else with bounds."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from ...envs import value_iteration
from ..automaton import Automaton
from .model import OVER, Floats, Model, Outcomes

EXACT_NODES: Final = 160
"""a walk on which something slips is solved in fractions if it has so many places at most"""

Chain = list[tuple[Fraction, Outcomes]]
"""place -> (expected reward, [(probability, next place or OVER)])"""


class Bounds(NamedTuple):
    """A number lies between these two, both included."""

    lower: float
    upper: float

    def __str__(self) -> str:
        near = self.upper - self.lower <= 1e-9 * max(1.0, abs(self.upper))
        return f"{self.lower:.9g}" if near else f"{self.lower:.9g} to {self.upper:.9g}"


NEVER: Final = Bounds(-math.inf, -math.inf)


def around(number: Fraction) -> Bounds:
    """Return the nearest floats below and above."""
    near = float(number)
    if Fraction(near) == number:
        return Bounds(near, near)
    return (
        Bounds(near, math.nextafter(near, math.inf)) if near < number else Bounds(math.nextafter(near, -math.inf), near)
    )


@dataclass(frozen=True)
class Optimum:
    """The best that an agent can earn which knows the state, and the actions with which it does."""

    value: Bounds
    optimal: list[frozenset[int]]
    """state -> actions that are optimal for certain"""
    possible: list[frozenset[int]]
    """state -> actions that may be optimal: the same, where they are known exactly"""
    values: list[float]
    """state -> V*, about"""


def solve_chain(chain: Chain, discount: Fraction) -> list[Fraction] | None:
    """Return what is earned from each place on; None if, at discount 1, some place does not surely lead to the end."""
    if discount == 1 and not _surely_ends(chain):
        return None
    if all(len(ways) == 1 for _, ways in chain):
        return _follow(chain, discount)
    return _eliminate(chain, discount)


def _surely_ends(chain: Chain) -> bool:
    before: dict[int, list[int]] = {}
    for place, (_, ways) in enumerate(chain):
        for _, after in ways:
            before.setdefault(after, []).append(place)
    ends, frontier = {OVER}, [OVER]
    for place in frontier:
        for earlier in before.get(place, []):
            if earlier not in ends:
                ends.add(earlier)
                frontier.append(earlier)
    return len(ends) == len(chain) + 1


def _follow(chain: Chain, discount: Fraction) -> list[Fraction]:
    values: dict[int, Fraction] = {OVER: Fraction(0)}
    for place in range(len(chain)):
        walk: dict[int, int] = {}
        while place not in values and place not in walk:
            walk[place] = len(walk)
            place = chain[place][1][0][1]
        steps = list(walk)
        if place not in values:  # a circle, that begins here
            circle = steps[walk[place] :]
            earned, factor = Fraction(0), Fraction(1)
            for at in circle:
                earned += factor * chain[at][0]
                factor *= discount
            values[place] = earned / (1 - factor)
            steps = steps[: walk[place]] + circle[1:]
        for at in reversed(steps):
            reward, ((_, after),) = chain[at]
            values[at] = reward + discount * values[after]
    return [values[place] for place in range(len(chain))]


def _eliminate(chain: Chain, discount: Fraction) -> list[Fraction]:
    # v = r + A v, sparse; the places with the fewest neighbours are eliminated first
    rows: list[dict[int, Fraction]] = []
    users: list[set[int]] = [set() for _ in chain]
    for place, (_, ways) in enumerate(chain):
        row: dict[int, Fraction] = {}
        for chance, after in ways:
            if after != OVER:
                row[after] = row.get(after, Fraction(0)) + discount * chance
                users[after].add(place)
        rows.append(row)
    right = [reward for reward, _ in chain]
    left, order = set(range(len(chain))), []
    while left:
        place = min(left, key=lambda p: len(rows[p]) * len(users[p]))
        left.remove(place)
        order.append(place)
        row = rows[place]
        own = 1 - row.pop(place, Fraction(0))
        users[place].discard(place)
        if own != 1:
            right[place] /= own
            for after in row:
                row[after] /= own
        for user in users[place]:
            if user in left:
                weight = rows[user].pop(place)
                right[user] += weight * right[place]
                for after, value in row.items():
                    rows[user][after] = rows[user].get(after, Fraction(0)) + weight * value
                    users[after].add(user)
        for after in row:
            users[after].discard(place)
    for place in reversed(order):
        for after, weight in rows[place].items():
            right[place] += weight * right[after]
    return right


def average(model: Model, values: list[Fraction]) -> Fraction:
    """Return the mean of (n,) values over the starts."""
    return sum((chance * values[state] for state, chance in model.starts.items()), Fraction(0))


def find_optimum(model: Model) -> Optimum:
    """Return V* and the optimal actions: a policy from value iteration, improved in fractions until it is optimal.

    Raises:
        ValueError: at discount 1, no policy is sure to end from some start.
    """
    numbers = value_iteration(model.world, discount=float(model.discount))
    policy: list[int] = numbers.policy[model.states].tolist()
    if not math.isfinite(numbers.expected_return):
        raise ValueError("at discount 1 there must be a policy that is sure to end from each start")
    if not model.deterministic and model.count > EXACT_NODES:
        return _near_optimum(model, numbers.action_values[model.states], numbers.error, numbers.expected_return)
    gamma = model.discount
    # at discount 1, states from which nothing surely ends are worth -inf, and their moves are never optimal
    hopeless = [not math.isfinite(value) for value in numbers.values[model.states].tolist()]
    places = [state for state in range(model.count) if not hopeless[state]]
    number = {state: place for place, state in enumerate(places)} | {OVER: OVER}
    while True:
        chain = [
            (model.rewards[s][policy[s]], [(p, number[after]) for p, after in model.outcomes[s][policy[s]]])
            for s in places
        ]
        solved = solve_chain(chain, gamma)
        assert solved is not None, "a policy from value iteration is sure to end"
        values = dict(zip(places, solved, strict=True)) | {OVER: Fraction(0)}
        better = False
        optimal = [frozenset[int](range(4))] * model.count
        for s in places:
            worth: dict[int, Fraction] = {}
            for a, ways in enumerate(model.outcomes[s]):
                if all(after in values for _, after in ways):
                    worth[a] = model.rewards[s][a] + gamma * sum(p * values[after] for p, after in ways)
            best = max(worth.values())
            optimal[s] = frozenset(a for a, value in worth.items() if value == best)
            if policy[s] not in optimal[s]:
                policy[s], better = min(optimal[s]), True
        if not better:
            break
    floats = [float(values[s]) if s in values else -math.inf for s in range(model.count)]
    return Optimum(around(sum((p * values[s] for s, p in model.starts.items()), Fraction(0))), optimal, optimal, floats)


def _near_optimum(model: Model, action_values: Floats, error: float, expected: float) -> Optimum:
    optimal, possible = [], []
    slack = error + 1e-11 * max(1.0, float(np.abs(action_values).max()))
    for s, row in enumerate(action_values.tolist()):
        near = frozenset(a for a in range(4) if row[a] >= max(row) - 2 * slack)
        alike = {(model.rewards[s][a], tuple(sorted(model.outcomes[s][a]))) for a in near}
        possible.append(near)
        optimal.append(near if len(alike) == 1 else frozenset())
    return Optimum(Bounds(expected - slack, expected + slack), optimal, possible, action_values.max(axis=1).tolist())


def evaluate(model: Model, automaton: Automaton) -> Bounds:
    """Return what a controller earns, over the starts."""
    action, next_node = automaton.action.tolist(), automaton.next_node.tolist()
    seen = model.seen.tolist()
    places = {(state, automaton.start): place for place, state in enumerate(model.starts)}
    frontier, chain = list(places), Chain()
    for state, node in frontier:
        a, to = action[node][seen[state]], next_node[node][seen[state]]
        ways = []
        for chance, after in model.outcomes[state][a]:
            if after != OVER and (after, to) not in places:
                places[after, to] = len(places)
                frontier.append((after, to))
            ways.append((chance, OVER if after == OVER else places[after, to]))
        chain.append((model.rewards[state][a], ways))
    weights = [model.starts[state] for state in model.starts]
    if len(chain) > EXACT_NODES and any(len(ways) > 1 for _, ways in chain):
        return _near_value(model, chain, weights)
    values = solve_chain(chain, model.discount)
    if values is None:
        return NEVER
    return around(sum((w * v for w, v in zip(weights, values, strict=False)), Fraction(0)))


def _near_value(model: Model, chain: Chain, weights: list[Fraction]) -> Bounds:
    if model.discount == 1 and not _surely_ends(chain):
        return NEVER
    gamma, n = float(model.discount), len(chain)
    matrix, reward = np.eye(n), np.array([float(r) for r, _ in chain])
    for place, (_, ways) in enumerate(chain):
        for chance, after in ways:
            if after != OVER:
                matrix[place, after] -= gamma * float(chance)
    values = [Fraction(v) for v in np.linalg.solve(matrix, reward).tolist()] + [Fraction(0)]
    off = max(
        abs(reward + model.discount * sum(p * values[after] for p, after in ways) - values[place])
        for place, (reward, ways) in enumerate(chain)
    )
    middle = sum((w * v for w, v in zip(weights, values, strict=False)), Fraction(0))
    return Bounds(around(floor_of(model, middle, off)).lower, around(ceiling_of(model, middle, off)).upper)


def ceiling_of(model: Model, value: Fraction, off: Fraction) -> Fraction:
    """Return the most that a policy earns whose V, `value` over the starts, no backup exceeds by more than `off`.

    Below discount 1 each step adds at most `off` times the discount of its time. At 1 a policy that earns v takes at
    most 1 + (bonus - v) / cheapest steps, so v <= value + off * (1 + (bonus - v) / cheapest).
    """
    if model.discount < 1:
        return value + off / (1 - model.discount)
    if not model.cheapest:
        return value + off  # every step ends
    rate = off / model.cheapest
    return (value + off + rate * model.bonus) / (1 + rate)


def floor_of(model: Model, value: Fraction, off: Fraction) -> Fraction:
    """Return the least that a policy earns which surely ends, where no backup falls below V by more than `off`."""
    if model.discount < 1:
        return value - off / (1 - model.discount)
    if not model.cheapest:
        return value - off
    rate = off / model.cheapest
    if rate >= 1:
        raise ValueError("values at discount 1 cannot be bounded here; give a discount below 1")
    return (value - off - rate * model.bonus) / (1 - rate)

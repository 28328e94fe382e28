"""Values and optimal actions: exact, in fractions, where that is affordable, else with proved bounds."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from ...envs import value_iteration
from ..automata import Automaton
from .chains import Chain, ends_surely, solve_chain
from .claims import NEVER, Bounds
from .model import OVER, Floats, Model

EXACT_STATES: Final = 160
"""chains that are not deterministic are solved in fractions up to this many states"""

Actions = frozenset[int]


@dataclass(frozen=True)
class Optimum:
    """V* and the optimal actions of an agent that observes the state."""

    value: Bounds
    """V* over the starts"""
    optimal: list[Actions]
    """state -> actions that are proved to be optimal"""
    possible: list[Actions]
    """state -> actions that may be optimal; the same list if the values are exact"""
    values: list[float]
    """state -> V*, approximately"""

    @property
    def exact(self) -> bool:
        """Whether the optimal actions are known exactly."""
        return self.optimal is self.possible


def around(number: Fraction) -> Bounds:
    """Return the nearest floats below and above, or the float that is equal."""
    near = float(number)
    if Fraction(near) == number:
        return Bounds(near, near)
    if near < number:
        return Bounds(near, math.nextafter(near, math.inf))
    return Bounds(math.nextafter(near, -math.inf), near)


def find_optimum(model: Model) -> Optimum:
    """Return V* and the optimal actions, by policy iteration in fractions that begins with a result of value iteration.

    Raises:
        ValueError: at discount 1, there is a start from which no policy ends with probability 1.
    """
    approximate = value_iteration(model.world, discount=float(model.discount))
    if not math.isfinite(approximate.expected_return):
        raise ValueError("discount 1 needs a policy that ends with probability 1 from each start")
    if not model.deterministic and model.count > EXACT_STATES:
        q = approximate.action_values[model.states]
        return _near_optimum(model, q, approximate.error, approximate.expected_return)
    # at discount 1, states from which no policy surely ends have the value -inf; no optimal action leads there
    finite = [s for s in range(model.count) if math.isfinite(approximate.values[model.states[s]])]
    policy: list[int] = approximate.policy[model.states].tolist()
    while True:
        values = _values_of(model, finite, policy)
        optimal = [Actions(range(model.actions))] * model.count
        for s in finite:
            optimal[s] = _best_actions(model, s, values)
        improvable = [s for s in finite if policy[s] not in optimal[s]]
        if not improvable:
            break
        for s in improvable:
            policy[s] = min(optimal[s])
    value = around(sum((chance * values[s] for s, chance in model.starts.items()), Fraction(0)))
    floats = [float(values[s]) if s in values else -math.inf for s in range(model.count)]
    return Optimum(value, optimal, optimal, floats)


def _values_of(model: Model, states: list[int], policy: list[int]) -> dict[int, Fraction]:
    """Return the values of a policy that does not leave these states, and 0 for OVER."""
    number = {s: i for i, s in enumerate(states)} | {OVER: OVER}
    chain: Chain = []
    for s in states:
        a = policy[s]
        chain.append((model.rewards[s][a], [(p, number[after]) for p, after in model.transitions[s][a]]))
    values = solve_chain(chain, model.discount)
    assert values is not None, "a policy from value iteration ends with probability 1"
    return dict(zip(states, values, strict=True)) | {OVER: Fraction(0)}


def _best_actions(model: Model, state: int, values: dict[int, Fraction]) -> Actions:
    """Return the actions with the largest backup, of those that do not leave the states with a value."""
    q: dict[int, Fraction] = {}
    for a, distribution in enumerate(model.transitions[state]):
        if all(after in values for _, after in distribution):
            q[a] = model.rewards[state][a] + model.discount * sum(p * values[after] for p, after in distribution)
    best = max(q.values())
    return Actions(a for a, value in q.items() if value == best)


def _near_optimum(model: Model, q: Floats, error: float, value: float) -> Optimum:
    """Return what is certain if action values, (n, A), are off by at most `error`, and rounding."""
    optimal, possible = [], []
    slack = error + 1e-11 * max(1.0, float(np.abs(q).max()))
    for s, row in enumerate(q.tolist()):
        near = Actions(a for a in range(model.actions) if row[a] >= max(row) - 2 * slack)
        different = {(model.rewards[s][a], tuple(sorted(model.transitions[s][a]))) for a in near}
        possible.append(near)
        optimal.append(near if len(different) == 1 else Actions())
    return Optimum(Bounds(value - slack, value + slack), optimal, possible, q.max(axis=1).tolist())


def evaluate(model: Model, automaton: Automaton) -> Bounds:
    """Return bounds for the value of a controller over the starts; `NEVER` if at discount 1 it may fail to end."""
    action, next_node = automaton.action.tolist(), automaton.next_node.tolist()
    observation = model.observation.tolist()
    number = {(state, automaton.start): i for i, state in enumerate(model.starts)}  # of (state, node)
    frontier, chain = list(number), Chain()
    for state, node in frontier:
        a, following = action[node][observation[state]], next_node[node][observation[state]]
        distribution = []
        for chance, after in model.transitions[state][a]:
            if after != OVER and (after, following) not in number:
                number[after, following] = len(number)
                frontier.append((after, following))
            distribution.append((chance, OVER if after == OVER else number[after, following]))
        chain.append((model.rewards[state][a], distribution))
    weights = list(model.starts.values())  # the chain begins with the starts
    if len(chain) > EXACT_STATES and any(len(distribution) > 1 for _, distribution in chain):
        return _near_value(model, chain, weights)
    values = solve_chain(chain, model.discount)
    if values is None:
        return NEVER
    return around(sum((w * v for w, v in zip(weights, values, strict=False)), Fraction(0)))


def _near_value(model: Model, chain: Chain, weights: list[Fraction]) -> Bounds:
    """Solve a chain in floats, and bound the error by its largest Bellman residual."""
    if model.discount == 1 and not ends_surely(chain):
        return NEVER
    gamma, n = float(model.discount), len(chain)
    matrix, rewards = np.eye(n), np.array([float(reward) for reward, _ in chain])
    for state, (_, distribution) in enumerate(chain):
        for chance, after in distribution:
            if after != OVER:
                matrix[state, after] -= gamma * float(chance)
    values = [Fraction(v) for v in np.linalg.solve(matrix, rewards).tolist()] + [Fraction(0)]  # [OVER] is 0
    residual = max(
        abs(reward + model.discount * sum(p * values[after] for p, after in distribution) - values[state])
        for state, (reward, distribution) in enumerate(chain)
    )
    middle = sum((w * v for w, v in zip(weights, values, strict=False)), Fraction(0))
    lower, upper = floor_of(model, middle, residual), ceiling_of(model, middle, residual)
    return Bounds(around(lower).lower, around(upper).upper)


def ceiling_of(model: Model, value: Fraction, residual: Fraction) -> Fraction:
    """Return an upper bound for the value of a policy over the starts.

    Below discount 1 each step adds at most the residual, discounted. At discount 1 a policy of value v takes at most
    1 + (bonus - v) / least_cost steps, so v <= value + residual * (1 + (bonus - v) / least_cost).

    Args:
        model: the problem.
        value: of some function V over the starts.
        residual: no backup of the policy exceeds V by more than this.
    """
    if model.discount < 1:
        return value + residual / (1 - model.discount)
    if not model.least_cost:
        return value + residual  # every step ends the episode
    rate = residual / model.least_cost
    return (value + residual + rate * model.bonus) / (1 + rate)


def floor_of(model: Model, value: Fraction, residual: Fraction) -> Fraction:
    """Return a lower bound for the value over the starts of a policy that ends with probability 1.

    Args:
        model: the problem.
        value: of some function V over the starts.
        residual: no backup of the policy is below V by more than this.

    Raises:
        ValueError: at discount 1, if the residual is not less than the least cost of a step.
    """
    if model.discount < 1:
        return value - residual / (1 - model.discount)
    if not model.least_cost:
        return value - residual
    rate = residual / model.least_cost
    if rate >= 1:
        raise ValueError("the values at discount 1 are too inaccurate for a bound; use a discount below 1")
    return (value - residual - rate * model.bonus) / (1 - rate)

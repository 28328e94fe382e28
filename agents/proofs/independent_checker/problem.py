"""The decision problem of a certificate, read anew from its mazes and tables, in fractions."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from ....envs import OBSERVATIONS, World
from ..claims import Claims
from .claim import require

State: TypeAlias = int
Move: TypeAlias = list[tuple[Fraction, Any, Fraction]]
"""what may happen: (probability, next state, reward); the next state is None where the episode ends"""
Values: TypeAlias = dict[Any, Fraction]


@dataclass(frozen=True)
class Problem:
    """A partially observable Markov decision process; states have their numbers in the world."""

    gamma: Fraction
    """the discount"""
    start: dict[State, Fraction]
    """state -> the probability that an episode begins there"""
    moves: dict[State, list[Move]]
    """reachable state -> the move of each action"""
    actions: int
    """the number of actions"""
    observation: dict[State, int]
    """reachable state -> the number of its observation"""
    observations: int
    """the number of observations"""

    @cached_property
    def states(self) -> list[State]:
        """The reachable states, in order."""
        return sorted(self.moves)

    @cached_property
    def deterministic(self) -> bool:
        """Whether each move has one outcome."""
        return all(len(move) == 1 for moves in self.moves.values() for move in moves)

    @cached_property
    def least_cost(self) -> Fraction | None:
        """The least cost (negative reward) of a step that does not end the episode; None if every step ends it."""
        costs = [-r for moves in self.moves.values() for move in moves for _, after, r in move if after is not None]
        return min(costs, default=None)

    @cached_property
    def bonus(self) -> Fraction:
        """The largest reward of a step that ends the episode, at least 0."""
        ends = [r for moves in self.moves.values() for move in moves for _, after, r in move if after is None]
        return max([Fraction(0), *ends])

    def backup(self, move: Move, values: Values) -> Fraction:
        """Return the expected reward of a move plus the discounted value of what follows."""
        total = Fraction(0)
        for chance, after, reward in move:
            total += chance * (reward if after is None else reward + self.gamma * values[after])
        return total

    def over_starts(self, values: Values) -> Fraction:
        """Return the mean of values over the starts."""
        return sum((chance * values[state] for state, chance in self.start.items()), Fraction(0))

    def at_most(self, value: Fraction, residual: Fraction) -> Fraction:
        """Return an upper bound for policies whose backups exceed a function V nowhere by more than the residual.

        Below discount 1 each step adds at most the residual, discounted. At discount 1 a policy of value v takes at
        most 1 + (bonus - v) / least_cost steps, so v <= V + residual * (1 + (bonus - v) / least_cost).
        """
        if self.gamma < 1:
            return value + residual / (1 - self.gamma)
        if self.least_cost is None:
            return value + residual
        return (value + residual + residual / self.least_cost * self.bonus) / (1 + residual / self.least_cost)

    def at_least(self, value: Fraction, residual: Fraction) -> Fraction:
        """Return a lower bound for a policy that surely ends, and whose backups are below V by at most the residual."""
        if self.gamma < 1:
            return value - residual / (1 - self.gamma)
        if self.least_cost is None:
            return value - residual
        rate = residual / self.least_cost
        require(rate < 1, "the values at discount 1 are too inaccurate to be checked")
        return (value - residual - rate * self.bonus) / (1 - rate)


def read_problem(claims: Claims) -> Problem:
    """Return the problem of a certificate, after a check that its tables are those of its mazes.

    Raises:
        FalseClaim: they are not, or a number is out of range.
    """
    world = claims.world
    compiled = World.compile(world.mazes)
    for name in ("next_state", "terminal", "goal", "dots", "start_states", "cell", "carried", "maze_of", "heading"):
        same = np.array_equal(getattr(world, name), getattr(compiled, name))
        require(same, f"{name} is not the table to which the mazes compile")
    require(_same_noise(world, compiled), "noise is not that to which the mazes compile")
    require(claims.observation in OBSERVATIONS, "the observation is unknown")
    require(isinstance(claims.discount, float) and 0 <= claims.discount <= 1, "discount must be from 0 to 1")
    require(bool(((world.slip >= 0) & (world.slip <= 1)).all()), "slip must be from 0 to 1")
    require(bool(np.isfinite(world.reward).all()), "reward must be finite")
    start: dict[State, Fraction] = {}
    for state in world.start_states.tolist():
        if not world.terminal[state]:
            start[state] = start.get(state, Fraction(0)) + Fraction(1, len(world.start_states))
    moves = _moves(world, list(start))
    problem = Problem(
        gamma=simplest(claims.discount),
        start=start,
        moves=moves,
        actions=len(world.moves),
        observation=_observations(claims, sorted(moves)),
        observations=claims.controller.encode.observations,
    )
    if problem.gamma == 1 and problem.least_cost is not None:
        require(problem.least_cost > 0, "at discount 1 every step must cost something, unless it ends the episode")
    return problem


def simplest(number: float) -> Fraction:
    """Return the simplest fraction that rounds to a float, if its denominator is at most a million; else its value."""
    near = Fraction(number).limit_denominator(1_000_000)
    return near if float(near) == number else Fraction(number)


def _same_noise(one: World, other: World) -> bool:
    """Return whether in both worlds the same moves may be executed in place of actions, apart from slips."""
    if one.noise is None or other.noise is None:
        return one.noise is other.noise
    return all(
        np.array_equal(getattr(one.noise, name), getattr(other.noise, name))
        for name in ("kind", "executed", "probability", "below")
    )


def _cases(world: World, state: State, action: int) -> list[tuple[Fraction, int]]:
    """Return (probability, executed move) for an action, read off the slip or the noise of a state."""
    if world.noise is None:
        slip = simplest(float(world.slip[state]))
        if len(world.moves) != 4:
            return [(Fraction(1), action)]
        clockwise = (0, 1, 3, 2)  # up, right, down, left
        at = clockwise.index(action)
        left, right = clockwise[(at - 1) % 4], clockwise[(at + 1) % 4]
        return [(slip / 2, right), (1 - slip, action), (slip / 2, left)]
    kind = int(world.noise.kind[state])
    others = [simplest(chance) for chance in world.noise.probability[kind, action].tolist()[1:]]
    meant = 1 - sum(others, Fraction(0))
    if meant < 0:  # rounding
        others[others.index(max(others))] += meant
        meant = Fraction(0)
    return list(zip([meant, *others], world.noise.executed[kind, action].tolist(), strict=True))


def _moves(world: World, waiting: list[State]) -> dict[State, list[Move]]:
    """Return the moves of all states that are reachable from some."""
    moves: dict[State, list[Move]] = {}
    while waiting:
        state = waiting.pop()
        if state in moves:
            continue
        moves[state] = []
        for action in range(len(world.moves)):
            move: Move = []
            for chance, executed in _cases(world, state, action):
                if chance > 0:
                    after = int(world.next_state[state, executed])
                    reward = simplest(float(world.reward[state, executed]))
                    move.append((chance, None if world.terminal[after] else after, reward))
            moves[state].append(move)
            waiting += [after for _, after, _ in move if after is not None]
    return moves


def _observations(claims: Claims, states: list[State]) -> dict[State, int]:
    """Return the number of each state's observation, by the encoding of the controller."""
    look = OBSERVATIONS[claims.observation](claims.world, claims.view_size).look
    if claims.observation != "pixels":
        numbers = np.asarray(claims.controller.encode(look(np.array(states)))).tolist() if states else []
        return dict(zip(states, numbers, strict=True))
    # pictures are numbered in the order in which they first occur, over all states of the world
    known: dict[bytes, int] = {}
    every = [known.setdefault(look(np.array([s])).tobytes(), len(known)) for s in range(claims.world.states)]
    return {state: every[state] for state in states}

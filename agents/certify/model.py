"""The problem that a certificate is about: what can happen in each state an agent can come to, in exact fractions."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from ...envs import DOWN, LEFT, OBSERVATIONS, RIGHT, UP, World
from ...envs.maps.arguments import nearest
from ...envs.maps.directions import DIRECTION_NAMES
from ...envs.planning.mdp import check_discount, observation_numbers
from ..automaton import Bits, Codebook, Encoding, Number

OVER: Final = -1
"""the number of what comes after an episode"""
MAX_STATES: Final = 2000
"""that an agent can come to; the bounds solve a full linear system over them"""

_SIDES: Final = {UP: (RIGHT, LEFT), RIGHT: (DOWN, UP), LEFT: (UP, DOWN), DOWN: (LEFT, RIGHT)}

Floats = NDArray[np.float64]
Outcomes = list[tuple[Fraction, int]]


def as_fraction(number: float) -> Fraction:
    """Read a float as the simplest fraction that it stands for: 0.99 is 99/100, and 2/3 rounded is 2/3."""
    simple = Fraction(number).limit_denominator(10**6)
    return simple if float(simple) == number else Fraction(number)


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A partially observed Markov decision process over the n states that can be come to, numbered afresh."""

    world: World
    discount: Fraction
    states: NDArray[np.int64]
    """(n,): their numbers in the world."""
    seen: NDArray[np.int64]
    """(n,): the number of what is seen there."""
    encode: Encoding
    """what makes such numbers of observations"""
    starts: dict[int, Fraction]
    """state -> probability that an episode begins there"""
    outcomes: list[list[Outcomes]]
    """state, action -> [(probability, next state or OVER)], merged"""
    rewards: list[list[Fraction]]
    """state, action -> expected reward"""
    cheapest: Fraction
    """the least that a step costs which does not end the episode; not positive if some step is free"""
    bonus: Fraction
    """the most that a step earns which ends the episode, or 0"""
    next_state: NDArray[np.int64]
    """(n, 4, K), n for OVER: the outcomes as arrays, for the bounds"""
    probability: Floats
    """(n, 4, K)"""
    reward: Floats
    """(n, 4)"""
    start: Floats
    """(n,)"""

    @property
    def count(self) -> int:
        """The number of states, n."""
        return len(self.states)

    @property
    def observations(self) -> int:
        """How many observations there are numbers for."""
        return self.encode.observations

    @property
    def deterministic(self) -> bool:
        """Whether nothing slips."""
        return self.next_state.shape[2] == 1


def numbers_seen(world: World, observation: str, view_size: int) -> tuple[NDArray[np.int64], Encoding]:
    """Return for each state the number of what is seen, (S,), and what makes such numbers of observations.

    For "dots" it is the sum of x[d] << d, for "index" the index, else they are numbered as they come, state by state.
    Pictures are numbered too, but not kept: no encoding reads them.
    """
    if observation not in OBSERVATIONS:
        raise ValueError(f"unknown observation {observation!r}{nearest(observation, OBSERVATIONS)}")
    space, look = OBSERVATIONS[observation](world, view_size)
    if observation == "dots":
        return look(np.arange(world.states)).astype(np.int64) @ (1, 2, 4, 8), Bits(4)
    if isinstance(space, Discrete):
        return look(np.arange(world.states)), Number(int(space.n))
    numbers = observation_numbers(world, observation, view_size)
    if observation == "pixels":
        return numbers, Number(int(numbers.max()) + 1)
    return numbers, Codebook(look(np.unique(numbers, return_index=True)[1]))


def read_model(world: World, observation: str, view_size: int, discount: float) -> Model:
    """Read a world's tables.

    Raises:
        ValueError: an unknown observation; a discount out of its range, or 1 where a step is free; a world with more
            than `MAX_STATES` states that can be come to.
    """
    numbers, encode = numbers_seen(world, observation, view_size)
    discount = check_discount(discount)
    table, earns, over = world.next_state.tolist(), world.reward.tolist(), world.terminal.tolist()
    slips = {slip: as_fraction(slip) for slip in np.unique(world.slip).tolist()}
    worth = {reward: as_fraction(reward) for reward in np.unique(world.reward).tolist()}
    begin = list(dict.fromkeys(world.start_states.tolist()))
    states: dict[int, int] = {state: number for number, state in enumerate(begin) if not over[state]}
    frontier = list(states)
    for state in frontier:
        for after in table[state]:
            if not over[after] and after not in states:
                states[after] = len(states)
                frontier.append(after)
    if len(states) > MAX_STATES:
        raise ValueError(f"{len(states):,} states can be come to; a certificate is made for {MAX_STATES:,} at most")

    outcomes: list[list[Outcomes]] = []
    rewards: list[list[Fraction]] = []
    cheapest, bonus = None, Fraction(0)
    for state in states:
        slip = slips[world.slip[state].item()]
        ways: list[Outcomes] = []
        for action in range(4):
            chances = {action: 1 - slip, **dict.fromkeys(_SIDES[action], slip / 2)}
            merged: dict[int, Fraction] = {}
            for direction, chance in chances.items():
                if chance:
                    after = states.get(table[state][direction], OVER)
                    merged[after] = merged.get(after, Fraction(0)) + chance
            ways.append([(chance, after) for after, chance in merged.items()])
        outcomes.append(ways)
        rewards.append(
            [
                (1 - slip) * worth[earns[state][action]]
                + slip / 2 * sum(worth[earns[state][side]] for side in _SIDES[action])
                for action in range(4)
            ]
        )
        for direction in range(4):
            reward = worth[earns[state][direction]]
            if over[table[state][direction]]:
                bonus = max(bonus, reward)
                continue
            if discount == 1 and reward >= 0:
                row, column = divmod(int(world.cell[state]), world.mazes[int(world.maze_of[state])].width)
                raise ValueError(
                    "at discount 1 each step that does not end the episode has to cost something, or else values may "
                    f"be infinite; the step {DIRECTION_NAMES[direction]} from row {row}, column {column} (from 0) "
                    f"earns {float(reward):g}: give a discount below 1"
                )
            cheapest = -reward if cheapest is None else min(cheapest, -reward)

    width = max((len(way) for ways in outcomes for way in ways), default=1)
    n = len(states)
    next_state = np.full((n, 4, width), n)
    probability = np.zeros((n, 4, width))
    for s, ways in enumerate(outcomes):
        for a, way in enumerate(ways):
            for k, (chance, after) in enumerate(way):
                next_state[s, a, k], probability[s, a, k] = after % (n + 1), float(chance)
    starts: dict[int, Fraction] = {}
    for state in world.start_states.tolist():
        if not over[state]:
            number = states[state]
            starts[number] = starts.get(number, Fraction(0)) + Fraction(1, len(world.start_states))
    start = np.zeros(n)
    start[list(starts)] = [float(chance) for chance in starts.values()]
    chosen = np.array(list(states), dtype=np.int64)
    return Model(
        world=world,
        discount=as_fraction(discount),
        states=chosen,
        seen=numbers[chosen],
        encode=encode,
        starts=starts,
        outcomes=outcomes,
        rewards=rewards,
        cheapest=Fraction(0) if cheapest is None else cheapest,
        bonus=bonus,
        next_state=next_state,
        probability=probability,
        reward=np.array([[float(r) for r in row] for row in rewards]).reshape(n, 4),
        start=start,
    )

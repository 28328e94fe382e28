"""The problem that a certificate is about: the reachable states of a World as a POMDP, in exact fractions."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...envs import World
from ...envs.core.rules import cases, noise_of, outcomes
from ...envs.maps.arguments import fraction
from ...envs.maps.noise import simple_fraction as as_fraction
from ..automata.encodings import Encoding
from ..automata.observed import observe

OVER: Final = -1
"""the number of the state after an episode"""
MAX_STATES: Final = 2000
"""reachable ones; the bounds solve a full linear system over them"""

Floats = NDArray[np.float64]
Distribution = list[tuple[Fraction, int]]
"""(probability, next state or OVER), each next state once"""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A partially observable Markov decision process over n reachable states, which have their own numbers 0..n-1."""

    world: World
    discount: Fraction
    states: NDArray[np.int64]
    """(n,): their numbers in the world"""
    observation: NDArray[np.int64]
    """(n,): the number of the observation in each state"""
    encode: Encoding
    """from an observation to its number"""
    starts: dict[int, Fraction]
    """state -> the probability that an episode begins there"""
    transitions: list[list[Distribution]]
    """state, action -> the distribution of the next state"""
    rewards: list[list[Fraction]]
    """state, action -> the expected reward"""
    least_cost: Fraction
    """the least cost (negative reward) of a step that does not end the episode; 0 if every step ends it"""
    bonus: Fraction
    """the largest reward of a step that ends the episode, at least 0"""
    next_state: NDArray[np.int64]
    """(n, A, K): the next states as an array, with n for OVER"""
    probability: Floats
    """(n, A, K)"""
    reward: Floats
    """(n, A)"""
    start: Floats
    """(n,)"""

    @property
    def count(self) -> int:
        """The number of states, n."""
        return len(self.states)

    @property
    def actions(self) -> int:
        """The number of actions, A."""
        return self.next_state.shape[1]

    @property
    def observations(self) -> int:
        """The number of observations that the encoding has."""
        return self.encode.observations

    @property
    def deterministic(self) -> bool:
        """Whether every action has one next state."""
        return self.next_state.shape[2] == 1


def read_model(world: World, observation: str, view_size: int, discount: float) -> Model:
    """Return the model of a world.

    Args:
        world: the tables; each of its starts is equally likely.
        observation: a name of `mazegrad.envs.OBSERVATIONS`.
        view_size: the side of "view".
        discount: 0 to 1; 1 only if each step that does not end the episode has a negative reward.

    Raises:
        ValueError: an unknown observation, a discount that is out of range or does not fit the rewards, or a world with
            more than `MAX_STATES` reachable states.
    """
    observed = observe(world, observation, view_size, keep_pixels=False)
    discount = fraction("discount", discount)
    states = _reachable(world)
    transitions, rewards = _exact_tables(world, states)
    least_cost, bonus = _step_costs(world, states, discount)
    n, actions = len(states), world.actions
    width = max((len(distribution) for row in transitions for distribution in row), default=1)
    next_state, probability = np.full((n, actions, width), n), np.zeros((n, actions, width))
    for s, row in enumerate(transitions):
        for a, distribution in enumerate(row):
            for k, (chance, after) in enumerate(distribution):
                next_state[s, a, k], probability[s, a, k] = n if after == OVER else after, float(chance)
    starts: dict[int, Fraction] = {}
    for state in world.start_states.tolist():
        if not world.terminal[state]:
            number = states[state]
            starts[number] = starts.get(number, Fraction(0)) + Fraction(1, len(world.start_states))
    start = np.zeros(n)
    start[list(starts)] = [float(chance) for chance in starts.values()]
    numbers = np.array(list(states), dtype=np.int64)
    return Model(
        world=world,
        discount=as_fraction(discount),
        states=numbers,
        observation=observed.numbers[numbers],
        encode=observed.encode,
        starts=starts,
        transitions=transitions,
        rewards=rewards,
        least_cost=least_cost,
        bonus=bonus,
        next_state=next_state,
        probability=probability,
        reward=np.array([[float(r) for r in row] for row in rewards]).reshape(n, actions),
        start=start,
    )


def _reachable(world: World) -> dict[int, int]:
    """Return the states that are reachable and not terminal, in breadth-first order, each with its new number."""
    states: dict[int, int] = {}
    noise = noise_of(world)
    moves = [np.unique(rows[happens]) for rows, happens in zip(noise.executed, noise.probability > 0, strict=True)]
    frontier = [state for state in dict.fromkeys(world.start_states.tolist()) if not world.terminal[state]]
    states.update((state, number) for number, state in enumerate(frontier))
    for state in frontier:
        for after in world.next_state[state, moves[noise.kind[state]]].tolist():
            if not world.terminal[after] and after not in states:
                states[after] = len(states)
                frontier.append(after)
    if len(states) > MAX_STATES:
        raise ValueError(f"a certificate needs a world of at most {MAX_STATES:,} reachable states, not {len(states):,}")
    return states


def _chances(world: World) -> list[list[list[Fraction]]]:
    """Return the probabilities of `outcomes` for each kind and action of `noise_of`, as fractions that sum to 1."""
    noise = noise_of(world)
    if world.noise is None:
        slips = [as_fraction(slip) for slip in np.unique(world.slip).tolist()] if world.actions == 4 else []
        rows = [[slip / 2, 1 - slip, slip / 2] for slip in slips] or [[Fraction(1)]]
        return [[row] * world.actions for row in rows]
    return [[_summing_to_one(row) for row in rows] for rows in noise.probability.tolist()]


def _summing_to_one(chances: list[float]) -> list[Fraction]:
    fractions = [as_fraction(chance) for chance in chances]
    fractions[0] = 1 - sum(fractions[1:], Fraction(0))
    if fractions[0] < 0:  # rounding, where the move as meant never happens
        largest = max(range(1, len(fractions)), key=fractions.__getitem__)
        fractions[largest] += fractions[0]
        fractions[0] = Fraction(0)
    return fractions


def _exact_tables(world: World, states: dict[int, int]) -> tuple[list[list[Distribution]], list[list[Fraction]]]:
    """Return the transitions and the expected rewards of these states: those of `outcomes`, in fractions."""
    possible, kind, chances = outcomes(world), noise_of(world).kind, _chances(world)
    exact = {reward: as_fraction(reward) for reward in np.unique(world.reward).tolist()}
    transitions: list[list[Distribution]] = []
    rewards: list[list[Fraction]] = []
    for state in states:
        distributions, expected = [], []
        listed = zip(
            chances[kind[state]], possible.next_state[state].tolist(), possible.reward[state].tolist(), strict=True
        )
        for row in listed:
            merged: dict[int, Fraction] = {}
            mean = Fraction(0)
            for chance, after, reward in zip(*row, strict=True):
                if chance:
                    number = states.get(after, OVER)
                    merged[number] = merged.get(number, Fraction(0)) + chance
                    mean += chance * exact[reward]
            distributions.append([(chance, number) for number, chance in merged.items()])
            expected.append(mean)
        transitions.append(distributions)
        rewards.append(expected)
    return transitions, rewards


def _step_costs(world: World, states: dict[int, int], discount: float) -> tuple[Fraction, Fraction]:
    """Return the least cost of a step that does not end the episode, and the largest reward, or 0, of one that does."""
    least_cost, bonus = None, Fraction(0)
    possible = cases(world)
    for state in states:
        for action, case in np.argwhere(possible.probability[state] > 0).tolist():
            reward = as_fraction(float(possible.reward[state, action, case]))
            if possible.terminal[state, action, case]:
                bonus = max(bonus, reward)
                continue
            if discount == 1 and reward >= 0:
                row, column = divmod(int(world.cell[state]), world.mazes[int(world.maze_of[state])].width)
                raise ValueError(
                    "discount 1 needs a negative reward for each step that does not end the episode; "
                    f"the step {world.moves.names[action]} from row {row}, column {column} has the reward "
                    f"{float(reward):g}; use a discount below 1"
                )
            least_cost = -reward if least_cost is None else min(least_cost, -reward)
    return Fraction(0) if least_cost is None else least_cost, bonus

"""A TabularMDP is a World as textbooks write it: P, R, O and where it starts, for any planner there is."""

import hashlib
import io
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.rules import AS_MEANT, outcomes
from ..core.world import World
from ..maps.arguments import nearest
from ..maps.directions import DIRECTION_NAMES
from ..maps.files import write_file
from ..observations import OBSERVATIONS

SUM_TOLERANCE: Final = 1e-9
"""how far the sum of a distribution may be from 1"""


class Matrices(NamedTuple):
    """P, R, O and the start as matrices."""

    P: list[Any]
    """for each action (S, S): the probability of each next state"""
    R: NDArray[np.float64]
    """(S, 4): the expected reward"""
    O: Any
    """(S, observations): 1 where the state looks like this"""
    start: NDArray[np.float64]
    """(S,)"""


@dataclass(frozen=True, eq=False, repr=False)
class TabularMDP:
    """A Markov decision process with four actions, as read-only tables.

    P and R are kept by outcomes: what can happen after an action is one of a few, K, things (1, or 3 where moves slip:
    to the right, as meant, to the left), listed unmerged.

    Raises:
        ValueError: a table of a wrong shape or type, a number that is no state, NaN, a distribution whose sum is not 1,
            a terminal state that leads elsewhere or earns something.
    """

    probability: NDArray[np.float64]
    """(S, 4, K): of each outcome."""
    next_state: NDArray[np.int64]
    """(S, 4, K): where it leads."""
    reward: NDArray[np.float64]
    """(S, 4, K): what it earns."""
    terminal: NDArray[np.bool_]
    """(S,): the episode is over here; a terminal state leads to itself and earns nothing."""
    start: NDArray[np.float64]
    """(S,): the probability that an episode begins here."""
    observation: NDArray[np.int64]
    """(S,): the number of what is seen in each state, from 0: O, as a function."""

    def __post_init__(self) -> None:
        states, *rest = np.shape(self.probability) or (0,)
        if len(rest) != 2 or rest[0] != 4 or not rest[1] or not states:
            raise ValueError(f"probability has the shape (states, 4, outcomes), not {np.shape(self.probability)}")
        for name, kind, shape in _TABLES:
            wanted = (states, *rest) if shape else (states,)
            table = np.asarray(getattr(self, name))
            if table.shape != wanted or table.dtype.kind not in kind:
                what = {"f": "floats", "iu": "ints", "b": "bools"}[kind]
                raise ValueError(f"{name} has the shape {wanted} and holds {what}, not {table.shape} of {table.dtype}")
            table = table.astype({"f": np.float64, "iu": np.int64, "b": np.bool_}[kind])
            table.setflags(write=False)
            object.__setattr__(self, name, table)
        if not np.isfinite(self.reward).all():
            raise ValueError("a reward is a finite number")
        if not ((self.next_state >= 0) & (self.next_state < states)).all():
            raise ValueError(f"a next state is a number from 0 to {states - 1}")
        if (self.observation < 0).any():
            raise ValueError("an observation is a number from 0")
        check_distribution("probability", self.probability)
        check_distribution("start", self.start)
        happens = self.probability[self.terminal] > 0
        leaves = self.next_state[self.terminal] != np.flatnonzero(self.terminal)[:, None, None]
        if (happens & (leaves | (self.reward[self.terminal] != 0))).any():
            raise ValueError("a terminal state leads to itself and earns nothing")

    @classmethod
    def from_world(cls, world: World, observation: str = "dots", *, view_size: int = 7) -> "TabularMDP":
        """Read a world's tables; episodes begin in each of its start states with the same probability.

        Args:
            world: the tables.
            observation: a name of `OBSERVATIONS`; what is seen is numbered as it comes, state by state.
            view_size: the side of "view", odd.

        Raises:
            ValueError: an unknown observation.
        """
        if observation not in OBSERVATIONS:
            raise ValueError(f"unknown observation {observation!r}{nearest(observation, OBSERVATIONS)}")
        listed = outcomes(world)
        happens = slice(None) if world.slip.any() else [AS_MEANT]
        return cls(
            probability=listed.probability[:, :, happens],
            next_state=listed.next_state[:, :, happens],
            reward=listed.reward[:, :, happens],
            terminal=world.terminal,
            start=np.bincount(world.start_states, minlength=world.states) / len(world.start_states),
            observation=look_alikes(world, observation, view_size),
        )

    @property
    def states(self) -> int:
        """The number of states, S."""
        return len(self.terminal)

    @property
    def observations(self) -> int:
        """The number of observations."""
        return int(self.observation.max()) + 1

    def __repr__(self) -> str:
        return f"<TabularMDP of {self.states} states, 4 actions, {self.observations} observation(s)>"

    def expected_reward(self) -> NDArray[np.float64]:
        """Return R as a table, (S, 4): the mean over the outcomes."""
        mean: NDArray[np.float64] = np.einsum("sak,sak->sa", self.probability, self.reward)
        return mean

    def to_dense(self) -> Matrices:
        """Return P, R, O and the start as full arrays; of S * S numbers each, so for small worlds."""
        P = np.zeros((4, self.states, self.states))
        state, action = np.arange(self.states)[:, None, None], np.arange(4)[:, None]
        np.add.at(P, (action, state, self.next_state), self.probability)
        O = (self.observation[:, None] == np.arange(self.observations)).astype(np.float64)
        return Matrices(list(P), self.expected_reward(), O, self.start.copy())

    def to_scipy(self) -> Matrices:
        """Return P, R, O and the start, P and O as `scipy.sparse.csr_array`; equal next states are merged.

        Raises:
            ImportError: scipy is not installed.
        """
        from scipy.sparse import csr_array  # type: ignore[import-untyped, unused-ignore]

        states, outcomes = np.arange(self.states), self.next_state.shape[2]
        P = [
            csr_array(
                (self.probability[:, a].ravel(), (np.repeat(states, outcomes), self.next_state[:, a].ravel())),
                shape=(self.states, self.states),
            )
            for a in range(4)
        ]
        for matrix in P:
            matrix.sum_duplicates()
            matrix.eliminate_zeros()
        O = csr_array((np.ones(self.states), (states, self.observation)), shape=(self.states, self.observations))
        return Matrices(P, self.expected_reward(), O, self.start.copy())

    def to_gymnasium_P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Return `P[state][action] = [(probability, next state, reward, terminated), ...]`, Gymnasium's format.

        The outcomes are those that can happen, unmerged; a terminal state has one.
        """
        columns = (self.probability, self.next_state, self.reward, self.terminal[self.next_state])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        over = self.terminal.tolist()
        return {
            state: {
                action: [(1.0, state, 0.0, True)]
                if over[state]
                else [outcome for outcome in zip(*listed, strict=True) if outcome[0] > 0]
                for action, listed in enumerate(zip(*row, strict=True))
            }
            for state, row in enumerate(rows)
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Write the tables as a NumPy .npz file, at just this path."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{name: getattr(self, name) for name, _, _ in _TABLES})
        write_file(path, buffer.getvalue())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "TabularMDP":
        """Read what `save` wrote; nothing in the file is executed.

        Raises:
            ValueError: the file is no such file.
            OSError: it cannot be opened.
        """
        with open(path, "rb") as file:
            try:
                with np.load(file, allow_pickle=False) as tables:
                    return cls(**{name: tables[name] for name, _, _ in _TABLES})
            except Exception as error:  # a damaged zip or header raises nearly anything
                raise ValueError(f"{path} is not a saved TabularMDP: {error}") from error

    def to_pomdp(self, discount: float) -> str:
        """Return the text that Cassandra's pomdp-solve reads (http://pomdp.org/code/pomdp-file-spec.html).

        Outcomes that lead to the same state are merged, with their mean reward. What is observed is seen on arrival.

        Raises:
            ValueError: the discount is not a number from 0 to 1.
        """
        lines = [
            f"discount: {_decimal(check_discount(discount))}",
            "values: reward",
            f"states: {self.states}",
            f"actions: {' '.join(DIRECTION_NAMES)}",
            f"observations: {self.observations}",
            f"start: {' '.join(map(_decimal, self.start.tolist()))}",
        ]
        lines += [f"O: * : {state} : {seen} 1.0" for state, seen in enumerate(self.observation.tolist())]
        for action, name in enumerate(DIRECTION_NAMES):
            flat = (np.arange(self.states)[:, None] * self.states + self.next_state[:, action]).ravel()
            pairs, which = np.unique(flat, return_inverse=True)
            chances = self.probability[:, action].ravel()
            P = np.bincount(which.ravel(), chances)
            earned = np.bincount(which.ravel(), chances * self.reward[:, action].ravel())
            for pair, p, r in zip(pairs.tolist(), P.tolist(), earned.tolist(), strict=True):
                if p > 0:
                    state, after = divmod(pair, self.states)
                    lines.append(f"T: {name} : {state} : {after} {_decimal(p)}")
                    if r:
                        lines.append(f"R: {name} : {state} : {after} : * {_decimal(r / p)}")
        return "\n".join(lines) + "\n"

    def save_pomdp(self, path: str | PathLike[str], discount: float) -> None:
        """Write `to_pomdp(discount)` to a file."""
        write_file(path, self.to_pomdp(discount).encode("ascii"))


# name, the kinds of number it holds, whether it is by outcome: (S, 4, K), not (S,)
_TABLES: Final = (
    ("probability", "f", True),
    ("next_state", "iu", True),
    ("reward", "f", True),
    ("terminal", "b", False),
    ("start", "f", False),
    ("observation", "iu", False),
)


def look_alikes(world: World, observation: str, view_size: int = 7) -> NDArray[np.int64]:
    """Return for each state a number, (S,), of what is seen there, from 0, as it comes."""
    look = OBSERVATIONS[observation](world, view_size).look
    known: dict[bytes, int] = {}
    numbers = np.empty(world.states, dtype=np.int64)
    for first in range(0, world.states, 1024):  # all pictures of a world at once would be too many
        states = np.arange(first, min(first + 1024, world.states))
        seen = np.ascontiguousarray(look(states)).reshape(len(states), -1)
        numbers[states] = [
            known.setdefault(hashlib.blake2b(row.data, digest_size=16).digest(), len(known)) for row in seen
        ]
    return numbers


def check_discount(discount: float) -> float:
    """Return the discount as a float.

    Raises:
        ValueError: it is not a number from 0 to 1.
    """
    if not isinstance(discount, int | float | np.integer | np.floating) or not 0 <= discount <= 1:
        raise ValueError(f"a discount is a number from 0 to 1, not {discount!r}")
    return float(discount)


def check_distribution(name: str, table: NDArray[np.float64]) -> None:
    """Check that the last axis holds probabilities.

    Raises:
        ValueError: a negative number, NaN or a sum that is not 1.
    """
    if not (table >= 0).all():
        raise ValueError(f"{name} holds a number below 0 or NaN")
    sums = table.sum(axis=-1)
    wrong = np.argwhere(np.abs(sums - 1) > SUM_TOLERANCE)
    if len(wrong):
        where = f" at {tuple(wrong[0].tolist())}" if wrong.shape[1] else ""
        raise ValueError(f"{name} sums to {sums[tuple(wrong[0])]}{where}, not to 1")


def _decimal(number: float) -> str:
    """Return a number without exponent, exactly: the format knows none."""
    return np.format_float_positional(number, trim="0")

"""A TabularMDP is a World as textbooks write it: P, R, O and the start distribution, for any planner."""

import io
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.rules import cases, outcomes
from ..core.world import World, checked_world
from ..maps.arguments import fraction, nearest
from ..maps.errors import MazeError
from ..maps.files import write_file
from ..maps.map_text import decoded
from ..observations import OBSERVATIONS
from .checks import check_discount, check_distribution
from .model_text import drn, pomdp, prism
from .observed import misread_dots, observation_numbers
from .pomdp_text import parse_pomdp


class Matrices(NamedTuple):
    """P, R, O and the start distribution as matrices."""

    P: list[Any]
    """For each action (S, S): the probability of each next state."""
    R: NDArray[np.float64]
    """(S, A): the expected reward."""
    O: Any
    """(S, observations): the probability of each observation in each state; where it depends on the action that led
    there, (A, S, observations), or a list of A matrices."""
    start: NDArray[np.float64]
    """(S,): the probability that an episode begins in each state."""


@dataclass(frozen=True, eq=False, repr=False)
class TabularMDP:
    """A Markov decision process with A actions, as read-only tables.

    P and R are stored by outcomes: an action has K outcomes (of a world 1, or 3 where moves slip: to the right, as
    meant, to the left, or as many as `outcomes` lists), and outcomes with equal next states are not merged.

    Raises:
        ValueError: a table of a wrong shape or type, a next state that does not exist, NaN, a distribution whose sum is
            not 1, a terminal state that leads elsewhere or has a reward.

    Example:
        >>> from mazegrad.envs import Maze, TabularMDP, World
        >>> mdp = TabularMDP.from_world(World.compile(Maze.from_text("S.G"), slip=0.2))
        >>> mdp.next_state[0, 1], mdp.probability[0, 1]  # from the start to the right: K = 3 outcomes
        (array([0, 1, 0]), array([0.1, 0.8, 0.1]))
        >>> mdp.expected_reward()[1]  # before the goal, which a slip can also lead to
        array([0.1, 0.8, 0. , 0.1])
    """

    probability: NDArray[np.float64]
    """(S, A, K): the probability of each outcome."""
    next_state: NDArray[np.int64]
    """(S, A, K): the state it leads to."""
    reward: NDArray[np.float64]
    """(S, A, K): its reward."""
    terminal: NDArray[np.bool_]
    """(S,): the episode is over here; a terminal state leads to itself with reward 0."""
    start: NDArray[np.float64]
    """(S,): the probability that an episode begins here."""
    observation: NDArray[np.int64] | NDArray[np.float64]
    """O as a function, (S,) ints: the number of the observation in each state, from 0; or as distributions: (S,
    observations) floats, or (A, S, observations) after each action; then nothing is observed before the first one."""

    def __post_init__(self) -> None:
        states, *rest = np.shape(self.probability) or (0,)
        if len(rest) != 2 or not rest[0] or not rest[1] or not states:
            raise ValueError(
                f"probability must have shape (states, actions, outcomes), not {np.shape(self.probability)}"
            )
        for name, kind, shape in _TABLES:
            wanted = (states, *rest) if shape else (states,)
            table = np.asarray(getattr(self, name))
            if name == "observation" and table.dtype.kind == "f":
                self._check_sight(table, states, rest[0])
                continue
            if table.shape != wanted or table.dtype.kind not in kind:
                what = {"f": "floats", "iu": "ints", "b": "bools"}[kind]
                raise ValueError(f"{name} must have shape {wanted} and hold {what}, not {table.shape} of {table.dtype}")
            table = table.astype({"f": np.float64, "iu": np.int64, "b": np.bool_}[kind])
            table.setflags(write=False)
            object.__setattr__(self, name, table)
        if not np.isfinite(self.reward).all():
            raise ValueError("rewards must be finite")
        if not ((self.next_state >= 0) & (self.next_state < states)).all():
            raise ValueError(f"next states must be from 0 to {states - 1}")
        if (np.asarray(self.observation) < 0).any():
            raise ValueError("observations must be numbered from 0")
        check_distribution("probability", self.probability)
        check_distribution("start", self.start)
        happens = self.probability[self.terminal] > 0
        leaves = self.next_state[self.terminal] != np.flatnonzero(self.terminal)[:, None, None]
        if (happens & (leaves | (self.reward[self.terminal] != 0))).any():
            raise ValueError("a terminal state must lead to itself with reward 0")

    def _check_sight(self, table: NDArray[Any], states: int, actions: int) -> None:
        """Check and lock O as distributions."""
        if table.shape[:-1] not in ((states,), (actions, states)) or not table.shape[-1]:
            raise ValueError(
                f"observation must be ({states},) ints, or ({states}, observations) or ({actions}, {states}, "
                f"observations) floats, not {table.shape} of {table.dtype}"
            )
        check_distribution("observation", table)
        table = table.astype(np.float64)
        table.setflags(write=False)
        object.__setattr__(self, "observation", table)

    @classmethod
    def from_world(
        cls, world: World, observation: str = "dots", *, view_size: int = 7, dots_error: float = 0.0
    ) -> "TabularMDP":
        """Return a world as an MDP; episodes begin in each of its start states with the same probability.

        Args:
            world: the tables.
            observation: a name of `OBSERVATIONS`; equal observations have one number, in the order of states.
            view_size: the side of "view", odd.
            dots_error: how likely each bit of "dots" is seen wrongly; above 0 an observation is the number of its bits,
                the sum of x[d] << d, and has a probability in each state.

        Raises:
            ValueError: an unknown observation, a dots_error that is not a probability, or without "dots".
            TypeError: not a World.

        Example:
            >>> from mazegrad.envs import Maze, TabularMDP, World
            >>> mdp = TabularMDP.from_world(World.compile(Maze.from_text("S.G")))
            >>> mdp.states, mdp.actions
            (3, 4)
            >>> mdp.to_gymnasium_P()[1][1]  # from the middle to the right: probability, next state, reward, end
            [(1.0, 2, 1.0, True)]
        """
        if observation not in OBSERVATIONS:
            raise ValueError(f"unknown observation {observation!r}{nearest(observation, OBSERVATIONS)}")
        if fraction("dots_error", dots_error) and observation != "dots":
            raise ValueError(f'dots_error makes "dots" noisy, not {observation!r}')
        listed = outcomes(world) if checked_world(world).noisy else cases(world)
        return cls(
            probability=listed.probability,
            next_state=listed.next_state,
            reward=listed.reward,
            terminal=world.terminal,
            start=np.bincount(world.start_states, minlength=world.states) / len(world.start_states),
            observation=misread_dots(world, dots_error)
            if dots_error
            else observation_numbers(world, observation, view_size),
        )

    @property
    def states(self) -> int:
        """The number of states, S."""
        return len(self.terminal)

    @property
    def actions(self) -> int:
        """The number of actions, A."""
        return int(self.probability.shape[1])

    @property
    def observations(self) -> int:
        """The number of different observations."""
        return int(self.observation.max()) + 1 if self.observation.ndim == 1 else self.observation.shape[-1]

    def __repr__(self) -> str:
        return f"<TabularMDP of {self.states} states, {self.actions} actions, {self.observations} observation(s)>"

    def expected_reward(self) -> NDArray[np.float64]:
        """Return R as a table, (S, A): the mean over the outcomes."""
        mean: NDArray[np.float64] = np.einsum("sak,sak->sa", self.probability, self.reward)
        return mean

    def to_dense(self) -> Matrices:
        """Return P, R, O and the start distribution as full arrays: A S * S numbers for P, so for small worlds."""
        P = np.zeros((self.actions, self.states, self.states))
        state, action = np.arange(self.states)[:, None, None], np.arange(self.actions)[:, None]
        np.add.at(P, (action, state, self.next_state), self.probability)
        O = self.observation.astype(np.float64)
        if O.ndim == 1:
            O = (O[:, None] == np.arange(self.observations)).astype(np.float64)
        return Matrices(list(P), self.expected_reward(), O, self.start.copy())

    def to_scipy(self) -> Matrices:
        """Return P, R, O and the start distribution, P and O as `scipy.sparse.csr_array`; equal next states are merged.

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
            for a in range(self.actions)
        ]
        for matrix in P:
            matrix.sum_duplicates()
            matrix.eliminate_zeros()
        O: Any
        if self.observation.ndim == 1:
            O = csr_array((np.ones(self.states), (states, self.observation)), shape=(self.states, self.observations))
        else:
            O = csr_array(self.observation) if self.observation.ndim == 2 else [*map(csr_array, self.observation)]
        return Matrices(P, self.expected_reward(), O, self.start.copy())

    def to_gymnasium_P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Return `P[state][action] = [(probability, next state, reward, terminated), ...]`, Gymnasium's format.

        It lists the outcomes with a positive probability, not merged; a terminal state has one.
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
        """Write the tables as a NumPy .npz file to exactly this path."""
        write_file(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return what `save` writes."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{name: getattr(self, name) for name, _, _ in _TABLES})
        return buffer.getvalue()

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "TabularMDP":
        """Read what `save` wrote; nothing in the file is executed.

        Raises:
            ValueError: not a saved TabularMDP.
            OSError: the file cannot be opened.
        """
        with open(path, "rb") as file:
            try:
                return cls.from_bytes(file.read())
            except ValueError as error:
                raise ValueError(f"{path} is not a saved TabularMDP: {error}") from error

    @classmethod
    def from_bytes(cls, data: bytes) -> "TabularMDP":
        """Return what `to_bytes` returned as tables again; nothing in it is executed.

        Raises:
            ValueError: not a saved TabularMDP.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as tables:
                return cls(**{name: tables[name] for name, _, _ in _TABLES})
        except Exception as error:  # a damaged zip or header can raise anything
            raise ValueError(str(error)) from error

    def to_pomdp(self, discount: float) -> str:
        """Return the text of a `.POMDP` file, as Cassandra's pomdp-solve reads it.

        The format: http://pomdp.org/code/pomdp-file-spec.html. Outcomes with equal next states are merged, with their
        mean reward. The observation is that of the next state.

        Raises:
            ValueError: the discount is not a number from 0 to 1.
        """
        return pomdp(self, check_discount(discount))

    def to_drn(self) -> str:
        """Return the text of a DRN file, which the model checker Storm reads; the discount is not part of it.

        Of several starts a first state is made that leads to them. Where states look alike it is a POMDP.

        Raises:
            ValueError: the process has noisy observations.

        Example:
            >>> from mazegrad.envs import Maze, TabularMDP, World
            >>> print(TabularMDP.from_world(World.compile(Maze.from_text("SG")), "index").to_drn().splitlines()[0])
            @type: MDP
        """
        return drn(self)

    def save_drn(self, path: str | PathLike[str]) -> None:
        """Write `to_drn()` to a file."""
        write_file(path, self.to_drn().encode("ascii"))

    def to_prism(self) -> dict[str, str]:
        """Return the explicit files of the model checker PRISM: suffix -> text, .tra, .trew, .sta and .lab.

        The discount and the observations are not part of them. Of several starts a first state is made.

        Example:
            >>> from mazegrad.envs import Maze, TabularMDP, World
            >>> TabularMDP.from_world(World.compile(Maze.from_text("SG"))).to_prism()[".lab"].splitlines()
            ['0="init" 1="deadlock" 2="end"', '0: 0', '1: 2']
        """
        return prism(self)

    def save_prism(self, path: str | PathLike[str]) -> None:
        """Write the files of `to_prism()`: to this path with each suffix."""
        for suffix, text in self.to_prism().items():
            write_file(f"{fspath(path)}{suffix}", text.encode("ascii"))

    def sights(self) -> NDArray[np.float64]:
        """Return O as distributions after each action, (A, S, observations), or after any, (1, S, observations)."""
        return self.observation.reshape(-1, self.states, self.observations).astype(np.float64)

    @classmethod
    def from_pomdp(cls, path: str | PathLike[str]) -> "TabularMDP":
        """Read a `.POMDP` file; `parse_pomdp` gives its discount and names too.

        A state that every action keeps with reward 0 ends the episode.

        Raises:
            MazeError: (a ValueError) the file cannot be read, with its name, line and column.
            OSError: it cannot be opened.
        """
        with open(path, "rb") as file:
            data = file.read()
        try:
            read = parse_pomdp(decoded(data))
        except MazeError as error:
            raise MazeError(error.message, error.line, error.column, str(path)) from None
        return process_from_tables(read.P, read.R, read.O, read.start)

    def save_pomdp(self, path: str | PathLike[str], discount: float) -> None:
        """Write `to_pomdp(discount)` to a `.POMDP` file."""
        write_file(path, self.to_pomdp(discount).encode("ascii"))


# name, allowed kinds of dtype, whether the shape is (S, A, K) or else (S,)
_TABLES: Final = (
    ("probability", "f", True),
    ("next_state", "iu", True),
    ("reward", "f", True),
    ("terminal", "b", False),
    ("start", "f", False),
    ("observation", "iu", False),
)


def as_process(problem: World | TabularMDP) -> TabularMDP:
    """Return a World as its TabularMDP, a TabularMDP as it is.

    Raises:
        TypeError: something else.
    """
    if isinstance(problem, World):
        return TabularMDP.from_world(problem)
    if not isinstance(problem, TabularMDP):
        raise TypeError(f"expected a World or a TabularMDP, not {type(problem).__name__}")
    return problem


def process_from_tables(
    P: NDArray[np.float64], R: NDArray[np.float64], O: NDArray[np.float64], start: NDArray[np.float64]
) -> TabularMDP:
    """Return the process of full tables.

    Args:
        P: (A, S, S), the probability of each next state.
        R: (A, S, S), the reward of going there.
        O: (A, S, observations), the probability of each observation in the next state.
        start: (S,).

    Raises:
        ValueError: see `TabularMDP`.
    """
    chances, rewards = np.moveaxis(P, 0, 1), np.moveaxis(R, 0, 1)  # (S, A, S)
    count = max(1, int((chances > 0).sum(axis=2).max()))
    after = np.argsort(chances <= 0, axis=2, kind="stable")[:, :, :count]  # those that can happen, in order
    probability = np.take_along_axis(chances, after, axis=2)
    reward = np.where(probability > 0, np.take_along_axis(rewards, after, axis=2), 0.0)
    states = np.arange(len(start))[:, None, None]
    keeps = (((after == states) & (reward == 0)) | (probability == 0)).all(axis=(1, 2))
    after = np.where(probability > 0, after, states)
    return TabularMDP(probability, after, reward, keeps, start, O)

"""The text of a `.POMDP` file, read into tables: Cassandra's format, http://pomdp.org/code/pomdp-file-spec.html."""

import math
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maps.errors import MazeError

_MOST: Final = 2**26  # numbers in one table
_KEYS: Final = ("discount", "values", "states", "actions", "observations", "start", "T", "O", "R")
_TOKEN: Final = re.compile(r":|[^\s:]+")


class PomdpTables(NamedTuple):
    r"""What a file says.

    Example:
        >>> from mazegrad.envs import parse_pomdp
        >>> lines = ["discount: 0.9", "values: reward", "states: left right", "actions: stay", "observations: dark"]
        >>> tables = parse_pomdp("\n".join([*lines, "T: stay identity", "O: * uniform", "R: stay : left : * : * 1"]))
        >>> tables.P.shape, tables.O.shape, tables.R.shape
        ((1, 2, 2), (1, 2, 1), (1, 2, 2))
        >>> tables.states, tables.start
        (('left', 'right'), array([0.5, 0.5]))
    """

    discount: float
    states: tuple[str, ...]
    actions: tuple[str, ...]
    observations: tuple[str, ...]
    start: NDArray[np.float64]
    """(S,)"""
    P: NDArray[np.float64]
    """(A, S, S): the probability of each next state"""
    O: NDArray[np.float64]
    """(A, S, observations): the probability of each observation in the next state"""
    R: NDArray[np.float64]
    """(A, S, S): the mean reward, over observations, of going from one state to the next"""


def parse_pomdp(text: str) -> PomdpTables:
    """Return what the text of a `.POMDP` file says; of two entries for one number the later one holds.

    Raises:
        MazeError: (a ValueError) what cannot be read, tables that are too large, or not distributions, with the line
            and column.

    Example:
        >>> from mazegrad.envs import parse_pomdp
        >>> text = '''
        ... discount: 0.9
        ... values: reward
        ... states: left right
        ... actions: stay swap
        ... observations: dark light
        ... T: stay identity
        ... T: swap
        ... 0 1
        ... 1 0
        ... O: * : left 1 0
        ... O: * : right 0.2 0.8
        ... R: * : right : * : * 1
        ... '''
        >>> tables = parse_pomdp(text)
        >>> tables.P[1]  # swap
        array([[0., 1.],
               [1., 0.]])
        >>> tables.O[0]  # (states, observations)
        array([[1. , 0. ],
               [0.2, 0.8]])
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        # tokens, their lines and columns; a colon is a token of its own
        self.tokens = [
            (found.group(), number, found.start() + 1)
            for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1)
            for found in _TOKEN.finditer(line.partition("#")[0])
        ]
        self.at = 0
        self.names: dict[str, tuple[str, ...]] = {}
        self.start: NDArray[np.float64] | None = None
        self.tables: dict[str, NDArray[np.float64]] = {}
        self.entered: dict[str, NDArray[np.int64]] = {}
        """(A, S): the token at which a row of T or O was last written"""

    def read(self) -> PomdpTables:
        discount, sign = math.nan, 1.0
        while self.at < len(self.tokens):
            key = self.take()
            if key not in _KEYS:
                raise self.error(f"{key!r} is not expected here; known: {', '.join(_KEYS)}")
            if key == "start":
                self.start = self.read_start()
                continue
            self.need(":")
            if key == "discount":
                discount = self.number()
                if not 0 <= discount <= 1:
                    raise self.error(f"discount must be a number from 0 to 1, not {discount}")
            elif key == "values":
                sign = {"reward": 1.0, "rewards": 1.0, "cost": -1.0, "costs": -1.0}.get(word := self.take(), 0.0)
                if not sign:
                    raise self.error(f"values must be reward or cost, not {word!r}")
            elif key in ("states", "actions", "observations"):
                if key in self.names:
                    raise self.error(f"{key} must be declared once")
                self.names[key] = self.read_names(key)
            else:
                if not self.tables:
                    self.make_tables()
                self.read_entry(key)
        if math.isnan(discount):
            raise self.error("the file does not say `discount:`, a number from 0 to 1")
        if not self.tables:
            self.make_tables()
        tables = self.tables
        for name, what in (("T", "next state"), ("O", "observation")):
            sums = tables[name].sum(axis=2)
            wrong = np.argwhere((np.abs(sums - 1) > 1e-4) | (tables[name] < 0).any(axis=2))
            if len(wrong):
                action, state = wrong[0].tolist()
                self.at = int(self.entered[name][action, state])
                where = f"action {self.names['actions'][action]!r} and state {self.names['states'][state]!r}"
                raise self.error(
                    f"the probabilities of each {what} of {where} must be from 0 to 1 and sum to 1, not to "
                    f"{sums[action, state]:.6g}"
                )
            tables[name] /= sums[:, :, None]  # files round to a few digits
        if tables["R"].shape[3] == 1:
            rewards = sign * tables["R"][..., 0]
        else:
            rewards = sign * np.einsum("asto,ato->ast", tables["R"], tables["O"])
        states, actions, observations = (self.names[kind] for kind in ("states", "actions", "observations"))
        return PomdpTables(discount, states, actions, observations, self.starts(), tables["T"], tables["O"], rewards)

    def error(self, message: str) -> MazeError:
        """Return an error at the token that was taken last."""
        _, line, column = self.tokens[max(self.at - 1, 0)] if self.tokens else ("", 1, 1)
        return MazeError(message, line, column)

    def starts(self) -> NDArray[np.float64]:
        """Return how likely each state is at the start: what the file says so far, or all equally."""
        count = len(self.names["states"])
        return np.full(count, 1 / count) if self.start is None else self.start

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        if self.at >= len(self.tokens):
            raise self.error("the file ends too early")
        self.at += 1
        return self.tokens[self.at - 1][0]

    def need(self, token: str) -> None:
        if (found := self.take()) != token:
            raise self.error(f"{token!r} is expected, not {found!r}")

    def number(self) -> float:
        token = self.take()
        try:
            value = float(token)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(f"a number is expected, not {token!r}")
        return value

    def ends(self) -> bool:
        """Return whether a new entry begins, or the file ends."""
        after = self.tokens[self.at + 1][0] if self.at + 1 < len(self.tokens) else ""
        return not self.peek() or (self.peek() in _KEYS and after in (":", "include", "exclude"))

    def read_names(self, kind: str) -> tuple[str, ...]:
        names = []
        while not self.ends():
            names.append(self.take())
        if len(names) == 1 and names[0].isdecimal():
            count = int(names[0])
            if not 0 < count < 10**6:
                raise self.error(f"{kind} must be names, or a number of them from 1, not {count}")
            return tuple(str(number) for number in range(count))
        if not names or len(set(names)) < len(names):
            raise self.error(f"{kind} must be different names, or a number of them")
        return tuple(names)

    def make_tables(self) -> None:
        """Make T, O and R, all zeros; R has one column for all observations until a line names one of them."""
        for kind in ("states", "actions", "observations"):
            if kind not in self.names:
                raise self.error(f"{kind} must be declared before this")
        s, a, o = (len(self.names[kind]) for kind in ("states", "actions", "observations"))
        self.check_size(a * s * max(s, o))
        self.tables = {"T": np.zeros((a, s, s)), "O": np.zeros((a, s, o)), "R": np.zeros((a, s, s, 1))}
        self.entered = {"T": np.zeros((a, s), dtype=np.int64), "O": np.zeros((a, s), dtype=np.int64)}

    def check_size(self, numbers: int) -> None:
        """Check how many numbers a table holds."""
        if numbers > _MOST:
            s, a, o = (len(self.names[kind]) for kind in ("states", "actions", "observations"))
            raise self.error(f"{a} actions, {s} states and {o} observations are too many to be read as full tables")

    def index(self, kind: str) -> Any:
        token, names = self.take(), self.names[kind]
        if token == "*":
            return slice(None)
        if token in names:
            return names.index(token)
        if token.isdecimal() and int(token) < len(names):
            return int(token)
        raise self.error(f"{token!r} is not one of the {len(names)} {kind}")

    def read_start(self) -> NDArray[np.float64]:
        if "states" not in self.names:
            raise self.error("states must be declared before start")
        count, how = len(self.names["states"]), self.peek()
        if how in ("include", "exclude"):
            self.take()
        self.need(":")
        start = np.zeros(count)
        if how in ("include", "exclude"):
            while not self.ends():
                start[self.index("states")] = 1
            start = start if how == "include" else 1 - start
        elif self.peek() == "uniform":
            self.take()
            start[:] = 1
        elif self.peek() in self.names["states"] and (count > 1 and self.is_single()):
            start[self.index("states")] = 1
        elif self.peek() in self.names["states"] and not self.peek().isdecimal():
            self.take()
            raise self.error("start takes one state, or a number for each; several states are `start include: ...`")
        else:
            start[:] = [self.number() for _ in range(count)]
        if not (start >= 0).all() or not start.sum() > 0:
            raise self.error("start must hold probabilities")
        return start / start.sum()

    def is_single(self) -> bool:
        """Return whether one token alone stands before the next entry."""
        self.at += 1
        single = self.ends()
        self.at -= 1
        return single

    def read_entry(self, key: str) -> None:
        """Read `T: a : s : s' p`, or with fewer indices the row or matrix that is left."""
        kinds: dict[str, tuple[str, ...]] = {
            "T": ("actions", "states", "states"),
            "O": ("actions", "states", "observations"),
            "R": ("actions", "states", "states", "observations"),
        }
        indices: list[Any] = [self.index(kinds[key][0])]
        while self.peek() == ":" and len(indices) < len(kinds[key]):
            self.take()
            indices.append(self.index(kinds[key][len(indices)]))
        left = [len(self.names[kind]) for kind in kinds[key][len(indices) :]]
        if key == "R" and indices[3:] != [slice(None)]:
            self.tell_observations_apart()
        values = self.values(key, left)
        self.tables[key][tuple(indices)] = values
        if key in self.entered:
            self.entered[key][tuple(indices[:2])] = self.at

    def tell_observations_apart(self) -> None:
        """Make room for a reward for each observation."""
        shape = (*self.tables["R"].shape[:3], len(self.names["observations"]))
        self.check_size(math.prod(shape))
        if self.tables["R"].shape != shape:
            self.tables["R"] = np.broadcast_to(self.tables["R"], shape).copy()

    def values(self, key: str, shape: Sequence[int]) -> Any:
        word = self.peek()
        if shape and word == "uniform":
            self.take()
            return np.full(shape, 1 / shape[-1])
        if len(shape) == 2 and word == "identity" and shape[0] == shape[1]:
            self.take()
            return np.eye(shape[0])
        if key == "T" and shape and word == "reset":
            self.take()
            return self.starts()
        return np.array([self.number() for _ in range(math.prod(shape))]).reshape(shape)

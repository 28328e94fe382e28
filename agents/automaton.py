"""A finite-state controller: in a node, on an observation, take an action and go to a node; all of it two tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.int64]

ACTIONS: Final = 4


@dataclass(frozen=True)
class Bits:
    """Observations that are `count` bits, numbered sum(x[d] << d): 16 of them for `dots`."""

    count: int = 4

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or not 1 <= self.count <= 20:
            raise ValueError(f"an observation has 1 to 20 bits, not {self.count!r}")

    @property
    def observations(self) -> int:
        """How many observations there are."""
        return 1 << self.count

    def __call__(self, observation: Any) -> Any:
        """Return the number of one observation (count,), or (batch,) numbers of a batch (batch, count).

        Raises:
            ValueError: another shape, or something that is neither 0 nor 1.
        """
        x = np.asarray(observation)
        if x.ndim not in (1, 2) or x.shape[-1] != self.count or not ((x == 0) | (x == 1)).all():
            raise ValueError(f"expected {self.count} bits, or a row of them for each of a batch, not {observation!r}")
        numbers = x.astype(np.int64) @ (1 << np.arange(self.count))
        return int(numbers) if x.ndim == 1 else numbers

    def decode(self, number: Any) -> Any:
        """Return the observation of a number, or a batch of them for (batch,) numbers."""
        return (np.asarray(number)[..., None] >> np.arange(self.count) & 1).astype(np.int8)

    def to_dict(self) -> dict[str, Any]:
        """Return numbers and texts that `encoding_from_dict` reads."""
        return {"kind": "bits", "count": self.count}


@dataclass(frozen=True)
class Number:
    """Observations that are their number: 0 to observations - 1, as `index` is."""

    observations: int

    def __post_init__(self) -> None:
        if not isinstance(self.observations, int) or self.observations < 1:
            raise ValueError(f"there is at least one observation, not {self.observations!r}")

    def __call__(self, observation: Any) -> Any:
        """Return the observation itself, an int or a (batch,) array.

        Raises:
            ValueError: it is no integer, or out of range.
        """
        x = np.asarray(observation)
        if x.ndim > 1 or x.dtype.kind not in "iu" or not ((x >= 0) & (x < self.observations)).all():
            raise ValueError(f"expected integers from 0 to {self.observations - 1}, not {observation!r}")
        return int(x) if x.ndim == 0 else x.astype(np.int64)

    def decode(self, number: Any) -> Any:
        """Return the number itself."""
        return number

    def to_dict(self) -> dict[str, Any]:
        """Return numbers and texts that `encoding_from_dict` reads."""
        return {"kind": "number", "observations": self.observations}


class Codebook:
    """Observations of any shape (`view`, `position`), numbered by their place in a list of all that occur.

    Args:
        rows: (observations, ...) integers, no two alike.

    Raises:
        ValueError: no rows, two alike, or something else than integers.
    """

    def __init__(self, rows: ArrayLike) -> None:
        given = np.asarray(rows)
        if given.ndim < 2 or not given.size or given.dtype.kind not in "biu":
            raise ValueError("a codebook is a list of observations, each an array of integers, all of one shape")
        self.rows = given.astype(np.int64)
        self.rows.setflags(write=False)
        self._number = {row.tobytes(): number for number, row in enumerate(self.rows)}
        if len(self._number) < len(self.rows):
            raise ValueError("two observations of the codebook are alike")

    @property
    def observations(self) -> int:
        """How many observations there are."""
        return len(self.rows)

    def __call__(self, observation: Any) -> Any:
        """Return the number of one observation, or the (batch,) numbers of a batch.

        Raises:
            ValueError: another shape, or an observation that is not in the list.
        """
        x = np.asarray(observation).astype(np.int64)
        shape = self.rows.shape[1:]
        if x.shape[-len(shape) :] != shape or x.ndim - len(shape) not in (0, 1):
            raise ValueError(f"expected an observation of shape {shape}, or a batch of them, not of shape {x.shape}")
        try:
            if x.ndim == len(shape):
                return self._number[x.tobytes()]
            return np.array([self._number[row.tobytes()] for row in x], dtype=np.int64)
        except KeyError:
            raise ValueError("an observation that is not in the automaton's codebook") from None

    def decode(self, number: Any) -> Any:
        """Return the observation of a number, or a batch of them for (batch,) numbers."""
        return self.rows[number]

    def to_dict(self) -> dict[str, Any]:
        """Return numbers and texts that `encoding_from_dict` reads."""
        return {"kind": "codebook", "rows": self.rows.tolist()}

    def __eq__(self, other: object) -> bool:
        return np.array_equal(self.rows, other.rows) if isinstance(other, Codebook) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.rows.tobytes())

    def __repr__(self) -> str:
        return f"<Codebook of {self.observations} observations of shape {self.rows.shape[1:]}>"


Encoding = Bits | Number | Codebook


def encoding_from_dict(data: Any) -> Encoding:
    """Return what `to_dict` of an encoding made a dict of.

    Raises:
        ValueError: it is no such dict.
    """
    kinds = {"bits": ("count", Bits), "number": ("observations", Number), "codebook": ("rows", Codebook)}
    if not isinstance(data, Mapping) or data.get("kind") not in list(kinds):
        raise ValueError(f"an encoding is a dict whose 'kind' is one of {', '.join(kinds)}")
    field, make = kinds[data["kind"]]
    if set(data) != {"kind", field}:
        raise ValueError(f"an encoding of kind {data['kind']!r} has the field {field!r} and no other")
    return make(data[field])


class Automaton:
    """A Mealy machine that walks: in node q, on observation o, it takes action[q, o] and goes to next_node[q, o].

    It is an `Agent`: its state is the node, an int, or an array (batch,) of them.

    Args:
        next_node: (nodes, observations) integers, 0 to nodes - 1.
        action: (nodes, observations) integers, the directions 0 to 3.
        start: the node before the first observation.
        encode: how an observation becomes its number, the column; by default the four bits of `dots`.

    Raises:
        ValueError: tables of other shapes, or entries that are not integers or out of range.
    """

    next_node: Numbers
    """read-only"""
    action: Numbers
    """read-only"""

    def __init__(self, next_node: ArrayLike, action: ArrayLike, start: int = 0, encode: Encoding = Bits()) -> None:
        self.encode = encode
        self.next_node = _table("next_node", next_node, encode.observations)
        self.action = _table("action", action, encode.observations)
        nodes = len(self.next_node)
        if self.action.shape != self.next_node.shape:
            raise ValueError(f"action has shape {self.action.shape}, expected {self.next_node.shape}, as next_node has")
        for name, table, limit in (("next_node", self.next_node, nodes), ("action", self.action, ACTIONS)):
            for node, seen in np.argwhere((table < 0) | (table >= limit))[:1]:
                raise ValueError(f"{name}[{node}, {seen}] is {table[node, seen]}, not one of 0 to {limit - 1}")
        if isinstance(start, bool) or not isinstance(start, int | np.integer) or not 0 <= start < nodes:
            raise ValueError(f"start is one of the nodes 0 to {nodes - 1}, not {start!r}")
        self.start = int(start)

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.next_node)

    @property
    def observations(self) -> int:
        """The number of observations."""
        return self.next_node.shape[1]

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the start node, or an array (batch_size,) of it."""
        return self.start if batch_size is None else np.full(batch_size, self.start)

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action and the next node, for one observation or a batch.

        Raises:
            ValueError: an observation that `encode` does not know.
        """
        entry = np.asarray(state) * self.observations + self.encode(observation)
        action, node = self._flat[0].take(entry), self._flat[1].take(entry)
        return (int(action), int(node)) if entry.ndim == 0 else (action, node)

    @cached_property
    def _flat(self) -> tuple[Numbers, Numbers]:
        return self.action.ravel(), self.next_node.ravel()

    def minimised(self) -> "Automaton":
        """Return the smallest automaton that acts alike on every sequence of observations; its nodes in a fixed order.

        Nodes that the start does not lead to are dropped, nodes that no sequence tells apart are merged, by refining
        classes until nothing changes (E. F. Moore, Gedanken-experiments on sequential machines, 1956); then they are
        numbered as a breadth-first search from the start meets them. Automata that act alike become equal.
        """
        classes = _classes_of(self.action)
        while True:
            finer = _classes_of(np.column_stack([classes, classes[self.next_node]]))
            if finer.max() == classes.max():
                break
            classes = finer
        order = [int(classes[self.start])]  # classes, as they are met
        first = np.unique(classes, return_index=True)[1]  # a node of each class
        for met in order:
            order += [c for c in dict.fromkeys(classes[self.next_node[first[met]]].tolist()) if c not in order]
        number = np.full(len(first), -1)
        number[order] = range(len(order))
        kept = first[order]
        return Automaton(number[classes[self.next_node[kept]]], self.action[kept], 0, self.encode)

    def to_dict(self) -> dict[str, Any]:
        """Return lists, numbers and texts (JSON) that `from_dict` reads."""
        return {
            "next_node": self.next_node.tolist(),
            "action": self.action.tolist(),
            "start": self.start,
            "encode": self.encode.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Any) -> "Automaton":
        """Return the automaton of a dict that `to_dict` made.

        Raises:
            ValueError: it is no such dict; the message says what is wrong with it.
        """
        fields = ("next_node", "action", "start", "encode")
        if not isinstance(data, Mapping) or set(data) != set(fields):
            raise ValueError(f"an automaton is a dict of {', '.join(fields)}")
        return Automaton(data["next_node"], data["action"], data["start"], encoding_from_dict(data["encode"]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Automaton):
            return NotImplemented
        same = self.start == other.start and self.encode == other.encode
        tables = ((self.next_node, other.next_node), (self.action, other.action))
        return same and all(np.array_equal(mine, yours) for mine, yours in tables)

    def __hash__(self) -> int:
        return hash((self.start, self.next_node.tobytes(), self.action.tobytes()))

    def __repr__(self) -> str:
        return f"<Automaton of {self.nodes} nodes, {self.observations} observations, starts in {self.start}>"


def _table(name: str, table: ArrayLike, observations: int) -> Numbers:
    try:
        given = np.asarray(table)
    except ValueError:  # rows of unequal length
        given = np.empty(0)
    if given.ndim != 2 or given.shape[1] != observations or not len(given):
        raise ValueError(f"{name} is a table of one row a node and {observations} columns, one an observation")
    if given.dtype.kind not in "iu":
        raise ValueError(f"{name} holds integers, not {given.dtype}")
    copy = given.astype(np.int64)
    copy.setflags(write=False)
    return copy


def _classes_of(rows: Numbers) -> Numbers:
    """Return a number for each row, (n,): the same for equal rows, from 0 without a gap."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)

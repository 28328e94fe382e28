"""A finite-state controller: for each node and observation, two tables give the action and the next node."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from ...envs.maps.arguments import is_whole, whole
from ...envs.maps.moves import MAX_ACTIONS
from .encodings import Bits, Encoding, encoding_from_dict
from .minimisation import Ints, breadth_first, merge_equivalent

ACTIONS: Final = 4
"""the directions: the actions where nothing else is said"""
DOTS: Final = Bits()
"""the encoding of `dots`: four bits"""


class Automaton:
    """A Mealy machine that acts: in node q, on observation o, it takes action[q, o] and goes to next_node[q, o].

    It is an `Agent`; its state is the node, an int, or a (batch,) array of nodes.

    Args:
        next_node: (nodes, observations) integers, 0 to nodes - 1.
        action: (nodes, observations) integers, 0 to actions - 1.
        start: the node before the first observation.
        encode: from an observation to its number, the column; by default the four bits of `dots`.
        actions: the number of actions.

    Raises:
        ValueError: a table of another shape, or an entry that is not an integer or out of range.

    Example:
        >>> from mazegrad.agents import Automaton, Number
        >>> toggle = Automaton(next_node=[[1], [0]], action=[[1], [2]], encode=Number(1))  # right, left, right ...
        >>> action, node = toggle.act(0, toggle.initial_state())
        >>> action, node
        (1, 1)
        >>> toggle.act(0, node)
        (2, 0)
    """

    next_node: Ints
    """(nodes, observations), read-only"""
    action: Ints
    """(nodes, observations), read-only"""

    def __init__(
        self, next_node: ArrayLike, action: ArrayLike, start: int = 0, encode: Encoding = DOTS, actions: int = ACTIONS
    ) -> None:
        self.encode, self.actions = encode, whole("actions", actions, 1, MAX_ACTIONS)
        self.next_node = _table("next_node", next_node, encode.observations)
        self.action = _table("action", action, encode.observations)
        nodes = len(self.next_node)
        if self.action.shape != self.next_node.shape:
            raise ValueError(
                f"action must have the shape of next_node, {self.next_node.shape}, not {self.action.shape}"
            )
        for name, table, limit in (("next_node", self.next_node, nodes), ("action", self.action, self.actions)):
            for node, number in np.argwhere((table < 0) | (table >= limit))[:1]:
                raise ValueError(f"{name}[{node}, {number}] must be from 0 to {limit - 1}, not {table[node, number]}")
        if not is_whole(start) or not 0 <= start < nodes:
            raise ValueError(f"start must be a node from 0 to {nodes - 1}, not {start!r}")
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
            ValueError: an observation that `encode` does not accept.
        """
        entry = np.asarray(state) * self.observations + self.encode(observation)
        action, node = self._flat[0].take(entry), self._flat[1].take(entry)
        return (int(action), int(node)) if entry.ndim == 0 else (action, node)

    @cached_property
    def _flat(self) -> tuple[Ints, Ints]:
        return self.action.ravel(), self.next_node.ravel()

    def minimised(self) -> "Automaton":
        """Return the smallest automaton with the same actions on every sequence of observations.

        Its nodes are numbered as a breadth-first search from the start finds them, so that automata with the same
        behaviour become equal.
        """
        table, number = merge_equivalent(np.stack([self.action, self.next_node], axis=-1))
        table = breadth_first(table, int(number[self.start]))
        return Automaton(table[..., 1], table[..., 0], 0, self.encode, self.actions)

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON that `from_dict` reads."""
        return {
            "next_node": self.next_node.tolist(),
            "action": self.action.tolist(),
            "start": self.start,
            "encode": self.encode.to_dict(),
            **({} if self.actions == ACTIONS else {"actions": self.actions}),
        }

    @classmethod
    def from_dict(cls, data: Any) -> "Automaton":
        """Return the automaton that a dict from `to_dict` describes.

        Raises:
            ValueError: not such a dict; the message says what is wrong.
        """
        fields = ("next_node", "action", "start", "encode")
        if not isinstance(data, Mapping) or set(data) - {"actions"} != set(fields):
            raise ValueError(f"an automaton must be a dict with the fields {', '.join(fields)}")
        encode, actions = encoding_from_dict(data["encode"]), data.get("actions", ACTIONS)
        return Automaton(data["next_node"], data["action"], data["start"], encode, actions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Automaton):
            return NotImplemented
        same = (self.start, self.encode, self.actions) == (other.start, other.encode, other.actions)
        return same and np.array_equal(self.next_node, other.next_node) and np.array_equal(self.action, other.action)

    def __hash__(self) -> int:
        return hash((self.start, self.next_node.tobytes(), self.action.tobytes()))

    def __repr__(self) -> str:
        return f"<Automaton with {self.nodes} nodes, {self.observations} observations, start {self.start}>"


def _table(name: str, table: ArrayLike, observations: int) -> Ints:
    try:
        given = np.asarray(table)
    except ValueError:  # rows of unequal length
        given = np.empty(0)
    if given.ndim != 2 or given.shape[1] != observations or not len(given):
        raise ValueError(f"{name} must have one row for each node and {observations} columns, one for each observation")
    if given.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold integers, not {given.dtype}")
    copy = given.astype(np.int64)
    copy.setflags(write=False)
    return copy

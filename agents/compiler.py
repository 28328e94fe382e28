"""An automaton becomes a recurrent net of thresholds: one unit for each node and observation, and one to start.

The construction is that of Minsky, Computation: Finite and Infinite Machines (1967), chapter 3, with the read-out of a
Mealy machine. Unit (q, o) fires when the node before was q and o is seen. In every step exactly one unit fires, and
which one says the node that comes next; so "the node before was q" is the sum of the units that lead to q. With inputs
x of zeros and ones, o in the same code, and |o| the number of its ones,

    z = 2 sum over i of (2 o_i - 1) x_i   +   2 [the node before was q]   -   (2 |o| + 1)

is 1 if x = o and the node was q, and an odd number below 0 if not: each wrong bit costs 2, a wrong node costs 2.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .automaton import ACTIONS, Automaton, Bits
from .rnn import LinearRNN

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

MAX_UNITS: Final = 8192
"""of a compiled net: U has the square of it, half a gigabyte"""


class ThresholdRNN(LinearRNN):
    """The recurrent net of the exercise with a threshold: `h_{t+1} = step(W x_t + U h_t + b)`, step(z) = [z > 0]."""

    def step(self, x: ArrayLike, h: ArrayLike) -> Any:
        """Return which units fire, bools (..., n); x (..., m) and h (..., n) of zeros and ones."""
        return self.preactivation(x, h) > 0

    def preactivation(self, x: ArrayLike, h: ArrayLike) -> Array:
        """Return W x + U h + b, (..., n)."""
        h = np.asarray(h)
        firing = np.flatnonzero(h)
        if np.array_equal(firing // h.shape[-1], np.arange(h.size // h.shape[-1])):
            # one unit fires in each row: U h is its column
            z = self.U.T.take(firing % h.shape[-1], axis=0).reshape(h.shape)
        else:
            z = h @ self.U.T
        z += np.asarray(x) @ self.W.T
        z += self.b
        return z


@dataclass(frozen=True, eq=False)
class CompiledAutomaton:
    """A threshold net that does what an automaton does: an `Agent` whose state is h, bools (n,) or (batch, n).

    Unit node * observations + o is that of the pair (node, o); the last one starts.
    """

    automaton: Automaton
    rnn: ThresholdRNN
    """n = nodes * observations + 1 units; its inputs are the bits, or where observations are no bits one for each"""
    readout: Array
    """(4, n): the action is the largest entry of readout @ h"""

    @property
    def encode(self) -> Any:
        """How an observation becomes its number; the automaton's."""
        return self.automaton.encode

    def initial_state(self, batch_size: int | None = None) -> Bools:
        """Return h_0, in which the unit to start fires: (n,), or a row for each of the batch."""
        h = self.rnn.h0 > 0
        return h if batch_size is None else np.tile(h, (batch_size, 1))

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action and h, for one observation or a batch.

        Raises:
            ValueError: an observation that `encode` does not know.
        """
        number = self.automaton.encode(observation)
        x = observation if _has_bits(self.automaton) else np.eye(self.automaton.observations)[number]
        h = self.rnn.step(x, state)
        action = self._actions(h)
        return (int(action) if action.ndim == 0 else action), h

    def _actions(self, h: Bools) -> NDArray[np.int64]:
        return (h @ self.readout.T).argmax(axis=-1)

    def verify(self) -> bool:
        """Return whether the net does what the automaton does, on every sequence of observations; exhaustive.

        At first the unit to start fires, and it alone. From every unit that may fire alone, each of which stands for a
        node, every observation leads to exactly the unit that the table says, with the table's action: by induction the
        net is the automaton.
        """
        units = len(self.rnn.b)
        expected_start = np.arange(units) == units - 1
        if self.rnn.U.shape != (units, units) or not np.array_equal(self.rnn.h0, expected_start):
            return False
        node, alone = _node_after(self.automaton), np.eye(units, dtype=bool)
        if units != len(node):
            return False
        for number, x in enumerate(_inputs(self.automaton)):
            h = self.rnn.step(np.broadcast_to(x, (units, len(x))), alone)
            if not np.array_equal(h, alone[node * self.automaton.observations + number]):
                return False
            if not np.array_equal(self._actions(h), self.automaton.action[node, number]):
                return False
        return True

    @property
    def margin(self) -> float:
        """How much noise the weights bear: the largest eps for which less than eps on every entry changes nothing.

        While every entry of W, U and b is off by less than this, no unit's firing changes, whatever is seen, for ever;
        by more, and there is noise that makes a unit err. (In exact arithmetic: rounding adds some 1e-15.) Noise of
        eps moves z by at most eps times one for each input that is 1, one for the unit that fired and one for b; so
        the margin is the smallest abs(z) / (ones + 2), over all that can be seen in all nodes: 1 / 6 for four bits.
        """
        alone = np.eye(len(self.rnn.b), dtype=bool)
        return min(
            float(np.abs(self.rnn.preactivation(np.broadcast_to(x, (len(alone), len(x))), alone)).min() / (x.sum() + 2))
            for x in _inputs(self.automaton)
        )

    def __repr__(self) -> str:
        return f"<CompiledAutomaton of {self.automaton.nodes} nodes: {len(self.rnn.b)} threshold units>"


def compile_automaton(automaton: Automaton) -> CompiledAutomaton:
    """Return W, U, b of small integers, and a read-out, that do what the automaton does.

    Raises:
        ValueError: it takes more than `MAX_UNITS` units.
        TypeError: it is no Automaton.
    """
    if not isinstance(automaton, Automaton):
        raise TypeError(
            f"an Automaton is compiled, not a {type(automaton).__name__}; extract_automaton(agent, worlds) makes one"
        )
    nodes, observations = automaton.nodes, automaton.observations
    units = nodes * observations + 1
    if units > MAX_UNITS:
        raise ValueError(
            f"{nodes} nodes and {observations} observations take {units:,} units; {MAX_UNITS:,} is the most"
        )
    inputs = _inputs(automaton)
    W, b = np.zeros((units, inputs.shape[1])), np.full(units, -1.0)
    U = np.zeros((units, units), order="F")  # columns are what is read
    W[:-1] = np.tile(4 * inputs - 2, (nodes, 1))
    U[:-1] = 2 * (np.repeat(np.arange(nodes), observations)[:, None] == _node_after(automaton))
    b[:-1] = np.tile(-2 * inputs.sum(axis=1) - 1, nodes)
    readout = np.zeros((ACTIONS, units))
    readout[automaton.action.ravel(), np.arange(units - 1)] = 1
    return CompiledAutomaton(automaton, ThresholdRNN(W, U, b, np.eye(units)[-1]), readout)


def _inputs(automaton: Automaton) -> Array:
    """Return what the net is shown for each observation, (observations, m): its bits, or one input for each."""
    count = automaton.observations
    return automaton.encode.decode(np.arange(count)).astype(float) if _has_bits(automaton) else np.eye(count)


def _has_bits(automaton: Automaton) -> bool:
    return isinstance(automaton.encode, Bits)


def _node_after(automaton: Automaton) -> NDArray[np.int64]:
    """Return the node that comes after each unit fired, (units,)."""
    return np.append(automaton.next_node.ravel(), automaton.start)

"""An automaton compiled into a recurrent net: one threshold unit for each node and observation, and a start unit.

The construction is that of Minsky, Computation: Finite and Infinite Machines (1967), chapter 3, with the read-out of a
Mealy machine. Unit (q, o) fires when the previous node is q and the observation is o. In every step exactly one unit
fires, and that unit determines the next node; so [the previous node is q] is the sum of the units that lead to q. For
inputs x of zeros and ones, o in the same code, and |o| the number of its ones,

    z = 2 sum over i of (2 o_i - 1) x_i   +   2 [the previous node is q]   -   (2 |o| + 1)

is 1 if x = o and the previous node is q, else an odd number below 0: each wrong bit costs 2, and so does a wrong node.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..rnn import LinearRNN
from .automaton import Automaton
from .encodings import Bits, Encoding

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

MAX_UNITS: Final = 8192
"""of a compiled net: U has the square of it, half a gigabyte"""


class ThresholdRNN(LinearRNN):
    """The recurrent net of exercise 38 with a threshold: `h_{t+1} = step(W x_t + U h_t + b)`, step(z) = [z > 0].

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import ThresholdRNN
        >>> rnn = ThresholdRNN(W=[[1, 1], [1, 1]], U=[[0, 0], [0, 0]], b=[-0.5, -1.5], h0=[0, 0])  # or, and
        >>> rnn.step([[0, 0], [0, 1], [1, 1]], np.zeros((3, 2)))
        array([[False, False],
               [ True, False],
               [ True,  True]])
    """

    def step(self, x: ArrayLike, h: ArrayLike) -> Any:
        """Return which units fire.

        Args:
            x: (..., m) zeros and ones.
            h: (..., n) zeros and ones, or bools.

        Returns:
            (..., n) bools.
        """
        return self.preactivation(x, h) > 0

    def preactivation(self, x: ArrayLike, h: ArrayLike) -> Array:
        """Return W x + U h + b, (..., n), for the arguments of `step`."""
        h = np.asarray(h)
        firing = np.flatnonzero(h)
        if np.array_equal(firing // h.shape[-1], np.arange(h.size // h.shape[-1])):
            # one unit fires in each row, so U h is a column of U
            z = self.U.T.take(firing % h.shape[-1], axis=0).reshape(h.shape)
        else:
            z = h @ self.U.T
        z += np.asarray(x) @ self.W.T
        z += self.b
        return z


@dataclass(frozen=True, eq=False)
class CompiledAutomaton:
    """A threshold net that behaves as an automaton does: an `Agent` whose state is h, bools (n,) or (batch, n).

    Unit node * observations + o is that of the pair (node, o); the last unit is the start unit.

    Example:
        >>> from mazegrad.agents import compile_automaton, path_follower_automaton
        >>> net = compile_automaton(path_follower_automaton())
        >>> net.rnn.W.shape, net.rnn.U.shape, net.readout.shape
        ((65, 4), (65, 65), (4, 65))
        >>> action, h = net.act([0, 1, 0, 0], net.initial_state())
        >>> action, int(h.sum())  # one unit fires
        (1, 1)
    """

    automaton: Automaton
    rnn: ThresholdRNN
    """n = nodes * observations + 1 units; the inputs are the bits, or for other observations a one-hot code"""
    readout: Array
    """(actions, n): the action is the index of the largest entry of readout @ h"""

    @property
    def encode(self) -> Encoding:
        """From an observation to its number; the automaton's."""
        return self.automaton.encode

    def initial_state(self, batch_size: int | None = None) -> Bools:
        """Return h_0, in which only the start unit fires: (n,), or (batch_size, n)."""
        h = self.rnn.h0 > 0
        return h if batch_size is None else np.tile(h, (batch_size, 1))

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action and h, for one observation or a batch.

        Raises:
            ValueError: an observation that `encode` does not accept.
        """
        number = self.encode(observation)
        bits = isinstance(self.encode, Bits)
        x = observation if bits else np.eye(self.automaton.observations)[number]
        h = self.rnn.step(x, state)
        action = self._actions(h)
        return (int(action) if action.ndim == 0 else action), h

    def _actions(self, h: Bools) -> NDArray[np.int64]:
        return (h @ self.readout.T).argmax(axis=-1)

    def verify(self) -> bool:
        """Return whether the net takes the automaton's actions on every sequence of observations; exhaustive.

        At first only the start unit fires. After each unit the automaton is in a known node. If for every unit and
        every observation exactly the unit of (node, observation) fires next, with the action of the table, then by
        induction the net is equivalent to the automaton.
        """
        units = len(self.rnn.b)
        expected_start = np.arange(units) == units - 1
        if self.rnn.U.shape != (units, units) or not np.array_equal(self.rnn.h0, expected_start):
            return False
        node, one_hot = _node_after(self.automaton), np.eye(units, dtype=bool)
        if units != len(node):
            return False
        for number, x in enumerate(_inputs(self.automaton)):
            h = self.rnn.step(np.broadcast_to(x, (units, len(x))), one_hot)
            if not np.array_equal(h, one_hot[node * self.automaton.observations + number]):
                return False
            if not np.array_equal(self._actions(h), self.automaton.action[node, number]):
                return False
        return True

    @property
    def margin(self) -> float:
        """The largest eps such that noise of less than eps on every weight changes nothing.

        While every entry of W, U and b is off by less than this, the same units fire on every sequence of observations;
        larger noise can make a unit wrong. (This is for exact arithmetic: rounding adds some 1e-15.)
        Noise of eps changes z by at most eps for each input that is 1, for the unit that fired and for b. So the margin
        is the minimum of abs(z) / (ones + 2) over all observations in all nodes: 1 / 6 for four bits.
        """
        one_hot = np.eye(len(self.rnn.b), dtype=bool)
        margins = []
        for x in _inputs(self.automaton):
            z = self.rnn.preactivation(np.broadcast_to(x, (len(one_hot), len(x))), one_hot)
            margins.append(float(np.abs(z).min() / (x.sum() + 2)))
        return min(margins)

    def __repr__(self) -> str:
        return f"<CompiledAutomaton with {self.automaton.nodes} nodes: {len(self.rnn.b)} threshold units>"


def compile_automaton(automaton: Automaton) -> CompiledAutomaton:
    """Return a threshold net that is equivalent to an automaton; its weights are small integers.

    Args:
        automaton: of n nodes and m observations; the net has n * m + 1 units.

    Raises:
        TypeError: not an Automaton.
        ValueError: the net would need more than `MAX_UNITS` units.

    Example:
        >>> from mazegrad.agents import compile_automaton, t_maze_automaton
        >>> net = compile_automaton(t_maze_automaton())
        >>> net.rnn.U.shape, net.verify()
        ((33, 33), True)
        >>> round(net.margin, 4)
        0.1667
    """
    if not isinstance(automaton, Automaton):
        raise TypeError(
            f"expected an Automaton, not {type(automaton).__name__}; use extract_automaton(agent, worlds) to get one"
        )
    nodes, observations = automaton.nodes, automaton.observations
    units = nodes * observations + 1
    if units > MAX_UNITS:
        raise ValueError(
            f"a compiled net has {MAX_UNITS:,} units at most; {nodes} nodes and {observations} observations "
            f"need {units:,}"
        )
    inputs = _inputs(automaton)
    W, b = np.zeros((units, inputs.shape[1])), np.full(units, -1.0)
    U = np.zeros((units, units), order="F")  # `preactivation` reads columns
    W[:-1] = np.tile(4 * inputs - 2, (nodes, 1))
    U[:-1] = 2 * (np.repeat(np.arange(nodes), observations)[:, None] == _node_after(automaton))
    b[:-1] = np.tile(-2 * inputs.sum(axis=1) - 1, nodes)
    readout = np.zeros((automaton.actions, units))
    readout[automaton.action.ravel(), np.arange(units - 1)] = 1
    return CompiledAutomaton(automaton, ThresholdRNN(W, U, b, np.eye(units)[-1]), readout)


def _inputs(automaton: Automaton) -> Array:
    """Return the net's input for each observation, (observations, m): its bits, or a one-hot code."""
    count = automaton.observations
    if isinstance(automaton.encode, Bits):
        return automaton.encode.decode(np.arange(count)).astype(float)
    return np.eye(count)


def _node_after(automaton: Automaton) -> NDArray[np.int64]:
    """Return for each unit the node after it fired, (units,)."""
    return np.append(automaton.next_node.ravel(), automaton.start)

"""Recurrent nets with hand-set W, U, b that steer: exercise 38, its solution, and a hand on the wall."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..envs import opposite
from ..envs.planning.solvers import hand_turns

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearRNN:
    """The recurrent net of exercise 38, `h_{t+1} = W x_t + U h_t + b`, purely linear.

    Args:
        W: (n, m), from the input to the hidden state.
        U: (n, n), from the hidden state to the next.
        b: (n,).
        h0: (n,), the hidden state before the first input.

    Raises:
        ValueError: shapes that do not fit, what is no array of numbers, or numbers that are not finite.
    """

    W: Array
    U: Array
    b: Array
    h0: Array

    def __init__(self, W: ArrayLike, U: ArrayLike, b: ArrayLike, h0: ArrayLike) -> None:
        n = len(np.atleast_1d(_numbers("b", b)))
        shapes = {"W": (n, None), "U": (n, n), "b": (n,), "h0": (n,)}
        for name, value in {"W": W, "U": U, "b": b, "h0": h0}.items():
            array = _numbers(name, value)
            expected = shapes[name]
            if array.ndim != len(expected) or any(
                e not in (None, s) for e, s in zip(expected, array.shape, strict=True)
            ):
                wanted = str(expected).replace("None", "inputs")
                raise ValueError(f"{name} has shape {array.shape}, expected {wanted}, since b has {n} numbers")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} has a number that is not finite: {array[~np.isfinite(array)][0]}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def step(self, x: ArrayLike, h: ArrayLike) -> Array:
        """Return the next hidden state; x (..., m) and h (..., n), with the same leading axes."""
        return np.asarray(x) @ self.W.T + np.asarray(h) @ self.U.T + self.b


def _numbers(name: str, value: ArrayLike) -> Array:
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is an array of numbers, its rows of one length, not {value!r:.80}") from None


@dataclass(frozen=True, eq=False)
class RNNAgent:
    """Walk where the largest hidden unit points: the action is argmax h_{t+1}.

    Args:
        rnn: a net with one hidden unit an action; ties go to the first.
        feedback: "raw" feeds h back as it is, as the sheet has it; "one_hot" feeds back the indicator of its argmax.
    """

    rnn: LinearRNN
    feedback: Literal["raw", "one_hot"] = "raw"

    def __post_init__(self) -> None:
        if self.feedback not in ("raw", "one_hot"):
            raise ValueError(f'feedback is "raw" or "one_hot", not {self.feedback!r}')

    def initial_state(self, batch_size: int | None = None) -> Array:
        """Return h_0, (n,), or a row of it for each of the batch, (batch_size, n)."""
        return np.array(self.rnn.h0) if batch_size is None else np.tile(self.rnn.h0, (batch_size, 1))

    def act(self, observation: Any, state: Array) -> tuple[Any, Array]:
        """Return argmax h and h, for one observation (m,) or a batch (batch, m).

        Raises:
            ValueError: the observation does not have the net's number of inputs.
        """
        x = np.asarray(observation)
        if x.shape[-1:] != self.rnn.W.shape[1:] or x.ndim != state.ndim:
            expected = (*state.shape[:-1], self.rnn.W.shape[1])
            raise ValueError(f"the observation has shape {x.shape}, the net expects {expected}")
        h = self.rnn.step(x, state)
        action = h.argmax(axis=-1)
        if self.feedback == "one_hot":
            h = np.eye(h.shape[-1])[action]
        return (int(action) if action.ndim == 0 else action), h


EXCHANGE: Array = np.eye(4)[[opposite(direction) for direction in range(4)]]
"""J, (4, 4): maps each direction to its opposite."""
EXCHANGE.setflags(write=False)


def path_follower() -> RNNAgent:
    """Return the hand-set solution of exercise 38: W = 2 I, U = (I - J) / 2, b = 0, h_0 = (1, 0, 0, 0).

    U keeps the difference of each axis, which is the heading, and drops the sum. The agent follows every path that does
    not touch itself, from every start, for ever, with a margin of at least 1/2; the proof is in docs/exercise_38.md.
    """
    return RNNAgent(LinearRNN(W=2 * np.eye(4), U=(np.eye(4) - EXCHANGE) / 2, b=np.zeros(4), h0=[1, 0, 0, 0]))


def wall_follower_rnn(hand: Literal["right", "left"] = "right") -> RNNAgent:
    """Return a net that keeps a hand on the wall: W = 4 I, b = 0, one-hot feedback, h_0 = up.

    h is the indicator of the heading, so U h_t is one column of U: how much each direction is wanted when heading
    there, from 3 for the hand's side to 0 for back. A dot adds 4, more than any wish: the most wanted dot wins. Such
    preferences are no linear function of the axes' differences, which is why the feedback has to be one-hot. It solves
    every maze without loops, as `WallFollower` does.

    Raises:
        ValueError: the hand is neither "right" nor "left".
    """
    U = np.zeros((4, 4))
    for heading, turns in hand_turns(hand).items():
        U[turns, heading] = [3, 2, 1, 0]
    return RNNAgent(LinearRNN(W=4 * np.eye(4), U=U, b=np.zeros(4), h0=[1, 0, 0, 0]), feedback="one_hot")

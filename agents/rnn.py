"""Recurrent nets as agents, with W, U, b set by hand: exercise 38, its solution, and a wall follower."""

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
        W: (n, m), from the input to the next hidden state.
        U: (n, n), from the hidden state to the next one.
        b: (n,).
        h0: (n,), the hidden state before the first input.

    Raises:
        ValueError: an argument that is not an array of finite numbers, or whose shape does not fit the others.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import LinearRNN
        >>> rnn = LinearRNN(W=np.eye(4), U=np.zeros((4, 4)), b=np.zeros(4), h0=[1, 0, 0, 0])
        >>> rnn.step(np.array([0, 1, 0, 0]), rnn.h0)
        array([0., 1., 0., 0.])
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
                raise ValueError(f"{name} must have the shape {wanted}, since b has {n} entries, not {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite, but has the entry {array[~np.isfinite(array)][0]}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def step(self, x: ArrayLike, h: ArrayLike) -> Array:
        """Return the next hidden state, (..., n), of inputs x (..., m) and hidden states h (..., n)."""
        return np.asarray(x) @ self.W.T + np.asarray(h) @ self.U.T + self.b


def _numbers(name: str, value: ArrayLike) -> Array:
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of numbers with rows of equal length, not {value!r:.80}") from None


@dataclass(frozen=True, eq=False)
class RNNAgent:
    """An `Agent` that takes the action of the largest hidden unit, argmax h_{t+1}; its state is h.

    Args:
        rnn: a net with one hidden unit for each action; of equal units the first counts.
        feedback: "raw" feeds back h itself, as in exercise 38; "one_hot" feeds back the indicator of its argmax.

    Raises:
        TypeError: rnn is not a LinearRNN.
        ValueError: an unknown feedback.

    Example:
        >>> import gymnasium
        >>> import numpy as np
        >>> import mazegrad
        >>> from mazegrad.agents import LinearRNN, RNNAgent, evaluate
        >>> J = np.eye(4)[::-1]
        >>> agent = RNNAgent(LinearRNN(W=2 * np.eye(4), U=(np.eye(4) - J) / 2, b=np.zeros(4), h0=[1, 0, 0, 0]))
        >>> print(evaluate(gymnasium.make("mazegrad/PathFollow-v0"), agent, episodes=1, seed=0))
        1 episode: 100.0% succeed, mean return 1.000, mean length 70.0
    """

    rnn: LinearRNN
    feedback: Literal["raw", "one_hot"] = "raw"

    def __post_init__(self) -> None:
        if not isinstance(self.rnn, LinearRNN):
            raise TypeError(f"expected a LinearRNN(W, U, b, h0), not {type(self.rnn).__name__}")
        if self.feedback not in ("raw", "one_hot"):
            raise ValueError(f'feedback must be "raw" or "one_hot", not {self.feedback!r}')

    def initial_state(self, batch_size: int | None = None) -> Array:
        """Return h_0, (n,), or copies of it, (batch_size, n)."""
        return np.array(self.rnn.h0) if batch_size is None else np.tile(self.rnn.h0, (batch_size, 1))

    def act(self, observation: Any, state: Array) -> tuple[Any, Array]:
        """Return argmax h and h, for one observation (m,) or a batch (batch, m).

        Raises:
            ValueError: an observation whose shape does not fit the net and the state.
        """
        x = np.asarray(observation)
        if x.shape[-1:] != self.rnn.W.shape[1:] or x.ndim != state.ndim:
            expected = (*state.shape[:-1], self.rnn.W.shape[1])
            raise ValueError(f"the observation must have the shape {expected}, not {x.shape}")
        h = self.rnn.step(x, state)
        action = h.argmax(axis=-1)
        if self.feedback == "one_hot":
            h = np.eye(h.shape[-1])[action]
        return (int(action) if action.ndim == 0 else action), h


EXCHANGE: Array = np.eye(4)[[opposite(direction) for direction in range(4)]]
"""J, (4, 4), read-only: maps each direction to its opposite."""
EXCHANGE.setflags(write=False)


def path_follower() -> RNNAgent:
    """Return the hand-set solution of exercise 38: W = 2 I, U = (I - J) / 2, b = 0, h_0 = (1, 0, 0, 0).

    U keeps the difference along each axis, which is the heading, and drops the sum. The agent follows every path that
    does not touch itself, of any length and from every start, with a margin of at least 1/2. The proof is in
    docs/exercise_38.md.

    Example:
        >>> from mazegrad.agents import follows_every_path, path_follower
        >>> follows_every_path(path_follower())
        True
    """
    return RNNAgent(LinearRNN(W=2 * np.eye(4), U=(np.eye(4) - EXCHANGE) / 2, b=np.zeros(4), h0=[1, 0, 0, 0]))


def wall_follower_rnn(hand: Literal["right", "left"] = "right") -> RNNAgent:
    """Return a net that follows the wall on one hand: W = 4 I, b = 0, one-hot feedback, h_0 = up.

    h is the indicator of the heading, so U h_t is one column of U: the preference for each direction under this
    heading, from 3 for the side of the hand to 0 for back. A dot adds 4, more than any preference, so the agent goes to
    the dot that it prefers. Such preferences are not a linear function of the differences along the axes, which is why
    the feedback must be one-hot. The agent solves every maze without loops, as `WallFollower` does.

    Raises:
        ValueError: a hand other than "right" and "left".

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.agents import evaluate, wall_follower_rnn
        >>> envs = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=20, size=(4, 4))
        >>> bool(evaluate(envs, wall_follower_rnn(), episodes=20, seed=0).successes.all())
        True
    """
    U = np.zeros((4, 4))
    for heading, turns in hand_turns(hand).items():
        U[turns, heading] = [3, 2, 1, 0]
    return RNNAgent(LinearRNN(W=4 * np.eye(4), U=U, b=np.zeros(4), h0=[1, 0, 0, 0]), feedback="one_hot")

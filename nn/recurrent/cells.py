"""Recurrent cells: one step at a time. Names, defaults, gate order and weight layouts are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import operations
from ..checks import POSITIVE_INTEGER, check
from . import sequences
from .weights import Weighted, nonlinearity_settings, with_axis


class _Cell(Weighted):
    """One step: a sequence of length one."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check(POSITIVE_INTEGER, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.settings = input_size, hidden_size, {}
        self.make_weights("", input_size, bias, rng or np.random.default_rng(), dtype)

    def forward(self, x: Any, state: Any = None) -> Any:
        """One step.

        Args:
            x: (batch, input_size), or one input (input_size,).
            state: h, for an LSTM (h, c), each (batch, hidden_size), or (hidden_size,); zeros by default.

        Returns:
            The next state.

        Raises:
            ValueError: a shape does not fit.
        """
        if np.ndim(x) not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(f"{type(self).__name__} takes x (batch, {self.input_size}), not {np.shape(x)}")
        parts, single = self.parts_of(state), np.ndim(x) == 1
        if single:
            x, *parts = with_axis(0, x, *parts)
        _, *end = self.run("", operations.expand_dims(x, 0), parts)
        return self.state_of([part[0] for part in end] if single else end)

    def extra_repr(self) -> str:
        """The settings."""
        return ", ".join(self.repr_of_settings())


class RNNCell(_Cell):
    """One step of `RNN`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> cell = nn.RNNCell(2, 2, nonlinearity="linear", bias=False, rng=np.random.default_rng(0))
        >>> cell.weight_ih.assign(np.eye(2))
        >>> cell.weight_hh.assign(0.5 * np.eye(2))
        >>> cell(nn.Tensor([1.0, 0.0]), nn.Tensor([0.0, 4.0]))  # W x + U h
        Tensor([1., 2.], shape=(2,), float32, made by getitem)
    """

    sequence = staticmethod(sequences.rnn)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        leak: float = 1.0,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        settings = nonlinearity_settings(nonlinearity, leak)
        super().__init__(input_size, hidden_size, bias, rng=rng, dtype=dtype)
        self.settings = settings


class LSTMCell(_Cell):
    """One step of `LSTM`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> cell = nn.LSTMCell(3, 5, rng=np.random.default_rng(0))
        >>> h, c = cell(np.ones((2, 3), np.float32))
        >>> h, c = cell(np.ones((2, 3), np.float32), (h, c))
        >>> h.shape, c.shape
        ((2, 5), (2, 5))
    """

    sequence, gates, parts = staticmethod(sequences.lstm), 4, 2


class GRUCell(_Cell):
    """One step of `GRU`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> cell = nn.GRUCell(3, 5, rng=np.random.default_rng(0))
        >>> h = None
        >>> for x_t in np.ones((7, 2, 3), np.float32):
        ...     h = cell(x_t, h)
        >>> h.shape, cell.weight_hh.shape
        ((2, 5), (15, 5))
    """

    sequence, gates = staticmethod(sequences.gru), 3

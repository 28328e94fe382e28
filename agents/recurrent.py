"""A trained recurrent net as an agent: the net's hidden state is the state of the agent, which the caller keeps."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..nn import GRU, LSTM, RNN, Module, no_grad


class RecurrentAgent:
    """An `Agent` whose action is the argmax of the logits, `readout(output)` of a recurrent net's last layer.

    Its state is the state of the net with the batch first: (batch, layers, hidden), for an LSTM a pair (h, c) of such
    arrays; without a batch (layers, hidden).

    Args:
        net: `nn.RNN`, `nn.LSTM` or `nn.GRU`, not bidirectional. It is not copied, so training it changes the agent.
        readout: from (batch, hidden) to (batch, actions) logits; by default the units of the last layer are the logits.
        h0: the state before the first observation, (layers, hidden), for an LSTM a pair of such arrays; default zeros.
        encode: from an observation, or a batch of them, to (..., input_size) numbers; by default they are not changed,
            which fits "dots".

    Raises:
        ValueError: a bidirectional net, or an h0 whose shape does not fit the net.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> from mazegrad.agents import RecurrentAgent
        >>> rng = np.random.default_rng(0)
        >>> agent = RecurrentAgent(nn.GRU(4, 16, rng=rng), nn.Linear(16, 4, rng=rng))
        >>> state = agent.initial_state(batch_size=5)
        >>> actions, state = agent.act(np.ones((5, 4)), state)
        >>> actions.shape, state.shape
        ((5,), (5, 1, 16))
    """

    def __init__(
        self,
        net: RNN | LSTM | GRU,
        readout: Module | None = None,
        *,
        h0: Any = None,
        encode: Callable[[Any], ArrayLike] = np.asarray,
    ) -> None:
        if net.bidirectional:
            raise ValueError("the net must not be bidirectional: an agent cannot observe the future")
        self.net, self.readout, self.encode = net, readout, encode
        self._dtype = next(net.parameters()).dtype
        self._pair = isinstance(net, LSTM)
        shape = net.num_layers, net.hidden_size
        zeros = [np.zeros(shape)] * (1 + self._pair)
        parts = zeros if h0 is None else list(h0) if self._pair else [h0]
        self._h0 = [np.array(part, dtype=self._dtype) for part in parts]
        if len(self._h0) != 1 + self._pair or any(part.shape != shape for part in self._h0):
            shapes = " and ".join(str(part.shape) for part in self._h0)
            pair = "a pair of arrays" if self._pair else "an array"
            raise ValueError(f"h0 must be {pair} of the shape {shape}, (layers, hidden), not {shapes}")

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return h_0, (layers, hidden), or copies of it, (batch_size, layers, hidden); for an LSTM a pair."""
        count = () if batch_size is None else (batch_size,)
        return self._packed([np.tile(part, (*count, 1, 1)) for part in self._h0])

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action and the net's next state, for one observation or a batch of them.

        Raises:
            ValueError: an observation whose shape does not fit the net and the state.
        """
        x = np.asarray(self.encode(observation), dtype=self._dtype)
        parts = state if self._pair else (state,)
        batch = parts[0].shape[:-2]  # () or (batch,)
        if x.shape != (*batch, self.net.input_size):
            raise ValueError(f"the observation must have the shape {(*batch, self.net.input_size)}, not {x.shape}")
        time = 1 if self.net.batch_first else 0
        with no_grad():
            before = [np.swapaxes(part.reshape(-1, *self._h0[0].shape), 0, 1) for part in parts]  # layers first
            output, after = self.net(np.expand_dims(x.reshape(-1, x.shape[-1]), time), self._packed(before))
            output = output.reshape(-1, self.net.hidden_size)
            logits = output if self.readout is None else self.readout(output)
        after = [np.swapaxes(part.data, 0, 1).reshape(parts[0].shape) for part in (after if self._pair else (after,))]
        action = logits.argmax(axis=-1)
        return (action if batch else int(action[0])), self._packed(after)

    def _packed(self, parts: list[NDArray[Any]]) -> Any:
        return tuple(parts) if self._pair else parts[0]

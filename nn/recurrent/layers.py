"""Recurrent layers: fused sequences with weights, several layers, both directions and lengths.

Names, defaults, gate order, weight layouts and initial distributions are PyTorch's, so its weights can be loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import functional, operations
from ..checks import POSITIVE_INTEGER, PROBABILITY, check
from ..graph import Array
from ..rules import Operand, Rule, operation
from . import sequences
from .schedule import Resets
from .weights import Weighted, nonlinearity_settings, with_axis


class _Layers(Weighted):
    """One or more layers, in one direction or both, over whole sequences."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check(POSITIVE_INTEGER, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check(PROBABILITY, dropout=dropout)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        self.settings = {}
        self.rng = rng or np.random.default_rng()
        self.directions = ("", "_reverse") if bidirectional else ("",)
        self.state_grads: list[Array | None] = []
        for layer in range(num_layers):
            inputs = hidden_size * len(self.directions) if layer else input_size
            for direction in self.directions:
                self.make_weights(f"_l{layer}{direction}", inputs, bias, self.rng, dtype)

    def forward(
        self,
        x: Any,
        state: Any = None,
        lengths: Any = None,
        *,
        resets: Any = None,
        fresh: Any = None,
        columns: Any = None,
        state_grads: bool = False,
    ) -> tuple[Any, Any]:
        """Whole sequences.

        Args:
            x: (T, batch, input_size); (batch, T, input_size) if `batch_first`; or one sequence (T, input_size).
            state: the initial h, for an LSTM (h, c), each (layers * directions, batch, hidden_size); zeros by default.
            lengths: integers (batch,), or None if all sequences have T steps. Entries of x beyond a sequence's length
                have no influence (but must be finite); a reverse direction starts at the end of each sequence.
            resets: booleans (T, batch), in the order of x, or None: before these steps the state is set to `fresh`, as
                at the start of an episode, and no gradient goes further back. Forward in time only, without lengths.
            fresh: plain arrays like one batch row of `state`, (layers, hidden_size) each; zeros by default.
            columns: rising integers (n,): which features x holds, if all others are 0; x then has n in the place of
                input_size. See `Linear`.
            state_grads: whether to keep the gradients of the states. After `backward()`, `self.state_grads` holds for
                each layer and direction the total gradient of its whole state, (T + 1, batch, hidden_size); an LSTM's
                is that of h and c side by side, as if they were independent. Slot t of the forward direction is the
                state after t steps.

        Returns:
            The last layer's output, like x with directions * hidden_size features (forward first), 0 beyond the
            lengths; and the last states, shaped like `state`.

        Raises:
            ValueError: shapes, lengths or resets do not fit.
        """
        features = self.input_size if columns is None else len(columns)
        if np.ndim(x) not in (2, 3) or x.shape[-1] != features:
            kind = "(batch, time" if self.batch_first else "(time, batch"
            raise ValueError(f"{type(self).__name__} takes x {kind}, {features}), not {np.shape(x)}")
        parts, single = self.parts_of(state), np.ndim(x) == 2
        if single:
            x, *parts = with_axis(1, x, *parts)
        elif self.batch_first:
            x = operations.transpose(x, (1, 0, 2))
        self._check_state(parts, x.shape[1])
        if resets is not None:
            resets = self._check_resets(resets, x.shape[:2], single)
            if lengths is not None or self.bidirectional:
                raise ValueError(
                    "resets need sequences of equal length and one direction; leave out lengths= and bidirectional="
                )
        fresh = self._check_fresh(fresh, x.dtype)
        lengths = None if lengths is None else self._check_lengths(lengths, *x.shape[:2])
        order = back = None  # the longest first, and the way back
        if lengths is not None and (lengths[1:] > lengths[:-1]).any():
            order = np.argsort(-lengths, kind="stable")
            back, lengths = np.argsort(order), lengths[order]
            x, *parts = (s if s is None else _reordered(s, order=order, back=back) for s in (x, *parts))

        self.state_grads = [None] * (self.num_layers * len(self.directions))
        last: list[tuple[Any, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training, rng=self.rng)
            outs = []
            for direction in self.directions:
                number = len(last)
                keep = partial(_keep, self.state_grads, number, back) if state_grads else None
                mine = [None if s is None else s[number] for s in parts]
                arguments: dict[str, Any] = {"lengths": lengths, "reverse": bool(direction), "keep": keep}
                if layer == 0:
                    arguments["columns"] = columns
                if resets is not None:
                    arguments["resets"] = Resets(resets, [part[layer] for part in fresh])
                out, *end = self.run(f"_l{layer}{direction}", x, mine, **arguments)
                outs.append(out)
                last.append(tuple(end))
            x = outs[0] if len(outs) == 1 else operations.concatenate(outs, -1)
        ends = [operations.stack(part) for part in zip(*last, strict=True)]
        if order is not None and back is not None:
            x, *ends = (_reordered(s, order=back, back=order) for s in (x, *ends))
        if single:
            x, *ends = (s[:, 0] for s in (x, *ends))
        elif self.batch_first:
            x = operations.transpose(x, (1, 0, 2))
        return x, self.state_of(ends)

    def _check_state(self, parts: Sequence[Any], batch: int) -> None:
        expected = self.num_layers * len(self.directions), batch, self.hidden_size
        for part in parts:
            if part is not None and np.shape(part) != expected:
                raise ValueError(
                    f"{type(self).__name__}: expected a state (layers * directions, batch, hidden) of shape {expected},"
                    f" not {np.shape(part)}"
                )

    def _check_resets(self, resets: Any, shape: tuple[int, ...], single: bool) -> Array:
        resets = np.asarray(resets)
        expected = shape[:1] if single else shape[::-1] if self.batch_first else shape
        if resets.dtype != np.bool_ or resets.shape != expected:
            raise ValueError(f"resets: expected booleans of shape {expected}, not {resets.dtype} {resets.shape}")
        return resets.reshape(shape) if single or not self.batch_first else resets.T

    def _check_fresh(self, fresh: Any, dtype: np.dtype[Any]) -> list[Array]:
        shape = self.num_layers, self.hidden_size
        given = [np.zeros(shape) if part is None else np.asarray(part) for part in self.parts_of(fresh)]
        for part in given:
            if part.shape != shape:
                raise ValueError(f"fresh: expected a state (layers, hidden) of shape {shape}, not {part.shape}")
        return [part.astype(dtype) for part in given]

    def _check_lengths(self, lengths: Any, times: int, batch: int) -> Array:
        lengths = np.asarray(lengths)
        if lengths.dtype.kind not in "iu" or lengths.shape != (batch,):
            raise ValueError(f"lengths: expected integers of shape {(batch,)}, not {lengths.dtype} {lengths.shape}")
        if lengths.size and not 1 <= lengths.min() <= lengths.max() <= times:
            raise ValueError(f"lengths: from {lengths.min()} to {lengths.max()}; expected 1 to {times}")
        return lengths.astype(np.intp)

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the default."""
        words = self.repr_of_settings()
        words[1:1] = [f"num_layers={self.num_layers}"] if self.num_layers > 1 else []
        words += [f"{name}=True" for name in ("batch_first", "bidirectional") if getattr(self, name)]
        words += [f"dropout={self.dropout}"] if self.dropout else []
        return ", ".join(words)


@operation
def _reordered(x: Operand, order: Array, back: Array) -> Rule:
    """The sequences of a batch in another order; `back` undoes it."""
    return x[:, order], lambda grad, needs, back=back: (grad[:, back],)


def _keep(found: list[Array | None], number: int, order: Array | None, grad: Array) -> None:
    found[number] = grad if order is None else grad[:, order]


class RNN(_Layers):
    """h' = tanh(W x + b + U h + b'), or relu, or linear; with `leak` < 1, h' = (1 - leak) h + leak tanh(...).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.RNN(3, 5, rng=np.random.default_rng(0))
        >>> states, h = layer(np.ones((7, 2, 3), np.float32))
        >>> states.shape, h.shape
        ((7, 2, 5), (1, 2, 5))
    """

    sequence = staticmethod(sequences.rnn)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        leak: float = 1.0,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        settings = nonlinearity_settings(nonlinearity, leak)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng, dtype=dtype
        )
        self.settings = settings


class LSTM(_Layers):
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with Gers's forget gate): the state is a pair (h, c).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.LSTM(3, 5, rng=np.random.default_rng(0))
        >>> states, (h, c) = layer(np.ones((7, 2, 3), np.float32))
        >>> states.shape, h.shape
        ((7, 2, 5), (1, 2, 5))
    """

    sequence, gates, parts = staticmethod(sequences.lstm), 4, 2


class GRU(_Layers):
    """Gated recurrent unit (Cho et al. 2014), in PyTorch's form: the reset gate acts after the product.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.GRU(3, 5, bidirectional=True, rng=np.random.default_rng(0))
        >>> states, h = layer(np.ones((7, 2, 3), np.float32))
        >>> states.shape, h.shape
        ((7, 2, 10), (2, 2, 5))
    """

    sequence, gates = staticmethod(sequences.gru), 3

"""Recurrent layers and cells: the fused sequences of `sequences.py` with weights, layers, directions and lengths.

Names, defaults, gate order, weight layouts and initial spreads are PyTorch's, so its weights can be loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import functional, operations
from ..checks import ABOVE_ZERO, POSITIVE_INTEGER, PROBABILITY, check, check_choice
from ..graph import Array
from ..layers.initial import uniform_parameter
from ..modules import Module
from ..tensor import Operand, Rule, Tensor, operation
from . import sequences

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def detach(state: Any) -> Any:
    """Cut a state, or a tuple of them, off from the graph: truncated backpropagation through time, between two parts.

    Tensors are copied, None stays None (Williams & Peng 1990).
    """
    if isinstance(state, tuple | list):
        return tuple(detach(part) for part in state)
    return state.detach() if isinstance(state, Tensor) else state


def _check_nonlinearity(nonlinearity: str, leak: float) -> dict[str, Any]:
    check_choice(sequences.NONLINEARITIES, nonlinearity=nonlinearity)
    check(ABOVE_ZERO, leak=leak)
    return {"nonlinearity": nonlinearity, "leak": leak}


class _Weighted(Module):
    """What cells and layers share: which sequence they run, how many gates it has and how many arrays make a state."""

    sequence: Callable[..., tuple[Any, ...]]
    gates, parts = 1, 1
    settings: dict[str, Any]

    def _make(
        self, suffix: str, inputs: int, size: int, bias: bool, rng: np.random.Generator, dtype: DTypeLike
    ) -> None:
        shapes = {"weight_ih": (self.gates * size, inputs), "weight_hh": (self.gates * size, size)}
        if bias:
            shapes |= dict.fromkeys(("bias_ih", "bias_hh"), (self.gates * size,))  # type: ignore[arg-type]
        for name, shape in shapes.items():
            setattr(self, name + suffix, uniform_parameter(shape, size, rng, dtype))

    def _run(self, suffix: str, x: Any, state: Sequence[Any], **how: Any) -> tuple[Any, ...]:
        weights = (getattr(self, name + suffix, None) for name in WEIGHTS)
        return type(self).sequence(x, *state, *weights, **self.settings, **how)

    def _parts(self, state: Any) -> Sequence[Any]:
        """A state as its parts, (h,) or (h, c), or as many None."""
        if state is None:
            return (None,) * self.parts
        if self.parts == 1:
            return (state,)
        if not isinstance(state, tuple | list) or len(state) != self.parts:
            raise TypeError(f"{type(self).__name__} takes its state as a pair (h, c), not {type(state).__name__}")
        return tuple(state)


class _Layers(_Weighted):
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
                self._make(f"_l{layer}{direction}", inputs, hidden_size, bias, self.rng, dtype)

    def forward(
        self,
        x: Any,
        state: Any = None,
        lengths: Any = None,
        *,
        resets: Any = None,
        fresh: Any = None,
        state_grads: bool = False,
    ) -> tuple[Any, Any]:
        """Whole sequences: x (T, batch, input_size), (batch, T, input_size) if batch_first, or one (T, input_size).

        state: h, for an LSTM (h, c), each (num_layers * directions, batch, hidden_size); zero by default. lengths:
        integers (batch,); what comes after is not looked at (but must be finite), and a reverse direction begins at
        the end of its own sequence. Returns the last layer's output, like x with directions * hidden_size features
        (forward first), 0 beyond the lengths, and the last states, shaped like `state`.

        resets: booleans (T, batch), in the order of x: before these steps a sequence begins anew, as an episode does,
        and no gradient goes further back. Its state is `fresh` then: a plain array (num_layers, hidden_size), for an
        LSTM a pair of them; zero by default. Forward in time only, and without lengths.

        state_grads: after `backward()`, `self.state_grads` holds for each layer and direction the total gradient of its
        whole state, (T + 1, batch, hidden_size); an LSTM's is that of h and c side by side, as two independent things.
        Slot t of the forward direction is the state after t steps. Raises ValueError when shapes or lengths do not fit.
        """
        if np.ndim(x) not in (2, 3) or x.shape[-1] != self.input_size:
            kind = "(batch, time" if self.batch_first else "(time, batch"
            raise ValueError(f"{type(self).__name__} takes x {kind}, {self.input_size}), not {np.shape(x)}")
        parts = self._parts(state)
        alone = np.ndim(x) == 2
        if alone:
            x, parts = (
                operations.expand_dims(x, 1),
                tuple(s if s is None else operations.expand_dims(s, 1) for s in parts),
            )
        elif self.batch_first:
            x = operations.transpose(x, (1, 0, 2))
        self._check_state(parts, x.shape[1])
        if resets is not None:
            resets = self._check_resets(resets, x.shape[:2], alone)
            if lengths is not None or self.bidirectional:
                raise ValueError("resets: sequences of one length, forward in time alone, can begin anew")
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
                how = {"lengths": lengths, "reverse": bool(direction), "keep": keep}
                if resets is not None:
                    how["resets"] = sequences.Resets(resets, [part[layer] for part in fresh])
                out, *end = self._run(f"_l{layer}{direction}", x, mine, **how)
                outs.append(out)
                last.append(tuple(end))
            x = outs[0] if len(outs) == 1 else operations.concatenate(outs, -1)
        ends = [operations.stack(part) for part in zip(*last, strict=True)]
        if order is not None and back is not None:
            x, *ends = (_reordered(s, order=back, back=order) for s in (x, *ends))
        if alone:
            x, *ends = (s[:, 0] for s in (x, *ends))
        elif self.batch_first:
            x = operations.transpose(x, (1, 0, 2))
        return x, ends[0] if self.parts == 1 else tuple(ends)

    def _check_state(self, parts: Sequence[Any], batch: int) -> None:
        expected = self.num_layers * len(self.directions), batch, self.hidden_size
        for part in parts:
            if part is not None and np.shape(part) != expected:
                raise ValueError(
                    f"{type(self).__name__}: expected a state (layers * directions, batch, hidden) of shape {expected},"
                    f" not {np.shape(part)}"
                )

    def _check_resets(self, resets: Any, shape: tuple[int, ...], alone: bool) -> Array:
        resets = np.asarray(resets)
        expected = shape[:1] if alone else shape[::-1] if self.batch_first else shape
        if resets.dtype != np.bool_ or resets.shape != expected:
            raise ValueError(f"resets: expected booleans of shape {expected}, not {resets.dtype} {resets.shape}")
        return resets.reshape(shape) if alone or not self.batch_first else resets.T

    def _check_fresh(self, fresh: Any, dtype: np.dtype[Any]) -> list[Array]:
        shape = self.num_layers, self.hidden_size
        given = [np.zeros(shape) if part is None else np.asarray(part) for part in self._parts(fresh)]
        for part in given:
            if part.shape != shape:
                raise ValueError(f"fresh: expected a state (layers, hidden) of shape {shape}, not {part.shape}")
        return [part.astype(dtype) for part in given]

    def _check_lengths(self, lengths: Any, times: int, batch: int) -> Array:
        lengths = np.asarray(lengths)
        if lengths.dtype.kind not in "iu" or lengths.shape != (batch,):
            raise ValueError(f"lengths: expected integers of shape {(batch,)}, not {lengths.dtype} {lengths.shape}")
        if lengths.size and not 1 <= lengths.min() <= lengths.max() <= times:
            raise ValueError(f"lengths: from {lengths.min()} to {lengths.max()}; from 1 to {times} steps are there")
        return lengths.astype(np.intp)

    def extra_repr(self) -> str:
        """Sizes, and what is not the default."""
        words = [f"{self.input_size}, {self.hidden_size}"]
        words += [f"num_layers={self.num_layers}"] if self.num_layers > 1 else []
        words += [f"{name}={value!r}" for name, value in self.settings.items() if value not in ("tanh", 1.0)]
        words += [f"{name}=True" for name in ("batch_first", "bidirectional") if getattr(self, name)]
        words += [f"dropout={self.dropout}"] if self.dropout else []
        return ", ".join(words)


@operation
def _reordered(x: Operand, order: Array, back: Array) -> Rule:
    """The sequences of a batch in another order; `back` undoes it."""
    return x[:, order], lambda grad, needs: (grad[:, back],)


def _keep(found: list[Array | None], number: int, order: Array | None, grad: Array) -> None:
    found[number] = grad if order is None else grad[:, order]


class RNN(_Layers):
    """h' = tanh(W x + b + U h + b'), or relu, or linear; with `leak` < 1, h' = (1 - leak) h + leak tanh(...)."""

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
        settings = _check_nonlinearity(nonlinearity, leak)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng, dtype=dtype
        )
        self.settings = settings


class LSTM(_Layers):
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with Gers's forget gate): the state is a pair (h, c)."""

    sequence, gates, parts = staticmethod(sequences.lstm), 4, 2


class GRU(_Layers):
    """Gated recurrent unit (Cho et al. 2014), in PyTorch's form: the reset gate acts after the product."""

    sequence, gates = staticmethod(sequences.gru), 3


class _Cell(_Weighted):
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
        self._make("", input_size, hidden_size, bias, rng or np.random.default_rng(), dtype)

    def forward(self, x: Any, state: Any = None) -> Any:
        """x (batch, input_size) and h (batch, hidden_size) -> h; an LSTM's state is (h, c). One x (input_size,) too."""
        if np.ndim(x) not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(f"{type(self).__name__} takes x (batch, {self.input_size}), not {np.shape(x)}")
        parts = self._parts(state)
        alone = np.ndim(x) == 1
        if alone:
            x, parts = (
                operations.expand_dims(x, 0),
                tuple(s if s is None else operations.expand_dims(s, 0) for s in parts),
            )
        _, *end = self._run("", operations.expand_dims(x, 0), parts)
        if alone:
            end = [s[0] for s in end]
        return end[0] if self.parts == 1 else tuple(end)

    def extra_repr(self) -> str:
        """Sizes, and what is not the default."""
        words = [f"{name}={value!r}" for name, value in self.settings.items() if value not in ("tanh", 1.0)]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *words])


class RNNCell(_Cell):
    """One step of `RNN`."""

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
        settings = _check_nonlinearity(nonlinearity, leak)
        super().__init__(input_size, hidden_size, bias, rng=rng, dtype=dtype)
        self.settings = settings


class LSTMCell(_Cell):
    """One step of `LSTM`."""

    sequence, gates, parts = staticmethod(sequences.lstm), 4, 2


class GRUCell(_Cell):
    """One step of `GRU`."""

    sequence, gates = staticmethod(sequences.gru), 3

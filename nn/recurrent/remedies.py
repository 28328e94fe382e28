"""Further remedies against vanishing and exploding gradients, beside gates, clipping and initial weights.

Layer normalisation in a cell, skip connections through time, and the penalty of Pascanu, Mikolov & Bengio (2013) on
steps that shrink or stretch the gradient. (A leak is an option of `RNN`; initial weights are in `init.py`, clipping in
`clipping.py`; `examples/gradient_remedies.py` compares them all.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import operations
from ..checks import POSITIVE_INTEGER, check
from ..differentiation import grad
from ..graph import Array
from ..layers import LayerNorm
from ..layers.initial import uniform_parameter
from ..modules import Module
from ..tensor import Tensor, plain
from . import sequences
from .layers import RNN


class LayerNormLSTMCell(Module):
    """An LSTM cell whose sums are normalised over the units (Ba, Kiros & Hinton 2016, equations 20-22).

    gates = norm(weight_ih x) + norm(weight_hh h), c' = f c + i g, h' = o tanh(norm(c')): rows i, f, g, o as in `LSTM`.
    The scales and shifts of the norms replace the biases; `forget_bias` is the initial shift of the forget gate.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> cell = nn.LayerNormLSTMCell(3, 5, forget_bias=1.0, rng=np.random.default_rng(0))
        >>> h, c = cell(1000 * np.ones((2, 3), np.float32))  # a large input does not saturate the gates
        >>> h.shape, bool((np.abs(h.data) < 0.9).all())
        ((2, 5), True)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 0.0,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check(POSITIVE_INTEGER, input_size=input_size, hidden_size=hidden_size)
        rng = rng or np.random.default_rng()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.weight_ih = uniform_parameter((4 * hidden_size, input_size), hidden_size, rng, dtype)
        self.weight_hh = uniform_parameter((4 * hidden_size, hidden_size), hidden_size, rng, dtype)
        self.norm_ih, self.norm_hh = LayerNorm(4 * hidden_size, dtype=dtype), LayerNorm(4 * hidden_size, dtype=dtype)
        self.norm_c = LayerNorm(hidden_size, dtype=dtype)
        assert self.norm_ih.bias is not None
        shift = np.zeros(4 * hidden_size)
        shift[hidden_size : 2 * hidden_size] = forget_bias
        self.norm_ih.bias.assign(shift)

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """x (batch, input_size) and a state (h, c), (batch, hidden_size) each, zeros by default -> the next (h, c)."""
        if np.ndim(x) != 2 or x.shape[1] != self.input_size:
            raise ValueError(f"LayerNormLSTMCell takes x (batch, {self.input_size}), not {np.shape(x)}")
        zeros = np.zeros((x.shape[0], self.hidden_size), self.weight_hh.dtype)
        h, c = (zeros, zeros) if state is None else state
        summed = self.norm_ih(operations.linear(x, self.weight_ih)) + self.norm_hh(operations.linear(h, self.weight_hh))
        i, f, g, o = (summed[:, k * self.hidden_size : (k + 1) * self.hidden_size] for k in range(4))
        c = operations.sigmoid(f) * c + operations.sigmoid(i) * operations.tanh(g)
        return operations.sigmoid(o) * operations.tanh(self.norm_c(c)), c

    def extra_repr(self) -> str:
        """Sizes."""
        return f"{self.input_size}, {self.hidden_size}"


class Unrolled(Module):
    """Any cell (x_t, state) -> state over a whole sequence, step by step: for cells without a fused layer.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> cell = nn.RNNCell(3, 5, rng=np.random.default_rng(0))
        >>> states, last = nn.Unrolled(cell)(np.ones((7, 2, 3), np.float32))
        >>> states.shape, last.shape
        ((7, 2, 5), (2, 5))
    """

    def __init__(self, cell: Module) -> None:
        self.cell = cell

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """x (T, batch, features) -> the states, or their first parts, (T, batch, hidden), and the last state."""
        if np.ndim(x) != 3 or not x.shape[0]:
            raise ValueError(f"Unrolled takes x (T, batch, features) with T of 1 or more, not {np.shape(x)}")
        outputs = []
        for t in range(x.shape[0]):
            state = self.cell(x[t], state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return operations.stack(outputs), state


class Dilated(Module):
    """A recurrent layer that skips: its state at t is made from that at t - dilation (Chang et al. 2017).

    The sequence is split into `dilation` interleaved sequences, which lie side by side in the batch, so a gradient
    crosses T inputs in T / dilation steps. Each of them sees every dilation-th input, so stack layers of different
    dilations. (Skips through time: Lin, Horne, Tino & Giles 1996.)

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.Dilated(nn.GRU(3, 5, rng=np.random.default_rng(0)), dilation=4)
        >>> states, _ = layer(np.ones((100, 2, 3), np.float32))  # four sequences of 25 steps
        >>> states.shape
        (100, 2, 5)
    """

    def __init__(self, layer: Module, dilation: int) -> None:
        check(POSITIVE_INTEGER, dilation=dilation)
        if getattr(layer, "bidirectional", False) or getattr(layer, "batch_first", False):
            raise ValueError("Dilated takes a layer of one direction whose first axis is time")
        self.layer, self.dilation = layer, dilation

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """x (T, batch, features), T a multiple of the dilation, -> the layer's output (T, batch, hidden), its states.

        The states are those of the `dilation` sequences, (layers, dilation * batch, hidden); pass them with the next
        part of x to continue. Raises ValueError if T is not a multiple.
        """
        if np.ndim(x) != 3 or x.shape[0] % self.dilation:
            expected = f"x (T, batch, features) with T a multiple of {self.dilation}"
            raise ValueError(f"Dilated takes {expected}, not {np.shape(x)}")
        times, batch, features = x.shape
        dealt = operations.reshape(x, (times // self.dilation, self.dilation * batch, features))
        output, state = self.layer(dealt, state)
        return operations.reshape(output, (times, batch, output.shape[-1])), state

    def extra_repr(self) -> str:
        """The dilation."""
        return f"dilation={self.dilation}"


@np.errstate(over="ignore", invalid="ignore")  # the optimiser reports what is not finite
def gradient_norm_penalty(layer: RNN, x: Any, output: Any, h_0: Any = None, lambd: float = 1.0) -> float:
    """Return Omega, which penalises steps that shrink or stretch the gradient, and add lambd times its gradient.

    Omega = sum over t of (|dE/dh_(t+1) dh_(t+1)/dh_t| / |dE/dh_(t+1)| - 1)^2, averaged over the batch. As in the paper,
    dE/dh_(t+1) and h_t are held constant, so no second derivative is needed: Omega depends on the weights through U
    itself and through f' alone. Call it after `loss.backward()` and before `optimizer.step()`; its gradient is added to
    the `grad` of the layer's parameters.

    Args:
        layer: an `RNN` of one layer and direction.
        x, output, h_0: (T, batch, input_size), (T, batch, hidden_size) and (1, batch, hidden_size), as in
            `output, _ = layer(x, h_0, state_grads=True)`.
        lambd: the weight of the penalty.

    Raises:
        ValueError: another layer, or the layer was not run with state_grads=True and differentiated.

    Source: Pascanu, Mikolov & Bengio 2013, equations 9 and 10.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> rnn = nn.RNN(1, 1, nonlinearity="linear", bias=False, rng=np.random.default_rng(0))
        >>> rnn.weight_hh_l0.assign([[0.5]])
        >>> x = np.ones((4, 1, 1), np.float32)
        >>> output, _ = rnn(x, state_grads=True)
        >>> output[-1].sum().backward()
        >>> nn.gradient_norm_penalty(rnn, x, output)  # (0.5 - 1)^2 a step
        1.0
    """
    if not isinstance(layer, RNN) or layer.num_layers != 1 or layer.bidirectional or layer.batch_first:
        raise ValueError("gradient_norm_penalty takes an RNN of one layer and one direction, time first")
    if not layer.state_grads or layer.state_grads[0] is None:
        raise ValueError("gradient_norm_penalty needs layer(x, state_grads=True) and loss.backward() first")
    v = _unit_rows(layer.state_grads[0][1:])  # Omega depends on the direction of dE/dh_(t+1) alone
    x, after = _rows(x), _rows(output)
    zeros = np.zeros((1, *v.shape[1:]), after.dtype) if h_0 is None else _plain(h_0).reshape(1, *v.shape[1:])
    batch, v = v.shape[1], _rows(v)
    if len(after) != len(v):
        raise ValueError(
            f"output has {len(after)} rows, the gradients of the states {len(v)}; expected those of the same run"
        )
    before = np.concatenate([_rows(zeros), after[:-batch]])
    U, leak = layer.weight_hh_l0.data, layer.settings["leak"]  # type: ignore[attr-defined]
    value = (after - (1 - leak) * before) / leak  # the value of the nonlinearity f
    slope = sequences.NONLINEARITIES[layer.settings["nonlinearity"]][1](value)

    through = slope * v
    w = (1 - leak) * v + leak * (through @ U)  # the gradient one step further back
    norm = np.linalg.norm(w, axis=1, keepdims=True)
    there = v.any(1, keepdims=True)
    omega = float(np.where(there, (norm - 1) ** 2, 0).sum()) / batch

    grad_w = np.where(there & (norm > 0), 2 * lambd / batch * (norm - 1) * w / np.where(norm > 0, norm, 1), 0)
    grad_U = leak * (through.T @ grad_w)
    if layer.settings["nonlinearity"] == "tanh":  # the others' slopes do not change with the weights
        grad_z = leak * (grad_w @ U.T) * v * (-2 * value * slope)
        _add(layer, "weight_ih_l0", grad_z.T @ x)
        for name in ("bias_ih_l0", "bias_hh_l0"):
            _add(layer, name, grad_z.sum(0))
        grad_U += grad_z.T @ before
    _add(layer, "weight_hh_l0", grad_U)
    return omega


def exact_gradient_norm_penalty(loss: Tensor, states: Sequence[Tensor]) -> Any:
    """Omega of `gradient_norm_penalty` without its approximation: a tensor, to be added to the loss.

    That function holds dE/dh_(t+1) constant. This one differentiates it too, by backward through backward.

    Args:
        loss: E, one number computed from the states.
        states: h_1, ..., h_T, (batch, hidden) each, where each was computed from the one before, such as by a cell.

    Returns:
        The sum over t of (|dE/dh_(t+1) dh_(t+1)/dh_t| / |dE/dh_(t+1)| - 1)^2, averaged over the batch: T states
        give T - 1 terms. A term is left out where dE/dh_(t+1) is 0.

    Source: Pascanu, Mikolov & Bengio 2013, equation 9; exercise 39.

    Example:
        >>> from mazegrad import nn
        >>> h = [nn.Tensor([[1.0]], requires_grad=True)]
        >>> for _ in range(3):
        ...     h.append(h[-1] * 0.5)
        >>> nn.exact_gradient_norm_penalty(h[-1].sum(), h).item()  # three steps, (0.5 - 1)^2 each
        0.75
    """
    arriving = grad(loss, states, create_graph=True, allow_unused=True)
    total: Any = 0.0
    for before, after, slope in zip(states[:-1], states[1:], arriving[1:], strict=True):
        if slope is None:
            continue
        (through,) = grad(after, before, slope, create_graph=True)
        norm = operations.norm(slope, 2.0, -1)
        there = plain(norm) > 0
        ratio = operations.norm(through, 2.0, -1) / operations.where(there, norm, 1.0)
        total = total + operations.where(there, operations.square(ratio - 1.0), 0.0).sum() / len(before)
    return total


def _add(layer: RNN, name: str, grad: Array) -> None:
    parameter = getattr(layer, name, None)
    if parameter is not None:
        grad = grad.astype(parameter.dtype)
        parameter.grad = grad if parameter.grad is None else parameter.grad + grad


def _plain(x: Any) -> Array:
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def _rows(x: Any) -> Array:
    array = _plain(x)
    return array.reshape(math.prod(array.shape[:-1]), array.shape[-1])


def _unit_rows(v: Array) -> Array:
    """Divide each row by its length; rows that are 0 or not finite become 0."""
    largest = np.abs(v).max(-1, keepdims=True)
    usable = np.isfinite(largest) & (largest > 0)
    v = np.where(usable, v, 0) / np.where(
        usable, largest, 1
    )  # divided by the largest first, so that squares do not underflow
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1)

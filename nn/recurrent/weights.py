"""What recurrent layers and cells share: their weights, their state, and the fused sequence that they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import operations
from ..checks import ABOVE_ZERO, check, check_choice
from ..functional.embedding import columns_of
from ..layers.initial import uniform_parameter
from ..modules import Module
from ..tensor import Tensor
from .sequences import NONLINEARITIES

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Weighted(Module):
    """Base class of layers and cells. A subclass names its fused sequence, its gates and the parts of its state."""

    sequence: Callable[..., tuple[Any, ...]]
    gates, parts = 1, 1
    input_size: int
    hidden_size: int
    settings: dict[str, Any]
    """Further arguments of the sequence."""

    def make_weights(self, suffix: str, inputs: int, bias: bool, rng: np.random.Generator, dtype: DTypeLike) -> None:
        """Draw the weights of one layer and direction, named like weight_ih + suffix."""
        rows = self.gates * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, self.hidden_size)}
        if bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            setattr(self, name + suffix, uniform_parameter(shape, self.hidden_size, rng, dtype))

    def run(self, suffix: str, x: Any, state: Sequence[Any], columns: Any = None, **arguments: Any) -> tuple[Any, ...]:
        """Run the sequence with the weights of one layer and direction; `columns`: the features that x holds."""
        weight_ih, *others = (getattr(self, name + suffix, None) for name in WEIGHTS)
        if columns is not None:
            weight_ih = columns_of(weight_ih, columns)
        return type(self).sequence(x, *state, weight_ih, *others, **self.settings, **arguments)

    def parts_of(self, state: Any) -> Sequence[Any]:
        """A state as its parts, (h,) or (h, c); each None if the state is None."""
        if state is None:
            return (None,) * self.parts
        if self.parts == 1:
            return (state,)
        if not isinstance(state, tuple | list) or len(state) != self.parts:
            raise TypeError(f"{type(self).__name__} takes its state as a pair (h, c), not {type(state).__name__}")
        return tuple(state)

    def state_of(self, parts: Sequence[Any]) -> Any:
        """The parts as a state: h, or a tuple (h, c)."""
        return parts[0] if self.parts == 1 else tuple(parts)

    def repr_of_settings(self) -> list[str]:
        """The sizes, and the settings that are not the default."""
        words = [f"{name}={value!r}" for name, value in self.settings.items() if value not in ("tanh", 1.0)]
        return [f"{self.input_size}, {self.hidden_size}", *words]


def nonlinearity_settings(nonlinearity: str, leak: float) -> dict[str, Any]:
    """The checked settings of a plain RNN."""
    check_choice(NONLINEARITIES, nonlinearity=nonlinearity)
    check(ABOVE_ZERO, leak=leak)
    return {"nonlinearity": nonlinearity, "leak": leak}


def with_axis(axis: int, *arrays: Any) -> tuple[Any, ...]:
    """Each array or tensor with a new axis of size 1; None stays None."""
    return tuple(None if array is None else operations.expand_dims(array, axis) for array in arrays)


def detach(state: Any) -> Any:
    """Cut a state, or a tuple of states, off from the graph, for truncated backpropagation through time.

    Call it between two parts of a sequence (Williams & Peng 1990). Tensors are copied, None stays None.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.LSTM(3, 5, rng=np.random.default_rng(0))
        >>> _, state = layer(np.ones((7, 2, 3), np.float32))
        >>> h, c = nn.detach(state)
        >>> state[0].requires_grad, h.requires_grad
        (True, False)
    """
    if isinstance(state, tuple | list):
        return tuple(detach(part) for part in state)
    return state.detach() if isinstance(state, Tensor) else state

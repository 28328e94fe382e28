"""A net's weights averaged over its last steps err less than the weights of any one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from .checks import BELOW_ONE, check
from .graph import Array
from .modules import Module
from .tensor import Parameter


class Averaged:
    """An exponential average of a net's parameters and float buffers (Polyak & Juditsky 1992).

    `update()` after each step of the optimiser keeps `decay` of the average; less in the first steps, so that the
    initial weights are soon forgotten. `with averaged.applied():` the net has the averaged weights.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> net = nn.Linear(1, 1, rng=np.random.default_rng(0))
        >>> averaged = nn.Averaged(net)
        >>> for weight in (1.0, 2.0, 3.0):
        ...     net.weight.assign([[weight]])
        ...     averaged.update()
        >>> with averaged.applied():
        ...     net.weight.data.round(2)
        array([[2.73]], dtype=float32)
        >>> net.weight.data
        array([[3.]], dtype=float32)
    """

    def __init__(self, net: Module, decay: float = 0.999) -> None:
        check(BELOW_ONE, decay=decay)
        self.net, self.decay, self.steps = net, decay, 0
        self.weights = {name: np.array(array) for name, _, array in self._present()}

    def _present(self) -> Iterator[tuple[str, Parameter | Array, Array]]:
        """The net's parameters, and those buffers that can be averaged, each once: name, itself, its numbers."""
        seen: set[int] = set()
        for name, entry in self.net._entries():
            array = entry._array if isinstance(entry, Parameter) else entry
            if id(array) not in seen and array.dtype.kind == "f":
                seen.add(id(array))
                yield name, entry, array

    def update(self) -> None:
        """Add the net's present weights to the average."""
        self.steps += 1
        share = 1 - min(self.decay, self.steps / (self.steps + 10))
        for name, _, array in self._present():
            change = array - self.weights[name]
            change *= share
            self.weights[name] += change

    def swap(self) -> None:
        """Exchange the net's weights and the average."""
        for name, entry, array in list(self._present()):
            mine = array.copy()
            if isinstance(entry, Parameter):
                entry.assign(self.weights[name])
            else:
                entry[...] = self.weights[name]
            self.weights[name] = mine

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the net has the averaged weights; afterwards its own again."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    def state_dict(self) -> dict[str, Any]:
        """The average and the number of updates."""
        return {"steps": self.steps, "weights": {name: array.copy() for name, array in self.weights.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take a `state_dict()` of the same net's average; ValueError if names or shapes differ."""
        if not {"steps", "weights"} <= state.keys():
            raise ValueError(f"an average has 'steps' and 'weights', this state has {sorted(state)}")
        weights: Mapping[str, Array] = state["weights"]
        shapes = {name: np.shape(array) for name, array in weights.items()}
        expected = {name: array.shape for name, array in self.weights.items()}
        if shapes != expected:
            wrong = sorted(n for n in shapes.keys() | expected.keys() if shapes.get(n) != expected.get(n))
            raise ValueError(f"this average does not fit the net: {', '.join(wrong)}")
        self.steps = int(state["steps"])
        for name, array in weights.items():
            self.weights[name][...] = array

"""Modules applied one after the other."""

from __future__ import annotations

from typing import Any, overload

from .. import operations
from ..containers import ModuleList
from ..convolution import bias_relu
from ..modules import Module
from .activations import ReLU
from .convolution import Conv2D
from .pooling import MaxPool2D


class Sequential(ModuleList):
    """Modules applied one after the other: `Sequential(Conv2D(1, 8, 3), ReLU(), MaxPool2D(2))`.

    One rule makes it quick: Conv2D, ReLU, MaxPool2D in a row are evaluated as convolution, pool, bias, relu. Adding a
    constant and relu never change which element of a window is largest, so values and gradients are the same, and bias
    and relu have a quarter of the work. (A subclass of these layers is left alone, and so are layers with hooks.)

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> rng = np.random.default_rng(0)
        >>> net = nn.Sequential(nn.Linear(4, 8, rng=rng), nn.ReLU(), nn.Linear(8, 2, rng=rng))
        >>> net(np.ones((3, 4), np.float32)).shape
        (3, 2)
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    @overload
    def __getitem__(self, index: int) -> Module: ...

    @overload
    def __getitem__(self, index: slice) -> Sequential: ...

    def __getitem__(self, index: int | slice) -> Module:
        """One module; for a slice, a Sequential of the same modules, numbered from 0."""
        return Sequential(*list(self)[index]) if isinstance(index, slice) else super().__getitem__(index)

    def forward(self, input: Any) -> Any:
        """Whatever the first module takes -> whatever the last one gives."""
        modules, at = list(self), 0
        while at < len(modules):
            here = modules[at : at + 3]
            plain = not any(module.has_hooks() for module in here)
            plain = plain and [type(module) for module in here] == [Conv2D, ReLU, MaxPool2D]
            conv, pool = here[0], here[-1]
            if plain and isinstance(conv, Conv2D) and isinstance(pool, MaxPool2D) and not pool.return_indices:
                input = pool(conv.convolve(input, None))
                input = operations.relu(input) if conv.bias is None else bias_relu(input, conv.bias)
                at += 3
            else:
                input = modules[at](input)
                at += 1
        return input

"""Activations as layers; relu's relatives are in `rectifiers.py`.

`inplace`, which saves memory in PyTorch and changes no result, is accepted and has no effect.
"""

from __future__ import annotations

from typing import Any

from .. import operations
from ..modules import Module


class ReLU(Module):
    """max(x, 0).

    Example:
        >>> from mazegrad import nn
        >>> nn.ReLU()([-1.0, 2.0])
        array([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.relu(input)


class GELU(Module):
    """x times the normal distribution function at x; `approximate="tanh"` is the quicker formula.

    Example:
        >>> from mazegrad import nn
        >>> nn.GELU()([-3.0, -1.0, 0.0, 3.0]).round(3)
        array([-0.004, -0.159,  0.   ,  2.996])
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.gelu(input, self.approximate)


class Tanh(Module):
    """Hyperbolic tangent.

    Example:
        >>> from mazegrad import nn
        >>> nn.Tanh()([-0.5, 0.5]).round(3)
        array([-0.462,  0.462])
    """

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.tanh(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    Example:
        >>> from mazegrad import nn
        >>> nn.Sigmoid()([-2.0, 0.0, 2.0]).round(3)
        array([0.119, 0.5  , 0.881])
    """

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.sigmoid(input)


class Softmax(Module):
    """Probabilities along `dim`; not before `cross_entropy`, which has its own.

    Example:
        >>> from mazegrad import nn
        >>> nn.Softmax(dim=1)([[0.0, 0.0], [0.0, 50.0]]).round(3)
        array([[0.5, 0.5],
               [0. , 1. ]])
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """Logarithms of probabilities along `dim`, for `nll_loss`.

    Example:
        >>> from mazegrad import nn
        >>> nn.LogSoftmax()([[0.0, 0.0], [0.0, 50.0]]).round(3)
        array([[ -0.693,  -0.693],
               [-50.   ,   0.   ]])
    """

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.log_softmax(input, self.dim)


class Identity(Module):
    """x itself; takes any arguments and does nothing with them.

    Example:
        >>> from mazegrad import nn
        >>> nn.Identity(54, unused=True)([1.0, 2.0])
        [1.0, 2.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return input

"""Activations as layers.

`inplace`, which saves memory in PyTorch and changes no result, is accepted and has no effect.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import operations
from ..checks import POSITIVE_INTEGER, check
from ..modules import Module
from ..tensor import Parameter


class ReLU(Module):
    """max(x, 0)."""

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.relu(input)


class LeakyReLU(Module):
    """x above 0, and negative_slope * x below."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """x above 0, and weight * x below: the slope is learned, one for all or one for each channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike = np.float32) -> None:
        check(POSITIVE_INTEGER, num_parameters=num_parameters)
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def forward(self, input: Any) -> Any:
        """(batch, channels, ...), or any shape with a single slope."""
        return operations.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.weight.size}"


class ELU(Module):
    """x above 0, and alpha * (exp(x) - 1) below."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.elu(input, self.alpha)

    def extra_repr(self) -> str:
        """The depth."""
        return f"alpha={self.alpha}"


class CELU(ELU):
    """x above 0, and alpha * (exp(x / alpha) - 1) below."""

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.celu(input, self.alpha)


class SELU(Module):
    """The ELU that keeps mean 0 and variance 1 (Klambauer et al. 2017)."""

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.selu(input)


class GELU(Module):
    """x times the normal distribution function at x; `approximate="tanh"` is the quicker formula."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.gelu(input, self.approximate)


class SiLU(Module):
    """x * sigmoid(x), also called swish."""

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.silu(input)


class Mish(Module):
    """x * tanh(softplus(x))."""

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.mish(input)


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x is above `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.tanh(input)


class Hardtanh(Module):
    """x held between two numbers."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        if not min_val < max_val:
            raise ValueError(f"min_val is {min_val} and max_val {max_val}; expected the first to be the smaller")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """The numbers."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Module):
    """x held between 0 and 6."""

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.relu6(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.sigmoid(input)


class LogSigmoid(Module):
    """log(sigmoid(x)), without its overflow."""

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.logsigmoid(input)


class Hardsigmoid(Module):
    """relu6(x + 3) / 6."""

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.hardsigmoid(input)


class Hardswish(Module):
    """x * relu6(x + 3) / 6."""

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.hardswish(input)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.softsign(input)


class GLU(Module):
    """The first half along `dim` times the sigmoid of the second."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Any shape with an even size along `dim` -> half of it."""
        return operations.glu(input, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Softmax(Module):
    """Probabilities along `dim`; not before `cross_entropy`, which has its own."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """Logarithms of probabilities along `dim`, for `nll_loss`."""

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.log_softmax(input, self.dim)


class Identity(Module):
    """x itself; takes any arguments and does nothing with them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return input

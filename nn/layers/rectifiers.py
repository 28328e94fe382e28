"""Rectifiers as layers: relu's relatives, which bend at 0 or near it.

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


class LeakyReLU(Module):
    """x above 0, and negative_slope * x below.

    Example:
        >>> from mazegrad import nn
        >>> nn.LeakyReLU(0.2)([-1.0, 1.0])
        array([-0.2,  1. ])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """x above 0, and weight * x below: the slope is learned, one for all or one for each channel.

    Example:
        >>> from mazegrad import nn
        >>> layer = nn.PReLU()
        >>> layer(nn.Tensor([[-4.0, 2.0]])).sum().backward()
        >>> layer.weight.data, layer.weight.grad
        (array([0.25], dtype=float32), array([-4.], dtype=float32))
    """

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
    """x above 0, and alpha * (exp(x) - 1) below.

    Example:
        >>> from mazegrad import nn
        >>> nn.ELU()([-1.0, 1.0]).round(3)
        array([-0.632,  1.   ])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.elu(input, self.alpha)

    def extra_repr(self) -> str:
        """The depth."""
        return f"alpha={self.alpha}"


class CELU(ELU):
    """x above 0, and alpha * (exp(x / alpha) - 1) below.

    Example:
        >>> from mazegrad import nn
        >>> nn.CELU(alpha=0.5)([-10.0, 1.0])
        array([-0.5,  1. ])
    """

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.celu(input, self.alpha)


class SELU(Module):
    """The ELU that keeps mean 0 and variance 1 (Klambauer et al. 2017).

    Example:
        >>> from mazegrad import nn
        >>> nn.SELU()([-100.0, 1.0]).round(3)  # -scale * alpha, and scale
        array([-1.758,  1.051])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.selu(input)


class SiLU(Module):
    """x * sigmoid(x), also called swish.

    Example:
        >>> from mazegrad import nn
        >>> nn.SiLU()([-1.0, 1.0]).round(3)
        array([-0.269,  0.731])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.silu(input)


class Mish(Module):
    """x * tanh(softplus(x)).

    Example:
        >>> from mazegrad import nn
        >>> nn.Mish()([-1.0, 1.0]).round(3)
        array([-0.303,  0.865])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.mish(input)


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x is above `threshold`.

    Example:
        >>> from mazegrad import nn
        >>> nn.Softplus(beta=10.0)([-1.0, 0.0, 1.0]).round(3)  # close to relu
        array([0.   , 0.069, 1.   ])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardtanh(Module):
    """x held between two numbers.

    Example:
        >>> from mazegrad import nn
        >>> nn.Hardtanh(-2, 2)([-5.0, 1.0, 5.0])
        array([-2.,  1.,  2.])
    """

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
    """x held between 0 and 6.

    Example:
        >>> from mazegrad import nn
        >>> nn.ReLU6()([-1.0, 5.0, 50.0])
        array([0., 5., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.relu6(input)


class LogSigmoid(Module):
    """log(sigmoid(x)), without its overflow.

    Example:
        >>> from mazegrad import nn
        >>> nn.LogSigmoid()([-100.0, 0.0]).round(3)
        array([-100.   ,   -0.693])
    """

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.logsigmoid(input)


class Hardsigmoid(Module):
    """relu6(x + 3) / 6.

    Example:
        >>> from mazegrad import nn
        >>> nn.Hardsigmoid()([-3.0, -1.5, 0.0, 3.0])
        array([0.  , 0.25, 0.5 , 1.  ])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.hardsigmoid(input)


class Hardswish(Module):
    """x * relu6(x + 3) / 6.

    Example:
        >>> from mazegrad import nn
        >>> nn.Hardswish()([-1.5, 3.0])
        array([-0.375,  3.   ])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.hardswish(input)


class Softsign(Module):
    """x / (1 + |x|).

    Example:
        >>> from mazegrad import nn
        >>> nn.Softsign()([-1.0, 9.0])
        array([-0.5,  0.9])
    """

    def forward(self, input: Any) -> Any:
        """Any shape."""
        return operations.softsign(input)


class GLU(Module):
    """The first half along `dim` times the sigmoid of the second.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.GLU(dim=1)(np.zeros((8, 6, 28, 28))).shape
        (8, 3, 28, 28)
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Any shape with an even size along `dim` -> half of it."""
        return operations.glu(input, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"

"""Where training starts: arrays of random numbers with a chosen spread, each from a given generator.

`layer.weight.assign(init.orthogonal(layer.weight.shape, rng=rng))`. Shapes are PyTorch's: (out, in, *kernel).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from .graph import Array
from .torch_names import INITIALS, getter


def _sizes(shape: Any) -> tuple[int, ...]:
    """Return the shape as a tuple; TypeError for a tensor, which PyTorch's functions take instead."""
    if not isinstance(shape, Sequence):
        raise TypeError(
            f"expected a shape such as (out, in), not {type(shape).__name__}; to initialise a weight, assign the"
            " result: weight.assign(init.he_normal(weight.shape, rng=rng))"
        )
    return tuple(shape)


def _generator(rng: Any) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}; expected a numpy.random.Generator, such as numpy.random.default_rng(0)")
    return rng


def uniform(shape: Sequence[int], bound: float, *, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Array:
    """Return numbers uniform on [-bound, bound), of this shape and precision, like all functions here.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> w = nn.init.uniform((2, 3), bound=0.5, rng=np.random.default_rng(0))
        >>> w.shape, w.dtype.name, bool((abs(w) <= 0.5).all())
        ((2, 3), 'float32', True)
    """
    return _generator(rng).uniform(-bound, bound, _sizes(shape)).astype(dtype)


def normal(shape: Sequence[int], std: float, *, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Array:
    """Normal with mean 0 and standard deviation `std`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> w = nn.init.normal((100, 100), std=0.02, rng=np.random.default_rng(0))
        >>> round(float(w.std()), 3)
        0.02
    """
    return _generator(rng).normal(0, std, _sizes(shape)).astype(dtype)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan_in, fan_out), (in * kernel size, out * kernel size); ValueError for fewer than two axes.

    Example:
        >>> from mazegrad import nn
        >>> nn.init.fans((10, 3)), nn.init.fans((16, 8, 3, 3))  # of a linear layer and of a convolution
        ((3, 10), (72, 144))
    """
    if len(_sizes(shape)) < 2:
        raise ValueError(f"shape {tuple(shape)} has no inputs and outputs; expected (out, in, ...)")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def glorot_uniform(
    shape: Sequence[int], gain: float = 1.0, *, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Array:
    """Uniform with variance 2 gain^2 / (fan_in + fan_out): Glorot & Bengio 2010, PyTorch's xavier_uniform_.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> w = nn.init.glorot_uniform((100, 200), rng=np.random.default_rng(0))
        >>> bool(abs(w).max() <= (6 / (100 + 200)) ** 0.5)
        True
    """
    return uniform(shape, gain * math.sqrt(6 / sum(fans(shape))), rng=rng, dtype=dtype)


def glorot_normal(
    shape: Sequence[int], gain: float = 1.0, *, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Array:
    """Normal with variance 2 gain^2 / (fan_in + fan_out): Glorot & Bengio 2010, PyTorch's xavier_normal_.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> w = nn.init.glorot_normal((100, 300), gain=2.0, rng=np.random.default_rng(0))
        >>> round(float(w.var()), 3), 2 * 2.0**2 / (100 + 300)
        (0.02, 0.02)
    """
    return normal(shape, gain * math.sqrt(2 / sum(fans(shape))), rng=rng, dtype=dtype)


def he_uniform(shape: Sequence[int], *, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Array:
    """Uniform with variance 2 / fan_in, for ReLU: He et al. 2015, PyTorch's kaiming_uniform_.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> w = nn.init.he_uniform((64, 3, 3, 3), rng=np.random.default_rng(0))
        >>> round(float(w.var()) * 27, 1)  # times fan_in
        2.0
    """
    return uniform(shape, math.sqrt(6 / fans(shape)[0]), rng=rng, dtype=dtype)


def he_normal(shape: Sequence[int], *, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Array:
    """Normal with variance 2 / fan_in, for ReLU: He et al. 2015, PyTorch's kaiming_normal_.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(100, 256))
        >>> for _ in range(20):  # twenty layers later the signal is as large as before
        ...     x = nn.relu(x @ nn.init.he_normal((256, 256), rng=rng).T)
        >>> bool(0.3 < (x**2).mean() < 3)
        True
    """
    return normal(shape, math.sqrt(2 / fans(shape)[0]), rng=rng, dtype=dtype)


def orthogonal(
    shape: Sequence[int], gain: float = 1.0, *, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Array:
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`: Saxe et al. 2014.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> w = nn.init.orthogonal((2, 5), rng=np.random.default_rng(0))
        >>> abs(w @ w.T).round(3)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(_generator(rng).normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))  # makes the distribution uniform over the orthogonal matrices
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


def identity(shape: Sequence[int], gain: float = 1.0, *, dtype: DTypeLike = np.float32) -> Array:
    """Ones on the diagonal, times `gain`: for recurrent weights, Le, Jaitly & Hinton 2015.

    Example:
        >>> from mazegrad import nn
        >>> nn.init.identity((2, 3), gain=0.5)
        array([[0.5, 0. , 0. ],
               [0. , 0.5, 0. ]], dtype=float32)
    """
    if len(_sizes(shape)) != 2:
        raise ValueError(f"identity fills a matrix, not shape {tuple(shape)}")
    return (gain * np.eye(shape[0], shape[1])).astype(dtype)


def forget_bias(hidden_size: int, value: float | Array = 1.0, *, dtype: DTypeLike = np.float32) -> Array:
    """Return a bias (4 hidden_size,) for an LSTM: `value` at the forget gates, else 0, so that cells start by keeping.

    `lstm.bias_ih_l0.assign(init.forget_bias(size))`. `value` may be an array (hidden_size,), such as `chrono` returns.

    Source: R. Jozefowicz, W. Zaremba & I. Sutskever, An Empirical Exploration of Recurrent Network Architectures, 2015
    (with the value 1).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> lstm = nn.LSTM(3, 2, rng=np.random.default_rng(0))
        >>> lstm.bias_ih_l0.assign(nn.init.forget_bias(2))
        >>> lstm.bias_ih_l0.data
        array([0., 0., 1., 1., 0., 0., 0., 0.], dtype=float32)
    """
    bias = np.zeros((4, hidden_size), dtype)
    bias[1] = value
    return bias.ravel()


def chrono(size: int, longest: int, *, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Array:
    """Return biases (size,) for gates that keep a state: the log of numbers uniform on [1, longest - 1).

    A gate sigmoid(b) that sees nothing else keeps 1 / e of its cell over about 1 + exp(b) steps, so these gates
    remember for 2 to `longest` steps. They are meant for the forget gates of an LSTM (with -b for its input gates), or
    the update gates of a GRU.

    Raises:
        ValueError: `longest` is 2 or less.

    Source: C. Tallec & Y. Ollivier, Can Recurrent Neural Networks Warp Time?, 2018.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> bias = nn.init.chrono(1000, longest=100, rng=np.random.default_rng(0))
        >>> keeps = 1 + np.exp(bias)  # for how many steps
        >>> float(keeps.min().round()), float(keeps.max().round())
        (2.0, 100.0)
    """
    if longest <= 2:
        raise ValueError(f"longest is {longest}; expected a number of steps above 2")
    return np.log(_generator(rng).uniform(1, longest - 1, size)).astype(dtype)


if not TYPE_CHECKING:
    __getattr__ = getter("nn.init", globals(), INITIALS)

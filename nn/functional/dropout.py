"""Dropout: in training, some elements are set to 0 at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import operations
from ..checks import PROBABILITY, check
from ..rules import Operand, Rule, composite, operation


@operation
def dropout(input: Operand, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | None = None) -> Rule:
    """Set each element to 0 with probability p, and divide the others by 1 - p (Srivastava et al. 2014).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.dropout(np.ones(8), p=0.25, rng=np.random.default_rng(0)).round(3)
        array([1.333, 1.333, 0.   , 0.   , 1.333, 1.333, 1.333, 1.333])
    """
    check(PROBABILITY, p=p)
    if not training or p == 0:
        return input, lambda grad, needs: (grad,)
    if rng is None:
        raise ValueError("dropout in training needs rng=, a numpy.random.Generator")
    keep = np.empty_like(input)
    np.copyto(keep.ravel(order="K"), rng.random(input.size, dtype=input.dtype) >= p)
    keep *= 1 / (1 - p) if p < 1 else 0
    return input * keep, lambda grad, needs, keep=keep: (grad * keep,)


def _whole_channels(
    name: str, input: Operand, axes: int, p: float, training: bool, rng: np.random.Generator | None
) -> Any:
    check(PROBABILITY, p=p)
    shape = np.shape(input)
    if len(shape) not in (axes + 1, axes + 2):
        expected = "(batch, channels, height, width)" if axes == 2 else "(batch, channels, length)"
        raise ValueError(f"{name} of shape {shape}: expected {expected}")
    if not training or p == 0:
        return operations.multiply(input, 1.0)
    if rng is None:
        raise ValueError(f"{name} in training needs rng=, a numpy.random.Generator")
    lead = shape[: len(shape) - axes]
    factors = (rng.random(lead) >= p) / (1 - p if p < 1 else 1)
    dtype = np.float64 if input.dtype == np.float64 else np.float32
    return operations.multiply(input, factors.astype(dtype).reshape(*lead, *[1] * axes))


@composite
def dropout1d(input: Operand, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | None = None) -> Any:
    """Dropout of whole channels of (batch, channels, length): a single number could be guessed from its neighbours.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.dropout1d(np.ones((1, 3, 4)), rng=np.random.default_rng(0))[0]
        array([[2., 2., 2., 2.],
               [0., 0., 0., 0.],
               [0., 0., 0., 0.]])
    """
    return _whole_channels("dropout1d", input, 1, p, training, rng)


@composite
def dropout2d(input: Operand, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | None = None) -> Any:
    """Dropout of whole channels of (batch, channels, height, width) (Tompson et al. 2015).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.dropout2d(np.ones((2, 3, 8, 8)), rng=np.random.default_rng(1)).mean((2, 3))
        array([[2., 2., 0.],
               [2., 0., 0.]])
    """
    return _whole_channels("dropout2d", input, 2, p, training, rng)

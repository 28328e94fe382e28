"""Positions of tokens: attention by itself sees a set, not a sequence, so positions are added to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..graph import Array
from ..layers import Dropout
from ..modules import Module
from ..rules import Operand, Rule, operation


def _angles(positions: Array, size: int, base: float) -> Array:
    """positions / base ** (0, 2, 4, ... / size), one for each pair of the size: (..., ceil(size / 2)), float64."""
    if not base > 0:
        raise ValueError(f"base is {base}; expected a positive number")
    return positions[..., None] * base ** (-np.arange(0, size, 2) / size)


def sinusoidal_positions(
    length: int, size: int, base: float = 10_000.0, *, start: int = 0, dtype: DTypeLike = np.float32
) -> Array:
    """Sines and cosines of each position, from fast to slow, to be added to the tokens' embeddings.

    Returns:
        (length, size): at position t, 2i is sin(t / base^(2i / size)) and 2i + 1 is its cosine, t = start, start + 1,
        ... (Vaswani et al. 2017, 3.5).

    Example:
        >>> from mazegrad import nn
        >>> nn.sinusoidal_positions(3, 4).round(2)
        array([[ 0.  ,  1.  ,  0.  ,  1.  ],
               [ 0.84,  0.54,  0.01,  1.  ],
               [ 0.91, -0.42,  0.02,  1.  ]], dtype=float32)
    """
    angles = _angles(np.arange(start, start + length), size, base)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, -1)[:, :size].astype(dtype)


class SinusoidalPositions(Module):
    """x + `sinusoidal_positions`, and then dropout: (length, batch, size), or (batch, length, size) if `batch_first`.

    As in PyTorch, an input without the batch is (length, size) either way.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.SinusoidalPositions(batch_first=True)(np.zeros((1, 2, 4), np.float32))[0].round(2)
        array([[0.  , 1.  , 0.  , 1.  ],
               [0.84, 0.54, 0.01, 1.  ]], dtype=float32)
    """

    def __init__(
        self,
        dropout: float = 0.0,
        batch_first: bool = False,
        base: float = 10_000.0,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.dropout = Dropout(dropout, rng=rng)
        self.batch_first, self.base = batch_first, base

    def forward(self, x: Any, start: int = 0) -> Any:
        """Return the same shape. `start` is the number of the first position: how many a cache holds already."""
        if np.ndim(x) not in (2, 3):
            raise ValueError(f"SinusoidalPositions takes (length, batch, size) or (length, size), not {np.shape(x)}")
        along = 1 if self.batch_first and np.ndim(x) == 3 else 0
        table = sinusoidal_positions(x.shape[along], x.shape[-1], self.base, start=start, dtype=x.dtype)
        return self.dropout(x + (table[:, None] if np.ndim(x) == 3 and not along else table))

    def extra_repr(self) -> str:
        """The settings."""
        return f"batch_first={self.batch_first}, base={self.base:g}"


@operation
def _turn(x: Operand, cosine: Array, sine: Array) -> Rule:
    def turned(x: Array, sine: Array) -> Array:
        out = np.empty_like(x)
        even, odd = x[..., ::2], x[..., 1::2]
        out[..., ::2] = even * cosine - odd * sine
        out[..., 1::2] = odd * cosine + even * sine
        return out

    return turned(x, sine), lambda grad, needs, turned=turned, sine=sine: (turned(grad, -sine),)


def rotary_positions(x: Operand, positions: Any = None, base: float = 10_000.0) -> Any:
    """Turn each pair of numbers by an angle that grows with the position, some pairs fast and some slowly.

    If queries and keys are turned, their scores depend on positions only by their distance (Su et al. 2021).

    Args:
        x: (..., length, size), with an even size: the pairs are (0, 1), (2, 3), ...
        positions: integers that broadcast to (..., length); 0, 1, 2, ... by default.
        base: pair i turns by position / base^(2i / size).

    Returns:
        The same shape.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = np.array([[1.0, 0.0]] * 4)
        >>> turned = nn.rotary_positions(x)
        >>> (turned @ turned.T).round(2)  # cos of the distance
        array([[ 1.  ,  0.54, -0.42, -0.99],
               [ 0.54,  1.  ,  0.54, -0.42],
               [-0.42,  0.54,  1.  ,  0.54],
               [-0.99, -0.42,  0.54,  1.  ]])
    """
    shape = np.shape(x)
    if len(shape) < 2 or shape[-1] % 2:
        raise ValueError(f"rotary_positions takes (..., length, size) with an even size, not {shape}")
    positions = np.arange(shape[-2]) if positions is None else np.asarray(positions)
    if positions.dtype.kind not in "iu":
        raise TypeError(f"rotary_positions: positions are integers, not {positions.dtype}")
    try:
        np.broadcast_to(positions, shape[:-1])
    except ValueError:
        raise ValueError(f"rotary_positions: positions of shape {positions.shape} do not fit x of {shape}") from None
    angles = _angles(positions, shape[-1], base)
    dtype = np.float32 if getattr(x, "dtype", None) == np.float32 else np.float64
    return _turn(x, cosine=np.cos(angles).astype(dtype), sine=np.sin(angles).astype(dtype))

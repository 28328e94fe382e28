"""Dropout as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import functional
from ..checks import PROBABILITY, check
from ..modules import Module


class Dropout(Module):
    """In training, set each element to 0 with probability p and divide the rest by 1 - p.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.Dropout(0.5, rng=np.random.default_rng(0))
        >>> layer(np.ones(8)), layer.eval()(np.ones(8))
        (array([2., 0., 0., 0., 2., 2., 2., 2.]), array([1., 1., 1., 1., 1., 1., 1., 1.]))
    """

    drop: Callable[..., Any] = staticmethod(functional.dropout)

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        check(PROBABILITY, p=p)
        self.p, self.rng = p, rng or np.random.default_rng()

    def forward(self, input: Any) -> Any:
        """The same shape."""
        return self.drop(input, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout1D(Dropout):
    """Dropout of whole channels of (batch, channels, length).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.Dropout1D(rng=np.random.default_rng(0))(np.ones((1, 3, 4)))[0]
        array([[2., 2., 2., 2.],
               [0., 0., 0., 0.],
               [0., 0., 0., 0.]])
    """

    drop = staticmethod(functional.dropout1d)


class Dropout2D(Dropout):
    """Dropout of whole channels of (batch, channels, height, width).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> y = nn.Dropout2D(0.25, rng=np.random.default_rng(0))(np.ones((1, 8, 5, 5)))
        >>> y.mean((2, 3)).round(2)
        array([[1.33, 1.33, 0.  , 0.  , 1.33, 1.33, 1.33, 1.33]])
    """

    drop = staticmethod(functional.dropout2d)

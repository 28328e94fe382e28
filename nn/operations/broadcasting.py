"""Broadcasting repeats an operand along axes; its derivative sums over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Array


def fit(grad: Array, operand: Any) -> Array:
    """Sum `grad` over the axes along which `operand` was broadcast."""
    shape = np.shape(operand)
    if grad.shape == shape:
        return grad
    lead = grad.ndim - len(shape)
    stretched = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 != grad.shape[i + lead])
    return grad.sum(stretched, keepdims=True).reshape(shape)

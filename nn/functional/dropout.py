"""Dropout: in training, some elements are set to 0 at random."""

from __future__ import annotations

import numpy as np

from ..checks import PROBABILITY, check
from ..tensor import Operand, Rule, operation


@operation
def dropout(input: Operand, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | None = None) -> Rule:
    """Set each element to 0 with probability p, and divide the others by 1 - p (Srivastava et al. 2014)."""
    check(PROBABILITY, p=p)
    if not training or p == 0:
        return input, lambda grad, needs: (grad,)
    if rng is None:
        raise ValueError("dropout in training needs rng=, a numpy.random.Generator")
    keep = np.empty_like(input)
    np.copyto(keep.ravel(order="K"), rng.random(input.size, dtype=input.dtype) >= p)
    keep *= 1 / (1 - p) if p < 1 else 0
    return input * keep, lambda grad, needs: (grad * keep,)

"""How the weights of most layers start."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from .. import init
from ..tensor import Parameter


def uniform_parameter(
    shape: Sequence[int], fan_in: int, rng: np.random.Generator | None, dtype: DTypeLike
) -> Parameter:
    """Draw a parameter uniformly from +-1 / sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    return Parameter(init.uniform(shape, bound, rng=rng or np.random.default_rng(), dtype=dtype))

"""Checks of what planners are given: discounts and distributions."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import fraction

SUM_TOLERANCE: Final = 1e-9
"""The allowed distance of the sum of a distribution from 1."""


def check_discount(discount: float) -> float:
    """Return the discount as a float.

    Raises:
        ValueError: not a number from 0 to 1.
    """
    return fraction("discount", discount)


def check_distribution(name: str, table: NDArray[np.float64]) -> None:
    """Check that the last axis holds distributions.

    Raises:
        ValueError: a negative number, NaN, or a sum that is not 1.
    """
    if not (table >= 0).all():
        raise ValueError(f"{name} must not hold negative numbers or NaN")
    sums = table.sum(axis=-1)
    wrong = np.argwhere(np.abs(sums - 1) > SUM_TOLERANCE)
    if len(wrong):
        where = f" at {tuple(wrong[0].tolist())}" if wrong.shape[1] else ""
        raise ValueError(f"{name} must sum to 1, not to {sums[tuple(wrong[0])]}{where}")

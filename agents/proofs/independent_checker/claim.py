"""What a check does when a claim does not hold."""

import math
from fractions import Fraction
from typing import Final

TIGHT: Final = 1e-6
"""the relative width that two bounds of one value may have"""


class FalseClaim(Exception):
    """A claim that does not hold; the message says which."""


def require(holds: bool, otherwise: str) -> None:
    """Raise a FalseClaim with a message if a condition does not hold."""
    if not holds:
        raise FalseClaim(otherwise)


def require_bounds(claimed: tuple[float, float], value: tuple[Fraction, Fraction], name: str) -> None:
    """Require that two claimed bounds are finite and close, and contain a value that lies between two fractions."""
    lower, upper = claimed
    require(math.isfinite(lower) and math.isfinite(upper), f"{name} must be finite")
    require(
        Fraction(lower) <= value[0] and value[1] <= Fraction(upper), f"{name} does not contain the recomputed value"
    )
    require(upper - lower <= TIGHT * max(1.0, abs(lower)), f"the bounds of {name} are too far apart")

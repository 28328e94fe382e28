"""Compare returned arrays with expected ones, and say in a sentence what is wrong and where."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
TOLERANCE: Final = 1e-5  # of the largest expected value: float32 will do


def fault(found: Array | str, expected: Array, variants: Mapping[str, Array] | None = None) -> str:
    """Return what is wrong with an array, as the rest of a sentence about it, or "" if it is right.

    Args:
        found: the array; a text says what was returned in its place.
        expected: the right one.
        variants: what usual mistakes give, by the rest of a sentence about the mistake.
    """
    if isinstance(found, str):
        return f"is {found}; expected an array of shape {expected.shape}"
    if found.shape != expected.shape:
        return f"has the shape {found.shape}; expected {expected.shape}"
    wrong = differs(found, expected)
    if not wrong.any():
        return ""
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    values = f"is {float(found[place]):.6g} at {list(place)}; expected {float(expected[place]):.6g}"
    counted = f"{values} ({int(wrong.sum())} of {wrong.size} values differ)"
    for sentence, variant in (variants or {}).items():
        if variant.shape == found.shape and not differs(found, variant).any():
            return f"{sentence}: it {counted}"
    return counted


def differs(found: Array, expected: Array) -> npt.NDArray[np.bool_]:
    """Return where arrays of one shape differ by more than `TOLERANCE`; infinities agree with themselves."""
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    with np.errstate(all="ignore"):
        return ~np.isclose(found.astype(np.float64), expected, rtol=0, atol=TOLERANCE * scale)

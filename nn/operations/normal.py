"""The normal distribution function, which numpy lacks and the exact `gelu` needs; accurate on the far left too.

With u = |x|, Mills' ratio P(X > u) / density(u) is a smooth function of t = 5 / (5 + u): a short polynomial in
1 - 2 t, times t, has it to the last digit for every u. No step depends on the value of x, so NaN stays NaN.

Source: M. M. Shepherd and J. G. Laframboise, Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < oo,
Mathematics of Computation 36, 1981, whose change of variable this is; the coefficients were computed with 60 digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import cheb2poly

from ..graph import Array

# fmt: off
_CHEBYSHEV = (
    0.5439370477535649, -0.47381352113017583, 0.17022152903825802, -0.0505342020403798, 0.012203077280981408,
    -0.0022951028146112355, 0.00029892217931239227, -1.5057101680862836e-05, -3.4883281972377065e-06,
    8.330138752920853e-07, -2.150983482230872e-08, -1.8942452851101842e-08, 2.3344506883308776e-09,
    3.643293447805515e-10, -9.405225007270377e-11, -6.792198280493645e-12, 3.3863722776309125e-12,
    1.423252208456064e-13, -1.238525739463869e-13, -4.534440526986398e-15, 4.738387998856839e-15,
    2.4083412051854343e-16, -1.952134068343814e-16,
)
# fmt: on
_POLYNOMIALS: dict[Any, list[Any]] = {  # highest power first
    np.dtype(np.float32): [np.float32(c) for c in cheb2poly(_CHEBYSHEV[:12])[::-1]],
    np.dtype(np.float64): [np.float64(c) for c in cheb2poly(_CHEBYSHEV)[::-1]],
}
FARTHEST = 40.0  # beyond, the density is 0 in double precision
_BLOCK = 1 << 12  # elements that stay in the first-level cache with their scratch arrays


def normal(x: Array) -> tuple[Array, Array]:
    """The standard normal distribution function and its density at x, both in x's dtype and memory order."""
    x = np.asarray(x)
    if not x.flags.forc:
        x = x.copy(order="K")
    below, density = np.empty_like(x), np.empty_like(x)
    flat, flat_below, flat_density = (array.ravel(order="K") for array in (x, below, density))
    for start in range(0, x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        _normal(flat[block], flat_below[block], flat_density[block])
    return below, density


def _normal(x: Array, below: Array, density: Array) -> None:
    u = np.minimum(np.abs(x), FARTHEST)
    near = np.rint(u * 8)
    near *= 0.125  # its square is exact, so the density keeps its relative accuracy
    np.exp(near * near * -0.5, out=density)
    density *= np.exp((near - u) * (near + u) * 0.5)
    density *= 1 / math.sqrt(2 * math.pi)
    t = 5 / (u + 5)
    y = 1 - 2 * t
    highest, *others = _POLYNOMIALS[x.dtype]
    ratio = highest * y
    for coefficient in others[:-1]:
        ratio += coefficient
        ratio *= y
    ratio += others[-1]
    ratio *= t
    ratio *= density  # P(X > u)
    np.subtract(x > 0, ratio, out=below)
    np.abs(below, out=below)

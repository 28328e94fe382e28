"""Exercise 39 in closed form: the gradient of an error after k steps of h -> U h, and where floats end.

With h_k = U^k h and an error f(h_k), U is used k times, and each use adds one term to df/dU. For a diagonal U all k
terms are the same power, so the gradient is proportional to k u^(k-1): it vanishes or explodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..graph import Array

ErrorGradient: TypeAlias = ArrayLike | Callable[[Array], ArrayLike]
"""df/dh_k, (n,), or a function that takes h_k and returns it: f' depends on U where f is not linear."""

QUIET: Any = {
    "over": "ignore",
    "under": "ignore",
    "invalid": "ignore",
}  # for np.errstate: a float's limits are the topic


def power_gradient(u: ArrayLike, h: ArrayLike, k: int, error_gradient: ErrorGradient) -> Array:
    """Return the gradient of f(diag(u)^k h) with respect to u: k u_i^(k-1) h_i f'(h_k)_i.

    Args:
        u: the diagonal, (n,).
        h: the first state, (n,).
        k: the number of steps, 1 or more.
        error_gradient: f'(h_k), (n,), or a function of h_k that returns it.

    Returns:
        (n,), in the precision of u. Overflow gives infinity and underflow 0, without a warning.

    Raises:
        ValueError: shapes that do not fit, or k below 1.
        TypeError: u does not hold real numbers.

    Example:
        >>> from mazegrad import nn
        >>> nn.analysis.power_gradient(u=[1.2, 2, 1.1], h=[1, 1, 1], k=3, error_gradient=[1, 1, 1])  # k u^(k-1)
        array([ 4.32, 12.  ,  3.63])
    """
    u = _array("u", u, 1)
    h, k = _like(u, "h", h), _steps(k)
    with np.errstate(**QUIET):
        slope = h * _error(error_gradient, u**k * h)
        return np.where(slope == 0, 0, k * u ** (k - 1) * slope)  # not inf * 0


def power_gradient_matrix(U: ArrayLike, h: ArrayLike, k: int, error_gradient: ErrorGradient) -> Array:
    """Return the gradient of f(U^k h) with respect to U: the sum over j < k of (U^T)^j g h^T (U^T)^(k-1-j).

    Here g = f'(h_k). The j-th term is the outer product of g after j steps back and of the state that entered U in that
    step; all of them are one matrix product of k rows each. Entries off the diagonal are not 0 even where U is
    diagonal: g_a h_b (u_a^k - u_b^k) / (u_a - u_b).

    Args:
        U: (n, n).
        h, k, error_gradient: as in `power_gradient`.

    Returns:
        (n, n), in the precision of U. Overflow, underflow and errors are those of `power_gradient`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.analysis.power_gradient_matrix(np.diag([1.2, 2.0]), h=[1, 1], k=3, error_gradient=[1, 1]).round(2)
        array([[ 4.32,  7.84],
               [ 7.84, 12.  ]])
    """
    U = _array("U", U, 2)
    if U.shape[0] != U.shape[1]:
        raise ValueError(f"U has shape {U.shape}; expected a square matrix")
    h, k = _like(U[0], "h", h), _steps(k)
    with np.errstate(**QUIET):
        states, grads = np.empty((2, k, len(h)), U.dtype)
        for j in range(k):
            states[j] = h  # U^j h
            h = U @ h
        g = _error(error_gradient, h)
        for j in range(k):
            grads[j] = g  # (U^T)^j g
            g = g @ U
        return grads.T @ states[::-1]


@dataclass(frozen=True)
class PowerLimits:
    """The k at which |k u^(k-1)| * scale is largest, and the first at which a float cannot hold it; None: never.

    Example:
        >>> from mazegrad import nn
        >>> nn.analysis.power_limits(0.85)
        PowerLimits(peak=6, overflow=None, underflow=578, zero=641)
    """

    peak: int | None  # None: it grows without end
    overflow: int | None  # it is above the largest number
    underflow: int | None  # it is below the smallest number of full precision (after the peak)
    zero: int | None  # each of its k terms |u|^(k-1) * scale is rounded to 0, and so is their sum (after the peak)


def power_limits(u: float, scale: float = 1.0, dtype: DTypeLike = np.float32) -> PowerLimits:
    """Predict when k u^(k-1) * scale overflows or underflows in `dtype`; `scale` stands for |h f'(h_k)|.

    For |u| < 1 it first grows, up to the peak at k = -1 / ln|u|. The computation uses logarithms, so it has no limits
    of its own.

    Raises:
        ValueError: u or scale is not finite, or scale is not positive.

    Example:
        >>> from mazegrad import nn
        >>> [nn.analysis.power_limits(u).overflow for u in (1.2, 2, 1.1)]  # steps until float32 overflows
        [455, 123, 861]
        >>> [nn.analysis.power_limits(u).underflow for u in (0.8, 0.1, 0.9)]
        [420, 41, 895]
    """
    if not (math.isfinite(u) and math.isfinite(scale) and scale > 0):
        raise ValueError(f"u={u} and scale={scale}: expected finite numbers, and a positive scale")
    info = np.finfo(dtype)
    highest, lowest, least = (math.log(float(x)) for x in (info.max, info.tiny, info.smallest_subnormal))
    if u == 0:
        return PowerLimits(peak=1, overflow=None, underflow=2, zero=2)
    slope, size = math.log(abs(u)), math.log(scale)

    def log_of(k: int) -> float:
        return math.log(k) + ((k - 1) * slope if slope else 0) + size

    if slope >= 0:
        return PowerLimits(None, _first(lambda k: log_of(k) > highest, 1), None, None)
    peak = max(1, math.floor(-1 / slope))
    peak += log_of(peak + 1) > log_of(peak)
    return PowerLimits(
        peak=peak,
        overflow=_first(lambda k: log_of(min(k, peak)) > highest, 1) if log_of(peak) > highest else None,
        underflow=_first(lambda k: log_of(k) < lowest, peak),
        zero=_first(lambda k: (k - 1) * slope + size <= least - math.log(2), peak),
    )


def spectral_radius(U: ArrayLike) -> Any:
    """Return the largest absolute eigenvalue: a float for (n, n), an array (...) for a stack (..., n, n).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> float(nn.analysis.spectral_radius(np.diag([0.8, 0.1, 0.9])))
        0.9
    """
    U = _array("U", U, None)
    if U.ndim < 2 or U.shape[-1] != U.shape[-2]:
        raise ValueError(f"U has shape {U.shape}; expected square matrices (..., n, n)")
    radius = np.abs(np.linalg.eigvals(U)).max(-1)
    return float(radius) if U.ndim == 2 else radius


# ---------------------------------------------------------------------------------------------------- bad input, search
def _array(name: str, value: ArrayLike, ndim: int | None) -> Array:
    """Return an array of floats: float32 stays, all else becomes float64."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} holds {array.dtype}, not real numbers")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} has shape {array.shape}; expected {ndim} {'axis' if ndim == 1 else 'axes'}")
    if not array.size:
        raise ValueError(f"{name} is empty, its shape is {array.shape}")
    return array if array.dtype == np.float32 else array.astype(np.float64)


def _like(model: Array, name: str, value: ArrayLike) -> Array:
    array = np.asarray(value)
    if array.shape != model.shape:
        raise ValueError(f"{name} has shape {array.shape}; expected {model.shape}, as u or a row of U")
    return array.astype(model.dtype)


def _error(error_gradient: ErrorGradient, h: Array) -> Array:
    return _like(h, "error_gradient", error_gradient(h) if callable(error_gradient) else error_gradient)


def _steps(k: int) -> int:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"k is {k!r}; expected a number of steps, 1 or more")
    return int(k)


def _first(condition: Callable[[int], bool], start: int) -> int:
    """Return the first k >= start for which a monotone condition holds: by doubling, then by bisection."""
    reach = 1
    while not condition(start + reach - 1):
        reach *= 2
    low, high = start - 1 + reach // 2, start + reach - 1  # holds at high, not at low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if condition(middle) else (middle, high)
    return high

"""Operations compute in one precision, float32 or float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def in_one_precision(name: str, operands: Sequence[Any]) -> list[Any]:
    """Plain operands, without a tensor among them, as arrays of one floating dtype.

    Arrays with axes are promoted as numpy does, and the others follow; without a floating operand it is float64.
    """
    arrays = [None if x is None else np.asarray(x) for x in operands]
    ranked: list[list[np.dtype[Any]]] = [[], [], []]  # of arrays with axes, of numpy's numbers, of Python's
    for x, array in zip(operands, arrays, strict=True):
        if array is not None and array.dtype.kind == "f" and array.dtype in FLOATS:
            ranked[0 if array.ndim else 1 if isinstance(x, np.ndarray | np.generic) else 2].append(array.dtype)
        elif array is not None and array.dtype.kind not in "iub":
            raise TypeError(f"{name} computes in float32 or float64, not {array.dtype}; convert with .astype")
    dtype = np.result_type(*next((dtypes for dtypes in ranked if dtypes), [np.dtype(np.float64)]))
    return [None if array is None else array.astype(dtype, copy=False) for array in arrays]

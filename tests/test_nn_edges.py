"""Edges: values and arguments at which a careless library gives a wrong number, silently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mazegrad import nn


# ----------------------------------------------------------------------------------------------------------------- gelu
def test_gelu_of_special_values() -> None:
    x = nn.Tensor(np.array([np.nan, np.inf, -np.inf, 0.0, -1e30, 1e30]), requires_grad=True)
    y = nn.gelu(x)
    np.testing.assert_array_equal(y.data, [np.nan, np.inf, 0, 0, 0, 1e30])
    y.sum().backward()
    np.testing.assert_allclose(x.grad, [np.nan, 1, 0, 0.5, 0, 1], rtol=1e-15)


@pytest.mark.parametrize(("dtype", "lowest", "error"), [(np.float64, -37.0, 5e-13), (np.float32, -13.0, 1e-6)])
def test_gelu_is_accurate_on_the_far_left_too(dtype: Any, lowest: float, error: float) -> None:
    """Relative accuracy, of the value and of the slope, where 1 + erf(x) has cancelled to 0."""
    special = pytest.importorskip("scipy.special", reason='comparison with SciPy needs pip install "mazegrad[parity]"')
    x = np.linspace(lowest, 10, 20_001).astype(dtype)
    wide = x.astype(np.float64)
    leaf = nn.Tensor(x, requires_grad=True)
    y = nn.gelu(leaf)
    y.sum().backward()
    below, density = special.ndtr(wide), np.exp(-wide * wide / 2) / np.sqrt(2 * np.pi)
    assert y.dtype == leaf.grad.dtype == dtype  # type: ignore[union-attr]
    np.testing.assert_allclose(y.data, wide * below, rtol=error)
    terms = below + np.abs(wide * density)  # the slope is their difference
    assert (np.abs(leaf.grad - (below + wide * density)) <= error * terms).all()

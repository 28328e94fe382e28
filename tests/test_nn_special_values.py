"""Special values, for every elementwise operation: forward and backward equal torch's in float64 within 1e-12 relative.

Where the two differ on purpose, `DIFFERENT` says where and why; these values are tested, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mazegrad import nn

VALUES = [0.0, 5e-324, 1e-310, 1e-200, 1e-8, 0.3, 0.5, 1.0, 2.5, 3.0, 6.0, 20.0, 40.0, 88.7, 710.0, 746.0]
VALUES += [1e10, 1e160, 1e308, np.inf]
SPECIAL = np.array([np.nan, *VALUES, *(-value for value in VALUES)])
PAIRS = [grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL)]

torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
F = torch.nn.functional

UNARY: dict[str, Callable[..., Any]] = {
    "negative": torch.neg,
    "absolute": torch.abs,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "gelu": F.gelu,
    **{
        name: getattr(F, name) for name in ("celu", "elu", "selu", "silu", "mish", "softplus", "softsign", "logsigmoid")
    },
    **{name: getattr(F, name) for name in ("hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "relu6")},
}
BINARY: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "power": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}


def at_nan(*xs: np.ndarray) -> np.ndarray:
    return np.isnan(xs[0])


# operation -> (where, for the value or the gradients, why)
DIFFERENT: dict[str, tuple[Callable[..., np.ndarray], str, str]] = {
    "relu": (at_nan, "gradient", "0 here; there it depends on the place in memory"),
    "hardtanh": (at_nan, "gradient", "there it depends on the place in memory"),
    "relu6": (at_nan, "gradient", "there it depends on the place in memory"),
    "hardswish": (at_nan, "gradient", "there it depends on the place in memory"),
    **dict.fromkeys(("elu", "celu", "selu"), (at_nan, "gradient", "there it depends on the place in memory")),
    "hardsigmoid": (lambda x: np.abs(x) < 3, "gradient", "1/6 to the last digit; there it is a float32"),
    "gelu": (
        lambda x: (x < 0) | np.isinf(x),
        "both",
        "accurate on the left, where 1 + erf cancels there; 0 at -inf and 1 at inf, where it is NaN there",
    ),
    "silu": (lambda x: x < -700, "both", "-3e-306 at -710; 0 there"),
    "mish": (lambda x: x < -700, "gradient", "the derivative of its own value"),
}


def results(
    mine: Callable[..., Any], theirs: Callable[..., Any], arrays: list[np.ndarray], weight: float
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Values and gradients, ours and torch's."""
    ours, others = ([make(a, requires_grad=True) for a in arrays] for make in (nn.Tensor, torch.tensor))
    out, expected = mine(*ours), theirs(*others)
    out.backward(np.full(out.shape, weight))
    expected.backward(torch.full_like(expected, weight))
    found = [("value", out.data, expected.detach().numpy())]
    return found + [("gradient", x.grad, y.grad.numpy()) for x, y in zip(ours, others, strict=True)]


def same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        return (
            (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= 1e-12 * np.abs(b) + 1e-321)
        )  # a few of the smallest number


@pytest.mark.parametrize("name", UNARY | BINARY)
def test_values_and_gradients_at_special_values_are_those_of_torch(name: str) -> None:
    arrays = [SPECIAL] if name in UNARY else PAIRS
    for kind, mine, theirs in results(getattr(nn, name), (UNARY | BINARY)[name], arrays, -2.0):
        good = same(mine, theirs)
        if name in DIFFERENT and DIFFERENT[name][1] in (kind, "both"):
            good |= DIFFERENT[name][0](*arrays)
        assert good.all(), f"{name}, {kind} at {[a[~good][:5] for a in arrays]}: {mine[~good][:5]}, {theirs[~good][:5]}"


@pytest.mark.parametrize("name", DIFFERENT)
def test_documented_differences_are_real(name: str) -> None:
    """One that has gone from torch, or from here, has to leave the list."""
    where, kind, why = DIFFERENT[name]
    if "place in memory" in why:
        pytest.skip("both answers come from torch")
    found = results(getattr(nn, name), UNARY[name], [SPECIAL], -2.0)
    assert any(not same(mine, theirs)[where(SPECIAL)].all() for k, mine, theirs in found if kind in (k, "both"))


@pytest.mark.parametrize("name", UNARY | BINARY)
def test_a_gradient_of_zero_stays_zero_unless_torch_says_otherwise(name: str) -> None:
    """Nothing comes back through a branch that was not chosen; where torch has 0, so have we."""
    arrays = [SPECIAL] if name in UNARY else PAIRS
    for kind, mine, theirs in results(getattr(nn, name), (UNARY | BINARY)[name], arrays, 0.0):
        if kind == "gradient":
            assert (mine[theirs == 0] == 0).all()
            assert np.isin(mine[~np.isnan(mine)], 0).all()


BRANCHES = [nn.sqrt, nn.log, lambda y: y**-1.5, lambda y: 1 / y, lambda y: y**0.5, lambda y: nn.norm(y * np.zeros(3))]


@pytest.mark.parametrize("branch", BRANCHES)
def test_no_nan_comes_back_through_the_branch_that_where_did_not_choose(branch: Callable[..., Any]) -> None:
    x = nn.Tensor(np.array([-2.0, 0.0, 3.0]), requires_grad=True)
    nn.where(x <= 0, x * 5, branch(x) * 0).sum().backward()
    y = nn.Tensor(np.array([-2.0, 0.0, -3.0]), requires_grad=True)
    nn.where(y.data <= 0, y * 5, branch(y)).sum().backward()
    np.testing.assert_array_equal(y.grad, 5)
    assert x.grad is not None
    assert np.isfinite(x.grad[:2]).all()


def test_clip_has_the_dtype_and_the_gradients_of_its_operand() -> None:
    assert nn.clip(np.ones(2, np.float32), np.float64(0), np.float64(2)).dtype == np.float32
    assert nn.clip(nn.Tensor([1.0, 3.0]), np.float64(0), np.float64(2)).dtype == np.float32
    bounds = [(np.zeros(7), np.array(2.0)), (None, np.array([1.0])), (np.array(2.0), np.array(1.0))]
    for low, high in bounds:
        x = np.array([np.nan, -1.0, 0.0, 1.0, 2.0, 3.0, np.inf])
        arrays = [array for array in (x, low, high) if array is not None]

        def call(clip: Any, *xs: Any, low: Any = low, high: Any = high) -> Any:
            rest = list(xs[1:])
            return clip(xs[0], None if low is None else rest.pop(0), None if high is None else rest.pop(0))

        for kind, mine, theirs in results(
            lambda *xs: call(nn.clip, *xs), lambda *xs: call(torch.clamp, *xs), arrays, -2.0
        ):
            assert mine.shape == theirs.shape
            assert same(mine, theirs).all(), kind
    x = nn.Tensor([1.0, 2.0, 3.0], requires_grad=True)  # repeated by its bounds, which torch cannot take back
    nn.clip(x, np.zeros((2, 1), np.float32)).sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 2, 2])
    with pytest.raises(ValueError, match="min, max, or both"):
        nn.clip(np.ones(2))

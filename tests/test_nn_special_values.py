"""Special values, for every elementwise operation: forward and backward equal torch's in float64 within 1e-12 relative.

Where the two differ on purpose, `DIFFERENT` says where and why; these values are tested, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from test_nn_contract import CASES, backward, batch_last
from test_nn_inputs import strided

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


# -------------------------------------------------------------------------------------------------- every operation
SPRINKLED = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-310, 1e-160, 1e160, -1e300]
NOT_FINITE, HUGE, TINY = (np.nan, np.inf, -np.inf), (1e160, -1e300), (1e-310, 1e-160)
# the operation -> the values at which it is another than torch, and why
ELSEWHERE: dict[str, tuple[tuple[float, ...], str]] = {
    **dict.fromkeys(("relu", "hardswish", "hardtanh", "relu6", "elu", "celu", "selu"), (NOT_FINITE[:1], "see above")),
    "gelu": (NOT_FINITE[1:], "see above"),
    "hardsigmoid": (tuple(SPRINKLED), "see above"),
    "norm": (HUGE + TINY + NOT_FINITE, "accurate where a power leaves the range, a gradient of NaN at NaN; else there"),
    "normalize": (HUGE, "as norm"),
    "prod": (NOT_FINITE, "the gradient by an infinite factor is the product of the others; NaN there"),
    "l1_loss": (NOT_FINITE[:1], "a gradient of NaN; 0 there"),
    "interpolate": (NOT_FINITE, "bicubic weights of 0 are multiplied; there they are left out"),
    "bias_relu": (NOT_FINITE, "only used by Sequential: an infinite bias gives NaN"),
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"),
        (NOT_FINITE, "of kernels only: the product of an infinite weight and padding is NaN in one of the two"),
    ),
    "scaled_dot_product_attention": (NOT_FINITE + HUGE, "the future does not reach the past as NaN; rounding of 1e160"),
    "cross_entropy": (NOT_FINITE, "0 for targets that are ignored; NaN there"),
}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.torch])
@hypothesis.settings(max_examples=12, deadline=None, derandomize=True)
@hypothesis.given(data=st.data())
def test_special_values_among_others_in_any_layout(name: str, data: st.DataObject) -> None:
    """One or two numbers of an operand are special: values and gradients are torch's, within 1e-10 relative.

    What is not finite may be NaN here and infinite there.
    """
    case, rng = CASES[name], np.random.default_rng(data.draw(st.integers(0, 99)))
    arrays = case.inputs(data.draw, rng)
    used = [i for i, grad in enumerate(backward(case.call, arrays)[1]) if grad.any()]  # some cases leave one out
    if not used:
        return
    which, value = data.draw(st.sampled_from(used)), data.draw(st.sampled_from(SPRINKLED))
    image_of_a_convolution = name.startswith("conv") and which == 0
    elsewhere = [other for key in (name, name.split()[0]) if key in ELSEWHERE for other in ELSEWHERE[key][0]]
    if not image_of_a_convolution and repr(value) in map(repr, elsewhere):
        return
    for _ in range(data.draw(st.integers(1, 2))):
        arrays[which].flat[rng.integers(arrays[which].size)] = value
    layout = data.draw(st.sampled_from([np.array, batch_last, strided]))
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    try:
        expected = case.torch(*theirs)
    except RuntimeError:  # binary_cross_entropy of NaN
        with pytest.raises(ValueError, match=name):
            case.call(*arrays)
        return
    out, grads, weights = backward(case.call, [layout(array) for array in arrays])
    expected.backward(torch.tensor(weights))
    near(out, expected.detach().numpy())
    for grad, tensor in zip(grads, theirs, strict=True):
        near(grad, np.zeros(grad.shape) if tensor.grad is None else tensor.grad.numpy())


def near(mine: np.ndarray, theirs: np.ndarray) -> None:
    """Equal within 1e-10 relative, or absolutely where ordinary numbers cancel; not finite in the same places."""
    finite = theirs[np.isfinite(theirs)]
    scale = min(np.abs(finite).max(initial=1.0), 1e3)
    with np.errstate(invalid="ignore", over="ignore"):
        good = (mine == theirs) | (~np.isfinite(mine) & ~np.isfinite(theirs))
        good |= np.abs(mine - theirs) <= 1e-10 * np.abs(theirs) + 1e-11 * scale
    assert good.all(), f"{mine[~good][:4]}, expected {theirs[~good][:4]}"


def test_relative_accuracy_over_the_whole_range() -> None:
    """In float32, at numbers of every size: values and slopes as near to float64's as torch's are, or nearer."""
    exponents = np.linspace(-37, 37, 2001)
    x = np.concatenate([10.0**exponents, -(10.0**exponents), np.linspace(-100, 100, 2001)]).astype(np.float32)
    for name in UNARY:
        single, double = (nn.Tensor(x.astype(dtype), requires_grad=True) for dtype in (np.float32, np.float64))
        other = torch.tensor(x, requires_grad=True)
        results = getattr(nn, name)(single), getattr(nn, name)(double), UNARY[name](other)
        for result in results:
            result.sum().backward()
        for kind, (mine, exact, theirs) in {
            "value": (results[0].data, results[1].data, results[2].detach().numpy()),
            "slope": (single.grad, double.grad, other.grad.numpy()),
        }.items():
            found, bound = error(mine, exact), max(4e-7, 1.5 * error(theirs, exact).max())
            if (name, kind) == ("tanh", "slope"):  # 1 - tanh(x)^2, where numpy's tanh(10) is off by one digit
                found = np.where(np.abs(mine - exact) < 2.4e-7, 0, found)
            assert found.max() <= bound, f"{name}, {kind} at {x[found.argmax()]}: {found.max()}"


def error(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The relative error, where the exact number is in the range of float32."""
    inside = np.isfinite(exact) & (np.abs(exact) < 3e38) & (np.abs(exact) > 1.2e-38)
    with np.errstate(all="ignore"):
        return np.where(inside, np.abs(found - exact) / np.abs(exact), 0)

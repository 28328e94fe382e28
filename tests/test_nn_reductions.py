"""Reductions, norms, running sums, picking by number and Einstein's notation are PyTorch's, at the edges too."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from mazegrad import nn

few = hypothesis.settings(max_examples=60, deadline=None, derandomize=True)


def t() -> Any:
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


def method(name: str, *arguments: Any, **settings: Any) -> Callable[[Any], Any]:
    """The method of this name, of our tensors or of torch's."""
    return lambda x: getattr(x, name)(*arguments, **settings)


def assert_alike(
    ours: Callable[..., Any], theirs: Callable[..., Any], *arrays: np.ndarray, rtol: float = 1e-10
) -> None:
    """The same values, shapes and gradients, infinities and NaN included."""
    torch = t()
    mine = [nn.Tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = ours(*mine), theirs(*other)
    assert out.shape == tuple(expected.shape)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=rtol, atol=1e-12)
    weights = np.random.default_rng(1).uniform(0.5, 2, out.shape)
    out.backward(weights)
    expected.backward(torch.tensor(weights))
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(
            np.zeros(a.shape) if a.grad is None else a.grad,
            np.zeros(a.shape) if b.grad is None else b.grad.numpy(),
            rtol=rtol,
            atol=1e-12,
        )


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


EDGES = {
    "one number": np.array(3.0),
    "one row": normal(1, 4),
    "equal numbers": np.full((3, 4), 0.1),
    "zeros": np.zeros((3, 4)),
    "some zeros": np.array([[0, 1, -2, 0], [0, 3, 1, 2], [0, 0, 1, 1.0]]),
    "negative zeros": np.array([[-0.0, 1, -2, 0], [0, 3, 1, 2]]),
    "infinities": np.array([[np.inf, 1, -np.inf], [np.inf, np.inf, 1], [-np.inf, -np.inf, -np.inf]]),
    "NaN": np.array([[np.nan, 1, 2], [3, 4, 5]]),
    "large numbers": normal(3, 4) * 1e100,
    "small numbers": normal(3, 4) * 1e-100,
    "nothing": np.zeros((0, 3)),
}


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("correction", [0, 1, 1.5, 3])
def test_spreads_at_the_edges(edge: str, correction: float) -> None:
    if edge in ("equal numbers", "infinities") or (edge == "one number" and correction > 1):
        pytest.skip("of equal numbers PyTorch leaves a rest; what is not finite, is so in other places")
    for name in ("var", "std"):
        for axis in (None, 0, -1):
            settings = {"dim": axis, "keepdim": axis == 0, "correction": correction}
            assert_alike(call := method(name, **settings), call, EDGES[edge])


def test_equal_numbers_have_no_spread_and_no_slope() -> None:
    x = nn.Tensor(np.full((3, 7), 0.1), requires_grad=True)
    for name in ("var", "std"):
        out = getattr(x, name)(1)
        assert (out.data == 0).all()
        out.sum().backward()
        assert (x.grad == 0).all()


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("p", [2, 1, 3, 0, 0.5, 1.5, -1, -2.5, np.inf, -np.inf])
def test_norms_at_the_edges(edge: str, p: float) -> None:
    if edge == "nothing" and (np.isinf(p) or p < 0):
        pytest.skip("there is no largest or smallest of nothing")
    if edge == "NaN" and (np.isinf(p) or p == 1):
        pytest.skip("PyTorch says that NaN has slope 0; here it is NaN")
    if edge in ("large numbers", "small numbers") and p == -2.5:
        pytest.skip("PyTorch leaves the range on its way")
    x = EDGES[edge]
    for axis in (None, 0, -1, (0, 1)):
        if axis is not None and x.ndim == 0 and axis == (0, 1):
            continue
        settings = {"dim": axis, "keepdim": True} if axis is not None else {}
        if p == 0:  # which has no gradient in torch
            expected = t().tensor(x).norm(p, **settings).numpy()
            np.testing.assert_array_equal(nn.norm(x, p, **settings), expected)
        else:
            assert_alike(call := method("norm", p, **settings), call, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1, 1e18, 1e30])
@pytest.mark.parametrize("p", [0.5, 1, 2, 3, -2])
def test_a_norm_does_not_leave_the_range_on_its_way(p: float, scale: float, dtype: Any) -> None:
    """Squares of 1e30 are infinite in float32, and of 1e-30 zero; the norm is neither, nor is its slope."""
    x = nn.Tensor(np.array([3, -4, 1], dtype) * dtype(scale), requires_grad=True)
    whole = nn.Tensor(np.array([3, -4, 1], np.float64), requires_grad=True)
    for tensor in (x, whole):
        tensor.norm(p).backward()
    assert x.norm(p).item() == pytest.approx(whole.norm(p).item() * scale, rel=1e-5)
    np.testing.assert_allclose(x.grad, whole.grad, rtol=1e-5)


def test_a_norm_of_zeros_has_no_slope_and_says_frobenius() -> None:
    x = nn.Tensor(np.zeros((2, 3)), requires_grad=True)
    nn.norm(x, "fro").backward()
    assert (x.grad == 0).all()
    with pytest.raises(ValueError, match="p is 'nuc'"):
        nn.norm(x, "nuc")


@pytest.mark.parametrize("edge", EDGES)
def test_products_and_running_sums_at_the_edges(edge: str) -> None:
    if edge in ("infinities", "NaN", "large numbers"):
        pytest.skip("PyTorch divides the product by each factor, and here the others are multiplied")
    x = EDGES[edge]
    calls = [method("prod")]
    if x.ndim:
        calls += [method(name, axis) for name in ("prod", "cumsum") for axis in (0, -1)]
        calls.append(method("prod", 0, keepdim=True))
    for call in calls:
        assert_alike(call, call, x)


def test_a_product_is_as_steep_as_the_other_factors_are_large() -> None:
    x = nn.Tensor(np.array([1e200, 1e-200, 1e150, 0]), requires_grad=True)
    x.prod().backward()
    np.testing.assert_allclose(x.grad, [0, 0, 0, 1e150])
    x = nn.Tensor(np.array([1e200, 1e200, 1e-200]), requires_grad=True)
    x.prod().backward()
    np.testing.assert_allclose(x.grad, [1, 1, np.inf])


@pytest.mark.parametrize("edge", [name for name in EDGES if name != "one number"])
def test_logarithms_of_sums_at_the_edges(edge: str) -> None:
    for axis in (0, -1, (0, 1)):
        assert_alike(call := method("logsumexp", axis), call, EDGES[edge])


def test_reductions_know_the_words_of_numpy_and_of_torch() -> None:
    x = nn.Tensor(normal(2, 3))
    for name in ("sum", "mean", "max", "min", "prod", "var", "std", "norm", "logsumexp"):
        ours, theirs = (
            getattr(x, name)(**words) for words in ({"axis": 1, "keepdims": True}, {"dim": 1, "keepdim": True})
        )
        np.testing.assert_array_equal(ours.data, theirs.data)
        assert ours.shape == (2, 1)
    np.testing.assert_array_equal(nn.softmax(x, axis=0).data, nn.softmax(x, dim=0).data)
    np.testing.assert_array_equal(x.squeeze(dim=()).data, x.data)


def test_numbers_of_elements_that_are_picked() -> None:
    torch = t()
    x, rng = normal(3, 4, 2), np.random.default_rng(1)
    for dim, shape in ((0, (5, 4, 2)), (1, (2, 9, 1)), (-1, (3, 4, 3)), (1, (3, 1, 2)), (0, (0, 4, 2))):
        index = rng.integers(0, x.shape[dim], shape)
        assert_alike(method("gather", dim, index), method("gather", dim, torch.tensor(index)), x)
    assert_alike(lambda x: nn.gather(x, 0, np.array(0)), lambda x: x.gather(0, torch.tensor(0)), np.array(2.0))


@pytest.mark.parametrize(
    ("index", "dim", "error", "words"),
    [
        ([[0.5]], 0, TypeError, "integers, not float64"),
        ([0], 0, ValueError, r"index of shape \(1,\) does not fit input of shape \(2, 3\) along dim 0"),
        ([[0, 0, 0, 0]], 0, ValueError, r"\(1, 4\) does not fit"),
        ([[2]], 0, ValueError, "indices from 2 to 2, but there are 0 to 1"),
        ([[-1]], 1, ValueError, "indices from -1 to -1, but there are 0 to 2"),
        ([[0]], 2, ValueError, "gather: dim: axis 2 is out of bounds"),
    ],
)
def test_gather_says_what_does_not_fit(index: Any, dim: int, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        nn.gather(normal(2, 3), dim, index)


# -------------------------------------------------------------------------------------------------------------- einsum
@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """One to four operands with letters that repeat, axes of 1 that are broadcast, and dots here and there."""
    sizes = {letter: draw(st.integers(1, 3)) for letter in "abCd"}
    dots = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 2)))]
    terms, shapes, dotted = [], [], False
    for _ in range(draw(st.integers(1, 4))):
        letters = draw(st.text("abCd", max_size=3))
        shape = [sizes[letter] for letter in letters]
        if letters and letters.count(letters[0]) == 1 and draw(st.integers(0, 4)) == 0:
            shape[0] = 1
        if draw(st.booleans()):
            at = draw(st.integers(0, len(letters)))
            mine = dots[draw(st.integers(0, len(dots))) :]
            mine = [1 if draw(st.integers(0, 4)) == 0 else n for n in mine]
            letters, shape, dotted = letters[:at] + "..." + letters[at:], [*shape[:at], *mine, *shape[at:]], True
        terms.append(letters)
        shapes.append(tuple(shape))
    left = ",".join(terms)
    if draw(st.integers(0, 3)) == 0:
        return left, shapes
    out = "".join(draw(st.permutations(sorted(set(left) & set(string.ascii_letters)))))
    out = out[: draw(st.integers(0, len(out)))]
    if dotted and draw(st.integers(0, 3)):
        at = draw(st.integers(0, len(out)))
        out = out[:at] + "..." + out[at:]
    return f"{left}->{out}", shapes


@few
@hypothesis.given(equations())
def test_every_equation_is_that_of_torch(case: tuple[str, list[tuple[int, ...]]]) -> None:
    torch, (equation, shapes) = t(), case
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.normal(size=shape)) for shape in shapes]
    assert_alike(lambda *xs: nn.einsum(equation, *xs), lambda *xs: torch.einsum(equation, *xs), *arrays)
    assert isinstance(nn.einsum(equation, *arrays), np.ndarray | np.generic)


def test_well_known_equations() -> None:
    x, y = normal(3, 3), normal(3, 4)
    np.testing.assert_allclose(nn.einsum("ii", x), np.trace(x))
    np.testing.assert_allclose(nn.einsum("ii->i", x), np.diag(x))
    np.testing.assert_allclose(nn.einsum("ji", x), x.T)
    np.testing.assert_allclose(nn.einsum("ij->", x), x.sum())
    np.testing.assert_allclose(nn.einsum("ij,jk", x, y), x @ y)
    np.testing.assert_allclose(nn.einsum("...j, jk -> ...k", normal(2, 5, 3), y), normal(2, 5, 3) @ y)
    np.testing.assert_allclose(nn.einsum("i,j,k->kji", x[0], x[1], x[2]), np.einsum("i,j,k->kji", *x))

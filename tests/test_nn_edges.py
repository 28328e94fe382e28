"""Edges: values and arguments at which a careless library gives a wrong number, silently."""

from __future__ import annotations

import copy
import pickle
import warnings
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


# ------------------------------------------------------------------------------------------- views and copies of leaves
def test_a_view_made_without_a_graph_is_a_copy() -> None:
    """A target network is made that way: it must not move with the net."""
    for make in (
        lambda p: p.reshape(2, 1),
        lambda p: p.T,
        lambda p: p[:],
        lambda p: nn.dropout(p, training=False),
        lambda p: nn.broadcast_to(p, (3, 2)),
        lambda p: nn.expand_dims(p, 0),
        lambda p: p.flatten(),
    ):
        p, w = nn.Parameter([1.0, 2.0]), nn.Tensor([1.0, 1.0], requires_grad=True)
        with nn.no_grad():
            old = make(p)
        before = old.data.copy()
        z = (w * old.reshape(-1)[:2]).sum()
        p.grad = np.ones(2, np.float32)
        nn.SGD([p], lr=1.0).step()
        np.testing.assert_array_equal(old.data, before)
        z.backward()
        np.testing.assert_array_equal(w.grad, before.ravel()[:2])
    frozen = nn.Parameter([1.0, 2.0], requires_grad=False)
    view = frozen.reshape(2, 1)
    frozen.grad = np.ones(2, np.float32)
    nn.SGD([frozen], lr=1.0).step()
    np.testing.assert_array_equal(view.data, [[1], [2]])


def test_a_view_with_a_graph_is_guarded_by_its_version() -> None:
    p, w = nn.Parameter([1.0, 2.0]), nn.Tensor([1.0, 1.0], requires_grad=True)
    z = (w * p.reshape(2, 1).reshape(2)).sum()
    p.grad = np.ones(2, np.float32)
    nn.SGD([p], lr=1.0).step()
    with pytest.raises(RuntimeError, match="overwritten"):
        z.backward()
    assert w.grad is None


def test_copies_and_pickles_of_leaves_are_independent_and_others_are_refused() -> None:
    p = nn.Parameter([1.0, 2.0])
    p.grad = np.array([3.0, 4.0], np.float32)
    for same in (copy.deepcopy(p), copy.copy(p), pickle.loads(pickle.dumps(p))):
        assert isinstance(same, nn.Parameter)
        nn.SGD([same], lr=1.0).step()
        np.testing.assert_array_equal(p.data, [1, 2])
        np.testing.assert_array_equal(same.data, [-2, -2])
    net = copy.deepcopy(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1D(2)))
    assert len(list(net.parameters())) == 4
    for twin in (copy.deepcopy, copy.copy, pickle.dumps):
        with pytest.raises(RuntimeError, match=r"made by 'multiply' .*detach"):
            twin(p * 2)


# ----------------------------------------------------------------------------------------------- dtypes of plain inputs
def test_integers_do_not_wrap_around() -> None:
    small = np.array([0, 250], np.uint8)
    assert nn.mse_loss(np.array([0, 5], np.uint8), np.array([10, 5], np.uint8)) == 50
    np.testing.assert_array_equal(nn.add(small, small), [0, 500])
    np.testing.assert_array_equal(nn.subtract(small, np.array([1, 255], np.uint8)), [-1, -5])
    np.testing.assert_array_equal(nn.negative(small), [0, -250])
    np.testing.assert_array_equal(nn.square(np.array([2**40])), [2.0**80])
    np.testing.assert_array_equal(nn.matmul(small, small), 62500)
    np.testing.assert_array_equal(nn.multiply(np.array([True, True]), 3), [3, 3])
    assert nn.power(np.array([2]), np.array([-1])) == 0.5
    assert nn.multiply(np.ones(2, np.float32), 2).dtype == np.float32
    assert nn.multiply(np.ones(2, np.float32), np.float64(2)).dtype == np.float32
    assert nn.multiply(np.ones(2, np.float32), np.array([2, 3])).dtype == np.float32
    assert nn.reshape(small, (2, 1)).dtype == np.uint8  # only moved


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.complex64, "U3"])
def test_other_dtypes_are_refused_in_words(dtype: Any) -> None:
    odd = np.array([1, 2]).astype(dtype)
    for call in (lambda: nn.exp(odd), lambda: nn.add(np.ones(2), odd), lambda: nn.Tensor(odd)):
        with pytest.raises(TypeError, match=r"float32 or float64.*, not "):
            call()
    with pytest.raises(TypeError, match=r"add (mixes|takes)"):
        nn.Tensor([1.0, 2.0]) + odd


def test_a_wrong_argument_is_named_beside_the_right_ones() -> None:
    x = nn.Tensor([1.0, 2.0])
    for call, words in (
        (lambda: nn.add(x, x, alpha=2), "add: unknown argument 'alpha'; the arguments are a, b"),
        (lambda: nn.exp(x, x), "exp: 2 arguments by position; at most 1: x"),
        (lambda: nn.gelu(x, approx="tanh"), "gelu: unknown argument 'approx'; .* input, approximate"),
        (lambda: nn.add(x), "add: missing a required argument: 'b'; the arguments are a, b"),
    ):
        with pytest.raises(TypeError, match=words):
            call()


# ------------------------------------------------------------------------------------ gradients on their way to a step
def test_finite_gradients_are_clipped_whatever_their_size() -> None:
    for dtype, size in ((np.float32, 3e38), (np.float64, 1e308), (np.float64, 1e200)):
        p = nn.Parameter(np.zeros(4, dtype))
        p.grad = np.full(4, size, dtype)
        assert nn.clip_grad_norm([p], 1.0) == pytest.approx(2 * size, rel=1e-6) or size == 1e308
        np.testing.assert_allclose(p.grad, 0.5, rtol=1e-5)


@pytest.mark.parametrize("kind", [nn.Adam, nn.AdamW, nn.RMSprop])
def test_a_gradient_whose_square_overflows_stops_the_step(kind: Any) -> None:
    """Its running mean square would be infinite for ever, and the parameter never move again."""
    for dtype, size in ((np.float32, 1e20), (np.float64, 1e160)):
        p = nn.Parameter(np.ones(2, dtype))
        optimiser = kind([p], lr=0.1)
        p.grad = np.array([1, -size], dtype)
        with pytest.raises(nn.NonFiniteGradient, match=rf"whose square is infinite in {np.dtype(dtype)}"):
            optimiser.step()
        np.testing.assert_array_equal(p.data, 1)
        nn.clip_grad_norm([p], 1.0)
        optimiser.step()
        assert np.isfinite(p.data).all()
        assert p.data[1] > 1


# ----------------------------------------------------------------------- no argument loses its gradient without a word
def test_targets_and_masks_that_require_a_gradient_get_it() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(3, 4)), rng.uniform(size=(3, 4))
    query, mask = rng.normal(size=(2, 5, 4)), rng.normal(size=(5, 5))
    F = torch.nn.functional
    for mine, theirs, arrays in (
        (nn.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, (logits, target)),
        (nn.mse_loss, F.mse_loss, (logits, target)),
        (
            lambda q, m: nn.scaled_dot_product_attention(q, q, q, m).sum(),
            lambda q, m: F.scaled_dot_product_attention(q, q, q, m).sum(),
            (query, mask),
        ),
    ):
        ours = [nn.Tensor(array, requires_grad=True) for array in arrays]
        others = [torch.tensor(array, requires_grad=True) for array in arrays]
        mine(*ours).backward()
        theirs(*others).backward()
        for a, b in zip(ours, others, strict=True):
            np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_an_argument_that_has_no_gradient_refuses_a_tensor_that_requires_one() -> None:
    x, chosen = nn.Tensor([[1.0, 2.0], [3.0, 4.0]]), nn.Tensor([1.0, 0.0], requires_grad=True)
    for call in (
        lambda: nn.where(chosen, x, 0.0),
        lambda: nn.embedding(chosen, x),
        lambda: nn.gather(x, 0, chosen),
        lambda: nn.cross_entropy(x, [0, 1], chosen),
        lambda: nn.nll_loss(x, [0, 1], chosen),
        lambda: x[chosen],
    ):
        with pytest.raises((TypeError, ValueError), match=r"no gradient|integers"):
            call()


def test_why_names_the_operation_in_which_the_gradient_stops_being_finite() -> None:
    """The trap: a branch that is not chosen, but whose derivative is not finite where it is not 0."""
    net = nn.Linear(1, 1, dtype=np.float64)
    net.weight.assign([[0.0]])
    hidden = net(np.array([[1.0], [2.0]])) - net.bias
    loss = (nn.sqrt(hidden) + hidden).sum()
    assert "operation 3 of 5, 'sqrt': for operand 0, the result of 'subtract' of shape (2, 1), it is infinite at 2" in (
        nn.analysis.why(net, loss=loss)
    )
    loss.backward()
    with pytest.raises(nn.NonFiniteGradient):
        nn.SGD(net.parameters()).step()
    assert "not finite for weight" in nn.analysis.why(net)
    with pytest.raises(RuntimeError, match="retain_graph"):
        nn.analysis.first_non_finite(loss)
    assert "every operation passes back finite" in nn.analysis.first_non_finite((net(np.ones((1, 1))) * 2).sum())
    assert "the loss itself" in nn.analysis.first_non_finite(nn.log(net(np.ones((1, 1))) - net.bias).sum())


def test_nothing_as_an_operand_is_named_and_a_number_beyond_float32_is_infinite_without_a_warning() -> None:
    x = nn.Tensor([1.0])
    for call in (lambda: x + None, lambda: nn.add(None, x), lambda: nn.multiply([1.0], None)):  # type: ignore[operator]
        with pytest.raises(TypeError, match=r"(add|multiply): [ab] is None; expected a tensor, an array or a number"):
            call()
    with pytest.raises(TypeError, match="linear: input is None; expected a tensor, an array or a number"):
        nn.Linear(2, 1)(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (x + 1e300).data[0] == np.inf


def test_data_follows_the_optimiser_and_copies_do_not() -> None:
    net = nn.Linear(2, 1, rng=np.random.default_rng(0))
    before = net.weight.data.copy()
    live, kept = net.weight.data, (net.weight.detach().data, net.state_dict()["weight"], copy.deepcopy(net).weight.data)
    net(np.ones((1, 2), np.float32)).sum().backward()
    nn.SGD(net.parameters(), lr=0.5).step()
    assert np.array_equal(live, net.weight.data)
    assert not np.array_equal(live, before)
    assert all(np.array_equal(array, before) for array in kept)

"""Exercise 39's closed forms against autodiff, and the measurements of nn.analysis against what is known."""

from __future__ import annotations

import math
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import analysis

many = hypothesis.settings(max_examples=40, deadline=None, derandomize=True)


# ------------------------------------------------------------------------------------------------------- closed forms
def chain_gradient(U: np.ndarray, h: np.ndarray, k: int, error: Any) -> np.ndarray:
    """df/dU by autodiff: U, or the diagonal u, is applied k times."""
    U = nn.Tensor(U, requires_grad=True)
    h = nn.Tensor(h)
    with np.errstate(all="ignore"):
        for _ in range(k):
            h = U * h if U.ndim == 1 else U @ h
        error(h).backward()
    assert U.grad is not None
    return U.grad


def cases(rng: np.random.Generator, n: int) -> list[tuple[Any, Any]]:
    """A linear error, whose f' is constant, and a quadratic one, whose f' = A h_k depends on U."""
    g, root = rng.normal(size=n), rng.normal(size=(n, n))
    A = root @ root.T
    return [
        (lambda h: (h * g).sum(), g),
        (lambda h: (h @ nn.Tensor(A) @ h) * 0.5, lambda h: A @ h),
    ]


@many
@hypothesis.given(seed=st.integers(0, 2**32), n=st.integers(1, 5), k=st.integers(1, 12))
def test_the_closed_forms_are_what_autodiff_finds(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    u, U, h = rng.uniform(-1.5, 1.5, n), rng.uniform(-1, 1, (n, n)), rng.normal(size=n)
    for error, f_prime in cases(rng, n):
        found, expected = analysis.power_gradient(u, h, k, f_prime), chain_gradient(u, h, k, error)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * abs(expected).max())
        for matrix in (U, np.diag(u)):
            found, expected = analysis.power_gradient_matrix(matrix, h, k, f_prime), chain_gradient(matrix, h, k, error)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * abs(expected).max())


@many
@hypothesis.given(seed=st.integers(0, 2**32), n=st.integers(2, 5), k=st.integers(1, 12))
def test_a_diagonal_matrix_has_the_power_on_its_diagonal_and_a_quotient_off_it(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    u, h, g = rng.uniform(-1.5, 1.5, n), rng.normal(size=n), rng.normal(size=n)
    found = analysis.power_gradient_matrix(np.diag(u), h, k, g)
    np.testing.assert_allclose(np.diag(found), analysis.power_gradient(u, h, k, g), rtol=1e-9)
    a, b = 0, 1
    between = sum(u[a] ** j * u[b] ** (k - 1 - j) for j in range(k))
    assert (u[a] - u[b]) * between == pytest.approx(u[a] ** k - u[b] ** k, rel=1e-6, abs=1e-12)
    assert found[a, b] == pytest.approx(g[a] * h[b] * between, rel=1e-9)


def test_a_quadratic_error_gives_twice_the_power() -> None:
    u, h, k = np.array([0.9, 1.1]), np.array([2.0, -3.0]), 50
    found = analysis.power_gradient(u, h, k, lambda end: end)  # f = |h_k|^2 / 2
    np.testing.assert_allclose(found, k * u ** (2 * k - 1) * h**2, rtol=1e-12)


def test_the_precision_is_that_of_u() -> None:
    for dtype in (np.float32, np.float64):
        u = np.array([1.2, 0.5], dtype)
        assert analysis.power_gradient(u, [1, 1], 300, [1, 1]).dtype == dtype
        assert analysis.power_gradient_matrix(np.diag(u), [1, 1], 3, lambda h: h).dtype == dtype
    assert analysis.power_gradient([1, 2], [1, 1], 3, [1, 1]).dtype == np.float64


def test_what_floats_cannot_hold_is_infinite_or_zero_and_silent() -> None:
    u = np.array([2, 0.1, 2], np.float32)
    assert analysis.power_gradient(u, [1, 1, 0], 10_000, [1, 1, 1]).tolist() == [math.inf, 0, 0]
    assert not np.isfinite(analysis.power_gradient_matrix(np.diag(u), [1, 1, 1], 200, lambda h: h)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 2], 0, [1, 1]), "k is 0"),
        (([1, 2], [1, 2], 1.5, [1, 1]), "k is 1.5"),
        (([1, 2], [1, 2, 3], 1, [1, 1]), r"h has shape \(3,\)"),
        (([1, 2], [1, 2], 1, [1, 1, 1]), r"error_gradient has shape \(3,\)"),
        (([1, 2], [1, 2], 1, lambda h: h[:1]), r"error_gradient has shape \(1,\)"),
        (([[1, 2]], [1, 2], 1, [1, 1]), r"u has shape \(1, 2\)"),
        (([], [], 1, []), "u is empty"),
    ],
)
def test_bad_input_is_named(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        analysis.power_gradient(*arguments)


def test_bad_matrices_are_named() -> None:
    with pytest.raises(ValueError, match="square"):
        analysis.power_gradient_matrix(np.ones((2, 3)), [1, 1], 2, [1, 1])
    with pytest.raises(ValueError, match="square"):
        analysis.spectral_radius(np.ones((2, 3)))
    with pytest.raises(TypeError, match="complex"):
        analysis.power_gradient([1j], [1], 2, [1])


# ------------------------------------------------------------------------------------------- the limits of the floats
SHEET = [1.2, 2.0, 1.1, 0.8, 0.1, 0.9]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("u", SHEET)
def test_the_first_k_is_predicted(u: float, dtype: Any) -> None:
    found = analysis.power_limits(float(dtype(u)), dtype=dtype)
    info = np.finfo(dtype)
    values = np.array([analysis.power_gradient(np.array([u], dtype), [1], k, [1])[0] for k in range(1, 8000)])
    whole, full, there = np.isfinite(values), values >= info.tiny, values > 0

    def first(mask: np.ndarray) -> int | None:
        return None if mask.all() else int(mask.argmin()) + 1

    assert (first(whole), first(full), first(there)) == (found.overflow, found.underflow, found.zero)
    if found.peak is not None:
        assert values[found.peak - 1] == pytest.approx(values.max(), rel=1e-6)
        assert found.peak == pytest.approx(-1 / math.log(u), abs=1)


def test_nine_tenths_first_grows() -> None:
    values = [analysis.power_gradient([0.9], [1], k, [1])[0] for k in (1, 9, 30, 45)]
    assert values[0] == 1
    assert values[1] == pytest.approx(3.874, abs=1e-3)
    assert values[2] > 1 > values[3]


def test_limits_at_the_edges() -> None:
    assert analysis.power_limits(0.0) == analysis.PowerLimits(1, None, 2, 2)
    assert analysis.power_limits(1.0, scale=1e30).overflow == math.ceil(float(np.finfo(np.float32).max) / 1e30)
    assert analysis.power_limits(-2.0) == analysis.power_limits(2.0)
    assert analysis.power_limits(0.9, scale=1e38).overflow == 6  # 3.40e38 lies between 5 * 0.9^4 and 6 * 0.9^5
    with pytest.raises(ValueError, match="scale"):
        analysis.power_limits(0.9, scale=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_steps_stick_above_zero(dtype: Any) -> None:
    """Multiplied step by step, 0.9 and 0.8 never reach 0: a few times the smallest number is rounded up to itself."""
    for u, multiple in ((0.9, 4 if dtype == np.float32 else 5), (0.8, 2), (0.1, 0)):  # 5 * 0.9 is rounded by 0.9's own
        h = dtype(1)
        for _ in range(10_000):
            h *= dtype(u)
        assert h == multiple * np.finfo(dtype).smallest_subnormal
    k = 8000 if dtype == np.float64 else 3000
    gradient = chain_gradient(np.array([0.9], dtype), np.ones(1, dtype), k, lambda h: h.sum())
    assert 0 < gradient[0] < np.finfo(dtype).tiny
    assert analysis.power_gradient(np.array([0.9], dtype), [1], k, [1])[0] == 0


# ----------------------------------------------------------------------------------------------------------- spectra
def test_spectra_of_known_matrices() -> None:
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    assert analysis.spectral_radius(turn) == pytest.approx(2)
    shear = np.array([[0.5, 100.0], [0.0, 0.5]])
    found = analysis.spectrum([turn, shear])
    np.testing.assert_allclose(found.radius, [2, 0.5])
    np.testing.assert_allclose(analysis.spectral_radius([turn, shear]), found.radius)
    assert found.norm[0] == pytest.approx(2) and found.norm[1] > 100
    assert (np.abs(found.eigenvalues[0].imag) == pytest.approx(2)) and found.singular_values.shape == (2, 2)
    exchange = np.eye(4)[::-1]
    np.testing.assert_allclose(analysis.spectrum((np.eye(4) - exchange) / 2).eigenvalues, [1, 1, 0, 0], atol=1e-12)


# --------------------------------------------------------------------------------------------------------------- cells
def tanh_cell(rng: np.random.Generator, inputs: int, hidden: int, gain: float = 1.0) -> tuple[Any, np.ndarray]:
    W, U = rng.normal(size=(hidden, inputs)), gain * nn.init.orthogonal((hidden, hidden), rng=rng, dtype=np.float64)
    return (lambda x, h: nn.tanh(x @ W.T + h @ U.T)), U


def lstm_cell(rng: np.random.Generator, inputs: int, hidden: int) -> Any:
    W, U = rng.normal(size=(4, inputs, hidden)), 0.5 * rng.normal(size=(4, hidden, hidden))

    def cell(x: Any, state: Any) -> Any:
        h, c = state
        i, f, g, o = (x @ W[k] + h @ U[k] for k in range(4))
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * nn.tanh(g)
        return nn.sigmoid(o) * nn.tanh(c), c

    return cell


def run(cell: Any, x: np.ndarray, state: Any) -> list[Any]:
    states = [state]
    for x_t in x:
        states.append(cell(x_t, states[-1]))
    return states


def test_step_jacobians_of_tanh_are_the_formula() -> None:
    rng = np.random.default_rng(0)
    cell, U = tanh_cell(rng, 3, 5, gain=1.3)
    x, h = rng.normal(size=(7, 2, 3)), rng.normal(size=(2, 5))
    states = run(cell, x, nn.Tensor(h))
    found = analysis.step_jacobians(cell, x, h)
    expected = [(1 - new.data**2)[:, :, None] * U for new in states[1:]]
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_step_jacobians_of_pairs_are_finite_differences() -> None:
    rng = np.random.default_rng(1)
    cell = lstm_cell(rng, 3, 4)
    x, state = rng.normal(size=(3, 2, 3)), (rng.normal(size=(2, 4)), rng.normal(size=(2, 4)))
    found = analysis.step_jacobians(cell, x, state)
    assert found.shape == (3, 2, 8, 8)
    last = [np.asarray(part.data) for part in run(cell, x, tuple(map(nn.Tensor, state)))[2]]
    eps = 1e-6
    for j in range(8):
        ends = []
        for sign in (1, -1):
            moved = np.concatenate(last, axis=1)
            moved[:, j] += sign * eps
            new = cell(x[2], (nn.Tensor(moved[:, :4]), nn.Tensor(moved[:, 4:])))
            ends.append(np.concatenate([part.data for part in new], axis=1))
        np.testing.assert_allclose(found[2, :, :, j], (ends[0] - ends[1]) / (2 * eps), atol=1e-8)


def test_the_gradient_through_time_is_the_product_of_the_step_jacobians() -> None:
    rng = np.random.default_rng(2)
    for cell, state in (
        (tanh_cell(rng, 3, 4)[0], rng.normal(size=(2, 4))),
        (lstm_cell(rng, 3, 4), (rng.normal(size=(2, 4)), rng.normal(size=(2, 4)))),
    ):
        x, g = rng.normal(size=(9, 2, 3)), rng.normal(size=(2, 4))
        found = analysis.state_gradients(cell, x, lambda out, g=g: (out[-1] * g).sum(), state)
        jacobians = analysis.step_jacobians(cell, x, state)
        expected = np.zeros_like(found)
        expected[-1, :, :4] = g  # an output reads h alone
        for t in range(len(x) - 1, -1, -1):
            expected[t] = np.einsum("bi,bij->bj", expected[t + 1], jacobians[t])
        np.testing.assert_allclose(found, expected, atol=1e-12)
        np.testing.assert_allclose(
            analysis.gradient_norms(cell, x, lambda out, g=g: (out[-1] * g).sum(), state),
            np.sqrt((expected**2).sum((1, 2))),
        )


def test_the_total_gradient_is_the_slope_when_a_state_is_moved() -> None:
    """A loss on every output; each state in turn is moved, h and c of one t as independent, as the definition says."""
    rng = np.random.default_rng(3)
    cell, T = lstm_cell(rng, 2, 3), 5
    x, weights = rng.normal(size=(T, 1, 2)), rng.normal(size=(T, 1, 3))
    state = rng.normal(size=(1, 3)), rng.normal(size=(1, 3))
    found = analysis.state_gradients(cell, x, lambda out: (nn.sin(out) * weights).sum(), state)
    assert found.shape == (T + 1, 1, 6)

    def loss_with(moved_t: int, move: np.ndarray) -> float:
        now, total = np.concatenate(state, axis=1), 0.0
        for t in range(T + 1):
            if t:
                h, c = cell(x[t - 1], (nn.Tensor(now[:, :3]), nn.Tensor(now[:, 3:])))
                now = np.concatenate([h.data, c.data], axis=1)
            now = now + move if t == moved_t else now
            total += float((np.sin(now[:, :3]) * weights[t - 1]).sum()) if t else 0.0
        return total

    for t in range(T + 1):
        for j in range(6):
            move = 1e-6 * np.eye(6)[j : j + 1]
            assert found[t, 0, j] == pytest.approx((loss_with(t, move) - loss_with(t, -move)) / 2e-6, abs=1e-8)


def test_parameters_keep_their_gradients() -> None:
    rng = np.random.default_rng(4)

    class Cell(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Linear(5, 3, rng=rng, dtype=np.float64)

        def forward(self, x: Any, h: Any) -> Any:
            return nn.tanh(self.inner(nn.concatenate([nn.Tensor(x), h], axis=1)))

    cell = Cell()
    kept = np.ones((3, 5))
    cell.inner.weight.grad = kept
    x, h = rng.normal(size=(4, 2, 2)), np.zeros((2, 3))
    analysis.gradient_norms(cell, x, lambda out: out[-1].sum(), h)
    analysis.step_jacobians(cell, x, h)
    assert cell.inner.weight.grad is kept and cell.inner.bias.grad is None


def test_a_cell_needs_its_state_and_a_sequence() -> None:
    cell, _ = tanh_cell(np.random.default_rng(0), 3, 4)
    with pytest.raises(ValueError, match="initial state"):
        analysis.gradient_norms(cell, np.zeros((2, 1, 3)), lambda out: out.sum())
    with pytest.raises(ValueError, match="both x and loss"):
        analysis.gradient_norms(cell, np.zeros((2, 1, 3)))
    with pytest.raises(ValueError, match="empty"):
        analysis.gradient_norms(cell, np.zeros((0, 1, 3)), lambda out: out.sum(), np.zeros((1, 4)))


# ------------------------------------------------------------------------------------------------------------ verdicts
@many
@hypothesis.given(rate=st.floats(0.5, 1.5), steps=st.integers(2, 60), start=st.floats(1e-3, 1e3))
def test_a_pure_rate_is_found_again(rate: float, steps: int, start: float) -> None:
    norms = (start * rate ** np.arange(steps + 1))[::-1]
    growth = analysis.growth_rate(norms)
    assert growth.rate == pytest.approx(rate, rel=1e-9) and growth.start == pytest.approx(start, rel=1e-6)
    assert growth.error < 1e-9
    found = analysis.verdict(norms)
    assert found.factor == pytest.approx(rate**steps, rel=1e-6)
    hypothesis.assume(abs(abs(math.log(rate**steps)) - math.log(100)) > 1e-6)
    assert found.kind == ("vanishing" if rate**steps < 0.01 else "exploding" if rate**steps > 100 else "stable")
    if rate < 0.999:
        assert found.expected_horizon == pytest.approx(math.log(0.01) / math.log(rate), rel=1e-6)
        assert found.horizon == min(steps, math.floor(math.log(0.01) / math.log(rate) + 1e-9))
    elif rate >= 1:
        assert found.expected_horizon == math.inf and found.horizon == steps


def test_the_horizon_is_where_it_first_falls_below() -> None:
    assert analysis.horizon([9, 0.001, 0.02, 0.5, 1]) == 2  # that it comes back later does not count
    assert analysis.horizon([1, 1, 1]) == 2
    assert analysis.horizon([0, 0, 1]) == 0
    assert analysis.horizon([0.4, 0.6, 1], share=0.5) == 1
    assert analysis.horizon([math.nan, 1, 1]) == 1
    with pytest.raises(ValueError, match="share"):
        analysis.horizon([1, 1], share=0)
    with pytest.raises(ValueError, match="last state is 0"):
        analysis.horizon([1, 0])
    with pytest.raises(ValueError, match="shape"):
        analysis.horizon([1])


def test_a_linear_cell_has_its_eigenvalue_as_rate_and_underflows_on_time() -> None:
    for u, kind in ((0.8, "vanishing"), (1.0, "stable"), (1.2, "exploding")):
        U = np.array([[u]], np.float32)
        x = [None] * 600
        norms = analysis.gradient_norms(
            lambda _, h, U=U: h @ U, x, lambda out: out[-1].sum(), np.ones((1, 1), np.float32)
        )
        found = analysis.verdict(norms)
        assert found.kind == kind and found.growth.rate == pytest.approx(u, rel=1e-4)
        info = np.finfo(np.float32)
        if u < 1:
            assert found.first_underflow == math.ceil(found.underflow - 1e-3)
            assert found.underflow == pytest.approx(math.log(float(info.tiny)) / math.log(u), rel=1e-3)
        if u > 1:
            assert found.first_infinite == math.ceil(found.overflow - 1e-3)
            assert found.overflow == pytest.approx(math.log(float(info.max)) / math.log(u), rel=1e-3)
        assert kind in str(found)


def test_norms_beyond_the_squares() -> None:
    assert analysis.gradient_norms(np.full((2, 1, 4), 1e200)).tolist() == [2e200, 2e200]
    assert analysis.gradient_norms(np.full((2, 1, 4), 1e-200)).tolist() == [2e-200, 2e-200]
    assert analysis.gradient_norms([np.array([[[3.0, 4.0]], [[0.0, math.inf]]])]).tolist() == [5, math.inf]
    with pytest.raises(ValueError, match="2 layers or directions"):
        analysis.gradient_norms([np.zeros((2, 1, 1))] * 2)


def test_gone_at_once_and_infinite_at_once() -> None:
    assert analysis.growth_rate([0, 0, 1]).rate == 0
    assert analysis.verdict([0, 0, 1]).kind == "vanishing"
    assert analysis.verdict([0, 0, 0]).kind == "vanishing"
    assert analysis.growth_rate([math.inf, 1]).rate == math.inf
    assert analysis.growth_rate([1e308, 1e-37]).rate == math.inf  # a factor of 1e345
    assert analysis.growth_rate([1e-37, 1e308]).rate == 0
    assert analysis.verdict([1e308, 1e-37]).kind == "exploding"
    found = analysis.verdict([math.nan, math.inf, 1])
    assert found.kind == "exploding" and found.first_infinite == 1 and "not finite from 1" in str(found)


# ------------------------------------------------------------------------------------------------------------ why
class Net(nn.Module):
    """A recurrent net by hand, with PyTorch's names."""

    def __init__(self, gain: float, rng: np.random.Generator) -> None:
        self.weight_ih_l0 = nn.Parameter(rng.normal(size=(8, 2)).astype(np.float32))
        self.weight_hh_l0 = nn.Parameter(nn.init.orthogonal((8, 8), gain, rng=rng))

    def cell(self, x: Any, h: Any) -> Any:
        return nn.linear(x, self.weight_ih_l0) + nn.linear(h, self.weight_hh_l0)


def test_training_that_explodes_stops_with_one_message_and_analysis_says_why() -> None:
    """The whole scene: a linear net on 120 steps. No numpy warning leaks (they would be errors here)."""
    rng = np.random.default_rng(0)
    net = Net(2.2, rng)
    optimizer = nn.SGD(net.named_parameters(), lr=0.1)
    x, h0 = 1e-30 * rng.normal(size=(120, 4, 2)).astype(np.float32), np.zeros((4, 8), np.float32)

    def loss(out: Any) -> Any:
        return out[-1].sum()

    loss(nn.stack(run(net.cell, x, nn.Tensor(h0))[1:])).backward()
    before = net.state_dict()
    with pytest.raises(nn.NonFiniteGradient, match=r"step 1: the gradient of weight_ih_l0 holds NaN"):
        optimizer.step()
    assert all((before[name] == array).all() for name, array in net.state_dict().items())
    grads = analysis.state_gradients(net.cell, x, loss, h0)
    said = analysis.why(net, grads)
    assert "not finite for weight_ih_l0, weight_hh_l0" in said
    assert "changes by 2.2 a step" in said and "leaves the range of float32 (numbers up to 3.4e+38)" in said
    step = int(said.partition("3.4e+38) at step ")[2].split(";")[0])
    assert not np.isfinite(grads[step]).all() and np.isfinite(grads[step + 1 :]).all()
    assert "weight_hh_l0 stretches a vector by up to 2.2 and has spectral radius 2.2" in said


def test_why_tells_the_other_causes_apart() -> None:
    net = Net(1.0, np.random.default_rng(0))
    assert "all gradients are finite" in analysis.why(net)
    net.weight_ih_l0.grad = np.full((8, 2), 3.0, np.float32)
    net.weight_hh_l0.grad = np.full((8, 8), np.nan, np.float32)
    assert "not finite for weight_hh_l0; the largest finite one: 12 for weight_ih_l0" in analysis.why(net)
    grads = np.full((5, 1, 8), np.nan)
    assert "the forward pass or the loss left the range" in analysis.why(net, [grads])
    net.weight_hh_l0.assign(np.full((8, 8), np.inf))
    assert "the weights themselves are not finite: weight_hh_l0" in analysis.why(net)


# -------------------------------------------------------------------------------------------------------- feed-forward
def test_layer_gradients_and_update_ratios() -> None:
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Linear(4, 2, rng=rng))
    assert [layer.gradient_norm for layer in analysis.layer_gradients(net)] == [0, 0, 0, 0]
    net(nn.Tensor(rng.normal(size=(5, 3)), dtype=np.float32)).sum().backward()
    layers = analysis.layer_gradients(net)
    assert [layer.name for layer in layers] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert layers[3].gradient_norm == pytest.approx(5 * math.sqrt(2)) and layers[3].gradient_rms == pytest.approx(5)
    before = net.state_dict()
    nn.SGD(net.named_parameters(), lr=0.01).step()
    ratios = analysis.update_ratios(net, before)
    for layer in layers:
        assert ratios[layer.name] == pytest.approx(0.01 * layer.gradient_norm / layer.weight_norm, rel=1e-3)
    before["2.bias"] = np.zeros(2)
    assert analysis.update_ratios(net, before)["2.bias"] == math.inf


def test_dead_units_are_found_in_layers_functions_and_images() -> None:
    rng = np.random.default_rng(0)
    first, conv = nn.Linear(3, 4, rng=rng), nn.Conv2D(1, 3, 3, rng=rng)
    first.bias.assign([0, -1000, 1000, 0])
    x = nn.Tensor(rng.normal(size=(200, 3)), dtype=np.float32)
    relu, tanh = analysis.dead_units(nn.tanh(nn.relu(first(x)) * 50).sum())
    assert (relu.operation, tanh.operation) == ("relu", "tanh")
    assert relu.dead().tolist() == [False, True, False, False] and relu.slopes[2] == 1
    assert 0.2 < relu.slopes[0] < 0.8
    assert tanh.slopes[1] == 1  # what never comes is passed on whole
    assert tanh.dead(0.01).tolist() == [False, False, True, False]  # what always comes is saturated
    conv.bias.assign([0, -1000, 0])
    for layers in ((nn.ReLU(), nn.MaxPool2D(2)), (nn.ReLU(),)):  # the first is evaluated as bias_relu after the pool
        (found,) = analysis.dead_units(nn.Sequential(conv, *layers)(rng.normal(size=(8, 1, 8, 8)).astype(np.float32)))
        assert found.dead().tolist() == [False, True, False]
    output = first(x).sum()
    output.backward()
    with pytest.raises(ValueError, match="not computed"):
        analysis.dead_units(x)
    output = nn.relu(first(x)).sum()
    output.backward()
    with pytest.raises(RuntimeError, match="call it before"):
        analysis.dead_units(output)


def test_the_noise_scale_is_that_of_the_distribution() -> None:
    """The loss (w - sample)^2 / 2 has the gradient w - sample: signal |w - mean|^2, noise the samples' variance."""
    rng = np.random.default_rng(0)
    w, sigma = nn.Parameter(np.array([3.0, 4.0])), np.array([2.0, 6.0])
    w.grad = kept = np.ones(2)
    batches = (rng.normal(size=(8, 2)) * sigma for _ in range(4000))
    found = analysis.gradient_noise_scale([w], lambda batch: ((w - batch) ** 2).sum() / 16, batches, batch_size=8)
    assert found.signal == pytest.approx(25, rel=0.05)
    assert found.noise == pytest.approx(40, rel=0.05)
    assert found.scale == pytest.approx(1.6, rel=0.1)
    assert w.grad is kept
    with pytest.raises(ValueError, match="1 batches"):
        analysis.gradient_noise_scale([w], lambda batch: (w * batch).sum(), [np.ones(2)], batch_size=1)


# ------------------------------------------------------------------------------------------------------------ pictures
def test_every_measurement_can_be_drawn() -> None:
    mpl = pytest.importorskip("matplotlib")
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    norms = 0.9 ** np.arange(30.0)[::-1]
    ax = analysis.plot_gradient_norms({"a": norms, "b": [0, math.inf, 2]})
    np.testing.assert_allclose(ax.lines[0].get_ydata(), norms[::-1])
    assert ax.lines[1].get_ydata()[0] == 1 and np.isnan(ax.lines[1].get_ydata()[1:]).all()
    assert sorted(text.get_text() for text in ax.texts) == ["a", "b"]
    assert analysis.plot_gradient_norms(norms, share=None, ax=ax) is ax
    ax = analysis.plot_power_gradient([2, 0.9, 0], k_max=1000)
    heights = ax.lines[0].get_ydata()
    assert heights[-1] == pytest.approx(math.log10(1000) + 999 * math.log10(2))
    ax = analysis.plot_spectrum(analysis.spectrum(np.diag([2.0, 0.5])))
    assert ax.collections[0].get_offsets().tolist() == [[2, 0], [0.5, 0]]
    layers = [analysis.LayerGradient("a", (4,), 1.0, 2.0)]
    assert analysis.plot_layer_gradients(layers).patches[0].get_width() == 1
    assert len(analysis.plot_update_ratios([{"a": 1e-3, "b": 1e-2}] * 3).lines) == 3
    ax = analysis.plot_dead_units([analysis.Activation("relu", np.array([0.5, 0.0]))])
    assert "1 of 2 dead" in ax.get_legend().get_texts()[0].get_text()
    ax = analysis.plot_noise_scale(analysis.NoiseScale(signal=1.0, noise=50.0), [50])
    assert ax.lines[0].get_ydata()[0] == 0.5
    with pytest.raises(ValueError, match="noise hides the gradient"):
        analysis.plot_noise_scale(analysis.NoiseScale(signal=-1.0, noise=50.0))
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")


# ------------------------------------------------------------------------------------------------------- fused layers
def twins(rng: np.random.Generator) -> list[tuple[Any, Any, Any]]:
    """Layers, cells with the same weights, and initial states."""
    made = [
        (nn.RNN(3, 4, rng=rng, dtype=np.float64), nn.RNNCell(3, 4, dtype=np.float64), 1),
        (nn.RNN(3, 4, leak=0.3, rng=rng, dtype=np.float64), nn.RNNCell(3, 4, leak=0.3, dtype=np.float64), 1),
        (
            nn.RNN(3, 4, nonlinearity="relu", rng=rng, dtype=np.float64),
            nn.RNNCell(3, 4, True, "relu", dtype=np.float64),
            1,
        ),
        (nn.LSTM(3, 4, rng=rng, dtype=np.float64), nn.LSTMCell(3, 4, dtype=np.float64), 2),
        (nn.GRU(3, 4, rng=rng, dtype=np.float64), nn.GRUCell(3, 4, dtype=np.float64), 1),
    ]
    result = []
    for layer, cell, parts in made:
        for name, parameter in cell.named_parameters():
            parameter.assign(getattr(layer, f"{name}_l0").data)
        state = tuple(rng.normal(size=(1, 2, 4)) for _ in range(parts))
        result.append((layer, cell, state if parts == 2 else state[0]))
    return result


def without_layers(state: Any) -> Any:
    return tuple(part[0] for part in state) if isinstance(state, tuple) else state[0]


@pytest.mark.parametrize("every", [True, False])
def test_both_routes_agree_on_the_gradients_of_states(every: bool) -> None:
    rng = np.random.default_rng(5)
    x, weights = rng.normal(size=(9, 2, 3)), rng.normal(size=(9, 2, 4))

    def loss(out: Any) -> Any:
        return (nn.sin(out) * weights).sum() if every else (out[-1] * weights[-1]).sum()

    for layer, cell, state in twins(rng):
        fused = analysis.state_gradients(layer, x, loss, state)
        stepped = analysis.state_gradients(cell, x, loss, without_layers(state))
        np.testing.assert_allclose(fused, stepped, atol=1e-12)
        output, _ = layer(x, state, state_grads=True)
        loss(output).backward()
        norms = analysis.gradient_norms(layer.state_grads)
        np.testing.assert_allclose(norms, analysis.gradient_norms(cell, x, loss, without_layers(state)), rtol=1e-10)
        np.testing.assert_allclose(
            analysis.step_jacobians(layer, x, state),
            analysis.step_jacobians(cell, x, without_layers(state)),
            atol=1e-12,
        )


def test_several_layers_stand_side_by_side() -> None:
    rng = np.random.default_rng(6)
    layer = nn.GRU(3, 4, num_layers=2, rng=rng, dtype=np.float64)
    x, g, state = rng.normal(size=(7, 2, 3)), rng.normal(size=(2, 4)), np.zeros((2, 2, 4))
    found = analysis.state_gradients(layer, x, lambda out: (out[-1] * g).sum(), state)
    jacobians = analysis.step_jacobians(layer, x, state)
    assert found.shape == (8, 2, 8) and jacobians.shape == (7, 2, 8, 8)
    # what the upper layer reads of the lower one at t is in the lower one's gradient at t, but not in J_t's of the pair
    lower, upper = found[:, :, :4], found[:, :, 4:]
    back = np.concatenate([np.zeros((2, 4)), g], axis=1)
    for t in range(6, -1, -1):
        back = np.einsum("bi,bij->bj", back, jacobians[t])
        np.testing.assert_allclose(upper[t], back[:, 4:], atol=1e-12)
    np.testing.assert_allclose(lower[0], back[:, :4], atol=1e-12)
    with pytest.raises(ValueError, match="bidirectional"):
        analysis.state_gradients(nn.GRU(3, 4, bidirectional=True), x.astype(np.float32), lambda out: out.sum())


def test_an_explosion_through_a_fused_layer_is_explained() -> None:
    """Nothing warns on the way: numpy's warnings would be errors here."""
    rng = np.random.default_rng(7)
    layer = nn.RNN(2, 8, nonlinearity="linear", bias=False, rng=rng)
    layer.weight_hh_l0.assign(nn.init.orthogonal((8, 8), 2.5, rng=rng))
    optimizer = nn.SGD(layer.named_parameters())
    x = np.zeros((120, 4, 2), np.float32)
    output, _ = layer(x, state_grads=True)
    output[-1].sum().backward()
    with pytest.raises(nn.NonFiniteGradient, match="step 1: the gradient of weight_ih_l0 holds NaN"):
        optimizer.step()
    said = analysis.why(layer, layer.state_grads)
    assert "changes by 2.5 a step" in said and "leaves the range of float32" in said
    assert "weight_hh_l0 stretches a vector by up to 2.5 and has spectral radius 2.5" in said

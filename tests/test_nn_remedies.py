"""The remedies: the penalty's gradient by finite differences, layer norm by its formula, skips by what they connect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import analysis


def ran(layer: nn.RNN, x: np.ndarray, h_0: np.ndarray | None, every: bool) -> Any:
    output, _ = layer(x, h_0, state_grads=True)
    loss = nn.square(output).sum() if every else output[-1].sum()
    loss.backward()
    return output


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize(("nonlinearity", "leak"), [("tanh", 1.0), ("relu", 1.0), ("linear", 1.0), ("tanh", 0.3)])
def test_the_penalty_is_the_formula_and_its_gradient_the_slope(nonlinearity: str, leak: float, every: bool) -> None:
    """Omega written out with dE/dh and h held constant, as in the paper, moved along a random direction."""
    rng = np.random.default_rng(0)
    layer = nn.RNN(3, 4, nonlinearity=nonlinearity, leak=leak, rng=rng, dtype=np.float64)
    x, h_0 = rng.normal(size=(6, 2, 3)), rng.normal(size=(1, 2, 4))
    output = ran(layer, x, h_0, every)
    v = layer.state_grads[0][1:].copy()
    before = np.concatenate([h_0, output.data[:-1]])
    weights = {name: parameter.data.copy() for name, parameter in layer.named_parameters()}
    loss_grads = {name: parameter.grad.copy() for name, parameter in layer.named_parameters()}

    def omega(weights: dict[str, np.ndarray]) -> float:
        z = x @ weights["weight_ih_l0"].T + weights["bias_ih_l0"] + weights["bias_hh_l0"]
        z = z + before @ weights["weight_hh_l0"].T
        slope = {"tanh": 1 - np.tanh(z) ** 2, "relu": z > 0, "linear": np.ones_like(z)}[nonlinearity]
        back = (1 - leak) * v + leak * (slope * v) @ weights["weight_hh_l0"]
        size = np.linalg.norm(v, axis=-1)
        there = size > 0  # a relu may stop a gradient altogether
        return float(((np.linalg.norm(back, axis=-1)[there] / size[there] - 1) ** 2).sum() / 2)

    found = nn.gradient_norm_penalty(layer, x, output, h_0, lambd=0.5)
    assert found == pytest.approx(omega(weights), rel=1e-12)
    for name, parameter in layer.named_parameters():
        direction = rng.normal(size=parameter.shape)
        ends = [omega(weights | {name: weights[name] + sign * 1e-6 * direction}) for sign in (1, -1)]
        slope = ((parameter.grad - loss_grads[name]) * direction).sum()
        assert slope == pytest.approx(0.5 * (ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-9), name


def test_the_penalty_alone_makes_gradients_travel() -> None:
    """Twenty steps down Omega: a net whose gradients vanished hands them on; they were far below float32's squares."""
    rng = np.random.default_rng(1)
    layer = nn.RNN(2, 16, rng=rng)
    layer.weight_hh_l0.assign(0.05 * nn.init.orthogonal((16, 16), rng=rng))
    x = rng.normal(size=(30, 8, 2)).astype(np.float32)
    optimizer, omegas, rates = nn.Adam(layer.named_parameters(), lr=0.02), [], []
    for _ in range(60):
        output = ran(layer, x, None, every=False)
        rates.append(analysis.growth_rate(analysis.gradient_norms(layer.state_grads)).rate)
        optimizer.zero_grad()
        omegas.append(nn.gradient_norm_penalty(layer, x, output))
        optimizer.step()
    assert rates[0] < 0.06 and omegas[0] > 25
    assert rates[-1] > 0.8 and omegas[-1] < 1


def test_the_penalty_says_what_it_needs() -> None:
    rng = np.random.default_rng(0)
    layer, x = nn.RNN(2, 3, rng=rng), np.zeros((4, 1, 2), np.float32)
    output, _ = layer(x)
    with pytest.raises(ValueError, match="state_grads=True"):
        nn.gradient_norm_penalty(layer, x, output)
    with pytest.raises(ValueError, match="one layer"):
        nn.gradient_norm_penalty(nn.RNN(2, 3, num_layers=2, rng=rng), x, output)
    ran(layer, x, None, every=True)
    with pytest.raises(ValueError, match="of the same run"):
        nn.gradient_norm_penalty(layer, x, output[1:])


def test_the_penalty_leaves_what_is_not_finite_to_the_optimiser() -> None:
    """Infinite states: no warning (they are errors here), and the optimiser stops with its message."""
    layer = nn.RNN(1, 2, nonlinearity="relu", rng=np.random.default_rng(0))
    layer.weight_hh_l0.assign([[1e20, 0], [0, 1e20]])
    optimizer = nn.SGD(layer.named_parameters(), lr=0.1)
    x = np.ones((5, 1, 1), np.float32)
    with np.errstate(all="ignore"):
        output = ran(layer, x, None, every=False)
    assert not np.isfinite(output.data).all()
    nn.gradient_norm_penalty(layer, x, output)
    with pytest.raises(nn.NonFiniteGradient, match="step 1"):
        optimizer.step()


def test_layer_norm_lstm_is_its_formula_and_unrolled_is_the_loop() -> None:
    rng = np.random.default_rng(2)
    cell = nn.LayerNormLSTMCell(3, 4, forget_bias=1.5, rng=rng, dtype=np.float64)
    for _, parameter in cell.named_parameters():
        parameter.assign(rng.normal(size=parameter.shape))
    x, h, c = rng.normal(size=(5, 2, 3)), np.zeros((2, 4)), np.zeros((2, 4))
    output, (h_n, c_n) = nn.Unrolled(cell)(x)

    def norm(z: np.ndarray, layer: nn.LayerNorm) -> np.ndarray:
        z = (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + layer.eps)
        return z * layer.weight.data + layer.bias.data

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    for t in range(5):
        gates = norm(x[t] @ cell.weight_ih.data.T, cell.norm_ih) + norm(h @ cell.weight_hh.data.T, cell.norm_hh)
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(norm(c, cell.norm_c))
        np.testing.assert_allclose(output.data[t], h, atol=1e-12)
    np.testing.assert_allclose(h_n.data, h, atol=1e-12)
    np.testing.assert_allclose(c_n.data, c, atol=1e-12)
    fresh = nn.LayerNormLSTMCell(3, 4, forget_bias=1.5, rng=rng)
    assert fresh.norm_ih.bias.data.tolist() == [0] * 4 + [1.5] * 4 + [0] * 8


def test_unrolled_cells_are_the_fused_layers() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(6, 2, 3))
    for layer, cell in (
        (nn.GRU(3, 4, rng=rng, dtype=np.float64), nn.GRUCell(3, 4, rng=rng, dtype=np.float64)),
        (nn.LSTM(3, 4, rng=rng, dtype=np.float64), nn.LSTMCell(3, 4, rng=rng, dtype=np.float64)),
    ):
        for name, parameter in cell.named_parameters():
            parameter.assign(getattr(layer, f"{name}_l0").data)
        np.testing.assert_allclose(nn.Unrolled(cell)(x)[0].data, layer(x)[0].data, atol=1e-12)


def test_dilated_connects_each_step_with_the_one_dilation_before() -> None:
    rng = np.random.default_rng(4)
    layer = nn.RNN(3, 4, rng=rng, dtype=np.float64)
    dilated, x = nn.Dilated(layer, 3), rng.normal(size=(12, 2, 3))
    output, state = dilated(x)
    W, U = layer.weight_ih_l0.data, layer.weight_hh_l0.data
    h = np.zeros((15, 2, 4))
    for t in range(12):
        h[t + 3] = np.tanh(x[t] @ W.T + h[t] @ U.T + layer.bias_ih_l0.data + layer.bias_hh_l0.data)
    np.testing.assert_allclose(output.data, h[3:], atol=1e-12)
    first, state = dilated(x[:6])
    second, _ = dilated(x[6:], state)
    np.testing.assert_allclose(np.concatenate([first.data, second.data]), output.data, atol=1e-12)
    with pytest.raises(ValueError, match="multiple of 3"):
        dilated(x[:7])
    with pytest.raises(ValueError, match="one direction"):
        nn.Dilated(nn.RNN(3, 4, bidirectional=True, rng=rng), 2)


def test_chrono_biases_keep_for_times_spread_to_the_longest() -> None:
    b = nn.init.chrono(4000, 102, rng=np.random.default_rng(0), dtype=np.float64)
    steps = 1 + np.exp(b)
    assert (steps.min() >= 2) and (steps.max() < 102)
    assert steps.mean() == pytest.approx(51.5, abs=2)
    left = (1 / (1 + np.exp(-b))) ** steps  # of a cell that is left alone for so long
    assert (left >= 0.25 - 1e-9).all() and (left <= 1 / np.e).all()
    with pytest.raises(ValueError, match="longest is 2"):
        nn.init.chrono(4, 2, rng=np.random.default_rng(0))


def test_forget_bias_is_at_the_forget_gates() -> None:
    assert nn.init.forget_bias(2, 3.0).tolist() == [0, 0, 3, 3, 0, 0, 0, 0]
    lstm = nn.LSTM(1, 8, rng=np.random.default_rng(0))
    lstm.bias_ih_l0.assign(nn.init.forget_bias(8, 50.0))
    jacobians = analysis.step_jacobians(lstm, np.ones((2, 1, 1), np.float32), (np.zeros((1, 1, 8), np.float32),) * 2)
    np.testing.assert_allclose(jacobians[0, 0, 8:, 8:], np.eye(8), atol=1e-6)  # the constant error carousel

"""Recurrent layers: PyTorch's results and gradients, every length, direction and depth, one cell at a time or fused."""

from __future__ import annotations

from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn.recurrent import sequences

LAYERS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
CELLS = {"RNN": nn.RNNCell, "LSTM": nn.LSTMCell, "GRU": nn.GRUCell}
every_kind = pytest.mark.parametrize("kind", LAYERS)


def close(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    a, b = np.asarray(ours), np.asarray(theirs)
    assert a.shape == b.shape
    assert np.abs(a - b).max(initial=0) <= tolerance * max(1, np.abs(b).max(initial=0))


def states(kind: str, shape: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> Any:
    parts = [rng.normal(size=shape).astype(dtype) for _ in range(2 if kind == "LSTM" else 1)]
    return parts


def packed(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else tuple(parts)


# ------------------------------------------------------------------------------------------------------------- parity
@every_kind
@pytest.mark.parametrize("length", [1, 2, 7, 50, 200])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
def test_results_and_gradients_are_those_of_torch(kind: str, length: int, both: bool, masked: bool, depth: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(length)
    batch, inputs, size = 5, 3, 6
    ours = LAYERS[kind](inputs, size, num_layers=depth, bidirectional=both, rng=rng)
    theirs = getattr(torch.nn, kind)(inputs, size, num_layers=depth, bidirectional=both)
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    x = rng.normal(size=(length, batch, inputs)).astype(np.float32)
    start = states(kind, (depth * (1 + both), batch, size), rng)
    lengths = rng.integers(1, length + 1, batch) if masked else None
    if lengths is not None:
        lengths[2] = length

    x_ours, start_ours = nn.Tensor(x, requires_grad=True), [nn.Tensor(s, requires_grad=True) for s in start]
    out, end = ours(x_ours, packed(start_ours), lengths)
    results = [out, *(end if kind == "LSTM" else [end])]

    x_theirs, start_theirs = (torch.tensor(x, requires_grad=True), [torch.tensor(s, requires_grad=True) for s in start])
    if lengths is None:
        out_t, end_t = theirs(x_theirs, packed(start_theirs))
    else:
        pack = torch.nn.utils.rnn.pack_padded_sequence(x_theirs, torch.tensor(lengths), enforce_sorted=False)
        out_t, end_t = theirs(pack, packed(start_theirs))
        out_t, _ = torch.nn.utils.rnn.pad_packed_sequence(out_t)
    results_t = [out_t, *(end_t if kind == "LSTM" else [end_t])]

    weights = [rng.normal(size=r.shape).astype(np.float32) for r in results]
    for mine, theirs_result in zip(results, results_t, strict=True):
        close(mine.data, theirs_result.detach().numpy())
    sum((r * w).sum() for r, w in zip(results, weights, strict=True)).backward()
    sum((r * torch.tensor(w)).sum() for r, w in zip(results_t, weights, strict=True)).backward()
    close(x_ours.grad, x_theirs.grad.numpy())
    for mine, other in zip(start_ours, start_theirs, strict=True):
        close(mine.grad, other.grad.numpy())
    grads_t = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        close(parameter.grad, grads_t[name].grad.numpy())


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_an_rnn_of_either_nonlinearity_is_that_of_torch(nonlinearity: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ours = nn.RNN(4, 5, nonlinearity=nonlinearity, batch_first=True, rng=rng)
    theirs = torch.nn.RNN(4, 5, nonlinearity=nonlinearity, batch_first=True)
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    x = rng.normal(size=(3, 9, 4)).astype(np.float32)
    out, h = ours(x)
    out_t, h_t = theirs(torch.tensor(x))
    close(out.data, out_t.detach().numpy())
    close(h.data, h_t.detach().numpy())
    out.sum().backward()
    out_t.sum().backward()
    close(ours.weight_hh_l0.grad, theirs.weight_hh_l0.grad.numpy())


@every_kind
def test_a_cell_is_that_of_torch(kind: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ours, theirs = CELLS[kind](3, 4, rng=rng), getattr(torch.nn, f"{kind}Cell")(3, 4)
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    x, start = rng.normal(size=(2, 3)).astype(np.float32), states(kind, (2, 4), rng)
    end, end_t = ours(x, packed(start)), theirs(torch.tensor(x), packed([torch.tensor(s) for s in start]))
    for mine, other in zip(*([end, end_t] if kind == "LSTM" else [[end], [end_t]]), strict=True):
        close(mine.data, other.detach().numpy())


@every_kind
def test_the_initial_weights_are_spread_as_those_of_torch(kind: str) -> None:
    layer = LAYERS[kind](10, 400, rng=np.random.default_rng(0))
    for _, parameter in layer.named_parameters():
        assert abs(np.abs(parameter.data).max() - 1 / 20) < 1e-3
        assert abs(parameter.data.std() - 1 / 20 / np.sqrt(3)) < 2e-3


# ----------------------------------------------------------------------------------------------------------- gradcheck
def rule(kind: str, settings: dict[str, Any]) -> Any:
    function = getattr(sequences, kind.lower())
    return lambda *operands: function(*operands, **settings)


@every_kind
@hypothesis.settings(max_examples=25, deadline=None, derandomize=True)
@hypothesis.given(data=st.data())
def test_backward_agrees_with_central_differences(kind: str, data: st.DataObject) -> None:
    times, batch, inputs, size = (data.draw(st.integers(1, n)) for n in (6, 4, 3, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[kind]
    lengths = np.sort(rng.integers(1, times + 1, batch))[::-1] if data.draw(st.booleans()) else None
    settings: dict[str, Any] = {"lengths": lengths, "reverse": data.draw(st.booleans())}
    if kind == "RNN":
        settings |= {"nonlinearity": data.draw(st.sampled_from(["tanh", "linear"]))}
        settings |= {"leak": data.draw(st.sampled_from([1.0, 0.3]))}
    shapes = [(times, batch, inputs), *[(batch, size)] * (2 if kind == "LSTM" else 1)]
    shapes += [(gates * size, inputs), (gates * size, size), (gates * size,), (gates * size,)]
    nn.gradcheck(rule(kind, settings), *(0.6 * rng.normal(size=shape) for shape in shapes), rng=rng)


@every_kind
@hypothesis.settings(max_examples=20, deadline=None, derandomize=True)
@hypothesis.given(data=st.data())
def test_the_fused_layer_is_its_cell_step_by_step(kind: str, data: st.DataObject) -> None:
    """Values, gradients of weights and inputs, and the state's gradients, each sequence alone and at its own length."""
    times, batch, inputs, size = (data.draw(st.integers(1, n)) for n in (7, 4, 3, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    layer = LAYERS[kind](inputs, size, bidirectional=True, rng=rng, dtype=np.float64)
    x = rng.normal(size=(times, batch, inputs))
    lengths = rng.integers(1, times + 1, batch)
    out, _ = layer(x, lengths=lengths, state_grads=True)
    weights = rng.normal(size=out.shape)
    (out * weights).sum().backward()

    for way, suffix in enumerate(("_l0", "_l0_reverse")):
        cell = CELLS[kind](inputs, size, dtype=np.float64)
        cell.load_state_dict({n: getattr(layer, n + suffix).data for n, _ in cell.named_parameters()})
        grads = layer.state_grads[way]
        assert grads is not None
        assert grads.shape == (times + 1, batch, size * (2 if kind == "LSTM" else 1))
        for row, length in enumerate(lengths):
            zero = nn.Tensor(np.zeros((1, size)), requires_grad=True)
            trail = [packed([zero, nn.Tensor(np.zeros((1, size)), requires_grad=True)] if kind == "LSTM" else [zero])]
            order = list(range(length))[:: -1 if way else 1]
            seeds = {t: weights[t, row : row + 1, way * size : (way + 1) * size] for t in order}
            for t in order:
                trail.append(cell(x[t, row : row + 1], trail[-1]))
                h = trail[-1][0] if kind == "LSTM" else trail[-1]
                close(out.data[t, row, way * size : (way + 1) * size], h.data[0], 1e-12)
            for k in range(length + 1):  # the rest of the walk from the k-th state, taken as given
                parts = trail[k] if kind == "LSTM" else (trail[k],)
                given_ = [nn.Tensor(part.data, requires_grad=True) for part in parts]
                loss = (given_[0] * seeds[order[k - 1]]).sum() if k else 0.0
                state = packed(given_)
                for t in order[k:]:
                    state = cell(x[t, row : row + 1], state)
                    loss = loss + ((state[0] if kind == "LSTM" else state) * seeds[t]).sum()
                loss.backward()
                expected = np.concatenate([np.zeros((1, size)) if g.grad is None else g.grad for g in given_], 1)[0]
                slot = length - k if way else k
                close(grads[slot, row], expected, 1e-10)
        assert not out.data[np.arange(times)[:, None] >= lengths].any()


@every_kind
def test_cells_learn_like_their_layer(kind: str) -> None:
    rng = np.random.default_rng(1)
    layer, cell = LAYERS[kind](2, 3, rng=rng, dtype=np.float64), CELLS[kind](2, 3, rng=rng, dtype=np.float64)
    cell.load_state_dict({name: getattr(layer, f"{name}_l0").data for name, _ in cell.named_parameters()})
    x = rng.normal(size=(5, 4, 2))
    layer(x)[0].sum().backward()
    state, loss = None, 0.0
    for step in x:
        state = cell(step, state)
        loss = loss + (state[0] if kind == "LSTM" else state).sum()
    loss.backward()
    for name, parameter in cell.named_parameters():
        close(parameter.grad, getattr(layer, f"{name}_l0").grad, 1e-12)


# ----------------------------------------------------------------------------------------------------- what else holds
@every_kind
def test_padding_is_not_looked_at(kind: str) -> None:
    rng = np.random.default_rng(0)
    layer = LAYERS[kind](2, 3, num_layers=2, bidirectional=True, rng=rng)
    x = rng.normal(size=(6, 3, 2)).astype(np.float32)
    lengths = np.array([2, 6, 4])
    other = np.where((np.arange(6)[:, None] < lengths)[..., None], x, np.float32(9))
    for a, b in zip(layer(x, lengths=lengths), layer(other, lengths=lengths), strict=True):
        for mine, theirs in zip(*((a, b) if isinstance(a, tuple) else ((a,), (b,))), strict=True):
            np.testing.assert_array_equal(mine.data, theirs.data)


@every_kind
def test_a_sequence_in_parts_is_the_whole(kind: str) -> None:
    """The state goes out and in again; cut off between the parts, no gradient crosses: truncated backpropagation."""
    rng = np.random.default_rng(0)
    layer = LAYERS[kind](2, 3, num_layers=2, rng=rng, dtype=np.float64)
    x = nn.Tensor(rng.normal(size=(8, 4, 2)), requires_grad=True)
    whole, _ = layer(x)
    first, state = layer(x[:5])
    second, _ = layer(x[5:], nn.detach(state))
    np.testing.assert_allclose(np.concatenate([first.data, second.data]), whole.data, rtol=1e-12)
    second.sum().backward()
    assert x.grad is not None
    assert not x.grad[:5].any()
    assert x.grad[5:].any()
    x.grad = None
    first, state = layer(x[:5])
    layer(x[5:], state)[0].sum().backward()
    assert x.grad[:5].any()


@every_kind
def test_one_sequence_without_a_batch(kind: str) -> None:
    rng = np.random.default_rng(0)
    layer, cell = LAYERS[kind](2, 3, rng=rng), CELLS[kind](2, 3, rng=rng)
    x = rng.normal(size=(5, 2)).astype(np.float32)
    out, end = layer(x)
    batched, _ = layer(x[:, None])
    np.testing.assert_array_equal(out.data, batched.data[:, 0])
    assert (end[0] if kind == "LSTM" else end).shape == (1, 3)
    state = cell(x[0])
    assert (state[0] if kind == "LSTM" else state).shape == (3,)


@every_kind
def test_no_bias_no_names(kind: str) -> None:
    layer = LAYERS[kind](2, 3, bias=False, rng=np.random.default_rng(0))
    assert [name for name, _ in layer.named_parameters()] == ["weight_ih_l0", "weight_hh_l0"]
    out, _ = layer(np.ones((4, 1, 2), np.float32))
    out.sum().backward()
    assert layer.weight_hh_l0.grad.any()


@every_kind
def test_dropout_falls_between_layers_and_only_in_training(kind: str) -> None:
    layer = LAYERS[kind](2, 8, num_layers=2, dropout=0.5, rng=np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(4, 3, 2)).astype(np.float32)
    assert (layer(x)[0].data != layer(x)[0].data).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].data, layer(x)[0].data)


@every_kind
def test_a_graph_walked_twice_gives_the_same(kind: str) -> None:
    layer = LAYERS[kind](2, 3, bidirectional=True, rng=np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(6, 3, 2)).astype(np.float32)
    loss = layer(x, lengths=[6, 2, 3])[0].sum()
    loss.backward(retain_graph=True)
    once = {name: p.grad.copy() for name, p in layer.named_parameters()}
    layer.zero_grad()
    loss.backward()
    for name, parameter in layer.named_parameters():
        np.testing.assert_array_equal(parameter.grad, once[name])


def test_an_explosion_is_silent_until_the_optimiser_names_it() -> None:
    layer = nn.RNN(1, 2, nonlinearity="linear", rng=np.random.default_rng(0))
    layer.weight_hh_l0.assign(np.eye(2) * 3)
    optimizer = nn.SGD(layer.named_parameters(), lr=0.1)
    before = layer.weight_hh_l0.data.copy()
    loss = (layer(np.ones((200, 1, 1), np.float32))[0] ** 2).mean()
    loss.backward()
    with pytest.raises(nn.NonFiniteGradient, match=r"step 1: the gradient of weight_ih_l0 holds"):
        optimizer.step()
    np.testing.assert_array_equal(layer.weight_hh_l0.data, before)


# ------------------------------------------------------------------------------------------------------------- resets
@every_kind
@pytest.mark.parametrize("leak", [1.0, 0.3])
@pytest.mark.parametrize("begin", ["zero", "fresh"])
def test_a_reset_is_the_fresh_state_put_in_by_hand(kind: str, leak: float, begin: str) -> None:
    """Values and gradients of two layers are those of one step after another, with the state replaced between them."""
    rng, times, batch, size = np.random.default_rng(1), 9, 4, 5
    how = {"leak": leak} if kind == "RNN" else {}
    layer = LAYERS[kind](3, size, num_layers=2, rng=rng, dtype=np.float64, **how)
    x, start = rng.normal(size=(times, batch, 3)), states(kind, (2, batch, size), rng, np.float64)
    fresh = [np.zeros((2, size)) if begin == "zero" else part for part in states(kind, (2, size), rng, np.float64)]
    resets, weights = rng.random((times, batch)) < 0.3, rng.normal(size=(times, batch, size))
    resets[3] = True

    def gradients(fused: bool) -> list[Any]:
        layer.zero_grad()
        seen, parts = nn.Tensor(x, requires_grad=True), [nn.Tensor(part, requires_grad=True) for part in start]
        state = packed(parts)
        if fused:
            out, state = layer(seen, state, resets=resets, fresh=None if begin == "zero" else packed(fresh))
        else:
            outs = []
            for t in range(times):
                now = [
                    nn.where(resets[t][:, None], begin_anew[:, None], part)
                    for begin_anew, part in zip(fresh, state if kind == "LSTM" else [state], strict=True)
                ]
                step, state = layer(seen[t : t + 1], packed(now))
                outs.append(step)
            out = nn.concatenate(outs, 0)
        ends = list(state) if kind == "LSTM" else [state]
        ((out * weights).sum() + sum(end.sum() for end in ends)).backward()
        grads = [p.grad for p in layer.parameters()]
        return [out.data, *(end.data for end in ends), seen.grad, *(part.grad for part in parts), *grads]

    for mine, by_hand in zip(gradients(True), gradients(False), strict=True):
        np.testing.assert_allclose(mine, by_hand, rtol=0, atol=1e-12)


def test_resets_follow_the_order_of_x() -> None:
    rng = np.random.default_rng(0)
    layer = nn.GRU(3, 4, rng=rng)
    first = nn.GRU(3, 4, batch_first=True)
    first.load_state_dict(layer.state_dict())
    x, resets = rng.normal(size=(6, 2, 3)).astype(np.float32), rng.random((6, 2)) < 0.4
    out = layer(x, resets=resets)[0].data
    np.testing.assert_array_equal(first(x.swapaxes(0, 1), resets=resets.T)[0].data.swapaxes(0, 1), out)
    np.testing.assert_allclose(layer(x[:, 0], resets=resets[:, 0])[0].data, out[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.GRU(2, 3)(np.ones((4, 2, 2), np.float32), resets=np.zeros((4, 1), bool)), r"of shape \(4, 2\)"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 2, 2), np.float32), resets=np.zeros((4, 2))), "booleans of shape"),
        (
            lambda: nn.GRU(2, 3)(np.ones((4, 2, 2), np.float32), lengths=[4, 2], resets=np.zeros((4, 2), bool)),
            "equal length and one direction",
        ),
        (
            lambda: nn.GRU(2, 3)(np.ones((4, 2, 2), np.float32), resets=np.zeros((4, 2), bool), fresh=np.ones(3)),
            r"of shape \(1, 3\)",
        ),
        (lambda: nn.LSTM(2, 0), "hidden_size is 0"),
        (lambda: nn.GRU(2, 3, dropout=2), "dropout is 2"),
        (lambda: nn.RNN(2, 3, nonlinearity="sin"), "nonlinearity is 'sin'; expected 'tanh', 'relu' or 'linear'"),
        (lambda: nn.RNN(2, 3, leak=0), "leak is 0"),
        (lambda: nn.LSTM(2, 3)(np.ones((4, 1, 5), np.float32)), r"LSTM takes x \(time, batch, 2\), not \(4, 1, 5\)"),
        (lambda: nn.GRU(2, 3, batch_first=True)(np.ones((4, 1, 5), np.float32)), r"x \(batch, time, 2\)"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 1, 2), np.float32), np.ones((1, 3), np.float32)), r"shape \(1, 1, 3\), not"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 2, 2), np.float32), lengths=[4]), r"integers of shape \(2,\)"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 2, 2), np.float32), lengths=[4, 0]), "from 0 to 4; expected 1 to 4"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 2, 2), np.float32), lengths=[4, 5]), "from 4 to 5; expected 1 to 4"),
        (lambda: nn.LSTMCell(2, 3)(np.ones((1, 4), np.float32)), r"LSTMCell takes x \(batch, 2\), not \(1, 4\)"),
        (lambda: nn.RNNCell(2, 3)(np.ones((1, 2), np.float32), np.ones((2, 3), np.float32)), r"shape \(1, 3\)"),
    ],
)
def test_errors_say_what_was_expected(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_an_lstm_wants_a_pair() -> None:
    with pytest.raises(TypeError, match=r"a pair \(h, c\)"):
        nn.LSTM(2, 3)(np.ones((4, 1, 2), np.float32), np.ones((1, 1, 3), np.float32))


def test_the_repr_tells_the_story() -> None:
    layer = nn.LSTM(8, 16, num_layers=2, bidirectional=True)
    assert repr(layer) == "LSTM(8, 16, num_layers=2, bidirectional=True)  # 9,728 parameters"
    assert repr(nn.RNN(2, 3, nonlinearity="relu", leak=0.5)).startswith("RNN(2, 3, nonlinearity='relu', leak=0.5)")


# ------------------------------------------------------------------------------------------------------------- columns
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_features_that_are_0_may_be_left_out(kind) -> None:
    layer = kind(
        9, 4, num_layers=2, batch_first=True, bidirectional=True, rng=np.random.default_rng(0), dtype="float64"
    )
    x, columns = np.random.default_rng(1).normal(size=(3, 5, 9)), np.array([1, 4, 7])
    x[..., np.setdiff1d(np.arange(9), columns)] = 0
    found = []
    for seen, which in ((x, None), (x[..., columns], columns)):
        out, _ = layer(seen, columns=which)
        (out * out).sum().backward()
        found.append([out.data, *(p.grad for p in layer.parameters())])
        layer.zero_grad()
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("columns", [[2, 1], [1, 1], [-1, 2], [1, 3], [0.0, 1.0], [[0, 1]]])
def test_columns_rise_and_are_there(columns) -> None:
    layer = nn.Linear(3, 2, rng=np.random.default_rng(0))
    np.testing.assert_allclose(layer([[1.0, 2.0]], columns=[0, 2]).data, layer([[1.0, 0.0, 2.0]]).data, rtol=1e-6)
    with pytest.raises(ValueError, match="columns are rising integers from 0 to 2"):
        layer(np.ones((4, 2), np.float32), columns=columns)

"""Gradients of gradients: every operation's against central differences; `grad`, `jvp`, `jacobian` as torch's."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from test_nn_contract import CASES

from mazegrad import nn
from mazegrad.nn.graph import newest_first

few = hypothesis.settings(max_examples=6, deadline=None, derandomize=True)


def leaves(*arrays: Any) -> list[nn.Tensor]:
    """Tensors to differentiate by; what is one already stays what it is."""
    given = [x.data if isinstance(x, nn.Tensor) and not x.requires_grad else x for x in arrays]
    return [x if isinstance(x, nn.Tensor) else nn.Tensor(x, requires_grad=True) for x in given]


def slopes(call: Callable[..., Any], weights: Any, *arrays: Any) -> tuple[Any, ...]:
    """The gradients of `(call(*arrays) * weights).sum()`, to be differentiated again."""
    weights, *xs = leaves(weights, *arrays)
    found = nn.grad(call(*xs), xs, weights, create_graph=True, allow_unused=True)
    return tuple(x for x in found if x is not None)


def plain(x: Any) -> Any:
    """Tensors of either library, and tuples of them, as arrays."""
    if isinstance(x, tuple | list):
        return [plain(part) for part in x]
    return x.data if isinstance(x, nn.Tensor) else x.detach().numpy()


def same(ours: Any, theirs: Any) -> None:
    """Equal shapes, nested alike, and equal numbers."""
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
    else:
        a, b = plain(ours), plain(theirs)
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


# -------------------------------------------------------------------------------------------- every operation
@pytest.mark.parametrize("name", CASES)
@few
@hypothesis.given(data=st.data())
def test_gradients_of_gradients_agree_with_central_differences(name: str, data: st.DataObject) -> None:
    """With create_graph the first derivatives are the same, and their own are right, by the weights too."""
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    call, arrays = CASES[name].call, CASES[name].inputs(data.draw, rng)
    xs = leaves(*arrays)
    out = call(*xs)
    weights = rng.normal(size=out.shape)
    found = nn.grad(out, xs, weights, create_graph=True, allow_unused=True)
    out = call(*xs)
    out.backward(weights)
    for x, gradient in zip(xs, found, strict=True):
        assert (gradient is None) == (x.grad is None)
        if x.grad is not None:
            np.testing.assert_allclose(gradient.data, x.grad, rtol=1e-10, atol=1e-10)
    nn.gradcheck(lambda weights, *arrays: slopes(call, weights, *arrays), weights, *arrays, rng=rng)


THIRD: list[tuple[Callable[..., Any], list[tuple[int, ...]]]] = [
    (lambda x, k: nn.conv2d(x, k, padding=1, stride=2), [(2, 2, 5, 5), (2, 2, 3, 3)]),
    (lambda x, k: nn.conv_transpose2d(x, k, stride=2, groups=2), [(1, 4, 3, 3), (4, 1, 2, 2)]),
    (lambda x, w: nn.tanh(nn.linear(x, w)), [(2, 3), (2, 3)]),
    (lambda x: nn.max_pool2d(x, 2), [(1, 1, 4, 4)]),
    (lambda x: nn.exp(x[[0, 1, 1]]), [(3,)]),
    (lambda x: nn.gelu(nn.layer_norm(x, 4)), [(2, 4)]),
    (nn.scaled_dot_product_attention, [(2, 3), (2, 3), (2, 3)]),
]


@pytest.mark.parametrize(("call", "shapes"), THIRD)
def test_third_derivatives(call: Callable[..., Any], shapes: list[tuple[int, ...]]) -> None:
    """What a second derivative is made of can be differentiated again."""
    rng = np.random.default_rng(0)

    def steepness(*xs: Any) -> Any:
        found = nn.grad((call(*xs) ** 3).sum(), xs, create_graph=True)
        return nn.concatenate([(g * g).sum().reshape(1) for g in found]).sum()

    arrays = [rng.normal(size=shape) for shape in shapes]
    nn.gradcheck(lambda one, *arrays: slopes(steepness, one, *arrays), np.ones(()), *arrays, rng=rng)


def test_an_operation_of_ones_own_is_named() -> None:
    from mazegrad.nn.rules import Operand, Rule, operation

    @operation
    def cube(x: Operand) -> Rule:
        return x**3, lambda grad, needs: (3 * grad * x * x,)

    x = nn.Tensor([1.0, 2.0], requires_grad=True)
    np.testing.assert_allclose(nn.grad(cube(x).sum(), x)[0].data, [3, 12])
    with pytest.raises(RuntimeError, match="'cube' has first derivatives only"):
        nn.grad(cube(x).sum(), x, create_graph=True)


def test_an_entry_that_asks_for_what_the_vjp_does_not_state_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from mazegrad.nn.second_order import TABLE

    monkeypatch.setitem(TABLE, "exp", ("x", lambda grad, result: grad * result))
    with pytest.raises(RuntimeError, match=r"second derivative of 'exp' asks for result, but the vjp .* reads .*out"):
        nn.exp(nn.Tensor(1.0, requires_grad=True)).backward(create_graph=True)


@pytest.mark.parametrize("kind", ["RNN", "relu", "leaky", "LSTM", "GRU", "deep"])
@pytest.mark.parametrize("ends", ["equal", "lengths", "resets"])
def test_recurrent_layers(kind: str, ends: str) -> None:
    """Whole sequences, whose operation is fused, step by step; by x, by every weight and by the initial state."""
    rng = np.random.default_rng(0)
    settings: dict[str, Any] = {"relu": {"nonlinearity": "relu"}, "leaky": {"leak": 0.3}}.get(kind, {})
    if kind == "deep":
        settings = {"num_layers": 2, "bidirectional": ends != "resets"}
    make = {"LSTM": nn.LSTM, "GRU": nn.GRU, "deep": nn.GRU}.get(kind, nn.RNN)
    net = make(2, 3, **settings, dtype=np.float64, rng=rng)
    how: dict[str, Any] = {"lengths": {"lengths": np.array([2, 4, 3])}, "resets": {"resets": rng.random((4, 3)) < 0.3}}
    count = settings.get("num_layers", 1) * (1 + settings.get("bidirectional", False))
    names = [name for name, _ in net.named_parameters()]
    arrays = [rng.normal(size=(4, 3, 2)), *[rng.normal(size=(count, 3, 3)) for _ in range(1 + (kind == "LSTM"))]]
    parts = len(arrays) - 1

    def loss(x: Any, *others: Any) -> Any:
        state, weights = others[:parts], dict(zip(names, others[parts:], strict=True))
        given = (x, state if parts == 2 else state[0])
        out, last = nn.functional_call(net, weights, given, how.get(ends, {}))
        return (out * out * out).sum() + (last[-1] if parts == 2 else last).sum()

    everything = [*arrays, *(p.data for p in net.parameters())]
    xs = leaves(*everything)
    for a, b in zip(nn.grad(loss(*xs), xs), nn.grad(loss(*xs), xs, create_graph=True), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-10, atol=1e-12)
    nn.gradcheck(lambda one, *arrays: slopes(loss, one, *arrays), np.ones(()), *everything, rng=rng)


def test_attention_with_heads() -> None:
    rng = np.random.default_rng(0)
    layer = nn.MultiheadAttention(6, 2, batch_first=True, dtype=np.float64, rng=rng)
    names, x = [name for name, _ in layer.named_parameters()], rng.normal(size=(2, 3, 6))

    def loss(x: Any, *weights: Any) -> Any:
        return (nn.functional_call(layer, dict(zip(names, weights, strict=True)), (x, x, x))[0] ** 3).sum()

    everything = [x, *(p.data for p in layer.parameters())]
    nn.gradcheck(lambda one, *arrays: slopes(loss, one, *arrays), np.ones(()), *everything, rng=rng)


def test_a_net_of_everything_against_torch() -> None:
    """The gradient penalty of a small ResNet, and its gradient by every weight."""
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    rng = np.random.default_rng(0)
    ours = nn.Sequential(
        nn.Conv2D(3, 4, 3, stride=2, padding=1, rng=rng, dtype=np.float64),
        nn.BatchNorm2D(4, dtype=np.float64),
        nn.GELU(),
        nn.Conv2D(4, 4, 3, padding=1, groups=4, rng=rng, dtype=np.float64),
        nn.GroupNorm(2, 4, dtype=np.float64),
        nn.MaxPool2D(3, 2, 1),
        nn.Flatten(),
        nn.Linear(16, 1, rng=rng, dtype=np.float64),
    )
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=2, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.GELU(),
        torch.nn.Conv2d(4, 4, 3, padding=1, groups=4),
        torch.nn.GroupNorm(2, 4),
        torch.nn.MaxPool2d(3, 2, 1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 1),
    ).double()
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    x = rng.normal(size=(3, 3, 8, 8))
    a, b = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    (slope,) = nn.grad(ours(a).sum(), a, create_graph=True)
    (their_slope,) = torch.autograd.grad(theirs(b).sum(), b, create_graph=True)
    ((slope.square().sum((1, 2, 3)).sqrt() - 1) ** 2).mean().backward()
    ((their_slope.square().sum((1, 2, 3)).sqrt() - 1) ** 2).mean().backward()
    same(slope, their_slope)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q = np.zeros(q.shape) if q.grad is None else q.grad.numpy()
        np.testing.assert_allclose(np.zeros(p.shape) if p.grad is None else p.grad, q, rtol=1e-8, atol=1e-10)


# ------------------------------------------------------------------------------------------------------- grad
def test_higher_derivatives_of_a_polynomial() -> None:
    x = nn.Tensor(np.array([1.0, 2.0, -3.0]), requires_grad=True)
    value: Any = (x**5).sum()
    for expected in (5 * x.data**4, 20 * x.data**3, 60 * x.data**2, 120 * x.data):
        (slope,) = nn.grad(value, x, create_graph=True)
        np.testing.assert_allclose(slope.data, expected, rtol=1e-12)
        value = slope.sum()


def test_grad_leaves_everything_as_it_was() -> None:
    x, w = leaves(np.ones(3), np.arange(3.0))
    loss = (x * w).sum()
    (found,) = nn.grad(loss, x, retain_graph=True)
    np.testing.assert_array_equal(found.data, w.data)
    assert x.grad is None
    assert w.grad is None
    assert not found.requires_grad
    loss.backward()  # the graph is still there
    with pytest.raises(RuntimeError, match="freed by an earlier"):
        nn.grad(loss, x)


def test_grad_by_results_of_operations() -> None:
    """In the middle of a graph, several at once, one above the other."""
    (x,) = leaves(np.array([1.0, 2.0]))
    y = x * x
    z = y * y
    loss = z.sum() + y.sum()
    for_z, for_y, for_x = nn.grad(loss, [z, y, x])
    np.testing.assert_allclose(for_z.data, [1, 1])
    np.testing.assert_allclose(for_y.data, 2 * y.data + 1)
    np.testing.assert_allclose(for_x.data, (2 * y.data + 1) * 2 * x.data)


def test_grad_of_several_outputs_with_weights() -> None:
    x, w = leaves(np.array([1.0, 2.0]), np.array([3.0, -1.0]))
    (found,) = nn.grad([x * x, x.sum()], x, [w, None], create_graph=True)
    np.testing.assert_allclose(found.data, 2 * x.data * w.data + 1)
    np.testing.assert_allclose(nn.grad(found.sum(), w)[0].data, 2 * x.data)  # by the weights


def test_only_what_leads_to_the_inputs_is_computed() -> None:
    """An operation aside of the way may have first derivatives only, or be overwritten since."""
    from mazegrad.nn.rules import Operand, Rule, operation

    @operation
    def cube(x: Operand) -> Rule:
        return x**3, lambda grad, needs: (3 * grad * x * x,)

    x, w = leaves(np.ones(2), np.ones(2))
    loss = (x * x + cube(w)).sum()
    w.assign(np.zeros(2))
    np.testing.assert_allclose(nn.grad(loss, x, create_graph=True)[0].data, [2, 2])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda x, y: nn.grad((x * x).sum(), y),
            RuntimeError,
            r"no output depends on input 0.*shape \(2,\).*allow_unused",
        ),
        (lambda x, y: nn.grad((x * x).sum(), np.ones(2)), RuntimeError, "input 0 requires no gradient"),
        (lambda x, y: nn.grad(x * x, x), RuntimeError, r"shape \(2,\).*gradient="),
        (lambda x, y: nn.grad(nn.Tensor(1.0), x), RuntimeError, "do not depend on anything"),
        (lambda x, y: nn.grad(3.0, x), TypeError, "an output is a float"),
        (lambda x, y: nn.grad([x.sum()], x, [None, None]), ValueError, "1 outputs, but 2 grad_outputs"),
        (lambda x, y: nn.grad(x * x, x, np.ones(3)), ValueError, r"\(2,\), got \(3,\)"),
        (lambda x, y: nn.hvp(lambda a: (a * a).sum(), x, np.ones(3)), ValueError, r"\[\(2,\)\], not \[\(3,\)\]"),
        (
            lambda x, y: nn.jacobian(lambda a: a.data, x),
            TypeError,
            "the function returned a ndarray; expected a Tensor",
        ),
        (lambda x, y: nn.vjp(lambda a: None, x), TypeError, "the function returned a NoneType; expected a Tensor"),
        (lambda x, y: nn.jvp(lambda a: a * a, (x,), ()), ValueError, r"\[\(2,\)\], not \[\]"),
    ],
)
def test_errors_of_grad(call: Callable[..., Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(*leaves(np.ones(2), np.ones(2)))


def test_versions_are_checked_the_second_time_too() -> None:
    (x,) = leaves(np.ones(2))
    (slope,) = nn.grad((x * x * x).sum(), x, create_graph=True)
    x.assign(np.zeros(2))
    with pytest.raises(RuntimeError, match="was overwritten after it was used"):
        slope.sum().backward()
    (y,) = leaves(np.ones(2))
    loss = (y * y).sum()
    y.assign(np.zeros(2))
    with pytest.raises(RuntimeError, match="was overwritten after it was used"):
        nn.grad(loss, y, create_graph=True)


def test_the_graph_of_a_gradient_dies_with_it() -> None:
    """No cycles: what is no longer held is gone without a collection."""
    gc.disable()
    try:
        (x,) = leaves(np.ones((3, 3)))
        (slope,) = nn.grad(nn.log_softmax(nn.gelu(x @ x)).square().sum(), x, create_graph=True)
        assert slope._node is not None
        nodes = [weakref.ref(node) for node in newest_first(slope._node)]
        assert len(nodes) > 10
        del slope
        assert all(node() is None for node in nodes)
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------ functions of it
def both(lib: Any) -> Any:
    return lambda a, b: ((a @ b).tanh(), (a * a).sum())


def one_number(a: Any, b: Any) -> Any:
    return ((a @ b).tanh() ** 2).sum() + (a**3).sum()


def test_jvp_vjp_and_jacobian_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    theirs, rng = torch.autograd.functional, np.random.default_rng(0)
    arrays, v = ([rng.normal(size=(3, 2)), rng.normal(size=(2, 3))] for _ in range(2))
    u = rng.normal(size=(3, 3)), np.array(rng.normal())
    x, tx, tv, tu = tuple(arrays), *(tuple(map(torch.tensor, several)) for several in (arrays, v, u))
    same(nn.jvp(both(nn), x, tuple(v)), theirs.jvp(both(torch), tx, tv))
    same(nn.vjp(both(nn), x, u), theirs.vjp(both(torch), tx, tu))
    same(nn.jacobian(both(nn), x), theirs.jacobian(both(torch), tx))
    same(nn.jacobian(lambda a: a * a, x[0]), theirs.jacobian(lambda a: a * a, tx[0]))
    same(nn.hvp(one_number, x, tuple(v)), theirs.hvp(one_number, tx, tv))
    w, tensors = tuple(map(nn.Tensor, u)), tuple(map(nn.Tensor, v))  # directions may be tensors
    same(nn.jvp(both(nn), x, tensors), theirs.jvp(both(torch), tx, tv))
    same(nn.vjp(both(nn), x, w), theirs.vjp(both(torch), tx, tu))
    same(nn.hvp(one_number, x, tensors), theirs.hvp(one_number, tx, tv))
    same(nn.hessian(one_number, x), theirs.hessian(one_number, tx))


def test_products_are_those_of_the_whole_matrices() -> None:
    rng = np.random.default_rng(1)
    x, v = rng.normal(size=5), rng.normal(size=5)

    def f(a: Any) -> Any:
        return (a.exp() * a.sum()).sum() + a[0] * a[1] ** 2

    hessian = nn.hessian(f, x).data
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-12)
    np.testing.assert_allclose(nn.hvp(f, x, v)[1].data, hessian @ v, rtol=1e-10)
    np.testing.assert_allclose(nn.jvp(f, x, v)[1].data, nn.vjp(f, x)[1].data @ v, rtol=1e-10)


def test_what_nothing_depends_on_is_zero() -> None:
    x = np.ones(3)
    np.testing.assert_array_equal(nn.hvp(lambda a: (a * 2.0).sum(), x, x)[1].data, np.zeros(3))
    np.testing.assert_array_equal(nn.hessian(lambda a, b: (a * a).sum(), (x, x))[1][1].data, np.zeros((3, 3)))
    value, moved = nn.jvp(lambda a: nn.Tensor(np.ones(2)) * 1.0 + 0 * a.sum(), x, x)
    np.testing.assert_array_equal(moved.data, np.zeros(2))
    assert value.shape == (2,)
    assert nn.jacobian(lambda a: a[:0], x).shape == (0, 3)


def test_functions_with_create_graph_can_be_differentiated_on() -> None:
    (x,) = leaves(np.array([1.0, 2.0]))
    _, product = nn.hvp(lambda a: (a**4).sum(), x, np.ones(2), create_graph=True)
    np.testing.assert_allclose(nn.grad(product.sum(), x)[0].data, 24 * x.data)
    table = nn.jacobian(lambda a: a**3, x, create_graph=True)
    np.testing.assert_allclose(nn.grad(table.sum(), x)[0].data, 6 * x.data)
    assert not nn.hvp(lambda a: (a**4).sum(), x, np.ones(2))[1].requires_grad


# ------------------------------------------------------------------------------------------------ and its uses
def test_a_step_of_maml_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    net = nn.Sequential(
        nn.Linear(2, 4, dtype=np.float64, rng=rng), nn.Tanh(), nn.Linear(4, 1, dtype=np.float64, rng=rng)
    )
    before = net.state_dict()
    weights = dict(net.named_parameters())
    inner = ((net(x) - y) ** 2).mean()
    slope = nn.grad(inner, list(weights.values()), create_graph=True)
    moved = {name: p - 0.1 * g for (name, p), g in zip(weights.items(), slope, strict=True)}
    ((nn.functional_call(net, moved, x) - y) ** 2).mean().backward()

    theirs = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    theirs.load_state_dict({name: torch.tensor(array) for name, array in before.items()})
    tx, ty, params = torch.tensor(x), torch.tensor(y), dict(theirs.named_parameters())
    inner = ((theirs(tx) - ty) ** 2).mean()
    slope = torch.autograd.grad(inner, list(params.values()), create_graph=True)
    moved = {name: p - 0.1 * g for (name, p), g in zip(params.items(), slope, strict=True)}
    ((torch.func.functional_call(theirs, moved, tx) - ty) ** 2).mean().backward()
    for name, parameter in weights.items():
        np.testing.assert_allclose(parameter.grad, params[name].grad.numpy(), rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(net.state_dict()[name], before[name])


def test_functional_call_replaces_shared_weights_wherever_they_stand_and_puts_them_back() -> None:
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.BatchNorm1D(2, affine=False), nn.Linear(2, 2, bias=False))
    own = net[0].weight
    net[2].weight = own
    ones, x = nn.Tensor(np.eye(2, dtype=np.float32)), np.ones((3, 2), np.float32)
    net.eval()
    out = nn.functional_call(net, {"0.weight": ones, "1.running_var": np.full(2, 4.0, np.float32)}, x)
    np.testing.assert_allclose(out.data, np.full((3, 2), 0.5), rtol=1e-4)
    assert net[0].weight is own
    assert net[2].weight is own
    assert (net[1].running_var == 1).all()
    for weights, words in [
        ({"0.w": ones}, "no parameter or buffer 0.w"),
        ({"0.weight": np.ones(3)}, r"\(2, 2\).*\(3,\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            nn.functional_call(net, weights, x)
        assert net[2].weight is own


def test_backward_through_backward() -> None:
    """`grad` holds tensors then, and the next backward adds plain numbers; optimisers and clipping take both."""
    p = nn.Parameter(np.array([1.0, 2.0]))
    loss = (p**3).sum()
    loss.backward(create_graph=True)
    assert isinstance(p.grad, nn.Tensor)
    (p.grad**2).sum().backward()
    assert isinstance(p.grad, np.ndarray)
    np.testing.assert_allclose(p.grad, 3 * p.data**2 + 36 * p.data**3)
    p.zero_grad()
    (p * 2.0).sum().backward(create_graph=True)
    (p * 3.0).sum().backward(create_graph=True)
    np.testing.assert_allclose(p.grad.data, [5, 5])
    nn.clip_grad_value([p], 4.0)
    np.testing.assert_allclose(p.grad, [4, 4])
    p.zero_grad()
    (p * p).sum().backward(create_graph=True)
    nn.clip_grad_norm([p], 1e-3)
    p.zero_grad()
    (p * p).sum().backward(create_graph=True)
    nn.SGD([p], lr=0.25).step()
    np.testing.assert_allclose(p.data, [0.5, 1.0])


def test_the_exact_recurrent_penalty_is_that_of_autograd_in_torch() -> None:
    """Omega of exercise 39 and its gradient, of which nothing is held constant; and the approximation is another."""
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    rng = np.random.default_rng(0)
    cell = nn.RNNCell(2, 3, rng=rng, dtype=np.float64)
    theirs = torch.nn.RNNCell(2, 3).double()
    theirs.load_state_dict({name: torch.tensor(array) for name, array in cell.state_dict().items()})
    x, wanted = rng.normal(size=(5, 4, 2)), rng.normal(size=(4, 3))

    def run(cell: Any, x: Any, wanted: Any) -> tuple[Any, list[Any]]:
        states, h = [], None
        for x_t in x:
            h = cell(x_t, h)
            states.append(h)
        return ((h - wanted) ** 2).mean() + (states[2] ** 3).sum(), states

    loss, states = run(cell, x, wanted)
    omega = nn.exact_gradient_norm_penalty(loss, states)
    (loss + 0.3 * omega).backward()

    loss, states = run(theirs, torch.tensor(x), torch.tensor(wanted))
    slopes, total = torch.autograd.grad(loss, states, create_graph=True), 0
    for before, after, slope in zip(states[:-1], states[1:], slopes[1:], strict=True):
        (through,) = torch.autograd.grad(after, before, slope, create_graph=True)
        total = total + ((through.norm(dim=1) / slope.norm(dim=1) - 1) ** 2).mean()
    (loss + 0.3 * total).backward()
    np.testing.assert_allclose(omega.item(), total.item(), rtol=1e-12)
    for p, q in zip(cell.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_the_exact_penalty_leaves_out_where_no_gradient_arrives() -> None:
    cell = nn.RNNCell(2, 3, rng=np.random.default_rng(0), dtype=np.float64)
    states, h = [], None
    for x_t in np.ones((4, 2, 2)):
        h = cell(x_t, h)
        states.append(h)
    omega = nn.exact_gradient_norm_penalty(states[1].sum(), states)  # the last two are not used
    assert np.isfinite(omega.item())
    assert omega.item() == nn.exact_gradient_norm_penalty(states[1].sum(), states[:2]).item()
    zero = nn.exact_gradient_norm_penalty((states[1] * np.zeros(3)).sum(), states[:2])
    assert zero.item() == 0


def test_the_spectrum_of_a_hessian_is_that_of_the_whole_matrix() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
    net = nn.Sequential(
        nn.Linear(4, 5, rng=rng, dtype=np.float64), nn.Tanh(), nn.Linear(5, 3, rng=rng, dtype=np.float64)
    )
    names, weights = zip(*net.named_parameters(), strict=True)

    def loss(*values: Any) -> Any:
        out = nn.functional_call(net, dict(zip(names, values, strict=True)), x)
        return -nn.log_softmax(out)[np.arange(50), y].mean()

    blocks = nn.hessian(loss, weights)
    sizes = [w.size for w in weights]
    whole = np.block(
        [[b.data.reshape(m, n) for b, n in zip(row, sizes, strict=True)] for row, m in zip(blocks, sizes, strict=True)]
    )
    expected = np.linalg.eigvalsh(whole)
    found = nn.analysis.hessian_spectrum(loss(*weights), weights, steps=30, rng=rng)
    assert found.size == len(expected) == 43
    np.testing.assert_allclose([found.largest, found.smallest], [expected[-1], expected[0]], atol=1e-8)
    np.testing.assert_allclose(found.weights.sum(), 1)
    assert (np.diff(found.points) <= 0).all()
    traces = [nn.analysis.hessian_spectrum(loss(*weights), weights, steps=20, rng=rng).trace for _ in range(40)]
    np.testing.assert_allclose(np.mean(traces), expected.sum(), atol=4 * np.std(traces) / 40**0.5)


def test_the_spectrum_of_simple_losses() -> None:
    rng = np.random.default_rng(0)
    p, flat = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(2))
    scale = np.array([3.0, -1.0, 0.5])
    found = nn.analysis.hessian_spectrum((p * p * scale).sum() * 0.5, [p, flat], rng=rng)
    np.testing.assert_allclose(found.points, [3, 0.5, 0, -1], atol=1e-10)  # as many steps as there are values
    straight = nn.analysis.hessian_spectrum((p * scale).sum(), [p], rng=rng)
    np.testing.assert_array_equal(straight.points, [0])
    with pytest.raises(ValueError, match="steps is 0"):
        nn.analysis.hessian_spectrum(p.sum(), [p], steps=0, rng=rng)

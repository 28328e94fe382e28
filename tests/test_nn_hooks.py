"""Hooks are called when PyTorch calls them, with what it gives them, and may change what goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mazegrad import nn


def t() -> Any:
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


def pair() -> tuple[nn.Sequential, Any]:
    """A net, and the same in torch."""
    rng = np.random.default_rng(0)
    ours = nn.Sequential(
        nn.Linear(3, 4, rng=rng, dtype=np.float64), nn.Tanh(), nn.Linear(4, 2, rng=rng, dtype=np.float64)
    )
    torch = t()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    return ours, theirs


def plain(x: Any) -> Any:
    """Tensors of either kind, arrays, None and tuples of them, as arrays."""
    if isinstance(x, tuple):
        return [plain(y) for y in x]
    return None if x is None else np.asarray(x.detach() if hasattr(x, "detach") else x)


def record(net: Any, order: list[Any], change: bool) -> None:
    """Hooks of all kinds on every layer, which write down what they see, and some of which change it."""
    for number, layer in enumerate(net):

        def before(module: Any, args: Any, number: int = number) -> Any:
            order.append(("before", number, plain(args)))
            return args[0] * 2 if change and number == 1 else None

        def after(module: Any, args: Any, output: Any, number: int = number) -> Any:
            order.append(("after", number, plain(args), plain(output)))
            return output + 1 if change and number == 0 else None

        def arrives(module: Any, grads: Any, number: int = number) -> Any:
            order.append(("arrives", number, plain(grads)))
            return (grads[0] * 3,) if change and number == 2 else None

        def leaves(module: Any, grad_input: Any, grad_output: Any, number: int = number) -> Any:
            order.append(("leaves", number, plain(grad_input), plain(grad_output)))
            return (grad_input[0] * 5,) if change and number == 1 else None

        layer.register_forward_pre_hook(before)
        layer.register_forward_hook(after)
        layer.register_full_backward_pre_hook(arrives)
        layer.register_full_backward_hook(leaves)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("wants", [False, True])
def test_hooks_see_what_they_see_in_torch(wants: bool, change: bool) -> None:
    torch, (ours, theirs) = t(), pair()
    x = np.random.default_rng(1).normal(size=(5, 3))
    mine, other = nn.Tensor(x, requires_grad=wants), torch.tensor(x, requires_grad=wants)
    orders: tuple[list[Any], list[Any]] = [], []
    for net, given, order in ((ours, mine, orders[0]), (theirs, other, orders[1])):
        record(net, order, change)
        (net(given) ** 2).sum().backward()
    assert [entry[:2] for entry in orders[0]] == [entry[:2] for entry in orders[1]]
    for a, b in zip(*orders, strict=True):
        for first, second in zip(a[2:], b[2:], strict=True):
            compare(first, second)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy())
    if wants:
        np.testing.assert_allclose(mine.grad, other.grad.numpy())


def compare(a: Any, b: Any) -> None:
    if isinstance(a, list):
        for x, y in zip(a, b, strict=True):
            compare(x, y)
    elif a is None or b is None:
        assert a is b
    else:
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize("change", [False, True])
def test_hooks_of_modules_in_a_pass_that_can_be_differentiated(change: bool) -> None:
    """With create_graph they see tensors, and what they change is differentiated again."""
    torch, (ours, theirs) = t(), pair()
    x = np.random.default_rng(1).normal(size=(5, 3))
    mine, other = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    orders: tuple[list[Any], list[Any]] = [], []
    for net, order in ((ours, orders[0]), (theirs, orders[1])):
        record(net, order, change)
    (slope,) = nn.grad((ours(mine) ** 2).sum(), mine, create_graph=True)
    (their_slope,) = torch.autograd.grad((theirs(other) ** 2).sum(), other, create_graph=True)
    np.testing.assert_allclose(slope.data, their_slope.detach().numpy())
    for a, b in zip(*orders, strict=True):
        assert a[:2] == b[:2]
        for first, second in zip(a[2:], b[2:], strict=True):
            compare(first, second)
    (slope**2).sum().backward()
    (their_slope**2).sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(np.zeros(p.shape) if p.grad is None else p.grad, 0 if q.grad is None else q.grad)


# -------------------------------------------------------------------------------------------------- hooks of tensors
def tensor_hooks(tensor: Any, lib: Any, seen: list[Any]) -> tuple[Any, list[Any]]:
    """A small graph with hooks on a leaf, on results that are used twice, and two on one of them."""
    a, b = tensor([1.0, 2.0, 3.0]), tensor([0.5, -1.0, 2.0])
    product = a * b
    total = (product * product + product).sum()
    product.register_hook(lambda grad: seen.append(plain(grad)))
    product.register_hook(lambda grad: grad * 2)
    product.register_hook(lambda grad: seen.append(plain(grad)))
    a.register_hook(lambda grad: seen.append(plain(grad)))
    a.register_hook(lambda grad: grad + 1)
    b.register_hook(lambda grad: seen.append(plain(grad)))
    return total, [a, b, product]


def both() -> Any:
    torch = t()
    for tensor, lib in (
        (lambda x: nn.Tensor(np.array(x), requires_grad=True), nn),
        (lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True), torch.autograd),
    ):
        seen: list[Any] = []
        yield (*tensor_hooks(tensor, lib, seen), lib, seen)


def test_hooks_of_tensors_see_the_whole_gradient_and_may_change_it() -> None:
    found = []
    for total, (a, b, _), _, seen in both():
        total.backward()
        found.append([*sorted(seen, key=lambda x: x.tolist()), plain(a.grad), plain(b.grad)])
    compare(*found)


def test_hooks_of_tensors_when_gradients_are_asked_for_and_differentiated() -> None:
    found = []
    for total, wanted, lib, seen in both():
        before = lib.grad(total, wanted[2], retain_graph=True)
        grads = [*before, *lib.grad(total, wanted[:2], create_graph=True)]
        assert any(isinstance(x, nn.Tensor) for x in grads) == (lib is nn)
        grads = [*grads, *lib.grad((grads[1] * grads[2]).sum(), wanted[:2])]
        found.append([*sorted(seen, key=lambda x: x.tolist()), *map(plain, grads)])
    compare(*found)


def test_hooks_of_tensors_come_and_go() -> None:
    x, seen = nn.Tensor([1.0, 2.0], requires_grad=True), []
    handle = x.register_hook(seen.append)
    (x * x).sum().backward()
    handle.remove()
    (x * x).sum().backward()
    assert len(seen) == 1
    with pytest.raises(ValueError, match="read-only"):
        seen[0][0] = 1
    y = x * 3
    with y.register_hook(lambda grad: grad[:1]), pytest.raises(ValueError, match=r"of shape \(1,\); expected \(2,\)"):
        y.sum().backward()
    with pytest.raises(RuntimeError, match="requires no gradient"):
        nn.Tensor([1.0]).register_hook(print)


def test_hooks_of_tensors_keep_nothing_alive() -> None:
    import gc
    import weakref

    x = nn.Tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    gone = [weakref.ref(x), weakref.ref(y._node)]
    x.register_hook(lambda grad: None)
    y.register_hook(lambda grad: None)
    y.sum().backward()
    del x, y
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


class Two(nn.Module):
    """Two inputs, one of them by keyword, two outputs."""

    def forward(self, a: Any, b: Any = None, *, scale: float = 1.0) -> tuple[Any, Any]:
        """Their sum and their product."""
        return (a + b) * scale, a * b


def test_several_inputs_and_outputs() -> None:
    seen: list[Any] = []
    net = Two()
    net.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append((grad_input, grad_output)))
    a, b = nn.Tensor([1.0, 2.0], requires_grad=True), nn.Tensor([3.0, 5.0], requires_grad=True)
    total, product = net(a, b)
    product.backward(np.ones(2))
    ((grad_input, grad_output),) = seen
    assert grad_output[0] is None
    np.testing.assert_array_equal(grad_output[1], [1, 1])
    np.testing.assert_array_equal(grad_input[0], [3, 5])
    np.testing.assert_array_equal(grad_input[1], [1, 2])
    np.testing.assert_array_equal(a.grad, [3, 5])
    with nn.no_grad():
        net(a, b)
    assert len(seen) == 1
    assert total.shape == (2,)


def test_keywords_order_and_handles() -> None:
    net, order = Two(), []
    last = net.register_forward_pre_hook(lambda *_: order.append("last"))
    first = net.register_forward_pre_hook(lambda *_: order.append("first"), prepend=True)
    net.register_forward_pre_hook(lambda m, args, kwargs: (args, {**kwargs, "scale": 10.0}), with_kwargs=True)
    net.register_forward_hook(lambda m, args, kwargs, out: order.append(kwargs["scale"]), with_kwargs=True)
    a, b = nn.Tensor([1.0]), nn.Tensor([2.0])
    assert net(a, b, scale=2.0)[0].item() == 30
    assert order == ["first", "last", 10.0]
    first.remove()
    first.remove()
    with last:
        net(a, b)
    net(a, b)
    assert order == ["first", "last", 10.0, "last", 10.0, 10.0]


def test_layers_that_are_evaluated_together_are_seen_apart() -> None:
    """Convolution, relu and pool in a row are reordered, unless somebody looks at what is between them."""
    net = nn.Sequential(nn.Conv2D(1, 2, 3, rng=np.random.default_rng(0)), nn.ReLU(), nn.MaxPool2D(2))
    x = np.random.default_rng(1).normal(size=(2, 1, 6, 6)).astype(np.float32)
    before, seen = net(x), []
    handles = [layer.register_forward_hook(lambda module, args, output: seen.append(output.shape)) for layer in net]
    np.testing.assert_allclose(net(x).data, before.data, rtol=1e-6)
    assert seen == [(2, 2, 4, 4), (2, 2, 4, 4), (2, 2, 2, 2)]
    for handle in handles:
        handle.remove()
    np.testing.assert_array_equal(net(x).data, before.data)
    assert len(seen) == 3


def test_a_hook_that_returns_too_few_gradients_is_refused() -> None:
    net = Two()
    net.register_full_backward_hook(lambda module, grad_input, grad_output: grad_input[:1])
    out = net(nn.Tensor([1.0], requires_grad=True), nn.Tensor([2.0], requires_grad=True))[0]
    with pytest.raises(ValueError, match="returned 1 gradients; expected 2"):
        out.sum().backward()


@pytest.mark.parametrize("kind", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_a_hook_cannot_change_the_shape_the_precision_or_an_array_of_others(kind: str) -> None:
    x = nn.Tensor(np.ones((4, 2), np.float32), requires_grad=True)
    net = nn.Linear(2, 2)
    handle = getattr(net, kind)(lambda module, grads, *_: (np.ones(5),))
    with pytest.raises(ValueError, match=r"a hook returned a gradient of shape \(5,\); expected \(4, 2\), or None"):
        net(x).sum().backward()
    handle.remove()
    with getattr(net, kind)(lambda module, grads, *_: (2 * np.asarray(grads[0], np.float64),)):
        net(x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad, np.broadcast_to(2 * net.weight.data.sum(0), (4, 2)), rtol=1e-6)
    with getattr(net, kind)(lambda module, grads, *_: grads[0].fill(0)), pytest.raises(ValueError, match="read-only"):
        net(x).sum().backward()
    with pytest.raises(TypeError, match="a hook is a function, not int"):
        getattr(net, kind)(3)
    with pytest.raises(TypeError, match="a hook is a function, not str"):
        net.register_forward_hook("print")

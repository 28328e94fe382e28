"""The graph: order, aliasing, versions, freeing, precision, and errors that a student understands."""

from __future__ import annotations

import gc
import re
import threading
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import operations
from mazegrad.nn.graph import recording
from mazegrad.nn.rules import Operand, Rule, operation


def leaf(*shape: int, seed: int = 0, dtype: Any = np.float64) -> nn.Tensor:
    return nn.Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), requires_grad=True)


# ---------------------------------------------------------------------------------------------------------- the walk
def test_a_chain_of_50_000_operations() -> None:
    x = leaf(3)
    y = x
    for _ in range(50_000):
        y = y + x
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, 50_001)


def test_a_diamond_doubled_60_times() -> None:
    """2**60 paths, 60 nodes: each is visited once."""
    x = leaf()
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_a_dropped_graph_leaves_nothing_behind() -> None:
    """No reference cycles: memory is back without the garbage collector, with and without a backward."""
    gc.disable()
    try:
        x = leaf(4)
        for walk in (False, True):
            middle = (x * 2).tanh()
            loss = middle.sum()
            refs = [weakref.ref(middle), weakref.ref(middle._node), weakref.ref(loss._node)]  # type: ignore[arg-type]
            if walk:
                loss.backward()
            del middle, loss
            assert [ref() for ref in refs] == [None] * 3
    finally:
        gc.enable()


def test_saved_arrays_are_freed_on_the_way() -> None:
    """When the gradient reaches the first operation, what the last one saved is gone."""
    saved: list[weakref.ref[np.ndarray]] = []
    alive: list[bool] = []

    @operation
    def first(x: Operand) -> Rule:
        def vjp(grad: Any, needs: Any) -> Any:
            alive.append(saved[0]() is not None)
            return (grad,)

        return x * 1, vjp

    @operation
    def last(x: Operand) -> Rule:
        kept = np.exp(x)
        saved.append(weakref.ref(kept))
        return kept.sum(), lambda grad, needs: (grad * kept,)

    x = leaf(1000)
    loss = last(first(x))
    loss.backward(retain_graph=True)
    loss.backward()
    assert alive == [True, False]


def test_gradients_add_up_over_backwards_until_zeroed() -> None:
    x = leaf(3)
    (x * 2).sum().backward()
    held = x.grad
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad, 5)
    np.testing.assert_array_equal(held, 2)  # what was handed out is not overwritten
    x.zero_grad()
    assert x.grad is None


def test_leaves_never_share_a_gradient() -> None:
    x, y = leaf(3), leaf(3)
    (x + y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    x.grad[0] = 100
    np.testing.assert_array_equal(y.grad, 1)
    z = leaf(3)
    seed = np.ones(3)
    z.backward(seed)
    seed[0] = 7
    np.testing.assert_array_equal(z.grad, 1)


def test_one_tensor_used_in_many_ways_gets_the_sum() -> None:
    x = leaf(2, 2)
    y = x.T
    (x @ y + y * x + x + x[0] + y.reshape(4)[0]).sum().backward()
    a = x.data
    eps, grad = 1e-6, np.zeros((2, 2))
    for i in np.ndindex(2, 2):
        ends = []
        for sign in (1, -1):
            b = a.copy()
            b[i] += sign * eps
            ends.append((b @ b.T + b.T * b + b + b[0] + b.T.reshape(4)[0]).sum())
        grad[i] = (ends[0] - ends[1]) / (2 * eps)
    np.testing.assert_allclose(x.grad, grad, rtol=1e-6)


def test_an_operation_with_several_outputs_is_one_node() -> None:
    seen: list[list[bool]] = []

    @operation
    def halves(x: Operand) -> Rule:
        def vjp(grads: Any, needs: Any) -> Any:
            seen.append([grad is not None for grad in grads])
            return (np.concatenate([np.zeros(2) if grad is None else grad for grad in grads]),)

        return (x[:2] * 1, x[2:] * 1), vjp

    x = leaf(4)
    a, b = halves(x)
    assert a._node is b._node
    (a * 3 + b * 5).sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 3, 5, 5])
    x.zero_grad()
    halves(x)[1].sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 1, 1])
    assert seen == [[True, True], [False, True]]
    assert all(isinstance(part, np.ndarray) for part in halves(x.data))


def test_needs_tells_the_vjp_what_is_not_wanted() -> None:
    x, k = nn.Tensor(np.ones((1, 1, 5, 5))), leaf(1, 1, 3, 3)
    out = nn.conv2d(x, k)
    assert out._node is not None
    assert out._node.needs == [False, True, False]  # image, kernel, no bias
    assert out._node.vjp is not None
    assert out._node.vjp(out.data, out._node.needs)[0] is None


# ------------------------------------------------------------------------------------------- freed graphs and versions
def test_a_second_backward_is_an_error_and_changes_nothing() -> None:
    x = leaf(3)
    shared = x * 2
    first, second = shared.sum(), (shared * shared).sum()
    first.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        second.backward()
    np.testing.assert_array_equal(x.grad, 2)


def test_retain_graph_allows_a_second_backward() -> None:
    x = leaf(3)
    y = (x * 2).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad, 4)


@pytest.mark.parametrize("write", ["assign", "step"])
def test_a_leaf_overwritten_before_backward_is_an_error(write: str) -> None:
    w = nn.Parameter([1.0, 2.0])
    w.name = "w"
    loss = (w * w).sum()
    if write == "assign":
        w.assign([3.0, 4.0])
    else:
        w.grad = np.ones(2, np.float32)
        nn.SGD([w], lr=0.1).step()
        w.grad = None
    with pytest.raises(RuntimeError, match=r"'multiply'.*operand w of shape.*overwritten"):
        loss.backward()
    assert w.grad is None


def test_a_constant_overwritten_before_backward_is_an_error() -> None:
    w, c = leaf(2), nn.Tensor(np.ones(2))
    loss = (w * c).sum()
    c.assign([5, 5])
    with pytest.raises(RuntimeError, match="overwritten"):
        loss.backward()


def test_data_is_read_only_and_a_tensor_owns_its_numbers() -> None:
    a = np.ones(3)
    x = nn.Tensor(a)
    a[0] = 9
    assert x.data[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        x.data[0] = 2
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x)[0] = 2
    with pytest.raises(TypeError, match="where"):
        x[0] = 2


def test_what_was_made_of_a_constant_outlives_its_overwriting() -> None:
    """A reshaped constant shares its memory and has no node; the gradient must still see the numbers that were used."""
    w, c = leaf(4), nn.Tensor(np.arange(4.0).reshape(2, 2))
    loss = (w * c.reshape(4)).sum()
    c.assign(np.full((2, 2), 7.0))
    loss.backward()
    np.testing.assert_array_equal(w.grad, [0, 1, 2, 3])


def test_assign_wants_a_leaf_and_its_shape() -> None:
    x = leaf(3)
    with pytest.raises(RuntimeError, match="result of 'multiply'"):
        (x * 2).assign(np.ones(3))
    with pytest.raises(ValueError, match=r"\(3,\).*\(1,\)"):
        x.assign(np.ones(1))
    with pytest.raises(TypeError, match="complex"):
        x.assign(np.ones(3, complex))


# ----------------------------------------------------------------------------------------------------------- precision
def test_numbers_take_the_tensors_precision() -> None:
    x = leaf(3, dtype=np.float32)
    for y in (x * 2, 2.5 - x, x / np.float64(3), x + np.array(2.0), x * np.arange(3), x**2, x * True, 1 / (x + 9)):
        assert y.dtype == np.float32
        y.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32


def test_mixing_precisions_is_an_error_that_names_both() -> None:
    a, b = leaf(3, dtype=np.float32), leaf(3)
    for call in (lambda: a + b, lambda: b @ a, lambda: a * np.ones(3), lambda: nn.concatenate([a, b])):
        with pytest.raises(TypeError, match=r"float32 .*float64|float64 .*float32"):
            call()
    assert (a.astype(np.float64) + b).dtype == np.float64


def test_what_becomes_which_precision() -> None:
    assert nn.Tensor([1, 2]).dtype == nn.Tensor(np.arange(2)).dtype == nn.Tensor(1.5).dtype == np.float32
    assert nn.Tensor(np.ones(2)).dtype == np.float64
    for bad in (["a"], np.ones(2, complex), [None]):
        with pytest.raises(TypeError, match="float32 or float64"):
            nn.Tensor(bad)
    with pytest.raises(TypeError, match="float16"):
        nn.Tensor(np.ones(2, np.float16))


def test_arrays_on_the_left_ask_the_tensor() -> None:
    x = leaf(3)
    for y in (np.ones(3) + x, np.ones(3) - x, np.ones(3) * x, np.ones(3) / x, np.ones((2, 3)) @ x, np.ones(3) ** x):
        assert isinstance(y, nn.Tensor)
        assert y.requires_grad


# ------------------------------------------------------------------------------------------------------------- no_grad
def test_no_grad_remembers_nothing_in_this_thread_only() -> None:
    x = leaf(2)
    seen: list[bool] = []
    guard = nn.no_grad()
    with guard, guard:
        assert not (x * 2).requires_grad
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]
    assert (x * 2).requires_grad

    @nn.no_grad()
    def evaluate() -> nn.Tensor:
        return x * 2

    assert not evaluate().requires_grad
    with pytest.raises(ValueError, match="boom"), nn.no_grad():
        raise ValueError("boom")
    assert (x * 2).requires_grad


@pytest.mark.parametrize("shared", ["function", "object"])
def test_threads_may_share_a_no_grad(shared: str) -> None:
    """One thread comes into it before the other, and leaves it before the other: each gets its own mode back."""
    guard, inside, outside, left = nn.no_grad(), threading.Event(), threading.Event(), threading.Event()
    seen: dict[str, bool] = {}

    def use(come: threading.Event, go: threading.Event) -> None:
        come.set()
        assert go.wait(10)

    def within(come: threading.Event, go: threading.Event) -> None:
        if shared == "function":
            guard(use)(come, go)
        else:
            with guard:
                use(come, go)

    def first() -> None:
        within(inside, outside)
        seen["first"] = recording()

    def second() -> None:
        with nn.no_grad():
            assert inside.wait(10)
            within(outside, left)
            seen["second"] = recording()

    threads = threading.Thread(target=first), threading.Thread(target=second)
    for thread in threads:
        thread.start()
    threads[0].join()
    left.set()
    threads[1].join()
    assert seen == {"first": True, "second": False}


# ------------------------------------------------------------------------------------------------------ edges, choosers
def test_gradients_at_the_edges() -> None:
    """What the mathematics says where a formula has 0 * inf or inf - inf."""
    for base in (0.0, 2.0, np.inf):
        x = nn.Tensor([base, 1.0], requires_grad=True)
        (x**0).sum().backward()
        np.testing.assert_array_equal(x.grad, 0)
    x = nn.Tensor([0.0, 0.0, 3.0], requires_grad=True)
    (x ** np.array([0.0, 1.0, 2.0], np.float32)).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 1, 6])
    for function in (nn.maximum, nn.minimum):
        for a, b, shares in ((np.inf, np.inf, 0.5), (-np.inf, -np.inf, 0.5), (1.0, 1.0, 0.5), (np.inf, -np.inf, None)):
            x, y = (nn.Tensor([number], requires_grad=True, dtype=np.float32) for number in (a, b))
            function(x, y).sum().backward()
            larger = float(function is nn.maximum) if shares is None else shares
            assert (x.grad, y.grad) == (larger, 1 - larger)
            assert x.grad is not None and x.grad.dtype == np.float32


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("impossible", [-np.inf, np.nan])
def test_an_ignored_row_may_hold_anything(reduction: str, impossible: float) -> None:
    x = nn.Tensor([[impossible, 0.0, 1.0], [0.0, 1.0, 2.0]], requires_grad=True)
    alone = nn.Tensor([[0.0, 1.0, 2.0]], requires_grad=True)
    loss = nn.cross_entropy(x, [-100, 1], reduction=reduction).sum()
    loss.backward()
    nn.cross_entropy(alone, [1]).backward()
    assert loss.item() == nn.cross_entropy(alone, [1]).item()
    assert x.grad is not None and alone.grad is not None
    np.testing.assert_array_equal(x.grad, [[0, 0, 0], alone.grad[0]])


@pytest.mark.parametrize(
    ("choose", "chooser"),
    [
        (lambda x, i: x[i], np.array([0, 2])),
        (lambda x, i: x[:, i], np.array([0, 0])),
        (lambda x, i: nn.embedding(i, x), np.array([1, 2])),
        (nn.cross_entropy, np.array([1, 0, 1])),
        (lambda x, i: nn.where(i, x, 2 * x), np.array([True, False])),
    ],
    ids=["index", "indices", "embedding", "target", "condition"],
)
def test_what_chooses_may_be_written_into_before_backward(choose: Any, chooser: np.ndarray) -> None:
    grads = []
    for write in (False, True):
        x, i = leaf(3, 2), chooser.copy()
        y = (choose(x, i) ** 2).sum()
        if write:
            i[:] = ~i if i.dtype == bool else 1 - i // 2
        y.backward()
        grads.append(x.grad)
    np.testing.assert_array_equal(*grads)


# -------------------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: leaf(2, 3) + leaf(4), ["add", r"\(2, 3\)", r"\(4,\)"]),
        (lambda: leaf(2, 3) @ leaf(4, 5), ["matmul", r"\(2, 3\)", r"\(4, 5\)"]),
        (lambda: leaf(2, 3).reshape(4, 4), ["reshape", r"\(2, 3\)", r"\(4, 4\)"]),
        (lambda: leaf(2, 3).sum(axis=5), ["sum", "axis 5"]),
        (lambda: nn.linear(leaf(2, 3), leaf(4, 5)), ["linear", r"\(2, 3\)", r"\(4, 5\)", "in_features"]),
        (lambda: nn.conv2d(leaf(1, 3, 8, 8), leaf(4, 2, 3, 3)), ["conv2d", r"\(1, 3, 8, 8\)", "3 channels", "2"]),
        (lambda: nn.conv2d(leaf(1, 3, 2, 8), leaf(4, 3, 3, 3)), ["conv2d", "larger"]),
        (lambda: nn.conv2d(leaf(1, 3, 8, 8), leaf(4, 3, 3, 3), stride=0), ["conv2d", "stride is 0", "from 1 on"]),
        (lambda: nn.conv2d(leaf(1, 3, 8, 8), leaf(4, 3, 3, 3), stride=(1, 2, 3)), ["stride is", "or 2 of them"]),
        (lambda: nn.conv2d(leaf(1, 3, 8, 8), leaf(4, 3, 3, 3), None, "same", 2), ["'same'", "stride must be 1"]),
        (lambda: nn.conv2d(leaf(1, 4, 8, 8), leaf(3, 2, 3, 3), groups=2), ["3 out_channels", "2 groups"]),
        (lambda: nn.conv2d(leaf(1, 3, 8, 8), leaf(4, 3, 5, 5), dilation=2), ["5x5", "dilation 2", "larger"]),
        (lambda: nn.Conv2D(3, 4, 3, groups=2), ["3 channels", "2 groups"]),
        (lambda: nn.Conv2D(3, 4, 3, padding_mode="mirror"), ["'mirror'", "reflect"]),
        (lambda: nn.conv1d(leaf(1, 3, 8), leaf(4, 2, 3)), ["conv1d", "3 channels", "2"]),
        (lambda: nn.conv_transpose2d(leaf(1, 3, 8, 8), leaf(2, 3, 3, 3)), ["conv_transpose2d", "3 channels", "2"]),
        (lambda: nn.ConvTranspose2D(3, 4, 3, 2)(leaf(1, 3, 4, 4), (7, 7)), [r"\(7, 7\)", "9x9", "10x10"]),
        (lambda: nn.conv_transpose2d(leaf(1, 3, 8, 8), leaf(3, 2, 3, 3), output_padding=1), ["output_padding is 1"]),
        (lambda: nn.max_pool2d(leaf(1, 1, 4, 4), 2, padding=2), ["max_pool2d", "padding is 2", "half"]),
        (lambda: nn.MaxPool2D(2, 0), ["stride is 0"]),
        (lambda: nn.adaptive_avg_pool2d(leaf(1, 1, 4, 4), 0), ["output_size is 0"]),
        (lambda: nn.pad(leaf(2, 3), (3, 0), "reflect"), [r"\(2, 3\)", r"\(3, 0\)", "axis 1", "reflect"]),
        (lambda: nn.pad(leaf(2, 3), (1, 1, 1)), ["pad is", "2 axes"]),
        (lambda: nn.interpolate(leaf(1, 1, 4, 4), 2, 2.0), ["either size or scale_factor"]),
        (lambda: nn.interpolate(leaf(1, 1, 4, 4), 2, mode="linear"), ["'linear'", "bilinear"]),
        (lambda: nn.group_norm(leaf(2, 3, 4), 2), ["group_norm", r"\(2, 3, 4\)", "2 groups"]),
        (lambda: nn.GroupNorm(2, 3), ["3 channels", "2 groups"]),
        (lambda: nn.BatchNorm1D(3)(leaf(2, 3, 4, 4)), [r"BatchNorm1D\(3\)", r"\(batch, 3\)", r"\(2, 3, 4, 4\)"]),
        (lambda: nn.rms_norm(leaf(2, 3), 4), [r"\(4,\)", r"\(2, 3\)"]),
        (lambda: nn.max_pool2d(leaf(1, 1, 2, 2), 3), ["3x3", "fit"]),
        (lambda: nn.Linear(0, 3), ["in_features is 0"]),
        (lambda: nn.embedding([5], leaf(3, 2)), ["5", "3 rows"]),
        (lambda: nn.cross_entropy(leaf(2, 3), [0, 3]), ["target 3", "0 to 2"]),
        (lambda: nn.cross_entropy(leaf(2, 3), [0, 1, 2]), [r"\(2, 3\)", r"\(2,\)", r"\(3,\)"]),
        (lambda: nn.mse_loss(leaf(2, 3), leaf(2)), [r"\(2, 3\)", r"\(2,\)"]),
        (lambda: nn.mse_loss(leaf(2), leaf(2), reduction="avg"), ["'avg'", "mean"]),
        (lambda: nn.dropout(leaf(2), 1.5), ["p is 1.5"]),
        (lambda: nn.dropout(leaf(2), 0.5), ["rng"]),
        (lambda: nn.einsum("ij->ii", leaf(2, 2)), ["twice in the output"]),
        (lambda: nn.einsum("ii->i", leaf(1, 3)), ["diagonal", r"\(1, 3\)"]),
        (lambda: nn.einsum("ij,jk", leaf(2, 2)), ["2 operands", "1 were given"]),
        (lambda: nn.einsum("i1->i", leaf(2, 2)), ["'i1'", "letters"]),
        (lambda: nn.einsum("ijk->i", leaf(2, 2)), ["names 3 axes, but the operand has 2"]),
        (lambda: nn.einsum("i...jk->i", leaf(2, 2)), ["names 3 axes"]),
        (lambda: nn.einsum("ij,jk->il", leaf(2, 2), leaf(2, 2)), ["'l'"]),
        (lambda: nn.einsum("ij,jk->ik", leaf(2, 3), leaf(2, 2)), ["'j'", "3", "2"]),
        (lambda: nn.layer_norm(leaf(2, 3), 4), [r"\(4,\)", r"\(2, 3\)"]),
        (lambda: nn.BatchNorm2D(3)(leaf(2, 4, 1, 1)), ["BatchNorm2D", "3", r"\(2, 4, 1, 1\)"]),
        (lambda: leaf(3).backward(np.ones(2)), [r"\(3,\)", r"\(2,\)"]),
        (lambda: nn.flatten(leaf(2, 3), 2), ["start_dim", "axis 2"]),
        (lambda: leaf(2, 3).flatten(1, 0), ["start_dim 1", "end_dim 0", r"\(2, 3\)"]),
        (lambda: nn.concatenate([]), ["concatenate", "empty"]),
    ],
)
def test_errors_name_what_was_given_and_what_is_wanted(call: Any, words: list[str]) -> None:
    with pytest.raises(ValueError, match=words[0]) as caught:
        call()
    for word in words:
        assert re.search(word, str(caught.value))


def test_backward_on_something_that_is_not_one_number_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"\(3,\).*sum\(\).*gradient="):
        leaf(3).backward()
    with pytest.raises(RuntimeError, match="requires_grad=True"):
        nn.Tensor(1.0).backward()


def test_what_is_not_a_number_is_named() -> None:
    for call in (lambda: leaf(3) + "a", lambda: leaf(3) * [None], lambda: leaf(2) - np.ones(2, complex)):
        with pytest.raises(TypeError, match=r"(add|multiply|subtract) takes .* not (str|list|ndarray)"):
            call()


def test_integers_where_classes_or_rows_are_meant() -> None:
    with pytest.raises(TypeError, match="integers"):
        nn.cross_entropy(leaf(2, 3), np.array([0.0, 1.0]))
    with pytest.raises(TypeError, match="integers"):
        nn.embedding(np.array([0.5]), leaf(3, 2))


def test_cross_entropy_after_softmax_warns() -> None:
    logits = leaf(2, 3)
    with pytest.warns(UserWarning, match="leave the Softmax layer out"):
        nn.cross_entropy(nn.Sequential(nn.Softmax())(logits), [0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.cross_entropy(logits, [0, 1])


# ------------------------------------------------------------------------------------------ looking like Python, numpy
def test_a_tensor_behaves_like_an_array() -> None:
    x = nn.Tensor(np.arange(6.0).reshape(2, 3))
    assert (len(x), x.ndim, x.size, x.shape) == (2, 2, 6, (2, 3))
    assert [row.shape for row in x] == [(3,), (3,)]
    assert ((x == 2.0) == (x.data == 2)).all()
    assert (x > x.mean()).sum() == 3
    assert x.argmax() == 5
    assert float(x.max()) == 5
    assert bool(nn.Tensor(1.0))
    assert abs(-x).sum().item() == 15
    assert x.detach() is not x
    assert "shape=(2, 3)" in repr(x)
    assert "made by tanh" in repr(leaf(1).tanh())
    assert x in {x}


def test_a_tensor_of_one_number_is_formatted_and_counted_as_a_float() -> None:
    for x in (nn.Tensor(-2.71828), nn.Tensor([[-2.71828]])):
        assert (f"{x:.3f}", f"{x:>8.1f}", f"{x:.2e}", int(x)) == ("-2.718", "    -2.7", "-2.72e+00", -2)
    several = leaf(2)
    assert (f"{several}", f"{nn.Tensor(1.0)}") == (str(several), str(nn.Tensor(1.0)))
    with pytest.raises(TypeError, match=r"'\.4f' is for one number.*\(2,\)"):
        f"{several:.4f}"
    with pytest.raises(ValueError, match="size 1"):
        int(several)


def test_methods_are_the_functions() -> None:
    x = nn.Tensor(np.random.default_rng(0).uniform(1, 2, (2, 3)))
    reductions = "sum", "mean", "var", "max", "min"
    elements = "square", "sqrt", "exp", "log", "sin", "cos", "tanh", "sigmoid", "relu"
    for name in (*reductions, *elements, "transpose", "flatten"):
        np.testing.assert_array_equal(getattr(x, name)().data, getattr(nn, name)(x.data))
    np.testing.assert_array_equal((-x).abs().data, x.data)
    np.testing.assert_array_equal(x.clip(1.2, 1.7).data, x.data.clip(1.2, 1.7))
    np.testing.assert_array_equal(x.clip(max=1.7).data, x.data.clip(max=1.7))
    np.testing.assert_array_equal(x[:1].squeeze(0).data, x.data[0])
    assert x.reshape(1, 2, 3).flatten(0, 1).shape == (2, 3)
    assert x.reshape(3, 2).shape == x.reshape((3, 2)).shape == x.transpose(1, 0).shape == x.T.shape == (3, 2)


def test_what_is_a_function_here_and_a_method_of_arrays_is_a_method_of_tensors() -> None:
    assert set(vars(operations)) & set(dir(np.ndarray)) <= set(dir(nn.Tensor))


def test_explain_draws_the_graph_and_leaves_it_alone(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(5, 4, rng=rng), nn.Tanh(), nn.Linear(4, 2, rng=rng))
    loss = nn.mse_loss(net(rng.normal(size=(3, 5)).astype(np.float32)), np.zeros((3, 2), np.float32))
    text = loss.explain()
    assert capsys.readouterr().out == text + "\n"
    lines = text.splitlines()
    assert [line.split()[1] for line in lines[1:5]] == ["linear", "tanh", "linear", "mse"]
    assert "constant (3, 5), Linear.weight, Linear.bias" in lines[1]
    assert "(3, 4)" in lines[1]
    assert "120" in lines[1]  # 2 * 3 * 5 * 4 multiplications and additions
    assert all(p.grad is None for p in net.parameters())
    loss.backward()
    grads = {f"{np.linalg.norm(p.grad):.3g}" for p in net.parameters() if p.grad is not None}
    assert grads <= {line.split()[-1] for line in lines if " leaf " in line}
    with pytest.raises(RuntimeError, match="before"):
        loss.explain()


def test_gradcheck_finds_a_wrong_gradient() -> None:
    @operation
    def wrong(x: Operand) -> Rule:
        return x * x, lambda grad, needs: (grad * x * 2.001,)

    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="disagree"):
        nn.gradcheck(wrong, rng.normal(size=5), rng=rng)
    report = nn.gradcheck(wrong, rng.normal(size=5), rng=rng, raise_exception=False)
    assert not report
    assert "<- wrong" in str(report)
    assert nn.gradcheck(nn.square, rng.normal(size=5), rng=rng)

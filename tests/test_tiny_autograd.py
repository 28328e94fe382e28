"""The hundred lines of examples/tiny_autograd.py compute what `nn` computes, on what both know."""

import sys
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from mazegrad import nn

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import tiny_autograd

    yield tiny_autograd
    sys.modules.pop("tiny_autograd")


def expression(steps, leaves):
    """A random expression of the operations that both have; every intermediate result is used once at least."""
    values = list(leaves)
    for name, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        values.append(
            {
                "add": lambda a=a, b=b: a + b,
                "subtract": lambda a=a, b=b: a - b,
                "multiply": lambda a=a, b=b: a * b,
                "divide": lambda a=a, b=b: a / (b * b + 1.0),
                "power": lambda a=a: a**3 * 0.1,
                "number": lambda a=a: 2.0 * a + 0.5,
                "matmul": lambda a=a, b=b: a @ b * 0.2,
                "exp": lambda a=a: a.tanh().exp(),
                "log": lambda a=a: (a * a + 0.5).log(),
                "relu": lambda a=a: a.relu(),
                "negative": lambda a=a: -a,
                "sum": lambda a=a, b=b: a.sum() * b,
            }[name]()
        )
    total = values[0].sum()
    for value in values[1:]:
        total = total + (value * value + 1.0).log().sum()
    return total


NAMES = ["add", "subtract", "multiply", "divide", "power", "number", "matmul", "exp", "log", "relu", "negative", "sum"]


@hypothesis.settings(
    max_examples=60, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(
    steps=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 9), st.integers(0, 9)), max_size=9),
    seed=st.integers(0, 99),
)
def test_values_and_gradients_are_those_of_nn(tiny, steps, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))]
    ours, theirs = [tiny.Tensor(a) for a in arrays], [nn.Tensor(a, requires_grad=True) for a in arrays]
    results = [expression(steps, leaves) for leaves in (ours, theirs)]
    for result in results:
        result.backward()
    np.testing.assert_allclose(results[0].data, results[1].data, rtol=1e-12)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-10, atol=1e-12)


def test_broadcast_operands_get_gradients_of_their_own_shape(tiny):
    rng = np.random.default_rng(0)
    for shapes in [((3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 3)), ((2, 3, 1), (3, 5))]:
        arrays = [rng.normal(size=shape) for shape in shapes]
        a, b = map(tiny.Tensor, arrays)
        (a * b + a).exp().sum().backward()
        c, d = (nn.Tensor(array, requires_grad=True) for array in arrays)
        (c * d + c).exp().sum().backward()
        np.testing.assert_allclose(a.grad, c.grad, rtol=1e-12)
        np.testing.assert_allclose(b.grad, d.grad, rtol=1e-12)


def test_a_long_chain_works(tiny):
    x = tiny.Tensor(0.0)
    y = x
    for _ in range(50_000):
        y = y + 1
    y.backward()
    assert x.grad == 1


def test_it_learns_the_same_as_nn_step_by_step(tiny):
    losses = tiny.main()
    assert losses[-1] < 0.01 * losses[0]
    rng = np.random.default_rng(0)
    x, wanted = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), np.array([[0], [1], [1], [0]], float)
    weights = [nn.Parameter(rng.normal(size=shape)) for shape in ((2, 8), (1, 8), (8, 1), (1, 1))]
    optimizer = nn.SGD(weights, lr=0.1)
    for loss_there in losses[:200]:
        optimizer.zero_grad()
        W1, b1, W2, b2 = weights
        loss = nn.mse_loss(nn.tanh(x @ W1 + b1) @ W2 + b2, wanted)
        loss.backward()
        optimizer.step()
        np.testing.assert_allclose(loss.item(), loss_there, rtol=1e-9)


def test_it_is_as_short_as_it_says():
    lines = (EXAMPLES / "tiny_autograd.py").read_text(encoding="utf-8").split('"""', 2)[2].splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 100

"""Attention finds what it is asked for, looks only where it may, and says what does not fit."""

from typing import Any

import numpy as np
import pytest

from mazegrad import nn


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_a_query_finds_the_value_of_the_key_that_it_equals() -> None:
    key, value = 30 * np.eye(4), random(4, 3)
    found, weights = nn.Attention()(key[[2, 0]], key, value, need_weights=True)
    np.testing.assert_allclose(found, value[[2, 0]], atol=1e-12)
    np.testing.assert_allclose(weights, np.eye(4)[[2, 0]], atol=1e-12)


def test_what_is_masked_is_neither_seen_nor_moved() -> None:
    """Other numbers at masked keys change nothing, and masked keys and values get no gradient."""
    query, key, value = (nn.Tensor(random(2, 5, 3, seed=i), requires_grad=True) for i in range(3))
    lengths = np.array([5, 2])
    mask = np.arange(5) < lengths[:, None, None]  # (batch, 1, keys): the padding of the second sequence
    out, weights = nn.Attention()(query, key, value, mask, need_weights=True)
    np.testing.assert_allclose(weights.data.sum(-1), 1)
    assert (weights.data[1, :, 2:] == 0).all()
    out.sum().backward()
    for x in (key, value):
        assert x.grad is not None
        assert (x.grad[1, 2:] == 0).all()
        assert (x.grad[1, :2] != 0).any()
    spoilt = key.data.copy()
    spoilt[1, 2:] = 1e9
    np.testing.assert_array_equal(nn.scaled_dot_product_attention(query.data, spoilt, value.data, mask), out.data)


def test_a_query_that_may_look_nowhere_gets_zeros_and_gives_no_gradient() -> None:
    query, key, value = (nn.Tensor(random(3, 2, seed=i), requires_grad=True) for i in range(3))
    mask = np.array([[True, False, True], [False] * 3, [True] * 3])
    out = nn.scaled_dot_product_attention(query, key, value, mask)
    out.backward(np.ones((3, 2)))
    assert query.grad is not None
    assert (out.data[1] == 0).all()
    assert (query.grad[1] == 0).all()
    assert np.isfinite(key.grad).all()
    assert nn.scaled_dot_product_attention(np.ones((2, 3)), np.ones((0, 3)), np.ones((0, 4))).tolist() == [[0] * 4] * 2


def test_the_weights_are_differentiable_too() -> None:
    def weights(query: Any, key: Any, value: Any) -> Any:
        return nn.Attention()(query, key, value, need_weights=True)

    rng = np.random.default_rng(0)
    nn.gradcheck(weights, random(2, 4, 3), random(2, 5, 3), random(2, 5, 2), rng=rng)
    nn.gradcheck(lambda q, k: weights(q, k, random(2, 5, 2))[1], random(2, 4, 3), random(2, 5, 3), rng=rng)


def test_causal_attention_does_not_see_the_future() -> None:
    x, later = random(6, 3), random(6, 3, seed=1)
    later[:4] = x[:4]
    attention = nn.Attention(is_causal=True)
    np.testing.assert_array_equal(attention(x, x, x)[:4], attention(later, later, later)[:4])
    assert (attention(x, x, x)[4:] != attention(later, later, later)[4:]).all()
    mask = np.ones((6, 6), bool)
    mask[:, 0] = False
    _, weights = attention(x, x, x, mask, need_weights=True)
    assert (weights == np.tril(weights)).all()
    assert (weights[:, 0] == 0).all()


def test_dropout_is_for_training_only_and_keeps_the_mean() -> None:
    attention = nn.Attention(dropout=0.25, rng=np.random.default_rng(0))
    query, key, value = np.zeros((20_000, 1)), np.zeros((4, 1)), np.ones((4, 1))
    out, weights = attention(query, key, value, need_weights=True)
    assert set(np.unique(out.round(9))) <= {round(n / 3, 9) for n in range(5)}  # n of the four weights are left
    assert abs(out.mean() - 1) < 0.01
    assert (weights == 0.25).all()
    assert (attention.eval()(query, key, value) == 1).all()
    assert "dropout=0.25" in repr(attention)


def test_large_scores_do_not_overflow() -> None:
    out = nn.scaled_dot_product_attention(np.full((1, 1), 1e4, np.float32), np.float32([[1e4], [-1e4]]), np.eye(2))
    assert out.tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: nn.scaled_dot_product_attention(random(2, 3), random(4, 5), random(4, 5)),
            r"one size.*\(2, 3\).*\(4, 5\)",
        ),
        (lambda: nn.scaled_dot_product_attention(random(2, 3), random(4, 3), random(5, 3)), "one value for each key"),
        (lambda: nn.scaled_dot_product_attention(random(3), random(4, 3), random(4, 3)), r"query \(3,\)"),
        (
            lambda: nn.scaled_dot_product_attention(random(2, 2, 3), random(3, 4, 3), random(3, 4, 3)),
            r"do not fit together: query \(2, 2, 3\)",
        ),
        (
            lambda: nn.Attention()(random(2, 3), random(4, 3), random(4, 3), np.ones((4, 2), bool)),
            r"attn_mask of shape \(4, 2\).*\(2, 4\)",
        ),
        (lambda: nn.scaled_dot_product_attention(*[random(2, 2)] * 3, dropout_p=0.5), "rng="),
        (lambda: nn.scaled_dot_product_attention(*[random(2, 2)] * 3, dropout_p=1.0), "dropout_p is 1.0"),
        (lambda: nn.Attention(dropout=-1), "dropout is -1"),
    ],
)
def test_errors_name_what_was_given_and_what_is_wanted(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_a_mask_of_integers_is_refused() -> None:
    with pytest.raises(TypeError, match=r"booleans.*int64"):
        nn.Attention()(*[random(2, 2)] * 3, np.ones((2, 2), np.int64))

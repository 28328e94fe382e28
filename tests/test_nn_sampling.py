"""Sampling from logits: the distribution, the cuts, the limits, and clear errors."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mazegrad import nn
from mazegrad.nn.sampling import probabilities, sample

LOGITS = np.log([0.5, 0.3, 0.15, 0.05])


def frequencies(count: int = 40_000, **settings: object) -> np.ndarray:
    drawn = sample(np.broadcast_to(LOGITS, (count, 4)), rng=np.random.default_rng(0), **settings)
    assert drawn.shape == (count,)
    return np.bincount(drawn, minlength=4) / count


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0.5, 0.3, 0.15, 0.05]),
        ({"temperature": 0.5}, np.array([0.25, 0.09, 0.0225, 0.0025]) / 0.365),
        ({"temperature": 1e9}, [0.25] * 4),
        ({"temperature": 0}, [1, 0, 0, 0]),
        ({"temperature": 5e-324}, [1, 0, 0, 0]),
        ({"top_k": 2}, [0.625, 0.375, 0, 0]),
        ({"top_k": 99}, [0.5, 0.3, 0.15, 0.05]),
        ({"top_p": 0.4}, [1, 0, 0, 0]),
        ({"top_p": 0.6}, [0.625, 0.375, 0, 0]),
        ({"top_p": 1.0}, [0.5, 0.3, 0.15, 0.05]),
        ({"top_k": 2, "top_p": 0.6}, [1, 0, 0, 0]),  # k first: the two left have 0.625 and 0.375
    ],
)
def test_the_drawn_frequencies_are_those_promised(settings, expected):
    np.testing.assert_allclose(probabilities(LOGITS, **settings), expected, atol=1e-8)
    np.testing.assert_allclose(frequencies(**settings), expected, atol=0.01)


def test_what_is_impossible_is_never_drawn():
    logits = np.array([-np.inf, 0.0, -np.inf, -1.0])
    drawn = sample(np.broadcast_to(logits, (5000, 4)), temperature=10, rng=np.random.default_rng(1))
    assert set(drawn.tolist()) == {1, 3}


def test_equals_of_the_kth_stay_and_cold_takes_the_first_best():
    np.testing.assert_allclose(probabilities([1.0, 2.0, 2.0, 2.0], top_k=1), [0, 1 / 3, 1 / 3, 1 / 3])
    assert sample([1.0, 2.0, 2.0], temperature=0, rng=np.random.default_rng(0)) == 1


def test_the_same_generator_gives_the_same_draw_and_tensors_are_taken():
    logits = np.random.default_rng(2).normal(size=(3, 5, 7))
    first = sample(logits, rng=np.random.default_rng(3))
    assert first.shape == (3, 5)
    np.testing.assert_array_equal(sample(nn.Tensor(logits), rng=np.random.default_rng(3)), first)
    assert sample(np.empty((0, 4)), rng=np.random.default_rng(0)).shape == (0,)


@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=9),
    st.floats(1e-3, 1e3),
    st.none() | st.integers(1, 12),
    st.none() | st.floats(1e-6, 1),
)
@example([-1.2e-95, 0.0], 1.0, None, 0.5)  # not equal, but of equal probability
def test_any_logits_and_settings_give_a_distribution_that_holds_the_best(logits, temperature, top_k, top_p):
    p = probabilities(logits, temperature, top_k, top_p)
    assert np.isfinite(p).all() and (p >= 0).all()
    assert p.sum() == pytest.approx(1)
    assert p[np.argmax(logits)] == p.max()
    if top_p is not None and (p > 0).sum() > 1:  # without the least of those kept, top_p is not reached
        kept = p > p[p > 0].min()
        assert probabilities(logits, temperature, top_k)[kept].sum() < top_p + 1e-9


@pytest.mark.parametrize(
    ("logits", "settings", "message"),
    [
        ([0.0, np.nan], {}, "hold NaN"),
        ([0.0, np.inf], {}, "hold infinity"),
        ([[0.0, 1.0], [-np.inf, -np.inf]], {}, "no class can be chosen"),
        (0.0, {}, r"shape \(\.\.\., classes\)"),
        (np.empty((2, 0)), {}, r"shape \(2, 0\)"),
        (["a"], {}, "numbers"),
        ([0.0], {"temperature": -1}, "temperature is -1"),
        ([0.0], {"temperature": np.nan}, "temperature is nan"),
        ([0.0], {"top_k": 0}, "top_k is 0"),
        ([0.0], {"top_k": 1.5}, "top_k is 1.5"),
        ([0.0], {"top_p": 0}, "top_p is 0"),
        ([0.0], {"top_p": 1.5}, "top_p is 1.5"),
    ],
)
def test_bad_input_is_named(logits, settings, message):
    with pytest.raises(ValueError, match=message):
        sample(logits, rng=np.random.default_rng(0), **settings)

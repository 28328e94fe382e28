"""One contract for what every operation takes: integers, halves, any memory layout, nothing at all, one number."""

from __future__ import annotations

import re
import warnings
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from test_nn_contract import CASES, Case, backward

from mazegrad import nn

few = hypothesis.settings(max_examples=6, deadline=None, derandomize=True)
every_case = pytest.mark.parametrize("name", CASES)


def drawn(case: Case, data: Any) -> list[np.ndarray]:
    return case.inputs(data.draw, np.random.default_rng(data.draw(st.integers(0, 99))))


def strided(array: np.ndarray) -> np.ndarray:
    """The same numbers with gaps between them, backwards in memory, read only."""
    room = np.full([2 * n + 1 for n in array.shape], np.nan, array.dtype)
    view = room[tuple(slice(2 * n - 1, None, -2) if n else slice(0) for n in array.shape)] if array.ndim else room
    view[...] = array
    view.flags.writeable = False
    return view


@every_case
@few
@hypothesis.given(data=st.data())
def test_any_layout_gives_the_same(name: str, data: st.DataObject) -> None:
    if name == "dropout":
        pytest.skip("which elements drop depends on where they lie in memory")
    arrays = drawn(CASES[name], data)
    out, grads, weights = backward(CASES[name].call, arrays)
    strange = [strided(array) for array in arrays]
    turned, turned_grads, _ = backward(CASES[name].call, strange)
    for a, b in zip([turned, *turned_grads], [out, *grads], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(CASES[name].call(*strange), out, rtol=1e-12, atol=1e-12)  # plain arrays, not copied
    leaves = [nn.Tensor(array, requires_grad=True) for array in arrays]
    CASES[name].call(*leaves).backward(strided(weights))  # a gradient of any layout
    for leaf, grad in zip(leaves, grads, strict=True):
        np.testing.assert_allclose(
            np.zeros(leaf.shape) if leaf.grad is None else leaf.grad, grad, rtol=1e-12, atol=1e-12
        )


@every_case
@few
@hypothesis.given(data=st.data())
def test_integers_give_the_value_of_the_same_floats(name: str, data: st.DataObject) -> None:
    """No operation wraps around, truncates, or rounds its result to an integer; or it refuses integers."""
    integers = [
        np.round(90 * array).astype(np.int16) for array in drawn(CASES[name], data)
    ]  # their squares wrap around
    with np.errstate(all="ignore"):
        try:
            found = CASES[name].call(*integers)
        except (TypeError, ValueError) as error:
            assert "int" in str(error) or name == "cross_entropy of probabilities"  # integers are class numbers
            return
        expected = CASES[name].call(*(array.astype(np.float64) for array in integers))
        np.testing.assert_allclose(np.asarray(found, np.float64), expected, rtol=1e-5, atol=1e-12)


@every_case
def test_halves_are_refused_in_words_or_only_moved(name: str) -> None:
    rng = np.random.default_rng(0)

    @hypothesis.settings(max_examples=1, derandomize=True, deadline=None)
    @hypothesis.given(data=st.data())
    def draw(data: st.DataObject) -> None:
        halves = [array.astype(np.float16) for array in CASES[name].inputs(data.draw, rng)]
        try:
            moved = CASES[name].call(*halves)
        except TypeError as error:
            assert re.search("float32 or float64, not float16|float16", str(error))
            return
        assert moved.dtype == np.float16
        assert np.isin(moved, np.concatenate([array.ravel() for array in halves])).all()

    draw()


# ------------------------------------------------------------------------------------------------------------ nothing
OBSCURE = re.compile("cannot reshape|division by zero")
REFUSED = {  # what torch does with nothing, and is refused here, in words
    "adaptive_avg_pool2d": "there must be a pixel",  # NaN there
    "adaptive_max_pool2d": "there must be a pixel",
    "adaptive_avg_pool1d": "there must be a pixel",
    "adaptive_max_pool1d": "there must be a pixel",
    "conv2d": "kernel is empty",  # zeros there, of images without channels
    "conv1d": "kernel is empty",
    "squeeze": "size not equal to one",  # as in numpy; there it stays as it is
}

ODD = {"pixel_unshuffle", "scaled_dot_product_attention"}  # of nothing: torch's are not of the shape that follows


def traceback_file(error: BaseException) -> str:
    """Where an error was raised: in a test's own helper, it says nothing of the library."""
    import traceback

    return traceback.extract_tb(error.__traceback__)[-1].filename


def without(arrays: list[np.ndarray], axis: int) -> list[np.ndarray]:
    """The same arrays without anything along one axis; of channels, their weights are taken away, too."""
    channels = arrays[0].shape[1:2] if axis == 1 else None
    return [
        array[:0]
        if array.shape == channels
        else array[(*[slice(None)] * axis, slice(0))]
        if array.ndim > axis
        else array
        for array in arrays
    ]


@every_case
@few
@hypothesis.given(data=st.data())
def test_nothing_is_taken_or_refused_in_words(name: str, data: st.DataObject) -> None:
    """Arrays without elements: the shape, the value and the gradients of torch; what forward takes, backward takes."""
    case, arrays = CASES[name], drawn(CASES[name], data)
    if not arrays[0].ndim:
        return
    empty = without(arrays, data.draw(st.integers(0, arrays[0].ndim - 1)))
    try:
        out, grads, _ = backward(case.call, empty)
    except (TypeError, ValueError, IndexError, np.exceptions.AxisError) as error:
        assert "tests/" in traceback_file(error) or not OBSCURE.search(str(error)), str(error)
        refused = str(error)
    else:
        refused = ""
        assert [grad.shape for grad in grads] == [array.shape for array in empty]
    if case.torch is None:
        return
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    theirs = [torch.tensor(array, requires_grad=True) for array in empty]
    try:
        with warnings.catch_warnings(action="ignore"):
            expected = case.torch(*theirs)
    except (RuntimeError, ValueError, IndexError, TypeError):
        return
    if refused:
        assert REFUSED.get(name.split()[0], "accepted by torch") in refused
        return
    if name.split()[0] in ODD or (0 in empty[0].shape[1:2] and name == "cross_entropy of probabilities"):
        return  # NaN there, where there are no classes
    assert out.shape == tuple(expected.shape)
    np.testing.assert_array_equal(out, expected.detach().numpy())

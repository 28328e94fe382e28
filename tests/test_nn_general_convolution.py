"""Convolutions of every geometry equal the sum they are defined as, and PyTorch's, forward and back."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_nn_convolution import ORDERS

from mazegrad import nn
from mazegrad.nn.geometry import Axis

functional = pytest.importorskip("torch.nn.functional", reason='needs pip install "mazegrad[parity]"')
torch = pytest.importorskip("torch")


def naive(image: np.ndarray, kernel: np.ndarray, stride: Any, padding: Any, dilation: Any, groups: int) -> np.ndarray:
    """The definition, one kernel entry after the other, in float64."""
    (top, bottom), (left, right) = padding
    image = np.pad(image.astype(np.float64), [(0, 0), (0, 0), (top, bottom), (left, right)])
    size = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(image.shape[2:], kernel.shape[2:], stride, dilation, strict=True)
    ]
    out = np.zeros((len(image), len(kernel), *size))
    split = image.reshape(len(image), groups, -1, *image.shape[2:])
    weights = kernel.astype(np.float64).reshape(groups, -1, *kernel.shape[1:])
    for i, j in itertools.product(*map(range, kernel.shape[2:])):
        rows, columns = (
            slice(a * d, a * d + (n - 1) * s + 1, s) for a, d, n, s in zip((i, j), dilation, size, stride, strict=True)
        )
        seen = split[..., rows, columns]
        out += np.einsum("bgchw,goc->bgohw", seen, weights[..., i, j]).reshape(out.shape)
    return out


@st.composite
def problems(draw: Any, axes: int = 2, transposed: bool = False) -> tuple[Any, ...]:
    """Arrays in any memory order, and settings that fit them."""
    small = st.integers(1, 3)
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels, out_channels, batch = groups * draw(small), groups * draw(small), draw(st.integers(1, 4))
    kernel = [draw(st.integers(1, 5)) for _ in range(axes)]
    stride, dilation = ([draw(small) for _ in range(axes)] for _ in range(2))
    padding = [draw(st.integers(0, 3)) for _ in range(axes)]
    least = [
        1 if transposed else max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    size = [n + draw(st.integers(0, 8)) for n in least]
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def array(*shape: int) -> np.ndarray:
        order = draw(st.sampled_from(sorted(ORDERS))) if len(shape) == 4 else "C"
        return ORDERS[order](rng.standard_normal(shape).astype(dtype))

    both = (channels, out_channels // groups) if transposed else (out_channels, channels // groups)
    arrays = [array(batch, channels, *size), array(*both, *kernel), array(out_channels)]
    how = {"stride": tuple(stride), "padding": tuple(padding), "dilation": tuple(dilation), "groups": groups}
    if transposed:
        how["output_padding"] = tuple(
            draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
        )
        grown = zip(size, stride, padding, dilation, kernel, how["output_padding"], strict=True)
        if min((n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, s, p, d, k, o in grown) < 1:
            how["padding"] = (0,) * axes
    if draw(st.booleans()):
        arrays[0] = arrays[0][0]  # one image, without the batch axis
    return arrays, how, rng


def agree(function: str, problem: tuple[Any, ...]) -> None:
    """Values and all gradients, to the rounding of the precision."""
    arrays, how, rng = problem
    ours = [nn.Tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array.copy(), requires_grad=True) for array in arrays]
    out, expected = getattr(nn, function)(*ours, **how), getattr(functional, function)(*theirs, **how)
    gradient = rng.standard_normal(out.shape).astype(out.dtype)
    out.backward(gradient)
    expected.backward(torch.tensor(gradient))
    bound = 1e-5 if out.dtype == np.float32 else 1e-12
    pairs = [(out.data, expected.detach()), *((a.grad, b.grad) for a, b in zip(ours, theirs, strict=True))]
    for a, b in pairs:
        b = b.numpy()
        assert a.shape == b.shape
        assert a.dtype == out.dtype
        assert np.abs(a - b).max() <= bound * max(1, np.abs(b).max())


@given(problems())
@settings(max_examples=200, deadline=None)
def test_conv2d(problem: tuple[Any, ...]) -> None:
    agree("conv2d", problem)


@given(problems(axes=1))
@settings(max_examples=60, deadline=None)
def test_conv1d(problem: tuple[Any, ...]) -> None:
    agree("conv1d", problem)


@given(problems(transposed=True))
@settings(max_examples=120, deadline=None)
def test_conv_transpose2d(problem: tuple[Any, ...]) -> None:
    agree("conv_transpose2d", problem)


@given(problems(axes=1, transposed=True))
@settings(max_examples=40, deadline=None)
def test_conv_transpose1d(problem: tuple[Any, ...]) -> None:
    agree("conv_transpose1d", problem)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(problems())
@settings(max_examples=60, deadline=None)
def test_same_and_valid(problem: tuple[Any, ...]) -> None:
    arrays, how, rng = problem
    for padding in ("same", "valid") if min(arrays[0].shape[-2:]) > 12 else ("same",):
        agree("conv2d", (arrays, {**how, "padding": padding, "stride": 1}, rng))


@given(problems())
@settings(max_examples=60, deadline=None)
def test_conv2d_is_its_definition(problem: tuple[Any, ...]) -> None:
    (image, kernel, _), how, _ = problem
    image = image if image.ndim == 4 else image[None]
    expected = naive(image, kernel, how["stride"], [(p, p) for p in how["padding"]], how["dilation"], how["groups"])
    out = nn.conv2d(image, kernel, **how)
    bound = 1e-5 if image.dtype == np.float32 else 1e-12
    assert np.abs(out - expected).max() <= bound * max(1, np.abs(expected).max())


@pytest.mark.parametrize(
    ("image", "kernel", "how"),
    [
        ((16, 3, 84, 84), (32, 3, 8, 8), {"stride": 4}),
        ((8, 32, 20, 20), (64, 32, 4, 4), {"stride": 2}),
        ((8, 3, 64, 64), (16, 3, 7, 7), {"stride": 2, "padding": 3}),
        ((8, 64, 16, 16), (64, 2, 3, 3), {"groups": 32, "padding": 1}),
        ((8, 48, 16, 16), (48, 1, 3, 3), {"groups": 48, "padding": 1, "stride": 2}),
        ((8, 48, 16, 16), (96, 1, 5, 5), {"groups": 48, "padding": 2}),
        ((8, 28, 28, 28), (28, 1, 3, 3), {"groups": 28, "padding": 1}),
        ((16, 46, 48, 48), (92, 2, 3, 3), {"groups": 23, "padding": 1, "stride": 2}),
        ((4, 40, 20, 20), (40, 40, 3, 3), {"dilation": 2, "padding": 2}),
        ((8, 64, 14, 14), (128, 64, 1, 1), {"stride": 2}),
    ],
)
def test_sizes_of_published_nets(image: Any, kernel: Any, how: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, np.float32) for shape in (image, kernel, kernel[:1])]
    agree("conv2d", (arrays, how, rng))


@given(
    *(st.integers(low, high) for low, high in ((1, 12), (1, 5), (1, 8), (1, 4), (1, 4), (0, 6))),
)
@settings(max_examples=200, deadline=None)
def test_an_axis_knows_what_each_output_sees(
    size: int, kernel: int, out: int, stride: int, dilation: int, pad: int
) -> None:
    """By the definition, y * stride + i * dilation - pad; and both ways to take an axis apart keep every pair."""
    axis = Axis(size, kernel, out, stride, dilation, pad)
    pairs = {
        (y, i, y * stride + i * dilation - pad)
        for y, i in itertools.product(range(out), range(kernel))
        if 0 <= y * stride + i * dilation - pad < size
    }
    seen = set()
    for i in range(kernel):
        outputs, inputs = axis.seen(i)
        seen |= {(y, i, x) for y, x in zip(range(out)[outputs], range(size)[inputs], strict=True)}
    assert seen == pairs
    places, entries, results = range(size), range(kernel), range(out)
    found = {
        (results[to][y], i, places[taken][x])
        for taken, to, part in axis.undilated()
        for i in range(kernel)
        for y, x in zip(range(part.out)[part.seen(i)[0]], range(part.size)[part.seen(i)[1]], strict=True)
    }
    assert found == pairs
    apart = [
        (results[to][y], entries[some][i], places[taken][x])
        for taken, some, to, part in axis.plain()
        for i in range(part.kernel)
        for y, x in zip(range(part.out)[part.seen(i)[0]], range(part.size)[part.seen(i)[1]], strict=True)
    ]
    assert set(apart) == pairs
    assert len(apart) == len(pairs)
    assert all(part.stride == part.dilation == 1 for *_, part in axis.plain())
    if axis.covers:
        assert {place for taken, *_ in axis.plain() for place in places[taken]} == set(places)


@pytest.mark.parametrize("name", ["Conv1D", "Conv2D", "ConvTranspose1D", "ConvTranspose2D"])
@pytest.mark.parametrize("bias", [True, False])
def test_layers_are_those_of_torch(name: str, bias: bool) -> None:
    """Names and shapes of the weights, results, and how the weights are drawn at first."""
    rng = np.random.default_rng(0)
    settings = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2, "bias": bias}
    ours = getattr(nn, name)(4, 6, 3, **settings, rng=rng)
    theirs = getattr(torch.nn, name.replace("D", "d"))(4, 6, 3, **settings)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    x = rng.normal(size=(2, 4, *[9] * int(name[-2]))).astype(np.float32)
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), atol=1e-5)
    wide = getattr(nn, name)(64, 64, 5, groups=4, rng=rng).weight.data
    expected = getattr(torch.nn, name.replace("D", "d"))(64, 64, 5, groups=4).weight.detach().numpy()
    np.testing.assert_allclose(np.abs(wide).max(), np.abs(expected).max(), rtol=0.02)
    np.testing.assert_allclose(wide.std(), expected.std(), rtol=0.1)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [(2, 1), "same"])
def test_padding_modes(mode: str, padding: Any) -> None:
    rng = np.random.default_rng(0)
    ours = nn.Conv2D(2, 3, (4, 3), padding=padding, padding_mode=mode, rng=rng)
    theirs = torch.nn.Conv2d(2, 3, (4, 3), padding=padding, padding_mode=mode)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    x = rng.normal(size=(2, 2, 6, 7)).astype(np.float32)
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), atol=1e-5)


def test_the_output_size_of_a_transposed_layer_can_be_chosen() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = nn.ConvTranspose2D(3, 2, 3, 2, 1, rng=rng), torch.nn.ConvTranspose2d(3, 2, 3, 2, 1)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    x = rng.normal(size=(2, 3, 4, 4)).astype(np.float32)
    for size in ((7, 7), (8, 7), (8, 8)):
        expected = theirs(torch.tensor(x), output_size=size).detach().numpy()
        assert expected.shape[2:] == size
        np.testing.assert_allclose(ours(x, size).data, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.Conv2D(1, 4, 3), "Conv2D(1, 4, kernel_size=3)"),
        (
            lambda: nn.Conv2D(4, 6, (3, 1), 2, (1, 0), groups=2, bias=False),
            "Conv2D(4, 6, kernel_size=(3, 1), stride=2, padding=(1, 0), groups=2, bias=False)",
        ),
        (lambda: nn.Conv1D(1, 4, 4, padding="same"), "Conv1D(1, 4, kernel_size=4, padding='same')"),
        (
            lambda: nn.ConvTranspose2D(4, 6, 3, 2, output_padding=1),
            "ConvTranspose2D(4, 6, kernel_size=3, stride=2, output_padding=1)",
        ),
    ],
)
def test_a_layer_says_its_settings(layer: Any, text: str) -> None:
    assert repr(layer()).split("  #")[0] == text


@pytest.mark.parametrize("how", [{"stride": 2, "padding": 1}, {"groups": 2}, {"dilation": 2, "padding": "same"}])
@pytest.mark.parametrize("pool", [(2,), (3, 2, 1), (2, 1)])
def test_the_reordering_of_sequential_holds_for_every_convolution_and_pool(how: dict[str, Any], pool: Any) -> None:
    rng = np.random.default_rng(0)
    layers = [nn.Conv2D(2, 4, 3, **how, rng=rng, dtype=np.float64), nn.ReLU(), nn.MaxPool2D(*pool)]
    x = nn.Tensor(rng.normal(size=(3, 2, 11, 10)), requires_grad=True)
    results = []
    for reordered in (True, False):
        out: Any = nn.Sequential(*layers)(x) if reordered else layers[2](layers[1](layers[0](x)))
        out.backward(np.random.default_rng(1).normal(size=out.shape))
        results.append([out.data, x.grad, *(p.grad for p in layers[0].parameters())])
        x.zero_grad()
        layers[0].zero_grad()
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)

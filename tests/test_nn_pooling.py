"""Pools, padding, resampling and norms of every setting are PyTorch's, forward and back, in every memory order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_nn_convolution import ORDERS

from mazegrad import nn

functional = pytest.importorskip("torch.nn.functional", reason='needs pip install "mazegrad[parity]"')
torch = pytest.importorskip("torch")


@st.composite
def images(draw: Any, least: int = 1, most: int = 10, batch: bool | None = None) -> np.ndarray:
    """One axis or two, with a batch or without, in any memory order and either precision; many numbers are equal."""
    axes, alone = draw(st.integers(1, 2)), draw(st.booleans()) if batch is None else not batch
    shape = [draw(st.integers(1, 3)) for _ in range(2)] + [draw(st.integers(least, most)) for _ in range(axes)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = np.round(rng.normal(size=shape), draw(st.integers(0, 3))).astype(
        draw(st.sampled_from([np.float32, np.float64]))
    )
    x = ORDERS[draw(st.sampled_from(sorted(ORDERS)))](x) if x.ndim == 4 else x
    return x[0] if alone else x


def each(draw: Any, x: np.ndarray, batch: bool, low: int, high: int) -> Any:
    """One number, or one for each axis."""
    count = x.ndim - 1 - batch
    return draw(st.one_of(st.integers(low, high), st.tuples(*[st.integers(low, high)] * count)))


def agree(function: str, x: np.ndarray, *settings: Any, **how: Any) -> None:
    """The same result and gradient, or an error on both sides."""
    ours, theirs = nn.Tensor(x, requires_grad=True), torch.tensor(np.array(x), requires_grad=True)
    try:
        expected = getattr(functional, function)(theirs, *settings, **how)
    except (RuntimeError, ValueError):
        with pytest.raises(ValueError, match=function):
            getattr(nn, function)(ours, *settings, **how)
        return
    out = getattr(nn, function)(ours, *settings, **how)
    if how.get("return_indices"):
        (out, places), (expected, others) = out, expected
        real = np.isfinite(out.data)
        np.testing.assert_array_equal(places[real], others.numpy()[real])
    assert (out.shape, out.dtype) == (tuple(expected.shape), x.dtype)
    bound = 1e-5 if x.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=bound, atol=bound)
    gradient = np.random.default_rng(0).standard_normal(out.shape).astype(x.dtype)
    out.backward(gradient)
    if np.isfinite(
        out.data
    ).all():  # a window of nothing but padding has no largest pixel; PyTorch's backward may crash
        expected.backward(torch.tensor(gradient))
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=bound, atol=bound)


@given(st.data(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_max_pool(data: st.DataObject, batch: bool) -> None:
    x = data.draw(images(batch=batch))
    how = {
        "stride": data.draw(st.none()) or each(data.draw, x, batch, 1, 4),
        "padding": each(data.draw, x, batch, 0, 2),
        "dilation": each(data.draw, x, batch, 1, 2),
        "ceil_mode": data.draw(st.booleans()),
        "return_indices": data.draw(st.booleans()),
    }
    agree(f"max_pool{x.ndim - 1 - batch}d", x, each(data.draw, x, batch, 1, 4), **how)


@given(st.data(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_avg_pool(data: st.DataObject, batch: bool) -> None:
    x = data.draw(images(batch=batch))
    how = {
        "stride": each(data.draw, x, batch, 1, 4) if data.draw(st.booleans()) else None,
        "padding": each(data.draw, x, batch, 0, 2),
        "ceil_mode": data.draw(st.booleans()),
        "count_include_pad": data.draw(st.booleans()),
    }
    if x.ndim - batch == 3 and data.draw(st.booleans()):
        how["divisor_override"] = data.draw(st.integers(1, 5))
    agree(f"avg_pool{x.ndim - 1 - batch}d", x, each(data.draw, x, batch, 1, 4), **how)


@given(st.data(), st.booleans(), st.sampled_from(["max", "avg"]))
@settings(max_examples=100, deadline=None)
def test_adaptive_pools(data: st.DataObject, batch: bool, kind: str) -> None:
    x = data.draw(images(batch=batch))
    two = x.ndim - batch == 3
    size = data.draw(st.integers(1, 12) if not two else st.tuples(*[st.one_of(st.none(), st.integers(1, 12))] * 2))
    how = {"return_indices": True} if kind == "max" and data.draw(st.booleans()) else {}
    agree(f"adaptive_{kind}_pool{1 + two}d", x, size, **how)


@given(st.data(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_unpooling_puts_the_pixels_back(data: st.DataObject, batch: bool) -> None:
    x = data.draw(images(least=3, batch=batch))
    name = f"pool{x.ndim - 1 - batch}d"
    kernel, padding = data.draw(st.integers(2, 3)), data.draw(st.integers(0, 1))
    pooled, places = getattr(nn, f"max_{name}")(x, kernel, padding=padding, return_indices=True)
    whole = np.zeros_like(x)
    for channel in np.ndindex(*x.shape[: 1 + batch]):
        whole[channel].flat[places[channel]] = x[channel].flat[places[channel]]
    size = x.shape if batch and data.draw(st.booleans()) else x.shape[1 + batch :]
    np.testing.assert_array_equal(
        getattr(nn, f"max_un{name}")(pooled, places, kernel, padding=padding, output_size=size), whole
    )
    ours = nn.Tensor(pooled, requires_grad=True)
    theirs = torch.tensor(np.ascontiguousarray(pooled), requires_grad=True)
    settings = (kernel, None, padding, None if data.draw(st.booleans()) else size)
    try:
        expected = getattr(functional, f"max_un{name}")(theirs, torch.tensor(np.ascontiguousarray(places)), *settings)
    except (RuntimeError, ValueError):
        with pytest.raises(ValueError, match=f"max_un{name}"):
            getattr(nn, f"max_un{name}")(ours, places, *settings)
        return
    out = getattr(nn, f"max_un{name}")(ours, places, *settings)
    np.testing.assert_array_equal(out.data, expected.detach().numpy())
    gradient = np.random.default_rng(0).standard_normal(out.shape).astype(x.dtype)
    out.backward(gradient)
    expected.backward(torch.tensor(gradient))
    np.testing.assert_array_equal(ours.grad, theirs.grad.numpy())


def test_an_autoencoder_of_pools() -> None:
    """Layers with indices, alone and where convolution, relu and pool are evaluated together."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 1, 6, 6)).astype(np.float32)
    down = nn.Sequential(nn.Conv2D(1, 2, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2D(2, return_indices=True))
    pooled, places = down(x)
    np.testing.assert_array_equal(pooled.data, nn.max_pool2d(nn.relu(down[0](x)), 2).data)
    back = nn.MaxUnpool2D(2)(pooled, places)
    assert back.shape == (2, 2, 6, 6)
    np.testing.assert_array_equal(nn.max_pool2d(back, 2).data, pooled.data)
    assert repr(nn.MaxUnpool2D(2)) == "MaxUnpool2D(kernel_size=2, stride=2, padding=0)"


BAD_PLACES: list[tuple[Any, dict[str, Any], str]] = [
    ([[[[16]]]], {}, "an index is 16 or 16; expected 0 to 3"),
    ([[[[-1]]]], {}, "an index is -1"),
    ([[[[0.0]]]], {}, "indices are float64"),
    ([[[0]]], {}, r"of shape \(1, 1, 1\); expected integers of \(1, 1, 1, 1\)"),
    ([[[[0]]]], {"output_size": (5, 5)}, r"was about \(2, 2\), not \(5, 5\)"),
    ([[[[0]]]], {"kernel_size": 0}, "kernel_size is 0; expected 2 whole numbers from 1 on"),
]


@pytest.mark.parametrize(("places", "how", "words"), BAD_PLACES)
def test_unpooling_refuses_in_words(places: Any, how: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        nn.max_unpool2d(np.ones((1, 1, 1, 1)), places, **{"kernel_size": 2, **how})


@given(st.data(), st.sampled_from(["constant", "reflect", "replicate", "circular"]))
@settings(max_examples=200, deadline=None)
def test_pad(data: st.DataObject, mode: str) -> None:
    x = data.draw(images(batch=True))
    least = -3 if mode == "constant" else 0
    both = data.draw(st.lists(st.integers(least, 4), min_size=2 * (x.ndim - 2), max_size=2 * (x.ndim - 2)))
    agree("pad", x, both, mode, *([1.5] if mode == "constant" and data.draw(st.booleans()) else []))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_interpolate(data: st.DataObject) -> None:
    x = data.draw(images(batch=True))
    two = x.ndim == 4
    modes = ["nearest", "nearest-exact", "area", *(["bilinear", "bicubic"] if two else ["linear"])]
    how: dict[str, Any] = {"mode": data.draw(st.sampled_from(modes))}
    if data.draw(st.booleans()):
        how["size"] = each(data.draw, x, True, 1, 14)
    else:  # where rounding makes a factor 1 or 2, PyTorch's way back is not that of its way forward
        how["scale_factor"] = data.draw(st.sampled_from([1.0, 2.0, 3.0, 0.7, 1.3]))
        how["recompute_scale_factor"] = data.draw(st.sampled_from([None, True]))
        if min(int(n * how["scale_factor"]) for n in x.shape[2:]) < 1:
            return
        grown = [(n, int(n * how["scale_factor"])) for n in x.shape[2:]]
        if how["mode"] in ("nearest", "bicubic") and any(
            new in (n, 2 * n) and how["scale_factor"] % 1 for n, new in grown
        ):
            return
    if how["mode"] in ("linear", "bilinear", "bicubic"):
        how["align_corners"] = data.draw(st.booleans())
    agree("interpolate", x, **how)


def test_the_largest_is_nan_where_there_is_one_and_it_gets_the_gradient() -> None:
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    x[0, 0, 1, 1] = np.nan
    for settings_ in ((2,), (3, 1), (2, 2, 1)):
        ours, theirs = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        out, expected = nn.max_pool2d(ours, *settings_), functional.max_pool2d(theirs, *settings_)
        np.testing.assert_array_equal(out.data, expected.detach().numpy())
        out.sum().backward()
        assert ours.grad is not None
        assert ours.grad.sum() == out.size  # nothing is lost
        expected.sum().backward()
        np.testing.assert_array_equal(ours.grad, theirs.grad.numpy())


@pytest.mark.parametrize("shape", [(0, 2, 6, 6), (2, 0, 6, 6)])
def test_nothing_in_gives_nothing_out(shape: Any) -> None:
    x = nn.Tensor(np.zeros(shape), requires_grad=True)
    kernel = np.zeros((4, shape[1], 3, 3))
    for out in (
        nn.max_pool2d(x, 3, 2, 1),
        nn.avg_pool2d(x, 2),
        nn.adaptive_avg_pool2d(x, (4, 5)),
        nn.adaptive_max_pool2d(x, (4, 5)),
        nn.pad(x, (1, 1), "reflect"),
        nn.interpolate(x, (3, 4), mode="bilinear"),
        nn.conv2d(x, kernel, stride=2) if shape[1] else x * 1.0,
    ):
        x.zero_grad()
        out.sum().backward()
        assert out.shape[0] == shape[0]
        assert x.grad is not None
        assert x.grad.shape == shape


# --------------------------------------------------------------------------------------------------------------- layers
@pytest.mark.parametrize(
    ("name", "settings_", "shape"),
    [
        ("MaxPool1D", {"kernel_size": 3, "stride": 2, "padding": 1}, (2, 3, 9)),
        ("MaxPool2D", {"kernel_size": (3, 2), "stride": 2, "padding": 1, "ceil_mode": True}, (2, 3, 9, 8)),
        ("MaxPool2D", {"kernel_size": 2, "stride": 1, "dilation": 2}, (2, 3, 9, 8)),
        ("AvgPool1D", {"kernel_size": 3, "padding": 1, "count_include_pad": False}, (2, 3, 9)),
        ("AvgPool2D", {"kernel_size": 3, "stride": 2, "ceil_mode": True}, (2, 3, 8, 8)),
        ("AvgPool2D", {"kernel_size": 3, "divisor_override": 2}, (2, 3, 8, 8)),
        ("AdaptiveAvgPool1D", {"output_size": 4}, (2, 3, 9)),
        ("AdaptiveAvgPool2D", {"output_size": (None, 3)}, (2, 3, 9, 8)),
        ("AdaptiveMaxPool1D", {"output_size": 4}, (2, 3, 9)),
        ("AdaptiveMaxPool2D", {"output_size": 3}, (2, 3, 9, 8)),
        ("Upsample", {"size": (5, 7), "mode": "bilinear", "align_corners": True}, (2, 3, 9, 8)),
        ("Upsample", {"scale_factor": 3}, (2, 3, 4)),
        ("UpsamplingNearest2D", {"scale_factor": 2}, (2, 3, 4, 5)),
        ("UpsamplingBilinear2D", {"size": (7, 9)}, (2, 3, 4, 5)),
        ("ConstantPad1D", {"padding": 2, "value": 1.5}, (2, 3, 4)),
        ("ConstantPad2D", {"padding": (1, 2, 0, 3), "value": 1.5}, (2, 3, 4, 5)),
        ("ZeroPad1D", {"padding": (1, 2)}, (2, 3, 4)),
        ("ZeroPad2D", {"padding": 1}, (2, 3, 4, 5)),
        ("ReflectionPad1D", {"padding": 2}, (2, 3, 4)),
        ("ReflectionPad2D", {"padding": (1, 2, 0, 3)}, (2, 3, 4, 5)),
        ("ReplicationPad1D", {"padding": (3, 1)}, (2, 3, 4)),
        ("ReplicationPad2D", {"padding": 2}, (2, 3, 4, 5)),
        ("CircularPad1D", {"padding": 2}, (2, 3, 4)),
        ("CircularPad2D", {"padding": (1, 2, 0, 3)}, (2, 3, 4, 5)),
        ("PixelShuffle", {"upscale_factor": 2}, (2, 8, 3, 5)),
        ("PixelUnshuffle", {"downscale_factor": 2}, (2, 3, 4, 6)),
        ("Unflatten", {"dim": 1, "unflattened_size": (2, 3)}, (2, 6, 4)),
        ("Unfold", {"kernel_size": (2, 3), "stride": 2, "padding": 1}, (2, 3, 5, 6)),
        ("Fold", {"output_size": (4, 5), "kernel_size": 2}, (2, 8, 12)),
        ("LocalResponseNorm", {"size": 2}, (2, 5, 4, 3)),
    ],
)
def test_layers_without_weights(name: str, settings_: dict[str, Any], shape: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    ours, theirs = getattr(nn, name)(**settings_), getattr(torch.nn, name.replace("D", "d"))(**settings_)
    np.testing.assert_allclose(np.asarray(ours(x)), theirs(torch.tensor(x)).numpy(), rtol=1e-5, atol=1e-6)
    assert repr(ours).startswith(f"{name}(")
    assert {type(n) for n in ours(nn.Tensor(x)).shape} == {int}


@pytest.mark.parametrize(
    ("name", "settings_", "shape"),
    [
        ("BatchNorm1D", {}, (6, 4)),
        ("BatchNorm1D", {"momentum": None}, (6, 4, 3)),
        ("BatchNorm1D", {"affine": False, "track_running_stats": False}, (6, 4)),
        ("BatchNorm2D", {"momentum": None, "eps": 1e-3}, (5, 4, 3, 3)),
        ("BatchNorm2D", {"track_running_stats": False}, (5, 4, 3, 3)),
        ("InstanceNorm1D", {}, (3, 4, 5)),
        ("InstanceNorm1D", {"affine": True, "track_running_stats": True}, (3, 4, 5)),
        ("InstanceNorm2D", {"affine": True}, (3, 4, 5, 3)),
        ("InstanceNorm2D", {"track_running_stats": True}, (3, 4, 5, 3)),
    ],
)
def test_layers_with_running_statistics(name: str, settings_: dict[str, Any], shape: Any) -> None:
    """Three batches in training, one in evaluation: results, gradients and state."""
    rng = np.random.default_rng(0)
    ours = getattr(nn, name)(4, **settings_, dtype=np.float64)
    theirs = getattr(torch.nn, name.replace("D", "d"))(4, **settings_).double()
    for array in ours.parameters():
        array.assign(rng.normal(size=array.shape))
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    for training in (True, True, True, False):
        ours.train(training)
        theirs.train(training)
        x, gradient = rng.normal(2, 3, shape), rng.normal(size=shape)
        a, b = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        out, expected = ours(a), theirs(b)
        out.backward(gradient)
        expected.backward(torch.tensor(gradient))
        np.testing.assert_allclose(out.data, expected.detach().numpy(), atol=1e-10)
        np.testing.assert_allclose(a.grad, b.grad.numpy(), atol=1e-10)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, array in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key], array.numpy(), atol=1e-10)


@pytest.mark.parametrize(
    ("name", "settings_", "shape"),
    [
        ("GroupNorm", (2, 6), (3, 6, 4, 2)),
        ("GroupNorm", (6, 6), (3, 6, 4)),
        ("GroupNorm", (1, 6), (3, 6)),
        ("RMSNorm", (4,), (3, 6, 4)),
        ("RMSNorm", ((6, 4), 1e-3), (3, 6, 4)),
        ("RMSNorm", (4, None, False), (3, 4)),
    ],
)
def test_layers_that_normalise_each_example(name: str, settings_: Any, shape: Any) -> None:
    rng = np.random.default_rng(0)
    ours = getattr(nn, name)(*settings_, dtype=np.float64)
    theirs = getattr(torch.nn, name)(*settings_).double()
    for array in ours.parameters():
        array.assign(rng.normal(size=array.shape))
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    x, gradient = rng.normal(2, 3, shape), rng.normal(size=shape)
    a, b = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, expected = ours(a), theirs(b)
    out.backward(gradient)
    expected.backward(torch.tensor(gradient))
    pairs = [(out.data, expected), (a.grad, b.grad)]
    pairs += [(p.grad, q.grad) for p, q in zip(ours.parameters(), theirs.parameters(), strict=True)]
    for mine, other in pairs:
        np.testing.assert_allclose(mine, other.detach().numpy(), atol=1e-10)


def test_one_picture_without_a_batch_is_normalised_too() -> None:
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    layer = nn.InstanceNorm2D(4, dtype=np.float64)
    np.testing.assert_allclose(layer(x), layer(x[None])[0])
    for bad in (x[:3], x[None, None]):
        with pytest.raises(ValueError, match=r"InstanceNorm2D\(4\) takes"):
            layer(bad)


@pytest.mark.parametrize(("name", "shape"), [("Dropout1D", (40, 30, 5)), ("Dropout2D", (40, 30, 5, 2))])
def test_dropout_of_whole_channels(name: str, shape: Any) -> None:
    layer = getattr(nn, name)(0.25, rng=np.random.default_rng(0))
    x = np.ones(shape, np.float32)
    out = layer(x).reshape(*shape[:2], -1)
    assert (out == out[..., :1]).all()  # a channel stays, or goes, as a whole
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(out.mean() - 1) < 0.05
    assert out.dtype == np.float32
    np.testing.assert_array_equal(layer.eval()(x), x)
    assert (getattr(nn, name)(1.0)(x) == 0).all()
    assert layer.train()(x[0]).shape == x[0].shape  # one example


def test_fold_counts_how_often_unfold_saw_a_pixel() -> None:
    x = np.ones((1, 1, 4, 4))
    np.testing.assert_array_equal(nn.fold(nn.unfold(x, 2), (4, 4), 2)[0, 0, :2], [[1, 2, 2, 1], [2, 4, 4, 2]])
    with pytest.raises(ValueError, match=r"fold of shape \(1, 4, 8\): expected \(batch, channels \* 4, 9\)"):
        nn.fold(np.ones((1, 4, 8)), (4, 4), 2)

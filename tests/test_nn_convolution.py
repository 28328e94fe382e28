"""Exercise 41's convolution equals the sum it is defined as, whatever the shape, the padding and the memory order."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.nn import h_conv2d, h_conv2d_grad
from mazegrad.nn.convolution import conv_forward, conv_grad_image, conv_grad_kernel, winograd
from mazegrad.nn.convolution.layout import to_hcwb


# The definition, and its derivative read off from it: in float64, one kernel entry after the other.
def naive(image, kernel, padding=0):
    image = np.pad(image.astype(np.float64), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    (kernel_height, kernel_width), (height, width) = kernel.shape[2:], image.shape[2:]
    out_height, out_width = height - kernel_height + 1, width - kernel_width + 1
    output = np.zeros((len(image), len(kernel), out_height, out_width))
    for i in range(kernel_height):
        for j in range(kernel_width):
            seen = image[:, :, i : i + out_height, j : j + out_width]
            output += np.einsum("bchw,oc->bohw", seen, kernel[:, :, i, j].astype(np.float64))
    return output


def naive_grad(image, kernel, grad_output, padding=0):
    padded = np.pad(image.astype(np.float64), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    grad_padded, grad_kernel = np.zeros_like(padded), np.zeros(kernel.shape)
    grad_output, kernel = grad_output.astype(np.float64), kernel.astype(np.float64)
    out_height, out_width = grad_output.shape[2:]
    for i in range(kernel.shape[2]):
        for j in range(kernel.shape[3]):
            place = (..., slice(i, i + out_height), slice(j, j + out_width))
            grad_kernel[:, :, i, j] = np.einsum("bohw,bchw->oc", grad_output, padded[place])
            grad_padded[place] += np.einsum("bohw,oc->bchw", grad_output, kernel[:, :, i, j])
    height, width = image.shape[2:]
    return grad_padded[:, :, padding : padding + height, padding : padding + width], grad_kernel


def check(image, kernel, grad, padding=0):
    """The promise: max|a - b| <= 1e-6 max|b| in float32, for sums of up to 200 products without Winograd; else 1e-5.

    Longer sums in float32 are no closer, in PyTorch neither. Where the few numbers of a tiny result happen to cancel,
    max|b| says nothing about the rounding of what was added: the scale is at least the root of the summed squares.
    """
    quick = kernel.shape[2] == winograd.TAPS and min(kernel.shape[:2]) >= winograd.FEWEST_CHANNELS
    long = max(kernel[0].size, kernel[:, 0].size) > 200
    bound = 1e-14 if image.dtype == np.float64 else 1e-5 if quick or long else 1e-6
    before = [a.copy() for a in (image, kernel, grad)]
    results = [
        conv_forward(image, kernel, padding),
        conv_grad_image(kernel, grad, image.shape, padding),
        conv_grad_kernel(image, grad, kernel.shape, padding),
    ]
    exact = [naive(image, kernel, padding), *naive_grad(image, kernel, grad, padding)]
    squares = [naive(image**2, kernel**2, padding), *naive_grad(image**2, kernel**2, grad**2, padding)]
    for ours, sums, summed_squares in zip(results, exact, squares, strict=True):
        assert ours.shape == sums.shape
        assert ours.dtype == image.dtype
        scale = max(np.abs(sums).max(), np.sqrt(summed_squares.max()))
        assert np.abs(ours - sums).max() <= bound * scale
    for array, copy in zip((image, kernel, grad), before, strict=True):
        assert np.array_equal(array, copy), "an input was written to"


ORDERS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "rows": lambda a: np.ascontiguousarray(a.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2),
    "channels last": lambda a: np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
    "slice": lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=3)[::2, :, :, 1::3],
    "backwards": lambda a: np.ascontiguousarray(a[::-1, ::-1, ::-1, ::-1])[::-1, ::-1, ::-1, ::-1],
    "broadcast": lambda a: np.broadcast_to(a[:1, :, :1], a.shape),
}


@st.composite
def problems(draw, most_channels=9, least_channels=1):
    """An image, a kernel, an output's gradient and a padding, in any memory order."""
    padding, sides = draw(st.integers(0, 3)), st.sampled_from([1, 2, 3, 4, 5, 7])
    channels = st.integers(least_channels, most_channels)
    size = draw(sides), draw(sides)
    height, width = (draw(st.integers(max(1, k - 2 * padding), max(1, k - 2 * padding) + 11)) for k in size)
    batch, in_channels, out_channels = draw(st.integers(1, 7)), draw(channels), draw(channels)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def array(*shape):
        return ORDERS[draw(st.sampled_from(sorted(ORDERS)))](rng.standard_normal(shape).astype(dtype))

    image = array(batch, in_channels, height, width)
    kernel = array(out_channels, in_channels, *size)
    grad = array(batch, out_channels, *(n + 2 * padding - k + 1 for n, k in zip((height, width), size, strict=True)))
    return image, kernel, grad, padding


@given(problems())
@settings(max_examples=300, deadline=None)
def test_direct_sums(problem):
    check(*problem)


@given(problems(least_channels=30, most_channels=40))
@settings(max_examples=100, deadline=None)
def test_many_channels(problem):
    check(*problem)


SHAPES = {
    "s1": ((64, 1, 28, 28), (8, 1, 3, 3)),
    "s2": ((64, 8, 26, 26), (16, 8, 3, 3)),
    "s3": ((64, 16, 12, 12), (32, 16, 3, 3)),
    "s4": ((64, 1, 28, 28), (8, 1, 5, 5)),
    "s5": ((128, 32, 14, 14), (64, 32, 3, 3)),
    "s6": ((8, 64, 56, 56), (64, 64, 3, 3)),
    "the images collide in the cache": ((128, 4, 32, 32), (5, 4, 3, 3)),
    "several strips": ((700, 2, 40, 40), (3, 2, 3, 3)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_real_sizes(name):
    rng = np.random.default_rng(41)
    image, kernel = (rng.standard_normal(shape, np.float32) for shape in SHAPES[name])
    grad = rng.standard_normal(h_conv2d(image, kernel).shape, np.float32)
    check(image, kernel, grad)


def test_the_exercise_is_made_of_the_same_workers():
    rng = np.random.default_rng(2)
    image, kernel, grad = (rng.standard_normal(s) for s in [(2, 3, 6, 7), (4, 3, 3, 5), (2, 4, 4, 3)])
    np.testing.assert_allclose(h_conv2d(image, kernel), naive(image, kernel), rtol=0, atol=1e-12)
    for ours, exact in zip(h_conv2d_grad(image, kernel, grad), naive_grad(image, kernel, grad), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-12)


def test_gradients_are_derivatives():
    """Against central differences: the one test that trusts no formula, not even the reference's."""
    rng = np.random.default_rng(0)
    image, kernel, toward = (rng.standard_normal(s) for s in [(2, 3, 6, 7), (4, 3, 3, 5), (2, 4, 4, 3)])

    def loss(image, kernel):
        return (h_conv2d(image, kernel) * toward).sum()

    grad_image, grad_kernel = h_conv2d_grad(image, kernel, toward)
    by_image, by_kernel = rng.standard_normal(image.shape), rng.standard_normal(kernel.shape)
    slope = (loss(image + by_image, kernel) - loss(image - by_image, kernel)) / 2  # exact: the loss is linear in each
    assert (grad_image * by_image).sum() == pytest.approx(slope, rel=1e-11)
    slope = (loss(image, kernel + by_kernel) - loss(image, kernel - by_kernel)) / 2
    assert (grad_kernel * by_kernel).sum() == pytest.approx(slope, rel=1e-11)


@pytest.mark.parametrize("padding", [0, 1, 2, 5])
@pytest.mark.parametrize("height", [3, 4, 5, 7, 17])
def test_winograd_and_the_direct_sum_meet(monkeypatch, height, padding):
    """Also where tiles lie half, or wholly, on the padding, and where the last one is short of a row."""
    monkeypatch.setattr(winograd, "FEWEST_COLUMNS", 0)
    monkeypatch.setattr(winograd, "FEWEST_PRODUCTS", 0)
    rng = np.random.default_rng(5)
    image, kernel = rng.standard_normal((3, 40, height, 5)), rng.standard_normal((33, 40, 3, 3))
    grad = rng.standard_normal((3, 33, height + 2 * padding - 2, 5 + 2 * padding - 2))
    runs = [lambda: conv_forward(image, kernel, padding), lambda: conv_grad_kernel(image, grad, kernel.shape, padding)]
    if padding <= 2:
        runs.append(lambda: conv_grad_image(kernel, grad, image.shape, padding))
    quick = [run() for run in runs]
    monkeypatch.setattr(winograd, "FEWEST_CHANNELS", 10**6)
    for by_tiles, run in zip(quick, runs, strict=True):
        direct = run()
        assert grad.shape[2] < 3 or not np.array_equal(by_tiles, direct), "both went the same way"
        np.testing.assert_allclose(by_tiles, direct, rtol=0, atol=1e-12)


@pytest.mark.parametrize("share", [0.06, 0.004, 0.001])
def test_many_large_pixels_are_bounded_by_the_size_of_the_outputs(share):
    """So many that Winograd's transforms are used: all errors are below 1e-5 of the outputs' root mean square."""
    rng = np.random.default_rng(7)
    image, kernel = (rng.standard_normal(shape, np.float32) for shape in [(4, 64, 16, 16), (64, 64, 3, 3)])
    image[rng.random(image.shape) < share] *= 1e4
    right = naive(image.astype(float), kernel.astype(float), 1)
    assert np.abs(conv_forward(image, kernel, 1) - right).max() < 1e-5 * np.sqrt((right**2).mean())


@pytest.mark.parametrize("place", [(), (1, 3, 8, 8), (0, 0, 0, 15)])
@pytest.mark.parametrize("value", [1e3, 1e4, 1e6, 3e38, np.inf, -np.inf, np.nan])
def test_one_large_pixel_reaches_only_the_outputs_that_see_it(value, place):
    """All other outputs, and those gradients, are as accurate as without it: Winograd's transforms mix six rows."""
    rng = np.random.default_rng(6)
    image, kernel = (rng.standard_normal(shape, np.float32) for shape in [(3, 64, 16, 16), (64, 64, 3, 3)])
    grad = rng.standard_normal((3, 64, 16, 16), np.float32)
    exact = [naive(image, kernel, 1), naive_grad(image, kernel, grad, 1)[0]]
    if place:
        image[place] = grad[place] = value
    with np.errstate(over="ignore", invalid="ignore"):  # the outputs that see it
        results = [conv_forward(image, kernel, 1), conv_grad_image(kernel, grad, image.shape, 1)]
    if np.isinf(value) and place == (1, 3, 8, 8):
        assert np.isinf(results[0]).sum() == np.isinf(results[1]).sum() == 9 * 64
    for result, right in zip(results, exact, strict=True):
        away = np.ones(result.shape, bool)
        if place:
            number, _, y, x = place
            away[number, :, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = False
        assert np.abs(result - right)[away].max() < 3e-4


def test_a_net_stays_in_rows():
    rng = np.random.default_rng(1)
    output = h_conv2d(rng.standard_normal((4, 2, 9, 8)), rng.standard_normal((3, 2, 3, 3)))
    for array in (output, np.maximum(output, 0), output + np.ones((3, 1, 1))):
        assert np.shares_memory(to_hcwb(array), array), "converted though it was in order"


def test_an_empty_batch():
    for channels in (2, 40):
        image, kernel = np.ones((0, channels, 9, 9)), np.ones((channels, channels, 3, 3))
        output = h_conv2d(image, kernel)
        assert output.shape == (0, channels, 7, 7)
        grad_image, grad_kernel = h_conv2d_grad(image, kernel, output)
        assert grad_image.shape == image.shape
        assert np.array_equal(grad_kernel, np.zeros_like(kernel))


def test_infinities_stay_where_they_are_seen():
    image = np.zeros((1, 1, 9, 9), np.float32)
    image[0, 0, 4, 4] = np.inf
    output = h_conv2d(image, np.ones((1, 1, 3, 3), np.float32))
    assert np.array_equal(np.isinf(output[0, 0]), np.pad(np.ones((3, 3), bool), 2))


def test_the_derivation_in_the_docs_runs():
    page = (Path(__file__).parents[1] / "docs" / "exercise_41.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    exec("\n".join(blocks), {})


IMAGE, KERNEL = np.ones((2, 3, 8, 8), np.float32), np.ones((4, 3, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("image", "kernel", "error", "words"),
    [
        (IMAGE[0], KERNEL, ValueError, r"image .*\(3, 8, 8\).*\(batch, channels, height, width\)"),
        (IMAGE, KERNEL[0, 0], ValueError, r"kernel .*\(3, 3\).*\(out_channels, channels"),
        (IMAGE, np.ones((4, 2, 3, 3), np.float32), ValueError, r"\(2, 3, 8, 8\) has 3 channels.*\(4, 2, 3, 3\)"),
        (IMAGE, np.ones((4, 3, 2, 3), np.float32), ValueError, r"\(4, 3, 2, 3\) is 2 x 3.*odd"),
        (IMAGE, np.ones((4, 3, 3, 4), np.float32), ValueError, r"3 x 4.*odd"),
        (IMAGE, np.ones((4, 3, 9, 9), np.float32), ValueError, r"\(4, 3, 9, 9\) is larger than image \(2, 3, 8, 8\)"),
        (IMAGE, KERNEL.astype(np.float64), TypeError, "image is float32, but kernel is float64"),
        (IMAGE.astype(int), KERNEL, TypeError, "image is int64; expected float32 or float64"),
        (IMAGE.tolist(), KERNEL, TypeError, "image must be a numpy array, not list"),
    ],
)
def test_bad_input_is_named(image, kernel, error, words):
    with pytest.raises(error, match=words):
        h_conv2d(image, kernel)
    with pytest.raises(error, match=words):
        h_conv2d_grad(image, kernel, np.ones((2, 4, 6, 6), np.float32))


def test_a_bad_gradient_is_named():
    with pytest.raises(ValueError, match=r"grad_output has shape \(2, 4, 8, 8\).*has shape \(2, 4, 6, 6\)"):
        h_conv2d_grad(IMAGE, KERNEL, np.ones((2, 4, 8, 8), np.float32))
    with pytest.raises(ValueError, match="four axes"):
        h_conv2d_grad(IMAGE, KERNEL, np.ones((4, 6, 6), np.float32))
    with pytest.raises(TypeError, match="grad_output is float64, but image and kernel are float32"):
        h_conv2d_grad(IMAGE, KERNEL, np.ones((2, 4, 6, 6)))


@given(problems())
@settings(max_examples=100, deadline=None)
def test_torch_agrees(problem):
    torch = pytest.importorskip("torch", reason="parity with PyTorch needs the extra `parity`")
    image, kernel, grad, padding = problem
    tensors = [torch.from_numpy(a.copy()).requires_grad_() for a in (image, kernel)]
    output = torch.nn.functional.conv2d(*tensors, padding=padding)
    output.backward(torch.from_numpy(grad.copy()))
    bound = 1e-5 if image.dtype == np.float32 else 1e-13
    for ours, theirs in [
        (conv_forward(image, kernel, padding), output.detach()),
        (conv_grad_image(kernel, grad, image.shape, padding), tensors[0].grad),
        (conv_grad_kernel(image, grad, kernel.shape, padding), tensors[1].grad),
    ]:
        theirs = theirs.numpy()
        assert np.abs(ours - theirs).max() <= bound * max(1, np.abs(theirs).max())

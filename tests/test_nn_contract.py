"""One contract for every differentiable operation: gradcheck, PyTorch's numbers, both memory orders, plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import functional, operations

few = hypothesis.settings(max_examples=12, deadline=None, derandomize=True)


@dataclass
class Case:
    """One operation: how to call it, what it takes, and the same in torch (None: torch has no such thing)."""

    call: Callable[..., Any]
    inputs: Callable[[Any, np.random.Generator], list[np.ndarray]]  # draw, rng -> arrays
    torch: Callable[..., Any] | None


def sizes(draw: Any, count: int, low: int = 1, high: int = 5) -> list[int]:
    return [draw(st.integers(low, high)) for _ in range(count)]


def any_shape(draw: Any) -> list[int]:
    return sizes(draw, draw(st.integers(0, 4)))


def one(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=any_shape(draw))]


def positive(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.uniform(0.2, 3, any_shape(draw))]


def matrix(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=sizes(draw, draw(st.integers(2, 4))))]


def two_rows(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=[2 * draw(st.integers(1, 3)), *sizes(draw, draw(st.integers(0, 2)))])]


def matrices(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=sizes(draw, 2))]


def pair(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Two shapes that broadcast: some axes are 1, and the second may lack leading ones."""
    shape = any_shape(draw)
    a, b = ([1 if draw(st.integers(0, 3)) == 0 else n for n in shape] for _ in range(2))
    return [rng.normal(size=a), rng.normal(size=b[draw(st.integers(0, len(b))) :])]


def quotient(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    a, b = pair(draw, rng)
    return [a, np.sign(b) * (np.abs(b) + 0.3)]


def powers(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    a, b = pair(draw, rng)
    return [np.abs(a) + 0.2, b]


def image(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=sizes(draw, 2) + sizes(draw, 2, 3, 7))]


def three_equal(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    shape = sizes(draw, 3)
    return [rng.normal(size=shape) for _ in range(3)]


def three_classes(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    shape = [*sizes(draw, 1), *sizes(draw, 1, 2, 4), *draw(st.sampled_from([[], [2], [2, 3]]))]
    return [rng.normal(size=shape) for _ in range(3)]


def joinable(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    a, b, c = sizes(draw, 3)
    return [rng.normal(size=(a, n, b)) for n in (c, 1, 2)]


def products(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    n, k, m, batch = sizes(draw, 4)
    return [
        rng.normal(size=shape)
        for shape in draw(
            st.sampled_from(
                [
                    [(n, k), (k, m)],
                    [(k,), (k,)],
                    [(n, k), (k,)],
                    [(k,), (k, m)],
                    [(batch, n, k), (k, m)],
                    [(batch, n, k), (batch, k, m)],
                    [(2, 1, n, k), (batch, k, m)],
                    [(batch, n, k), (k,)],
                    [(k,), (batch, k, m)],
                ]
            )
        )
    ]


def affine(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    n, k, m = sizes(draw, 3)
    lead = draw(st.sampled_from([(n,), (n, 2), ()]))
    return [rng.normal(size=shape) for shape in ((*lead, k), (m, k), (m,))]


def convolved(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    b, c, o = sizes(draw, 3, 1, 4)
    kh, kw = (2 * n + 1 for n in sizes(draw, 2, 0, 2))
    h, w = sizes(draw, 2, 5, 8)
    return [rng.normal(size=shape) for shape in ((b, c, h, w), (o, c, kh, kw), (o,))]


def general_convolution(axes: int, transposed: bool = False) -> Callable[[Any, np.random.Generator], list[np.ndarray]]:
    """An image of 4 channels, an even or odd kernel for two groups, and a bias."""

    def draw_three(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
        batch, out = sizes(draw, 2, 1, 3)
        kernel, image = sizes(draw, axes, 1, 4), sizes(draw, axes, 7, 9)
        shapes = (batch, 4, *image), (4, out, *kernel) if transposed else (2 * out, 2, *kernel), (2 * out,)
        return [rng.normal(size=shape) for shape in shapes]

    return draw_three


def sequence(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=sizes(draw, 2) + sizes(draw, 1, 4, 9))]


def grouped(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    b, c, h, w = sizes(draw, 2, 2, 4) + sizes(draw, 2, 2, 4)
    return [rng.normal(size=shape) for shape in ((b, 2 * c, h, w), (2 * c,), (2 * c,))]


def with_channels(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    b, c, h, w = sizes(draw, 2, 4, 6) + sizes(draw, 2)  # of two or three values float32 cannot take the variance well
    return [rng.normal(size=shape) for shape in ((b, c, h, w), (c,), (c,))]


def with_last(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    *lead, n = sizes(draw, 2) + sizes(draw, 1, 4, 8)
    return [rng.normal(size=shape) for shape in ((*lead, n), (n,), (n,))]


def logits(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    lead, classes, rest = sizes(draw, 1), sizes(draw, 1, 2, 6), draw(st.sampled_from([[], [3], [2, 3]]))
    return [2 * rng.normal(size=[*lead, *classes, *rest])]


def table(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=sizes(draw, 2, 3, 6))]


def einsum_of(*subscripts: str) -> Callable[[Any, np.random.Generator], list[np.ndarray]]:
    def draw_two(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
        size = dict(zip("bijkqd", sizes(draw, 6), strict=True))
        return [rng.normal(size=[size[letter] for letter in letters]) for letters in subscripts]

    return draw_two


def asking(draw: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Queries, keys and values; the leading axes broadcast."""
    batch, heads, queries, keys, size, found = sizes(draw, 6)
    leads = draw(st.sampled_from([[[]] * 3, [[batch, heads]] * 3, [[batch, 1], [1, heads], [batch, heads]]]))
    shapes = [queries, size], [keys, size], [keys, found]
    return [rng.normal(size=lead + shape) for lead, shape in zip(leads, shapes, strict=True)]


def may_look(query: Any, key: Any) -> np.ndarray:
    """A mask for queries (row) and keys (column), always the same for the same shape; the first key is always seen."""
    mask = np.random.default_rng(7).random((query.shape[-2], key.shape[-2])) < 0.6
    mask[:, 0] = True
    return mask


def chosen(x: Any) -> np.ndarray:
    """Numbers of elements along axis 1, some of them twice, for some of the rows."""
    shape = tuple(x.shape)
    return np.random.default_rng(7).integers(0, shape[1], ((shape[0] + 1) // 2, shape[1] + 1, *shape[2:]))


def corners(x: Any) -> np.ndarray:
    """Where the numbers of a pool were before it, if each was the first of its window: 2 x 2, or of 3 in a sequence."""
    shape = tuple(x.shape)
    rows, columns = np.indices(shape[2:] if len(shape) == 4 else (1, shape[2]))
    places = rows * 2 * 2 * shape[-1] + columns * 2 if len(shape) == 4 else columns[0] * 3
    return np.broadcast_to(places, shape).copy()


def targets(x: Any) -> np.ndarray:
    """Class numbers that fit the logits, always the same for the same shape."""
    shape = tuple(x.shape)
    found = np.random.default_rng(7).integers(0, shape[1], (shape[0], *shape[2:]))
    if found.size > 2:
        found.flat[1] = -100  # to be ignored
    return found


def weights_of(x: Any) -> np.ndarray:
    """How much each class counts."""
    return np.random.default_rng(7).uniform(0.5, 2, x.shape[1]).astype(np.float32 if "32" in str(x.dtype) else float)


def fractions(x: Any) -> np.ndarray:
    return np.random.default_rng(7).uniform(size=tuple(x.shape))


def every_other(a: Any, b: Any) -> np.ndarray:
    """A condition along the last axis of a and b, broadcast."""
    shape = np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    return np.arange(shape[-1] if shape else 1).reshape(-1 if shape else ()) % 2 == 0


def t() -> Any:
    """torch; asked for inside the cases, so that the list can be made without it."""
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


def tt(array: np.ndarray, like: Any = None) -> Any:
    """As a torch tensor, of the dtype of `like`."""
    return t().tensor(array) if like is None else t().tensor(array).to(like.dtype)


def F() -> Any:
    return t().nn.functional


def stats(x: Any) -> tuple[np.ndarray, np.ndarray]:
    c, dtype = x.shape[1], np.float32 if "32" in str(x.dtype) else np.float64
    return np.linspace(-1, 1, c).astype(dtype), np.linspace(0.5, 2, c).astype(dtype)


CASES: dict[str, Case] = {
    "add": Case(nn.add, pair, lambda a, b: a + b),
    "subtract": Case(nn.subtract, pair, lambda a, b: a - b),
    "multiply": Case(nn.multiply, pair, lambda a, b: a * b),
    "divide": Case(nn.divide, quotient, lambda a, b: a / b),
    "power": Case(nn.power, powers, lambda a, b: a**b),
    "maximum": Case(nn.maximum, pair, lambda a, b: t().maximum(a, b)),
    "minimum": Case(nn.minimum, pair, lambda a, b: t().minimum(a, b)),
    "where": Case(
        lambda a, b: nn.where(every_other(a, b), a, b), pair, lambda a, b: t().where(tt(every_other(a, b)), a, b)
    ),
    "negative": Case(nn.negative, one, lambda x: -x),
    "absolute": Case(nn.absolute, one, lambda x: x.abs()),
    "square": Case(nn.square, one, lambda x: x.square()),
    "sqrt": Case(nn.sqrt, positive, lambda x: x.sqrt()),
    "exp": Case(nn.exp, one, lambda x: x.exp()),
    "log": Case(nn.log, positive, lambda x: x.log()),
    "sin": Case(nn.sin, one, lambda x: x.sin()),
    "cos": Case(nn.cos, one, lambda x: x.cos()),
    "tanh": Case(nn.tanh, one, lambda x: x.tanh()),
    "sigmoid": Case(nn.sigmoid, one, lambda x: x.sigmoid()),
    "relu": Case(nn.relu, one, lambda x: x.relu()),
    "gelu": Case(nn.gelu, one, lambda x: F().gelu(x)),
    "gelu tanh": Case(lambda x: nn.gelu(x, approximate="tanh"), one, lambda x: F().gelu(x, approximate="tanh")),
    "clip": Case(lambda x: nn.clip(x, -0.5, 0.8), one, lambda x: x.clip(-0.5, 0.8)),
    "clip below": Case(lambda x: nn.clip(x, max=0.5), one, lambda x: x.clip(max=0.5)),
    "astype": Case(lambda x: nn.astype(x, x.dtype), one, lambda x: x.to(x.dtype)),
    "sum": Case(nn.sum, one, lambda x: x.sum()),
    "sum axis": Case(lambda x: nn.sum(x, (0, -1)), matrix, lambda x: x.sum((0, -1))),
    "mean": Case(lambda x: nn.mean(x, axis=1, keepdims=True), matrix, lambda x: x.mean(1, keepdim=True)),
    "var": Case(lambda x: nn.var(x, axis=0), two_rows, lambda x: x.var(0)),
    "var of several axes": Case(
        lambda x: nn.var(x, (0, -1), True, correction=0),
        matrix,
        lambda x: x.var((0, -1), correction=0, keepdim=True),
    ),
    "std": Case(lambda x: nn.std(x, 0), two_rows, lambda x: x.std(0)),
    "std of all": Case(lambda x: nn.std(x, correction=0.5), two_rows, lambda x: x.std(correction=0.5)),
    "norm": Case(nn.norm, one, lambda x: x.norm()),
    "norm 1": Case(lambda x: nn.norm(x, 1, dim=0), matrix, lambda x: x.norm(1, dim=0)),
    "norm 3": Case(lambda x: nn.norm(x, 3, (0, 1), True), matrix, lambda x: x.norm(3, dim=(0, 1), keepdim=True)),
    "norm 1/2": Case(lambda x: nn.norm(x, 0.5, dim=1), matrix, lambda x: x.norm(0.5, dim=1)),
    "norm -2": Case(lambda x: nn.norm(x, -2, dim=1), matrix, lambda x: x.norm(-2, dim=1)),
    "norm inf": Case(lambda x: nn.norm(x, np.inf, -1), matrix, lambda x: x.norm(np.inf, dim=-1)),
    "norm -inf": Case(lambda x: nn.norm(x, -np.inf), matrix, lambda x: x.norm(-np.inf)),
    "prod": Case(lambda x: nn.prod(x, 1, keepdim=True), matrix, lambda x: x.prod(1, keepdim=True)),
    "prod of all": Case(nn.prod, one, lambda x: x.prod()),
    "logsumexp": Case(lambda x: nn.logsumexp(x, 1), matrix, lambda x: x.logsumexp(1)),
    "logsumexp of several axes": Case(
        lambda x: nn.logsumexp(x, (0, -1), keepdim=True), matrix, lambda x: x.logsumexp((0, -1), keepdim=True)
    ),
    "cumsum": Case(lambda x: nn.cumsum(x, dim=1), matrix, lambda x: x.cumsum(1)),
    "gather": Case(lambda x: nn.gather(x, 1, chosen(x)), matrix, lambda x: x.gather(1, tt(chosen(x)))),
    "leaky_relu": Case(lambda x: nn.leaky_relu(x, 0.2), one, lambda x: F().leaky_relu(x, 0.2)),
    "prelu": Case(lambda x, w, _: nn.prelu(x, w), with_channels, lambda x, w, _: F().prelu(x, w) + 0 * _.sum()),
    "prelu of one slope": Case(
        lambda x, w, _: nn.prelu(x, w[:1]), with_channels, lambda x, w, _: F().prelu(x, w[:1]) + 0 * _.sum()
    ),
    "elu": Case(lambda x: nn.elu(x, 0.7), one, lambda x: F().elu(x, 0.7)),
    "celu": Case(lambda x: nn.celu(x, 0.5), one, lambda x: F().celu(x, 0.5)),
    "selu": Case(nn.selu, one, lambda x: F().selu(x)),
    "silu": Case(nn.silu, one, lambda x: F().silu(x)),
    "mish": Case(nn.mish, one, lambda x: F().mish(x)),
    "softplus": Case(lambda x: nn.softplus(x, 2.0, 1.0), one, lambda x: F().softplus(x, 2.0, 1.0)),
    "logsigmoid": Case(nn.logsigmoid, one, lambda x: F().logsigmoid(x)),
    "hardtanh": Case(lambda x: nn.hardtanh(x, -0.5, 0.7), one, lambda x: F().hardtanh(x, -0.5, 0.7)),
    "relu6": Case(lambda x: nn.relu6(8 * x), one, lambda x: F().relu6(8 * x)),
    "hardsigmoid": Case(lambda x: nn.hardsigmoid(4 * x), one, lambda x: F().hardsigmoid(4 * x)),
    "hardswish": Case(lambda x: nn.hardswish(4 * x), one, lambda x: F().hardswish(4 * x)),
    "softsign": Case(nn.softsign, one, lambda x: F().softsign(x)),
    "glu": Case(lambda x: nn.glu(x, 0), two_rows, lambda x: F().glu(x, 0)),
    "max": Case(lambda x: nn.max(x, axis=-1), matrix, lambda x: x.amax(-1)),
    "min": Case(nn.min, one, lambda x: x.amin(tuple(range(x.ndim)))),
    "reshape": Case(lambda x: nn.reshape(x, (x.shape[0], -1)), matrix, lambda x: x.reshape(x.shape[0], -1)),
    "reshape all": Case(lambda x: nn.reshape(x, -1), one, lambda x: x.reshape(-1)),
    "flatten": Case(nn.flatten, one, lambda x: x.flatten()),
    "flatten axes": Case(lambda x: nn.flatten(x, 1, -1), matrix, lambda x: x.flatten(1, -1)),
    "transpose": Case(nn.transpose, matrix, lambda x: x.permute(*range(x.ndim)[::-1])),
    "transpose axes": Case(
        lambda x: nn.transpose(x, (1, 0, *range(2, x.ndim))), matrix, lambda x: x.permute(1, 0, *range(2, x.ndim))
    ),
    "expand_dims": Case(lambda x: nn.expand_dims(x, 1), matrix, lambda x: x.unsqueeze(1)),
    "squeeze": Case(lambda x: nn.squeeze(x[:1], 0), matrix, lambda x: x[:1].squeeze(0)),
    "broadcast_to": Case(lambda x: nn.broadcast_to(x, (2, *x.shape)), one, lambda x: x.expand(2, *x.shape)),
    "getitem": Case(lambda x: operations.getitem(x, (slice(None, None, 2), -1)), matrix, lambda x: x[::2, -1]),
    "getitem twice": Case(
        lambda x: operations.getitem(x, np.array([0, -1, 0])), matrix, lambda x: x[t().tensor([0, -1, 0])]
    ),
    "concatenate": Case(lambda *xs: nn.concatenate(xs, axis=1), joinable, lambda *xs: t().cat(xs, 1)),
    "stack": Case(lambda *xs: nn.stack(xs, axis=-1), three_equal, lambda *xs: t().stack(xs, -1)),
    "matmul": Case(nn.matmul, products, lambda a, b: a @ b),
    "linear": Case(nn.linear, affine, lambda x, w, b: F().linear(x, w, b)),
    "einsum": Case(
        lambda a, b: nn.einsum("bqd,bkd->bqk", a, b),
        einsum_of("bqd", "bkd"),
        lambda a, b: t().einsum("bqd,bkd->bqk", a, b),
    ),
    "einsum sums alone": Case(
        lambda a, b: nn.einsum("ij,kj->jk", a, b), einsum_of("ij", "kj"), lambda a, b: t().einsum("ij,kj->jk", a, b)
    ),
    "einsum outer": Case(
        lambda a, b: nn.einsum("i,jk->kij", a, b), einsum_of("i", "jk"), lambda a, b: t().einsum("i,jk->kij", a, b)
    ),
    "einsum to one number": Case(
        lambda a, b: nn.einsum("ij,ji->", a, b), einsum_of("ij", "ji"), lambda a, b: t().einsum("ij,ji->", a, b)
    ),
    "einsum without axes": Case(
        lambda a, b: nn.einsum("ij,->ij", a, b), einsum_of("ij", ""), lambda a, b: t().einsum("ij,->ij", a, b)
    ),
    "einsum of one": Case(lambda a: nn.einsum("...i->i...", a), matrix, lambda a: t().einsum("...i->i...", a)),
    "einsum of the diagonal": Case(
        lambda a: nn.einsum("iij->ij", nn.einsum("ij,kl->ikj", a, a)),
        matrices,
        lambda a: t().einsum("iij->ij", t().einsum("ij,kl->ikj", a, a)),
    ),
    "einsum of three": Case(
        lambda a, b, c: nn.einsum("ij,kj,ij->ki", a, b, c),
        einsum_of("ij", "kj", "ij"),
        lambda a, b, c: t().einsum("ij,kj,ij->ki", a, b, c),
    ),
    "softmax": Case(lambda x: nn.softmax(x, dim=1), matrix, lambda x: x.softmax(1)),
    "log_softmax": Case(nn.log_softmax, matrix, lambda x: x.log_softmax(-1)),
    "conv2d": Case(nn.conv2d, convolved, lambda x, k, b: F().conv2d(x, k, b)),
    "conv2d padded": Case(
        lambda x, k, b: nn.conv2d(x, k, b, 1), convolved, lambda x, k, b: F().conv2d(x, k, b, padding=1)
    ),
    "conv2d padded beyond the kernel": Case(
        lambda x, k, b: nn.conv2d(x, k, b, 6), convolved, lambda x, k, b: F().conv2d(x, k, b, padding=6)
    ),
    "conv2d even, strided, dilated, grouped": Case(
        lambda x, k, b: nn.conv2d(x, k, b, padding=(1, 2), stride=(2, 3), dilation=(2, 1), groups=2),
        general_convolution(2),
        lambda x, k, b: F().conv2d(x, k, b, padding=(1, 2), stride=(2, 3), dilation=(2, 1), groups=2),
    ),
    "conv2d same": Case(
        lambda x, k, b: nn.conv2d(x, k, b, "same", groups=2, dilation=2),
        general_convolution(2),
        lambda x, k, b: F().conv2d(x, k, b, padding="same", groups=2, dilation=2),
    ),
    "conv1d": Case(
        lambda x, k, b: nn.conv1d(x, k, b, stride=2, padding=1, groups=2),
        general_convolution(1),
        lambda x, k, b: F().conv1d(x, k, b, stride=2, padding=1, groups=2),
    ),
    "conv_transpose2d": Case(
        lambda x, k, b: nn.conv_transpose2d(x, k, b, (2, 3), (0, 1), (1, 2), 2, (2, 1)),
        general_convolution(2, transposed=True),
        lambda x, k, b: F().conv_transpose2d(x, k, b, (2, 3), (0, 1), (1, 2), 2, (2, 1)),
    ),
    "conv_transpose1d": Case(
        lambda x, k, b: nn.conv_transpose1d(x, k, b, stride=2, groups=2),
        general_convolution(1, transposed=True),
        lambda x, k, b: F().conv_transpose1d(x, k, b, stride=2, groups=2),
    ),
    "bias_relu": Case(
        lambda x, b, _: functional.bias_relu(x, b),
        with_channels,
        lambda x, b, _: (x + b[:, None, None]).relu() + 0 * _.sum(),
    ),
    "max_pool2d": Case(lambda x: nn.max_pool2d(x, 2), image, lambda x: F().max_pool2d(x, 2)),
    "max_pool2d 3x1": Case(lambda x: nn.max_pool2d(x, (3, 1)), image, lambda x: F().max_pool2d(x, (3, 1))),
    "avg_pool2d": Case(lambda x: nn.avg_pool2d(x, (2, 3)), image, lambda x: F().avg_pool2d(x, (2, 3))),
    "max_pool2d overlapping": Case(
        lambda x: nn.max_pool2d(x, 3, 2, 1, ceil_mode=True),
        image,
        lambda x: F().max_pool2d(x, 3, 2, 1, ceil_mode=True),
    ),
    "max_pool2d dilated": Case(
        lambda x: nn.max_pool2d(x, 2, 1, dilation=2), image, lambda x: F().max_pool2d(x, 2, 1, dilation=2)
    ),
    "avg_pool2d overlapping": Case(
        lambda x: nn.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        image,
        lambda x: F().avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    ),
    "avg_pool2d ceil": Case(
        lambda x: nn.avg_pool2d(x, 2, 3, 1, ceil_mode=True), image, lambda x: F().avg_pool2d(x, 2, 3, 1, ceil_mode=True)
    ),
    "max_pool1d": Case(lambda x: nn.max_pool1d(x, 3, 2), sequence, lambda x: F().max_pool1d(x, 3, 2)),
    "avg_pool1d": Case(lambda x: nn.avg_pool1d(x, 3, 1, 1), sequence, lambda x: F().avg_pool1d(x, 3, 1, 1)),
    "adaptive_avg_pool2d": Case(
        lambda x: nn.adaptive_avg_pool2d(x, (2, 3)), image, lambda x: F().adaptive_avg_pool2d(x, (2, 3))
    ),
    "adaptive_avg_pool2d to one": Case(
        lambda x: nn.adaptive_avg_pool2d(x, 1), image, lambda x: F().adaptive_avg_pool2d(x, 1)
    ),
    "adaptive_max_pool2d": Case(
        lambda x: nn.adaptive_max_pool2d(x, (2, 3)), image, lambda x: F().adaptive_max_pool2d(x, (2, 3))
    ),
    "adaptive_avg_pool1d": Case(
        lambda x: nn.adaptive_avg_pool1d(x, 3), sequence, lambda x: F().adaptive_avg_pool1d(x, 3)
    ),
    "adaptive_max_pool1d": Case(
        lambda x: nn.adaptive_max_pool1d(x, 3), sequence, lambda x: F().adaptive_max_pool1d(x, 3)
    ),
    "pad": Case(lambda x: nn.pad(x, (1, -1, 0, 2), value=0.5), image, lambda x: F().pad(x, (1, -1, 0, 2), value=0.5)),
    "pad reflect": Case(
        lambda x: nn.pad(x, (2, 1, 1, 2), "reflect"), image, lambda x: F().pad(x, (2, 1, 1, 2), "reflect")
    ),
    "pad replicate": Case(
        lambda x: nn.pad(x, (2, 1, 1, 2), "replicate"), image, lambda x: F().pad(x, (2, 1, 1, 2), "replicate")
    ),
    "pad circular": Case(
        lambda x: nn.pad(x, (2, 1, 1, 2), "circular"), image, lambda x: F().pad(x, (2, 1, 1, 2), "circular")
    ),
    "unfold": Case(
        lambda x: nn.unfold(x, (2, 3), (2, 1), (1, 2), (1, 2)),
        image,
        lambda x: F().unfold(x, (2, 3), (2, 1), (1, 2), (1, 2)),
    ),
    "fold": Case(
        lambda x: nn.fold(x, (4, 5), (2, 3), 1, 1, (1, 2)),
        lambda draw, rng: [rng.normal(size=(*sizes(draw, 1), 6 * draw(st.integers(1, 3)), 5 * 3))],
        lambda x: F().fold(x, (4, 5), (2, 3), 1, 1, (1, 2)),
    ),
    "pixel_shuffle": Case(
        lambda x: nn.pixel_shuffle(x, 2),
        lambda draw, rng: [rng.normal(size=(2, 4 * draw(st.integers(1, 2)), *sizes(draw, 2)))],
        lambda x: F().pixel_shuffle(x, 2),
    ),
    "pixel_unshuffle": Case(
        lambda x: nn.pixel_unshuffle(x, 2),
        lambda draw, rng: [rng.normal(size=(*sizes(draw, 2), 2 * draw(st.integers(1, 3)), 4))],
        lambda x: F().pixel_unshuffle(x, 2),
    ),
    "unflatten": Case(
        lambda x: nn.unflatten(x, 1, (2, -1)),
        lambda draw, rng: [rng.normal(size=(2, 2 * draw(st.integers(1, 3)), 3))],
        lambda x: x.unflatten(1, (2, -1)),
    ),
    "local_response_norm": Case(
        lambda x: nn.local_response_norm(x, 3, 0.5), image, lambda x: F().local_response_norm(x, 3, 0.5)
    ),
    "normalize": Case(nn.normalize, matrix, lambda x: F().normalize(x)),
    "dropout1d": Case(lambda x: nn.dropout1d(x, 0.4, rng=np.random.default_rng(3)), sequence, None),
    "dropout2d": Case(lambda x: nn.dropout2d(x, 0.4, rng=np.random.default_rng(3)), image, None),
    "max_unpool2d": Case(
        lambda x: nn.max_unpool2d(x, corners(x), 2), image, lambda x: F().max_unpool2d(x, tt(corners(x)), 2)
    ),
    "max_unpool1d": Case(
        lambda x: nn.max_unpool1d(x, corners(x), 3), sequence, lambda x: F().max_unpool1d(x, tt(corners(x)), 3)
    ),
    "upsample": Case(lambda x: nn.upsample(x, scale_factor=2), image, lambda x: F().interpolate(x, scale_factor=2)),
    "interpolate": Case(lambda x: nn.interpolate(x, (5, 4)), image, lambda x: F().interpolate(x, (5, 4))),
    "interpolate linear": Case(
        lambda x: nn.interpolate(x, scale_factor=1.7, mode="linear"),
        sequence,
        lambda x: F().interpolate(x, scale_factor=1.7, mode="linear"),
    ),
    "interpolate bilinear": Case(
        lambda x: nn.interpolate(x, (5, 9), mode="bilinear", align_corners=True),
        image,
        lambda x: F().interpolate(x, (5, 9), mode="bilinear", align_corners=True),
    ),
    "interpolate bicubic": Case(
        lambda x: nn.interpolate(x, (5, 9), mode="bicubic"),
        image,
        lambda x: F().interpolate(x, (5, 9), mode="bicubic"),
    ),
    "group_norm": Case(lambda x, w, b: nn.group_norm(x, 2, w, b), grouped, lambda x, w, b: F().group_norm(x, 2, w, b)),
    "instance_norm": Case(
        lambda x, w, b: nn.instance_norm(x, None, None, w, b),
        grouped,
        lambda x, w, b: F().instance_norm(x, None, None, w, b),
    ),
    "rms_norm": Case(
        lambda x, w, _: nn.rms_norm(x, x.shape[-1], w, 1e-3),
        with_last,
        lambda x, w, _: F().rms_norm(x, x.shape[-1:], w, 1e-3) + 0 * _.sum(),
    ),
    "layer_norm": Case(
        lambda x, w, b: nn.layer_norm(x, x.shape[-1], w, b),
        with_last,
        lambda x, w, b: F().layer_norm(x, x.shape[-1:], w, b),
    ),
    "batch_norm": Case(
        lambda x, w, b: nn.batch_norm(x, None, None, w, b, training=True),
        with_channels,
        lambda x, w, b: F().batch_norm(x, None, None, w, b, training=True),
    ),
    "batch_norm eval": Case(
        lambda x, w, b: nn.batch_norm(x, *stats(x), w, b),
        with_channels,
        lambda x, w, b: F().batch_norm(x, *map(tt, stats(x)), w, b),
    ),
    "embedding": Case(
        lambda w: nn.embedding([[0, 2], [2, 1]], w), table, lambda w: F().embedding(t().tensor([[0, 2], [2, 1]]), w)
    ),
    "dropout": Case(lambda x: nn.dropout(x, 0.4, rng=np.random.default_rng(3)), matrix, None),
    "scaled_dot_product_attention": Case(
        nn.scaled_dot_product_attention, asking, lambda q, k, v: F().scaled_dot_product_attention(q, k, v)
    ),
    "scaled_dot_product_attention masked": Case(
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, may_look(q, k)),
        asking,
        lambda q, k, v: F().scaled_dot_product_attention(q, k, v, tt(may_look(q, k))),
    ),
    "scaled_dot_product_attention biased": Case(
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, 2.0 * may_look(q, k), scale=0.5),
        asking,
        lambda q, k, v: F().scaled_dot_product_attention(q, k, v, tt(2.0 * may_look(q, k), q), scale=0.5),
    ),
    "scaled_dot_product_attention causal": Case(
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, is_causal=True),
        asking,
        lambda q, k, v: F().scaled_dot_product_attention(q, k, v, is_causal=True),
    ),
    "scaled_dot_product_attention dropout": Case(
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, dropout_p=0.4, rng=np.random.default_rng(3)),
        asking,
        None,
    ),
    "rotary_positions": Case(lambda x: nn.rotary_positions(x[..., : x.shape[-1] // 2 * 2]), matrix, None),
    "cross_entropy": Case(
        lambda x: nn.cross_entropy(x, targets(x)), logits, lambda x: F().cross_entropy(x, tt(targets(x)))
    ),
    "cross_entropy smooth": Case(
        lambda x: nn.cross_entropy(x, targets(x), reduction="sum", label_smoothing=0.1),
        logits,
        lambda x: F().cross_entropy(x, tt(targets(x)), reduction="sum", label_smoothing=0.1),
    ),
    "cross_entropy none": Case(
        lambda x: nn.cross_entropy(x, targets(x), reduction="none"),
        logits,
        lambda x: F().cross_entropy(x, tt(targets(x)), reduction="none"),
    ),
    "binary_cross_entropy_with_logits": Case(
        lambda x: nn.binary_cross_entropy_with_logits(x, fractions(x)),
        one,
        lambda x: F().binary_cross_entropy_with_logits(x, tt(fractions(x), x)),
    ),
    "cross_entropy weighted": Case(
        lambda x: nn.cross_entropy(x, targets(x), weights_of(x), label_smoothing=0.2),
        logits,
        lambda x: F().cross_entropy(x, tt(targets(x)), tt(weights_of(x), x), label_smoothing=0.2),
    ),
    "cross_entropy of probabilities": Case(
        lambda x, p, _: nn.cross_entropy(x, p, weights_of(x), label_smoothing=0.2),
        three_classes,
        lambda x, p, _: F().cross_entropy(x, p, tt(weights_of(x), x), label_smoothing=0.2) + 0 * _.sum(),
    ),
    "nll_loss": Case(
        lambda x: nn.nll_loss(x, targets(x), weights_of(x)),
        logits,
        lambda x: F().nll_loss(x, tt(targets(x)), tt(weights_of(x), x)),
    ),
    "nll_loss none": Case(
        lambda x: nn.nll_loss(x, targets(x), reduction="none"),
        logits,
        lambda x: F().nll_loss(x, tt(targets(x)), reduction="none"),
    ),
    "binary_cross_entropy_with_logits weighted": Case(
        lambda x, p, _: nn.binary_cross_entropy_with_logits(x, p, fractions(x), pos_weight=3 * fractions(x)),
        three_equal,
        lambda x, p, _: (
            F().binary_cross_entropy_with_logits(x, p, tt(fractions(x), x), pos_weight=3 * tt(fractions(x), x))
            + 0 * _.sum()
        ),
    ),
    "binary_cross_entropy": Case(
        lambda x: nn.binary_cross_entropy(nn.sigmoid(x), fractions(x), reduction="sum"),
        one,
        lambda x: F().binary_cross_entropy(x.sigmoid(), tt(fractions(x), x), reduction="sum"),
    ),
    "l1_loss": Case(lambda a, b, _: nn.l1_loss(a, b), three_equal, lambda a, b, _: F().l1_loss(a, b) + 0 * _.sum()),
    "huber_loss": Case(
        lambda a, b, _: nn.huber_loss(a, b, delta=0.7),
        three_equal,
        lambda a, b, _: F().huber_loss(a, b, delta=0.7) + 0 * _.sum(),
    ),
    "smooth_l1_loss": Case(
        lambda a, b, _: nn.smooth_l1_loss(a, b, beta=0.7, reduction="none"),
        three_equal,
        lambda a, b, _: F().smooth_l1_loss(a, b, beta=0.7, reduction="none") + 0 * _,
    ),
    "kl_div": Case(
        lambda a, b, _: nn.kl_div(a, nn.softmax(b), reduction="batchmean"),
        three_equal,
        lambda a, b, _: F().kl_div(a, b.softmax(-1), reduction="batchmean") + 0 * _.sum(),
    ),
    "kl_div log": Case(
        lambda a, b, _: nn.kl_div(a, b, log_target=True, reduction="sum"),
        three_equal,
        lambda a, b, _: F().kl_div(a, b, log_target=True, reduction="sum") + 0 * _.sum(),
    ),
    "mse_loss": Case(lambda a, b, _: nn.mse_loss(a, b), three_equal, lambda a, b, _: F().mse_loss(a, b) + 0 * _.sum()),
    "mse_loss none": Case(
        lambda a, b, _: nn.mse_loss(a, b, reduction="none"),
        three_equal,
        lambda a, b, _: F().mse_loss(a, b, reduction="none") + 0 * _,
    ),
}

every_case = pytest.mark.parametrize("name", CASES)


def batch_last(array: np.ndarray) -> np.ndarray:
    """The same numbers with the first axis fastest in memory, and images as (height, channels, width, batch)."""
    if array.ndim == 4:
        return np.ascontiguousarray(array.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)
    return np.array(array, order="F")


def backward(call: Callable[..., Any], arrays: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """The output, the inputs' gradients under fixed random weights, and those weights."""
    tensors = [nn.Tensor(array, requires_grad=True) for array in arrays]
    out = call(*tensors)
    weights = np.random.default_rng(5).normal(size=out.shape).astype(out.dtype)
    out.backward(weights)
    return out.data, [np.zeros_like(x.data) if x.grad is None else x.grad for x in tensors], weights


@every_case
@few
@hypothesis.given(data=st.data())
def test_backward_agrees_with_central_differences(name: str, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    nn.gradcheck(CASES[name].call, *CASES[name].inputs(data.draw, rng), rng=rng)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.torch])
@few
@hypothesis.given(data=st.data())
def test_values_and_gradients_are_those_of_torch(name: str, data: st.DataObject) -> None:
    torch, case = t(), CASES[name]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    arrays = [array.astype(dtype) for array in case.inputs(data.draw, rng)]
    out, grads, weights = backward(case.call, arrays)
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    expected = case.torch(*theirs)
    expected.backward(torch.tensor(weights))
    bound = 1e-5 if dtype == np.float32 else 1e-12 if name != "hardsigmoid" else 1e-7  # torch's 1/6 is a float32
    close(out, expected.detach().numpy(), bound)
    for grad, tensor in zip(grads, theirs, strict=True):
        close(grad, tensor.grad.numpy(), bound)


def close(a: np.ndarray, b: np.ndarray, bound: float) -> None:
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    assert np.abs(a - b).max(initial=0) <= bound * max(1.0, np.abs(b).max(initial=0))


@every_case
@few
@hypothesis.given(data=st.data())
def test_memory_order_changes_nothing(name: str, data: st.DataObject) -> None:
    if name == "dropout":
        pytest.skip("which elements drop depends on where they lie in memory")
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    arrays = CASES[name].inputs(data.draw, rng)
    out, grads, _ = backward(CASES[name].call, arrays)
    turned, turned_grads, _ = backward(CASES[name].call, [batch_last(array) for array in arrays])
    for a, b in zip([turned, *turned_grads], [out, *grads], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@every_case
@few
@hypothesis.given(data=st.data())
def test_plain_arrays_give_plain_arrays(name: str, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    arrays = [array.astype(np.float32) for array in CASES[name].inputs(data.draw, rng)]
    before = [array.copy() for array in arrays]
    out = CASES[name].call(*arrays)
    assert isinstance(out, np.ndarray | np.generic)
    tensor = CASES[name].call(*map(nn.Tensor, arrays))
    assert isinstance(tensor, nn.Tensor)
    assert out.dtype == tensor.dtype == np.float32
    np.testing.assert_array_equal(out, tensor.data)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


@every_case
@few
@hypothesis.given(data=st.data())
def test_backward_writes_into_nothing_that_was_handed_in(name: str, data: st.DataObject) -> None:
    """The gradient that arrives is borrowed: an operation that wrote into it would spoil its neighbours'."""
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    arrays = CASES[name].inputs(data.draw, rng)
    tensors = [nn.Tensor(array, requires_grad=True) for array in arrays]
    out = CASES[name].call(*tensors)
    gradient = rng.normal(size=out.shape)
    kept, values = gradient.copy(), [x.data.copy() for x in tensors]
    out.backward(gradient)
    np.testing.assert_array_equal(gradient, kept)
    for x, value in zip(tensors, values, strict=True):
        np.testing.assert_array_equal(x.data, value)
        if x.grad is not None:
            assert not np.shares_memory(x.grad, gradient)


def products_of_any_axes(draw: Any) -> tuple[str, list[np.ndarray]]:
    """Subscripts of any two operands and any output, from no axes on, and arrays that fit."""
    axes = st.permutations("ijkl").flatmap(lambda order: st.integers(0, 3).map(lambda count: "".join(order[:count])))
    left, right = draw(axes), draw(axes)
    out = draw(st.permutations(sorted({*left, *right})))
    size, rng = dict(zip("ijkl", sizes(draw, 4, 0, 3), strict=True)), np.random.default_rng(draw(st.integers(0, 99)))
    arrays = [rng.normal(size=[size[letter] for letter in letters]) for letters in (left, right)]
    return f"{left},{right}->{''.join(out[: draw(st.integers(0, len(out)))])}", arrays


@hypothesis.settings(few, max_examples=100)
@hypothesis.given(data=st.data())
def test_einsum_is_that_of_numpy_whatever_the_axes(data: st.DataObject) -> None:
    subscripts, arrays = products_of_any_axes(data.draw)
    expected = np.einsum(subscripts, *arrays)
    plain = nn.einsum(subscripts, *arrays)
    assert plain.shape == expected.shape
    np.testing.assert_allclose(plain, expected, rtol=1e-12, atol=1e-12)
    _, grads, weights = backward(lambda a, b: nn.einsum(subscripts, a, b), arrays)
    left, right, out = subscripts.replace("->", ",").split(",")
    for mine, other, letters, array, grad in (
        (left, right, out, arrays[1], grads[0]),
        (right, left, out, arrays[0], grads[1]),
    ):
        # the gradient is the einsum of the output's gradient with the other operand, and ones where mine is alone
        ones = np.ones(grad.shape)
        np.testing.assert_allclose(
            grad, np.einsum(f"{letters},{other},{mine}->{mine}", weights, array, ones), rtol=1e-12, atol=1e-12
        )


def test_a_number_is_an_operand_of_einsum_without_axes() -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(nn.einsum("ij,->ji", x, 2.0), 2 * x.T)
    np.testing.assert_array_equal(nn.einsum("ij,->ji", nn.Tensor(x), 2).data, 2 * x.T)


KEEPS_ORDER = [
    "add", "multiply", "where", "negative", "tanh", "sigmoid", "relu", "gelu", "clip", "max_pool2d", "avg_pool2d",
    "upsample", "batch_norm", "bias_relu", "conv2d", "dropout",
]  # fmt: skip


@pytest.mark.parametrize("name", KEEPS_ORDER)
def test_a_net_stays_in_its_memory_order(name: str) -> None:
    """Images that lie as (height, channels, width, batch) come out so, and so does their gradient."""
    rng = np.random.default_rng(0)
    x = nn.Tensor(batch_last(rng.normal(size=(4, 3, 8, 6))), requires_grad=True)
    others = {
        "conv2d": [rng.normal(size=(2, 3, 3, 3)), rng.normal(size=2)],
        "bias_relu": [rng.normal(size=3), np.zeros(1)],
        "batch_norm": [np.ones(3), np.ones(3)],
    }.get(name, [x] if len(CASES[name].inputs(lambda strategy: 3, rng)) == 2 else [])
    hidden = x * 1.0
    out = CASES[name].call(hidden, *[hidden if other is x else other for other in others])
    assert in_rows(out.data)
    out.backward(batch_last(rng.normal(size=out.shape)))
    assert x.grad is not None
    assert in_rows(x.grad)


def in_rows(array: np.ndarray) -> bool:
    return bool(array.transpose(2, 1, 3, 0).flags.c_contiguous)


def test_the_list_is_complete() -> None:
    """Every operation that the room exports stands in the list above."""
    covered = {name.split()[0] for name in CASES}
    exported = {name for room in (functional, operations) for name, thing in vars(room).items() if callable(thing)}
    exported -= {"getter", "__getattr__"}  # these answer for what is not here
    assert len(exported) > 50
    assert covered >= exported

"""What nets are made of, as functions: convolution, pooling, normalisation, softmax, losses.

Images are (batch, channels, height, width), in any memory order; the results keep the order in which they come.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import buffers
from .attention import scaled_dot_product_attention
from .convolution import conv_forward, conv_grad_image, conv_grad_kernel
from .graph import Array
from .operations import fit
from .rows import to_image, to_rows
from .tensor import Operand, Rule, Tensor, operation

REDUCTIONS = ("mean", "sum", "none")


# --------------------------------------------------------------------------------------------------------- convolution
@operation
def conv2d(image: Operand, kernel: Operand, bias: Operand = None, padding: int = 0, stride: int = 1) -> Rule:
    """Convolve (correlate) images with an odd kernel, stride 1; exercise 41.

    image (batch, channels, height, width), kernel (out_channels, channels, kernel_height, kernel_width), bias
    (out_channels,), `padding` zeros on each side -> (batch, out_channels, height + 2 padding - kernel_height + 1, ...).
    Raises ValueError naming both shapes when they do not fit.
    """
    check_conv(image, kernel, bias, padding, stride)
    image = to_image(to_rows(image))  # once for both passes
    out = conv_forward(image, kernel, padding)
    if bias is not None:
        out += bias[:, None, None]

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array | None, ...]:
        grad = to_image(to_rows(grad))  # once for both
        return (
            conv_grad_image(kernel, grad, image.shape, padding) if needs[0] else None,
            conv_grad_kernel(image, grad, kernel.shape, padding) if needs[1] else None,
            sum_channels(grad) if needs[2] else None,
        )

    return out, vjp


def check_conv(image: Array, kernel: Array, bias: Array | None, padding: int, stride: int) -> None:
    """Say what conv2d cannot take."""
    if stride != 1:
        raise ValueError(f"stride is {stride}, only 1 is there; to make pictures smaller, pool: MaxPool2D or AvgPool2D")
    if image.ndim != 4 or kernel.ndim != 4:
        raise ValueError(
            "expected image (batch, channels, height, width), kernel (out_channels, channels, height, width)"
        )
    if image.shape[1] != kernel.shape[1]:
        raise ValueError(f"the image has {image.shape[1]} channels, but the kernel is made for {kernel.shape[1]}")
    height, width = kernel.shape[2:]
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(f"the kernel is {height}x{width}; both must be odd")
    if not isinstance(padding, int | np.integer) or padding < 0:
        raise ValueError(f"padding is {padding!r}; expected 0, 1, 2, ..., one number for all sides")
    if image.shape[2] + 2 * padding < height or image.shape[3] + 2 * padding < width:
        raise ValueError(f"the {height}x{width} kernel is larger than the image with padding {padding}")
    if bias is not None and bias.shape != kernel.shape[:1]:
        raise ValueError(f"the bias must have shape {kernel.shape[:1]}, one number for each output channel")


def sum_channels(grad: Array) -> Array:
    """Sum (batch, channels, height, width) to (channels,): along memory first, which is quick."""
    rows = grad.transpose(2, 1, 3, 0)
    if not rows.flags.c_contiguous or not rows.size:
        return grad.sum((0, 2, 3))
    rows = rows.reshape(*rows.shape[:2], -1)
    return np.matmul(rows, np.ones(rows.shape[2], rows.dtype)).sum(0)


@operation
def bias_relu(x: Operand, bias: Operand) -> Rule:
    """relu(x + bias) for images x (batch, channels, height, width) and bias (channels,)."""
    level = np.empty_like(x[:, :, :1])  # a whole row of biases: numpy is quicker on arrays than on scalars
    level[...] = bias[:, None, None]
    out = np.maximum(x, -level, out=buffers.empty_like(x))
    out += level

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array, Array | None]:
        mask = np.greater(out, 0, out=buffers.empty_like(out, bool))
        through = np.multiply(grad, mask, out=buffers.empty_like(out))
        return through, sum_channels(through) if needs[1] else None

    return out, vjp


# ------------------------------------------------------------------------------------------------------------- pooling
@operation
def max_pool2d(input: Operand, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None) -> Rule:
    """Largest of each kernel_size window; windows touch and do not overlap, a rest at the border is dropped.

    The first largest, in reading order, gets the gradient, as in PyTorch.
    """
    height, width = pool_windows(input, kernel_size, stride)
    x_columns = [_every(input, 3, j, width) for j in range(width)]
    columns = _maximum(x_columns)
    column_rows = [_every(columns, 2, i, height) for i in range(height)]
    out = _maximum(column_rows)

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        grad_columns = buffers.empty_like(columns)
        _deal(grad, out, column_rows, grad_columns, 2, height)
        grad_x = buffers.empty_like(input)
        _deal(grad_columns, columns, x_columns, grad_x, 3, width)
        return (grad_x,)

    return out, vjp


def _every(x: Array, axis: int, start: int, step: int) -> Array:
    """Every step-th row (axis 2) or column (axis 3) from `start`, as many as there are whole windows."""
    stop = x.shape[axis] // step * step
    return x[:, :, start:stop:step] if axis == 2 else x[:, :, :, start:stop:step]


def _maximum(parts: Sequence[Array]) -> Array:
    if len(parts) == 1:
        return parts[0]
    out = np.maximum(parts[0], parts[1], out=buffers.empty_like(parts[0]))
    for part in parts[2:]:
        np.maximum(out, part, out=out)
    return out


def _deal(grad: Array, out: Array, parts: Sequence[Array], grad_x: Array, axis: int, step: int) -> None:
    """Hand each gradient to the first part that is the maximum; what is left over goes to the last."""
    last, left = len(parts) - 1, grad
    for i, part in enumerate(parts[:-1]):
        mine = _every(grad_x, axis, i, step)
        mask = np.equal(part, out, out=buffers.empty_like(out, bool))
        np.multiply(left, mask, out=mine)
        left = np.subtract(left, mine, out=_every(grad_x, axis, last, step))
    if last == 0:
        _every(grad_x, axis, 0, step)[...] = left
    rest = grad_x.shape[axis] // step * step
    (grad_x[:, :, rest:] if axis == 2 else grad_x[:, :, :, rest:])[...] = 0


@operation
def avg_pool2d(input: Operand, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None) -> Rule:
    """Mean of each kernel_size window; windows touch and do not overlap, a rest at the border is dropped."""
    height, width = pool_windows(input, kernel_size, stride)
    cells = [(i, j) for i in range(height) for j in range(width)]
    out = np.zeros_like(_every(_every(input, 2, 0, height), 3, 0, width))
    for i, j in cells:
        out += _every(_every(input, 2, i, height), 3, j, width)
    out /= len(cells)

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        grad_x, share = np.zeros_like(input), grad / len(cells)
        for i, j in cells:
            _every(_every(grad_x, 2, i, height), 3, j, width)[...] = share
        return (grad_x,)

    return out, vjp


def pool_windows(x: Array, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None) -> tuple[int, int]:
    """The window's height and width; ValueError when the windows would overlap or not fit."""
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    if stride is not None and stride != kernel_size and stride != (height, width):
        raise ValueError(f"stride {stride} with kernel_size {kernel_size}: windows touch here, the two must be equal")
    if x.ndim != 4:
        raise ValueError("expected (batch, channels, height, width)")
    if not 0 < height <= x.shape[2] or not 0 < width <= x.shape[3]:
        raise ValueError(f"a {height}x{width} window does not fit")
    return height, width


@operation
def upsample(input: Operand, *, scale_factor: int = 2) -> Rule:
    """Repeat each pixel scale_factor times in both directions (PyTorch's mode "nearest")."""
    if input.ndim != 4 or scale_factor < 1 or int(scale_factor) != scale_factor:
        raise ValueError(f"expected (batch, channels, height, width) and a whole scale_factor, not {scale_factor}")
    cells = [(i, j) for i in range(scale_factor) for j in range(scale_factor)]
    order = np.argsort([-stride for stride in input.strides], kind="stable")
    shape = (*input.shape[:2], input.shape[2] * scale_factor, input.shape[3] * scale_factor)
    out = buffers.empty([shape[axis] for axis in order], input.dtype).transpose(np.argsort(order))
    for i, j in cells:
        out[:, :, i::scale_factor, j::scale_factor] = input

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        grad_x = np.zeros_like(input)
        for i, j in cells:
            grad_x += grad[:, :, i::scale_factor, j::scale_factor]
        return (grad_x,)

    return out, vjp


# ------------------------------------------------------------------------------------------------------- normalisation
@operation
def _normalise(
    x: Operand,
    weight: Operand,
    bias: Operand,
    mean: Array,
    variance: Array,
    own: bool,
    axes: tuple[int, ...],
    eps: float,
) -> Rule:
    """(x - mean) / sqrt(variance + eps) * weight + bias; `own`: mean and variance are x's, over `axes`."""
    scale = 1 / np.sqrt(variance + eps)
    normal = (x - mean) * scale
    out = normal if weight is None else normal * weight
    out = out if bias is None else out + bias

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array | None, ...]:
        inner = grad if weight is None else grad * weight
        grad_x = None
        if needs[0] and own:
            grad_x = inner - inner.mean(axes, keepdims=True)
            grad_x -= normal * (inner * normal).mean(axes, keepdims=True)
            grad_x *= scale
        elif needs[0]:
            grad_x = inner * scale
        return (
            grad_x,
            fit(grad * normal, weight) if needs[1] else None,
            fit(grad, bias) if needs[2] else None,
        )

    return out, vjp


def layer_norm(
    input: Operand,
    normalized_shape: int | Sequence[int],
    weight: Operand = None,
    bias: Operand = None,
    eps: float = 1e-5,
) -> Any:
    """Normalise over the last axes, those of `normalized_shape` (Ba, Kiros & Hinton 2016)."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    plain = _plain(input)
    if plain.shape[plain.ndim - len(shape) :] != shape:
        raise ValueError(f"layer_norm over {shape} of a tensor of shape {plain.shape}: its last axes must be {shape}")
    axes = tuple(range(-len(shape), 0))
    mean, variance = plain.mean(axes, keepdims=True), plain.var(axes, keepdims=True)
    return _normalise(input, weight, bias, mean=mean, variance=variance, own=True, axes=axes, eps=eps)


def batch_norm(
    input: Operand,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Operand = None,
    bias: Operand = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel, axis 1, over all other axes (Ioffe & Szegedy 2015).

    In training by the batch's own statistics, which also move the running ones, in place, by `momentum`; else by the
    running ones. All four vectors have shape (channels,).
    """
    plain = _plain(input)
    axes = tuple(axis for axis in range(plain.ndim) if axis != 1)
    column = (-1, *[1] * (plain.ndim - 2))
    count = plain.size // plain.shape[1]
    own = training or running_mean is None or running_var is None
    if running_mean is None or running_var is None or own:
        if count < 2:
            raise ValueError(f"batch_norm of shape {plain.shape}: one value a channel has no variance")
        mean, variance = plain.mean(axes), plain.var(axes)
    else:
        mean, variance = running_mean.astype(plain.dtype), running_var.astype(plain.dtype)
    out = _normalise(
        input,
        None if weight is None else weight.reshape(column),
        None if bias is None else bias.reshape(column),
        mean=mean.reshape(column),
        variance=variance.reshape(column),
        own=own,
        axes=axes,
        eps=eps,
    )
    if own and running_mean is not None and running_var is not None:  # last: what does not fit moves nothing
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (variance * (count / (count - 1)) - running_var)
    return out


def _plain(x: Any) -> Array:
    return x._array if isinstance(x, Tensor) else np.asarray(x)


# ------------------------------------------------------------------------------------------------ choosing, dropping
@operation
def _embedding(weight: Operand, index: Array) -> Rule:
    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        full = np.zeros_like(weight)
        if index.size:  # sort, then sum each run of equal indices
            flat, rows = index.ravel(), grad.reshape(-1, weight.shape[1])
            order = flat.argsort(kind="stable")
            chosen, first = np.unique(flat[order], return_index=True)
            full[chosen] = np.add.reduceat(rows[order], first)
        return (full,)

    return weight[index], vjp


def embedding(input: Any, weight: Operand) -> Any:
    """Rows of `weight` (num_embeddings, embedding_dim) for integers of any shape -> (*shape, embedding_dim)."""
    index = np.array(input)
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding takes integers, not {index.dtype}")
    if index.size and not 0 <= index.min() <= index.max() < len(weight):
        raise ValueError(f"embedding: indices from {index.min()} to {index.max()}, but there are {len(weight)} rows")
    return _embedding(weight, index=index)


@operation
def dropout(input: Operand, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | None = None) -> Rule:
    """Set each element to 0 with probability p, and divide the others by 1 - p (Srivastava et al. 2014)."""
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}; a probability lies between 0 and 1")
    if not training or p == 0:
        return input, lambda grad, needs: (grad,)
    if rng is None:
        raise ValueError("dropout in training needs rng=, a numpy.random.Generator")
    keep = np.empty_like(input)
    np.copyto(keep.ravel(order="K"), rng.random(input.size, dtype=input.dtype) >= p)
    keep *= 1 / (1 - p) if p < 1 else 0
    return input * keep, lambda grad, needs: (grad * keep,)


# ------------------------------------------------------------------------------------------------- softmax and losses
@operation
def softmax(input: Operand, dim: int = -1) -> Rule:
    """exp(input), normalised to sum 1 along `dim`."""
    out = np.exp(input - input.max(dim, keepdims=True))
    out /= out.sum(dim, keepdims=True)
    return out, lambda grad, needs: (out * (grad - (grad * out).sum(dim, keepdims=True)),)


@operation
def log_softmax(input: Operand, dim: int = -1) -> Rule:
    """log(softmax(input)) without its overflow."""
    out = input - input.max(dim, keepdims=True)
    out -= np.log(np.exp(out).sum(dim, keepdims=True))
    return out, lambda grad, needs: (grad - np.exp(out) * grad.sum(dim, keepdims=True),)


@operation
def _cross_entropy(logits: Operand, target: Array, reduction: str, ignore_index: int, label_smoothing: float) -> Rule:
    rows = logits if logits.ndim == 2 else np.moveaxis(logits, 1, -1).reshape(-1, logits.shape[1])
    flat, classes = target.ravel(), rows.shape[1]
    kept = flat != ignore_index
    count = np.count_nonzero(kept)
    picked = np.arange(flat.size), flat if count == flat.size else np.where(kept, flat, 0)
    log_p = rows - rows.max(1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    losses = log_p[picked] * (label_smoothing - 1)
    if label_smoothing:
        losses -= label_smoothing * log_p.mean(1)
    if count < flat.size:
        losses[~kept] = 0  # not by a factor: an ignored row may hold infinities

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        out = np.exp(log_p)
        out -= label_smoothing / classes
        out[picked] -= 1 - label_smoothing
        out *= (grad / count if reduction == "mean" else grad).reshape(-1, 1)
        if count < flat.size:
            out[~kept] = 0
        if logits.ndim == 2:
            return (out,)
        return (np.moveaxis(out.reshape(len(logits), *logits.shape[2:], classes), -1, 1),)

    if reduction == "none":
        return losses.reshape(target.shape), vjp
    return (losses.sum() / count if reduction == "mean" else losses.sum()).astype(logits.dtype), vjp


def cross_entropy(
    input: Operand, target: Any, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
) -> Any:
    """-log softmax(input)[target]: logits, input (batch, classes, ...), and target (batch, ...) of integers.

    Targets equal to `ignore_index` count for nothing. Warns when the input is already a softmax.
    """
    if isinstance(input, Tensor) and input._node is not None and input._node.name == "softmax":
        warnings.warn(
            "cross_entropy takes logits and applies softmax itself; here it follows a softmax, which flattens the"
            " gradient: leave the Softmax layer out",
            stacklevel=2,
        )
    target, shape = np.array(target), np.shape(input)
    if target.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: the target holds class numbers, integers, not {target.dtype}")
    if len(shape) < 2 or target.shape != (shape[0], *shape[2:]):
        fits = (shape[0], *shape[2:]) if len(shape) > 1 else "(batch,) beside logits (batch, classes)"
        raise ValueError(f"cross_entropy: logits of shape {shape} want a target of shape {fits}, not {target.shape}")
    if target.size and (target.min() < 0 or target.max() >= shape[1]):
        wrong = target[(target != ignore_index) & ((target < 0) | (target >= shape[1]))]
        if wrong.size:
            raise ValueError(f"cross_entropy: target {wrong[0]} is not a class; there are classes 0 to {shape[1] - 1}")
    _check_reduction(reduction)
    return _cross_entropy(
        input, target=target, reduction=reduction, ignore_index=ignore_index, label_smoothing=label_smoothing
    )


def _reduced(losses: Array, slope: Array, reduction: str) -> Rule:
    """Mean, sum or neither of elementwise losses, whose derivative is `slope`."""
    if reduction == "none":
        return losses, lambda grad, needs: (grad * slope, -grad * slope)
    share = 1 / losses.size if reduction == "mean" else 1.0

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array, Array | None]:
        first = slope * (grad * share)
        return first, -first if len(needs) > 1 and needs[1] else None

    return losses.sum() * losses.dtype.type(share), vjp


@operation
def _mse(x: Operand, target: Operand, reduction: str) -> Rule:
    rest = x - target
    return _reduced(rest * rest, 2 * rest, reduction)


def mse_loss(input: Operand, target: Operand, *, reduction: str = "mean") -> Any:
    """Squared difference, averaged over all elements; both of one shape."""
    if np.shape(input) != np.shape(target):
        raise ValueError(f"mse_loss: shapes {np.shape(input)} and {np.shape(target)} differ; nothing is broadcast here")
    _check_reduction(reduction)
    return _mse(input, target, reduction=reduction)


@operation
def _binary_cross_entropy(logits: Operand, target: Array, reduction: str) -> Rule:
    losses = np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
    out, vjp = _reduced(losses, np.tanh(logits * 0.5) * 0.5 + 0.5 - target, reduction)
    return out, lambda grad, needs: vjp(grad, needs)[:1]


def binary_cross_entropy_with_logits(input: Operand, target: Any, *, reduction: str = "mean") -> Any:
    """-log of the probability that sigmoid(input) gives to `target`, numbers from 0 to 1 of the same shape."""
    plain = _plain(target)
    if np.shape(input) != plain.shape:
        raise ValueError(f"binary_cross_entropy_with_logits: logits {np.shape(input)} and target {plain.shape} differ")
    _check_reduction(reduction)
    return _binary_cross_entropy(input, target=plain.astype(_plain(input).dtype), reduction=reduction)


def _check_reduction(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; one of {', '.join(REDUCTIONS)} is expected")


__all__ = [
    "avg_pool2d", "batch_norm", "bias_relu", "binary_cross_entropy_with_logits", "conv2d", "cross_entropy", "dropout",
    "embedding", "layer_norm", "log_softmax", "max_pool2d", "mse_loss",
    "scaled_dot_product_attention", "softmax", "upsample",
]  # fmt: skip

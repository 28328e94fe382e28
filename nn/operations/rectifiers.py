"""Rectifiers: relu's relatives, which bend at 0 or near it, each with its derivative beside it.

Values and slopes are PyTorch's, at the bends too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import POSITIVE, check
from ..graph import Array
from ..rules import Operand, Rule, composite, operation
from .activations import sigmoid
from .broadcasting import fit
from .elementwise import absolute, add, divide, multiply
from .shapes import getitem

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@operation
def leaky_relu(input: Operand, negative_slope: float = 0.01) -> Rule:
    """input above 0, and negative_slope * input below (Maas et al. 2013).

    Example:
        >>> from mazegrad import nn
        >>> nn.leaky_relu([-2.0, 3.0], negative_slope=0.1)
        array([-0.2,  3. ])
    """
    positive = input > 0
    out = np.where(positive, input, input * negative_slope)
    return out, lambda grad, needs, positive=positive, negative_slope=negative_slope: (
        np.where(positive, grad, grad * negative_slope),
    )


@operation
def prelu(input: Operand, weight: Operand) -> Rule:
    """leaky_relu whose negative slope is learned (He et al. 2015).

    Args:
        input: (batch, channels, ...).
        weight: (1,), or (channels,) for a slope of each channel.

    Example:
        >>> from mazegrad import nn
        >>> slope = nn.Parameter([0.25])
        >>> nn.prelu([[-2.0, 4.0]], slope).sum().backward()
        >>> slope.grad
        array([-2.], dtype=float32)
    """
    if np.ndim(weight) > 1 or (weight.size != 1 and (input.ndim < 2 or weight.size != input.shape[1])):
        raise ValueError("expected one weight, or one for each channel, the second axis of the input")
    slope = weight.reshape((weight.size, *[1] * (input.ndim - 2)) if weight.size != 1 else (1,) * input.ndim)
    positive = input > 0
    out = np.where(positive, input, slope * input)
    return out, lambda grad, needs, input=input, weight=weight, slope=slope, positive=positive: (
        np.where(positive, grad, slope * grad) if needs[0] else None,
        fit(np.where(positive, 0, grad * input), slope).reshape(weight.shape) if needs[1] else None,
    )


def _elu(input: Array, alpha: float, scale: float, steepness: float) -> Rule:
    """scale * input above 0, scale * alpha * (exp(steepness * input) - 1) below."""
    negative, height = input <= 0, scale * alpha
    out = np.where(negative, np.expm1(np.minimum(input, 0) * steepness) * height, input * scale)
    return out, lambda grad, needs, input=input, negative=negative, height=height, scale=scale, steepness=steepness: (
        np.where(negative, grad * (np.exp(np.minimum(input, 0) * steepness) * (height * steepness)), grad * scale),
    )


@operation
def elu(input: Operand, alpha: float = 1.0) -> Rule:
    """input above 0, and alpha * (exp(input) - 1) below (Clevert et al. 2016).

    Example:
        >>> from mazegrad import nn
        >>> nn.elu([-100.0, -1.0, 3.0]).round(3)
        array([-1.   , -0.632,  3.   ])
    """
    return _elu(input, alpha, 1.0, 1.0)


@operation
def celu(input: Operand, alpha: float = 1.0) -> Rule:
    """input above 0, and alpha * (exp(input / alpha) - 1) below: smooth at 0 for every alpha (Barron 2017).

    Example:
        >>> from mazegrad import nn
        >>> nn.celu([-100.0, -1.0, 3.0], alpha=2).round(3)
        array([-2.   , -0.787,  3.   ])
    """
    if alpha == 0:
        raise ValueError(f"alpha is {alpha}; expected another number")
    return _elu(input, alpha, 1.0, 1 / alpha)


@operation
def selu(input: Operand) -> Rule:
    """elu with the alpha and the scale that keep mean 0 and variance 1 (Klambauer et al. 2017).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> y = nn.selu(np.random.default_rng(0).normal(size=10_000))
        >>> abs(round(float(y.mean()), 1)), round(float(y.std()), 1)
        (0.0, 1.0)
    """
    return _elu(input, SELU_ALPHA, SELU_SCALE, 1.0)


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)), to the last digit also where it is tiny."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


@operation
def silu(input: Operand) -> Rule:
    """input * sigmoid(input), also called swish (Elfwing et al. 2018).

    Example:
        >>> from mazegrad import nn
        >>> nn.silu([-1.0, 0.0, 10.0]).round(3)
        array([-0.269,  0.   , 10.   ])
    """
    gate = logistic(input)
    return input * gate, lambda grad, needs, input=input: (grad * gate * (1 + input * (1 - gate)),)


@operation
def mish(input: Operand) -> Rule:
    """input * tanh(softplus(input)) (Misra 2020).

    Example:
        >>> from mazegrad import nn
        >>> nn.mish([-1.0, 0.0, 5.0]).round(3)
        array([-0.303,  0.   ,  5.   ])
    """
    gate = np.tanh(np.logaddexp(input, 0))
    return input * gate, lambda grad, needs, input=input: (grad * (gate + input * logistic(input) * (1 - gate * gate)),)


@operation
def softplus(input: Operand, beta: float = 1.0, threshold: float = 20.0) -> Rule:
    """log(1 + exp(beta * input)) / beta, and input itself where beta * input is above `threshold`.

    Example:
        >>> from mazegrad import nn
        >>> nn.softplus([-1.0, 0.0, 100.0]).round(3)
        array([  0.313,   0.693, 100.   ])
    """
    check(POSITIVE, beta=beta)
    straight = input * beta > threshold
    out = np.where(straight, input, np.logaddexp(input * beta, 0) / beta)
    return out, lambda grad, needs, input=input, beta=beta, straight=straight: (
        np.where(straight, grad, grad * logistic(input * beta)),
    )


@operation
def logsigmoid(input: Operand) -> Rule:
    """log(sigmoid(input)), without its overflow.

    Example:
        >>> from mazegrad import nn
        >>> nn.logsigmoid([-100.0, 0.0]).round(3)
        array([-100.   ,   -0.693])
    """
    return -np.logaddexp(-input, 0), lambda grad, needs, input=input: (grad * logistic(-input),)


@operation
def hardtanh(input: Operand, min_val: float = -1.0, max_val: float = 1.0) -> Rule:
    """input held between two numbers; its slope is 0 at both of them.

    Example:
        >>> from mazegrad import nn
        >>> nn.hardtanh([-2.0, 0.5, 2.0], min_val=0)
        array([0. , 0.5, 1. ])
    """
    if not min_val <= max_val:
        raise ValueError(f"min_val is {min_val} and max_val {max_val}; expected the first to be the smaller")
    outside = (input <= min_val) | (input >= max_val)
    return np.clip(input, min_val, max_val), lambda grad, needs, outside=outside: (np.where(outside, 0, grad),)


@operation
def relu6(input: Operand) -> Rule:
    """input held between 0 and 6 (Krizhevsky 2010); its slope is 0 at both.

    Example:
        >>> from mazegrad import nn
        >>> nn.relu6([-1.0, 3.0, 9.0])
        array([0., 3., 6.])
    """
    outside = (input <= 0) | (input >= 6)
    return np.clip(input, 0, 6), lambda grad, needs, outside=outside: (np.where(outside, 0, grad),)


@operation
def hardsigmoid(input: Operand) -> Rule:
    """relu6(input + 3) / 6: three straight lines like a sigmoid (Howard et al. 2019).

    Example:
        >>> from mazegrad import nn
        >>> nn.hardsigmoid([-4.0, 0.0, 1.5, 4.0])
        array([0.  , 0.5 , 0.75, 1.  ])
    """
    inside = (input > -3) & (input < 3)
    return np.clip(input + 3, 0, 6) / 6, lambda grad, needs, inside=inside: (np.where(inside, grad / 6, 0),)


@operation
def hardswish(input: Operand) -> Rule:
    """input * relu6(input + 3) / 6 (Howard et al. 2019).

    Example:
        >>> from mazegrad import nn
        >>> nn.hardswish([-1.5, 0.0, 1.5, 4.0])
        array([-0.375,  0.   ,  1.125,  4.   ])
    """
    return input * (np.clip(input + 3, 0, 6) / 6), lambda grad, needs, input=input: (
        grad * np.where(input <= -3, 0, np.where(input < 3, input / 3 + 0.5, 1)),
    )


@composite
def softsign(input: Operand) -> Any:
    """input / (1 + |input|).

    Example:
        >>> from mazegrad import nn
        >>> nn.softsign([-3.0, 0.0, 1.0])
        array([-0.75,  0.  ,  0.5 ])
    """
    return divide(input, add(absolute(input), 1.0))


@composite
def glu(input: Operand, dim: int = -1) -> Any:
    """The first half along `dim` times the sigmoid of the second (Dauphin et al. 2017).

    Example:
        >>> from mazegrad import nn
        >>> nn.glu([3.0, 5.0, 0.0, 100.0])  # 3 and 5 are gated by 0 and 100
        array([1.5, 5. ])
    """
    shape = np.shape(input)
    if not -len(shape) <= dim < len(shape) or shape[dim] % 2:
        raise ValueError(f"glu of shape {shape}: expected an even size along dim {dim}")
    before, half = (slice(None),) * (dim % len(shape)), shape[dim] // 2
    return multiply(getitem(input, (*before, slice(half))), sigmoid(getitem(input, (*before, slice(half, None)))))

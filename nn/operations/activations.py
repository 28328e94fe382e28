"""Activations: the functions between the layers of a net, each with its derivative beside it."""

from __future__ import annotations

import math

import numpy as np

from ..checks import check_choice
from ..rules import Operand, Rule, operation
from .normal import FARTHEST, normal


@operation
def tanh(input: Operand) -> Rule:
    """Hyperbolic tangent.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([0.0, 0.5, 20.0], requires_grad=True)
        >>> nn.grad(nn.tanh(x).sum(), x)[0]  # 1 - tanh(x)^2: nothing comes back from where it is flat
        Tensor([1.    , 0.7864, 0.    ], shape=(3,), float32)
    """
    out = np.tanh(input)
    return out, lambda grad, needs, out=out: (grad * (1 - out * out),)


@operation
def sigmoid(input: Operand) -> Rule:
    """1 / (1 + exp(-input)); where exp overflows the value is 0.

    Example:
        >>> from mazegrad import nn
        >>> nn.sigmoid([-1000.0, 0.0, 2.0]).round(3)
        array([0.   , 0.5  , 0.881])
    """
    out = 1 / (1 + np.exp(-input))
    return out, lambda grad, needs, out=out: (grad * (out * (1 - out)),)


@operation
def relu(input: Operand) -> Rule:
    """max(input, 0); its slope at 0 is 0.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
        >>> nn.relu(x)
        Tensor([0., 0., 2.], shape=(3,), float32, made by relu)
        >>> nn.grad(nn.relu(x).sum(), x)[0]
        Tensor([0., 0., 1.], shape=(3,), float32)
    """
    out = np.maximum(input, 0)
    return out, lambda grad, needs, out=out: (grad * (out > 0),)


@operation
def gelu(input: Operand, approximate: str = "none") -> Rule:
    """input times the normal distribution function at input (Hendrycks & Gimpel 2016).

    Args:
        input: any shape.
        approximate: "none", or "tanh" for the quicker formula of the paper.

    Example:
        >>> from mazegrad import nn
        >>> nn.gelu([-1.0, 1.0]).round(4), nn.gelu([-1.0, 1.0], approximate="tanh").round(4)
        (array([-0.1587,  0.8413]), array([-0.1588,  0.8412]))
    """
    check_choice(("none", "tanh"), approximate=approximate)
    finite = np.maximum(input, -FARTHEST)  # below, the value is 0; this keeps 0 * infinity away
    if approximate == "none":
        share, steepness = normal(input)
        steepness *= np.minimum(finite, FARTHEST)
    else:
        inner = np.tanh(math.sqrt(2 / math.pi) * (input + 0.044715 * input**3))
        share = 0.5 + 0.5 * inner
        steepness = (1 - inner * inner) * (math.sqrt(0.5 / math.pi) * (1 + 3 * 0.044715 * input * input)) * input
    out = finite * share
    steepness += share  # the slope
    return out, lambda grad, needs, input=input, approximate=approximate: (grad * steepness,)


@operation
def softmax(input: Operand, dim: int = -1) -> Rule:
    """exp(input), normalised to sum 1 along `dim`.

    Example:
        >>> from mazegrad import nn
        >>> nn.softmax([0.0, 1.0, 2.0]).round(3)
        array([0.09 , 0.245, 0.665])
        >>> nn.softmax([[0.0, 5.0], [0.0, 5.0]], dim=0)
        array([[0.5, 0.5],
               [0.5, 0.5]])
    """
    out = np.exp(input - input.max(dim, keepdims=True, initial=-np.inf))
    out /= out.sum(dim, keepdims=True)
    return out, lambda grad, needs, out=out, dim=dim: (out * (grad - (grad * out).sum(dim, keepdims=True)),)


@operation
def log_softmax(input: Operand, dim: int = -1) -> Rule:
    """log(softmax(input)) without its overflow.

    Example:
        >>> from mazegrad import nn
        >>> nn.log_softmax([1000.0, 0.0])
        array([    0., -1000.])
    """
    out = input - input.max(dim, keepdims=True, initial=-np.inf)
    out -= np.log(np.exp(out).sum(dim, keepdims=True))
    return out, lambda grad, needs, out=out, dim=dim: (grad - np.exp(out) * grad.sum(dim, keepdims=True),)

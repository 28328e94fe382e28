"""Activations: the functions between the layers of a net, each with its derivative beside it."""

from __future__ import annotations

import math

import numpy as np

from ..checks import check_choice
from ..tensor import Operand, Rule, operation
from .normal import FARTHEST, normal


@operation
def tanh(input: Operand) -> Rule:
    """Hyperbolic tangent."""
    out = np.tanh(input)
    return out, lambda grad, needs: (grad * (1 - out * out),)


@operation
def sigmoid(input: Operand) -> Rule:
    """1 / (1 + exp(-input)); where exp overflows the value is 0."""
    out = 1 / (1 + np.exp(-input))
    return out, lambda grad, needs: (grad * (out * (1 - out)),)


@operation
def relu(input: Operand) -> Rule:
    """max(input, 0); its slope at 0 is 0."""
    out = np.maximum(input, 0)
    return out, lambda grad, needs: (grad * (out > 0),)


@operation
def gelu(input: Operand, approximate: str = "none") -> Rule:
    """input times the normal distribution function at input (Hendrycks & Gimpel 2016).

    Args:
        input: any shape.
        approximate: "none", or "tanh" for the quicker formula of the paper.
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
    return out, lambda grad, needs, *, input=input, approximate=approximate: (grad * steepness,)


@operation
def softmax(input: Operand, dim: int = -1) -> Rule:
    """exp(input), normalised to sum 1 along `dim`."""
    out = np.exp(input - input.max(dim, keepdims=True, initial=-np.inf))
    out /= out.sum(dim, keepdims=True)
    return out, lambda grad, needs: (out * (grad - (grad * out).sum(dim, keepdims=True)),)


@operation
def log_softmax(input: Operand, dim: int = -1) -> Rule:
    """log(softmax(input)) without its overflow."""
    out = input - input.max(dim, keepdims=True, initial=-np.inf)
    out -= np.log(np.exp(out).sum(dim, keepdims=True))
    return out, lambda grad, needs: (grad - np.exp(out) * grad.sum(dim, keepdims=True),)

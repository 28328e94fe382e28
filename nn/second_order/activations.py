"""Second derivatives of the functions between the layers: sigmoids, rectifiers, softmax."""

from __future__ import annotations

import math
from typing import Any

from .. import operations as op
from ..operations.normal import normal
from ..rules import Operand, Rule, operation
from .arithmetic import fit, numbers
from .entry import Entry, Formula


@operation
def normal_distribution(x: Operand) -> Rule:
    """The normal distribution function."""
    below, density = normal(x)
    return below, lambda grad, needs, x=x: (grad * density,)


def _gelu(input: Any, approximate: str) -> Any:
    if approximate == "none":
        return input * normal_distribution(input)
    inner = op.tanh((input + op.square(input) * input * 0.044715) * math.sqrt(2 / math.pi))
    return input * (inner * 0.5 + 0.5)


def _elu(grad: Any, input: Any, negative: Any, steepness: float, height: float, scale: float) -> Any:
    below = op.exp(op.where(negative, input, 0.0) * steepness) * (height * steepness)
    return op.where(negative, grad * below, grad * scale)


def _silu(grad: Any, input: Any) -> Any:
    gate = op.sigmoid(input)
    return grad * (gate * (1.0 + input * (1.0 - gate)))


def _hardswish(grad: Any, input: Any) -> Any:
    x = numbers(input)
    return grad * op.where(x <= -3, 0.0, op.where(x < 3, input / 3.0 + 0.5, 1.0))


TABLE: dict[str, Entry] = {
    "tanh": ("input", lambda grad, out: grad * (1.0 - out * out)),
    "sigmoid": ("input", lambda grad, out: grad * (out * (1.0 - out))),
    "softmax": ("input", lambda grad, out, dim: out * (grad - op.sum(grad * out, dim, True))),
    "log_softmax": ("input", lambda grad, out, dim: grad - op.exp(out) * op.sum(grad, dim, True)),
    "gelu": ("input", Formula(_gelu)),
    "normal_distribution": ("x", lambda grad, x: grad * (op.exp(op.square(x) * -0.5) * (2 * math.pi) ** -0.5)),
    "relu": ("input", lambda grad, out: grad * (numbers(out) > 0)),
    "leaky_relu": (
        "input",
        lambda grad, positive, negative_slope: op.where(positive, grad, grad * negative_slope),
    ),
    "prelu": (
        "input weight",
        lambda grad, positive, weight, slope: op.where(positive, grad, op.reshape(weight, slope.shape) * grad),
        lambda grad, positive, input, weight, slope: op.reshape(
            fit(op.where(positive, 0.0, grad * input), slope.shape), weight.shape
        ),
    ),
    "elu": ("input", _elu),
    "celu": ("input", _elu),
    "selu": ("input", _elu),
    "silu": ("input", _silu),
    "mish": ("input", Formula(lambda input: input * op.tanh(op.softplus(input)))),
    "softplus": (
        "input",
        lambda grad, input, straight, beta: op.where(straight, grad, grad * op.sigmoid(input * beta)),
    ),
    "logsigmoid": ("input", lambda grad, input: grad * op.sigmoid(-input)),
    "hardtanh": ("input", lambda grad, outside: op.where(outside, 0.0, grad)),
    "relu6": ("input", lambda grad, outside: op.where(outside, 0.0, grad)),
    "hardsigmoid": ("input", lambda grad, inside: op.where(inside, grad / 6.0, 0.0)),
    "hardswish": ("input", _hardswish),
    "bias_relu": (
        "x bias",
        lambda grad, out: grad * (numbers(out) > 0),
        lambda grad, out: op.sum(grad * (numbers(out) > 0), (0, 2, 3)),
    ),
}

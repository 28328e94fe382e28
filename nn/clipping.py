"""Clipping holds gradients down before a step, against gradients that explode."""

from __future__ import annotations

import math

import numpy as np

from .checks import POSITIVE_OR_INFINITE, check
from .optimisers import Named, named
from .tensor import plain


def clip_grad_norm(parameters: Named, max_norm: float) -> float:
    """Scale all gradients together so that their joint 2-norm is at most `max_norm`.

    A norm that is not finite changes nothing: the optimiser's `step()` reports it.

    Returns:
        The norm before.

    Source: Pascanu, Mikolov & Bengio 2013.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = nn.Parameter([3.0, 4.0])
        >>> (x**2).sum().backward()
        >>> round(float(nn.clip_grad_norm([x], 1.0)), 4), x.grad.round(4)
        (10.0, array([0.6, 0.8], dtype=float32))
    """
    check(POSITIVE_OR_INFINITE, max_norm=max_norm)
    grads = [(p, plain(p.grad)) for p in named(parameters).values() if p.grad is not None]
    largest = max((float(np.abs(grad).max(initial=0)) for _, grad in grads), default=0.0)
    scale = largest if largest > 1e150 and math.isfinite(largest) else 1.0  # so that no square of a float64 overflows
    total = math.sqrt(sum(float(np.square(grad / scale, dtype=np.float64).sum()) for _, grad in grads))
    if math.isfinite(total) and total > max_norm / scale:
        for p, grad in grads:
            p.grad = grad * (max_norm / scale / (total + 1e-6 / scale))
    return total * scale


def clip_grad_value(parameters: Named, clip_value: float) -> None:
    """Clip every element of every gradient to the range from -clip_value to clip_value.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Parameter([3.0, 0.1])
        >>> (x**2).sum().backward()
        >>> nn.clip_grad_value([x], 1.0)
        >>> x.grad
        array([1. , 0.2], dtype=float32)
    """
    check(POSITIVE_OR_INFINITE, clip_value=clip_value)
    for parameter in named(parameters).values():
        if parameter.grad is not None:
            parameter.grad = np.clip(plain(parameter.grad), -clip_value, clip_value)

"""Attention: each query looks at all keys, and takes the mean of their values, weighed by how well they match.

With queries, keys and values from one sequence it is self-attention; a decoder that asks an encoder's states is the
older use (Bahdanau et al. 2015, Luong et al. 2015). The formula, softmax(query key^T / sqrt(size)) value, is that of
Vaswani et al. 2017.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph import Array
from .modules import Module
from .operations.broadcasting import fit
from .tensor import Operand, Rule, operation


@operation
def _attention(
    query: Operand,
    key: Operand,
    value: Operand,
    allowed: Array | None,
    bias: Array | None,
    scale: float,
    factors: Array | None,
) -> Rule:
    """Two outputs: what each query gets, and the weights before dropout multiplied them by `factors`."""
    scores = (query @ key.swapaxes(-1, -2)) * scale
    if bias is not None:
        scores = scores + bias.astype(scores.dtype)
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
    top = scores.max(-1, keepdims=True, initial=-np.inf)
    weights = np.exp(scores - np.where(top == -np.inf, 0, top))
    total = weights.sum(-1, keepdims=True)
    weights /= np.where(total == 0, 1, total)  # 0 where nothing may be looked at
    keep = 1 if factors is None else factors.astype(weights.dtype)
    kept = weights * keep

    def vjp(grads: Sequence[Array | None], needs: Sequence[bool]) -> tuple[Array | None, ...]:
        grad_out, grad_weights = grads
        grad_value = None
        inner = np.zeros_like(weights) if grad_weights is None else weights * grad_weights
        if grad_out is not None:
            inner += kept * (grad_out @ value.swapaxes(-1, -2))
            grad_value = fit(kept.swapaxes(-1, -2) @ grad_out, value) if needs[2] else None
        inner -= weights * inner.sum(-1, keepdims=True)
        inner *= scale
        return (
            fit(inner @ key, query) if needs[0] else None,
            fit(inner.swapaxes(-1, -2) @ query, key) if needs[1] else None,
            grad_value,
        )

    return (kept @ value, weights), vjp


def _attend(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Any,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
    rng: np.random.Generator | None,
) -> tuple[Any, Any]:
    """Check everything and make the masks; output and weights."""
    shapes = [np.shape(x) for x in (query, key, value)]
    given = "query {}, key {}, value {}".format(*shapes)
    if min(map(len, shapes)) < 2:
        raise ValueError(f"attention takes (..., length, size), not {given}")
    if shapes[0][-1] != shapes[1][-1]:
        raise ValueError(f"attention: query and key must have one size, the last axis; got {given}")
    if shapes[1][-2] != shapes[2][-2]:
        raise ValueError(f"attention: there must be one value for each key, along the last axis but one; got {given}")
    try:
        lead = np.broadcast_shapes(*(shape[:-2] for shape in shapes))
    except ValueError:
        raise ValueError(f"attention: the axes before the last two do not fit together: {given}") from None
    if not 0 <= dropout_p < 1:
        raise ValueError(f"dropout_p is {dropout_p}; expected a probability below 1")
    shape = (*lead, shapes[0][-2], shapes[1][-2])
    allowed: Array | None = None
    bias: Array | None = None
    if attn_mask is not None:
        mask = np.asarray(attn_mask)
        if mask.dtype.kind not in "bf":
            raise TypeError(f"attn_mask holds booleans (True: may look) or floating numbers to add, not {mask.dtype}")
        if mask.ndim > len(shape) or any(n not in (1, m) for n, m in zip(mask.shape[::-1], shape[::-1], strict=False)):
            raise ValueError(f"attn_mask of shape {mask.shape} does not fit the weights' shape {shape}: {given}")
        allowed, bias = (mask, None) if mask.dtype == bool else (None, mask)
    if is_causal:
        past = np.tri(*shape[-2:]) == 1
        allowed = past if allowed is None else allowed & past
    factors = None
    if dropout_p:
        if rng is None:
            raise ValueError("attention with dropout needs rng=, a numpy.random.Generator")
        factors = (rng.random(shape) >= dropout_p) / (1 - dropout_p)
    scale = 1 / math.sqrt(shapes[0][-1] or 1) if scale is None else float(scale)
    output: tuple[Any, Any] = _attention(query, key, value, allowed=allowed, bias=bias, scale=scale, factors=factors)
    return output


def scaled_dot_product_attention(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """softmax(query key^T * scale) value: what each query finds among the keys (Vaswani et al. 2017).

    query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V); axes before the last two are broadcast.
    `attn_mask`, broadcast to (..., L, S), has no gradient: booleans, True where a query may look (as in PyTorch's
    function of this name), or numbers that are added to the scores. `is_causal`: query i sees keys 0 to i only. A query
    that may look nowhere gets zeros. `scale` is 1 / sqrt(E) by default. `dropout_p` drops weights, drawn from `rng`.
    Raises ValueError naming all shapes when they do not fit.
    """
    return _attend(query, key, value, attn_mask, dropout_p, is_causal, scale, rng)[0]


class Attention(Module):
    """Scaled dot-product attention; it has no weights of its own: project before and after by Linear where wanted."""

    def __init__(
        self,
        dropout: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}; expected a probability below 1")
        self.dropout, self.is_causal, self.scale = dropout, is_causal, scale
        self.rng = rng or np.random.default_rng()

    def forward(self, query: Any, key: Any, value: Any, attn_mask: Any = None, need_weights: bool = False) -> Any:
        """query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V).

        `attn_mask` as in `scaled_dot_product_attention`: booleans (..., L, S), True where a query may look.
        `need_weights`: a pair, with the weights (..., L, S) as they were before dropout, each row of sum 1.
        """
        dropout = self.dropout if self.training else 0.0
        both = _attend(query, key, value, attn_mask, dropout, self.is_causal, self.scale, self.rng)
        return both if need_weights else both[0]

    def extra_repr(self) -> str:
        """The settings that are not the default."""
        settings = {"dropout": self.dropout or None, "is_causal": self.is_causal or None, "scale": self.scale}
        return ", ".join(f"{name}={value}" for name, value in settings.items() if value is not None)

"""Attention: each query is compared with all keys, and gets the mean of their values, weighted by how well they match.

With queries, keys and values from one sequence it is self-attention. The older use is a decoder that queries an
encoder's states (Bahdanau et al. 2015, Luong et al. 2015). The formula, softmax(query key^T / sqrt(size)) value, is
that of Vaswani et al. 2017.

The weights are computed tile by tile, each small enough for the processor's second-level cache: every weight is
visited about ten times, and memory is many times slower. In causal attention tiles end where the future begins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import buffers
from .checks import BELOW_ONE, check
from .graph import Array
from .modules import Module
from .operations.broadcasting import fit
from .rules import Operand, Rule, composite, operation
from .tensor import Tensor, plain

TILE = 1 << 16  # weights
CAUSAL_ROWS = 64  # queries in a tile of causal attention: few, so that little of the future is computed

Tile = tuple[slice, slice, int]  # which items of the batch, which queries, and how many keys they may see at most


def _tiles(shape: tuple[int, int, int], past: int | None) -> Iterator[Tile]:
    """Cut (batch, queries, keys) into tiles; `past`: query i sees the keys up to past + i only."""
    batch, queries, keys = shape
    rows = min(queries, CAUSAL_ROWS) if past is not None else queries
    rows = max(1, min(rows, TILE // max(keys, 1)))
    items = max(1, TILE // max(rows * keys, 1))
    for item in range(0, batch, items):
        for row in range(0, queries, rows):
            end = min(row + rows, queries)
            seen = keys if past is None else min(past + end, keys)
            yield slice(item, min(item + items, batch)), slice(row, end), seen


class _Mask:
    """A mask of any shape that broadcasts to (*lead, queries, keys), cut into the tiles of (batch, queries, keys)."""

    def __init__(self, mask: Array, lead: tuple[int, ...]) -> None:
        mask = mask.reshape((1,) * (2 - mask.ndim) + mask.shape)
        own = mask.shape[:-2]
        self.mask = mask.reshape(-1, *mask.shape[-2:])
        number = np.arange(len(self.mask)).reshape(own)
        self.item = None if len(self.mask) == 1 else np.broadcast_to(number, lead).ravel()

    def __getitem__(self, tile: Tile) -> Array:
        items, rows, seen = tile
        mask = self.mask if self.item is None else self.mask[self.item[items]]
        return mask[:, rows if mask.shape[1] > 1 else slice(None), : seen if mask.shape[2] > 1 else None]


@operation
def _attention(
    query: Operand,
    key: Operand,
    value: Operand,
    bias: Operand,
    allowed: Array | None,
    past: int | None,
    scale: float,
    dropout_p: float,
    rng: np.random.Generator | None,
) -> Rule:
    """Two outputs: the mean of the values for each query, and the weights before dropout."""
    dtype = np.result_type(query, key, value, np.float32)
    sizes = query.shape[-2], key.shape[-2]
    lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    batch = math.prod(lead)
    q, k, v = (np.broadcast_to(x, lead + x.shape[-2:]).reshape(batch, *x.shape[-2:]) for x in (query, key, value))
    q = q * dtype.type(scale)
    out, weights = buffers.empty((batch, sizes[0], v.shape[-1]), dtype), buffers.empty((batch, *sizes), dtype)
    keep = buffers.empty(weights.shape, bool) if dropout_p else None
    rest = dtype.type(1 / (1 - dropout_p))
    added = None if bias is None else _Mask(bias, lead)
    open_to = None if allowed is None else _Mask(allowed, lead)
    tiles = list(_tiles(weights.shape, past))
    for tile in tiles:
        items, rows, seen = tile
        scores = weights[items, rows, :seen]
        weights[items, rows, seen:] = 0
        np.matmul(q[items, rows], k[items, :seen].swapaxes(-1, -2), out=scores)
        if added is not None:
            scores += added[tile]
        if open_to is not None:
            np.copyto(scores, -np.inf, where=~open_to[tile])
        if past is not None:
            future = np.arange(seen) > past + np.arange(rows.start, rows.stop)[:, None]
            np.copyto(scores, -np.inf, where=future)
        top = scores.max(-1, keepdims=True, initial=-np.inf)
        scores -= np.where(top == -np.inf, 0, top)
        np.exp(scores, out=scores)
        total = scores.sum(-1, keepdims=True)
        scores /= np.where(total == 0, 1, total)  # 0 for a query that may look nowhere
        if keep is not None:
            assert rng is not None
            kept = keep[items, rows, :seen]
            np.greater_equal(rng.random(scores.shape, dtype=dtype), dropout_p, out=kept)
            scores = scores * kept
            scores *= rest
        np.matmul(scores, v[items, :seen], out=out[items, rows])

    def vjp(
        grads: Sequence[Array | None],
        needs: Sequence[bool],
        query: Array = query,
        key: Array = key,
        value: Array = value,
        bias: Array | None = bias,
        weights: Array = weights,
        keep: Array | None = keep,
        rest: Any = rest,
        scale: float = scale,
        lead: tuple[int, ...] = lead,
        sizes: tuple[int, int] = sizes,
    ) -> tuple[Array | None, ...]:
        grad_out = np.zeros_like(out) if grads[0] is None else grads[0].reshape(out.shape)
        grad_weights = None if grads[1] is None else grads[1].reshape(weights.shape)
        grad_q, grad_k, grad_v = np.empty_like(q), np.zeros_like(k), np.zeros_like(v)
        grad_scores = np.zeros_like(weights) if needs[3] else None
        mean = np.einsum("bqd,bqd->bq", grad_out, out)[..., None]  # of the weights' gradients, under the weights
        for items, rows, seen in tiles:
            weight, grad = weights[items, rows, :seen], grad_out[items, rows]
            inner = grad @ v[items, :seen].swapaxes(-1, -2)
            kept = weight
            if keep is not None:
                factor = np.multiply(keep[items, rows, :seen], rest, dtype=dtype)
                inner *= factor
                kept = weight * factor
            center = mean[items, rows]
            if grad_weights is not None:
                inner += grad_weights[items, rows, :seen]
                center = (inner * weight).sum(-1, keepdims=True)
            inner -= center
            inner *= weight
            grad_v[items, :seen] += kept.swapaxes(-1, -2) @ grad
            np.matmul(inner, k[items, :seen], out=grad_q[items, rows])
            grad_k[items, :seen] += inner.swapaxes(-1, -2) @ q[items, rows]
            if grad_scores is not None:
                grad_scores[items, rows, :seen] = inner
        grad_q *= dtype.type(scale)
        return tuple(
            fit(grad.reshape(lead + grad.shape[1:]), operand) if grad is not None and need else None
            for grad, operand, need in zip(
                (grad_q, grad_k, grad_v, grad_scores), (query, key, value, bias), needs, strict=True
            )
        )

    return (out.reshape(lead + out.shape[1:]), weights.reshape(lead + sizes)), vjp


def attend(
    query: Operand,
    key: Operand,
    value: Operand,
    masks: Sequence[Any] = (),
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    rng: np.random.Generator | None = None,
    past: int = 0,
) -> tuple[Any, Any]:
    """Check the arguments; return the output (..., L, V) and the weights (..., L, S).

    Args:
        query, key, value, dropout_p, is_causal, scale, rng: as in `scaled_dot_product_attention`.
        masks: any number of masks like its `attn_mask`, or None; all of them hold.
        past: for `is_causal`, how many keys come before the first query's own.

    Raises:
        ValueError: shapes do not fit, or dropout has no generator.
        TypeError: a mask holds integers.
    """
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
    check(BELOW_ONE, dropout_p=dropout_p)
    if dropout_p and rng is None:
        raise ValueError("attention with dropout needs rng=, a numpy.random.Generator")
    precision = next((x.dtype for x in (query, key, value) if isinstance(x, Tensor)), np.asarray(plain(query)).dtype)
    allowed: Array | None = None
    bias: Any = None
    for mask in masks:
        if mask is None:
            continue
        mask = _checked_mask(mask, (*lead, shapes[0][-2], shapes[1][-2]), given)
        if mask.dtype == bool:
            allowed = mask if allowed is None else allowed & mask
        else:
            mask = mask if isinstance(mask, Tensor) or precision.kind != "f" else mask.astype(precision)
            bias = mask if bias is None else bias + mask
    return _attention(
        query,
        key,
        value,
        bias,
        allowed=allowed,
        past=past if is_causal else None,
        scale=1 / math.sqrt(shapes[0][-1] or 1) if scale is None else float(scale),
        dropout_p=dropout_p,
        rng=rng,
    )


def _checked_mask(mask: Any, shape: tuple[int, ...], given: str) -> Any:
    mask = mask if isinstance(mask, Tensor) else np.array(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"attn_mask holds booleans (True: may look) or floating numbers to add, not {mask.dtype}")
    if mask.ndim > len(shape) or any(n not in (1, m) for n, m in zip(mask.shape[::-1], shape[::-1], strict=False)):
        raise ValueError(f"attn_mask of shape {mask.shape} does not fit the weights' shape {shape}: {given}")
    return mask


@composite
def scaled_dot_product_attention(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    enable_gqa: bool = False,
    rng: np.random.Generator | None = None,
) -> Any:
    """softmax(query key^T * scale) value: a mean of the values for each query (Vaswani et al. 2017).

    Args:
        query: (..., L, E); the axes before the last two are broadcast.
        key: (..., S, E).
        value: (..., S, V).
        attn_mask: broadcast to (..., L, S): booleans, True where a query may look (as in PyTorch's function of this
            name), or numbers that are added to the scores; a tensor of such numbers is differentiated too.
        dropout_p: the probability with which a weight is dropped, drawn from `rng`.
        is_causal: query i sees keys 0 to i only; together with `attn_mask`, both hold.
        scale: 1 / sqrt(E) by default.
        enable_gqa: fewer heads, axis -3, of keys and values than of queries: each serves as many heads of queries
            (Ainslie et al. 2023).
        rng: the generator that dropout draws from.

    Returns:
        (..., L, V). A query that may look nowhere gets zeros.

    Raises:
        ValueError: shapes do not fit; the message names all of them.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = nn.Tensor(np.eye(3)[None])
        >>> nn.scaled_dot_product_attention(100 * x, x, x).data.round(2)[0]
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]])
    """
    if not enable_gqa:
        return attend(query, key, value, [attn_mask], dropout_p, is_causal, scale, rng)[0]
    shapes = [np.shape(x) for x in (query, key, value)]
    if min(map(len, shapes)) < 3 or shapes[1][-3] != shapes[2][-3] or shapes[0][-3] % (shapes[1][-3] or 1):
        given = "query {}, key {}, value {}".format(*shapes)
        raise ValueError(f"enable_gqa: the keys' heads, axis -3, must be the values', and divide the queries': {given}")
    *lead, heads, length, size = shapes[0]
    groups = shapes[1][-3]
    grouped = query.reshape((*lead, groups, heads // groups, length, size))
    key, value = (x.reshape((*shape[:-2], 1, *shape[-2:])) for x, shape in zip((key, value), shapes[1:], strict=True))
    if attn_mask is not None:
        mask = attn_mask if isinstance(attn_mask, Tensor) else np.asarray(attn_mask)
        if mask.ndim > 2:
            split = (1, 1) if mask.shape[-3] == 1 else (groups, heads // groups)
            attn_mask = mask.reshape((*mask.shape[:-3], *split, *mask.shape[-2:]))
    out = attend(grouped, key, value, [attn_mask], dropout_p, is_causal, scale, rng)[0]
    return out.reshape((*lead, heads, length, shapes[2][-1]))


class Attention(Module):
    """Scaled dot-product attention without weights of its own; `MultiheadAttention` has projections.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = np.eye(3)[None]
        >>> nn.Attention(is_causal=True, scale=0.0)(x, x, x)[0].round(2)  # the mean of all up to oneself
        array([[1.  , 0.  , 0.  ],
               [0.5 , 0.5 , 0.  ],
               [0.33, 0.33, 0.33]])
    """

    def __init__(
        self,
        dropout: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        check(BELOW_ONE, dropout=dropout)
        self.dropout, self.is_causal, self.scale = dropout, is_causal, scale
        self.rng = rng or np.random.default_rng()

    def forward(self, query: Any, key: Any, value: Any, attn_mask: Any = None, need_weights: bool = False) -> Any:
        """query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V).

        `attn_mask` as in `scaled_dot_product_attention`: booleans (..., L, S), True where a query may look.
        `need_weights`: a pair, with the weights (..., L, S) as they were before dropout, each row of sum 1.
        """
        dropout = self.dropout if self.training else 0.0
        both = attend(query, key, value, [attn_mask], dropout, self.is_causal, self.scale, self.rng)
        return both if need_weights else both[0]

    def extra_repr(self) -> str:
        """The settings that are not the default."""
        settings = {"dropout": self.dropout or None, "is_causal": self.is_causal or None, "scale": self.scale}
        return ", ".join(f"{name}={value}" for name, value in settings.items() if value is not None)

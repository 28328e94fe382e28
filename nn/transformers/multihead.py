"""Several attentions side by side, each with its own view of the sequence (Vaswani et al. 2017, 3.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import init
from ..attention import attend
from ..checks import BELOW_ONE, POSITIVE_INTEGER, check
from ..graph import Array
from ..layers import Linear
from ..modules import Module
from ..operations import concatenate, linear
from ..rules import Operand, Rule, operation
from ..tensor import Parameter
from .cache import KeyValueCache
from .masks import may_look, may_look_at_keys, with_more_keys
from .positions import rotary_positions


@operation
def _split_heads(x: Operand, parts: int, heads: int) -> Rule:
    """(batch, length, parts * heads * size) -> as many outputs (batch, heads, length, size)."""
    batch, length, features = x.shape
    shape = batch, length, parts, heads, features // (parts * heads)

    def vjp(
        grads: Any, needs: Sequence[bool], x: Array = x, shape: tuple[int, ...] = shape, parts: int = parts
    ) -> tuple[Array]:
        full = np.empty(shape, x.dtype)
        for i, grad in enumerate([grads] if parts == 1 else grads):
            full[:, :, i] = 0 if grad is None else grad.transpose(0, 2, 1, 3)
        return (full.reshape(x.shape),)

    split = x.reshape(shape).transpose(2, 0, 3, 1, 4)
    return tuple(split) if parts > 1 else split[0], vjp


class MultiheadAttention(Module):
    """Attention of `num_heads` heads, with a linear layer before and after; weights as in PyTorch.

    Queries, keys and values are (length, batch, features), (batch, length, features) if `batch_first`, or without the
    batch. `rotary` is the base of rotary positions (Su et al. 2021; 10,000 there), which PyTorch's lacks; by default
    there are none.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.MultiheadAttention(8, num_heads=2, batch_first=True, rng=np.random.default_rng(0))
        >>> x = np.ones((3, 5, 8), np.float32)
        >>> y, weights = layer(x, x, x)
        >>> y.shape, weights.shape
        ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rotary: float | None = None,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check(POSITIVE_INTEGER, embed_dim=embed_dim, num_heads=num_heads)
        check(BELOW_ONE, dropout=dropout)
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim is {embed_dim}; expected a multiple of num_heads, {num_heads}")
        if rotary is not None and embed_dim // num_heads % 2:
            raise ValueError(f"rotary positions need heads of an even size, not {embed_dim // num_heads}")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.add_zero_attn, self.rotary = add_zero_attn, rotary
        self.rng = rng = rng or np.random.default_rng()

        def drawn(*shape: int) -> Parameter:
            return Parameter(init.glorot_uniform(shape, rng=rng, dtype=dtype))

        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = drawn(3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight = drawn(embed_dim, embed_dim)
            self.k_proj_weight, self.v_proj_weight = drawn(embed_dim, self.kdim), drawn(embed_dim, self.vdim)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng, dtype=dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.assign(np.zeros(embed_dim))
        self.bias_k = self.bias_v = None
        if add_bias_kv:
            self.bias_k, self.bias_v = (
                Parameter(init.glorot_normal((1, 1, embed_dim), rng=rng, dtype=dtype)) for _ in range(2)
            )

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        cache: KeyValueCache | None = None,
    ) -> tuple[Any, Any]:
        """What each query finds, and where it looked.

        Args:
            query: (L, N, embed_dim), or (N, L, embed_dim) if `batch_first`, or (L, embed_dim).
            key: (S, N, kdim), likewise.
            value: (S, N, vdim), likewise.
            key_padding_mask: (N, S) or (S,): booleans, True at keys that are left out (PyTorch's modules say where not
                to look, its function `scaled_dot_product_attention` where to), or numbers that are added to the scores.
            need_weights: also return the weights.
            attn_mask: (L, S) or (N * num_heads, L, S): booleans, True where a query may not look, or numbers to add.
            average_attn_weights: the weights' mean over the heads, or those of each head.
            is_causal: query i sees the keys 0 to i. In PyTorch this needs the `attn_mask` as well; here it may be left
                out.
            cache: the keys and values of earlier calls, to which these are appended; the queries then come after them,
                and S counts them all. For self-attention, within `no_grad()`.

        Returns:
            The output, of the query's shape, and the weights, (N, L, S), (N, num_heads, L, S) or without N; or None.
            The weights are those before dropout. A query that may look nowhere finds zeros.

        Raises:
            ValueError: shapes do not fit.
        """
        alike = key is query and value is query, value is key
        unbatched = np.ndim(query) == 2
        self._check(query, key, value)
        query, key, value = (self._batch_first(x) for x in (query, key, value))
        q, k, v = self._heads(query, key, value, *alike)
        masks = [
            may_look(attn_mask, len(query), self.num_heads),
            may_look_at_keys(key_padding_mask, len(query)),
        ]
        past = 0 if cache is None else cache.length
        if self.rotary is not None:
            first = 0 if cache is None else cache.position
            q, k = (rotary_positions(x, first + np.arange(x.shape[-2]), self.rotary) for x in (q, k))
        if cache is not None:
            k, v = cache.append(k, v)
        k, v, masks = self._extended(k, v, masks)
        out, weights = attend(
            q, k, v, masks, self.dropout if self.training else 0.0, is_causal, rng=self.rng, past=past
        )
        out = self.out_proj(out.transpose((0, 2, 1, 3)).reshape(query.shape))
        if unbatched:
            out = out[0]
        elif not self.batch_first:
            out = out.transpose((1, 0, 2))
        if not need_weights:
            return out, None
        weights = weights.mean(1) if average_attn_weights else weights
        return out, weights[0] if unbatched else weights

    def _check(self, query: Any, key: Any, value: Any) -> None:
        shapes = [np.shape(x) for x in (query, key, value)]
        sizes, batch = (self.embed_dim, self.kdim, self.vdim), 0 if self.batch_first else 1
        ranks = {len(shape) for shape in shapes}
        if (
            ranks not in ({2}, {3})
            or any(shape[-1] != size for shape, size in zip(shapes, sizes, strict=True))
            or shapes[1][:-1] != shapes[2][:-1]
            or (ranks == {3} and shapes[0][batch] != shapes[1][batch])
        ):
            axes = "batch, length" if self.batch_first else "length, batch"
            expected, given = "query ({}, {}), key ({}, {}), value ({}, {})", "query {}, key {}, value {}"
            expected = expected.format(*(x for size in sizes for x in (axes, size)))
            raise ValueError(
                f"MultiheadAttention takes {expected}, or all without the batch; got {given.format(*shapes)}"
            )

    def _batch_first(self, x: Any) -> Any:
        if np.ndim(x) == 2:
            return x.reshape((1, *x.shape))
        return x if self.batch_first else x.transpose((1, 0, 2))

    def _heads(self, query: Any, key: Any, value: Any, one: bool, two: bool) -> tuple[Any, Any, Any]:
        """Queries, keys and values of each head, (batch, heads, length, size); `one`, `two`: of how much the same."""
        size, heads = self.embed_dim, self.num_heads
        bias = self.in_proj_bias
        if self.kdim == self.vdim == size and one:
            return _split_heads(linear(query, self.in_proj_weight, bias), 3, heads)
        biases = [None] * 3 if bias is None else [bias[i * size : (i + 1) * size] for i in range(3)]
        if self.kdim == self.vdim == size:
            weights = [self.in_proj_weight[i * size : (i + 1) * size] for i in range(3)]
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        given = zip((query, key, value), weights, biases, strict=True)
        q, k, v = (_split_heads(linear(x, weight, bias), 1, heads) for x, weight, bias in given)
        return q, k, v

    def _extended(self, k: Any, v: Any, masks: list[Any]) -> tuple[Any, Any, list[Any]]:
        """Keys and values with one more for `bias_k` and one of zeros, which all may see, if there are to be such."""
        batch, heads, _, size = k.shape
        more: list[tuple[Any, Any]] = []
        if self.bias_k is not None and self.bias_v is not None:
            shape = 1, heads, 1, size
            more.append((self.bias_k.reshape(shape), self.bias_v.reshape(shape)))
        if self.add_zero_attn:
            more.append((np.zeros((1, heads, 1, size), k.dtype),) * 2)
        for key, value in more:
            tile = np.zeros((batch, heads, 1, size), k.dtype)
            k, v = concatenate([k, tile + key], -2), concatenate([v, tile + value], -2)
        return k, v, [with_more_keys(mask, len(more)) for mask in masks] if more else masks

    def extra_repr(self) -> str:
        """Size, heads and what is not the default."""
        settings = {"dropout": self.dropout or None, "batch_first": self.batch_first or None, "rotary": self.rotary}
        changed = [f"{name}={value}" for name, value in settings.items() if value is not None]
        return ", ".join([str(self.embed_dim), str(self.num_heads), *changed])

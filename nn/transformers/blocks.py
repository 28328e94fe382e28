"""The transformer's blocks: attention, then a small net at each position, each with a shortcut around it.

Names, arguments, defaults and weights are PyTorch's; `rotary` and `cache` are added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..layers import Dropout, LayerNorm, Linear
from ..modules import Module
from ..operations import gelu, relu
from .cache import KeyValueCache
from .multihead import MultiheadAttention

Activation = str | Callable[[Any], Any]
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": relu, "gelu": gelu}


class _Block(Module):
    """What encoder and decoder layers share: the net at each position, and the shortcut around a sublayer."""

    def __init__(
        self,
        d_model: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        norm_first: bool,
        bias: bool,
        rng: np.random.Generator,
        dtype: DTypeLike,
    ) -> None:
        if isinstance(activation, str) and activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}; expected 'relu', 'gelu' or a function of a tensor")
        self.linear1 = Linear(d_model, dim_feedforward, bias, rng=rng, dtype=dtype)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, rng=rng, dtype=dtype)
        self.norm_first = norm_first
        self.activation = ACTIVATIONS[activation] if isinstance(activation, str) else activation

    def _joined(self, x: Any, norm: Module, dropout: Module, sublayer: Callable[[Any], Any]) -> Any:
        """x + dropout(sublayer(x)), normalised before the sublayer or after the sum."""
        if self.norm_first:
            return x + dropout(sublayer(norm(x)))
        return norm(x + dropout(sublayer(x)))

    def _feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Block):
    """Self-attention and a small net for each position (Vaswani et al. 2017, 3.1); causal, it is GPT's block.

    `norm_first` normalises what a sublayer reads instead of the sum (Xiong et al. 2020), which trains deep stacks
    without a warm-up. `rotary`, a base such as 10,000, turns queries and keys by angles that
    grow with the position.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, rng=np.random.default_rng(0))
        >>> x = np.random.default_rng(1).normal(size=(5, 1, 8)).astype(np.float32)  # (length, batch, features)
        >>> whole, beginning = layer(x, is_causal=True), layer(x[:3], is_causal=True)
        >>> bool(np.allclose(whole.data[:3], beginning.data, atol=1e-5))  # nothing looks ahead
        True
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rotary: float | None = None,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        rng = rng or np.random.default_rng()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, rotary=rotary, rng=rng, dtype=dtype
        )
        super().__init__(d_model, dim_feedforward, dropout, activation, norm_first, bias, rng, dtype)
        self.norm1, self.norm2 = (LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype) for _ in range(2))
        self.dropout1, self.dropout2 = Dropout(dropout, rng=rng), Dropout(dropout, rng=rng)

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
        *,
        cache: KeyValueCache | None = None,
    ) -> Any:
        """(length, batch, d_model), or (batch, length, d_model) if `batch_first` -> the same shape.

        Masks, `is_causal` and `cache` are those of `MultiheadAttention`.
        """

        def attention(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal, cache=cache)[0]

        x = self._joined(src, self.norm1, self.dropout1, attention)
        return self._joined(x, self.norm2, self.dropout2, self._feed_forward)


class TransformerDecoderLayer(_Block):
    """Self-attention, attention to an encoder's output, a small net for each position (Vaswani et al. 2017, 3.1).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=np.random.default_rng(0))
        >>> written, memory = np.ones((3, 5, 8), np.float32), np.ones((3, 7, 8), np.float32)
        >>> layer(written, memory, tgt_is_causal=True).shape
        (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rotary: float | None = None,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        rng = rng or np.random.default_rng()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, rotary=rotary, rng=rng, dtype=dtype
        )
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng, dtype=dtype
        )
        super().__init__(d_model, dim_feedforward, dropout, activation, norm_first, bias, rng, dtype)
        norms = (LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype) for _ in range(3))
        self.norm1, self.norm2, self.norm3 = norms
        self.dropout1, self.dropout2, self.dropout3 = (Dropout(dropout, rng=rng) for _ in range(3))

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        *,
        cache: KeyValueCache | None = None,
    ) -> Any:
        """tgt (length, batch, d_model), memory (other length, batch, d_model), or batch first -> tgt's shape.

        Masks and `cache`, which is that of the self-attention, as in `MultiheadAttention`.
        """

        def attention(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal, cache=cache)[
                0
            ]

        def attention_to_memory(x: Any) -> Any:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )[0]

        x = self._joined(tgt, self.norm1, self.dropout1, attention)
        x = self._joined(x, self.norm2, self.dropout2, attention_to_memory)
        return self._joined(x, self.norm3, self.dropout3, self._feed_forward)

"""Blocks in a row: an encoder that reads, a decoder that writes, and the transformer that is both."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import init
from ..checks import POSITIVE_INTEGER, check
from ..containers import ModuleList
from ..graph import Array
from ..layers import LayerNorm
from ..modules import Module
from ..operations import relu
from .blocks import Activation, TransformerDecoderLayer, TransformerEncoderLayer
from .cache import KeyValueCache


def _copies(layer: Module, count: int) -> ModuleList:
    """Return copies of a layer with equal weights, as in PyTorch; for dropout they draw from one generator in turn."""
    check(POSITIVE_INTEGER, num_layers=count)
    generators = {id(rng): rng for module in layer.modules() if (rng := getattr(module, "rng", None)) is not None}
    return ModuleList(copy.deepcopy(layer, dict(generators)) for _ in range(count))


class _Stack(Module):
    """Copies of one layer, and perhaps a normalisation after the last."""

    layers: ModuleList
    norm: Module | None

    def _caches(self, cache: list[KeyValueCache] | None) -> list[KeyValueCache] | list[None]:
        if cache is None:
            return [None] * len(self.layers)
        if len(cache) != len(self.layers):
            raise ValueError(f"{len(cache)} caches for {len(self.layers)} layers; new_cache() makes one for each")
        return cache

    def new_cache(self) -> list[KeyValueCache]:
        """Return empty caches, one for each layer; pass the list to every call while one text is written."""
        return [KeyValueCache() for _ in self.layers]


class TransformerEncoder(_Stack):
    """`num_layers` copies of an encoder layer, all with the same weights at first, as in PyTorch; then `norm`.

    `enable_nested_tensor` and `mask_check`, which only make PyTorch faster, change nothing here.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=np.random.default_rng(0))
        >>> encoder = nn.TransformerEncoder(layer, num_layers=3, norm=nn.LayerNorm(8))
        >>> encoder(np.ones((2, 5, 8), np.float32)).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
        *,
        cache: list[KeyValueCache] | None = None,
    ) -> Any:
        """(length, batch, d_model), or batch first, -> the same shape.

        Masks as in `MultiheadAttention`; `cache`: what `new_cache()` made before the first call.
        """
        x = src
        for layer, kept in zip(self.layers, self._caches(cache), strict=True):
            x = layer(x, mask, src_key_padding_mask, bool(is_causal), cache=kept)
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(_Stack):
    """`num_layers` copies of a decoder layer, all with the same weights at first, as in PyTorch; then `norm`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=np.random.default_rng(0))
        >>> decoder = nn.TransformerDecoder(layer, num_layers=2)
        >>> decoder(np.ones((3, 5, 8), np.float32), np.ones((3, 7, 8), np.float32)).shape
        (3, 5, 8)
    """

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
        *,
        cache: list[KeyValueCache] | None = None,
    ) -> Any:
        """tgt (length, batch, d_model), memory (other length, batch, d_model), or batch first -> tgt's shape.

        Masks as in `MultiheadAttention`; `cache`: what `new_cache()` made before the first call.
        """
        x = tgt
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        for layer, kept in zip(self.layers, self._caches(cache), strict=True):
            x = layer(x, memory, *masks, bool(tgt_is_causal), memory_is_causal, cache=kept)
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """Encoder and decoder (Vaswani et al. 2017), without embeddings, positions and read-out, as PyTorch's.

    Matrices are drawn anew by Glorot's rule, each layer's by itself.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> net = nn.Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True, rng=np.random.default_rng(0))
        >>> source, target = np.ones((3, 7, 8), np.float32), np.ones((3, 5, 8), np.float32)
        >>> net(source, target).shape
        (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
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
        sizes = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*sizes, rotary=rotary, rng=rng, dtype=dtype), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*sizes, rotary=rotary, rng=rng, dtype=dtype), num_decoder_layers, norm()
        )
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for parameter in self.parameters():
            if parameter.ndim > 1:
                parameter.assign(init.glorot_uniform(parameter.shape, rng=rng))

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """src (S, N, d_model) and tgt (T, N, d_model), or batch first, or without the batch -> tgt's shape.

        Masks as in `MultiheadAttention`. To write, call `encoder` once, and `decoder` with a cache for each letter.
        """
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            tgt_is_causal,
            memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, *, dtype: DTypeLike = np.float32) -> Array:
        """A causal mask (sz, sz) to be added: 0 where a query may look, -inf in the future."""
        return np.triu(np.full((sz, sz), -np.inf, dtype), 1)

"""Transformers: attention in several heads, positions, the blocks, and the cache that makes writing quick."""

from .blocks import (
    TransformerDecoderLayer as TransformerDecoderLayer,
    TransformerEncoderLayer as TransformerEncoderLayer,
)
from .cache import KeyValueCache as KeyValueCache
from .multihead import MultiheadAttention as MultiheadAttention
from .positions import (
    SinusoidalPositions as SinusoidalPositions,
    rotary_positions as rotary_positions,
    sinusoidal_positions as sinusoidal_positions,
)
from .stacks import (
    Transformer as Transformer,
    TransformerDecoder as TransformerDecoder,
    TransformerEncoder as TransformerEncoder,
)

"""Recurrent nets: fused sequences (`sequences.py`), layers and cells around them, and remedies for their gradients."""

from .cells import GRUCell as GRUCell, LSTMCell as LSTMCell, RNNCell as RNNCell
from .layers import GRU as GRU, LSTM as LSTM, RNN as RNN
from .remedies import (
    Dilated as Dilated,
    LayerNormLSTMCell as LayerNormLSTMCell,
    Unrolled as Unrolled,
    exact_gradient_norm_penalty as exact_gradient_norm_penalty,
    gradient_norm_penalty as gradient_norm_penalty,
)
from .weights import detach as detach

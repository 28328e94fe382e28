"""What nets are made of, as functions: convolution, pooling, normalisation, attention and losses.

Images are (batch, channels, height, width), in any memory order; results keep the memory order of their input.
"""

from ..attention import scaled_dot_product_attention as scaled_dot_product_attention
from ..convolution import bias_relu as bias_relu, conv2d as conv2d
from ..operations import log_softmax as log_softmax, softmax as softmax
from .dropout import dropout as dropout
from .embedding import embedding as embedding
from .losses import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cross_entropy as cross_entropy,
    mse_loss as mse_loss,
)
from .normalisation import batch_norm as batch_norm, layer_norm as layer_norm
from .pooling import avg_pool2d as avg_pool2d, max_pool2d as max_pool2d
from .upsampling import upsample as upsample

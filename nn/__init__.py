"""Gradients: reverse-mode automatic differentiation on numpy arrays, and the layers, losses and optimisers on top.

Read `graph.py` first, it is the whole idea; then `tensor.py`. `nn` needs numpy and the standard library.
"""

from . import (
    analysis as analysis,
    data as data,
    functional as functional,
    init as init,
    operators as operators,  # gives Tensor its operators
    sampling as sampling,
    schedulers as schedulers,
)
from .attention import Attention as Attention, scaled_dot_product_attention as scaled_dot_product_attention
from .averaging import Averaged as Averaged
from .convolution import conv2d as conv2d, h_conv2d as h_conv2d, h_conv2d_grad as h_conv2d_grad
from .functional import (
    avg_pool2d as avg_pool2d,
    batch_norm as batch_norm,
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cross_entropy as cross_entropy,
    dropout as dropout,
    embedding as embedding,
    layer_norm as layer_norm,
    max_pool2d as max_pool2d,
    mse_loss as mse_loss,
    upsample as upsample,
)
from .gradcheck import GradcheckReport as GradcheckReport, gradcheck as gradcheck
from .graph import no_grad as no_grad
from .layers import (
    GELU as GELU,
    AvgPool2D as AvgPool2D,
    BatchNorm2D as BatchNorm2D,
    Conv2D as Conv2D,
    Dropout as Dropout,
    Embedding as Embedding,
    Flatten as Flatten,
    LayerNorm as LayerNorm,
    Linear as Linear,
    MaxPool2D as MaxPool2D,
    ReLU as ReLU,
    Sequential as Sequential,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Tanh as Tanh,
    Upsample as Upsample,
)
from .modules import Module as Module, ModuleList as ModuleList
from .operations import (
    absolute as absolute,
    add as add,
    astype as astype,
    broadcast_to as broadcast_to,
    clip as clip,
    concatenate as concatenate,
    cos as cos,
    divide as divide,
    einsum as einsum,
    exp as exp,
    expand_dims as expand_dims,
    flatten as flatten,
    gelu as gelu,
    linear as linear,
    log as log,
    log_softmax as log_softmax,
    matmul as matmul,
    max as max,
    maximum as maximum,
    mean as mean,
    min as min,
    minimum as minimum,
    multiply as multiply,
    negative as negative,
    power as power,
    relu as relu,
    reshape as reshape,
    sigmoid as sigmoid,
    sin as sin,
    softmax as softmax,
    sqrt as sqrt,
    square as square,
    squeeze as squeeze,
    stack as stack,
    subtract as subtract,
    sum as sum,
    tanh as tanh,
    transpose as transpose,
    var as var,
    where as where,
)
from .optimisers import (
    SGD as SGD,
    Adam as Adam,
    AdamW as AdamW,
    NonFiniteGradient as NonFiniteGradient,
    Optimiser as Optimiser,
    RMSprop as RMSprop,
    clip_grad_norm as clip_grad_norm,
    clip_grad_value as clip_grad_value,
)
from .recurrent import (
    GRU as GRU,
    LSTM as LSTM,
    RNN as RNN,
    Dilated as Dilated,
    GRUCell as GRUCell,
    LSTMCell as LSTMCell,
    LayerNormLSTMCell as LayerNormLSTMCell,
    RNNCell as RNNCell,
    Unrolled as Unrolled,
    detach as detach,
    gradient_norm_penalty as gradient_norm_penalty,
)
from .serialization import load as load, save as save
from .tensor import Parameter as Parameter, Tensor as Tensor
from .transformers import (
    KeyValueCache as KeyValueCache,
    MultiheadAttention as MultiheadAttention,
    SinusoidalPositions as SinusoidalPositions,
    Transformer as Transformer,
    TransformerDecoder as TransformerDecoder,
    TransformerDecoderLayer as TransformerDecoderLayer,
    TransformerEncoder as TransformerEncoder,
    TransformerEncoderLayer as TransformerEncoderLayer,
    rotary_positions as rotary_positions,
    sinusoidal_positions as sinusoidal_positions,
)

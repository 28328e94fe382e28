"""The layers: modules that hold weights, or a setting, around one function each.

Names, defaults, weight layouts and initial distributions are PyTorch's. Weights are float32 unless `dtype` says
otherwise. `rng` draws the initial weights (or the dropout); without it, each layer takes fresh entropy from the system.
"""

from .convolution import (
    Conv1D as Conv1D,
    Conv2D as Conv2D,
    ConvTranspose1D as ConvTranspose1D,
    ConvTranspose2D as ConvTranspose2D,
)
from .activations import (
    GELU as GELU,
    Identity as Identity,
    LogSoftmax as LogSoftmax,
    ReLU as ReLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Tanh as Tanh,
)
from .dropout import Dropout as Dropout, Dropout1D as Dropout1D, Dropout2D as Dropout2D
from .linear import Embedding as Embedding, Linear as Linear
from .losses import (
    BCELoss as BCELoss,
    BCEWithLogitsLoss as BCEWithLogitsLoss,
    CrossEntropyLoss as CrossEntropyLoss,
    HuberLoss as HuberLoss,
    KLDivLoss as KLDivLoss,
    L1Loss as L1Loss,
    MSELoss as MSELoss,
    NLLLoss as NLLLoss,
    SmoothL1Loss as SmoothL1Loss,
)
from .normalisation import (
    BatchNorm1D as BatchNorm1D,
    BatchNorm2D as BatchNorm2D,
    GroupNorm as GroupNorm,
    InstanceNorm1D as InstanceNorm1D,
    InstanceNorm2D as InstanceNorm2D,
    LayerNorm as LayerNorm,
    LocalResponseNorm as LocalResponseNorm,
    RMSNorm as RMSNorm,
)
from .padding import (
    CircularPad1D as CircularPad1D,
    CircularPad2D as CircularPad2D,
    ConstantPad1D as ConstantPad1D,
    ConstantPad2D as ConstantPad2D,
    ReflectionPad1D as ReflectionPad1D,
    ReflectionPad2D as ReflectionPad2D,
    ReplicationPad1D as ReplicationPad1D,
    ReplicationPad2D as ReplicationPad2D,
    ZeroPad1D as ZeroPad1D,
    ZeroPad2D as ZeroPad2D,
)
from .pooling import (
    AdaptiveAvgPool1D as AdaptiveAvgPool1D,
    AdaptiveAvgPool2D as AdaptiveAvgPool2D,
    AdaptiveMaxPool1D as AdaptiveMaxPool1D,
    AdaptiveMaxPool2D as AdaptiveMaxPool2D,
    AvgPool1D as AvgPool1D,
    AvgPool2D as AvgPool2D,
    MaxPool1D as MaxPool1D,
    MaxPool2D as MaxPool2D,
    MaxUnpool1D as MaxUnpool1D,
    MaxUnpool2D as MaxUnpool2D,
)
from .rectifiers import (
    CELU as CELU,
    ELU as ELU,
    GLU as GLU,
    SELU as SELU,
    Hardsigmoid as Hardsigmoid,
    Hardswish as Hardswish,
    Hardtanh as Hardtanh,
    LeakyReLU as LeakyReLU,
    LogSigmoid as LogSigmoid,
    Mish as Mish,
    PReLU as PReLU,
    ReLU6 as ReLU6,
    SiLU as SiLU,
    Softplus as Softplus,
    Softsign as Softsign,
)
from .sequential import Sequential as Sequential
from .shapes import (
    Flatten as Flatten,
    Fold as Fold,
    PixelShuffle as PixelShuffle,
    PixelUnshuffle as PixelUnshuffle,
    Unflatten as Unflatten,
    Unfold as Unfold,
    Upsample as Upsample,
    UpsamplingBilinear2D as UpsamplingBilinear2D,
    UpsamplingNearest2D as UpsamplingNearest2D,
)

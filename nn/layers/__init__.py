"""The layers: modules that hold weights, or a setting, around one function each.

Names, defaults, weight layouts and initial distributions are PyTorch's. Weights are float32 unless `dtype` says
otherwise. `rng` draws the initial weights (or the dropout); without it, each layer takes fresh entropy from the system.
"""

from .activations import GELU as GELU, ReLU as ReLU, Sigmoid as Sigmoid, Softmax as Softmax, Tanh as Tanh
from .convolution import Conv2D as Conv2D
from .dropout import Dropout as Dropout
from .linear import Embedding as Embedding, Linear as Linear
from .normalisation import BatchNorm2D as BatchNorm2D, LayerNorm as LayerNorm
from .pooling import AvgPool2D as AvgPool2D, MaxPool2D as MaxPool2D
from .sequential import Sequential as Sequential
from .shapes import Flatten as Flatten, Upsample as Upsample

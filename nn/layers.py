"""The layers: modules that hold weights, or a setting, around one function each.

Names, defaults, weight layouts and initial spreads are PyTorch's. Weights are float32 unless `dtype` says otherwise.
`rng` draws the initial weights (or the dropout); without one, each layer takes fresh entropy from the system.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import DTypeLike

from . import functional, init, operations
from .graph import Array
from .modules import Module, ModuleList
from .tensor import Parameter

Size = int | tuple[int, int]


def uniform_parameter(
    shape: Sequence[int], fan_in: int, rng: np.random.Generator | None, dtype: DTypeLike
) -> Parameter:
    """Draw a parameter uniformly from +-1 / sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    return Parameter(init.uniform(shape, bound, rng=rng or np.random.default_rng(), dtype=dtype))


def check_sizes(**sizes: int) -> None:
    """Raise ValueError for a size that is not a whole number from 1 on."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(f"{name} is {size!r}; expected a whole number from 1 on")


class Linear(Module):
    """x @ weight.T + bias: (..., in_features) -> (..., out_features); weight (out_features, in_features)."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check_sizes(in_features=in_features, out_features=out_features)
        self.weight = uniform_parameter((out_features, in_features), in_features, rng, dtype)
        self.bias = uniform_parameter((out_features,), in_features, rng, dtype) if bias else None

    def forward(self, x: Any) -> Any:
        """(..., in_features) -> (..., out_features)."""
        return operations.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes, in and out."""
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}" + ("" if self.bias is not None else ", bias=False")


class Conv2D(Module):
    """Convolution with an odd kernel, stride 1 (exercise 41); weight (out_channels, in_channels, height, width).

    (batch, in_channels, height, width) -> (batch, out_channels, height + 2 padding - kernel_height + 1, ...).
    A stride other than 1 raises ValueError: to make pictures smaller, pool.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: int = 1,
        padding: int = 0,
        *,
        bias: bool = True,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        check_sizes(in_channels=in_channels, out_channels=out_channels, kernel_height=height, kernel_width=width)
        shape = out_channels, in_channels, height, width
        functional.check_conv(np.empty((1, in_channels, height, width)), np.empty(shape), None, padding, stride)
        self.weight = uniform_parameter(shape, in_channels * height * width, rng, dtype)
        self.bias = uniform_parameter((out_channels,), in_channels * height * width, rng, dtype) if bias else None
        self.padding = padding

    def forward(self, x: Any) -> Any:
        """(batch, in_channels, height, width) -> (batch, out_channels, height', width')."""
        return functional.conv2d(x, self.weight, self.bias, self.padding)

    def extra_repr(self) -> str:
        """Channels in and out, kernel, padding."""
        out_channels, in_channels, height, width = self.weight.shape
        bias = "" if self.bias is not None else ", bias=False"
        return f"{in_channels}, {out_channels}, kernel_size=({height}, {width}), padding={self.padding}{bias}"


class _Pool(Module):
    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        check_sizes(kernel_height=height, kernel_width=width)
        functional.pool_windows(np.empty((1, 1, height, width)), kernel_size, stride)
        self.kernel_size = kernel_size

    def extra_repr(self) -> str:
        """The window."""
        return f"{self.kernel_size}"


class MaxPool2D(_Pool):
    """Largest of each window; windows touch, a rest at the border is dropped."""

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, height // kernel, width // kernel)."""
        return functional.max_pool2d(x, self.kernel_size)


class AvgPool2D(_Pool):
    """Mean of each window; windows touch, a rest at the border is dropped."""

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, height // kernel, width // kernel)."""
        return functional.avg_pool2d(x, self.kernel_size)


class Upsample(Module):
    """Each pixel scale_factor times in both directions (mode "nearest")."""

    def __init__(self, *, scale_factor: int = 2) -> None:
        check_sizes(scale_factor=scale_factor)
        self.scale_factor = scale_factor

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels, height * scale_factor, width * scale_factor)."""
        return functional.upsample(x, scale_factor=self.scale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"scale_factor={self.scale_factor}"


class BatchNorm2D(Module):
    """Normalise each channel over batch, height and width (Ioffe & Szegedy 2015)."""

    buffer_names = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check_sizes(num_features=num_features)
        self.eps, self.momentum, self.num_features = eps, momentum, num_features
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.running_mean = np.zeros(num_features, dtype)
        self.running_var = np.ones(num_features, dtype)
        self.num_batches_tracked = np.array(0)

    def forward(self, x: Any) -> Any:
        """(batch, num_features, height, width) -> the same shape."""
        if np.ndim(x) != 4 or x.shape[1] != self.num_features:
            expected = f"(batch, {self.num_features}, height, width)"
            raise ValueError(f"BatchNorm2D({self.num_features}) takes {expected}, not {np.shape(x)}")
        out = functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )
        if self.training:
            self.num_batches_tracked += 1
        return out

    def extra_repr(self) -> str:
        """Channels and settings."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class LayerNorm(Module):
    """Normalise over the last axes (Ba, Kiros & Hinton 2016)."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if elementwise_affine else None

    def forward(self, x: Any) -> Any:
        """(..., *normalized_shape) -> the same shape."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Shape and eps."""
        return f"{self.normalized_shape}, eps={self.eps}"


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.relu(x)


class GELU(Module):
    """x times the normal distribution function at x; `approximate="tanh"` is the quicker formula."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.gelu(x, self.approximate)


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.tanh(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return operations.sigmoid(x)


class Softmax(Module):
    """Probabilities along `dim`; not before `cross_entropy`, which has its own."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return functional.softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` in one: by default all but the first."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """(batch, ...) -> (batch, features)."""
        return operations.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Dropout(Module):
    """In training, set each element to 0 with probability p and divide the rest by 1 - p; else nothing."""

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p is {p}; a probability lies between 0 and 1")
        self.p, self.rng = p, rng or np.random.default_rng()

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return functional.dropout(x, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Embedding(Module):
    """A row of numbers for each integer: weight (num_embeddings, embedding_dim), standard normal at first."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check_sizes(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        shape = num_embeddings, embedding_dim
        self.weight = Parameter(init.normal(shape, 1.0, rng=rng or np.random.default_rng(), dtype=dtype))

    def forward(self, index: Array) -> Any:
        """Integers (...) -> (..., embedding_dim)."""
        return functional.embedding(index, self.weight)

    def extra_repr(self) -> str:
        """Rows and columns."""
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}"


class Sequential(ModuleList):
    """Modules applied one after the other: `Sequential(Conv2D(1, 8, 3), ReLU(), MaxPool2D(2))`.

    One rule makes it quick: Conv2D, ReLU, MaxPool2D in a row are evaluated as convolution, pool, bias, relu. Adding a
    constant and relu never change which element of a window is largest, so values and gradients are the same, and bias
    and relu have a quarter of the work. (A subclass of these layers is left alone.)
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    @overload
    def __getitem__(self, index: int) -> Module: ...

    @overload
    def __getitem__(self, index: slice) -> Sequential: ...

    def __getitem__(self, index: int | slice) -> Module:
        """One module; for a slice, a Sequential of the same modules, numbered from 0."""
        return Sequential(*list(self)[index]) if isinstance(index, slice) else super().__getitem__(index)

    def forward(self, x: Any) -> Any:
        """Whatever the first module takes -> whatever the last one gives."""
        modules, at = list(self), 0
        while at < len(modules):
            here = modules[at : at + 3]
            if [type(module) for module in here] == [Conv2D, ReLU, MaxPool2D]:
                conv, _, pool = here
                assert isinstance(conv, Conv2D)
                x = pool(functional.conv2d(x, conv.weight, None, conv.padding))
                x = operations.relu(x) if conv.bias is None else functional.bias_relu(x, conv.bias)
                at += 3
            else:
                x = modules[at](x)
                at += 1
        return x

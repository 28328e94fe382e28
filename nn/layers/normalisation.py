"""Normalisation as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import functional
from ..checks import POSITIVE_INTEGER, check
from ..graph import Array
from ..modules import Module
from ..tensor import Parameter


class _Channels(Module):
    """Weight and bias for each channel, and running statistics if they are tracked."""

    buffer_names: tuple[str, ...] = ("running_mean", "running_var", "num_batches_tracked")
    ndims: tuple[int, ...]  # of what it takes
    axes = "(batch, {}, height, width)"
    running_mean: Array | None
    running_var: Array | None

    def _make(self, num_features: int, affine: bool, bias: bool, tracked: bool, dtype: DTypeLike) -> None:
        check(POSITIVE_INTEGER, num_features=num_features)
        self.num_features = num_features
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine and bias else None
        self.track_running_stats = tracked
        if not tracked:
            self.buffer_names = ()
        self.running_mean = np.zeros(num_features, dtype) if tracked else None
        self.running_var = np.ones(num_features, dtype) if tracked else None
        self.num_batches_tracked: Array | None = np.array(0) if tracked else None

    def _check(self, x: Any, channels: int) -> None:
        if np.ndim(x) not in self.ndims or np.shape(x)[channels] != self.num_features:
            expected = self.axes.format(self.num_features)
            raise ValueError(f"{type(self).__name__}({self.num_features}) takes {expected}, not {np.shape(x)}")


class _BatchNorm(_Channels):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.eps, self.momentum = eps, momentum
        self._make(num_features, affine, bias, track_running_stats, dtype)

    def forward(self, input: Any) -> Any:
        """(batch, num_features, ...) -> the same shape."""
        self._check(input, 1)
        count = self.num_batches_tracked
        share = self.momentum if self.momentum is not None else 1 / (1 + int(count or 0))
        statistics = self.running_mean, self.running_var
        out = functional.batch_norm(input, *statistics, self.weight, self.bias, self.training, share, self.eps)
        if self.training and count is not None:
            count += 1  # in place; last: what does not fit moves nothing
        return out

    def extra_repr(self) -> str:
        """Channels and settings."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm2D(_BatchNorm):
    """Normalise each channel over batch, height and width (Ioffe & Szegedy 2015).

    `momentum`: how far a batch moves the running statistics; None: they are the mean of all batches so far. Not
    `track_running_stats`: each batch's own are used in evaluation too.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> norm, images = nn.BatchNorm2D(3), np.random.default_rng(0).normal(5, 2, (16, 3, 8, 8))
        >>> y = norm(images.astype(np.float32)).data
        >>> abs(y.mean((0, 2, 3)).round(3)), y.std((0, 2, 3)).round(3)
        (array([0., 0., 0.], dtype=float32), array([1., 1., 1.], dtype=float32))
    """

    ndims = (4,)


class BatchNorm1D(_BatchNorm):
    """Normalise each feature over the batch, or each channel over batch and length; settings as in `BatchNorm2D`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> norm = nn.BatchNorm1D(2)
        >>> norm(np.array([[1.0, 10.0], [3.0, 30.0]], np.float32)).data.round(2)
        array([[-1., -1.],
               [ 1.,  1.]], dtype=float32)
        >>> norm.eval()(np.zeros((1, 2), np.float32)).data.round(2)  # by the running statistics: means 0.2 and 2
        array([[-0.19, -0.44]], dtype=float32)
    """

    ndims, axes = (2, 3), "(batch, {0}) or (batch, {0}, length)"


class _InstanceNorm(_Channels):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.eps, self.momentum = eps, momentum
        self._make(num_features, affine, bias, track_running_stats, dtype)

    def forward(self, input: Any) -> Any:
        """(batch, num_features, ...) -> the same shape; without the batch axis, one example."""
        alone = np.ndim(input) == self.ndims[0]
        self._check(input, 0 if alone else 1)
        own = self.training or not self.track_running_stats
        settings = self.weight, self.bias, own, self.momentum, self.eps
        out = functional.instance_norm(input[None] if alone else input, self.running_mean, self.running_var, *settings)
        return out[0] if alone else out

    def extra_repr(self) -> str:
        """Channels and settings."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class InstanceNorm2D(_InstanceNorm):
    """Normalise each channel of each picture by itself (Ulyanov, Vedaldi & Lempitsky 2016).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> photo = np.random.default_rng(0).uniform(size=(1, 3, 8, 8)).astype(np.float32)
        >>> norm = nn.InstanceNorm2D(3)
        >>> bool(abs(norm(photo) - norm(0.5 * photo + 0.2)).max() < 0.01)  # contrast and brightness are gone
        True
    """

    ndims = (3, 4)


class InstanceNorm1D(_InstanceNorm):
    """Normalise each channel of each sequence by itself.

    Example:
        >>> from mazegrad import nn
        >>> nn.InstanceNorm1D(2)(nn.Tensor([[[1.0, 3.0], [10.0, 30.0]]])).data.round(2)
        array([[[-1.,  1.],
                [-1.,  1.]]], dtype=float32)
    """

    ndims, axes = (2, 3), "(batch, {}, length)"


class GroupNorm(Module):
    """Normalise groups of channels of each example, independently of the batch (Wu & He 2018).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> norm = nn.GroupNorm(num_groups=2, num_channels=4)
        >>> norm(np.array([[1.0, 3.0, 10.0, 30.0]], np.float32)).data.round(2)
        array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check(POSITIVE_INTEGER, num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(f"{num_channels} channels cannot be dealt out to {num_groups} groups")
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = Parameter(np.ones(num_channels, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, dtype)) if affine and bias else None

    def forward(self, input: Any) -> Any:
        """(batch, num_channels, ...) -> the same shape."""
        if np.ndim(input) < 2 or np.shape(input)[1] != self.num_channels:
            raise ValueError(f"GroupNorm takes (batch, {self.num_channels}, ...), not {np.shape(input)}")
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Groups, channels, eps."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"


class LayerNorm(Module):
    """Normalise over the last axes (Ba, Kiros & Hinton 2016).

    Example:
        >>> from mazegrad import nn
        >>> norm = nn.LayerNorm(2)
        >>> norm(nn.Tensor([[1.0, 3.0], [10.0, 30.0]])).data.round(2)
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if elementwise_affine and bias else None

    def forward(self, input: Any) -> Any:
        """(..., *normalized_shape) -> the same shape."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Shape and eps."""
        return f"{self.normalized_shape}, eps={self.eps}"


class RMSNorm(Module):
    """Divide by the root of the mean square over the last axes (Zhang & Sennrich 2019).

    Example:
        >>> from mazegrad import nn
        >>> nn.RMSNorm(2)(nn.Tensor([[1.0, 7.0]])).data.round(2)
        array([[0.2, 1.4]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None

    def forward(self, input: Any) -> Any:
        """(..., *normalized_shape) -> the same shape."""
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Shape and eps."""
        return f"{self.normalized_shape}, eps={self.eps}"


class LocalResponseNorm(Module):
    """Divide by a power of the mean square of neighbouring channels (Krizhevsky, Sutskever & Hinton 2012).

    Example:
        >>> from mazegrad import nn
        >>> nn.LocalResponseNorm(size=3, alpha=3.0, beta=0.5, k=0.0)([[[3.0], [0.0], [4.0]]])[0, :, 0].round(2)
        array([1., 0., 1.])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        check(POSITIVE_INTEGER, size=size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Any) -> Any:
        """(batch, channels, ...) -> the same shape."""
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"

"""Layers that change the shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import functional, operations
from ..geometry import Size
from ..modules import Module


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` in one: by default all but the first.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.Flatten()(np.zeros((8, 2, 3, 3))).shape
        (8, 18)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        """(batch, ...) -> (batch, features)."""
        return operations.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Upsample(Module):
    """Pictures of another size: `size`, or `scale_factor` times as large; modes as in `functional.interpolate`.

    Example:
        >>> from mazegrad import nn
        >>> nn.Upsample(scale_factor=2, mode="linear")([[[0.0, 4.0]]])
        array([[[0., 1., 3., 4.]]])
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        if (size is None) == (scale_factor is None):
            raise ValueError(f"either size or scale_factor is expected, not {size} and {scale_factor}")
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """(batch, channels, height, width), or (batch, channels, length) -> as many axes, of the new size."""
        settings = self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        return functional.interpolate(input, *settings)

    def extra_repr(self) -> str:
        """Size or factor, and mode."""
        size = f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}"
        return size if self.mode == "nearest" else f"{size}, mode={self.mode!r}"


class UpsamplingNearest2D(Upsample):
    """Images of another size, by the nearest pixel.

    Example:
        >>> from mazegrad import nn
        >>> nn.UpsamplingNearest2D(size=(2, 4))([[[[1.0, 2.0]]]])[0, 0]
        array([[1., 1., 2., 2.],
               [1., 1., 2., 2.]])
    """

    def __init__(self, size: int | Sequence[int] | None = None, scale_factor: float | None = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2D(Upsample):
    """Images of another size, linearly between pixels; the corners stay where they are.

    Example:
        >>> from mazegrad import nn
        >>> nn.UpsamplingBilinear2D(size=3)([[[[0.0, 2.0], [4.0, 6.0]]]])[0, 0]
        array([[0., 1., 2.],
               [2., 3., 4.],
               [4., 5., 6.]])
    """

    def __init__(self, size: int | Sequence[int] | None = None, scale_factor: float | None = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)


class Unflatten(Module):
    """One axis becomes several: `Unflatten(1, (3, 32, 32))`; one size may be -1.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.Unflatten(1, (3, -1, 32))(np.zeros((8, 3072))).shape
        (8, 3, 32, 32)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        """(..., features, ...) -> (..., *unflattened_size, ...)."""
        return operations.unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """The axis and its new sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class PixelShuffle(Module):
    """r * r channels become a block of r x r pixels.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.PixelShuffle(2)(np.zeros((1, 12, 4, 4))).shape
        (1, 3, 8, 8)
    """

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Any:
        """(..., channels * r * r, height, width) -> (..., channels, height * r, width * r)."""
        return functional.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """A block of r x r pixels becomes r * r channels.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.PixelUnshuffle(2)(np.arange(16).reshape(1, 4, 4))[0]  # the first of the 4 channels
        array([[ 0,  2],
               [ 8, 10]])
    """

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Any:
        """(..., channels, height * r, width * r) -> (..., channels * r * r, height, width)."""
        return functional.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"downscale_factor={self.downscale_factor}"


class Unfold(Module):
    """Every window of an image in a column.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.Unfold(3, padding=1)(np.zeros((1, 2, 8, 8))).shape
        (1, 18, 64)
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        self.settings = kernel_size, dilation, padding, stride

    def forward(self, input: Any) -> Any:
        """(batch, channels, height, width) -> (batch, channels * kernel_height * kernel_width, windows)."""
        return functional.unfold(input, *self.settings)

    def extra_repr(self) -> str:
        """The window's settings."""
        return "kernel_size={}, dilation={}, padding={}, stride={}".format(*self.settings)


class Fold(Module):
    """The sum of windows in columns, each where it lies in the image.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> image = np.arange(16.0).reshape(1, 1, 4, 4)
        >>> columns = nn.Unfold(2, stride=2)(image)  # windows that touch
        >>> bool((nn.Fold(4, 2, stride=2)(columns) == image).all())
        True
    """

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        self.settings = output_size, kernel_size, dilation, padding, stride

    def forward(self, input: Any) -> Any:
        """(batch, channels * kernel_height * kernel_width, windows) -> (batch, channels, *output_size)."""
        return functional.fold(input, *self.settings)

    def extra_repr(self) -> str:
        """The window's settings."""
        return "output_size={}, kernel_size={}, dilation={}, padding={}, stride={}".format(*self.settings)

"""A convolution is one matrix product for each output row, over windows of the image that overlap in memory.

Exercise 41, on plain numpy arrays. Outside, an image is (batch, channels, height, width), as in PyTorch. Inside it is
laid out as *rows*: (height, channels, width, batch) in memory. Then `kernel_height` neighbouring image rows are one block
of memory, the windows of neighbouring output rows overlap in it, and every column shift is a shift by `batch` numbers.
Results are views of such memory; numpy's elementwise functions keep that order, so in a net
the conversion is paid for once. `docs/exercise_41.md` derives it all and measures it step by step.
"""

from collections.abc import Iterator
from math import gcd
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import buffers

Array: TypeAlias = NDArray[Any]

CACHE_WAYS, CACHE_PERIOD = 8, 4096  # addresses a period apart share 8 lines of the first-level cache
PANEL = 1 << 18  # bytes of one matrix product's right-hand side: it shall stay in the second-level cache


def h_conv2d(image: Array, kernel: Array) -> Array:
    """Convolve (in fact correlate) a batch of images with a kernel: stride 1, no padding, dilation 1.

    `output[b, o, y, x] = sum over c, i, j of image[b, c, y + i, x + j] * kernel[o, c, i, j]`

    Args:
        image: (batch, channels, height, width), float32 or float64, in any memory order.
        kernel: (out_channels, channels, kernel_height, kernel_width) of the same dtype, with odd height and width.

    Returns:
        (batch, out_channels, height - kernel_height + 1, width - kernel_width + 1), in whichever memory order is quickest.

    Raises:
        TypeError, ValueError: naming the shapes or dtypes found and what is allowed.

    Source: exercise 41.
    """
    _check(image, kernel)
    return conv_forward(image, kernel)


def h_conv2d_grad(image: Array, kernel: Array, grad_output: Array) -> tuple[Array, Array]:
    """Take the gradient with respect to `h_conv2d`'s output back to its image and its kernel.

    Args:
        image: (batch, channels, height, width), as given to `h_conv2d`.
        kernel: (out_channels, channels, kernel_height, kernel_width), as given to `h_conv2d`.
        grad_output: shaped like `h_conv2d(image, kernel)`.

    Returns:
        `(grad_image, grad_kernel)`, shaped like image and kernel.

    Raises:
        TypeError, ValueError: naming the shapes or dtypes found and what is allowed.

    Source: exercise 41.
    """
    _check(image, kernel)
    _check_array("grad_output", grad_output, "(batch, out_channels, height, width)")
    (batch, _, height, width), (out_channels, _, kernel_height, kernel_width) = image.shape, kernel.shape
    expected = (batch, out_channels, height - kernel_height + 1, width - kernel_width + 1)
    if grad_output.shape != expected:
        raise ValueError(
            f"grad_output has shape {grad_output.shape}, but the output for image {image.shape} "
            f"and kernel {kernel.shape} has shape {expected}"
        )
    if grad_output.dtype != image.dtype:
        raise TypeError(f"grad_output is {grad_output.dtype}, but image and kernel are {image.dtype}")
    return conv_grad_image(kernel, grad_output, image.shape), conv_grad_kernel(image, grad_output, kernel.shape)


def conv_forward(image: Array, kernel: Array, padding: int = 0) -> Array:
    """Convolve; unchecked, with `padding` zeros around the image."""
    return _image(_correlate(_rows(image), kernel, padding, padding))


def conv_grad_image(kernel: Array, grad_output: Array, image_shape: tuple[int, ...], padding: int = 0) -> Array:
    """Take the gradient back to the image: the full convolution, that is, a correlation with the turned kernel."""
    turned = kernel[:, :, ::-1, ::-1].swapaxes(0, 1)
    height, width = kernel.shape[2:]
    return _image(_correlate(_rows(grad_output), turned, height - 1 - padding, width - 1 - padding))


def conv_grad_kernel(image: Array, grad_output: Array, kernel_shape: tuple[int, ...], padding: int = 0) -> Array:
    """Take the gradient back to the kernel: the correlation of the image with the output's gradient."""
    rows, grad = _rows(image), _rows(grad_output)
    out_channels, channels, kernel_height, kernel_width = kernel_shape
    (height, _, width, batch), (out_height, _, out_width, _) = rows.shape, grad.shape
    result = np.zeros((kernel_width, out_channels, kernel_height, channels), rows.dtype)
    flat_grad = grad.reshape(out_height, out_channels, out_width * batch)
    for j in range(kernel_width):
        first, last = _overlap(j, width, out_width, padding)
        if first == last:
            continue
        left = flat_grad[:, :, first * batch : last * batch]
        shift = slice((first + j - padding) * batch, (last + j - padding) * batch)
        for top, bottom, i, i_end in _row_spans(height, out_height, kernel_height, padding):
            window = _windows(rows, top + i - padding, bottom - top, i_end - i)[:, :, shift]
            parts = np.matmul(left[top:bottom], window.transpose(0, 2, 1))
            result[j, :, i:i_end] += parts.sum(0).reshape(out_channels, i_end - i, channels)
    return np.ascontiguousarray(result.transpose(1, 3, 2, 0))


def _correlate(rows: Array, kernel: Array, pad_height: int, pad_width: int) -> Array:
    """Correlate rows (height, channels, width, batch) with a kernel; a negative pad crops."""
    height, channels, width, batch = rows.shape
    out_channels, _, kernel_height, kernel_width = kernel.shape
    out_height = height + 2 * pad_height - kernel_height + 1
    out_width = width + 2 * pad_width - kernel_width + 1
    shifted = _shifted(rows, kernel_width, pad_width, out_width)
    weight = np.ascontiguousarray(kernel.transpose(0, 2, 3, 1))  # (out_channels, kernel_height, kernel_width, channels)
    out = buffers.empty((out_height, out_channels, out_width * batch), rows.dtype)
    for top, bottom, i, i_end in _row_spans(height, out_height, kernel_height, pad_height):
        windows = _windows(shifted, top + i - pad_height, bottom - top, i_end - i)
        matrix = weight[:, i:i_end].reshape(out_channels, windows.shape[1])
        step = max(256, PANEL // max(1, windows.shape[1] * rows.itemsize))
        for start in range(0, out_width * batch, step):
            panel = slice(start, start + step)
            np.matmul(matrix, windows[:, :, panel], out=out[top:bottom, :, panel])
    return out.reshape(out_height, out_channels, out_width, batch)


def _shifted(rows: Array, kernel_width: int, pad: int, out_width: int) -> Array:
    """Lay `kernel_width` copies side by side, each shifted by one column: (height, kernel_width * channels, out_width, batch)."""
    height, channels, width, batch = rows.shape
    if kernel_width == 1 and pad == 0:
        return rows
    result = buffers.empty((height, kernel_width, channels, out_width, batch), rows.dtype)
    for j in range(kernel_width):
        first, last = _overlap(j, width, out_width, pad)
        result[:, j, :, first:last] = rows[:, :, first + j - pad : last + j - pad]
        result[:, j, :, :first] = 0
        result[:, j, :, last:] = 0
    return result.reshape(height, kernel_width * channels, out_width, batch)


def _overlap(shift: int, width: int, out_width: int, pad: int) -> tuple[int, int]:
    """Return which output positions, from `first` to before `last`, see the unpadded input through kernel entry `shift`."""
    first = min(max(pad - shift, 0), out_width)
    return first, max(first, min(out_width, width + pad - shift))


def _row_spans(height: int, out_height: int, kernel_height: int, pad: int) -> Iterator[tuple[int, int, int, int]]:
    """Group the output rows `top` to `bottom` that see the same kernel rows `i` to `i_end`; others look at zeros."""
    top = 0
    while top < out_height:
        i = min(max(pad - top, 0), kernel_height)
        i_end = max(i, min(kernel_height, height + pad - top))
        bottom = top + 1
        if i == 0 and i_end == kernel_height:
            bottom = max(bottom, min(out_height, height + pad - kernel_height + 1))
        yield top, bottom, i, i_end
        top = bottom


def _windows(rows: Array, start: int, count: int, size: int) -> Array:
    """View `count` windows of `size` rows each, every one a row further on: (count, size * channels, width * batch)."""
    _, channels, width, batch = rows.shape
    line = width * batch * rows.itemsize
    if size == 0:  # only zeros are seen
        return rows[:0].reshape(1, 0, width * batch)
    shape = (count, size * channels, width * batch)
    return np.ndarray(shape, rows.dtype, rows, start * channels * line, (channels * line, line, rows.itemsize))


def _rows(image: Array) -> Array:
    """Lay (batch, channels, height, width) out as (height, channels, width, batch); free where it is so already."""
    rows = image.transpose(2, 1, 3, 0)
    if rows.flags.c_contiguous:
        return rows
    batch, stride = image.shape[0], abs(image.strides[0])
    if batch > CACHE_WAYS * CACHE_PERIOD // gcd(stride, CACHE_PERIOD) and image.flags.c_contiguous:
        # the pixels that become neighbours push each other out of the first-level cache: move the images apart first
        size = image.size // batch
        apart = buffers.empty((batch, size + 16), image.dtype)[:, :size]
        apart[...] = image.reshape(batch, size)
        rows = apart.reshape(image.shape).transpose(2, 1, 3, 0)
    result = buffers.empty(rows.shape, rows.dtype)
    result[...] = rows
    return result


def _image(rows: Array) -> Array:
    """Show rows (height, channels, width, batch) as (batch, channels, height, width); nothing is copied."""
    return rows.transpose(3, 1, 0, 2)


def _check(image: Array, kernel: Array) -> None:
    _check_array("image", image, "(batch, channels, height, width)")
    _check_array("kernel", kernel, "(out_channels, channels, kernel_height, kernel_width)")
    if image.dtype != kernel.dtype:
        raise TypeError(f"image is {image.dtype}, but kernel is {kernel.dtype}; convert one of them with .astype")
    if image.shape[1] != kernel.shape[1]:
        raise ValueError(
            f"image {image.shape} has {image.shape[1]} channels, but kernel {kernel.shape} expects {kernel.shape[1]}"
        )
    height, width = kernel.shape[2:]
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(f"kernel {kernel.shape} is {height} x {width}; both height and width must be odd")
    if height > image.shape[2] or width > image.shape[3]:
        raise ValueError(f"kernel {kernel.shape} is larger than image {image.shape}; there is no padding")


def _check_array(name: str, array: Array, axes: str) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a numpy array, not {type(array).__name__}; for tensors there is conv2d")
    if array.ndim != 4:
        raise ValueError(f"{name} has shape {array.shape}; expected four axes {axes}")
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} is {array.dtype}; expected float32 or float64")

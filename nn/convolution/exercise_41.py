"""A convolution is one matrix product for each output row, over windows of the image that overlap in memory.

Exercise 41, on plain numpy arrays. Outside, an image is (batch, channels, height, width), as in PyTorch; inside it is
laid out as *rows* (see `layout.py`). Results are views of rows, and numpy's elementwise functions keep that order, so
in a net the conversion is paid for once. `docs/exercise_41.md` derives all of it and measures it step by step.
"""

from functools import partial

import numpy as np

from .. import buffers
from . import winograd
from .layout import Array, seen, shifted, spans, to_bchw, to_hcwb, windows

FEW_CHANNELS = 8  # so few that copies of them cost next to nothing
SCRATCH = 1 << 24  # bytes of temporary memory; with more images, fewer rows at a time


def h_conv2d(image: Array, kernel: Array) -> Array:
    """Convolve (in fact correlate) a batch of images with a kernel: stride 1, no padding, dilation 1.

    `output[b, o, y, x] = sum over c, i, j of image[b, c, y + i, x + j] * kernel[o, c, i, j]`

    Args:
        image: (batch, channels, height, width), float32 or float64, in any memory order.
        kernel: (out_channels, channels, kernel_height, kernel_width) of the same dtype, with odd height and width.

    Returns:
        (batch, out_channels, height - kernel_height + 1, width - kernel_width + 1), in the memory order of rows.

    Raises:
        TypeError, ValueError: naming the shapes or dtypes found and what is allowed.

    Source: exercise 41.

    Example:
        >>> import numpy as np
        >>> from mazegrad.nn import h_conv2d
        >>> h_conv2d(np.ones((1, 1, 3, 4)), np.ones((1, 1, 3, 3)))
        array([[[[9., 9.]]]])
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

    Example:
        >>> import numpy as np
        >>> from mazegrad.nn import h_conv2d_grad
        >>> image, kernel = np.arange(12.0).reshape(1, 1, 3, 4), np.ones((1, 1, 3, 3))
        >>> grad_image, grad_kernel = h_conv2d_grad(image, kernel, np.ones((1, 1, 1, 2)))
        >>> grad_image[0, 0]
        array([[1., 2., 2., 1.],
               [1., 2., 2., 1.],
               [1., 2., 2., 1.]])
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
    grad_output = to_bchw(to_hcwb(grad_output))  # once for both
    return conv_grad_image(kernel, grad_output, image.shape), conv_grad_kernel(image, grad_output, kernel.shape)


def conv_forward(image: Array, kernel: Array, padding: int = 0) -> Array:
    """Convolve, with `padding` zeros around the image; unchecked."""
    return to_bchw(correlate(to_hcwb(image), kernel, padding, padding))


def conv_grad_image(kernel: Array, grad_output: Array, image_shape: tuple[int, ...], padding: int = 0) -> Array:
    """Take the gradient back to the image: the full convolution, that is, a correlation with the turned kernel."""
    turned = kernel[:, :, ::-1, ::-1].swapaxes(0, 1)
    height, width = kernel.shape[2:]
    return to_bchw(correlate(to_hcwb(grad_output), turned, height - 1 - padding, width - 1 - padding))


def conv_grad_kernel(image: Array, grad_output: Array, kernel_shape: tuple[int, ...], padding: int = 0) -> Array:
    """Take the gradient back to the kernel: the correlation of the image with the output's gradient."""
    return correlate_grad(to_hcwb(image), to_hcwb(grad_output), kernel_shape, padding, padding)


def correlate(rows: Array, kernel: Array, pad_height: int, pad_width: int, out: Array | None = None) -> Array:
    """Correlate rows with a kernel, giving rows; a negative pad crops.

    The pads stand above and on the left; below and on the right as much as `out` needs, by default the same. Each
    row, and each of `out`, must lie together, but one may lie apart from the next.
    """
    height, _, width, batch = rows.shape
    out_channels, _, kernel_height, kernel_width = kernel.shape
    if out is None:
        out_height, out_width = height + 2 * pad_height - kernel_height + 1, width + 2 * pad_width - kernel_width + 1
        out = buffers.empty((out_height, out_channels, out_width, batch), rows.dtype)
    pads = pad_height, pad_width
    direct = partial(_direct, rows, kernel, pads, out)
    tiles = winograd.tiles(kernel.shape, len(out), out.shape[2] * batch)
    if tiles:
        winograd.correlate(rows, kernel, pads, out, tiles, direct)
    direct(tiles * winograd.TILE, len(out))
    return out


def _direct(rows: Array, kernel: Array, pads: tuple[int, int], out: Array, first: int, last: int) -> None:
    """Fill `out[first:last]`, some rows at a time; the columns are shifted on the side that has fewer channels."""
    rows = np.ascontiguousarray(rows) if first < last else rows
    out_channels, channels, kernel_height, kernel_width = kernel.shape
    fill = _copy_then_multiply if channels < out_channels else _multiply_then_add
    line = kernel_width * min(channels, out_channels) * rows[0, 0].nbytes
    step = max(2 * kernel_height, SCRATCH // max(1, line))
    for top in range(first, last, step):
        fill(rows, kernel, pads, out, top, min(top + step, last))


def _copy_then_multiply(rows: Array, kernel: Array, pads: tuple[int, int], out: Array, first: int, last: int) -> None:
    """Stack column-shifted copies of the rows; then each output row is one product."""
    height, out_channels, out_width, batch = out.shape
    kernel_height, kernel_width = kernel.shape[2:]
    start = max(0, first - pads[0])  # only rows from here on are seen
    stop = max(start, last - pads[0] + kernel_height - 1)
    stacked = shifted(rows[start:stop], kernel_width, pads[1], out_width)
    weights = kernel.transpose(0, 2, 3, 1).reshape(out_channels, kernel_height, -1)
    flat = out.reshape(height, out_channels, out_width * batch)
    for top, bottom, i, i_end in spans(len(rows), kernel_height, pads[0], first, last):
        matrix = weights[:, i:i_end].reshape(out_channels, -1)
        seen_rows = windows(stacked, top + i - pads[0] - start, bottom - top, i_end - i)
        np.matmul(matrix, seen_rows, out=flat[top:bottom])


def _multiply_then_add(rows: Array, kernel: Array, pads: tuple[int, int], out: Array, first: int, last: int) -> None:
    """Multiply each row with all columns of the kernel, one below the other; then add the parts, each shifted."""
    (height, _, width, batch), out_width = rows.shape, out.shape[2]
    out_channels, channels, kernel_height, kernel_width = kernel.shape
    used = kernel_width * out_channels
    lines = 4 if used in (2, 3) else used  # BLAS takes lines by fours: three are slower than four, so one is done twice
    weights = kernel.transpose(3, 0, 2, 1).reshape(used, kernel_height, channels)[np.arange(lines) % used]
    zeros = max(pads[1], 0)  # columns of padding, here on the left
    right = max(out_width + kernel_width - 1 - pads[1] - width, 0)
    parts = buffers.empty((last - first, lines, zeros + width + right, batch), rows.dtype)
    parts[:, :, :zeros] = parts[:, :, zeros + width :] = 0
    flat = parts.reshape(last - first, lines, -1)[:, :, zeros * batch : (zeros + width) * batch]
    for top, bottom, i, i_end in spans(height, kernel_height, pads[0], first, last):
        matrix = weights[:, i:i_end].reshape(lines, -1)
        seen_rows = windows(rows, top + i - pads[0], bottom - top, i_end - i)
        np.matmul(matrix, seen_rows, out=flat[top - first : bottom - first])
    below, line, column, number = parts.strides
    strides = (out_channels * line + column, below, line, column, number)
    view = (kernel_width, last - first, out_channels, out_width, batch)
    part = np.ndarray(view, rows.dtype, parts, (zeros - pads[1]) * column, strides)  # each a column further on
    total = out[first:last]
    if kernel_width == 1:
        total[...] = part[0]
    else:
        np.add(part[0], part[1], out=total)
    for j in range(2, kernel_width):
        total += part[j]


def correlate_grad(rows: Array, grad: Array, kernel_shape: tuple[int, ...], pad_height: int, pad_width: int) -> Array:
    """Take the gradient of `correlate`'s output, rows too, back to the kernel."""
    out_channels, channels, height, width = kernel_shape
    if channels < FEW_CHANNELS:  # one product with cheap copies is quicker than `width` narrow ones without
        stacked = shifted(rows, width, pad_width, grad.shape[2])
        result = _row_products(stacked, grad, height, 1, pad_height, 0).reshape(height, width, channels, out_channels)
    else:
        result = _row_products(rows, grad, height, width, pad_height, pad_width).swapaxes(0, 1)
    return np.ascontiguousarray(result.transpose(3, 2, 0, 1))


def _row_products(rows: Array, grad: Array, height: int, width: int, pad_height: int, pad_width: int) -> Array:
    """Correlate rows with the output's gradient, also as rows: (width, height, channels, out_channels)."""
    (out_height, out_channels, _, _), channels = grad.shape, rows.shape[1]
    result, pads = np.zeros((width, height, channels, out_channels), rows.dtype), (pad_height, pad_width)
    direct = partial(_add_row_products, rows, grad, pads, result)
    tiles = winograd.tiles((out_channels, channels, height, width), out_height, grad.shape[2] * grad.shape[3])
    if tiles:
        result += winograd.grad_kernel(rows, grad, width, pads, tiles, direct)
    direct(tiles * winograd.TILE, out_height)
    return result


def _add_row_products(rows: Array, grad: Array, pads: tuple[int, int], result: Array, first: int, last: int) -> None:
    """Add to `result` the products of `grad[first:last]`, by the direct sum."""
    rows = np.ascontiguousarray(rows) if first < last else rows
    (in_height, channels, in_width, batch), (_, out_channels, out_width, _) = rows.shape, grad.shape
    width, height = result.shape[:2]
    flat_grad = grad.reshape(len(grad), out_channels, out_width * batch)
    for top, bottom, i, i_end in spans(in_height, height, pads[0], first, last):
        for j in range(width):
            left, right = seen(j, in_width, out_width, pads[1])
            shift = slice((left + j - pads[1]) * batch, (right + j - pads[1]) * batch)
            seen_rows = windows(rows, top + i - pads[0], bottom - top, i_end - i)[:, :, shift]
            seen_by = flat_grad[top:bottom, :, left * batch : right * batch]
            products = np.matmul(seen_rows, seen_by.swapaxes(-2, -1)).sum(0)
            result[j, i:i_end] += products.reshape(i_end - i, channels, out_channels)


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

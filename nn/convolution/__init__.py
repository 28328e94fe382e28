"""Convolution: exercise 41 on plain numpy arrays, and the differentiable operation made of it.

`exercise_41.py` is the plain convolution and its gradients; `layout.py` the memory order that makes it quick;
`winograd.py` a way to halve the multiplications; `general.py` strides, dilation and groups, made of the same pieces;
`operation.py` what tensors use.
"""

from .exercise_41 import (
    conv_forward as conv_forward,
    conv_grad_image as conv_grad_image,
    conv_grad_kernel as conv_grad_kernel,
    h_conv2d as h_conv2d,
    h_conv2d_grad as h_conv2d_grad,
)
from .operation import (
    bias_relu as bias_relu,
    conv1d as conv1d,
    conv2d as conv2d,
    conv_transpose1d as conv_transpose1d,
    conv_transpose2d as conv_transpose2d,
)

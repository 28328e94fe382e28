"""Convolution: exercise 41 on plain numpy arrays, and the differentiable operation made of it.

`exercise_41.py` is the plain convolution and its gradients; `layout.py` the memory order that makes it quick;
`winograd.py` a way to halve the multiplications; `operation.py` what tensors use.
"""

from .exercise_41 import (
    conv_forward as conv_forward,
    conv_grad_image as conv_grad_image,
    conv_grad_kernel as conv_grad_kernel,
    h_conv2d as h_conv2d,
    h_conv2d_grad as h_conv2d_grad,
)
from .operation import bias_relu as bias_relu, check_conv as check_conv, conv2d as conv2d

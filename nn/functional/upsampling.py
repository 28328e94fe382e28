"""Upsampling: more pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import buffers
from ..graph import Array
from ..tensor import Operand, Rule, operation


@operation
def upsample(input: Operand, *, scale_factor: int = 2) -> Rule:
    """Repeat each pixel scale_factor times in both directions (PyTorch's mode "nearest")."""
    if input.ndim != 4 or scale_factor < 1 or int(scale_factor) != scale_factor:
        raise ValueError(f"expected (batch, channels, height, width) and a whole scale_factor, not {scale_factor}")
    cells = [(i, j) for i in range(scale_factor) for j in range(scale_factor)]
    order = np.argsort([-stride for stride in input.strides], kind="stable")
    shape = (*input.shape[:2], input.shape[2] * scale_factor, input.shape[3] * scale_factor)
    out = buffers.empty([shape[axis] for axis in order], input.dtype).transpose(np.argsort(order))
    for i, j in cells:
        out[:, :, i::scale_factor, j::scale_factor] = input

    def vjp(grad: Array, needs: Sequence[bool]) -> tuple[Array]:
        grad_x = np.zeros_like(input)
        for i, j in cells:
            grad_x += grad[:, :, i::scale_factor, j::scale_factor]
        return (grad_x,)

    return out, vjp

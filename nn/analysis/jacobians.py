"""One step of a recurrent model as a matrix, whose singular values bound what the step does to a gradient.

On its way back through a step a gradient is multiplied by the transposed Jacobian d state_(t+1) / d state_t. If all
singular values are below 1 it shrinks; it can grow only if the largest is above 1 (Pascanu, Mikolov & Bengio 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..graph import Array
from ..tensor import Tensor
from .states import Cell, State, gradients_put_back, is_layer, one_direction, parts_of


def step_jacobians(model: Any, x: Any, state: State) -> Array:
    """Return the exact Jacobians d state_(t+1) / d state_t along a sequence, by one backward pass a step.

    Each row of the batch is repeated S times, and each copy differentiates another component of the new state.

    Args:
        model: a cell, any function or module (x_t, state) -> state that treats the rows of a batch independently; or an
            RNN, LSTM or GRU of one direction, whose steps are taken as sequences of length 1.
        x: a sequence of T inputs, (B, I) each; None for each input of a function that needs no input.
        state: the initial state, (B, H) or a tuple of such, whose parts are concatenated: S = 2 H with h first for
            (h, c). The state of a layer has a further first axis, (layers, B, H); its layers are concatenated too.

    Returns:
        (T, B, S, S), with [t, b, i, j] = d new_i / d old_j.

    Raises:
        ValueError: a layer that reads in both directions.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> U = np.array([[0.5, 0.2], [0.0, 0.9]])
        >>> jacobians = nn.analysis.step_jacobians(lambda x, h: nn.tanh(h @ U.T), [None, None], np.zeros((1, 2)))
        >>> jacobians.shape, jacobians[0, 0].tolist()
        ((2, 1, 2, 2), [[0.5, 0.2], [0.0, 0.9]])
    """
    cell, together = _as_cell(model), isinstance(state, tuple)
    now = [np.asarray(part.data if isinstance(part, Tensor) else part) for part in parts_of(state)]
    batch, size = now[0].shape[-2], sum(part.size // part.shape[-2] for part in now)
    wanted = np.tile(np.eye(size), (batch, 1))  # copy i of a row differentiates component i
    jacobians = []
    with gradients_put_back(model):
        for x_t in x:
            leaves = tuple(Tensor(np.repeat(part, size, axis=-2), requires_grad=True) for part in now)
            copies = None if x_t is None else np.repeat(np.asarray(x_t), size, axis=0)
            new = parts_of(cell(copies, leaves if together else leaves[0]))
            total: Any = 0.0
            for part, seed in zip(new, _unflat(wanted, new), strict=True):
                total = (part * seed.astype(part.dtype)).sum() + total
            total.backward()
            grads = [np.zeros(leaf.shape, leaf.dtype) if leaf.grad is None else leaf.grad for leaf in leaves]
            jacobians.append(_flat(grads).reshape(batch, size, size))
            now = [part.data[..., ::size, :] for part in new]
    return np.stack(jacobians)


def _as_cell(model: Any) -> Cell:
    if not is_layer(model):
        return model
    one_direction(model)
    first = getattr(model, "batch_first", False)
    return lambda x_t, state: model(x_t[:, None] if first else x_t[None], state)[1]


def _flat(parts: Any) -> Array:
    """Concatenate parts (..., B, H) to (B, S)."""
    return np.concatenate([np.moveaxis(part, -2, 0).reshape(part.shape[-2], -1) for part in parts], axis=1)


def _unflat(rows: Array, like: Any) -> list[Array]:
    """Split rows (B, S) into parts of the shapes (..., B, H) of `like`."""
    parts, at = [], 0
    for part in like:
        lead = *part.shape[:-2], part.shape[-1]
        width = int(np.prod(lead))
        parts.append(np.moveaxis(rows[:, at : at + width].reshape(-1, *lead), 0, -2))
        at += width
    return parts


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues and singular values of matrices (..., n, n), (..., n) each, largest first.

    Example:
        >>> from mazegrad import nn
        >>> found = nn.analysis.spectrum([[0.5, 10.0], [0.0, 0.5]])
        >>> float(found.radius.round(3)), float(found.norm.round(3))  # it forgets in the end, but first it stretches
        (0.5, 10.025)
    """

    eigenvalues: Array  # complex
    singular_values: Array

    @property
    def radius(self) -> Array:
        """The spectral radius of each matrix, (...)."""
        return np.abs(self.eigenvalues[..., 0])

    @property
    def norm(self) -> Array:
        """The largest singular value of each, (...): the largest factor by which it stretches a vector."""
        return self.singular_values[..., 0]


def spectrum(matrices: ArrayLike) -> Spectrum:
    """Return the eigenvalues and singular values of one matrix or a stack (..., n, n), as from `step_jacobians`.

    Example:
        >>> from mazegrad import nn
        >>> nn.analysis.spectrum([[3.0, 0.0], [4.0, 5.0]]).eigenvalues.real
        array([5., 3.])
        >>> nn.analysis.spectrum([[3.0, 0.0], [4.0, 5.0]]).singular_values.round(3)
        array([6.708, 2.236])
    """
    matrices = np.asarray(matrices)
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2]:
        raise ValueError(f"the shape is {matrices.shape}; expected square matrices (..., n, n)")
    values = np.linalg.eigvals(matrices)
    order = np.argsort(-np.abs(values), axis=-1)
    return Spectrum(np.take_along_axis(values, order, -1).astype(complex), np.linalg.svd(matrices, compute_uv=False))

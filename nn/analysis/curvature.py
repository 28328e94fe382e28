"""How a loss bends: the eigenvalues of its Hessian, from products with vectors alone.

A Hessian of a net with a million weights has 10^12 entries; its product with a vector is the gradient of a gradient
times that vector, two passes through the graph. From such products Lanczos' method builds a small tridiagonal matrix.
Its outermost eigenvalues are close to those of the Hessian, and its eigenvectors weigh the spectrum near each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import POSITIVE_INTEGER, check
from ..differentiation import grad
from ..graph import Array
from ..tensor import Tensor


@dataclass(frozen=True)
class HessianSpectrum:
    """The spectrum of a Hessian as points in descending order and their weights, (steps,) each; the weights sum to 1.

    The outermost points approximate eigenvalues; an inner point stands for those near it (Gauss quadrature).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> found = nn.analysis.HessianSpectrum(points=np.array([6.0, 2.0]), weights=np.array([0.25, 0.75]), size=4)
        >>> found.largest, found.smallest, found.trace
        (6.0, 2.0, 12.0)
    """

    points: Array
    weights: Array
    size: int  # number of eigenvalues

    @property
    def largest(self) -> float:
        """The largest eigenvalue: gradient descent diverges along it where it is above 2 / learning rate."""
        return float(self.points[0])

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue: negative where the loss bends downwards somewhere."""
        return float(self.points[-1])

    @property
    def trace(self) -> float:
        """An estimate of the sum of all eigenvalues, from one random vector (Hutchinson 1990)."""
        return float(self.size * (self.points * self.weights).sum())


def hessian_spectrum(
    loss: Tensor, parameters: Iterable[Tensor], steps: int = 40, *, rng: np.random.Generator
) -> HessianSpectrum:
    """Return the spectrum of the Hessian of a loss with respect to all parameters together.

    Args:
        loss: one number with its graph, such as `nn.cross_entropy(net(x), y)`.
        parameters: of the Hessian; a parameter on which the loss does not depend adds eigenvalues 0.
        steps: of Lanczos' method, two passes through the graph each; at most the number of parameters.
        rng: draws the first vector.

    Returns:
        Points and weights; the outermost are accurate long before the inner ones.

    Raises:
        RuntimeError: an operation in the graph has first derivatives only; the message names it.

    Source: C. Lanczos 1950; B. Ghorbani, S. Krishnan & Y. Xiao, An Investigation into Neural Net Optimization via
    Hessian Eigenvalue Density, 2019.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = nn.Parameter([1.0, 1.0, 1.0])
        >>> loss = (x**2 * [1.0, 2.0, 3.0]).sum()  # its Hessian is diag(2, 4, 6)
        >>> nn.analysis.hessian_spectrum(loss, [x], steps=3, rng=np.random.default_rng(0)).points.round(2)
        array([6., 4., 2.])
    """
    check(POSITIVE_INTEGER, steps=steps)
    leaves = list(parameters)
    slopes = grad(loss, leaves, create_graph=True, allow_unused=True)
    size = sum(leaf.size for leaf in leaves)

    def product(vector: Array) -> Array:
        parts = _cut(vector, leaves)
        used = [(g, part) for g, part in zip(slopes, parts, strict=True) if g is not None and g.requires_grad]
        found: Any = [None] * len(leaves)
        if used:
            found = grad([g for g, _ in used], leaves, [v for _, v in used], retain_graph=True, allow_unused=True)
        flat = [np.zeros(x.size) if g is None else g.data.ravel() for g, x in zip(found, leaves, strict=True)]
        return np.concatenate(flat, dtype=np.float64)

    vector = rng.normal(size=size)
    basis = [vector / np.linalg.norm(vector)]
    diagonal, beside = [], []
    for _ in range(min(steps, size)):
        image = product(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        for _ in range(2):  # orthogonal to all earlier vectors; once is not enough in floating point
            image -= np.array(basis).T @ (np.array(basis) @ image)
        length = float(np.linalg.norm(image))
        if length <= 1e-10 * max(1.0, abs(diagonal[0])):
            break  # the vectors span all that the loss bends in: the spectrum is exact
        beside.append(length)
        basis.append(image / length)
    beside = beside[: len(diagonal) - 1]
    points, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return HessianSpectrum(points[::-1], vectors[0, ::-1] ** 2, size)


def _cut(vector: Array, leaves: list[Tensor]) -> list[Array]:
    """Return one long vector as arrays of the shapes and precisions of the leaves."""
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]
    parts = np.split(vector, ends)
    return [part.reshape(leaf.shape).astype(leaf.dtype) for part, leaf in zip(parts, leaves, strict=True)]

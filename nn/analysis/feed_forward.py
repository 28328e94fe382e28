"""Gradients in any net, layer by layer: their sizes, the updates that they cause, dead units, and their noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Array, newest_first
from ..modules import Module
from ..tensor import Parameter, Tensor


@dataclass(frozen=True)
class LayerGradient:
    """The size of one parameter and of its gradient.

    Example:
        >>> from mazegrad import nn
        >>> found = nn.analysis.LayerGradient("0.weight", (2, 8), weight_norm=1.0, gradient_norm=4.0)
        >>> found.gradient_rms
        1.0
    """

    name: str
    shape: tuple[int, ...]
    weight_norm: float
    gradient_norm: float

    @property
    def gradient_rms(self) -> float:
        """The root mean square of the gradient, which can be compared between layers of different sizes."""
        return self.gradient_norm / float(np.sqrt(np.prod(self.shape)))


def layer_gradients(model: Module) -> list[LayerGradient]:
    """Return the norms of each parameter and of its gradient after `backward()`, in the order of the model.

    A parameter without a gradient has the norm 0.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> net = nn.Linear(2, 1, rng=np.random.default_rng(0))
        >>> net(nn.Tensor([[3.0, 4.0]])).sum().backward()
        >>> [(layer.name, layer.gradient_norm) for layer in nn.analysis.layer_gradients(net)]
        [('weight', 5.0), ('bias', 1.0)]
    """
    return [
        LayerGradient(name, p.shape, _norm(p.data), 0.0 if p.grad is None else _norm(p.grad))
        for name, p in model.named_parameters()
    ]


def update_ratios(model: Module, before: Mapping[str, Array]) -> dict[str, float]:
    """Return the relative size of the last update of each parameter, |new - old| / |old|.

    `before` is `model.state_dict()` from before the step. About 0.001 is usual; a parameter that was 0 gives infinity.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> net = nn.Linear(2, 1, rng=np.random.default_rng(0))
        >>> before = net.state_dict()
        >>> net.weight.assign(1.01 * net.weight.data)
        >>> {name: round(ratio, 4) for name, ratio in nn.analysis.update_ratios(net, before).items()}
        {'weight': 0.01, 'bias': 0.0}
    """
    ratios = {}
    for name, parameter in model.named_parameters():
        moved, size = _norm(parameter.data.astype(np.float64) - before[name]), _norm(before[name])
        ratios[name] = moved / size if size else (np.inf if moved else 0.0)
    return ratios


# ----------------------------------------------------------------------------------------------------------- dead units
SATURATING = ("relu", "bias_relu", "tanh", "sigmoid", "gelu")


@dataclass(frozen=True)
class Activation:
    """One nonlinearity of a net: the mean absolute slope of each of its units over all samples.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> found = nn.analysis.Activation("relu", slopes=np.array([0.0, 0.5, 1.0]))
        >>> found.dead()
        array([ True, False, False])
    """

    operation: str
    slopes: Array  # (units,): for a relu the share of samples on which the unit is active

    def dead(self, threshold: float = 0.0) -> Array:
        """Return a mask (units,) of the units that pass back (almost) no gradient: dead relus, saturated sigmoids."""
        return self.slopes <= threshold


def dead_units(output: Tensor) -> list[Activation]:
    """Measure how much gradient the units of every relu, tanh, sigmoid and gelu behind `output` pass back.

    A unit whose slope is 0 on every sample learns nothing from them: `activation.dead()`. The slopes are the
    derivatives of the operations themselves, so this works for modules and functions alike.

    Args:
        output: the output or loss of a net, before `backward()`, which frees the graph.

    Returns:
        The activations in the order of computation. Units are the second axis of images (batch, channels, height,
        width), else the last axis.

    Raises:
        ValueError: nothing that `output` was computed from has requires_grad=True.
        RuntimeError: the graph was freed by `backward()`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
        >>> (found,) = nn.analysis.dead_units(nn.relu(x + nn.Parameter([0.0, -100.0, 0.0])))
        >>> found.operation, found.dead()
        ('relu', array([False,  True, False]))
    """
    if output._node is None:
        raise ValueError(f"{output.label()} was not computed from anything with requires_grad=True")
    if output._node.vjp is None:
        raise RuntimeError("dead_units() needs the graph, which backward() has freed; call it before backward()")
    nodes = [node for node in newest_first(output._node)[::-1] if node.name in SATURATING]
    found = []
    for node in nodes:
        assert node.vjp is not None
        slope = node.vjp(np.ones(node.output_shapes[0], output.dtype), [True] * len(node.parents))[0]
        assert slope is not None
        units = 1 if slope.ndim == 4 else slope.ndim - 1
        found.append(Activation(node.name, np.abs(slope).mean(tuple(i for i in range(slope.ndim) if i != units))))
    return found


# ---------------------------------------------------------------------------------------------------------------- noise
@dataclass(frozen=True)
class NoiseScale:
    """The sizes of the true gradient and of the noise in that of one sample, and the batch size that balances them.

    Example:
        >>> from mazegrad import nn
        >>> nn.analysis.NoiseScale(signal=0.5, noise=32.0).scale  # samples in a batch
        64.0
    """

    signal: float  # an unbiased estimate of |true gradient|^2, so it can be negative where noise dominates
    noise: float  # an unbiased estimate of the trace of the covariance of one sample's gradient

    @property
    def scale(self) -> float:
        """noise / signal: the batch size at which noise and signal are equal; infinity where no signal was measured."""
        return self.noise / self.signal if self.signal > 0 else np.inf


def gradient_noise_scale(
    parameters: Iterable[Parameter], loss: Callable[[Any], Tensor], batches: Iterable[Any], batch_size: int
) -> NoiseScale:
    """Measure the simple noise scale B = tr(Sigma) / |G|^2.

    A batch much smaller than B wastes no samples; a batch much larger gains little. The mean of the gradients of n
    batches is that of one batch n times as large, and two batch sizes give two equations for signal and noise.

    Args:
        parameters: whose gradient is measured; their own `grad` is left unchanged.
        loss: a function from a batch to its mean loss.
        batches: two or more, drawn independently.
        batch_size: the number of samples in each batch.

    Raises:
        ValueError: fewer than two batches.

    Source: S. McCandlish, J. Kaplan, D. Amodei et al., An Empirical Model of Large-Batch Training, 2018, appendix A.1.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> w, rng = nn.Parameter([0.0]), np.random.default_rng(0)
        >>> batches = rng.normal(1.0, 2.0, (400, 16)).astype(np.float32)  # the gradient's mean is -1, its variance 4
        >>> found = nn.analysis.gradient_noise_scale([w], lambda x: ((w - x) ** 2).mean() / 2, batches, batch_size=16)
        >>> round(found.signal), round(found.scale)
        (1, 4)
    """
    chosen = list(parameters)
    before = [p.grad for p in chosen]
    total: Array | float = 0.0
    squares, count = 0.0, 0
    try:
        for batch in batches:
            for p in chosen:
                p.grad = None
            loss(batch).backward()
            zeros = (np.zeros(p.shape) if p.grad is None else p.grad for p in chosen)
            flat = np.concatenate([np.asarray(grad, np.float64).ravel() for grad in zeros])
            total = total + flat
            squares, count = squares + float(flat @ flat), count + 1
    finally:
        for p, grad in zip(chosen, before, strict=True):
            p.grad = grad
    if count < 2:
        raise ValueError(
            f"batches holds {count} batches; expected two or more, since noise is what differs between them"
        )
    small, large = squares / count, _norm(total) ** 2 / count**2
    noise = (small - large) / (1 / batch_size - 1 / (batch_size * count))
    return NoiseScale(signal=(count * large - small) / (count - 1), noise=noise)


def _norm(array: Any) -> float:
    return float(np.linalg.norm(np.asarray(array, np.float64)))

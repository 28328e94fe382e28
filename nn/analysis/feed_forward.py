"""What gradients do in any net, with depth for time: their size by layer, the steps they cause, dead units, noise."""

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
    """One parameter: the root mean squares of its numbers and of their gradients, and the norms."""

    name: str
    shape: tuple[int, ...]
    weight_norm: float
    gradient_norm: float

    @property
    def gradient_rms(self) -> float:
        """The gradient's root mean square: comparable between layers of different size."""
        return self.gradient_norm / float(np.sqrt(np.prod(self.shape)))


def layer_gradients(model: Module) -> list[LayerGradient]:
    """Each parameter's norm and its gradient's norm after `backward()`, in the model's order; 0 without a gradient."""
    return [
        LayerGradient(name, p.shape, _norm(p.data), 0.0 if p.grad is None else _norm(p.grad))
        for name, p in model.named_parameters()
    ]


def update_ratios(model: Module, before: Mapping[str, Array]) -> dict[str, float]:
    """How far a step moved each parameter, |new - old| / |old|; `before` is `model.state_dict()` from before the step.

    A thousandth is a healthy size; a parameter that was all 0 and moved gives infinity.
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
    """One activation of a net, in the order of computing: the mean slope of each of its units over all samples."""

    operation: str
    slopes: Array  # (units,): for a relu the share of samples on which the unit is active

    def dead(self, threshold: float = 0.0) -> Array:
        """Which units pass (nearly) nothing back, (units,): dead relus, saturated tanhs and sigmoids."""
        return self.slopes <= threshold


def dead_units(output: Tensor) -> list[Activation]:
    """Look at every relu, tanh, sigmoid and gelu that `output` was computed with: what do its units pass back?

    output: a net's output or loss, before `backward()`, which frees the graph. Units are the second axis of images
    (batch, channels, height, width), else the last. A unit whose slope is 0 on every sample learns nothing from them:
    `activation.dead()`. The slopes are the operations' own derivatives, so this works for any model, and for functions.
    """
    if output._node is None:
        raise ValueError(f"{output.label()} was not computed from anything with requires_grad=True")
    if output._node.vjp is None:
        raise RuntimeError("dead_units() needs the graph, which backward() has freed: call it before")
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
    """The gradient of one sample is the true gradient plus noise; both sizes, and the batch that balances them."""

    signal: float  # |true gradient|^2, unbiased (so it may come out negative where it is drowned)
    noise: float  # the trace of the covariance of one sample's gradient, unbiased

    @property
    def scale(self) -> float:
        """noise / signal: the batch size at which noise and signal are equal; infinity where no signal is seen."""
        return self.noise / self.signal if self.signal > 0 else np.inf


def gradient_noise_scale(
    parameters: Iterable[Parameter], loss: Callable[[Any], Tensor], batches: Iterable[Any], batch_size: int
) -> NoiseScale:
    """The simple noise scale B = tr(Sigma) / |G|^2 (McCandlish, Kaplan, Amodei et al. 2018, appendix A.1).

    parameters: of which the gradient is taken; their own `grad` is left as it was.
    loss: turns a batch into its mean loss; batches: at least two, drawn independently, of batch_size samples each.

    Batches much smaller than B waste nothing, much larger ones gain little. The mean of n batches is a batch n times as
    large: two sizes of batch give two equations for signal and noise.
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
        raise ValueError(f"{count} batches: noise shows only between two or more")
    small, large = squares / count, _norm(total) ** 2 / count**2
    noise = (small - large) / (1 / batch_size - 1 / (batch_size * count))
    return NoiseScale(signal=(count * large - small) / (count - 1), noise=noise)


def _norm(array: Any) -> float:
    return float(np.linalg.norm(np.asarray(array, np.float64)))

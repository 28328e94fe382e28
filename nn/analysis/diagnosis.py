"""Why did training stop on a gradient that is not finite? The operation, the growth through time, the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..graph import Array, Node, backpropagate, newest_first
from ..modules import Module
from ..tensor import Tensor, plain
from .powers import spectral_radius
from .through_time import gradient_norms, verdict


def why(model: Module, state_grads: Any = None, *, loss: Tensor | None = None) -> str:
    """Explain why a gradient is not finite; to be called after `NonFiniteGradient`, or at any time.

    Args:
        model: as it is after `backward()`.
        state_grads: a recurrent layer's `state_grads`, or one array of them, for the growth of the gradient through
            time.
        loss: a loss whose graph still exists (before `backward()`, or after `backward(retain_graph=True)`), to name
            the operation in which the gradient stops being finite.

    Returns:
        One or two sentences: that operation, the parameters concerned, how fast the gradient grew, and which recurrent
        weights can make it grow.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> rnn = nn.RNN(1, 1, nonlinearity="linear", bias=False, rng=np.random.default_rng(0))
        >>> rnn.weight_hh_l0.assign([[10.0]])
        >>> output, _ = rnn(np.ones((60, 1, 1), np.float32), state_grads=True)
        >>> output[-1].sum().backward()
        >>> print(nn.analysis.why(rnn, rnn.state_grads))
        the gradient is not finite for weight_ih_l0, weight_hh_l0; back through time the gradient changes by 10 a
        step, from 1 at step 60 to 1e+38 at step 22, and leaves the range of float32 (numbers up to 3.4e+38) at
        step 21; weight_hh_l0 stretches a vector by up to 10 and has spectral radius 10
    """
    named = dict(model.named_parameters())
    grads = {name: plain(parameter.grad) for name, parameter in named.items() if parameter.grad is not None}
    sentences = [first_non_finite(loss)] if loss is not None else []
    bad = [name for name, parameter in named.items() if not np.isfinite(parameter.data).all()]
    if bad:
        sentences.append(f"the weights themselves are not finite: {', '.join(bad)}")
    broken = [name for name, grad in grads.items() if not np.isfinite(grad).all()]
    sizes = {name: float(np.linalg.norm(grads[name].astype(np.float64))) for name in grads if name not in broken}
    if broken:
        largest = max(sizes, key=sizes.__getitem__, default="")
        most = f"; the largest finite one: {sizes[largest]:.3g} for {largest}" if largest else ""
        sentences.append(f"the gradient is not finite for {', '.join(broken)}{most}")
    elif not bad and loss is None:
        sentences.append(f"all gradients are finite; the largest norm is {max(sizes.values(), default=0):.3g}")
    arrays = state_grads if isinstance(state_grads, list | tuple) else [] if state_grads is None else [state_grads]
    sentences += [_through_time(gradient_norms(grad), np.asarray(grad).dtype) for grad in arrays]
    return "; ".join([*sentences, *_recurrent_weights(model)])


def first_non_finite(loss: Tensor) -> str:
    """Name the operation in which the gradient of `loss`, on its way back, stops being finite.

    Raises:
        RuntimeError: the graph was freed by `backward()`.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([4.0, 0.0], requires_grad=True)
        >>> print(nn.analysis.first_non_finite((2 * nn.sqrt(x)).sum()))
        the gradient stops being finite in operation 1 of 3, 'sqrt': for operand 0, a leaf of shape (2,), it is
        infinite at 1 of 2 places, first at (1,)
    """
    if not np.isfinite(loss.data).all():
        return "the loss itself is not finite: the error is in the forward pass"
    found: list[str] = []
    nodes = newest_first(loss._node)[::-1] if loss._node is not None else []
    number = {id(node): i for i, node in enumerate(nodes, 1)}

    def pull(node: Node, grads: Sequence[Array | None]) -> Sequence[Array | None]:
        pulled = node.pull(grads)
        if not found and _finite(grads) and not _finite(pulled):
            found.append(f"operation {number[id(node)]} of {len(nodes)}, {_described(node, pulled)}")
        return pulled

    with np.errstate(all="ignore"):
        backpropagate(loss._edge(), np.ones_like(loss.data), True, pull=pull)
    return f"the gradient stops being finite in {found[0]}" if found else "every operation passes back finite gradients"


def _finite(grads: Sequence[Array | None]) -> bool:
    return all(grad is None or np.isfinite(grad).all() for grad in grads)


def _described(node: Node, pulled: Sequence[Array | None]) -> str:
    """Describe the operation and its first operand whose gradient is not finite, with the first index."""
    for i, grad in enumerate(pulled):
        if grad is not None and not np.isfinite(grad).all():
            wrong = ~np.isfinite(grad)
            edge = node.parents[i]
            source = edge[0] if edge is not None else None
            operand = f"the result of {source.name!r}" if isinstance(source, Node) else getattr(source, "name", "")
            place = tuple(map(int, np.argwhere(wrong)[0]))
            what = "NaN" if np.isnan(grad).any() else "infinite"
            return (
                f"{node.name!r}: for operand {i}, {operand or 'a leaf'} of shape {grad.shape}, it is {what} at"
                f" {np.count_nonzero(wrong)} of {grad.size} places, first at {place}"
            )
    return repr(node.name)


def _through_time(norms: Array, dtype: DTypeLike) -> str:
    last = len(norms) - 1
    if not np.isfinite(norms[last]):
        return "at the last state the gradient is already not finite: the forward pass or the loss left the range"
    seen = verdict(norms, dtype=dtype)
    reached = last if seen.first_infinite is None else seen.first_infinite - 1
    text = f"back through time the gradient changes by {seen.growth.rate:.3g} a step,"
    text += f" from {norms[last]:.3g} at step {last} to {norms[last - reached]:.3g} at step {last - reached}"
    if seen.first_infinite is not None:
        largest = f"{np.dtype(dtype)} (numbers up to {np.finfo(dtype).max:.2g})"
        text += f", and leaves the range of {largest} at step {last - reached - 1}"
    return text


def _recurrent_weights(model: Module) -> list[str]:
    found = []
    for name, parameter in model.named_parameters():
        if name.rpartition(".")[2].startswith("weight_hh") and np.isfinite(parameter.data).all():
            text = f"{name} stretches a vector by up to {np.linalg.norm(parameter.data.astype(np.float64), 2):.3g}"
            square = parameter.shape[0] == parameter.shape[1]
            found.append(text + (f" and has spectral radius {spectral_radius(parameter.data):.3g}" if square else ""))
    return found

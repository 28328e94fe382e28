"""Sample classes from a net's logits, at a temperature and with improbable classes cut off."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph import Array
from .tensor import Tensor


def probabilities(logits: Any, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None) -> Array:
    """softmax(logits / temperature) over the last axis, with the improbable classes cut off.

    Args:
        logits: (..., classes); -inf for a class that cannot be chosen.
        temperature: from 0 on; 0 puts all probability on the largest logit (the first of equals).
        top_k: keep the k most probable classes, and those equal to the last of them (Fan et al. 2018).
        top_p: then keep the fewest most probable classes that together reach the probability p (Holtzman et al. 2020).

    Returns:
        Probabilities (..., classes), float64.

    Raises:
        ValueError: the logits hold NaN, +inf or only -inf, or a setting is out of range.

    Example:
        >>> from mazegrad import nn
        >>> logits = [2.0, 1.0, 0.0]
        >>> nn.sampling.probabilities(logits).round(3)
        array([0.665, 0.245, 0.09 ])
        >>> nn.sampling.probabilities(logits, temperature=0.5).round(3)
        array([0.867, 0.117, 0.016])
        >>> nn.sampling.probabilities(logits, top_p=0.6)
        array([1., 0., 0.])
    """
    scores = _checked(logits, temperature, top_k, top_p)
    best = scores.max(-1, keepdims=True)
    if temperature == 0:
        return (np.arange(scores.shape[-1]) == scores.argmax(-1)[..., None]).astype(np.float64)
    with np.errstate(over="ignore"):  # beyond the largest number lies -inf, which weighs 0; the best weighs 1
        weights = np.exp((scores - best) / temperature)
    if top_k is not None and top_k < scores.shape[-1]:
        weights[weights < np.partition(weights, -top_k, -1)[..., -top_k, None]] = 0
    weights /= weights.sum(-1, keepdims=True)
    if top_p is not None:
        order = np.argsort(-scores, -1, kind="stable")  # scores tell apart what weighs the same
        falling = np.take_along_axis(weights, order, -1)
        falling[falling.cumsum(-1) - falling >= top_p] = 0  # those before it reach p without it
        np.put_along_axis(weights, order, falling, -1)
        weights /= weights.sum(-1, keepdims=True)
    return weights


def sample(
    logits: Any,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    *,
    rng: np.random.Generator,
) -> Any:
    """One class for each row of logits (..., classes) -> integers (...), drawn from `probabilities(logits, ...)`.

    Low temperatures choose what is sure, high ones what is rare; 0 draws nothing, it takes the best. Drawn by the
    Gumbel-max trick: the largest of log-probability plus Gumbel noise (Gumbel 1954; Maddison et al. 2014).

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> rng = np.random.default_rng(0)
        >>> [int(nn.sampling.sample([2.0, 1.0, 0.0], temperature=t, rng=rng)) for t in (0, 1, 1, 1, 10, 10)]
        [0, 2, 0, 0, 2, 1]
    """
    weights = probabilities(logits, temperature, top_k, top_p)
    if temperature == 0:
        return weights.argmax(-1)
    with np.errstate(divide="ignore"):  # log 0 = -inf: never the largest
        return (np.log(weights) + rng.gumbel(size=weights.shape)).argmax(-1)


def _checked(logits: Any, temperature: float, top_k: int | None, top_p: float | None) -> Array:
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"temperature is {temperature}; expected a finite number, 0 or more")
    if top_k is not None and (not isinstance(top_k, int | np.integer) or top_k < 1):
        raise ValueError(f"top_k is {top_k!r}; expected an integer from 1 on, or None")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; expected a probability above 0, or None")
    scores = np.asarray(logits.data if isinstance(logits, Tensor) else logits)
    if scores.dtype.kind not in "fiu" or scores.ndim < 1 or scores.shape[-1] < 1:
        raise ValueError(f"logits are numbers of shape (..., classes), not {scores.dtype} of shape {scores.shape}")
    scores = scores.astype(np.float64)
    if np.isnan(scores).any() or np.isposinf(scores).any():
        raise ValueError(f"the logits hold {'NaN' if np.isnan(scores).any() else 'infinity'}")
    if scores.size and np.isneginf(scores.max(-1)).any():
        raise ValueError("the logits of a row are all -inf: no class can be chosen")
    return scores


__all__ = ["probabilities", "sample"]

"""Is a gradient right? Move the inputs a little in a random direction and compare the output with the prediction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .graph import Array
from .tensor import Tensor


@dataclass(frozen=True)
class GradcheckReport:
    """Slopes along random directions, one row for each input and trial: predicted by backward and measured.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x = np.linspace(0.5, 2, 4)
        >>> report = nn.gradcheck(nn.log, x, rng=np.random.default_rng(0), trials=3)
        >>> report.ok, len(report.rows)
        (True, 3)
    """

    rows: list[tuple[str, int, float, float, float]]  # input, trial, predicted, measured, error relative to tolerance

    @property
    def ok(self) -> bool:
        """Whether every error is within tolerance."""
        return all(error <= 1 for *_, error in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = [f"{'input':<16}{'trial':>6}{'backward':>18}{'measured':>18}{'error/tolerance':>18}"]
        for name, trial, predicted, measured, error in self.rows:
            mark = "" if error <= 1 else "  <- wrong"
            lines.append(f"{name:<16}{trial:>6}{predicted:>18.9g}{measured:>18.9g}{error:>18.2g}{mark}")
        return "\n".join(lines)


def gradcheck(
    function: Callable[..., Any],
    *inputs: Any,
    rng: np.random.Generator,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    trials: int = 2,
    raise_exception: bool = True,
) -> GradcheckReport:
    """Compare `backward` with central differences, projected on random directions, for each input by itself.

    A direction costs two evaluations, however many elements there are (Griewank & Walther 2008, 3.1).

    Args:
        function: takes the inputs as float64 tensors and returns a tensor, or several, of any shape; deterministic.
        inputs: arrays or tensors of floating numbers.
        rng: draws the directions.
        eps: the length of a step.
        atol, rtol: the tolerance of a slope, absolute and relative.
        trials: the number of directions for each input.
        raise_exception: whether a wrong gradient raises.

    Returns:
        The report, which is true if all slopes agree.

    Raises:
        AssertionError: a slope is wrong; contains the report.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> bool(nn.gradcheck(nn.tanh, np.ones((2, 3)), rng=np.random.default_rng(0)))
        True
    """
    arrays = [np.array(x.data if isinstance(x, Tensor) else x, dtype=np.float64) for x in inputs]
    weights: list[Array] = []

    def project(*values: Any) -> Any:
        """Weigh the outputs to one number, by fixed random weights."""
        outputs = function(*values)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        if not weights:
            weights.extend(rng.normal(size=output.shape) for output in outputs)
        total: Any = 0.0
        for output, weight in zip(outputs, weights, strict=True):
            total = (output * weight).sum() + total
        return total

    tensors = [Tensor(array, requires_grad=True) for array in arrays]
    project(*tensors).backward()
    rows = []
    for i, (array, tensor) in enumerate(zip(arrays, tensors, strict=True)):
        for trial in range(trials):
            direction = rng.normal(size=array.shape)
            predicted = 0.0 if tensor.grad is None else float((tensor.grad * direction).sum())
            ends = []
            for sign in (1, -1):
                moved = [Tensor(x + sign * eps * direction if j == i else x) for j, x in enumerate(arrays)]
                ends.append(float(project(*moved)))
            measured = (ends[0] - ends[1]) / (2 * eps)
            # both ends are rounded: a slope cannot be measured finer than their last digits allow
            noise = 8 * np.finfo(np.float64).eps * (abs(ends[0]) + abs(ends[1])) / eps
            tolerance = atol * math.sqrt(array.size or 1) + rtol * abs(measured) + noise
            error = float(abs(predicted - measured) / tolerance)
            error = error if math.isfinite(error) else math.inf
            rows.append((f"{i}: {array.shape}", trial, predicted, measured, error))
    report = GradcheckReport(rows)
    if raise_exception and not report.ok:
        raise AssertionError(f"backward and central differences disagree\n{report}")
    return report

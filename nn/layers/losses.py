"""Losses as modules: their settings, around the function of the same name."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional
from ..checks import check_choice
from ..functional.reduction import REDUCTIONS
from ..modules import Module
from ..tensor import plain


class _Loss(Module):
    """A loss with its reduction; weights, if there are any, are buffers, as in PyTorch."""

    reductions: tuple[str, ...] = REDUCTIONS
    weight: Any
    pos_weight: Any

    def __init__(self, *, reduction: str = "mean", **weights: Any) -> None:
        check_choice(self.reductions, reduction=reduction)
        self.reduction = reduction
        for name, array in weights.items():
            self.register_buffer(name, None if array is None else np.array(plain(array)))

    def extra_repr(self) -> str:
        """The reduction."""
        return f"reduction={self.reduction!r}"


class L1Loss(_Loss):
    """Absolute difference: `l1_loss`.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([0.5, 0.0, 100.0], requires_grad=True)
        >>> nn.grad(nn.L1Loss(reduction="sum")(x, [0.0, 0.0, 0.0]), x)[0]
        Tensor([1., 0., 1.], shape=(3,), float32)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Any shape, twice -> one number, unless the reduction is "none"."""
        return functional.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """Squared difference: `mse_loss`.

    Example:
        >>> from mazegrad import nn
        >>> nn.MSELoss(reduction="none")([1.0, 2.0], [0.0, 5.0])
        array([1., 9.])
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Any shape, twice -> one number, unless the reduction is "none"."""
        return functional.mse_loss(input, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """Half the square of differences up to `delta`, straight on from there: `huber_loss`.

    Example:
        >>> from mazegrad import nn
        >>> loss, x = nn.HuberLoss(), nn.Tensor([0.5, 100.0], requires_grad=True)
        >>> nn.grad(loss(x, [0.0, 0.0]), x)[0]  # an outlier pulls no harder than 1, shared by two
        Tensor([0.25, 0.5 ], shape=(2,), float32)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        """Any shape, twice -> one number, unless the reduction is "none"."""
        return functional.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(_Loss):
    """Half the square of differences up to `beta`, divided by it, and the absolute one from there: `smooth_l1_loss`.

    Example:
        >>> from mazegrad import nn
        >>> nn.SmoothL1Loss(reduction="none")([0.5, 3.0], [0.0, 0.0])
        array([0.125, 2.5  ])
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """Any shape, twice -> one number, unless the reduction is "none"."""
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class KLDivLoss(_Loss):
    """The Kullback-Leibler divergence: `kl_div`; `reduction="batchmean"` gives the mathematical definition.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> p = np.array([[0.5, 0.5], [0.9, 0.1]])
        >>> nn.KLDivLoss(reduction="none")(np.log([[0.5, 0.5]] * 2), p).sum(1).round(3)
        array([0.   , 0.368])
    """

    reductions = (*REDUCTIONS, "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """Logarithms of probabilities, and probabilities -> one number, unless the reduction is "none"."""
        return functional.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class CrossEntropyLoss(_Loss):
    """-log softmax(input)[target]: `cross_entropy`.

    Example:
        >>> from mazegrad import nn
        >>> loss = nn.CrossEntropyLoss(ignore_index=0)  # class 0 fills up short sentences
        >>> round(loss(nn.Tensor([[9.0, 0.0, 0.0], [0.0, 2.0, 0.0]]), [0, 1]).item(), 4)
        0.2395
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction, weight=weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Logits (batch, classes, ...), class numbers (batch, ...) or probabilities -> one number, or (batch, ...)."""
        return functional.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """-input[target]: `nll_loss`, after a LogSoftmax.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> logits = np.array([[2.0, 0.0, 1.0]])
        >>> loss = nn.NLLLoss()(nn.LogSoftmax()(logits), [2])
        >>> round(float(loss), 4) == round(float(nn.CrossEntropyLoss()(logits, [2])), 4)
        True
    """

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction, weight=weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """(batch, classes, ...) and class numbers (batch, ...) -> one number, or (batch, ...)."""
        return functional.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCELoss(_Loss):
    """-log of the probability, itself the input, of the target: `binary_cross_entropy`.

    Example:
        >>> from mazegrad import nn
        >>> round(float(nn.BCELoss(reduction="sum")([0.5, 0.25], [1.0, 1.0])), 3)  # 3 log 2
        2.079
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction, weight=weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Numbers from 0 to 1 of any shape, twice -> one number, unless the reduction is "none"."""
        return functional.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """-log of the probability that sigmoid(input) gives to the target: `binary_cross_entropy_with_logits`.

    Example:
        >>> from mazegrad import nn
        >>> loss = nn.BCEWithLogitsLoss(pos_weight=[3.0], reduction="none")  # a 1 counts as three
        >>> loss(nn.Tensor([0.0, 0.0]), [1.0, 0.0])
        Tensor([2.0794, 0.6931], shape=(2,), float32)
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction=reduction, weight=weight, pos_weight=pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Logits of any shape, numbers from 0 to 1 of the same -> one number, unless the reduction is "none"."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )

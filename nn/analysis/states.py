"""The state of a recurrent model, whichever it is: one array or tensor (B, H), or a tuple of such, like (h, c)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from ..modules import Module

State: TypeAlias = Any
Cell: TypeAlias = Callable[[Any, State], State]
"""A function or module (x_t, state) -> state"""


def parts_of(state: State) -> tuple[Any, ...]:
    """The arrays or tensors that a state consists of."""
    return state if isinstance(state, tuple) else (state,)


def is_layer(model: Any) -> bool:
    """Whether the model takes whole sequences and can keep the gradients of its states."""
    return isinstance(model, Module) and "state_grads" in inspect.signature(model.forward).parameters


def one_direction(layer: Any) -> None:
    """Raise ValueError for a layer that reads its sequence in both directions: its states have two times."""
    if getattr(layer, "bidirectional", False):
        raise ValueError("a layer in both directions has two times: choose an array of its state_grads")


@contextmanager
def gradients_put_back(model: Any) -> Iterator[None]:
    """Leave the gradients of the model's parameters as they were before."""
    parameters = list(model.parameters()) if isinstance(model, Module) else []
    before = [parameter.grad for parameter in parameters]
    try:
        yield
    finally:
        for parameter, grad in zip(parameters, before, strict=True):
            parameter.grad = grad

"""The state of any recurrent model: one array or tensor (B, H), or a tuple of such, like (h, c)."""

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
    """Return the arrays or tensors of a state as a tuple."""
    return state if isinstance(state, tuple) else (state,)


def is_layer(model: Any) -> bool:
    """Return whether the model takes whole sequences and can record the gradients of its states."""
    return isinstance(model, Module) and "state_grads" in inspect.signature(model.forward).parameters


def one_direction(layer: Any) -> None:
    """Raise ValueError for a layer that reads in both directions: its states have no common order in time."""
    if getattr(layer, "bidirectional", False):
        raise ValueError("a bidirectional layer has two sequences of states: pass one array of its state_grads instead")


@contextmanager
def gradients_put_back(model: Any) -> Iterator[None]:
    """Restore the gradients of the parameters of the model afterwards."""
    parameters = list(model.parameters()) if isinstance(model, Module) else []
    before = [parameter.grad for parameter in parameters]
    try:
        yield
    finally:
        for parameter, grad in zip(parameters, before, strict=True):
            parameter.grad = grad

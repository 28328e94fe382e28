"""An optimiser reads the gradients and is the one that writes the parameters.

Arguments, defaults and results are PyTorch's. The gradients are looked at first: one that is not finite raises
`NonFiniteGradient`, and nothing has changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .checks import BELOW_ONE, NOT_NEGATIVE, POSITIVE_OR_INFINITE, TWO_BELOW_ONE, check
from .graph import Array
from .tensor import Parameter

Named = Iterable[Parameter] | Iterable[tuple[str, Parameter]]


class NonFiniteGradient(ArithmeticError):
    """A gradient holds NaN or infinity; says which parameter's, and at which step. Nothing was changed."""

    def __init__(self, parameter: str, step: int, what: str) -> None:
        super().__init__(
            f"step {step}: the gradient of {parameter} holds {what}; no parameter was changed."
            " A smaller learning rate or clip_grad_norm usually helps"
        )
        self.parameter, self.step = parameter, step


def named(parameters: Named) -> dict[str, Parameter]:
    """Give parameters their names; those that come without are called parameter 0, 1, ...

    ValueError if there are none, if two have one name, or if one comes twice.
    """
    result: dict[str, Parameter] = {}
    names: dict[int, str] = {}  # by identity: tensors compare by element
    for i, item in enumerate(parameters):
        name, parameter = item if isinstance(item, tuple) else (f"parameter {i}", item)
        if not isinstance(parameter, Parameter):
            raise TypeError(f"expected Parameters or (name, Parameter) pairs, not {type(parameter).__name__}")
        if name in result:
            raise ValueError(
                f"two parameters are called {name!r}: put their modules into one Module, which gives each a name of its"
                " own, or pass parameters() instead of named_parameters()"
            )
        if id(parameter) in names:
            raise ValueError(f"{name!r} is the same Parameter as {names[id(parameter)]!r}; pass each once")
        result[name], names[id(parameter)] = parameter, name
    if not result:
        raise ValueError("there are no parameters; a generator of parameters can be used only once")
    return result


def check_finite(parameters: Mapping[str, Parameter], step: int) -> None:
    """Raise NonFiniteGradient for the first gradient that holds NaN or infinity."""
    for name, parameter in parameters.items():
        grad = parameter.grad
        if grad is not None and not np.isfinite(grad).all():
            raise NonFiniteGradient(name, step, "NaN" if np.isnan(grad).any() else "infinity")


def check_state(owner: object, state: Mapping[str, Any], *names: str) -> None:
    """Raise ValueError for a state that is of another kind than its owner-to-be, or lacks one of these names."""
    if state.get("kind") != type(owner).__name__:
        raise ValueError(f"this is the state of {state.get('kind')!r}, not of {type(owner).__name__}")
    if missing := [name for name in names if name not in state]:
        raise ValueError(f"this state of {type(owner).__name__} has no {', '.join(missing)}")


class Optimiser:
    """Base: subclasses say in `slots` which arrays they keep for each parameter, and write `update`.

    `lr` may be changed at any time. `steps` counts the calls of `step()`. Parameters without a gradient are left alone.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, params: Named, lr: float, weight_decay: float) -> None:
        check(NOT_NEGATIVE, lr=lr, weight_decay=weight_decay)
        self.parameters = named(params)
        self.lr, self.weight_decay = lr, weight_decay
        self.steps = 0
        self.counts = dict.fromkeys(self.parameters, 0)  # updates of each parameter
        self.state = {
            slot: {name: np.zeros_like(p.data, order="C") for name, p in self.parameters.items()} for slot in self.slots
        }
        self._scratch: dict[str, tuple[Array, Array]] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient; NonFiniteGradient, before any moves, if one is not finite."""
        check_finite(self.parameters, self.steps + 1)
        self.steps += 1
        for name, parameter in self.parameters.items():
            if parameter.grad is None:
                continue
            self.counts[name] += 1
            if name not in self._scratch:
                self._scratch[name] = np.empty_like(parameter._array), np.empty_like(parameter._array)
            self.update(name, parameter._array, parameter.grad, *self._scratch[name])
            parameter.version += 1

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Move `value` in place; `scratch` and `change` are two arrays of its shape to work in."""
        raise NotImplementedError

    def decayed(self, value: Array, grad: Array, change: Array) -> Array:
        """The gradient with weight decay as a penalty, grad + weight_decay * value; may be written into `change`."""
        if not self.weight_decay:
            return grad
        np.multiply(value, self.weight_decay, out=change)
        return np.add(change, grad, out=change)

    def state_dict(self) -> dict[str, Any]:
        """Everything that training needs to go on exactly: arrays by slot and name, counts, learning rate."""
        state = {slot: {name: array.copy() for name, array in arrays.items()} for slot, arrays in self.state.items()}
        return {"kind": type(self).__name__, "lr": self.lr, "steps": self.steps, "counts": dict(self.counts), **state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take a `state_dict()` of the same kind of optimiser over parameters of the same names and shapes."""
        check_state(self, state, "lr", "steps")
        for slot in ("counts", *self.slots):
            found = state.get(slot, {})
            missing, left = set(self.parameters) - set(found), set(found) - set(self.parameters)
            if missing or left:
                raise ValueError(f"optimiser state {slot!r}: missing {sorted(missing)}, left over {sorted(left)}")
        for slot in self.slots:
            for name, array in self.state[slot].items():
                if np.shape(state[slot][name]) != array.shape:
                    raise ValueError(
                        f"{slot} of {name} has shape {np.shape(state[slot][name])}, expected {array.shape}"
                    )
        self.lr, self.steps = float(state["lr"]), int(state["steps"])
        self.counts = {name: int(state["counts"][name]) for name in self.parameters}
        for slot in self.slots:
            for name, array in self.state[slot].items():
                array[...] = state[slot][name]


class SGD(Optimiser):
    """Gradient descent, with momentum (Polyak 1964) or Nesterov's: value -= lr * velocity."""

    slots = ("velocity",)

    def __init__(
        self,
        params: Named,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        check(NOT_NEGATIVE, momentum=momentum, dampening=dampening)
        if nesterov and (momentum <= 0 or dampening):
            raise ValueError("nesterov needs a momentum and no dampening")
        super().__init__(params, lr, weight_decay)
        self.momentum, self.dampening, self.nesterov = momentum, dampening, nesterov

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """One parameter."""
        grad = self.decayed(value, grad, change)
        if self.momentum:
            velocity = self.state["velocity"][name]
            velocity *= self.momentum
            velocity += grad * (1 - self.dampening) if self.dampening and self.counts[name] > 1 else grad
            grad = grad + self.momentum * velocity if self.nesterov else velocity
        value -= np.multiply(grad, self.lr, out=scratch)


class RMSprop(Optimiser):
    """Gradients divided by a running root mean square (Tieleman & Hinton 2012)."""

    slots = ("square", "velocity")

    def __init__(
        self,
        params: Named,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        check(BELOW_ONE, alpha=alpha)
        check(NOT_NEGATIVE, eps=eps, momentum=momentum)
        super().__init__(params, lr, weight_decay)
        self.alpha, self.eps, self.momentum = alpha, eps, momentum

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """One parameter."""
        grad = self.decayed(value, grad, change)
        square, velocity = self.state["square"][name], self.state["velocity"][name]
        square *= self.alpha
        square += (1 - self.alpha) * grad * grad
        np.sqrt(square, out=scratch)
        scratch += self.eps
        np.divide(grad, scratch, out=scratch)
        if self.momentum:
            velocity *= self.momentum
            velocity += scratch
        value -= np.multiply(velocity if self.momentum else scratch, self.lr, out=scratch)


class Adam(Optimiser):
    """Running mean over running root mean square of the gradients (Kingma & Ba 2015)."""

    slots = ("mean", "square")
    decoupled = False

    def __init__(
        self,
        params: Named,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        check(TWO_BELOW_ONE, betas=betas)
        check(NOT_NEGATIVE, eps=eps)
        super().__init__(params, lr, weight_decay)
        self.betas, self.eps = betas, eps

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """One parameter."""
        if self.decoupled:
            value *= 1 - self.lr * self.weight_decay
        else:
            grad = self.decayed(value, grad, change)
        (beta1, beta2), count = self.betas, self.counts[name]
        mean, square = self.state["mean"][name], self.state["square"][name]
        np.subtract(grad, mean, out=scratch)
        scratch *= 1 - beta1
        mean += scratch
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - beta2
        square *= beta2
        square += scratch
        # the paper's mean / (1 - beta1^t) / (sqrt(square / (1 - beta2^t)) + eps), with the factors gathered in front
        shrink = math.sqrt(1 - beta2**count)
        np.sqrt(square, out=scratch)
        scratch += self.eps * shrink
        np.divide(mean, scratch, out=scratch)
        scratch *= self.lr * shrink / (1 - beta1**count)
        value -= scratch


class AdamW(Adam):
    """Adam with weight decay beside the gradient, not in it (Loshchilov & Hutter 2019)."""

    decoupled = True

    def __init__(
        self,
        params: Named,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)


def clip_grad_norm(parameters: Named, max_norm: float) -> float:
    """Scale all gradients together so that their joint 2-norm is at most `max_norm`; return the norm before."""
    check(POSITIVE_OR_INFINITE, max_norm=max_norm)
    grads = [(p, p.grad) for p in named(parameters).values() if p.grad is not None]
    total = math.sqrt(sum(float(np.square(grad, dtype=np.float64).sum()) for _, grad in grads))
    if math.isfinite(total) and total > max_norm:  # one that is not finite is left for step() to report
        for p, grad in grads:
            p.grad = grad * (max_norm / (total + 1e-6))
    return total


def clip_grad_value(parameters: Named, clip_value: float) -> None:
    """Hold every element of every gradient between -clip_value and clip_value."""
    check(POSITIVE_OR_INFINITE, clip_value=clip_value)
    for parameter in named(parameters).values():
        if parameter.grad is not None:
            parameter.grad = np.clip(parameter.grad, -clip_value, clip_value)

"""Optimisers read the gradients and write the parameters; nothing else writes them, apart from `assign`.

Arguments, defaults and results are PyTorch's. A step first checks every gradient: if one is not finite, it raises
`NonFiniteGradient` and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from .checks import BELOW_ONE, NOT_NEGATIVE, TWO_BELOW_ONE, Allowed, check
from .graph import Array
from .tensor import Parameter, plain

Named = Iterable[Parameter] | Iterable[tuple[str, Parameter]]


class NonFiniteGradient(ArithmeticError):
    """A gradient holds NaN or infinity; names the parameter and the step. Nothing was changed."""

    def __init__(self, parameter: str, step: int, what: str) -> None:
        super().__init__(
            f"step {step}: the gradient of {parameter} holds {what}; no parameter was changed."
            " A smaller learning rate or clip_grad_norm usually helps"
        )
        self.parameter, self.step = parameter, step


def named(parameters: Named) -> dict[str, Parameter]:
    """Parameters by name; those without a name are called parameter 0, 1, ...

    Raises:
        TypeError: an item is not a Parameter.
        ValueError: there are none, two have one name, or one comes twice.
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
        raise ValueError("there are no parameters; note that a generator of parameters can be used only once")
    return result


def check_finite(parameters: Mapping[str, Parameter], step: int) -> None:
    """Raise NonFiniteGradient for the first gradient that holds NaN or infinity."""
    for name, parameter in parameters.items():
        grad = plain(parameter.grad)
        if grad is not None and not np.isfinite(grad).all():
            raise NonFiniteGradient(name, step, "NaN" if np.isnan(grad).any() else "infinity")


def check_state(owner: object, state: Mapping[str, Any], *names: str) -> None:
    """Raise ValueError unless a state was saved by the same class as `owner` and has these entries."""
    if state.get("kind") != type(owner).__name__:
        raise ValueError(f"this is the state of {state.get('kind')!r}, not of {type(owner).__name__}")
    if missing := [name for name in names if name not in state]:
        raise ValueError(f"this state of {type(owner).__name__} has no {', '.join(missing)}")


class Optimiser:
    """Base class. A subclass lists its settings and arrays, and writes `update`.

    Every setting is an attribute and may be changed at any time. `steps` counts the calls of `step()`. Parameters
    without a gradient are left alone.
    """

    allowed: ClassVar[dict[str, Allowed]] = {"lr": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE}
    """The settings and what each may be."""
    slots: tuple[str, ...] = ()
    """The arrays that are kept for each parameter, all of its shape."""

    def __init__(self, params: Named, **settings: Any) -> None:
        self._take(settings)
        self.parameters = named(params)
        self.steps = 0
        self.counts = dict.fromkeys(self.parameters, 0)  # updates of each parameter
        self.state = {
            slot: {name: np.zeros_like(p.data, order="C") for name, p in self.parameters.items()} for slot in self.slots
        }
        self._scratch: dict[str, tuple[Array, Array]] = {}
        self.lr: float
        self.weight_decay: float

    def _take(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            check(self.allowed[name], **{name: value})
        vars(self).update(settings)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient.

        Raises:
            NonFiniteGradient: a gradient holds NaN or infinity; nothing was changed.
        """
        check_finite(self.parameters, self.steps + 1)
        self.steps += 1
        for name, parameter in self.parameters.items():
            if parameter.grad is None:
                continue
            self.counts[name] += 1
            if name not in self._scratch:
                self._scratch[name] = np.empty_like(parameter._array), np.empty_like(parameter._array)
            self.update(name, parameter._array, plain(parameter.grad), *self._scratch[name])
            parameter.version += 1

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter's `value` in place; `scratch` and `change` are two work arrays of its shape."""
        raise NotImplementedError

    def decayed(self, value: Array, grad: Array, change: Array) -> Array:
        """The gradient with weight decay as a penalty, grad + weight_decay * value; may use `change` for the result."""
        if not self.weight_decay:
            return grad
        np.multiply(value, self.weight_decay, out=change)
        return np.add(change, grad, out=change)

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to continue exactly: settings, counts, and the arrays by slot and name."""
        return {
            "kind": type(self).__name__,
            "settings": {name: getattr(self, name) for name in self.allowed},
            "steps": self.steps,
            "counts": dict(self.counts),
            **{slot: {name: array.copy() for name, array in arrays.items()} for slot, arrays in self.state.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state_dict()`, with its settings, as PyTorch does.

        Raises:
            ValueError: the state is of another class, lacks an entry, or is for parameters of other names or shapes;
                nothing was changed.
        """
        check_state(self, state, "settings", "steps", "counts")
        if set(state["settings"]) != set(self.allowed):
            found, expected = (", ".join(sorted(names)) for names in (state["settings"], self.allowed))
            raise ValueError(f"this state of {type(self).__name__} has the settings {found}; expected {expected}")
        for slot in ("counts", *self.slots):
            found = state.get(slot, {})
            missing, left = set(self.parameters) - set(found), set(found) - set(self.parameters)
            if missing or left:
                raise ValueError(f"optimiser state {slot!r}: missing {sorted(missing)}, left over {sorted(left)}")
        for slot in self.slots:
            for name, array in self.state[slot].items():
                shape = np.shape(state[slot][name])
                if shape != array.shape:
                    raise ValueError(f"{slot} of {name} has shape {shape}, expected {array.shape}")
        self._take({name: tuple(x) if isinstance(x, list) else x for name, x in state["settings"].items()})
        self.steps = int(state["steps"])
        self.counts = {name: int(state["counts"][name]) for name in self.parameters}
        for slot in self.slots:
            for name, array in self.state[slot].items():
                array[...] = state[slot][name]


class SGD(Optimiser):
    """Gradient descent, with momentum (Polyak 1964) or Nesterov's: value -= lr * velocity."""

    allowed: ClassVar = Optimiser.allowed | {
        "momentum": NOT_NEGATIVE,
        "dampening": NOT_NEGATIVE,
        "nesterov": ("True or False", lambda value: isinstance(value, bool)),
    }
    slots = ("velocity",)
    momentum: float
    dampening: float
    nesterov: bool

    def __init__(
        self,
        params: Named,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )
        if nesterov and (momentum == 0 or dampening):
            raise ValueError("nesterov needs a momentum above 0, and no dampening")

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter."""
        grad = self.decayed(value, grad, change)
        if self.momentum:
            velocity = self.state["velocity"][name]
            velocity *= self.momentum
            velocity += grad * (1 - self.dampening) if self.dampening and self.counts[name] > 1 else grad
            grad = grad + self.momentum * velocity if self.nesterov else velocity
        value -= np.multiply(grad, self.lr, out=scratch)


class RMSprop(Optimiser):
    """Gradients divided by a running root mean square (Tieleman & Hinton 2012)."""

    allowed: ClassVar = Optimiser.allowed | {"alpha": BELOW_ONE, "eps": NOT_NEGATIVE, "momentum": NOT_NEGATIVE}
    slots = ("square", "velocity")
    alpha: float
    eps: float
    momentum: float

    def __init__(
        self,
        params: Named,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter."""
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

    allowed: ClassVar = Optimiser.allowed | {"betas": TWO_BELOW_ONE, "eps": NOT_NEGATIVE}
    slots = ("mean", "square")
    decoupled = False
    betas: tuple[float, float]
    eps: float

    def __init__(
        self,
        params: Named,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter."""
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

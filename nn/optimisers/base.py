"""What optimisers share: groups of parameters with their settings, steps, and what is saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ..checks import NOT_NEGATIVE, Allowed, check, explain_arguments
from ..graph import Array
from ..tensor import Parameter, Tensor, plain

Named: TypeAlias = Parameter | Iterable[Parameter] | Iterable[tuple[str, Parameter]]
Params: TypeAlias = Named | Iterable[Mapping[str, Any]]
Group: TypeAlias = dict[str, Any]

TRUE_OR_FALSE: Allowed = "True or False", lambda value: isinstance(value, bool)


class NonFiniteGradient(ArithmeticError):
    """A gradient holds NaN or infinity; names the parameter and the step. Nothing was changed.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Parameter([0.0])
        >>> nn.sqrt(x).sum().backward()
        >>> nn.SGD([("x", x)], lr=0.1).step()
        Traceback (most recent call last):
            ...
        mazegrad.nn.optimisers.base.NonFiniteGradient: step 1: the gradient of x holds infinity; no parameter was ...
    """

    def __init__(self, parameter: str, step: int, what: str) -> None:
        super().__init__(
            f"step {step}: the gradient of {parameter} holds {what}; no parameter was changed."
            " A smaller learning rate or clip_grad_norm usually helps"
        )
        self.parameter, self.step = parameter, step


def named(parameters: Named, first: int = 0) -> dict[str, Parameter]:
    """Parameters by name; those without a name are called parameter 0, 1, ..., or from `first` on; also a single one.

    Raises:
        TypeError: an item is not a Parameter.
        ValueError: there are none, two have one name, or one comes twice.
    """
    result: dict[str, Parameter] = {}
    names: dict[int, str] = {}  # by identity: tensors compare by element
    for i, item in enumerate([parameters] if isinstance(parameters, Parameter) else parameters, first):
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


def check_finite(parameters: Mapping[str, Parameter], step: int, squared: bool = False) -> None:
    """Raise NonFiniteGradient for the first gradient that is not finite, or whose square is not, if it is `squared`.

    A gradient that is not an array raises TypeError, one whose shape is not its parameter's ValueError.
    """
    for name, parameter in parameters.items():
        grad = plain(parameter.grad)
        if grad is None:
            continue
        if not isinstance(grad, np.ndarray):
            raise TypeError(f"the gradient of {name} is a {type(grad).__name__}; expected an array, or None")
        if grad.shape != parameter.shape:
            raise ValueError(f"the gradient of {name} has shape {grad.shape}; expected {parameter.shape}")
        if not grad.size:
            continue
        largest = max(-float(grad.min()), float(grad.max()))  # NaN if there is one
        if not math.isfinite(largest):
            raise NonFiniteGradient(name, step, "NaN" if np.isnan(grad).any() else "infinity")
        limit = float(np.finfo(parameter.dtype).max)
        if largest > limit:
            raise NonFiniteGradient(name, step, f"{largest:.2g}, which is infinite in {parameter.dtype}")
        if squared and largest > math.sqrt(limit):
            raise NonFiniteGradient(name, step, f"{largest:.2g}, whose square is infinite in {parameter.dtype},")


def check_state(owner: object, state: Mapping[str, Any], *names: str) -> None:
    """Raise ValueError unless a state was saved by the same class as `owner` and has these entries."""
    if not isinstance(state, Mapping):
        raise TypeError(f"load_state_dict takes what state_dict() returned, not {type(state).__name__}")
    if "kind" not in state:
        raise ValueError(f"this is not the state of a {type(owner).__name__} of mazegrad; it has {', '.join(state)}")
    if state.get("kind") != type(owner).__name__:
        raise ValueError(f"this is the state of {state.get('kind')!r}, not of {type(owner).__name__}")
    if missing := [name for name in names if name not in state]:
        raise ValueError(f"this state of {type(owner).__name__} has no {', '.join(missing)}")


def _setting(name: str) -> Any:
    """A setting as an attribute: read from the first group, written to all."""

    def read(optimiser: Optimiser) -> Any:
        return optimiser.param_groups[0][name]

    def write(optimiser: Optimiser, value: Any) -> None:
        for group in optimiser.param_groups:
            group[name] = value

    return property(read, write)


class Optimiser:
    """Base class. A subclass lists its settings and arrays, and writes `update`.

    Parameters come as an iterable of them or of (name, parameter) pairs; or as a list of groups, dictionaries with
    "params" and whatever settings that group has of its own: `[{"params": net.parameters()}, {"params": ..., "lr":
    1e-4}]`. `param_groups` are these dictionaries, complete, and may be changed at any time; as an attribute, a setting
    is that of the first group, and setting it sets it for all. `steps` counts the calls of `step()`. Parameters without
    a gradient are left alone.

    Example:
        >>> from mazegrad import nn
        >>> body, head = nn.Parameter([1.0]), nn.Parameter([1.0])
        >>> optimizer = nn.SGD([{"params": [body]}, {"params": [head], "lr": 1.0}], lr=0.1)
        >>> (body + head).sum().backward()
        >>> optimizer.step()
        >>> body.data, head.data
        (array([0.9], dtype=float32), array([0.], dtype=float32))
    """

    allowed: ClassVar[dict[str, Allowed]] = {
        "lr": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "maximize": TRUE_OR_FALSE,
    }
    """The settings and what each may be."""
    slots: tuple[str, ...] = ()
    """The arrays that are kept for each parameter, all of its shape."""
    squared = False
    """Whether `update` squares the gradient."""

    lr: float
    weight_decay: float
    maximize: bool

    def __init_subclass__(cls) -> None:
        for name in cls.allowed:
            setattr(cls, name, _setting(name))
        if cls.__module__.startswith(f"{__package__}."):  # this library's own
            explain_arguments(cls)

    def __init__(self, params: Params, **settings: Any) -> None:
        self.defaults = self._checked(settings)
        self.param_groups: list[Group] = []
        self.parameters: dict[str, Parameter] = {}
        self.steps = 0
        self.counts: dict[str, int] = {}  # updates of each parameter
        self.state: dict[str, dict[str, Array]] = {slot: {} for slot in self.slots}
        self._scratch: dict[str, tuple[Array, Array]] = {}
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(f"params is a {type(params).__name__}; expected an iterable of Parameters, or of groups")
        given: list[Any] = list(params)
        groups = given if any(isinstance(item, Mapping) for item in given) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Train more parameters: a dictionary with "params", and the settings in which this group differs.

        Raises:
            TypeError: the group is not a dictionary, or holds something else than parameters.
            ValueError: a setting is unknown or not allowed, or a parameter is trained already.
        """
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            what = f"one with {sorted(param_group)}" if isinstance(param_group, Mapping) else repr(param_group)
            raise TypeError(f"a group of parameters is a dictionary with 'params', not {what}")
        own = {name: value for name, value in param_group.items() if name != "params"}
        if unknown := sorted(set(own) - set(self.allowed)):
            expected = ", ".join(self.allowed)
            raise ValueError(f"{type(self).__name__} has no setting {unknown[0]!r}; it has {expected}")
        found = named(param_group["params"], len(self.parameters))
        known = {id(parameter): name for name, parameter in self.parameters.items()}
        for name, parameter in found.items():
            if id(parameter) in known:
                raise ValueError(f"{name!r} is the same Parameter as {known[id(parameter)]!r}; pass each once")
            if name in self.parameters:
                raise ValueError(f"two parameters are called {name!r}, in two groups; give them names of their own")
        group = {"params": list(found.values()), "param_names": list(found), **self._checked({**self.defaults, **own})}
        self.param_groups.append(group)
        self.parameters.update(found)
        self.counts.update(dict.fromkeys(found, 0))
        for slot in self.slots_of(group):
            for name, parameter in found.items():
                self.kept(slot, name, parameter._array)

    def _checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings, each of which is allowed; a subclass may look at several together."""
        for name, value in settings.items():
            check(self.allowed[name], **{name: value})
        return dict(settings)

    def slots_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The arrays that these settings need."""
        return self.slots

    def kept(self, slot: str, name: str, value: Array) -> Array:
        """What is kept in a slot for a parameter; zeros at first."""
        arrays = self.state.setdefault(slot, {})
        if name not in arrays:
            arrays[name] = np.zeros_like(value, order="C")
        return arrays[name]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients; or set those that are there to 0, which makes them count as gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None if set_to_none or parameter.grad is None else np.zeros_like(parameter._array)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: as in PyTorch, called first; it computes the loss and its gradients.

        Returns:
            What the closure returned, or None.

        Raises:
            NonFiniteGradient: a gradient holds NaN or infinity, or an infinite square where it is squared; nothing was
                changed.
        """
        loss = None if closure is None else closure()
        check_finite(self.parameters, self.steps + 1, self.squared)
        self.steps += 1
        for group in self.param_groups:
            for name, parameter in zip(group["param_names"], group["params"], strict=True):
                if parameter.grad is None:
                    continue
                self.counts[name] += 1
                if name not in self._scratch:
                    self._scratch[name] = np.empty_like(parameter._array), np.empty_like(parameter._array)
                grad = plain(parameter.grad)
                self.update(group, name, parameter._array, -grad if group["maximize"] else grad, *self._scratch[name])
                parameter.version += 1
        return loss

    def update(self, group: Group, name: str, value: Array, grad: Array, scratch: Array, change: Array) -> None:
        """Update one parameter's `value` in place, by the settings of its group.

        `grad` is to be followed downhill; it is not to be written to. `scratch` and `change` are two work arrays of its
        shape.
        """
        raise NotImplementedError

    def decayed(self, group: Group, value: Array, grad: Array, change: Array) -> Array:
        """The gradient with weight decay as a penalty, grad + weight_decay * value; may use `change` for the result."""
        if not group["weight_decay"]:
            return grad
        np.multiply(value, group["weight_decay"], out=change)
        return np.add(change, grad, out=change)

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to continue exactly: groups with their settings, counts, and arrays by slot and name."""
        return {
            "kind": type(self).__name__,
            "param_groups": [
                {"params": list(group["param_names"]), **{name: group[name] for name in self.allowed}}
                for group in self.param_groups
            ],
            "steps": self.steps,
            "counts": dict(self.counts),
            **{slot: {name: array.copy() for name, array in arrays.items()} for slot, arrays in self.state.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state_dict()`, with its settings, as PyTorch does.

        Raises:
            ValueError: the state is of another class, lacks an entry, or is for other groups, or for parameters of
                other names or shapes; nothing was changed.
        """
        check_state(self, state, "param_groups", "steps", "counts")
        groups = [dict(group) for group in state["param_groups"]]
        if len(groups) != len(self.param_groups):
            raise ValueError(f"this state has {len(groups)} groups of parameters, expected {len(self.param_groups)}")
        settings = [self._settings_in(group) for group in groups]
        names: dict[str, list[str]] = {"counts": list(self.parameters)}  # in each slot
        for new, group, own in zip(groups, self.param_groups, settings, strict=True):
            _check_names("'param_groups'", group["param_names"], new["params"])
            for slot in self.slots_of(own):
                names.setdefault(slot, []).extend(group["param_names"])
        for slot, expected in names.items():
            _check_names(repr(slot), expected, state.get(slot, {}))
            for name in expected if slot != "counts" else ():
                shape = np.shape(state[slot][name])
                if shape != self.parameters[name].shape:
                    raise ValueError(f"{slot} of {name} has shape {shape}, expected {self.parameters[name].shape}")
        for group, own in zip(self.param_groups, settings, strict=True):
            group.update(own)
        self.steps = int(state["steps"])
        self.counts = {name: int(state["counts"][name]) for name in names.pop("counts")}
        self.state = {slot: {} for slot in self.slots}
        for slot, kept in names.items():
            for name in kept:
                self.kept(slot, name, self.parameters[name]._array)[...] = state[slot][name]

    def _settings_in(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a group in a state, checked; a file has lists for tuples."""
        if set(group) != {"params", *self.allowed}:
            found, expected = ", ".join(sorted(set(group) - {"params"})), ", ".join(sorted(self.allowed))
            raise ValueError(f"this state of {type(self).__name__} has the settings {found}; expected {expected}")
        return self._checked(
            {name: tuple(group[name]) if isinstance(group[name], list) else group[name] for name in self.allowed}
        )


AN_OPTIMISER: Allowed = "an optimiser", lambda value: isinstance(value, Optimiser)


def _check_names(where: str, expected: Iterable[str], found: Iterable[str]) -> None:
    missing, left = set(expected) - set(found), set(found) - set(expected)
    if missing or left:
        raise ValueError(f"optimiser state {where}: missing {sorted(missing)}, left over {sorted(left)}")


def one_for_each(name: str, value: Any, optimiser: Optimiser) -> list[Any]:
    """A value for each group, from one for all or from a list."""
    groups = len(optimiser.param_groups)
    values = list(value) if isinstance(value, Sequence) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{name} has {len(values)} values; expected one for each of {groups} groups of parameters")
    return values

"""A module is a function that owns parameters, which it finds by name, counts and saves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from .checks import explain_arguments, explained
from .graph import Array
from .hooks import Hookable
from .tensor import Parameter, Tensor, plain
from .torch_names import OF_MODULES, attribute_error

T = TypeVar("T")


class Module(Hookable):
    """Base of all layers and nets: assign Parameters and Modules as attributes, and write `forward`.

    Names are paths of attributes joined by dots, as in PyTorch ("0.weight"). Attributes listed in `buffer_names` are
    plain arrays that belong to the state but are not trained; `register_buffer` adds one, and those that are also in
    `transient_names` are not saved. A Parameter or Module may stand in several places: it is trained once, and saved
    under each of its names.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> class Net(nn.Module):
        ...     def __init__(self, rng):
        ...         self.layer = nn.Linear(2, 3, rng=rng)
        ...     def forward(self, x):
        ...         return nn.relu(self.layer(x))
        >>> net = Net(np.random.default_rng(0))
        >>> [(name, p.shape) for name, p in net.named_parameters()]
        [('layer.weight', (3, 2)), ('layer.bias', (3,))]
        >>> net(np.ones((5, 2), np.float32)).shape
        (5, 3)
    """

    buffer_names: tuple[str, ...] = ()
    transient_names: tuple[str, ...] = ()
    training = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith(f"{__package__}."):  # this library's own
            explain_arguments(cls)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every module defines its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and the hooks if there are any."""
        hooks = vars(self).get("_hooks")
        try:
            return self.forward(*args, **kwargs) if hooks is None else hooks.call(self, args, kwargs)
        except TypeError as error:
            raise explained(error, self.forward, args, kwargs, type(self).__name__) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter) and not value.name:
            value.name = f"{type(self).__name__}.{name}"  # for messages
        if not (value is None or isinstance(value, Parameter)) and isinstance(vars(self).get(name), Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter, which {type(value).__name__} cannot replace:"
                f" write its numbers with {name}.assign(array), or set another Parameter, or None"
            )
        super().__setattr__(name, value)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise attribute_error(f"a module {type(self).__name__}", name, OF_MODULES.get(name))

    # ------------------------------------------------------------------------------------------------ what is inside
    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes, each once, in the order in which they were assigned."""
        return _once(self._below())

    def children(self) -> Iterator[Module]:
        """The modules that are attributes, each once."""
        return (child for _, child in self.named_children())

    def named_modules(self, *, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and all below, by dotted name; this one's is `prefix`.

        A module that is shared comes once, or under each of its names if not `remove_duplicate`.
        """
        found = self._tree(prefix)
        return _once(found) if remove_duplicate else found

    def modules(self) -> Iterator[Module]:
        """This module and all below, each once."""
        return (module for _, module in self.named_modules())

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module below and then with this one, e.g. to draw other weights; return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def _below(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes, shared ones under each of their names."""
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Module))

    def _tree(self, prefix: str) -> Iterator[tuple[str, Module]]:
        """This module and all below, shared ones under each of their names."""
        yield prefix, self
        for name, child in self._below():
            yield from child._tree(f"{prefix}.{name}" if prefix else name)

    def _entries(self, transient: bool = False) -> Iterator[tuple[str, Parameter | Array]]:
        """Every parameter and buffer by dotted name, shared ones under each of their names; the transient ones too?"""
        for prefix, module in self._tree(""):
            for name, value in vars(module).items():
                buffer = name in module.buffer_names and (transient or name not in module.transient_names)
                if isinstance(value, Parameter) or (buffer and value is not None):
                    yield (f"{prefix}.{name}" if prefix else name), value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its dotted name."""
        return _once((name, value) for name, value in self._entries() if isinstance(value, Parameter))

    def parameters(self) -> Iterator[Parameter]:
        """Every parameter once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Every buffer once, with its dotted name."""
        return _once((name, x) for name, x in self._entries(transient=True) if not isinstance(x, Parameter))

    def buffers(self) -> Iterator[Array]:
        """Every buffer once."""
        return (array for _, array in self.named_buffers())

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Keep an array as the attribute `name`, which is saved with the weights if `persistent`, but not trained.

        Args:
            name: a name that is still free, without dots.
            tensor: an array, or None for a buffer that this module does not use; a tensor gives its numbers.
            persistent: whether it belongs to `state_dict`.

        Raises:
            KeyError: the name cannot be used.
            TypeError: it is not an array.
        """
        if not isinstance(name, str) or not name or "." in name or (hasattr(self, name) and name not in vars(self)):
            raise KeyError(f"a buffer cannot be called {name!r}; expected a free name without dots")
        if name in vars(self) and name not in self.buffer_names:
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} already, which is not a buffer")
        array = plain(tensor)
        if array is not None and not isinstance(array, np.ndarray | np.generic):
            raise TypeError(f"the buffer {name!r} is an array or None, not {type(array).__name__}")
        self.buffer_names = (*(other for other in self.buffer_names if other != name), name)
        self.transient_names = (*(n for n in self.transient_names if n != name), *(() if persistent else (name,)))
        setattr(self, name, None if array is None else np.array(array))

    # ---------------------------------------------------------------------------------------------------- modes, state
    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below to training (dropout drops, batch norm uses the batch); return it."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all below to evaluation; return it."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient; or set those that are there to 0, which makes them count as gradients."""
        for parameter in self.parameters():
            parameter.grad = None if set_to_none or parameter.grad is None else np.zeros_like(parameter._array)

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers, by dotted name."""
        return {name: np.array(_array(value)) for name, value in self._entries()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Take parameters and buffers from a mapping of arrays, e.g. a PyTorch state_dict that was saved as npz.

        All names and shapes are checked first; ValueError lists what is missing, left over, misshapen or not a number,
        and then nothing has changed. Not `strict`: missing and left-over names are passed over.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict takes a dict of arrays, as state_dict() and nn.load(path) return it,"
                f" not {type(state).__name__}"
            )
        entries = dict(self._entries())
        missing, left = [n for n in entries if n not in state], [n for n in state if n not in entries]
        problems = [f"missing: {', '.join(missing)}"] if missing and strict else []
        problems += [f"left over: {', '.join(left)}"] if left and strict else []
        found = {name: np.asarray(state[name]) for name in entries if name in state}
        for name, array in found.items():
            if array.shape != entries[name].shape:
                problems.append(f"{name} has shape {array.shape}, expected {entries[name].shape}")
            elif array.dtype.kind not in "fiub":
                problems.append(f"{name} holds {array.dtype}, not numbers")
            elif not np.isfinite(array).all():
                problems.append(f"{name} holds NaN or infinity")
        if problems:
            raise ValueError(f"this state does not fit {type(self).__name__}: " + "; ".join(problems))
        for name, array in found.items():
            entry = entries[name]
            if isinstance(entry, Parameter):
                entry.assign(array)
            else:
                entry[...] = array

    # ------------------------------------------------------------------------------------------------------------ repr
    def extra_repr(self) -> str:
        """The text between the parentheses of `repr`."""
        return ""

    def __repr__(self) -> str:
        count = sum(parameter.size for parameter in self.parameters())
        head = f"{type(self).__name__}({self.extra_repr()})" + (f"  # {count:,} parameters" if count else "")
        lines = [f"  {name}: {child!r}".replace("\n", "\n  ") for name, child in self._below()]
        return "\n".join([head, *lines])


def _once(named: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Leave out what came before under another name."""
    seen: set[int] = set()
    for name, thing in named:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield name, thing


def _array(value: Parameter | Array) -> Array:
    return value.data if isinstance(value, Tensor) else value

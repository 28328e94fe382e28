"""Containers: modules and parameters in a row or by name, found and saved with the module that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

import numpy as np

from .modules import Module
from .tensor import Parameter


class ModuleList(Module):
    """Modules in a row, found by number; it has no forward of its own.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layers = nn.ModuleList(nn.Linear(3, 3, rng=np.random.default_rng(i)) for i in range(2))
        >>> len(layers), [name for name, _ in layers.named_parameters()]
        (2, ['0.weight', '0.bias', '1.weight', '1.bias'])
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._length = 0
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> ModuleList:
        """Put one more at the end; return the list."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__} holds modules, not {type(module).__name__}")
        setattr(self, str(self._length), module)
        self._length += 1
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Put several more at the end; return the list."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put one more before the module of this number."""
        rest = list(self)[index:]
        self.append(module)
        for i, each in enumerate([module, *rest], self._length - 1 - len(rest)):
            setattr(self, str(i), each)

    def __setitem__(self, index: int, module: Module) -> None:
        """Put another module in the place of this one."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__} holds modules, not {type(module).__name__}")
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int) -> None:
        """Take a module away; those after it move up."""
        for i in range(int(self._name(index)), self._length - 1):
            setattr(self, str(i), self[i + 1])
        self._length -= 1
        delattr(self, str(self._length))

    def _name(self, index: int) -> str:
        """The name of the module of this number, which may be negative."""
        if not isinstance(index, int | np.integer):
            raise TypeError(f"{type(self).__name__} is indexed by integers, not {type(index).__name__}")
        if not -self._length <= index < self._length:
            raise IndexError(f"module {index} of {self._length}")
        return str(index % self._length)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Module]:
        return (vars(self)[str(i)] for i in range(self._length))

    @overload
    def __getitem__(self, index: int) -> Module: ...

    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...

    def __getitem__(self, index: int | slice) -> Module:
        """One module; for a slice, a list of the same modules, numbered from 0."""
        if isinstance(index, slice):
            return ModuleList(list(self)[index])
        module: Module = vars(self)[self._name(index)]
        return module


class ModuleDict(Module):
    """Modules by name, in the order in which they came; it has no forward of its own.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> rng = np.random.default_rng(0)
        >>> heads = nn.ModuleDict({"policy": nn.Linear(8, 4, rng=rng), "value": nn.Linear(8, 1, rng=rng)})
        >>> heads["value"](np.ones((2, 8), np.float32)).shape
        (2, 1)
        >>> [name for name, _ in heads.named_parameters()]
        ['policy.weight', 'policy.bias', 'value.weight', 'value.bias']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        self._held: dict[str, Module] = {}  # not attributes: a key may be "keys"
        self.update(modules or {})

    def _below(self) -> Iterator[tuple[str, Module]]:
        return iter(self._held.items())

    def __setitem__(self, key: str, module: Module) -> None:
        if not isinstance(key, str) or not key or "." in key:
            raise KeyError(f"a key of a ModuleDict is a text without dots, not {key!r}")
        if not isinstance(module, Module):
            raise TypeError(f"ModuleDict holds modules, not {type(module).__name__}")
        self._held[key] = module

    def __getitem__(self, key: str) -> Module:
        if key not in self._held:
            raise KeyError(
                f"unknown module {key!r}; this ModuleDict has {', '.join(map(repr, self._held)) or 'no modules'}"
            )
        return self._held[key]

    def __delitem__(self, key: str) -> None:
        del self._held[key]

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._held.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._held.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return self._held.items()

    def pop(self, key: str) -> Module:
        """Take a module out, and return it."""
        module = self[key]
        del self._held[key]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        self._held.clear()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Put these in, in their order; those with a name that is there already take its place."""
        for key, module in modules.items() if isinstance(modules, Mapping | ModuleDict) else modules:
            self[key] = module


class ParameterList(Module):
    """Parameters in a row, found by number; arrays and tensors become parameters.

    Example:
        >>> from mazegrad import nn
        >>> weights = nn.ParameterList([[1.0, 2.0], [3.0]])
        >>> [(name, w.shape) for name, w in weights.named_parameters()]
        [('0', (2,)), ('1', (1,))]
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self._length = 0
        self.extend(values or ())

    def append(self, value: Any) -> ParameterList:
        """Put one more at the end; return the list."""
        setattr(self, str(self._length), value if isinstance(value, Parameter) else Parameter(value))
        self._length += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Put these at the end; return the list."""
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Parameter]:
        return (vars(self)[str(i)] for i in range(self._length))

    def __getitem__(self, index: int) -> Parameter:
        return vars(self)[str(self._place(index))]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(self._place(index)), value if isinstance(value, Parameter) else Parameter(value))

    def _place(self, index: int) -> int:
        if not -self._length <= index < self._length:
            raise IndexError(f"parameter {index} of {self._length}")
        return index % self._length

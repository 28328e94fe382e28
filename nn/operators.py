"""The operators and methods of `Tensor`: one table, from the name on the class to the operation behind it.

`tensor.py` declares the same names for type checkers. A new method is one line here and one name there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from numpy.lib.array_utils import normalize_axis_index

from . import functional
from . import operations as op
from .graph import Array
from .rules import Operand
from .tensor import Tensor, plain
from .torch_names import OF_TENSORS, attribute_error


def _swapped(operation: Callable[..., Any]) -> Callable[[Tensor, Operand], Any]:
    """The operator for a tensor on the right: `2 - x` calls `x.__rsub__(2)`."""
    return lambda self, other: operation(other, self)


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Array]:
    """A comparison: the result is a plain array of booleans."""
    return lambda self, other: compare(self._array, plain(other))


def _reshape(self: Tensor, *shape: Any) -> Any:
    """The same elements in another shape, given as integers or as one tuple; one -1 is worked out."""
    return op.reshape(self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)


def _permute(self: Tensor, *axes: Any) -> Any:
    """The axes in another order, given as integers or as one tuple."""
    return op.transpose(self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes)


def _transpose(self: Tensor, *axes: Any) -> Any:
    """Two axes exchanged, as in PyTorch; as in numpy, all of them in another order, or reversed without arguments."""
    if len(axes) != 2:
        return _permute(self, *axes) if axes else op.transpose(self)
    one, other = (normalize_axis_index(axis, self.ndim, "transpose") for axis in axes)
    order = list(range(self.ndim))
    order[one], order[other] = other, one
    return op.transpose(self, order)


def _clone(self: Tensor) -> Any:
    """A copy in the graph: what is done to it comes back to the tensor."""
    return op.multiply(self, 1.0)


def _missing(self: Tensor, name: str) -> Any:
    """Raise AttributeError for a name that tensors do not have, which says what to use instead."""
    if name[0] == "_":  # numpy asks for several of these
        raise AttributeError(name)
    instead = OF_TENSORS.get(name)
    if instead is None and callable(getattr(op, name, None) or getattr(functional, name, None)):
        instead = f"nn.{name}(tensor)"
    elif instead is None and name.endswith("_"):
        instead = "assign(array), which writes a leaf; nothing else is written in place"
    raise attribute_error("a Tensor", name, instead)


METHODS: dict[str, Callable[..., Any]] = {
    # operators
    "__add__": op.add,
    "__radd__": _swapped(op.add),
    "__sub__": op.subtract,
    "__rsub__": _swapped(op.subtract),
    "__mul__": op.multiply,
    "__rmul__": _swapped(op.multiply),
    "__truediv__": op.divide,
    "__rtruediv__": _swapped(op.divide),
    "__pow__": op.power,
    "__rpow__": _swapped(op.power),
    "__matmul__": op.matmul,
    "__rmatmul__": _swapped(op.matmul),
    "__neg__": op.negative,
    "__abs__": op.absolute,
    "__getitem__": op.getitem,
    # comparisons
    "__lt__": _compared(operator.lt),
    "__le__": _compared(operator.le),
    "__gt__": _compared(operator.gt),
    "__ge__": _compared(operator.ge),
    "__eq__": _compared(operator.eq),
    "__ne__": _compared(operator.ne),
    # element by element
    "abs": op.absolute,
    "astype": op.astype,
    "clamp": op.clip,
    "clip": op.clip,
    "cos": op.cos,
    "exp": op.exp,
    "log": op.log,
    "log_softmax": op.log_softmax,
    "pow": op.power,
    "relu": op.relu,
    "sigmoid": op.sigmoid,
    "sin": op.sin,
    "softmax": op.softmax,
    "sqrt": op.sqrt,
    "square": op.square,
    "tanh": op.tanh,
    # reductions
    "cumsum": op.cumsum,
    "logsumexp": op.logsumexp,
    "max": op.max,
    "mean": op.mean,
    "min": op.min,
    "norm": op.norm,
    "prod": op.prod,
    "std": op.std,
    "sum": op.sum,
    "var": op.var,
    # shapes
    "clone": _clone,
    "flatten": op.flatten,
    "gather": op.gather,
    "permute": _permute,
    "reshape": _reshape,
    "squeeze": op.squeeze,
    "transpose": _transpose,
    "unsqueeze": op.expand_dims,
    "view": _reshape,
    # what is not here
    "__getattr__": _missing,
}

for _name, _method in METHODS.items():
    setattr(Tensor, _name, _method)

"""A tensor is an array that records how it was computed.

Operations make tensors of tensors, and each adds a `Node` to the graph (`rules.py`). The pass back through the nodes is
in `graph.py`; that page is the whole idea.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from .graph import Array, Edge, Node, backpropagate
from .precision import FLOATS
from .tensor_hooks import register_hook, seen, watched

Axis: TypeAlias = int | tuple[int, ...] | None

if TYPE_CHECKING:

    class _Operators:
        """The operators and methods that `operators.py` and `explain.py` give to Tensor, declared for type checkers."""

        def explain(self) -> str: ...
        def _unary(self) -> Tensor: ...
        def _binary(self, other: Any) -> Tensor: ...
        def _compare(self, other: Any) -> Array: ...
        def _reduce(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...

        __neg__ = __abs__ = abs = cos = exp = log = relu = sigmoid = sin = sqrt = square = tanh = _unary
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _binary
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _compare  # type: ignore[assignment]
        logsumexp = max = mean = min = prod = sum = _reduce

        def __getitem__(self, index: Any) -> Tensor: ...
        def astype(self, dtype: DTypeLike) -> Tensor: ...
        def cumsum(self, axis: int) -> Tensor: ...
        def gather(self, dim: int, index: Any) -> Tensor: ...
        def norm(self, p: float | str = 2.0, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def std(self, axis: Axis = None, keepdims: bool = False, *, correction: float = 1) -> Tensor: ...
        def var(self, axis: Axis = None, keepdims: bool = False, *, correction: float = 1) -> Tensor: ...
        def clamp(self, min: Any = None, max: Any = None) -> Tensor: ...
        def clip(self, min: Any = None, max: Any = None) -> Tensor: ...
        def clone(self) -> Tensor: ...
        def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor: ...
        def log_softmax(self, dim: int = -1) -> Tensor: ...
        def permute(self, *axes: Any) -> Tensor: ...
        def pow(self, exponent: Any) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        def softmax(self, dim: int = -1) -> Tensor: ...
        def squeeze(self, axis: Axis = None) -> Tensor: ...
        def transpose(self, *axes: Any) -> Tensor: ...
        def unsqueeze(self, dim: int) -> Tensor: ...
        def view(self, *shape: Any) -> Tensor: ...

else:
    _Operators = object


class Tensor(_Operators):
    """An array of float32 or float64 that can be differentiated with respect to.

    `Tensor(data)` copies. Floating arrays keep their dtype; lists, integers and booleans become float32 unless `dtype`
    says otherwise. `data` is a read-only view; `assign(array)` and the optimisers are the only writers. `grad` is None
    or a plain array of the tensor's shape.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor([1.0, 2.0], requires_grad=True)
        >>> loss = (x**2).sum()
        >>> loss.backward()
        >>> x.grad
        array([2., 4.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_array", "_node", "_slot", "grad", "name", "requires_grad", "version")
    __array_ufunc__ = None  # so that array + tensor asks the tensor
    _backpropagate_in_operations: Callable[[Tensor, Any], Sequence[tuple[Any, Any]]]  # from `differentiation.py`

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        array: Array = data._array if isinstance(data, Tensor) else np.asarray(data)
        if dtype is None:
            keeps = isinstance(data, np.ndarray | np.generic | Tensor) and array.dtype.kind == "f"
            dtype = array.dtype if keeps else np.float32
        if array.dtype.kind not in "fiub" or np.dtype(dtype) not in FLOATS:
            raise TypeError(f"a Tensor holds float32 or float64 numbers, not {array.dtype} as {np.dtype(dtype)}")
        self._array: Array = np.array(array, dtype=dtype, order="K", subok=False)
        self._node: Node | None = None
        self._slot, self.version = 0, 0
        self.grad: Array | None = None
        self.requires_grad = requires_grad
        self.name = ""

    @staticmethod
    def _wrap(array: Any, node: Node | None = None, slot: int = 0) -> Tensor:
        tensor = Tensor.__new__(Tensor)
        tensor._array = array if type(array) is np.ndarray else np.asarray(array)
        tensor._node, tensor._slot, tensor.version = node, slot, 0
        tensor.grad, tensor.requires_grad, tensor.name = None, node is not None, ""
        return tensor

    def _edge(self) -> Edge:
        """Where a gradient of this tensor goes: to the node that made it, or to itself, or nowhere."""
        if self._node is not None:
            return self._node, self._slot
        return (self, 0) if self.requires_grad else None

    def label(self) -> str:
        """Its name in messages."""
        return f"{self.name or type(self).__name__} of shape {self.shape}"

    # ------------------------------------------------------------------------------------------------ reading, writing
    @property
    def data(self) -> Array:
        """The numbers, as a read-only view, which follows an optimiser's steps; `detach()` keeps them."""
        view = self._array.view()
        view.flags.writeable = False
        return view

    def assign(self, array: Any) -> None:
        """Replace the numbers of a leaf by others of the same shape; earlier views of it keep the old ones."""
        if self._node is not None:
            raise RuntimeError(f"assign: {self.label()} is the result of {self._node.name!r}; only leaves are assigned")
        new = np.asarray(array._array if isinstance(array, Tensor) else array)
        if new.shape != self.shape:
            raise ValueError(f"assign: {self.label()} cannot take an array of shape {new.shape}")
        if new.dtype.kind not in "fiub":
            raise TypeError(f"assign: {self.label()} holds {self.dtype}, not {new.dtype}")
        self._array = np.array(new, dtype=self.dtype)
        self.version += 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._array.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._array.dtype

    def item(self) -> float:
        """The only element, as a Python float."""
        return float(self._array.item())

    def detach(self) -> Tensor:
        """The same numbers without a graph (a copy, since leaves can be overwritten)."""
        return Tensor(self._array)

    register_hook = register_hook

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    # -------------------------------------------------------------------------------------------------------- backward
    def backward(self, gradient: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add d(self)/d(leaf) to the `grad` of every leaf that requires it.

        `gradient` weighs the elements of a tensor that is not a scalar. The graph is freed on the way, unless
        `retain_graph`. Raises RuntimeError when the graph was freed before, or an operand was overwritten since.
        With `create_graph` what arrives in `grad` is a tensor, which can be differentiated again; the graph stays. (A
        leaf and such a gradient hold each other: set `grad` to None afterwards. `nn.grad` has no such trouble.)
        A gradient that leaves the range of its precision becomes infinite or NaN without a warning: the optimisers stop
        at it with one message, `NonFiniteGradient`, and `nn.analysis.why` says how it came about.
        """
        with np.errstate(all="ignore"):  # what is not finite is named by the optimiser
            if create_graph:
                found = Tensor._backpropagate_in_operations(self, gradient)
            else:
                found = backpropagate(self._edge(), self._seed(gradient), retain_graph, watched())
            for leaf, grad in seen(found):
                before = leaf.grad if create_graph else plain(leaf.grad)
                leaf.grad = grad if before is None else before + grad

    def _seed(self, gradient: Any) -> Array:
        if gradient is None:
            if self.size != 1:
                raise RuntimeError(
                    f"backward() starts from one number, but this tensor has shape {self.shape}: reduce it first"
                    " (.sum() or .mean()), or pass gradient=, an array of the same shape that weighs its elements"
                )
            return np.ones_like(self._array)
        seed = np.asarray(gradient._array if isinstance(gradient, Tensor) else gradient, dtype=self.dtype)
        if seed.shape != self.shape:
            raise ValueError(f"backward(gradient): expected shape {self.shape}, got {seed.shape}")
        return seed

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return self.transpose()

    def argmax(self, axis: int | None = None) -> Any:
        """Where the largest element is, as a plain array of integers."""
        return self._array.argmax(axis)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("a Tensor cannot be written by index: use where(mask, new, old), or assign(array) on a leaf")

    # ----------------------------------------------------------------------------------------------- as Python objects
    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if self.size != 1:
            raise TypeError(f"the format {spec!r} is for one number, but this tensor has shape {self.shape}")
        return format(self.item(), spec)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self._array, dtype=dtype, copy=True) if copy or dtype is not None else self.data

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """What `pickle` and `copy` take of a leaf; other tensors cannot take their graph along."""
        if self._node is not None:
            raise RuntimeError(
                f"a tensor made by {self._node.name!r} cannot be copied or pickled together with its graph;"
                " use tensor.detach() for its numbers alone"
            )
        grad = None if self.grad is None else self.grad.copy()
        state = {name: getattr(self, name) for name in ("_slot", "version", "requires_grad", "name")}
        return None, {**state, "_array": self._array.copy(order="K"), "_node": None, "grad": grad}

    def __repr__(self) -> str:
        text = np.array2string(self._array, separator=", ", precision=4, threshold=20, prefix="Tensor(")
        made = f", made by {self._node.name}" if self._node else ", requires_grad=True" if self.requires_grad else ""
        return f"{type(self).__name__}({text}, shape={self.shape}, {self.dtype}{made})"


class Parameter(Tensor):
    """A leaf tensor that is trained: it requires a gradient and is found by its Module.

    Example:
        >>> from mazegrad import nn
        >>> class Shift(nn.Module):
        ...     def __init__(self):
        ...         self.by = nn.Parameter([1.0, 2.0])
        ...     def forward(self, x):
        ...         return x + self.by
        >>> dict(Shift().named_parameters())
        {'by': Parameter([1., 2.], shape=(2,), float32, requires_grad=True)}
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, *, dtype: DTypeLike | None = None) -> None:
        super().__init__(data, requires_grad, dtype)


def plain(x: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return x._array if isinstance(x, Tensor) else x

"""An operation is a numpy function with its derivative beside it: a rule.

`operation` turns a rule, a function on plain arrays that returns `(output, vjp)`, into a function that also takes
tensors and adds a `Node` to the graph.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeAlias

import numpy as np

from .checks import explained
from .graph import Array, Node, Vjp, recording
from .precision import in_one_precision
from .tensor import Parameter, Tensor, plain

P = ParamSpec("P")
Operand: TypeAlias = Any  # what one may differentiate by: tensor, array or number; inside a rule, an array
Rule: TypeAlias = tuple[Any, Vjp]

SPELLINGS = {"axis": "dim", "dim": "axis", "keepdims": "keepdim", "keepdim": "keepdims"}  # numpy's and PyTorch's


def operation(rule: Callable[P, Rule]) -> Callable[P, Any]:
    """Make a differentiable operation of `rule`, a function on plain arrays that returns `(output, vjp)`.

    The vjp states what it reads of the way there by further parameters with defaults, `lambda grad, needs, x=x: ...`:
    `second_order/` takes from these what it needs.

    The parameters that `rule` annotates as `Operand` come first; the operation is differentiable in them. If one of
    them is a tensor, the result is a tensor, else a plain array. Numbers, integers and booleans take the dtype of the
    other operands; where all are integers they become float64. A rule with several outputs returns a tuple of them;
    its vjp then gets a list of gradients, None for an output without one.

    A setting called `axis` or `keepdims` may also be given as `dim` or `keepdim`, PyTorch's words, and conversely.

    A plain array beside tensors is kept as it is, not copied: write into it again only after `backward()`. (Indices,
    conditions and targets of class numbers are copied.)
    """
    return _operation(rule, in_one_precision)


def rearrangement(rule: Callable[P, Rule]) -> Callable[P, Any]:
    """Make an operation that only moves numbers, as `operation` does; plain arrays keep their dtype, whatever it is."""
    return _operation(rule, lambda name, operands: [None if x is None else np.asarray(x) for x in operands])


def _operation(rule: Callable[P, Rule], plain_operands: Callable[[str, Sequence[Any]], list[Any]]) -> Callable[P, Any]:
    name = rule.__name__.strip("_")
    parameters = inspect.signature(rule).parameters
    spellings = {SPELLINGS[own]: own for own in parameters if own in SPELLINGS}
    marked = [p for p in parameters.values() if p.annotation in ("Operand", Operand)]
    count = None if marked[0].kind is inspect.Parameter.VAR_POSITIONAL else len(marked)

    @functools.wraps(rule)
    def apply(*args: Any, **settings: Any) -> Any:
        if settings and spellings:
            settings = {spellings.get(word, word): value for word, value in settings.items()}
        if count is not None and len(args) < count:
            for operand in marked[len(args) :]:
                if operand.name in settings:
                    args = (*args, settings.pop(operand.name))
                elif operand.default is None:
                    args = (*args, None)
        operands = args[:count]
        dtype = None
        for x in operands:
            if isinstance(x, Tensor):
                if dtype is None:
                    dtype = x._array.dtype
                elif x._array.dtype != dtype:
                    raise TypeError(_mixed(name, operands))
        with np.errstate(all="ignore"):  # the optimiser names what is not finite, in one message
            if dtype is None:
                arrays = plain_operands(name, operands)
            else:
                arrays = [x._array if isinstance(x, Tensor) else _constant(name, x, dtype, operands) for x in operands]
            try:
                output, vjp = rule(*arrays, *args[len(operands) :], **settings)
            except ValueError as error:
                shapes = " and ".join(str(np.shape(array)) for array in arrays if array is not None)
                raise ValueError(f"{name} of shape {shapes}: {error}") from error
            except (TypeError, AttributeError) as error:
                raise explained(error, rule, (*arrays, *args[len(operands) :]), settings) from None
        if dtype is None:
            return output
        outputs = output if type(output) is tuple else (output,)
        node = None
        if recording() and any(isinstance(x, Tensor) and x.requires_grad for x in operands):
            node = Node(
                name,
                vjp,
                parents=[x._edge() if isinstance(x, Tensor) else None for x in operands],
                leaves=[x for x in operands if isinstance(x, Tensor) and x._node is None],
                input_shapes=[() if x is None else np.shape(x) for x in arrays],
                output_shapes=[np.shape(array) for array in outputs],
            )
        elif any(isinstance(x, Parameter) for x in operands):
            outputs = tuple(_apart(array, operands) for array in outputs)
        tensors = tuple(Tensor._wrap(array, node, slot) for slot, array in enumerate(outputs))
        return tensors if type(output) is tuple else tensors[0]

    return apply


def composite(function: Callable[P, Any]) -> Callable[P, Any]:
    """Give a function made of operations their treatment of arguments: both spellings, and errors in clear words."""
    spellings = {SPELLINGS[own]: own for own in inspect.signature(function).parameters if own in SPELLINGS}

    @functools.wraps(function)
    def apply(*args: Any, **settings: Any) -> Any:
        if settings and spellings:
            settings = {spellings.get(word, word): value for word, value in settings.items()}
        try:
            return function(*args, **settings)
        except TypeError as error:
            raise explained(error, function, args, settings) from None

    return apply


def _apart(output: Array, operands: Sequence[Any]) -> Array:
    """A copy of an output that is a view of a parameter: no graph would notice that an optimiser writes into it."""
    for x in operands:
        viewed = isinstance(x, Parameter) and (output is x._array or output.base is not None)
        if viewed and np.may_share_memory(output, x._array):
            return output.copy(order="K")
    return output


def _constant(name: str, x: Any, dtype: np.dtype[Any], operands: Sequence[Any]) -> Array | None:
    """A plain operand beside tensors: numbers, integers and booleans take the tensors' dtype."""
    if x is None:
        return None
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} takes tensors, arrays of numbers and numbers, not {type(x).__name__} of {array.dtype}")
    if array.dtype.kind == "f" and isinstance(x, np.ndarray) and x.ndim and x.dtype != dtype:
        raise TypeError(_mixed(name, operands))
    return array.astype(dtype, copy=False)


def _mixed(name: str, operands: Sequence[Any]) -> str:
    kinds = " and ".join(
        f"a {x.dtype} {'tensor' if isinstance(x, Tensor) else 'array'} of shape {x.shape}"
        for x in operands
        if isinstance(x, Tensor | np.ndarray)
    )
    return f"{name} mixes {kinds}: one precision is expected; convert one with .astype"


def constant(name: str, x: Any) -> Array:
    """A copy of an argument in which an operation is not differentiable.

    Raises:
        TypeError: it is a tensor that requires a gradient, which would silently get none.
    """
    if isinstance(x, Tensor) and x.requires_grad:
        raise TypeError(f"{name} has no gradient here, but requires_grad=True; pass {name}.detach()")
    return np.array(plain(x))

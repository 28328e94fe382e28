"""Derivatives as values: gradients that can be differentiated again, and what follows from them.

`grad` is `backward` that returns what it finds instead of adding it to `grad` attributes. With `create_graph=True` the
pass back is itself made of operations (see `second_order/`), so its results have a graph of their own. The rest is
a line or two each: a Jacobian is a gradient for each output, a Hessian-vector product the gradient of a gradient times
a vector, and a tangent is carried forward by differentiating a vector-Jacobian product by its vector.

Names and arguments are those of `torch.autograd` and `torch.autograd.functional`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import operations, second_order
from .graph import Gradients, Node, backpropagate, newest_first
from .modules import Module
from .tensor import Tensor, plain
from .tensor_hooks import seen, watched


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, as tensors; nobody's `grad` changes.

    Args:
        outputs: a tensor, or several whose sum is meant.
        inputs: a tensor, or several; leaves or results of operations, such as the states of a recurrent net.
        grad_outputs: what each output is weighed by, as in `backward(gradient)`; None for outputs of one number.
        retain_graph: keep the graph for another pass; by default what `create_graph` is.
        create_graph: the results can be differentiated again: for gradient penalties, Hessians, meta-learning.
        allow_unused: None for an input on which no output depends, instead of an error.

    Returns:
        A tuple, one tensor for each input.

    Raises:
        RuntimeError: an output depends on nothing, an input is not used, the graph was freed, or (with `create_graph`)
            an operation on the way has first derivatives only; the message names it.

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor(3.0, requires_grad=True)
        >>> (slope,) = nn.grad(x**3, x, create_graph=True)
        >>> slope.item(), nn.grad(slope, x)[0].item()
        (27.0, 18.0)
    """
    several, wanted = _several(outputs), _several(inputs)
    weights = [None] * len(several) if grad_outputs is None else _several(grad_outputs)
    if len(weights) != len(several):
        raise ValueError(f"grad: {len(several)} outputs, but {len(weights)} grad_outputs")
    seeds = [_seed(output, weight) for output, weight in zip(several, weights, strict=True)]
    if not create_graph:
        seeds = [plain(seed) for seed in seeds]
    edges = [output._edge() for output in several]
    if all(edge is None for edge in edges):
        raise RuntimeError("grad: the outputs do not depend on anything with requires_grad=True")
    # one operation above all outputs, which hands each its weight
    root = Node("outputs", lambda grad, needs: seeds, edges, [], [x.shape for x in several], [()])
    keys = [_key(i, x) for i, x in enumerate(wanted)]
    found: dict[tuple[int, int], Any] = dict.fromkeys(keys)
    useful = _on_the_way(root, set(keys))

    def visit(node: Node, grads: Sequence[Any]) -> None:
        for slot, arrived in enumerate(grads):
            if (id(node), slot) in found:
                found[id(node), slot] = arrived

    def pull(node: Node, grads: Sequence[Any]) -> Sequence[Any]:
        needs = useful.get(id(node))
        if needs is None:
            return [None] * len(node.parents)
        if node is root:
            return seeds
        return second_order.pull(node, grads, needs) if create_graph else node.pull(grads, needs)

    keep = create_graph if retain_graph is None else retain_graph
    with np.errstate(all="ignore"):
        store = _Borrowed() if create_graph else None
        leaves = backpropagate((root, 0), np.ones(()), keep, watched(visit), pull, store)
        found |= {(id(leaf), 0): arrived for leaf, arrived in seen(leaves)}
    results = [found[key] for key in keys]
    for i, (x, result) in enumerate(zip(wanted, results, strict=True)):
        if result is None and not allow_unused:
            raise RuntimeError(
                f"grad: no output depends on input {i}, {x.label()}; pass allow_unused=True for None in its place"
            )
    return tuple(r if r is None or isinstance(r, Tensor) else Tensor(r) for r in results)


def backpropagate_in_operations(output: Tensor, weight: Any) -> list[tuple[Any, Any]]:
    """What `backward(weight, create_graph=True)` adds to the leaves: each with its gradient, a tensor."""
    seed: Any = Tensor(_seed(output, weight)) if not isinstance(weight, Tensor) else _seed(output, weight)

    def pull(node: Node, grads: Sequence[Any]) -> Sequence[Any]:
        return second_order.pull(node, grads, node.needs)

    return backpropagate(output._edge(), seed, True, watched(), pull, _Borrowed())


Tensor._backpropagate_in_operations = staticmethod(backpropagate_in_operations)


def _key(number: int, x: Any) -> tuple[int, int]:
    """Where the gradient of an input arrives."""
    edge = x._edge() if isinstance(x, Tensor) else None
    if edge is None:
        raise RuntimeError(f"grad: input {number} requires no gradient; make it a Tensor with requires_grad=True")
    return id(edge[0]), edge[1]


class _Borrowed(Gradients):
    """Gradients that are tensors: nothing is ever written into them, so none need be copied."""

    def keep(self, leaf: Any) -> Any:
        """Hand out a leaf's sum."""
        return self.arrived[id(leaf), 0]


def _on_the_way(root: Node, sources: Collection[tuple[int, int]]) -> dict[int, list[bool]]:
    """The nodes through which a gradient passes on its way to the sources, and which of their parents lead there."""
    useful: dict[int, list[bool]] = {}
    for node in reversed(newest_first(root)):
        leads = [
            edge is not None and (id(edge[0]) in useful or (id(edge[0]), edge[1]) in sources) for edge in node.parents
        ]
        if any(leads):
            useful[id(node)] = leads
    return useful


def _several(x: Any) -> list[Any]:
    return list(x) if isinstance(x, tuple | list) else [x]


def _seed(output: Tensor, weight: Any) -> Any:
    """What an output is weighed by: a tensor stays one, so that it can be differentiated by."""
    if not isinstance(output, Tensor):
        raise TypeError(f"grad: an output is a {type(output).__name__}, not a Tensor")
    if isinstance(weight, Tensor) and weight.shape == output.shape:
        return weight
    return output._seed(weight)


# ----------------------------------------------------------------------------------------------- functions of tensors
def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """A function's value, and `v` times its Jacobian: what `backward(v)` computes.

    func: takes tensors, returns one, or several. inputs: a tensor or an array, or a tuple of them; v, shaped like the
    outputs, may be left out for one number. Returns the pair, shaped like the outputs and like the inputs.

    Example:
        >>> from mazegrad import nn
        >>> value, (by_a, by_b) = nn.vjp(lambda a, b: (a * b).sum(), (nn.Tensor([1.0, 2.0]), nn.Tensor([3.0, 4.0])))
        >>> value.item(), by_a.data, by_b.data
        (11.0, array([3., 4.], dtype=float32), array([1., 2.], dtype=float32))
    """
    leaves = _leaves(inputs, create_graph)
    outputs = _outputs(func, leaves)
    found = _back(outputs, leaves, v, create_graph=create_graph)
    return _cut(outputs, create_graph), _like(inputs, _zeros(found, leaves))


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """A function's value, and its Jacobian times `v`: how the outputs move when the inputs move along `v`.

    Arguments as `vjp`, with v shaped like the inputs; left out, it is 1. Returns the pair, each like the outputs. (A
    vector-Jacobian product is linear in its vector; its derivative by that is the Jacobian transposed: two passes
    back go forward.)

    Example:
        >>> from mazegrad import nn
        >>> value, change = nn.jvp(lambda x: x**2, nn.Tensor([1.0, 2.0]), nn.Tensor([1.0, 10.0]))
        >>> value.data, change.data
        (array([1., 4.], dtype=float32), array([ 2., 40.], dtype=float32))
    """
    leaves = _leaves(inputs, create_graph)
    outputs = _outputs(func, leaves)
    several = _several(outputs)
    weights = [Tensor(np.zeros(x.shape, x.dtype), requires_grad=True) for x in several]
    found = _back(several, leaves, weights, create_graph=True)
    used = [(g, t) for g, t in zip(found, _along(v, leaves), strict=True) if g is not None and g._edge() is not None]
    along: Sequence[Any] = [None] * len(several)
    if used:
        along = _back([g for g, _ in used], weights, [t for _, t in used], create_graph=create_graph)
    return _cut(outputs, create_graph), _like(outputs, _zeros(along, several))


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """The value of a function that returns one number, and its Hessian times `v` (Pearlmutter 1994).

    Arguments as `jvp`. Returns the pair, the second shaped like the inputs.

    Example:
        >>> from mazegrad import nn
        >>> value, product = nn.hvp(lambda x: (x**3).sum(), nn.Tensor([1.0, 2.0]), nn.Tensor([0.0, 1.0]))
        >>> value.item(), product.data
        (9.0, array([ 0., 12.], dtype=float32))
    """
    leaves = _leaves(inputs, create_graph)
    value = _outputs(func, leaves)
    slopes = _back(value, leaves, create_graph=True)
    used = [(g, t) for g, t in zip(slopes, _along(v, leaves), strict=True) if g is not None and g._edge() is not None]
    found: Sequence[Any] = [None] * len(leaves)
    if used:
        found = _back([g for g, _ in used], leaves, [t for _, t in used], create_graph=create_graph)
    return _cut(value, create_graph), _like(inputs, _zeros(found, leaves))


def jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool = False) -> Any:
    """All derivatives of a function's outputs by its inputs: a tensor (*output shape, *input shape).

    A tuple of them for several inputs; a tuple, one for each output, of these for several outputs. It takes one pass
    back for each number that comes out.

    Example:
        >>> from mazegrad import nn
        >>> nn.jacobian(lambda x: x**2, nn.Tensor([1.0, 2.0, 3.0]))
        Tensor([[2., 0., 0.],
                [0., 4., 0.],
                [0., 0., 6.]], shape=(3, 3), float32)
    """
    leaves = _leaves(inputs, create_graph)
    outputs = _outputs(func, leaves)
    tables = []
    for output in _several(outputs):
        rows = []
        for place in np.ndindex(output.shape):
            chosen = np.zeros(output.shape, output.dtype)
            chosen[place] = 1
            found = _back(output, leaves, chosen, True, create_graph)
            rows.append(_zeros(found, leaves))
        columns = zip(*rows, strict=True) if rows else [[] for _ in leaves]
        tables.append(_like(inputs, [_table(column, output, x) for column, x in zip(columns, leaves, strict=True)]))
    return _like(outputs, tables)


def hessian(func: Callable[..., Any], inputs: Any, create_graph: bool = False) -> Any:
    """All second derivatives of a function that returns one number: (*input shape, *input shape).

    For several inputs a tuple of tuples, the block of inputs i and j at [i][j].

    Example:
        >>> from mazegrad import nn
        >>> nn.hessian(lambda x: x[0] ** 2 * x[1], nn.Tensor([1.0, 3.0]))
        Tensor([[6., 2.],
                [2., 0.]], shape=(2, 2), float32)
    """

    def slopes(*leaves: Any) -> Any:
        value = _outputs(func, leaves)
        return _like(inputs, _zeros(_back(value, leaves, create_graph=True), leaves))

    return jacobian(slopes, inputs, create_graph)


def _outputs(func: Callable[..., Any], leaves: Sequence[Tensor]) -> Any:
    """What the function returns, one tensor or several."""
    outputs = func(*leaves)
    for output in _several(outputs):
        if not isinstance(output, Tensor):
            raise TypeError(f"the function returned a {type(output).__name__}; expected a Tensor, or several")
    return outputs


def _back(outputs: Any, leaves: Sequence[Tensor], *weights: Any, **how: bool) -> Sequence[Any]:
    """As `grad`, with None for what nothing depends on, be it everything."""
    if all(output._edge() is None for output in _several(outputs)):
        return [None] * len(leaves)
    return grad(outputs, leaves, *weights, **how, allow_unused=True)


def _along(v: Any, leaves: Sequence[Tensor]) -> list[Any]:
    """The direction for each input. ValueError where there is not one for each."""
    several = [np.ones((1,) * x.ndim, x.dtype) for x in leaves] if v is None else _several(v)
    given, shapes = [np.shape(d) for d in several], [x.shape for x in leaves]
    if given != shapes:
        raise ValueError(f"v must have the shapes of the inputs, {shapes}, not {given}")
    return several


def _table(column: Sequence[Tensor], output: Tensor, x: Tensor) -> Any:
    shape = (*output.shape, *x.shape)
    return operations.reshape(operations.stack(column), shape) if column else Tensor(np.zeros(shape, x.dtype))


def _leaves(inputs: Any, create_graph: bool) -> list[Tensor]:
    """The inputs, each to be differentiated by by itself; cut off from their graph, unless `create_graph`."""
    found = []
    for x in _several(inputs):
        if create_graph and isinstance(x, Tensor) and x.requires_grad:
            found.append(x * 1.0)
        else:
            found.append(Tensor(x, requires_grad=True))
    return found


def _cut(outputs: Any, create_graph: bool) -> Any:
    return outputs if create_graph else _like(outputs, [x.detach() for x in _several(outputs)])


def _zeros(found: Sequence[Any], like: Sequence[Tensor]) -> list[Tensor]:
    """Zeros for what is None: where nothing depends on anything."""
    return [Tensor(np.zeros(x.shape, x.dtype)) if g is None else g for g, x in zip(found, like, strict=True)]


def _like(given: Any, found: Sequence[Any]) -> Any:
    """A tuple where one was given, else the one thing."""
    return tuple(found) if isinstance(given, tuple | list) else found[0]


# ------------------------------------------------------------------------------------------- modules of other weights
def functional_call(
    module: Module, parameter_and_buffer_dicts: Mapping[str, Any], args: Any = None, kwargs: Any = None
) -> Any:
    """Call a module with other weights in the place of its own: tensors, with their graphs, by dotted name.

    For meta-learning: `functional_call(net, {name: p - lr * g, ...}, x)` is a net after a step, differentiable by where
    the step began. Weights that are shared are replaced wherever they stand; those not named stay. args: what the
    module takes, a tuple, or one thing. Raises ValueError for a name that the module does not have.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> net, x = nn.Linear(2, 1, rng=np.random.default_rng(0)), nn.Tensor([[3.0, 4.0]])
        >>> other = {"weight": nn.Tensor([[1.0, 10.0]]), "bias": nn.Tensor([0.5])}
        >>> nn.functional_call(net, other, x)
        Tensor([[43.5]], shape=(1, 1), float32)
    """
    given = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, parameter_and_buffer_dicts):
        return module(*given, **(kwargs or {}))


@contextmanager
def _replaced(module: Module, weights: Mapping[str, Any]) -> Iterator[None]:
    named = dict(module._entries())
    if unknown := [name for name in weights if name not in named]:
        raise ValueError(f"{type(module).__name__} has no parameter or buffer {', '.join(unknown)}")
    new = {id(named[name]): value for name, value in weights.items()}
    kept: list[tuple[Module, str, Any]] = []
    try:
        for owner in module.modules():
            for name, value in list(vars(owner).items()):
                if id(value) in new:
                    if np.shape(new[id(value)]) != value.shape:
                        raise ValueError(f"{name} of shape {value.shape} cannot be {np.shape(new[id(value)])}")
                    kept.append((owner, name, value))
                    vars(owner)[name] = new[id(value)]
        yield
    finally:
        for owner, name, value in kept:
            vars(owner)[name] = value

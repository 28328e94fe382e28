"""Derivatives of derivatives: each operation's vjp once more, this time written in operations.

The vjps beside the operations work on plain arrays: they are fast, and their results have no graph. When the pass back
must itself be differentiable (`create_graph=True`), `pull` takes the vjp from a table: `arithmetic.py`,
`activations.py`, `nets.py`, `losses.py`, `sequences.py`. An entry names the operands and has a function for each, from
the gradient of the output to that of the operand. Or it is a `Formula`, the operation as a composition of others,
through which the gradient is passed back.

**The contract.** A vjp states what it reads: its parameters after `grad` and `needs`, each with its value as default,
`lambda grad, needs, a=a, b=b: ...`. The parameters of an entry's functions say which of these they take. `pull` raises
an error that names both where they do not fit, and the tests differentiate every operation twice. Besides, an entry can
ask for `grad`, for `vjp` itself and for `shapes`, those of the operands. Operands and `out` arrive as tensors in their
places in the graph, all else as it is.

Gradients of operands that were broadcast are summed by `pull`. Without `create_graph` nothing of this runs, and only
`gelu` and the losses keep an array in memory for it, an operand that the first vjp could do without.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..graph import Node, backpropagate
from ..tensor import Tensor
from . import activations, arithmetic, losses, nets, sequences
from .arithmetic import fit
from .entry import Entry, Formula

TABLE: dict[str, Entry] = {**arithmetic.TABLE, **activations.TABLE, **nets.TABLE, **sequences.TABLE, **losses.TABLE}


def pull(node: Node, grads: Sequence[Any], needs: Sequence[bool]) -> Sequence[Any]:
    """Do what `Node.pull` does, in operations: the gradients of the outputs and of the operands are tensors.

    Raises:
        RuntimeError: the operation has no entry in the table, its vjp does not state what the entry asks for, or an
            operand was overwritten.
    """
    if node.name not in TABLE:
        raise RuntimeError(
            f"create_graph=True: {node.name!r} has first derivatives only; docs/nn.md lists the operations that have"
            " second ones"
        )
    node.check_versions()
    names, *functions = TABLE[node.name]
    saved = _remembered(node, names.split())
    arrived = [g if g is None or isinstance(g, Tensor) else Tensor._wrap(g) for g in grads]
    saved["grad"] = arrived[0] if len(arrived) == 1 else arrived
    if isinstance(functions[0], Formula):
        return _through(functions[0], names.split(), saved, arrived, node, needs)
    if names == "*":
        found = functions[0](*_asked(node.name, functions[0], saved))
    else:
        found = [f(*_asked(node.name, f, saved)) if need else None for f, need in zip(functions, needs, strict=False)]
    return [
        None if g is None or not need else fit(g, shape)
        for g, need, shape in zip(found, needs, node.input_shapes, strict=True)
    ]


def _remembered(node: Node, operands: Sequence[str]) -> dict[str, Any]:
    """What the vjp reads, by name; operands and the output as tensors in their places in the graph."""
    saved = {**stated(node.vjp), "vjp": node.vjp, "shapes": node.input_shapes}
    for name, edge in zip(operands, node.parents, strict=False):
        if edge is None or name not in saved:
            continue
        source, slot = edge
        saved[name] = Tensor._wrap(saved[name], source, slot) if isinstance(source, Node) else source
    out, shape = saved.get("out"), node.output_shapes[0]
    if isinstance(out, np.ndarray | np.generic) and len(node.output_shapes) == 1 and out.size == math.prod(shape):
        saved["out"] = Tensor._wrap(out.reshape(shape), node, 0)
    return saved


def stated(vjp: Any) -> dict[str, Any]:
    """What a vjp says that it reads: its parameters after `grad` and `needs`, with their defaults."""
    if isinstance(vjp, partial):
        return vjp.keywords
    names = vjp.__code__.co_varnames[2 : vjp.__code__.co_argcount]
    return dict(zip(names, vjp.__defaults__ or (), strict=True))


def _asked(name: str, function: Callable[..., Any], saved: dict[str, Any]) -> list[Any]:
    """What a function's parameters name; their defaults where it is not there."""
    parameters = inspect.signature(function).parameters.values()
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in saved]
    if missing:
        raise RuntimeError(
            f"create_graph=True: the second derivative of {name!r} asks for {', '.join(missing)}, but the vjp states"
            f" that it reads {', '.join(sorted(saved))}; add a parameter to the vjp: lambda grad, needs, x=x: ..."
        )
    return [saved.get(p.name, p.default) for p in parameters]


def _through(
    formula: Formula,
    operands: Sequence[str],
    saved: dict[str, Any],
    grads: Sequence[Any],
    node: Node,
    needs: Sequence[bool],
) -> list[Any]:
    """Evaluate the composition on stand-ins for the operands, and pass the gradient back through it to them."""
    for name, recover in formula.recover.items():
        saved[name] = recover(*_asked(node.name, recover, saved))
    stand_ins: dict[int, int] = {}  # the node's id -> which operand
    found: list[Any] = [None] * len(needs)
    tied: list[Node] = []
    for i, name in enumerate(operands):
        if node.parents[i] is not None:
            array = saved[name]._array if isinstance(saved[name], Tensor) else saved[name]
            tied.append(Node("operand", lambda grad, needs: (), (), (), (), [array.shape]))
            stand_ins[id(tied[-1])] = i
            saved[name] = Tensor._wrap(array, tied[-1])
    outputs = formula.compute(*_asked(node.name, formula.compute, saved))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    used = [(x, g) for x, g in zip(outputs, grads, strict=True) if g is not None]
    root = Node("outputs", lambda grad, needs: (), [x._edge() for x, _ in used], (), (), [()])

    def visit(visited: Node, arrived: Sequence[Any]) -> None:
        if id(visited) in stand_ins:
            found[stand_ins[id(visited)]] = arrived[0]

    def pull_here(visited: Node, arrived: Sequence[Any]) -> Sequence[Any]:
        if visited is root:
            return [g for _, g in used]
        return () if id(visited) in stand_ins else pull(visited, arrived, visited.needs)

    backpropagate((root, 0), np.ones(()), True, visit, pull_here)
    for stands in tied:  # only now: the pass had to end here
        stands.parents, stands.needs = (node.parents[stand_ins[id(stands)]],), [True]
        stands.vjp, stands.input_shapes = lambda grad, needs: (grad,), stands.output_shapes
    return [g if need else None for g, need in zip(found, needs, strict=True)]

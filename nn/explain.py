"""A table of the graph behind a tensor: operations, their operands, shapes, costs and gradient norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph import Node, backpropagate, newest_first
from .tensor import Tensor

# multiplications and additions, from the shapes of the operands and of the output; else one for each element
_COST: dict[str, Any] = {
    "matmul": lambda ins, out: 2 * math.prod(out) * ins[0][-1],
    "linear": lambda ins, out: 2 * math.prod(out) * ins[0][-1],
    "conv2d": lambda ins, out: 2 * math.prod(out) * math.prod(ins[1][1:]),
    **{
        name: lambda ins, out, at=at: 2 * math.prod(out[:2]) * (math.prod(ins[at]) + math.prod(ins[at + 1]))
        for name, at in (("rnn", 2), ("lstm", 3), ("gru", 2))  # where the two weight matrices stand
    },
    "attention": lambda ins, out: 2 * math.prod(out[:-1]) * ins[1][-2] * (ins[1][-1] + ins[2][-1]),
}


def explain(root: Tensor) -> str:
    """Print and return a table, oldest operation first: what it is made of, shape, cost, norm of the gradient.

    Gradient norms are those of `root.sum()`; the pass that finds them leaves `grad` and the graph as they are.

    Example:
        >>> from mazegrad import nn
        >>> w = nn.Parameter([[3.0, 2.0], [1.0, 4.0]])
        >>> _ = nn.explain(nn.relu([[1.0, -1.0]] @ w).sum())
             operation  of                            shape   cost  |gradient|
        [1]  matmul     constant (1, 2), leaf (2, 2)  (1, 2)  8     1
        [2]  relu       [1]                           (1, 2)  2     1.41
        [3]  sum        [2]                           ()      2     1
             leaf       Parameter of shape (2, 2)                   1.41
        3 operations, 12 multiplications and additions forward
    """
    if root._node is None:
        text = f"{root.label()} was not computed from anything with requires_grad=True"
        print(text)
        return text
    nodes = newest_first(root._node)[::-1]
    if any(node.vjp is None for node in nodes):
        raise RuntimeError("explain() needs the graph, which backward() has freed: call explain() before it")
    norms: dict[int, float] = {}
    leaves = {
        id(leaf): (leaf, _norm(grad))
        for leaf, grad in backpropagate(
            root._edge(), np.ones_like(root._array), True, lambda node, grads: norms.update({id(node): _norm(*grads)})
        )
    }
    number = {id(node): f"[{i}]" for i, node in enumerate(nodes, 1)}
    rows = [("", "operation", "of", "shape", "cost", "|gradient|")]
    for node in nodes:
        shape = " ".join(map(str, node.output_shapes))
        norm = norms.get(id(node))
        gradient = "-" if norm is None else f"{norm:.3g}"
        rows.append((number[id(node)], node.name, _parents(node, number), shape, _short(_cost(node)), gradient))
    rows += [("", "leaf", leaf.label(), "", "", f"{norm:.3g}") for leaf, norm in leaves.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.append(f"{len(nodes)} operations, {_short(sum(map(_cost, nodes)))} multiplications and additions forward")
    text = "\n".join(lines)
    print(text)
    return text


def _parents(node: Node, number: dict[int, str]) -> str:
    names = []
    for edge, shape in zip(node.parents, node.input_shapes, strict=True):
        if edge is not None and isinstance(edge[0], Node):
            names.append(number[id(edge[0])] + (f".{edge[1]}" if len(edge[0].output_shapes) > 1 else ""))
        elif edge is not None and isinstance(edge[0], Tensor):
            names.append(edge[0].name or f"leaf {shape}")
        else:
            names.append(f"constant {shape}" if shape else "-")
    return ", ".join(names)


def _cost(node: Node) -> int:
    formula = _COST.get(node.name)
    if formula is not None:
        return int(formula(node.input_shapes, node.output_shapes[0]))
    return max(math.prod(shape) for shape in (*node.input_shapes, *node.output_shapes))


def _norm(*grads: Any) -> float:
    return math.sqrt(sum(float(np.square(grad, dtype=np.float64).sum()) for grad in grads if grad is not None))


def _short(count: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.1f} {letter}"
    return str(count)


setattr(Tensor, "explain", explain)  # noqa: B010 (declared in tensor.py)

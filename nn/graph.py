"""The whole of automatic differentiation: a graph of the operations performed, and one pass back through it.

A `Node` is one operation performed. It holds its parents and its vector-Jacobian product `vjp(grad, needs)`, which
turns the gradient of the output into one gradient, or None, for each parent. `backpropagate` visits each node once,
newest first, and adds up the gradients that arrive. (`tensor.py` holds the arrays, `rules.py` makes the nodes.)
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Vjp: TypeAlias = Callable[[Any, Sequence[bool]], Sequence[Array | None]]
Edge: TypeAlias = "tuple[Node | Leaf, int] | None"  # where a gradient goes: a source and which of its outputs

_serial = itertools.count()


class _Mode(threading.local):
    """For each thread: whether operations are recorded, and whether they were before each enclosing `no_grad`."""

    def __init__(self) -> None:
        self.recording = True
        self.before: list[bool] = []


_mode = _Mode()


class Leaf(Protocol):
    """A tensor that no operation made; `version` counts how often its numbers were replaced."""

    version: int

    def label(self) -> str:
        """Its name in messages."""


class Node:
    """One operation performed; `parents[i]` is where the gradient of its i-th operand goes (None: nowhere)."""

    __slots__ = ("__weakref__", "input_shapes", "leaves", "name", "needs", "output_shapes", "parents", "serial", "vjp")

    def __init__(
        self,
        name: str,
        vjp: Vjp,
        parents: Sequence[Edge],
        leaves: Sequence[Leaf],
        input_shapes: Sequence[tuple[int, ...]],
        output_shapes: Sequence[tuple[int, ...]],
    ) -> None:
        self.name = name
        self.serial = next(_serial)  # a parent is always older than its child: the order of backward
        self.vjp: Vjp | None = vjp
        self.parents = parents
        self.needs = [edge is not None for edge in parents]
        self.leaves = [(leaf, leaf.version) for leaf in leaves]
        self.input_shapes, self.output_shapes = input_shapes, output_shapes

    def pull(self, grads: Sequence[Array | None], needs: Sequence[bool] | None = None) -> Sequence[Array | None]:
        """Turn the gradients of the outputs into one gradient, or None, for each parent."""
        assert self.vjp is not None
        self.check_versions()
        return self.vjp(grads[0] if len(grads) == 1 else grads, needs or self.needs)

    def check_versions(self) -> None:
        """Raise RuntimeError if an operand was overwritten since it was used."""
        for leaf, version in self.leaves:
            if leaf.version != version:
                raise RuntimeError(
                    f"backward() through {self.name!r}: its operand {leaf.label()} was overwritten after it was used"
                    f" (version {version} then, {leaf.version} now); call backward() before assign() or step()"
                )

    def free(self) -> None:
        """Release the saved arrays and the parents."""
        self.vjp, self.parents, self.leaves = None, (), []


def newest_first(root: Node) -> list[Node]:
    """`root` and every node that it depends on, each after all nodes that depend on it."""
    seen, stack = {id(root): root}, [root]
    while stack:
        for edge in stack.pop().parents:
            if edge is not None and isinstance(edge[0], Node) and id(edge[0]) not in seen:
                seen[id(edge[0])] = edge[0]
                stack.append(edge[0])
    return sorted(seen.values(), key=lambda node: node.serial, reverse=True)


class Gradients:
    """Gradients during a pass, by (source, slot): the first is borrowed, the second allocates a sum."""

    def __init__(self) -> None:
        self.arrived: dict[tuple[int, int], Array] = {}
        self.owned: set[tuple[int, int]] = set()

    def add(self, source: Node | Leaf, slot: int, grad: Array) -> None:
        """Add `grad`; `+=` writes only to sums that were allocated here."""
        key = id(source), slot
        if key not in self.arrived:
            self.arrived[key] = grad
        elif key in self.owned:
            self.arrived[key] += grad
        else:
            self.arrived[key] = self.arrived[key] + grad
            self.owned.add(key)

    def take(self, source: Node | Leaf, slot: int) -> Array | None:
        """Return the gradient of an output and forget it; None if there is none."""
        return self.arrived.pop((id(source), slot), None)

    def keep(self, leaf: Leaf) -> Array:
        """Return a leaf's gradient for its owner: a borrowed array is copied."""
        key = id(leaf), 0
        return self.arrived[key] if key in self.owned else self.arrived[key].copy(order="K")


def backpropagate(
    start: Edge,
    seed: Array,
    retain_graph: bool,
    visit: Callable[[Node, Sequence[Array | None]], None] | None = None,
    pull: Callable[[Node, Sequence[Array | None]], Sequence[Array | None]] = Node.pull,
    gradients: Gradients | None = None,
) -> list[tuple[Any, Array]]:
    """Compute the gradients of `(start * seed).sum()`.

    Args:
        start: the tensor to start from, as an edge.
        seed: the gradient of that tensor.
        retain_graph: keep the saved arrays for another pass.
        visit: called with each node and the list of its outputs' gradients, before these go on to its parents; it may
            put others in their places.
        pull: turns the gradients of a node's outputs into those of its parents.
        gradients: where the gradients are kept during the pass.

    Returns:
        Pairs (leaf, gradient); nothing is written to the leaves.

    Raises:
        RuntimeError: there is nothing to differentiate, the graph was freed, or an operand was overwritten.
    """
    if start is None:
        raise RuntimeError("backward() on a tensor that does not depend on anything with requires_grad=True")
    gradients, leaves = gradients or Gradients(), {}
    gradients.add(*start, seed)
    if not isinstance(start[0], Node):
        return [(start[0], gradients.keep(start[0]))]
    nodes = newest_first(start[0])
    for node in nodes:
        if node.vjp is None:
            raise RuntimeError(
                f"backward() through a graph that was freed by an earlier backward() (first met at {node.name!r}):"
                " compute the loss again, or pass retain_graph=True the first time"
            )
    for node in nodes:
        grads = [gradients.take(node, slot) for slot in range(len(node.output_shapes))]
        if all(grad is None for grad in grads):
            continue
        if visit is not None:
            visit(node, grads)
        parents, pulled = node.parents, pull(node, grads)
        if not retain_graph:
            node.free()
        for edge, grad in zip(parents, pulled, strict=True):
            if edge is not None and grad is not None:
                gradients.add(*edge, grad)
                if not isinstance(edge[0], Node):
                    leaves[id(edge[0])] = edge[0]
    return [(leaf, gradients.keep(leaf)) for leaf in leaves.values()]


class no_grad(contextlib.ContextDecorator):
    """A context, or a decorator of functions, in which operations are not recorded (in this thread).

    Example:
        >>> from mazegrad import nn
        >>> x = nn.Tensor(1.0, requires_grad=True)
        >>> with nn.no_grad():
        ...     y = 2 * x
        >>> y.requires_grad
        False
    """

    def __enter__(self) -> None:
        _mode.before.append(_mode.recording)  # not in self: a decorated function has one for all threads
        _mode.recording = False

    def __exit__(self, *exception: object) -> None:
        _mode.recording = _mode.before.pop()


def recording() -> bool:
    """Whether operations are being recorded in this thread."""
    return _mode.recording

"""The whole of automatic differentiation: operations that took place, and one walk back through them.

A `Node` is one operation that took place. It holds its parents and its vector-Jacobian product `vjp(grad, needs)`,
which turns the gradient of what came out into one gradient, or None, for each parent. `walk_back` visits each node
once, newest first, and adds up what arrives. (`tensor.py` has the arrays, and makes the nodes.)
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
    """Of each thread: whether operations are remembered, and what that was before each `no_grad` it is within."""

    def __init__(self) -> None:
        self.recording = True
        self.before: list[bool] = []


_mode = _Mode()


class Leaf(Protocol):
    """A tensor that no operation made; `version` counts how often it was overwritten."""

    version: int

    def label(self) -> str:
        """What messages call it."""


class Node:
    """One operation that took place; `parents[i]` is where the gradient of its i-th operand goes (None: nowhere)."""

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
        """Let go of the saved arrays and of the parents."""
        self.vjp, self.parents, self.leaves = None, (), []


def newest_first(root: Node) -> list[Node]:
    """Every node that `root` was made from, itself included, each after all the nodes that used it."""
    seen, stack = {id(root): root}, [root]
    while stack:
        for edge in stack.pop().parents:
            if edge is not None and isinstance(edge[0], Node) and id(edge[0]) not in seen:
                seen[id(edge[0])] = edge[0]
                stack.append(edge[0])
    return sorted(seen.values(), key=lambda node: node.serial, reverse=True)


class Gradients:
    """The gradients on their way, by (source, slot): the first to arrive is borrowed, the second makes a sum we own."""

    def __init__(self) -> None:
        self.arrived: dict[tuple[int, int], Array] = {}
        self.owned: set[tuple[int, int]] = set()

    def add(self, source: Node | Leaf, slot: int, grad: Array) -> None:
        """Let `grad` arrive; `+=` touches only sums that were made here."""
        key = id(source), slot
        if key not in self.arrived:
            self.arrived[key] = grad
        elif key in self.owned:
            self.arrived[key] += grad
        else:
            self.arrived[key] = self.arrived[key] + grad
            self.owned.add(key)

    def take(self, source: Node | Leaf, slot: int) -> Array | None:
        """Hand out what arrived, and forget it."""
        return self.arrived.pop((id(source), slot), None)

    def keep(self, leaf: Leaf) -> Array:
        """Hand out a leaf's sum for good: what was only borrowed is copied."""
        key = id(leaf), 0
        return self.arrived[key] if key in self.owned else self.arrived[key].copy(order="K")


def walk_back(
    start: Edge,
    seed: Array,
    retain_graph: bool,
    visit: Callable[[Node, Sequence[Array | None]], None] | None = None,
    pull: Callable[[Node, Sequence[Array | None]], Sequence[Array | None]] = Node.pull,
    gradients: Gradients | None = None,
) -> list[tuple[Any, Array]]:
    """Return every leaf that wants a gradient, with that of `(start * seed).sum()`; nothing is written to them."""
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
                f"backward() through a graph whose saved arrays are gone (first met at {node.name!r}): it has been"
                " walked already; compute the loss again, or pass retain_graph=True the first time"
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
    """Within it, or within a function that it decorates, operations are not remembered (in this thread)."""

    def __enter__(self) -> None:
        _mode.before.append(_mode.recording)  # not in self: a decorated function has one for all threads
        _mode.recording = False

    def __exit__(self, *exception: object) -> None:
        _mode.recording = _mode.before.pop()


def recording() -> bool:
    """Whether operations are remembered at the moment, in this thread."""
    return _mode.recording

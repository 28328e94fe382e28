"""Hooks of tensors: functions that see the gradient of one tensor on its way back, and may change it.

`graph.py` knows nothing of them. A pass is given `watched(visit)`, which shows the gradients of a node's outputs to the
hooks before they go on, and the gradients of leaves go through `seen`. Where no hook is registered, both cost nothing.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from .graph import Node

TensorHook = Callable[[Any], Any]
_number = itertools.count()
_of_outputs: weakref.WeakKeyDictionary[Node, dict[int, dict[int, TensorHook]]] = weakref.WeakKeyDictionary()
_of_leaves: dict[int, dict[int, TensorHook]] = {}  # by id, until the leaf is gone


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away again; so does the end of a with block."""

    def __init__(self, hooks: dict[int, Any], prepend: bool, entry: Any) -> None:
        hook = entry[0] if isinstance(entry, tuple) else entry
        if not callable(hook):
            raise TypeError(f"a hook is a function, not {type(hook).__name__}")
        self._hooks, self._id = hooks, next(_number)
        later = dict(hooks) if prepend else {}
        if prepend:
            hooks.clear()
        hooks[self._id] = entry
        hooks.update(later)

    def remove(self) -> None:
        """Take the hook away; once is enough."""
        self._hooks.pop(self._id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def register_hook(self: Any, hook: TensorHook) -> RemovableHandle:
    """Call `hook(gradient)` whenever the whole gradient of this tensor is known; what it returns is taken instead.

    The gradient is an array that cannot be written, or a tensor under `create_graph=True`. The hook returns None, or
    another gradient of the same shape. It is called by `backward` and by `nn.grad`, once in each pass.

    Raises:
        RuntimeError: the tensor requires no gradient.
    """
    if not self.requires_grad:
        raise RuntimeError(f"register_hook: {self.label()} requires no gradient")
    if self._node is not None:
        return RemovableHandle(_of_outputs.setdefault(self._node, {}).setdefault(self._slot, {}), False, hook)
    if id(self) not in _of_leaves:
        _of_leaves[id(self)] = {}
        weakref.finalize(self, _of_leaves.pop, id(self), None).atexit = False
    return RemovableHandle(_of_leaves[id(self)], False, hook)


def watched(visit: Callable[[Node, Any], None] | None = None) -> Callable[[Node, Any], None] | None:
    """Return `visit`, preceded by the hooks of each node's outputs if there are any."""
    if not _of_outputs:
        return visit

    def visit_after_hooks(node: Node, grads: list[Any]) -> None:
        for slot, hooks in _of_outputs.get(node, {}).items():
            if grads[slot] is not None:
                grads[slot] = _shown(grads[slot], hooks)
        if visit is not None:
            visit(node, grads)

    return visit_after_hooks


def seen(found: Sequence[tuple[Any, Any]]) -> Sequence[tuple[Any, Any]]:
    """Return leaves and their gradients, as the hooks of the leaves have left them."""
    if not _of_leaves:
        return found
    return [(leaf, _shown(grad, _of_leaves.get(id(leaf), {}))) for leaf, grad in found]


def _shown(grad: Any, hooks: dict[int, TensorHook]) -> Any:
    for hook in list(hooks.values()):
        changed = hook(read_only(grad))
        if changed is not None:
            grad = like(grad, changed)
    return grad


def read_only(grad: Any) -> Any:
    """A gradient as hooks see it: others may hold the same array."""
    if not isinstance(grad, np.ndarray):
        return grad
    shown = grad.view()
    shown.flags.writeable = False
    return shown


def like(grad: Any, changed: Any) -> Any:
    """What a hook returned, in the form in which gradients travel in this pass."""
    if np.shape(changed) != np.shape(grad):
        raise ValueError(f"a hook returned a gradient of shape {np.shape(changed)}; expected {np.shape(grad)}, or None")
    if isinstance(grad, np.ndarray | np.generic):
        return np.array(changed, grad.dtype)
    return changed if isinstance(changed, type(grad)) else type(grad)(changed, dtype=grad.dtype)

"""Hooks: functions that a module calls before and after its forward, or when gradients pass through it.

Names and arguments are PyTorch's; gradients are plain arrays here, as `grad` is, and tensors in a pass with
`create_graph=True`. Hooks of single tensors are in `tensor_hooks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .graph import recording
from .rules import Operand, Rule, operation
from .tensor import Tensor
from .tensor_hooks import RemovableHandle, like, read_only

Hook = Callable[..., Any]


class Hooks:
    """The hooks of one module, each kind in the order in which it is called."""

    def __init__(self) -> None:
        self.before: dict[int, tuple[Hook, bool]] = {}  # with whether the hook takes keywords
        self.after: dict[int, tuple[Hook, bool]] = {}
        self.gradient_arrives: dict[int, Hook] = {}
        self.gradient_leaves: dict[int, Hook] = {}

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the module's forward with all that hooks do around it."""
        for hook, with_kwargs in list(self.before.values()):
            if with_kwargs:
                changed = hook(module, args, kwargs)
                args, kwargs = (args, kwargs) if changed is None else changed
            else:
                changed = hook(module, args)
                args = args if changed is None else changed if isinstance(changed, tuple) else (changed,)
        passage = _Passage(module, self) if recording() and (self.gradient_arrives or self.gradient_leaves) else None
        if passage:
            args = passage.watched(args, passage.leave)
        output = module.forward(*args, **kwargs)
        for hook, with_kwargs in list(self.after.values()):
            changed = hook(module, args, kwargs, output) if with_kwargs else hook(module, args, output)
            output = output if changed is None else changed
        if passage:
            several = isinstance(output, tuple)
            outputs = passage.watched(output if several else (output,), passage.arrive)
            output = outputs if several else outputs[0]
        return output


@operation
def _passed(*tensors: Operand, seen: Callable[[list[Any]], list[Any]]) -> Rule:
    """The tensors themselves; on the way back their gradients are shown to `seen`, which returns those that go on."""
    return tensors, lambda grads, needs, seen=seen: seen([grads] if len(tensors) == 1 else list(grads))


class _Passage:
    """One call of a module with backward hooks: the gradients that arrive at its outputs and leave at its inputs."""

    def __init__(self, module: Any, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.places: list[int] = []  # of the inputs that want a gradient
        self.inputs = 0
        self.arrived: tuple[Any, ...] = ()

    def watched(self, things: tuple[Any, ...], seen: Callable[[list[Any]], list[Any]]) -> tuple[Any, ...]:
        """The same things, through which gradients do not pass unseen."""
        places = [i for i, x in enumerate(things) if isinstance(x, Tensor) and x.requires_grad]
        if seen == self.leave:
            self.places, self.inputs = places, len(things)
        passed = list(things)
        if places:
            for i, x in zip(places, _passed(*(things[i] for i in places), seen=seen), strict=True):
                passed[i] = x
        return tuple(passed)

    def arrive(self, grads: list[Any]) -> list[Any]:
        """Show the gradients that have arrived at the outputs."""
        self.arrived = tuple(map(read_only, grads))
        for hook in list(self.hooks.gradient_arrives.values()):
            changed = hook(self.module, self.arrived)
            self.arrived = self.arrived if changed is None else tuple(map(read_only, _several(changed, grads)))
        if not self.places:
            self._shown((None,) * self.inputs)
        return list(self.arrived)

    def leave(self, grads: list[Any]) -> list[Any]:
        """Show the gradients that leave at the inputs."""
        whole: list[Any] = [None] * self.inputs
        for i, grad in zip(self.places, grads, strict=True):
            whole[i] = grad
        shown = self._shown(tuple(map(read_only, whole)))
        return [shown[i] for i in self.places]

    def _shown(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in list(self.hooks.gradient_leaves.values()):
            changed = hook(self.module, grads, self.arrived)
            grads = grads if changed is None else _several(changed, grads)
        return grads


def _several(changed: Any, grads: Sequence[Any]) -> tuple[Any, ...]:
    """What a hook returned instead of these gradients: tensors where they are tensors, else arrays."""
    found = changed if isinstance(changed, tuple) else (changed,)
    if len(found) != len(grads):
        raise ValueError(f"a backward hook returned {len(found)} gradients; expected {len(grads)}, or None")
    return tuple(_taken(grad, x) for grad, x in zip(grads, found, strict=True))


def _taken(grad: Any, changed: Any) -> Any:
    """One of them; where no gradient was, what the hook returned is taken as it is."""
    if changed is None:
        return None
    if grad is not None:
        return like(grad, changed)
    return changed.data if isinstance(changed, Tensor) else changed


class Hookable:
    """A module's methods that register hooks; nothing is slower where there are none."""

    def _hooks_of(self) -> Hooks:
        hooks: Hooks = vars(self).setdefault("_hooks", Hooks())
        return hooks

    def has_hooks(self) -> bool:
        """Whether any hook is registered at the moment."""
        hooks = vars(self).get("_hooks")
        return hooks is not None and any(vars(hooks).values())

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, unless None, is taken instead of `args`.

        With `with_kwargs`, `hook(module, args, kwargs)` returns None or a pair. `prepend`: before the other hooks.
        """
        return RemovableHandle(self._hooks_of().before, prepend, (hook, with_kwargs))

    def register_forward_hook(self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, unless None, is the output instead.

        With `with_kwargs`, `hook(module, args, kwargs, output)`. `prepend`: before the other hooks.
        """
        return RemovableHandle(self._hooks_of().after, prepend, (hook, with_kwargs))

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when gradients have arrived at the outputs, a tuple of arrays.

        What it returns, unless None, goes on instead.
        """
        return RemovableHandle(self._hooks_of().gradient_arrives, prepend, hook)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are there, tuples of arrays.

        One for each positional argument, None where none is wanted. What it returns, unless None, is taken instead of
        `grad_input`.
        """
        return RemovableHandle(self._hooks_of().gradient_leaves, prepend, hook)

"""A turn: the policy acts once, and the lanes step once. What a scan, a loop and a CUDA graph repeat."""

from collections.abc import Callable
from typing import Any, TypeAlias

from .namespace import Array, namespace
from .outcome import Steps, counted
from .stepping import step
from .structure import SameStep, Tables
from .trees import mapped

Act: TypeAlias = Callable[[Any, Any, Any], tuple[Array, Any]]
"""(parameters, observation, hidden) -> (lanes,) actions, hidden"""
Carry: TypeAlias = Any
"""what a turn leaves to the next one: (state, hidden, episodes or None, observation)"""


def turn(
    tables: Tables, fixed: Any, act: Act, discount: Any, carry: Carry, action: Array | None
) -> tuple[Carry, Steps | None]:
    """Act and step once.

    Args:
        tables: see `step`.
        fixed: the parameters of the policy, and its hidden state when an episode begins, or None.
        act: the policy; unused where actions are given.
        discount: of returns.
        carry: that of the turn before.
        action: (lanes,), where actions are given.

    Returns:
        The next carry; and what happened, or None where episodes are summed up.
    """
    state, hidden, totals, seen = carry
    parameters, initial = fixed
    if action is None:
        action, hidden = act(parameters, seen, hidden)
    following, after, reward, terminated, truncated, facts = step(tables, state, action)
    if initial is not None:
        begun = terminated | truncated if isinstance(tables.mode, SameStep) else state.over
        hidden = _chosen(begun, initial, hidden)
    if totals is None:
        return (after, hidden, None, following), Steps(seen, action, reward, terminated, truncated, facts)
    last = facts["final_info"] if isinstance(tables.mode, SameStep) else facts
    totals = counted(tables, totals, state.over, reward, terminated | truncated, last, discount)
    return (after, hidden, totals, following), None


def _chosen(mask: Array, one: Any, other: Any) -> Any:
    """Return the arrays of one in the lanes of a mask, else those of the other."""

    def either(one: Array, other: Array) -> Array:
        xp = namespace(one)
        return xp.where(xp.reshape(mask, (-1, *[1] * (len(one.shape) - 1))), one, other)

    return mapped(either, one, other)

"""The loop of a rollout over arrays of numpy and torch: turn after turn; on a GPU the graph of a turn is replayed."""

from functools import partial
from typing import Any

from .graph import WORTH, can_record, recorded
from .namespace import Array, namespace
from .stepping import observe
from .structure import Tables
from .trees import mapped
from .turn import Act, Carry, turn


def looped(
    tables: Tables,
    fixed: Any,
    actions: Array | None,
    carry: Carry,
    discount: float,
    act: Act,
    steps: int,
    pure: bool,
) -> Any:
    """Return what `rollout` returns.

    Args:
        tables, fixed, carry, discount, act: see `turn`; the carry is without the observation.
        actions: (steps, lanes), or None.
        steps: how many turns.
        pure: whether the policy does nothing but compute its actions, so that a turn can be recorded.
    """
    once: Any = partial(turn, tables, fixed, act, discount)
    carry, happened = (*carry, observe(tables, carry[0])), []
    for time in range(steps):
        action = None if actions is None else actions[time, ...]
        if time == 1 and pure and steps > WORTH and can_record(tables, fixed, carry):
            once = recorded(once, carry, action)
        carry, one = once(carry, action)
        happened.append(one)
    state, hidden, totals, _ = carry
    return (_stacked(happened) if totals is None else totals), state, hidden


def _stacked(parts: list[Any]) -> Any:
    """Return trees of arrays as one, with a first axis for the list."""

    def together(*some: Array) -> Array:
        return namespace(some[0]).stack(some)

    return mapped(together, *parts)

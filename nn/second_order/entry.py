"""The entries of the tables of second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Entry = tuple[Any, ...]
"""The operands' names, and a function for each of them or one `Formula`; "*" and one function that returns a list."""


@dataclass(frozen=True)
class Formula:
    """An operation as a composition of others: a function of its operands and of other values that the vjp reads.

    `recover` computes operands that the first vjp does not read from values that it does, by name.
    """

    compute: Callable[..., Any]
    recover: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

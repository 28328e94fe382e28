"""Arrays in tuples, lists and dicts: one function for all of them; None stays None."""

from collections.abc import Callable
from typing import Any

from .namespace import Array


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return a function's results for the arrays of a tree, and of others of the same form."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {name: mapped(function, tree[name], *(other[name] for other in others)) for name in tree}
    if isinstance(tree, tuple | list):
        parts = [mapped(function, *some) for some in zip(tree, *others, strict=True)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return function(tree, *others)


def arrays(tree: Any) -> list[Array]:
    """Return the arrays of a tree, in their order."""
    found: list[Array] = []
    mapped(found.append, tree)
    return found

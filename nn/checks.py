"""Checks of arguments, so that one mistake is reported in one way wherever it is made."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

Allowed = tuple[str, Callable[[Any], bool]]
"""What is allowed, in words and as a test; the test is False for NaN."""


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


INTEGER: Allowed = "an integer", _is_integer
POSITIVE_INTEGER: Allowed = "an integer from 1 on", lambda value: _is_integer(value) and value >= 1
NATURAL: Allowed = "an integer from 0 on", lambda value: _is_integer(value) and value >= 0
NOT_NEGATIVE: Allowed = "a finite number from 0 on", lambda value: 0 <= value < math.inf
POSITIVE_OR_INFINITE: Allowed = "a positive number", lambda value: value > 0
POSITIVE: Allowed = "a finite number above 0", lambda value: 0 < value < math.inf
PROBABILITY: Allowed = "a number from 0 to 1", lambda value: 0 <= value <= 1
BELOW_ONE: Allowed = "a number from 0 on and below 1", lambda value: 0 <= value < 1
TWO_BELOW_ONE: Allowed = (
    "two numbers from 0 on and below 1",
    lambda pair: len(pair) == 2 and all(map(BELOW_ONE[1], pair)),
)
ABOVE_ZERO: Allowed = "a number above 0, at most 1", lambda value: 0 < value <= 1


def check(allowed: Allowed, **arguments: Any) -> None:
    """Check arguments by name: `check(POSITIVE, lr=lr, eps=eps)`.

    Raises:
        ValueError: an argument is not allowed; names it, what it is and what is allowed.
        TypeError: an argument cannot even be compared with a number.
    """
    words, fits = allowed
    for name, value in arguments.items():
        try:
            good = fits(value)
        except (TypeError, ValueError):  # ValueError: an array of several numbers
            raise TypeError(f"{name} is {value!r}; expected {words}") from None
        if not good:
            raise ValueError(f"{name} is {value!r}; expected {words}")


def check_choice(choices: Collection[str], **arguments: Any) -> None:
    """Check arguments that are one of some names: `check_choice(("mean", "sum"), reduction=reduction)`.

    Raises:
        ValueError: names the argument, what it is and the choices.
    """
    for name, value in arguments.items():
        if value not in choices:
            *others, last = map(repr, choices)
            raise ValueError(f"{name} is {value!r}; expected {', '.join(others)} or {last}")


def explain_arguments(cls: type) -> None:
    """Let the class's constructor say which arguments it has, where a call gives it another one."""
    constructor = vars(cls).get("__init__")
    if constructor is None:
        return

    @functools.wraps(constructor)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            constructor(self, *args, **kwargs)
        except TypeError as error:
            raise explained(error, constructor, (self, *args), kwargs, type(self).__name__) from None

    cls.__init__ = construct  # type: ignore[misc]


def explained(
    error: Exception, function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any], name: str = ""
) -> Exception:
    """The error of a call, in clearer words if the arguments are not those of `function`.

    Returns:
        A TypeError that names the wrong argument and lists those that exist, or names an operand that is None; or
        `error` itself, for other errors.
    """
    known = inspect.signature(function).parameters
    title = f"{name or function.__name__.strip('_')}: "
    words = ", ".join(name for name in known if name != "self")
    positional = [p for p in known.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if unknown := [name for name in named if name not in known]:
        return TypeError(f"{title}unknown argument {unknown[0]!r}; the arguments are {words}")
    if len(arguments) > len(positional) and not any(p.kind is p.VAR_POSITIONAL for p in known.values()):
        return TypeError(f"{title}{len(arguments)} arguments by position; at most {len(positional)}: {words}")
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError as wrong:
        return TypeError(f"{title}{wrong}; the arguments are {words}")
    nothing = [name for name, value in zip(known, arguments, strict=False) if value is None]
    if nothing and "NoneType" in str(error):
        return TypeError(f"{title}{nothing[0]} is None; expected a tensor, an array or a number")
    return error

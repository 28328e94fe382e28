"""How an example program starts and ends: an error that the user can fix is one message, never a traceback."""

import argparse
import math
import sys
from collections.abc import Callable
from typing import Any


def start(main: Callable[[], Any], *expected: type[Exception]) -> None:
    """Run a program's `main()`; exit with 130 after Ctrl-C, and with 1 and a message after an error the user can fix.

    Such errors are: a file that does not exist or cannot be written, data that is missing or damaged, an optional
    dependency that is not installed, a training that diverges. Bad options are reported by the parser, before anything
    is computed. Any other exception is a bug and keeps its traceback.

    Args:
        main: the program.
        expected: further exceptions to report by their message alone.
    """
    from .extras import MissingExtra
    from .nn import NonFiniteGradient
    from .nn.data import DataDamaged
    from .terminal import replace_missing_characters

    fixable: tuple[type[Exception], ...] = (OSError, DataDamaged, MissingExtra, NonFiniteGradient, *expected)
    replace_missing_characters()
    try:
        main()
    except KeyboardInterrupt as stop:
        print(f"\n{str(stop) or 'stopped'}", file=sys.stderr)
        sys.exit(130)
    except fixable as error:
        sys.exit(in_words(error))


def in_words(error: Exception) -> str:
    """Return an error's message; that of a file names the file and what is wrong, without an error number."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def count(text: str, least: int = 1, most: int | None = None) -> int:
    """Parse an integer >= `least`, and <= `most` if given; a type for argparse."""
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        allowed = f">= {least}" if most is None else f"from {least} to {most:,}"
        raise argparse.ArgumentTypeError(f"must be an integer {allowed}, not {text!r}")
    return int(text)


def natural(text: str) -> int:
    """Parse an integer >= 0; a type for argparse."""
    return count(text, least=0)


def positive(text: str) -> float:
    """Parse a finite number > 0; a type for argparse."""
    if not 0 < (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number > 0, not {text!r}")
    return number


def fraction(text: str) -> float:
    """Parse a number >= 0 and < 1, such as a dropout probability; a type for argparse."""
    if not 0 <= (number := _number(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be a number >= 0 and < 1, not {text!r}")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

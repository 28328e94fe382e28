"""How an example program starts and ends: what a user can cause or cure is one message, never a traceback."""

import argparse
import math
import sys
from collections.abc import Callable
from typing import Any


def start(main: Callable[[], Any], *told: type[Exception]) -> None:
    """Run a program's `main()`; exit 130 after Ctrl-C, 1 with the message where a user can cause or cure an error.

    Such are: a file that is not there or cannot be written, data that is not there or damaged, an extra that is not
    installed, training that explodes. (A bad option is the parser's to tell, before anything is computed.)
    `told`: further exceptions whose message says all that there is to say.
    """
    from .extras import MissingExtra
    from .nn import NonFiniteGradient
    from .nn.data import DataDamaged

    curable: tuple[type[Exception], ...] = (OSError, DataDamaged, MissingExtra, NonFiniteGradient, *told)
    try:
        main()
    except KeyboardInterrupt as stop:
        print(f"\n{str(stop) or 'stopped'}", file=sys.stderr)
        sys.exit(130)
    except curable as error:
        sys.exit(str(error))


def count(text: str, least: int = 1) -> int:
    """Read a whole number from `least` on: a type for argparse."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
    return int(text)


def natural(text: str) -> int:
    """Read a whole number from 0 on: a type for argparse."""
    return count(text, least=0)


def positive(text: str) -> float:
    """Read a number above 0: a type for argparse."""
    if not 0 < (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def share(text: str) -> float:
    """Read a number from 0 on and below 1, such as a probability of dropout: a type for argparse."""
    if not 0 <= (number := _number(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on and below 1")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

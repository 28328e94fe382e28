"""How an example program starts and ends: what a user can cause or cure is one message, never a traceback."""

import argparse
import sys
from collections.abc import Callable
from typing import Any


def start(main: Callable[[], Any], *told: type[Exception]) -> None:
    """Run a program's `main()`; exit 130 after Ctrl-C, 1 with the message where data is absent or training explodes.

    `told`: further exceptions whose message says all that there is to say.
    """
    from .nn import NonFiniteGradient
    from .nn.data import DataNotFound

    curable: tuple[type[Exception], ...] = (DataNotFound, NonFiniteGradient, *told)
    try:
        main()
    except KeyboardInterrupt as stop:
        print(f"\n{str(stop) or 'stopped'}", file=sys.stderr)
        sys.exit(130)
    except curable as error:
        sys.exit(str(error))


def count(text: str) -> int:
    """Read a whole number from 1 on: a type for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)

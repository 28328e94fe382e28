"""A progress bar: how many batches are done, and how much time is left."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(batches: Iterable[T], count: int, label: str, later: int = 0) -> Iterator[T]:
    """Yield the batches, and show the time left on stderr if it is a terminal.

    Args:
        batches: what to iterate over.
        count: their number.
        label: the text before the bar.
        later: the number of batches that follow in later epochs; they count towards the time left in total.
    """
    if not sys.stderr.isatty():
        yield from batches
        return
    start, shown = time.perf_counter(), 0.0
    try:
        for done, batch in enumerate(batches, 1):
            yield batch
            now = time.perf_counter()
            if now - shown > 0.2:
                each = (now - start) / done
                total = f", {clock(each * (count - done + later))} in total" if later else ""
                bar = "█" * (30 * done // count)
                left = f"{clock(each * (count - done))} left{total}"
                print(f"\r{label} {bar:░<30} {done}/{count}, {left}   ", end="", file=sys.stderr, flush=True)
                shown = now
    finally:  # also after Ctrl-C
        print("\r" + " " * 100 + "\r", end="", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Return a duration as people write it: "8 s", "3:05", "1:02:07"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"

"""A progress bar: how many batches are done, and how long the rest will take."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(batches: Iterable[T], count: int, label: str, later: int = 0) -> Iterator[T]:
    """Pass `count` batches on; show on stderr, where that is a terminal, how long the rest will take.

    `later` batches are still to come after these, in other epochs: they count for the time left in all.
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
                in_all = f", {clock(each * (count - done + later))} in all" if later else ""
                bar = "█" * (30 * done // count)
                left = f"{clock(each * (count - done))} left{in_all}"
                print(f"\r{label} {bar:░<30} {done}/{count}, {left}   ", end="", file=sys.stderr, flush=True)
                shown = now
    finally:  # also when somebody stops it
        print("\r" + " " * 100 + "\r", end="", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Seconds as one reads them: "8 s", "3:05", "1:02:07"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"

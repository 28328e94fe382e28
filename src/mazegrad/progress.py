"""A progress bar: how many batches are done, and how much time is left; or what runs, where that cannot be counted."""

import math
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")


class Screen:
    """The last lines of a terminal, redrawn in place; where stderr is not a terminal, nothing is shown.

    Example:
        >>> import contextlib
        >>> import io
        >>> from mazegrad.progress import Screen
        >>> with contextlib.redirect_stderr(io.StringIO()):  # not a terminal
        ...     Screen().due(now=1.0)
        False
    """

    def __init__(self) -> None:
        self._below = 0  # how many lines are shown below the first
        self._shown = -math.inf

    def due(self, now: float) -> bool:
        """Whether somebody looks, and something was last shown a fifth of a second before `now`, in seconds."""
        return sys.stderr.isatty() and now - self._shown > 0.2

    def show(self, text: str, now: float) -> None:
        """Show lines of text instead of those before; each is cut to the width of the terminal."""
        width = shutil.get_terminal_size().columns - 1
        lines = [line[:width] for line in text.split("\n")]
        self._write("\n".join(lines))
        self._below, self._shown = len(lines) - 1, now

    def clear(self) -> None:
        """Take them away."""
        if sys.stderr.isatty():
            self._write("")
        self._below = 0

    def _write(self, text: str) -> None:
        up = f"\x1b[{self._below}A" if self._below else ""
        print(f"\r{up}\x1b[J{text}", end="", file=sys.stderr, flush=True)


def progress(
    batches: Iterable[_T], count: int, label: str, later: int = 0, above: Callable[[], str] | None = None
) -> Iterator[_T]:
    """Yield the batches, and show the time left on stderr if it is a terminal.

    Args:
        batches: what to iterate over.
        count: their number.
        label: the text before the bar.
        later: the number of batches that follow in later epochs; they count towards the time left in total.
        above: returns lines of text that are shown above the bar, such as `Curves.text`.

    Example:
        >>> from mazegrad.progress import progress
        >>> sum(progress([3, 4, 5], 3, "epoch 1"))  # the batches go through; a terminal shows the bar
        12
    """
    if not sys.stderr.isatty():
        yield from batches
        return
    start, screen = time.perf_counter(), Screen()
    try:
        for done, batch in enumerate(batches, 1):
            yield batch
            now = time.perf_counter()
            if screen.due(now):
                each = (now - start) / done
                total = f", {clock(each * (count - done + later))} in total" if later else ""
                bar = "█" * (30 * done // count)
                left = f"{clock(each * (count - done))} left{total}"
                lines = above() if above is not None else ""
                screen.show(f"{lines}\n" * bool(lines) + f"{label} {bar:░<30} {done}/{count}, {left}", now)
    finally:  # also after Ctrl-C
        screen.clear()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Show on stderr what runs, while it runs; nothing where stderr is not a terminal.

    Args:
        what: the work, which cannot be counted in batches: "astar is running".

    Example:
        >>> from mazegrad.progress import doing
        >>> with doing("counting"):
        ...     print(sum(range(5)))
        10
    """
    notice = f"{what} (Ctrl-C stops it) ..." if sys.stderr.isatty() else ""
    print(notice, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:  # also after Ctrl-C; spaces, since a dumb terminal knows no other way
        print("\r" + " " * len(notice) + "\r" if notice else "", end="", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Return a duration as people write it: "8 s", "3:05", "1:02:07".

    Example:
        >>> from mazegrad.progress import clock
        >>> clock(8.2), clock(185), clock(3727)
        ('8 s', '3:05', '1:02:07')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"

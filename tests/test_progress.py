"""The progress bar says how far it is and how long it will take, and only where somebody looks."""

import io
import itertools
import sys

import pytest

from mazegrad.progress import clock, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock is ten seconds later: four batches take 40 seconds, and six more a minute."""
    seconds = itertools.count(100.0, 10.0)
    monkeypatch.setattr("mazegrad.progress.time.perf_counter", lambda: next(seconds))
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    assert list(progress("abcd", 4, "epoch 1/2", later=6)) == list("abcd")
    first, *_, last, cleared, end = screen.getvalue().split("\r")[1:]
    assert first.split() == ["epoch", "1/2", "█" * 7 + "░" * 23, "1/4,", "30", "s", "left,", "1:30", "in", "total"]
    assert last.split()[2:7] == ["█" * 30, "4/4,", "0", "s", "left,"]
    assert not cleared.strip() and not end


def test_it_clears_the_line_when_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    bar = progress(range(3), 3, "epoch")
    next(bar)
    bar.close()
    assert screen.getvalue().split("\r")[-2:] == [" " * 100, ""]


def test_silence_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    assert list(progress(iter([1, 2]), 2, "epoch")) == [1, 2]
    assert file.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (3599, "59:59"), (3727.2, "1:02:07")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text

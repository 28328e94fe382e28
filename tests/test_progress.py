"""The progress bar says how far it is and how long it will take, and only where somebody looks."""

import io
import itertools
import re
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
    first, *_, last, cleared = screen.getvalue().split("\r\x1b[J")[1:]
    assert first.split() == ["epoch", "1/2", "█" * 7 + "░" * 23, "1/4,", "30", "s", "left,", "1:30", "in", "total"]
    assert last.split()[2:7] == ["█" * 30, "4/4,", "0", "s", "left,"]
    assert not cleared


def test_lines_above_the_bar_are_redrawn_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, lines = itertools.count(100.0, 10.0), iter(["", "one", "one\ntwo " + "long " * 100])
    monkeypatch.setattr("mazegrad.progress.time.perf_counter", lambda: next(seconds))
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    assert list(progress("abc", 3, "epoch", above=lambda: next(lines))) == list("abc")
    moves = re.findall(r"\r(?:\x1b\[(\d)A)?\x1b\[J", screen.getvalue())
    assert moves == ["", "", "1", "2"]  # up by what is below, then cleared
    drawn = re.split(r"\r(?:\x1b\[\dA)?\x1b\[J", screen.getvalue())
    assert [len(text.split("\n")) for text in drawn] == [1, 1, 2, 3, 1]
    assert max(len(line) for text in drawn for line in text.split("\n")) < 120  # no line is wrapped


def test_it_clears_the_line_when_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    bar = progress(range(3), 3, "epoch")
    next(bar)
    bar.close()
    assert screen.getvalue().split("\r")[-1] == "\x1b[J"


def test_silence_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    assert list(progress(iter([1, 2]), 2, "epoch")) == [1, 2]
    assert file.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (3599, "59:59"), (3727.2, "1:02:07")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text

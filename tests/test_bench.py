"""The quick benchmark counts what it should, and the command prints it."""

import time

import pytest

import mazegrad.bench
from mazegrad.bench import rates
from mazegrad.cli import main


def test_rates_are_items_a_second_of_the_processor():
    def busy(repetitions):
        end = time.process_time() + 0.001 * repetitions
        while time.process_time() < end:
            pass

    def asleep(repetitions):
        time.sleep(0.01)
        busy(repetitions)

    best = rates({"busy": (busy, 10), "asleep": (asleep, 5)}, seconds=0.1, turns=3)
    assert best["busy"] == pytest.approx(10_000, rel=0.1)
    assert best["asleep"] == pytest.approx(5_000, rel=0.1)


def test_mazegrad_bench(monkeypatch, capsys):
    monkeypatch.setattr(
        mazegrad.bench, "rates", lambda runs: {name: run(2) or items * 1e6 for name, (run, items) in runs.items()}
    )
    assert main(["bench", "--lanes", "3"]) == 0
    printed = capsys.readouterr().out
    assert "3 lanes, one shared 21 x 21 maze" in printed and "FrozenLake" in printed and "4096.000" in printed

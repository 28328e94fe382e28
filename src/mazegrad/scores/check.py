"""Is my installation right? A few small runs, beside what they have to come out at."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from .jobs import Job, Result, run_job


class Expected(NamedTuple):
    """What a small run has to come out at."""

    job: Job
    value: float
    """the discounted return after the run"""
    tolerance: float
    """0: to the last digit. Tables are learned in Python's floats, from numpy's random numbers, which are the same on
    every machine. Nets are trained in float32 matrix products, whose rounding is the processor's: after some updates
    two machines draw different actions, so of nets only the goal is checked that they reach on all of 20 seeds."""


EXPECTED: Final[tuple[Expected, ...]] = ()


def check() -> Iterator[tuple[Expected, Result, bool]]:
    """Run each, and yield what came of it, and whether that is right."""
    for expected in EXPECTED:
        result = run_job(expected.job)
        yield expected, result, abs(result.figures.get("return", float("nan")) - expected.value) <= expected.tolerance

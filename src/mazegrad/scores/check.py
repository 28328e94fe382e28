"""Is my installation right? A few small runs, beside the results that they must have."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from .jobs import Job, Result, run_job


class Expected(NamedTuple):
    """A small run, and the bounds within which its return must lie.

    Example:
        >>> from mazegrad.scores import EXPECTED
        >>> EXPECTED[0].job.learner, EXPECTED[0].job.env_id, round(EXPECTED[0].least, 3)
        ('q_learning', 'mazegrad/CliffWalk-v0', -12.248)
    """

    job: Job
    least: float
    most: float
    """bounds of the discounted return after the run, both included"""


def _table(learner: str, name: str, steps: int, value: float) -> Expected:
    """Expect the recorded value of a table.

    It is learned in Python's floats from numpy's random numbers, which are the same on every machine. 1e-9 is for the
    mean over episodes, whose powers of the discount may be rounded differently.
    """
    return Expected(Job(f"mazegrad/{name}-v0", "index", learner, 0, steps), value - 1e-9, value + 1e-9)


def _net(learner: str, name: str, observation: str, steps: int, least: float, most: float, **keywords: Any) -> Expected:
    """Expect a net to learn.

    It is trained in float32 matrix products, whose rounding is the processor's: after some updates two machines draw
    different actions, and what they learn is not the same to any digit. So the bounds are wide: between what a net
    scores that has learned little, and the optimum.
    """
    job = Job(f"mazegrad/{name}-v0", observation, learner, 0, steps, keywords)
    return Expected(job, least, most)


SMALL: Final = {"size": [2, 2]}
"""mazes of 2 x 2 rooms, in which 0.9703 is V*, and 0.7278 the best that a policy without memory can do, by proof"""

# what `mazegrad scores --check` measures, and what it has to find
EXPECTED: Final[tuple[Expected, ...]] = (
    _table("q_learning", "CliffWalk", 2000, -12.247897700103202),
    _table("q_learning", "IceLake", 5000, 0.38139360939498534),
    _table("double_q_learning", "IceLake", 5000, 0.3587983427494836),
    _table("sarsa", "IceLake", 5000, 0.49631301914763104),
    _table("expected_sarsa", "IceLake", 5000, 0.49029115209790225),
    _table("dyna_q", "IceLake", 2000, 0.5104738778587677),
    _table("prioritized_sweeping", "IceLake", 2000, 0.47820496566289106),
    _net("ppo", "DynaMaze", "index", 100_000, 0.7, 0.8776),
    _net("recurrent_ppo", "Maze", "dots", 150_000, 0.74, 0.9703, **SMALL),
    _net("dagger", "Maze", "dots", 100_000, 0.74, 0.9703, **SMALL),
    _net("reinforce", "Maze", "dots", 100_000, 0.55, 0.9703, **SMALL),
)


def checked() -> Iterator[tuple[Expected, Result, bool]]:
    """Run each of `EXPECTED`; yield it, its result, and whether that lies within the bounds.

    Example:
        >>> from mazegrad.scores import checked
        >>> expected, result, right = next(checked())  # the first of some small runs
        >>> expected.job.learner, right
        ('q_learning', True)
    """
    for expected in EXPECTED:
        result = run_job(expected.job)
        yield expected, result, expected.least <= result.figures.get("return", float("nan")) <= expected.most

"""Scores: what every shipped learner earns in every environment, beside chance, memorylessness and the optimum.

A `Job` is one run, and `run_job` runs it, wherever that is: a job and its result are plain numbers and texts, and a
result depends on its job alone. `work` runs many on this machine; Ray or a cluster may run them as well.
"""

from .check import EXPECTED, Expected, checked
from .jobs import LEARNERS, OBSERVED, Job, Plan, Result, run_job
from .page import environment_table
from .running import read_results, work

__all__ = [
    "EXPECTED",
    "LEARNERS",
    "OBSERVED",
    "Expected",
    "Job",
    "Plan",
    "Result",
    "checked",
    "environment_table",
    "read_results",
    "run_job",
    "work",
]

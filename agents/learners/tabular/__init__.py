"""Learners of tables: what each action is worth, by observation."""

from .dyna import DynaQ, PrioritizedSweeping
from .exact import regret
from .schedules import Schedule
from .temporal import SARSA, DoubleQLearning, ExpectedSARSA, QLearning, TDLearner
from .value_table import ValueTable

__all__ = [
    "SARSA",
    "DoubleQLearning",
    "DynaQ",
    "ExpectedSARSA",
    "PrioritizedSweeping",
    "QLearning",
    "Schedule",
    "TDLearner",
    "ValueTable",
    "regret",
]

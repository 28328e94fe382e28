"""Learners of tables: what each action is worth, by observation."""

from . import schedules
from .dyna import DynaQ, PrioritizedSweeping
from .exact import greedy_policy, learned_values, regret
from .plot import plot_values
from .temporal import SARSA, DoubleQLearning, ExpectedSARSA, QLearning, TDLearner
from .value_table import ValueTable

__all__ = [
    "SARSA",
    "DoubleQLearning",
    "DynaQ",
    "ExpectedSARSA",
    "PrioritizedSweeping",
    "QLearning",
    "TDLearner",
    "ValueTable",
    "greedy_policy",
    "learned_values",
    "plot_values",
    "regret",
    "schedules",
]

"""Learners: agents that improve by acting in an environment; tables, and recurrent nets that `mazegrad.nn` trains."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from .encoding import Encoder, encoder
from .experience import Experience, advantages
from .tabular import (
    SARSA,
    DoubleQLearning,
    DynaQ,
    ExpectedSARSA,
    PrioritizedSweeping,
    QLearning,
    TDLearner,
    ValueTable,
    plot_values,
    regret,
    schedules,
)

if TYPE_CHECKING:
    from .dagger import DAgger
    from .policy import RecurrentPolicy
    from .ppo import PPO
    from .reinforce import Reinforce
    from .training import Learner

__all__ = [
    "PPO",
    "SARSA",
    "DAgger",
    "DoubleQLearning",
    "DynaQ",
    "Encoder",
    "ExpectedSARSA",
    "Experience",
    "Learner",
    "PrioritizedSweeping",
    "QLearning",
    "RecurrentPolicy",
    "Reinforce",
    "TDLearner",
    "ValueTable",
    "advantages",
    "encoder",
    "plot_values",
    "regret",
    "schedules",
]

NEEDS_NN: Final = {
    "DAgger": ".dagger",
    "Learner": ".training",
    "PPO": ".ppo",
    "RecurrentPolicy": ".policy",
    "Reinforce": ".reinforce",
}
"""name -> the file that is imported when the name is first used, so that the others do not import `mazegrad.nn`"""


def __getattr__(name: str) -> Any:
    if name in NEEDS_NN:
        return getattr(import_module(NEEDS_NN[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

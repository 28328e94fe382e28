"""Agents: hand-set recurrent nets, automata, reference agents and learners; and proofs about them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from .agent import Agent
from .agent_value import Measured, agent_value
from .automata import (
    Automaton,
    Bits,
    Codebook,
    CompiledAutomaton,
    ExtractedAutomaton,
    Number,
    ThresholdRNN,
    build_automaton,
    compile_automaton,
    extract_automaton,
    path_follower_automaton,
    t_maze_automaton,
    wall_follower_automaton,
)
from .belief_agent import BeliefAgent
from .counterexample import Counterexample, counterexample, follows_every_path
from .learners import (
    NEEDS_NN,
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
)
from .named import AGENTS, named_agent
from .policy_agent import PolicyAgent, agent_from_policy
from .proofs import MemoryCertificate, certify_memory
from .reference import RandomAgent, ShortestPathAgent, WallFollower
from .rnn import EXCHANGE, LinearRNN, RNNAgent, path_follower, wall_follower_rnn
from .rollout import Evaluation, Rollout, evaluate, rollout

if TYPE_CHECKING:
    from .learners import PPO, DAgger, RecurrentPolicy, Reinforce
    from .recurrent import RecurrentAgent

__all__ = [
    "AGENTS", "EXCHANGE", "PPO", "SARSA",
    "Agent", "Automaton", "BeliefAgent", "Bits", "Codebook", "CompiledAutomaton", "Counterexample", "DAgger",
    "DoubleQLearning", "DynaQ", "Evaluation", "ExpectedSARSA", "ExtractedAutomaton", "LinearRNN", "Measured",
    "MemoryCertificate", "Number", "PolicyAgent", "PrioritizedSweeping", "QLearning", "RNNAgent", "RandomAgent",
    "RecurrentAgent", "RecurrentPolicy", "Reinforce", "Rollout", "ShortestPathAgent", "TDLearner", "ThresholdRNN",
    "ValueTable", "WallFollower", "agent_from_policy", "agent_value", "build_automaton", "certify_memory",
    "compile_automaton", "counterexample", "evaluate", "extract_automaton", "follows_every_path", "named_agent",
    "path_follower", "path_follower_automaton", "plot_values", "regret", "rollout", "t_maze_automaton",
    "wall_follower_automaton", "wall_follower_rnn",
]  # fmt: skip


_NEEDS_NN: Final = {**dict.fromkeys(NEEDS_NN, ".learners"), "RecurrentAgent": ".recurrent"}
"""name -> the file that is imported when the name is first used, so that the others do not import `mazegrad.nn`"""


def __getattr__(name: str) -> Any:
    if name in _NEEDS_NN:
        return getattr(import_module(_NEEDS_NN[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

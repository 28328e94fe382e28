"""Minds: what chooses the way; hand-set recurrent nets and reference agents."""

from .agent import Agent
from .automaton import Automaton, Bits, Codebook, Number
from .certify import MemoryCertificate, certify_memory
from .compiler import CompiledAutomaton, ThresholdRNN, compile_automaton
from .controllers import build_automaton, path_follower_automaton, t_maze_automaton, wall_follower_automaton
from .counterexample import Counterexample, counterexample, follows_every_path
from .extraction import ExtractedAutomaton, extract_automaton
from .learners import QLearning
from .named import AGENTS, named_agent
from .recurrent import RecurrentAgent
from .reference import RandomAgent, ShortestPathAgent, WallFollower
from .rnn import EXCHANGE, LinearRNN, RNNAgent, path_follower, wall_follower_rnn
from .rollout import Evaluation, Rollout, evaluate, rollout

__all__ = [
    "AGENTS", "EXCHANGE",
    "Agent", "Automaton", "Bits", "Codebook", "CompiledAutomaton", "Counterexample", "Evaluation",
    "ExtractedAutomaton", "LinearRNN", "MemoryCertificate", "Number", "QLearning", "RNNAgent", "RandomAgent",
    "RecurrentAgent", "Rollout", "ShortestPathAgent", "ThresholdRNN", "WallFollower",
    "build_automaton", "certify_memory", "compile_automaton", "counterexample", "evaluate", "extract_automaton",
    "follows_every_path", "named_agent", "path_follower", "path_follower_automaton", "rollout", "t_maze_automaton",
    "wall_follower_automaton", "wall_follower_rnn",
]  # fmt: skip

"""Minds: what chooses the way; hand-set recurrent nets and reference agents."""

from .agent import Agent
from .automaton import Automaton, Bits, Codebook, Number
from .certify import MemoryCertificate, certify_memory
from .named import AGENTS, named_agent
from .reference import RandomAgent, ShortestPathAgent, WallFollower
from .rnn import EXCHANGE, LinearRNN, RNNAgent, path_follower, wall_follower_rnn
from .rollout import Evaluation, Rollout, evaluate, rollout

__all__ = [
    "AGENTS", "EXCHANGE",
    "Agent", "Automaton", "Bits", "Codebook", "Evaluation", "LinearRNN", "MemoryCertificate", "Number",
    "RNNAgent", "RandomAgent", "Rollout",
    "ShortestPathAgent", "WallFollower",
    "certify_memory", "evaluate", "named_agent", "path_follower", "rollout", "wall_follower_rnn",
]  # fmt: skip

"""Automata: finite-state controllers, written by hand, compiled into recurrent nets, or extracted from agents."""

from .automaton import Automaton
from .compilation import CompiledAutomaton, ThresholdRNN, compile_automaton
from .encodings import Bits, Codebook, Number
from .extraction import ExtractedAutomaton, extract_automaton
from .hand_written import build_automaton, path_follower_automaton, t_maze_automaton, wall_follower_automaton

__all__ = [
    "Automaton", "Bits", "Codebook", "CompiledAutomaton", "ExtractedAutomaton", "Number", "ThresholdRNN",
    "build_automaton", "compile_automaton", "extract_automaton", "path_follower_automaton", "t_maze_automaton",
    "wall_follower_automaton",
]  # fmt: skip

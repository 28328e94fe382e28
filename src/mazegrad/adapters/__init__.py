"""Adapters: our environments in other people's training libraries, and their policies as our agents.

Each function imports its library when it is called; a missing one is an error that names what to install.
"""

from .policies import as_agent
from .stable_baselines3 import sb3
from .syllabus import syllabus

__all__ = ["as_agent", "sb3", "syllabus"]

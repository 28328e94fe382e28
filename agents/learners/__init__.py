"""Learners: agents that improve by acting in an environment."""

from .q_learning import QLearning

__all__ = ["QLearning"]

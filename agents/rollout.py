"""Walks: one episode kept step by step, or many of them counted."""

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from .agent import Agent


@dataclass(frozen=True)
class Rollout:
    """One episode of T steps."""

    observations: list[Any]
    """T + 1, the last one included"""
    actions: NDArray[np.int64]
    """(T,)"""
    rewards: NDArray[np.float64]
    """(T,)"""
    states: list[Any]
    """T + 1 states of the agent: the i-th is the one that met observation i"""
    terminated: bool
    truncated: bool

    @property
    def total(self) -> float:
        """The return: the sum of the rewards."""
        return float(self.rewards.sum())


def rollout(
    env: gymnasium.Env[Any, Any], agent: Agent, *, seed: int | None = None, max_steps: int | None = None
) -> Rollout:
    """Let the agent walk one episode, and keep all of it.

    Args:
        env: any Gymnasium environment whose actions the agent gives.
        agent: see `Agent`.
        seed: for `env.reset`.
        max_steps: stop after so many, even if the episode goes on.
    """
    observation, _ = env.reset(seed=seed)
    state = agent.initial_state()
    observations, states = [observation], [state]
    actions: list[int] = []
    rewards: list[float] = []
    terminated = truncated = False
    while not (terminated or truncated) and len(actions) != max_steps:
        action, state = agent.act(observation, state)
        observation, reward, terminated, truncated, _ = env.step(action)
        observations.append(observation)
        states.append(state)
        actions.append(action)
        rewards.append(float(reward))
    return Rollout(
        observations,
        np.array(actions, dtype=np.int64),
        np.array(rewards, dtype=np.float64),
        states,
        terminated,
        truncated,
    )


@dataclass(frozen=True)
class Evaluation:
    """What came of many episodes: three arrays, one entry an episode."""

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: NDArray[np.bool_]
    """The goal was reached; in an environment without goals (`at_goal`), the episode was not truncated."""

    def __str__(self) -> str:
        figures = f"mean return {self.returns.mean():.3f}, mean length {self.lengths.mean():.1f}"
        return f"{len(self.returns)} episodes: {self.successes.mean():.1%} succeed, {figures}"


def evaluate(env: gymnasium.Env[Any, Any], agent: Agent, episodes: int, seed: int) -> Evaluation:
    """Let the agent walk `episodes` episodes; the i-th is that of `env.reset(seed=seed + i)`.

    Raises:
        ValueError: no episodes are asked for.
    """
    if episodes < 1:
        raise ValueError(f"episodes is a positive number, not {episodes}")
    returns, lengths, successes = [], [], []
    for episode in range(episodes):
        walk = rollout(env, agent, seed=seed + episode)
        returns.append(walk.total)
        lengths.append(len(walk.actions))
        successes.append(bool(getattr(env.unwrapped, "at_goal", walk.terminated)))
    return Evaluation(np.array(returns), np.array(lengths), np.array(successes))

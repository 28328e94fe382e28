"""Walks: one episode kept step by step, or many of them counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from ..envs import MazeEnv, World
from ..envs.pictures.notebook import animated_svg
from .agent import Agent, checked_agent


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
    world: World | None = None
    """where it was, if that was an environment of this library, alone"""
    places: Sequence[int] = ()
    """T + 1 states of the world"""

    @property
    def total(self) -> float:
        """The return: the sum of the rewards."""
        return float(self.rewards.sum())

    def _repr_svg_(self) -> str | None:
        return None if self.world is None else animated_svg(self.world, self.places)


@overload
def rollout(
    env: gymnasium.Env[Any, Any], agent: Agent, *, seed: int | None = None, max_steps: int | None = None
) -> Rollout: ...


@overload
def rollout(
    env: VectorEnv[Any, Any, Any], agent: Agent, *, seed: int | None = None, max_steps: int | None = None
) -> list[Rollout]: ...


def rollout(
    env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any],
    agent: Agent,
    *,
    seed: int | None = None,
    max_steps: int | None = None,
) -> Rollout | list[Rollout]:
    """Let the agent walk one episode, and keep all of it; in a vector environment one in each lane.

    Args:
        env: any Gymnasium environment, or vector environment, whose actions the agent gives.
        agent: see `Agent`; it walks all lanes of a vector environment as one batch.
        seed: for `env.reset`.
        max_steps: stop after so many, even if the episode goes on.

    Raises:
        TypeError: an environment or an agent that is none.
    """
    _check(env, agent)
    if isinstance(env, VectorEnv):
        return _rollouts(env, agent, seed, max_steps)
    observation, _ = env.reset(seed=seed)
    state = agent.initial_state()
    observations, states = [observation], [state]
    env_of_ours = env.unwrapped if isinstance(env.unwrapped, MazeEnv) else None
    places = [env_of_ours.state] if env_of_ours else []
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
        if env_of_ours:
            places.append(env_of_ours.state)
    return Rollout(
        observations,
        np.array(actions, dtype=np.int64),
        np.array(rewards, dtype=np.float64),
        states,
        terminated,
        truncated,
        env_of_ours.world if env_of_ours else None,
        places,
    )


def _check(env: Any, agent: Any) -> None:
    if not isinstance(env, gymnasium.Env | VectorEnv):
        raise TypeError(f"an agent walks in an environment, gymnasium.make(id), not in a {type(env).__name__}")
    checked_agent(agent)


class _Steps(NamedTuple):
    """What one step of a vector environment brought, an entry a lane in each."""

    before: Any  # what was seen
    states: Any  # the agent's, as it saw that
    actions: Any
    after: Any  # what is seen next; the last observation, where an episode ended
    states_after: Any
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    at_goal: NDArray[np.bool_]


def _walk(env: VectorEnv[Any, Any, Any], agent: Agent, seed: int | None) -> Iterator[_Steps]:
    """Walk on and on, each lane from its reset with `seed + i`; only the first episodes of lanes mean anything."""
    mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    observation, _ = env.reset(seed=seed)
    state = agent.initial_state(env.num_envs)
    while True:
        action, next_state = agent.act(observation, state)
        seen, rewards, terminated, truncated, info = env.step(action)
        over, after = terminated | truncated, seen
        if mode is AutoresetMode.SAME_STEP and over.any():
            after = seen.copy()
            after[over] = np.stack(info["final_obs"][over])
        at_goal = getattr(env.unwrapped, "at_goal", terminated)
        yield _Steps(observation, state, action, after, next_state, rewards, terminated, truncated, at_goal)
        if mode is AutoresetMode.DISABLED and over.any():
            seen, _ = env.reset(options={"reset_mask": over})
        observation, state = seen, next_state


def _rollouts(env: VectorEnv[Any, Any, Any], agent: Agent, seed: int | None, max_steps: int | None) -> list[Rollout]:
    lanes = env.num_envs
    steps: list[_Steps] = []
    lengths = np.full(lanes, -1)
    for step in _walk(env, agent, seed) if max_steps != 0 else ():
        steps.append(step)
        lengths[(lengths < 0) & (step.terminated | step.truncated)] = len(steps)
        if len(steps) == max_steps or (lengths > 0).all():
            break
    if not steps:
        raise ValueError("max_steps is a positive number of steps")
    lengths[lengths < 0] = len(steps)
    return [_rollout_of(steps[:length], lane, lanes) for lane, length in enumerate(lengths.tolist())]


def _rollout_of(steps: list[_Steps], lane: int, lanes: int) -> Rollout:
    last = steps[-1]
    return Rollout(
        [_lane_of(step.before, lane, lanes) for step in steps] + [_lane_of(last.after, lane, lanes)],
        np.array([step.actions[lane] for step in steps], dtype=np.int64),
        np.array([step.rewards[lane] for step in steps], dtype=np.float64),
        [_lane_of(step.states, lane, lanes) for step in steps] + [_lane_of(last.states_after, lane, lanes)],
        bool(last.terminated[lane]),
        bool(last.truncated[lane]),
    )


def _lane_of(batch: Any, lane: int, lanes: int) -> Any:
    """Return one lane's part: of arrays a row, of tuples of arrays each one's row; what is no batch stays whole."""
    if isinstance(batch, tuple):
        return tuple(_lane_of(part, lane, lanes) for part in batch)
    if not isinstance(batch, np.ndarray) or len(batch) != lanes:
        return batch
    return batch[lane].item() if batch.ndim == 1 else batch[lane].copy()


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


def evaluate(
    env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any], agent: Agent, episodes: int, seed: int
) -> Evaluation:
    """Let the agent walk `episodes` episodes; the i-th is that of `env.reset(seed=seed + i)`.

    A vector environment walks as many of them at once as it has lanes, and counts the same episodes.

    Raises:
        ValueError: no episodes are asked for.
        TypeError: an environment or an agent that is none.
    """
    _check(env, agent)
    if episodes < 1:
        raise ValueError(f"episodes is a positive number, not {episodes}")
    if isinstance(env, VectorEnv):
        parts = [_evaluate_lanes(env, agent, seed + first) for first in range(0, episodes, env.num_envs)]
        columns = [np.concatenate(column)[:episodes] for column in zip(*parts, strict=True)]
        return Evaluation(*columns)
    returns, lengths, successes = [], [], []
    for episode in range(episodes):
        walk = rollout(env, agent, seed=seed + episode)
        returns.append(walk.total)
        lengths.append(len(walk.actions))
        successes.append(bool(getattr(env.unwrapped, "at_goal", walk.terminated)))
    return Evaluation(np.array(returns), np.array(lengths), np.array(successes))


def _evaluate_lanes(env: VectorEnv[Any, Any, Any], agent: Agent, seed: int) -> tuple[NDArray[Any], ...]:
    """Return returns, lengths and successes of each lane's first episode."""
    returns, lengths = np.zeros(env.num_envs), np.zeros(env.num_envs, dtype=np.int64)
    successes, going = np.zeros(env.num_envs, dtype=np.bool_), np.ones(env.num_envs, dtype=np.bool_)
    for step in _walk(env, agent, seed):
        returns += np.where(going, step.rewards, 0.0)
        lengths += going
        ended = going & (step.terminated | step.truncated)
        successes[ended] = step.at_goal[ended]
        going &= ~ended
        if not going.any():
            return returns, lengths, successes
    raise AssertionError("a walk has no end of its own")

"""Episodes: one recorded step by step, or many of them evaluated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from ..envs import MazeEnv, World, draw
from ..envs.maps.arguments import whole
from ..envs.pictures.notebook import animated_svg
from ..envs.pictures.walk import page, walk_html
from .agent import Agent, checked_agent
from .agent_state import row_of, stacked, with_rows


@dataclass(frozen=True)
class Rollout:
    r"""One episode of T steps.

    Example:
        >>> from mazegrad.agents import WallFollower, rollout
        >>> from mazegrad.envs import Maze, MazeEnv
        >>> walk = rollout(MazeEnv(Maze.from_text("S.\n#.\n#G")), WallFollower(), seed=0)
        >>> walk.actions, walk.rewards, walk.total
        (array([1, 3, 3]), array([0., 0., 1.]), 1.0)
        >>> walk.states  # of the agent: the headings of the wall follower
        [0, 1, 3, 3]
    """

    observations: list[Any]
    """T + 1, from the reset to after the last step"""
    actions: NDArray[np.int64]
    """(T,)"""
    rewards: NDArray[np.float64]
    """(T,)"""
    states: list[Any]
    """T + 1 states of the agent: it acted on observation i in state i"""
    terminated: bool
    truncated: bool
    world: World | None = None
    """of a single environment of this library, else None"""
    world_states: Sequence[int] = ()
    """T + 1 states of that world, else none"""

    @property
    def total(self) -> float:
        """The return: the sum of the rewards, not discounted."""
        return float(self.rewards.sum())

    def plot(self, **keywords: Any) -> NDArray[np.uint8]:
        """Draw the way through the maze with the agent at its end; see `draw`, which takes more keywords.

        Raises:
            ValueError: not an episode of a single environment of this library.
        """
        if self.world is None:
            raise ValueError("this episode has no world to draw: it is not of a single environment of this library")
        return draw(self.world, self.world_states[-1], **{"trails": list(self.world_states), **keywords})

    def to_html(self) -> str:
        """Return the walk as a page of HTML, whole in one file: the maze, a slider over the steps, a button to play.

        Raises:
            ValueError: not an episode of a single environment of this library.
        """
        shown = self._repr_html_()
        if self.world is None or shown is None:
            raise ValueError("this episode has no world to draw: it is not of a single environment of this library")
        return page(shown, self.world.mazes[0].metadata.get("title", "a walk through a maze"))

    def _repr_html_(self) -> str | None:
        if self.world is None:
            return None
        returns, names = [0.0, *self.rewards.cumsum().tolist()], self.world.moves.names
        texts = [
            f"step {t} of {len(self.actions)}"
            + (f" · {names[self.actions[t - 1]]}" if t else "")
            + (f" · return {returns[t]:.4g}" if returns[t] else "")
            + (" · over" if t == len(self.actions) and self.terminated else "")
            + (" · cut off" if t == len(self.actions) and self.truncated and not self.terminated else "")
            for t in range(len(self.actions) + 1)
        ]
        return walk_html(self.world, self.world_states, texts)

    def _repr_svg_(self) -> str | None:
        return None if self.world is None else animated_svg(self.world, self.world_states)


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
    """Let the agent act for one episode, and record it; in a vector environment one episode in each lane.

    Args:
        env: any Gymnasium environment or vector environment whose observations and actions fit the agent.
        agent: see `Agent`; in a vector environment it acts on all lanes as one batch.
        seed: for `env.reset`.
        max_steps: stop after this many steps, 1 or more, even if the episode is not over; by default no limit.

    Returns:
        A Rollout, or for a vector environment a list with one for each lane.

    Raises:
        TypeError: not an environment, not an agent, or a max_steps that is not an integer.
        ValueError: a max_steps below 1, or an agent that cannot read what the environment shows.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.agents import path_follower, rollout
        >>> walk = rollout(gymnasium.make("mazegrad/PathFollow-v0"), path_follower(), seed=0)
        >>> len(walk.actions), walk.total, walk.terminated
        (70, 1.0, True)
    """
    check_agent(env, agent)
    if max_steps is not None:
        max_steps = whole("max_steps", max_steps, 1)
    if isinstance(env, VectorEnv):
        return _rollouts(env, agent, seed, max_steps)
    observation, _ = env.reset(seed=seed)
    state = agent.initial_state()
    observations, states = [observation], [state]
    maze_env = env.unwrapped if isinstance(env.unwrapped, MazeEnv) else None
    world_states = [maze_env.state] if maze_env else []
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
        if maze_env:
            world_states.append(maze_env.state)
    return Rollout(
        observations,
        np.array(actions, dtype=np.int64),
        np.array(rewards, dtype=np.float64),
        states,
        terminated,
        truncated,
        maze_env.world if maze_env else None,
        world_states,
    )


def check_agent(env: Any, agent: Any) -> None:
    """Check that an agent fits an environment.

    Raises:
        TypeError: not an environment, or not an agent.
        ValueError: the agent cannot read what the environment shows.
    """
    if not isinstance(env, gymnasium.Env | VectorEnv):
        raise TypeError(f"expected an environment, such as gymnasium.make(id), not {type(env).__name__}")
    checked_agent(agent)
    if (check := getattr(agent, "check_environment", None)) is not None:
        check(env)


class _Step(NamedTuple):
    """One step of a vector environment, each field with one entry for each lane."""

    observation: Any
    state: Any  # of the agent, before it acted
    action: Any
    next_observation: Any  # the last one of its episode, where that ended
    next_state: Any
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    at_goal: NDArray[np.bool_]


def _steps(
    env: VectorEnv[Any, Any, Any], agent: Agent, seed: int | None, options: dict[str, Any] | None = None
) -> Iterator[_Step]:
    """Yield steps without end, lane i from its reset with `seed + i`.

    The agent's state is not reset, so only the first episode of each lane is meaningful.
    """
    mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    observation, _ = env.reset(seed=seed, options=options)
    state = agent.initial_state(env.num_envs)
    while True:
        action, next_state = agent.act(observation, state)
        following, reward, terminated, truncated, info = env.step(action)
        over, last = terminated | truncated, following
        if mode is AutoresetMode.SAME_STEP and over.any():
            last = with_rows(following, over, stacked(info["final_obs"][over]))
        at_goal = getattr(env.unwrapped, "at_goal", terminated)
        yield _Step(observation, state, action, last, next_state, reward, terminated, truncated, at_goal)
        if mode is AutoresetMode.DISABLED and over.any():
            following, _ = env.reset(options={"reset_mask": over})
        observation, state = following, next_state


def _rollouts(env: VectorEnv[Any, Any, Any], agent: Agent, seed: int | None, max_steps: int | None) -> list[Rollout]:
    steps: list[_Step] = []
    lengths = np.full(env.num_envs, -1)
    for step in _steps(env, agent, seed):
        steps.append(step)
        lengths[(lengths < 0) & (step.terminated | step.truncated)] = len(steps)
        if len(steps) == max_steps or (lengths > 0).all():
            break
    lengths[lengths < 0] = len(steps)
    return [_rollout_of(steps[:length], lane, env.num_envs) for lane, length in enumerate(lengths.tolist())]


def _rollout_of(steps: list[_Step], lane: int, lanes: int) -> Rollout:
    last = steps[-1]
    observations = [step.observation for step in steps] + [last.next_observation]
    states = [step.state for step in steps] + [last.next_state]
    return Rollout(
        [row_of(observation, lane, lanes) for observation in observations],
        np.array([step.action[lane] for step in steps], dtype=np.int64),
        np.array([step.reward[lane] for step in steps], dtype=np.float64),
        [row_of(state, lane, lanes) for state in states],
        bool(last.terminated[lane]),
        bool(last.truncated[lane]),
    )


@dataclass(frozen=True)
class Evaluation:
    """The results of many episodes: three arrays with one entry for each.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import Evaluation
        >>> returns, lengths, successes = np.array([1.0, 0.0]), np.array([12, 100]), np.array([True, False])
        >>> print(Evaluation(returns, lengths, successes))
        2 episodes: 50.0% succeed, mean return 0.500, mean length 56.0
    """

    returns: NDArray[np.float64]
    """(episodes,): the sums of the rewards, not discounted"""
    lengths: NDArray[np.int64]
    """(episodes,): in steps"""
    successes: NDArray[np.bool_]
    """(episodes,): whether the agent reached the goal; in an environment without `at_goal`, whether it terminated"""

    def __str__(self) -> str:
        figures = f"mean return {self.returns.mean():.3f}, mean length {self.lengths.mean():.1f}"
        count = f"{len(self.returns)} episode{'s' * (len(self.returns) != 1)}"
        return f"{count}: {self.successes.mean():.1%} succeed, {figures}"


def evaluate(
    env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any],
    agent: Agent,
    episodes: int,
    seed: int,
    *,
    discount: float = 1.0,
    engine: str | None = None,
    device: Any = None,
) -> Evaluation:
    """Let the agent act for a number of episodes; the i-th begins with `env.reset(seed=seed + i)`.

    A vector environment runs as many of the same episodes at once as it has lanes.

    Args:
        env: any Gymnasium environment or vector environment whose observations and actions fit the agent.
        agent: see `Agent`.
        episodes: how many, 1 or more.
        seed: of the first episode.
        discount: 0 to 1; below 1 the returns are discounted, so that they compare with values.
        engine: "jax" or "torch": the same episodes, all at once, by a rollout of `mazegrad.envs.functional`; for mazes
            of this library and the agents that `policy_of` takes.
        device: of the engine; by default its library's choice.

    Raises:
        ImportError: the engine's library is not installed.
        TypeError: not an environment, not an agent, or a number of episodes that is not an integer.
        ValueError: a number of episodes below 1, a discount that is out of range, or an agent that cannot read what the
            environment shows.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.agents import WallFollower, evaluate
        >>> envs = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=50, size=(4, 4))
        >>> result = evaluate(envs, WallFollower(), episodes=100, seed=0)
        >>> result.returns.shape, bool(result.successes.all())
        ((100,), True)
    """
    check_agent(env, agent)
    episodes = whole("episodes", episodes, 1)
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be a number from 0 to 1, not {discount!r}")
    engine = engine or getattr(env.unwrapped, "engine_name", "numpy")
    if engine != "numpy":
        from .functional import evaluate_at_once

        return Evaluation(*evaluate_at_once(env, agent, episodes, seed, discount, engine, device))
    if isinstance(env, VectorEnv):
        parts = [evaluate_lanes(env, agent, seed + first, discount) for first in range(0, episodes, env.num_envs)]
        columns = [np.concatenate(column)[:episodes] for column in zip(*parts, strict=True)]
        return Evaluation(*columns)
    returns, lengths, successes = [], [], []
    for episode in range(episodes):
        played = rollout(env, agent, seed=seed + episode)
        returns.append(float(played.rewards @ discount ** np.arange(len(played.rewards))))
        lengths.append(len(played.actions))
        successes.append(bool(getattr(env.unwrapped, "at_goal", played.terminated)))
    return Evaluation(np.array(returns), np.array(lengths), np.array(successes))


def evaluate_lanes(
    env: VectorEnv[Any, Any, Any], agent: Agent, seed: int, discount: float, options: dict[str, Any] | None = None
) -> tuple[NDArray[Any], ...]:
    """Return the returns, lengths and successes of the first episode of each lane, (num_envs,) each.

    Args:
        env, agent, seed, discount: see `evaluate`.
        options: of the reset.
    """
    returns, lengths = np.zeros(env.num_envs), np.zeros(env.num_envs, dtype=np.int64)
    successes, running = np.zeros(env.num_envs, dtype=np.bool_), np.ones(env.num_envs, dtype=np.bool_)
    for time, step in enumerate(_steps(env, agent, seed, options)):
        returns += np.where(running, step.reward, 0.0) * discount**time
        lengths += running
        ended = running & (step.terminated | step.truncated)
        successes[ended] = step.at_goal[ended]
        running &= ~ended
        if not running.any():
            return returns, lengths, successes
    raise AssertionError("_steps has no end")

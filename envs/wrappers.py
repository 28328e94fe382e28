"""Wrappers for agents with a memory: what the last step was, and trials of several episodes in one level.

Each comes in two forms, for one agent and for many; lane i of the second is the first, seeded `seed + i`.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import Space, spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from .maps.arguments import whole


class _Joined:
    """How the last step is joined to an observation: in one row of numbers, or as parts of a Dict.

    Args:
        seen: the space of observations.
        actions: the space of actions.

    Raises:
        TypeError: actions that are not Discrete.
    """

    def __init__(self, seen: Space[Any], actions: Space[Any]) -> None:
        if not isinstance(actions, spaces.Discrete):
            raise TypeError(f"the last action is shown one-hot: the actions must be Discrete, not {actions}")
        self._first, self._count = int(actions.start), int(actions.n)
        self.flat = isinstance(seen, spaces.Box | spaces.MultiBinary) and len(seen.shape) == 1
        parts: dict[str, Space[Any]] = dict(seen.spaces) if isinstance(seen, spaces.Dict) else {"observation": seen}
        self._dict = isinstance(seen, spaces.Dict)
        last = spaces.Box(-np.inf, np.inf, (self._count + 2,), np.float32)
        if self.flat:
            low, high = (seen.low, seen.high) if isinstance(seen, spaces.Box) else (0.0, 1.0)
            low, high = (np.broadcast_to(bound, seen.shape or ()) for bound in (low, high))
            size = (int(np.prod(seen.shape or ())) + self._count + 2,)
            bounds = (np.concatenate([low, last.low]), np.concatenate([high, last.high]))
            self.space: Space[Any] = spaces.Box(
                bounds[0].astype(np.float32), bounds[1].astype(np.float32), size, np.float32
            )
        else:
            self.space = spaces.Dict({**parts, "last_step": last})

    def none(self, lanes: int) -> NDArray[np.float32]:
        """Return what is shown after a reset, (lanes, actions + 2)."""
        return np.zeros((lanes, self._count + 2), dtype=np.float32)

    def last(self, actions: Any, rewards: Any, ends: Any) -> NDArray[np.float32]:
        """Return what is shown after a step: the actions one-hot, the rewards, whether an episode ended."""
        rows = self.none(len(actions))
        rows[np.arange(len(rows)), np.asarray(actions) - self._first] = 1
        rows[:, -2], rows[:, -1] = rewards, ends
        return rows

    def __call__(self, seen: Any, last: NDArray[np.float32]) -> Any:
        """Return observations with the last step, one or a batch of both."""
        if self.flat:
            return np.concatenate([np.asarray(seen, dtype=np.float32), last], axis=-1)
        return {**(seen if self._dict else {"observation": seen}), "last_step": last}


class LastStep(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Adds the last step to observations: the action one-hot, the reward, and whether an episode of a trial ended.

    All are 0 after a reset. They stand at the end of an observation that is a row of numbers, which becomes float32;
    others become a Dict with "last_step". So a recurrent net sees what Duan et al., "RL^2" (2016), show theirs.

    Args:
        env: any environment with Discrete actions.

    Example:
        >>> from mazegrad.envs import RIGHT, Maze, MazeEnv
        >>> from mazegrad.envs.wrappers import LastStep
        >>> env = LastStep(MazeEnv(Maze.from_text("SG")))
        >>> _ = env.reset(seed=0)
        >>> observation, *_ = env.step(RIGHT)
        >>> observation  # 4 dots, the action, the reward, and that nothing of a trial ended
        array([0., 0., 1., 0., 0., 1., 0., 0., 1., 0.], dtype=float32)
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)
        self._joined = _Joined(env.observation_space, env.action_space)
        self.observation_space = self._joined.space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        seen, info = self.env.reset(seed=seed, options=options)
        return self._joined(seen, self._joined.none(1)[0]), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Move."""
        seen, reward, terminated, truncated, info = self.env.step(action)
        last = self._joined.last([action], reward, info.get("episode_over", False))
        return self._joined(seen, last[0]), reward, terminated, truncated, info


class VectorLastStep(VectorWrapper):
    """`LastStep` for a vector environment, in any autoreset mode.

    Example:
        >>> from mazegrad.envs import Maze, MazeVectorEnv
        >>> from mazegrad.envs.wrappers import VectorLastStep
        >>> envs = VectorLastStep(MazeVectorEnv(Maze.from_text("SG"), num_envs=3))
        >>> envs.reset(seed=0)[0].shape
        (3, 10)
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        self._joined = _Joined(env.single_observation_space, env.single_action_space)
        self.single_observation_space = self._joined.space
        self.observation_space = batch_space(self._joined.space, env.num_envs)
        self._mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        self._last = self._joined.none(env.num_envs)
        self._over = np.zeros(env.num_envs, dtype=np.bool_)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in all lanes, or in those of `reset_mask`."""
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=np.bool_))
        seen, info = self.env.reset(seed=seed, options=options)
        self._last[mask], self._over[mask] = 0, False
        return self._joined(seen, self._last.copy()), info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move all lanes."""
        seen, rewards, terminations, truncations, info = self.env.step(actions)
        ends = np.asarray(info.get("episode_over", False))
        if "episode_over" in info.get("final_info", {}):
            ends = np.where(info["_final_info"], info["final_info"]["episode_over"], ends)
        last = self._joined.last(actions, rewards, ends)
        if self._mode is AutoresetMode.NEXT_STEP:
            last[self._over] = 0  # the step that reset them
        self._over = over = terminations | truncations
        if self._mode is AutoresetMode.SAME_STEP and over.any():
            final = info["final_obs"].copy()
            for lane in np.flatnonzero(over).tolist():
                final[lane] = self._joined(final[lane], last[lane].copy())
            info = {**info, "final_obs": final}
            last[over] = 0
        self._last = last.copy()
        return self._joined(seen, last), rewards, terminations, truncations, info


class Trials(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Several episodes in one level as one: an agent can explore in the first and use what it found in the others.

    Where an episode ends the next begins in the same step, and `info["episode_over"]` says so; the trial ends with the
    last of them.

    Args:
        env: an environment whose maze stays, or one made with `episodes_per_level=episodes`.
        episodes: in a trial, 1 or more.

    Raises:
        ValueError: levels that stay for another number of episodes.

    Example:
        >>> from mazegrad.envs import RIGHT, Maze, MazeEnv
        >>> from mazegrad.envs.wrappers import Trials
        >>> env = Trials(MazeEnv(Maze.from_text("SG")), episodes=2)
        >>> _ = env.reset(seed=0)
        >>> for _ in range(2):
        ...     _, reward, terminated, _, info = env.step(RIGHT)
        ...     print(reward, info["episode_over"], terminated)
        1.0 True False
        1.0 True True
    """

    def __init__(self, env: gymnasium.Env[Any, Any], episodes: int) -> None:
        RecordConstructorArgs.__init__(self, episodes=episodes)
        gymnasium.Wrapper.__init__(self, env)
        self.episodes = _checked_episodes(env.unwrapped, episodes)
        self._begun = 0  # episodes since the seed

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a trial; of one that is not over the rest is left out."""
        if seed is not None:
            self._begun = 0
        while self._begun % self.episodes:
            self.env.reset()
            self._begun += 1
        self._begun += 1
        seen, info = self.env.reset(seed=seed, options=options)
        return seen, {**info, "episode_over": np.array(False)}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Move; where an episode ends, but not the trial, what is observed is the start of the next."""
        seen, reward, terminated, truncated, info = self.env.step(action)
        over = terminated or truncated
        if over and self._begun % self.episodes:
            self._begun += 1
            terminated = truncated = False
            seen, info = self.env.reset()
        return seen, reward, terminated, truncated, {**info, "episode_over": np.array(over)}


class VectorTrials(VectorWrapper):
    """`Trials` for a vector environment of this library, made with `autoreset_mode="SameStep"`.

    Args:
        env: the environment.
        episodes: as in `Trials`.

    Raises:
        ValueError: as `Trials`; another autoreset mode.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, MazeVectorEnv
        >>> from mazegrad.envs.wrappers import VectorTrials
        >>> envs = VectorTrials(MazeVectorEnv(Maze.from_text("SG"), num_envs=2, autoreset_mode="SameStep"), episodes=3)
        >>> _ = envs.reset(seed=0)
        >>> ends = [envs.step(np.array([RIGHT, RIGHT]))[2].tolist() for _ in range(3)]
        >>> ends
        [[False, False], [False, False], [True, True]]
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], episodes: int) -> None:
        super().__init__(env)
        self.episodes = _checked_episodes(env.unwrapped, episodes)
        if env.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
            raise ValueError(
                'the episodes of a trial follow at once: make the environment with autoreset_mode="SameStep"'
            )
        self._begun = np.zeros(env.num_envs, dtype=np.int64)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a trial in all lanes, or in those of `reset_mask`; of trials that are not over the rest is left out."""
        options = dict(options or {})
        mask = options.get("reset_mask", np.ones(self.num_envs, dtype=np.bool_))
        seeded = _seeded(seed, self.num_envs)
        while (left := mask & ~seeded & (self._begun % self.episodes > 0)).any():
            self.env.reset(options={"reset_mask": left})
            self._begun[left] += 1
        self._begun[seeded] = 0
        self._begun[mask] += 1
        seen, info = self.env.reset(seed=seed, options=options)
        return seen, {**info, "episode_over": np.zeros(self.num_envs, dtype=np.bool_), "_episode_over": mask.copy()}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move all lanes."""
        seen, rewards, terminations, truncations, info = self.env.step(actions)
        over = terminations | truncations
        info = {**info, "episode_over": over, "_episode_over": np.ones(self.num_envs, dtype=np.bool_)}
        if over.any():
            trial_over = over & (self._begun % self.episodes == 0)
            self._begun[over] += 1
            terminations, truncations = terminations & trial_over, truncations & trial_over
            info = _of_trials(info, trial_over)
        return seen, rewards, terminations, truncations, info


def _seeded(seed: Any, lanes: int) -> NDArray[np.bool_]:
    """Return which lanes a seed is for."""
    if seed is None or np.ndim(seed) == 0:
        return np.full(lanes, seed is not None)
    return np.array([one is not None for one in seed])


def _of_trials(info: dict[str, Any], ended: NDArray[np.bool_]) -> dict[str, Any]:
    """Return an info that has what is final of the lanes whose trial has ended, in place of their episode."""
    last = {name: value for name, value in info.items() if "final" not in name}
    if not ended.any():
        return last
    last["episode_over"] = info["episode_over"] & ~ended  # they begin a trial
    final = info["final_obs"].copy()
    final[~ended] = None
    inner = {
        name: value & ended if name.startswith("_") else _only(value, ended)
        for name, value in info["final_info"].items()
    }
    inner |= {"episode_over": ended.copy(), "_episode_over": ended.copy()}
    return {**last, "final_obs": final, "_final_obs": ended, "final_info": inner, "_final_info": ended.copy()}


def _only(values: NDArray[Any], lanes: NDArray[np.bool_]) -> NDArray[Any]:
    kept = np.zeros_like(values)
    kept[lanes] = values[lanes]
    return kept


def _checked_episodes(env: Any, episodes: int) -> int:
    episodes = whole("episodes", episodes, 1)
    stay = getattr(env, "episodes_per_level", None)
    if stay is not None and stay != episodes:
        raise ValueError(
            f"levels stay for {stay} episode{'s' * (stay > 1)}; make the environment with episodes_per_level={episodes}"
        )
    return episodes

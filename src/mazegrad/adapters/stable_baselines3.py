"""Stable-Baselines3: a native vector environment as a `VecEnv`, without a process or a Python loop a lane."""

import time
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from ..envs import MazeVectorEnv
from ..envs.observations.encodings import is_tile_codes
from ..extras import require


def sb3(env: VectorEnv[Any, Any, Any] | str, num_envs: int = 64, **keywords: Any) -> Any:
    """Return an environment as a `VecEnv` of Stable-Baselines3, for its algorithms and those of sb3-contrib.

    `PPO("MlpPolicy", sb3("mazegrad/FourRooms-v0", 64))` trains on 64 lanes that step together. Infos of lanes that are
    done hold what `VecMonitor` would add ("episode") and "is_success"; `action_masks` works for MaskablePPO.

    Args:
        env: a vector environment of this library, made with `autoreset_mode="SameStep"`; or an id, which is made
            with that and, unless you pass others, `observation="net"`, from which nets learn, and `encoding="float"`,
            since tile codes are not sizes.
        num_envs: the number of lanes, if an id is given.
        keywords: of the environment, if an id is given.

    Raises:
        MissingExtra: Stable-Baselines3 is not installed.
        TypeError: not such an environment.
        ValueError: it has another autoreset mode.

    Example:
        >>> from mazegrad.adapters import sb3
        >>> lanes = sb3("mazegrad/FourRooms-v0", num_envs=8)
        >>> lanes.num_envs, lanes.reset().shape == (8, *lanes.observation_space.shape)
        (8, True)
    """
    if isinstance(env, str):
        keywords = {"encoding": "float", "observation": "net", **keywords, "autoreset_mode": "SameStep"}
        env = gymnasium.make_vec(env, num_envs=num_envs, **keywords)
    elif keywords:
        raise TypeError(f"keywords go with an id, not with an environment that is made: {', '.join(keywords)}")
    if not isinstance(env, VectorEnv) or not isinstance(env.unwrapped, MazeVectorEnv):
        raise TypeError(f"sb3 takes an id or a vector environment of mazegrad, not {type(env).__name__}")
    if env.metadata["autoreset_mode"] is not AutoresetMode.SAME_STEP:
        raise ValueError(
            'Stable-Baselines3 resets in the same step: make the environment with autoreset_mode="SameStep"'
        )
    if is_tile_codes(env.single_observation_space):
        warnings.warn(
            'a net would take these tile codes as sizes; make the environment with encoding="float" or "planes"',
            stacklevel=2,
        )
    return _adapter()(env)


@cache
def _adapter() -> type[Any]:
    """Return the class, made when the library is there."""
    base: Any = require("stable_baselines3.common.vec_env", "sb3").VecEnv
    monitor = require("stable_baselines3.common.monitor", "sb3").Monitor

    class MazeVecEnv(base):  # type: ignore[misc]
        """Lanes of a `MazeVectorEnv` as Stable-Baselines3 has them."""

        def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
            self.env = env
            super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
            self._returns = np.zeros(env.num_envs)
            self._lengths = np.zeros(env.num_envs, dtype=np.int64)
            self._began = time.time()
            self._actions: Any = None

        def reset(self) -> Any:
            """Begin an episode in all lanes, with the seeds of `seed` if it was called."""
            seeds = None if all(seed is None for seed in self._seeds) else self._seeds
            observation, self._infos = self.env.reset(seed=seeds, options=_options(self._options))
            self._returns[:] = self._lengths[:] = 0
            self.reset_infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
            self._reset_seeds()
            self._reset_options()
            return observation

        def step_async(self, actions: Any) -> None:
            """Keep the actions for `step_wait`."""
            self._actions = actions

        def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
            """Move all lanes."""
            observation, rewards, terminated, truncated, infos = self.env.step(np.asarray(self._actions))
            self._returns += rewards
            self._lengths += 1
            rows: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
            done = terminated | truncated
            if done.any():
                at_goal: Any = getattr(self.env.unwrapped, "at_goal")  # noqa: B009 (not of every vector environment)
                now = round(time.time() - self._began, 6)
                for lane in np.flatnonzero(done).tolist():
                    rows[lane] = {
                        "terminal_observation": infos["final_obs"][lane],
                        "TimeLimit.truncated": bool(truncated[lane] and not terminated[lane]),
                        "is_success": bool(at_goal[lane]),
                        "episode": {"r": float(self._returns[lane]), "l": int(self._lengths[lane]), "t": now},
                    }
                self._returns[done] = self._lengths[done] = 0
            return observation, rewards.astype(np.float32), done, rows

        def close(self) -> None:
            """Close the environment."""
            self.env.close()

        def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
            """Return an attribute of the vector environment, once for each lane asked for."""
            return [getattr(self.env.unwrapped, attr_name)] * len(self._lanes(indices))

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
            """Refuse: lanes have no attributes of their own."""
            raise AttributeError(f"lanes of one vector environment cannot have {attr_name!r} set one by one")

        def env_method(self, method_name: str, *arguments: Any, indices: Any = None, **keywords: Any) -> list[Any]:
            """Call a method of the vector environment.

            Returns:
                For each lane its part of the result, (num_envs, ...); of `compute_reward`, whose batch is of any
                length, the whole result, as hindsight replay wants it.
            """
            result = getattr(self.env.unwrapped, method_name)(*arguments, **keywords)
            whole = method_name == "compute_reward"
            return [result if whole else result[lane] for lane in self._lanes(indices)]

        def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
            """Return whether infos hold what a wrapper adds: that of `Monitor`."""
            return [wrapper_class is monitor] * len(self._lanes(indices))

        def get_images(self) -> Sequence[Any]:
            """Return the frame of each lane."""
            return self.env.render() or []

        def _lanes(self, indices: Any) -> Sequence[int]:
            return list(self._get_indices(indices))

    return MazeVecEnv


def _options(options: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the options of all lanes as one: `maze` and `start` as lists."""
    if not any(options):
        return None
    if all(one == options[0] for one in options):
        return options[0]
    if any(one.keys() != options[0].keys() for one in options):
        raise ValueError("give the same options, such as maze and start, to every lane")
    return {name: [one[name] for one in options] for name in options[0]}

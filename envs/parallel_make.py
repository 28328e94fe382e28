"""From an id to an environment with several agents: PettingZoo's, or many lanes."""

from typing import Any

import gymnasium


def parallel_env(env_id: str, agents: int = 2, *, num_envs: int | None = None, **keywords: Any) -> Any:
    """Return an environment with several agents: as PettingZoo has them, or many lanes of it.

    Args:
        env_id: such as "mazegrad/Maze-v0"; ids are those of single agents.
        agents: how many.
        num_envs: None for PettingZoo's `ParallelEnv`, of which `pettingzoo.utils.parallel_to_aec` makes an `AECEnv`; or
            the number of lanes: then `ParallelMazes`, whose arrays are (num_envs, agents, ...).
        keywords: those of the id, and those of `ParallelMazes`.

    Raises:
        ImportError: PettingZoo is not installed, and `num_envs` is None.
        ValueError: see `ParallelMazes`; an id without a maze.

    Example:
        >>> import mazegrad
        >>> from mazegrad.envs import parallel_env
        >>> envs = parallel_env("mazegrad/FourRooms-v0", agents=3, num_envs=2)
        >>> observations, infos = envs.reset(seed=0)
        >>> observations.shape  # four dots, and in which directions others are
        (2, 3, 8)
    """
    spec = gymnasium.spec(env_id)
    entry = str(spec.entry_point)
    if not entry.startswith("mazegrad.envs.worlds:") or entry.endswith(":tabular"):
        raise ValueError(f"{env_id} is not an environment of mazegrad in a maze")
    make: Any = gymnasium.envs.registration.load_env_creator(entry)
    if num_envs is not None:
        return make(**{**spec.kwargs, **keywords}, agents=agents, num_envs=num_envs)
    try:
        import pettingzoo as pettingzoo
    except ImportError:
        raise ImportError(
            'pettingzoo is not installed; install it with: python -m pip install "pettingzoo>=1.24"; or give num_envs='
        ) from None
    from .parallel_pettingzoo import ParallelMaze

    return ParallelMaze(make(**{**spec.kwargs, **keywords}, agents=agents, num_envs=1))

"""Tables: all that the steps of an environment read, as arrays of any library, in one NamedTuple."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ..core.world import World
from ..env import MazeEnv
from ..info import info_table
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..planning.hitting import explorer_limits, size_limit
from ..planning.questions import plainly_fine
from ..vector import MazeVectorEnv, Plan
from .filling import filled, moved
from .layout import laid_out, laid_out_fresh
from .misread import with_error
from .namespace import Namespace, functions_of, on_device
from .structure import MODES, Tables


def tables(
    maze: Maze | str | Path | Levels | World | Sequence[Maze | str | Path | World],
    /,
    *,
    xp: Any = "numpy",
    device: Any = None,
    states: int | None = None,
    **keywords: Any,
) -> Tables:
    """Return the tables of an environment.

    Args:
        maze: an id, such as "mazegrad/TMaze-v0"; or a maze, a text, a file, a shipped name, a World or `Levels`, as
            `MazeVectorEnv` takes them; a list of mazes is for as many lanes, the i-th for lane i, modulo their number.
        xp: the library of the arrays: "numpy", "jax" or "torch", or its module.
        device: where they are; by default the library's choice.
        states: fill up arrays to this number of states, so that the tables of as many other mazes, with more or fewer
            open tiles, have the same shapes: what is compiled for one takes the other.
        keywords: of the environment: `observation=`, `slip=`, `time_limit=`, `info=`, `autoreset_mode=`, and so on.

    Raises:
        ImportError: the library is not installed.
        ValueError: as `MazeVectorEnv`; a keyword that the functional engine does not have (`after`, `lateness`),
            or does not have for a new maze at each reset; too many states, or more than `states`.

    Example:
        >>> from mazegrad.envs import functional
        >>> tables = functional.tables("mazegrad/Maze-v0", size=(3, 3), level_seeds=range(100), info=("distance",))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=5))
        >>> functional.info(tables, state)["distance"]  # five lanes, each in a level of its own
        array([ 8, 12,  8,  8,  8])
    """
    lanes = len(maze) if isinstance(maze, Sequence) and not isinstance(maze, str) else 1
    if isinstance(maze, str) and maze.count("/") == 1 and maze.split("/")[1].endswith("-v0"):
        env = _planned(maze, {"num_envs": lanes, **keywords})
    else:
        env = MazeVectorEnv(maze, lanes, engine=None, **keywords)
    if not isinstance(env, MazeVectorEnv):
        raise ValueError(f"the functional engine steps mazes; {maze!r:.80} is another environment")
    return planned_tables(env.plan, env.autoreset_mode, functions_of(xp), device, states)


def tables_of(env: Any, xp: Any, device: Any = None, mode: str = "Disabled") -> Tables:
    """Return the tables of an environment that was made, with the info "success".

    Args:
        env: a single or vector environment of this library's mazes, wrapped or not.
        xp, device: see `tables`.
        mode: the autoreset mode.

    Raises:
        TypeError: another environment.
        ImportError, ValueError: see `tables`.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.envs import functional
        >>> env = gymnasium.make("mazegrad/FourRooms-v0", observation="position")
        >>> tables = functional.tables_of(env, "numpy")
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=1))
        >>> bool((functional.observe(tables, state)[0] == env.reset(seed=0)[0]).all())
        True
    """
    bare = env.unwrapped
    plan = getattr(bare, "plan", None)
    if plan is None and isinstance(bare, MazeEnv) and bare.spec is not None:
        made = _planned(bare.spec.id, {**bare.spec.kwargs, "num_envs": 1, "render_mode": None})
        plan = getattr(made, "plan", None)
    if not isinstance(plan, Plan):
        raise TypeError(f"the functional engine steps mazes of this library that gymnasium.make made, not {env}")
    info = tuple(dict.fromkeys((*plan.settings.info, "success")))
    settings = replace(plan.settings, info=info, map_warnings=False)  # it has warned of its maps when it was made
    return planned_tables(plan._replace(settings=settings), AutoresetMode(mode), functions_of(xp), device)


def _planned(env_id: str, keywords: dict[str, Any]) -> Any:
    """Return the vector environment of an id; one of ours without an engine, since its plan is all that is needed."""
    entry = str(gymnasium.spec(env_id).vector_entry_point)
    ours = entry.startswith("mazegrad.envs.worlds:") and not entry.endswith(":tabular") and "agents" not in keywords
    return gymnasium.make_vec(env_id, **({"engine": None} if ours else {}) | keywords)


def planned_tables(plan: Plan, mode: AutoresetMode, xp: Namespace, device: Any, states: int | None = None) -> Tables:
    """Return the tables of an environment that was planned; see `tables`."""
    settings, levels = plan.settings, plan.levels
    array = on_device(xp, device)
    for name, given in (("after", plan.changes), ("lateness", settings.lateness)):
        if given:
            raise ValueError(f"the functional engine does not have {name}=; leave it out, or use engine='numpy'")
    if levels is not None and levels.keys is None:
        if states is not None:
            raise ValueError("states= fills up the tables of given mazes; leave it out for a new maze at each reset")
        by_size = settings.time_limit == "auto"
        bounds = [limit for limit in (None if by_size else settings.limit(int), plan.longest) if limit is not None]
        made = laid_out_fresh(
            settings.setup,
            plan.sight,
            first=plan.mazes[0],
            levels=levels,
            time_limit=None if by_size or not bounds else min(bounds),
            longest=min([2**31 - 2, *bounds]) if by_size else None,
            info=settings.info,
            discount=settings.discount,
            mode=MODES[mode],
            array=array,
        )
        return with_error(made, plan.sight, settings.dots_error, array)
    mazes, numbers = _mazes(plan)
    world = settings.setup.compile(mazes)
    if levels is None and settings.map_warnings:
        odd = np.flatnonzero(~plainly_fine(mazes)).tolist()
        if odd:
            settings.question(world if len(odd) == len(mazes) else World.stack([*map(world.only, odd)]), {})
    limits = settings.limit(lambda: _auto_limits(world, levels))
    bounds = [limit for limit in (limits, plan.longest) if limit is not None]
    time_limit = np.atleast_1d(np.minimum(bounds[0], bounds[-1])) if bounds else None
    made = laid_out(
        world,
        settings.setup,
        plan.sight,
        time_limit=time_limit,
        lanes=numbers,
        repeat=None if levels is None or levels.pinned else np.array([levels.repeat][: levels.repeat > 1], dtype=int),
        info={name: _info_table(name, world, settings.discount, levels) for name in settings.info},
        mode=MODES[mode],
        array=array if states is None else np.asarray,
    )
    if states is not None:
        made = moved(filled(made, max(len(plan.mazes), len(made.first)), states), array)
    return with_error(made, plan.sight, settings.dots_error, array)


def _mazes(plan: Plan) -> tuple[list[Maze], NDArray[np.int64] | None]:
    """Return the mazes of an environment, each once but for those of levels, and which of them lanes are in."""
    levels = plan.levels
    if levels is not None:
        keys = levels.keys or ()
        batch = levels.batch and levels.batch(np.array(keys, dtype=np.uint64))
        every = [levels.make(key) for key in keys] if batch is None else [Maze(tiles) for tiles in batch]
        plan.settings.setup.checked(every, plan.sight)
        return every, np.arange(len(keys)) if levels.pinned else None
    plan.settings.setup.checked(plan.mazes, plan.sight)
    number: dict[Maze, int] = {}
    numbers = np.array([number.setdefault(maze, len(number)) for maze in plan.mazes])
    return list(number), numbers if len(number) > 1 else None


def _auto_limits(world: World, levels: Levels | None) -> NDArray[np.int64]:
    if levels is not None and levels.batch is not None:
        return np.array([size_limit(np.count_nonzero(maze.open)) for maze in world.mazes])
    return explorer_limits(world)


def _info_table(name: str, world: World, discount: float, levels: Levels | None) -> NDArray[Any]:
    if name == "level" and levels is not None:
        keys = np.array(levels.keys, dtype=np.uint64)
        named = Levels(levels.make, seeded=levels.seeded).named(keys)
        return np.asarray(named)[world.maze_of]
    return info_table(name, world, discount)

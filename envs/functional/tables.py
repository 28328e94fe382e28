"""Tables: all that the steps of an environment read, as arrays of any library, in one NamedTuple."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ..core.places import places_of
from ..core.rules import cases, noise_of
from ..core.world import World
from ..engines.engine import Setup
from ..env import MazeEnv
from ..info import info_table
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..maps.randomness import below
from ..observations import Sight
from ..observations.sight import row_bytes
from ..planning.hitting import explorer_limits, size_limit
from ..vector import MazeVectorEnv, Plan
from .namespace import Array, Maybe, Namespace, functions_of, on_device

MAX_BYTES: Final = 2**30
"""of the observations of all states, which are a table"""


# The ways to go on after an episode: tuples without fields have no leaves, so that `jit` takes them for structure.


class NextStep(NamedTuple):
    """The step after an episode's last one leads to the next start, whatever the action."""


class SameStep(NamedTuple):
    """The step that ends an episode leads to the next start."""


class Disabled(NamedTuple):
    """A lane whose episode is over stays where it is, until `restart`."""


MODES: Final[dict[AutoresetMode, NextStep | SameStep | Disabled]] = {
    AutoresetMode.NEXT_STEP: NextStep(),
    AutoresetMode.SAME_STEP: SameStep(),
    AutoresetMode.DISABLED: Disabled(),
}


class Tables(NamedTuple):
    """What steps read: arrays alone, so that it is a pytree. What an environment does not have is None.

    A place is state * wide, so that place + action is the index of a move. A move is one word, from its lowest bit:
    what is observed after it (as many bits as `bits` has entries), whether it ends the episode, the number of its
    reward (as many bits as `rewards`, if it is a list, needs) and the place that it leads to. Column A of a state is
    the move of an agent that stays; so are those after it.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> tables = functional.tables(Maze.from_text("S.G"), time_limit=10)
        >>> tables.words.shape, tables.actions, tables.limits, tables.rewards
        ((1, 3, 8), array([0, 1, 2, 3], dtype=int32), None, array([0., 1.]))
    """

    words: Array
    """(cases, S, wide) int32: A + 1 moves of each state, filled up to a power of two; by case of the noise"""
    rewards: Array
    """(2**k,) different rewards by number; or (cases, S, wide), where they are too many for the words"""
    bits: Maybe
    """(D,) int32, 0 to D - 1: the bits of "dots" in a word; None: `seen` is observed"""
    seen: Any
    """(S, ...), or a dict of such tables: what is observed in a state; None: the bits of a word"""
    actions: Array
    """(A,) int32, 0 to A - 1"""
    limits: Maybe
    """(cases - 1, 2, S * wide or 1) int32: random numbers below the first k mean case k; see `words.below`"""
    starts: Array
    """(K,) int32: the places where episodes begin, maze by maze"""
    first: Array
    """(mazes,) int32: where a maze's starts begin in `starts`"""
    count: Array
    """(mazes,) int32: how many it has"""
    maze_of: Maybe
    """(S,) int32: the maze of a state; None where there is one"""
    lanes: Maybe
    """(n,) int32: the mazes of lanes, lane i that of i modulo n; None: the first, or they are drawn"""
    repeat: Maybe
    """(1,) int32: how many episodes a lane stays in a level that it draws, (0,) for one; None: mazes are not drawn"""
    time_limit: Maybe
    """(mazes or 1,) int32"""
    info: dict[str, Array]
    """(S, ...) tables by name"""
    mode: NextStep | SameStep | Disabled
    """how it goes on after an episode"""


def tables(
    maze: Maze | str | Path | Levels | World | Sequence[Maze | str | Path | World],
    /,
    *,
    xp: Any = "numpy",
    device: Any = None,
    **keywords: Any,
) -> Tables:
    """Return the tables of an environment.

    Args:
        maze: an id, such as "mazegrad/TMaze-v0"; or a maze, a text, a file, a shipped name, a World or `Levels`, as
            `MazeVectorEnv` takes them; a list of mazes is for as many lanes, the i-th for lane i, modulo their number.
        xp: the library of the arrays: "numpy", "jax" or "torch", or its module.
        device: where they are; by default the library's choice.
        keywords: of the environment: `observation=`, `slip=`, `time_limit=`, `info=`, `autoreset_mode=`, and so on.

    Raises:
        ImportError: the library is not installed.
        ValueError: as `MazeVectorEnv`; a keyword that the functional engine does not have (`after`, `lateness`,
            `dots_error`); a new maze at each reset (give `level_seeds=`, or see `fresh_tables`); too many states.

    Example:
        >>> from mazegrad.envs import functional
        >>> tables = functional.tables("mazegrad/Maze-v0", size=(3, 3), level_seeds=range(100), info=("distance",))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=5))
        >>> functional.info(tables, state)["distance"]  # five lanes, each in a level of its own
        array([ 8, 12,  8,  8,  8])
    """
    lanes = len(maze) if isinstance(maze, Sequence) and not isinstance(maze, str) else 1
    if isinstance(maze, str) and maze.count("/") == 1 and maze.split("/")[1].endswith("-v0"):
        env = gymnasium.make_vec(maze, num_envs=keywords.pop("num_envs", lanes), **keywords)
    else:
        env = MazeVectorEnv(maze, lanes, **keywords)
    if not isinstance(env, MazeVectorEnv):
        raise ValueError(f"the functional engine steps mazes; {maze!r:.80} is another environment")
    return planned_tables(env.plan, env.autoreset_mode, functions_of(xp), device)


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
        made = gymnasium.make_vec(bare.spec.id, num_envs=1, **{**bare.spec.kwargs, "render_mode": None})
        plan = getattr(made, "plan", None)
    if not isinstance(plan, Plan):
        raise TypeError(f"the functional engine steps mazes of this library that gymnasium.make made, not {env}")
    settings = replace(plan.settings, info=tuple(dict.fromkeys((*plan.settings.info, "success"))))
    return planned_tables(plan._replace(settings=settings), AutoresetMode(mode), functions_of(xp), device)


def planned_tables(plan: Plan, mode: AutoresetMode, xp: Namespace, device: Any) -> Tables:
    """Return the tables of an environment that was planned; see `tables`."""
    settings, levels = plan.settings, plan.levels
    for name, given in (("after", plan.changes), ("lateness", settings.lateness), ("dots_error", settings.dots_error)):
        if given:
            raise ValueError(f"the functional engine does not have {name}=; leave it out, or use engine='numpy'")
    if levels is not None and levels.keys is None:
        raise ValueError(
            "the functional engine has a set of levels in its tables: give level_seeds=, as in level_seeds=range(1000)"
        )
    mazes, numbers = _mazes(plan)
    world = settings.setup.compile(mazes)
    limits = settings.limit(lambda: _auto_limits(world, levels))
    bounds = [limit for limit in (limits, plan.longest) if limit is not None]
    time_limit = np.atleast_1d(np.minimum(bounds[0], bounds[-1])) if bounds else None
    return _laid_out(
        world,
        settings.setup,
        plan.sight,
        time_limit=time_limit,
        lanes=numbers,
        repeat=None if levels is None or levels.pinned else np.array([levels.repeat][: levels.repeat > 1], dtype=int),
        info={name: _info_table(name, world, settings.discount, levels) for name in settings.info},
        mode=MODES[mode],
        array=on_device(xp, device),
    )


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


def _laid_out(
    world: World,
    setup: Setup,
    sight: Sight,
    *,
    time_limit: NDArray[np.int64] | None,
    lanes: NDArray[np.int64] | None,
    repeat: NDArray[np.int64] | None,
    info: Mapping[str, NDArray[Any]],
    mode: NextStep | SameStep | Disabled,
    array: Any,
) -> Tables:
    """Return the tables of a world."""
    states, actions = world.states, world.actions
    wide = 1 << actions.bit_length()  # more than the actions: at least one column for those who stay
    listed = cases(world)
    happening = listed.probability.shape[2] if world.noisy else 1
    following = np.repeat(np.arange(states)[None, :, None], happening, axis=0).repeat(wide, axis=2)
    reward, over = np.zeros(following.shape), np.zeros(following.shape, dtype=np.bool_)
    for case in range(happening):
        following[case, :, :actions] = listed.next_state[:, :, case]
        reward[case, :, :actions] = listed.reward[:, :, case]
        over[case, :, :actions] = listed.terminal[:, :, case]
    seen = _observed(world, setup, sight)
    bits, word = None, over.astype(np.int64)
    places = (states * wide - 1).bit_length()
    if sight.bits_alone and 1 + places + (dots := sight.dots) <= 31:
        numbers = next(iter(seen.values())).reshape(states, dots).astype(np.int64) @ (1 << np.arange(dots))
        bits, seen = np.arange(dots), {}
        word = word << dots | numbers[following]
    used = (0 if bits is None else len(bits)) + 1
    values = np.unique(reward)
    width = int(len(values) - 1).bit_length()
    rewards = reward
    if width + used + places <= 31:
        word |= np.searchsorted(values, reward) << used
        used += width
        rewards = np.concatenate([values, np.full((1 << width) - len(values), values[-1])])
    if used + places > 31:
        most = (1 << (31 - used)) // wide
        raise ValueError(f"the functional engine has room for {most:,} states, not for {states:,}")
    word |= following * wide << used
    first = np.searchsorted(world.maze_of[world.start_states], np.arange(len(world.mazes) + 1))

    def small(numbers: NDArray[Any] | None) -> Array | None:
        return None if numbers is None else array(numbers.astype(np.int32))

    return Tables(
        words=small(word),
        rewards=array(rewards),
        bits=small(bits),
        seen=sight.together({name: array(table) for name, table in seen.items()}) if seen else None,
        actions=small(np.arange(actions)),
        limits=small(_limits(world, happening, wide)),
        starts=small(world.start_states * wide),
        first=small(first[:-1]),
        count=small(np.diff(first)),
        maze_of=small(world.maze_of) if len(world.mazes) > 1 else None,
        lanes=small(lanes),
        repeat=small(repeat),
        time_limit=small(_one_where_alike(time_limit)),
        info={name: array(table) for name, table in info.items()},
        mode=mode,
    )


def _observed(world: World, setup: Setup, sight: Sight) -> dict[str, NDArray[Any]]:
    """Return by name what is observed in each state, (S, ...)."""
    size = sum(row_bytes(space) for space in sight.spaces.values()) * world.states
    if size > MAX_BYTES:
        raise ValueError(
            f"what is observed in {world.states:,} states takes {size / 2**30:.1f} GiB as a table, more than "
            f"{MAX_BYTES / 2**30:.0f}; choose a smaller observation, such as 'dots' or 'view', or fewer levels"
        )
    places = places_of(world, np.arange(world.states))
    return {name: look(places) for name, look in sight.looks(setup.scene_of(world.mazes)).items()}


def _limits(world: World, happening: int, wide: int) -> NDArray[np.int64] | None:
    """Return the thresholds of the cases, in two words each; one for all moves, where they are the same."""
    if happening == 1:
        return None
    noise = noise_of(world)
    limits = np.moveaxis(below(noise.below)[noise.kind], 2, 0)  # (cases - 1, S, A)
    lively = limits[:, ~world.terminal]
    if (lively == lively[:, :1, :1]).all():
        flat = lively[:, :1, 0]
    else:
        flat = np.zeros((happening - 1, world.states, wide), dtype=np.uint64)
        flat[:, :, : world.actions] = limits
        flat = flat.reshape(happening - 1, -1)
    return np.stack([flat >> np.uint64(26), flat & np.uint64(2**26 - 1)], axis=1).astype(np.int64)


def _one_where_alike(limits: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    if limits is None:
        return None
    limits = np.minimum(limits, 2**31 - 2)
    return limits[:1] if (limits == limits[0]).all() else limits

"""A World laid out in words of 32 bits, one a move."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.places import places_of
from ..core.rules import cases, noise_of
from ..core.world import World
from ..engines.engine import Setup
from ..engines.fresh import kinds_of_cells, rewards_of_arriving, world_of_kinds
from ..info import INFO, LOCAL
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..maps.randomness import below
from ..observations import Sight
from ..observations.sight import row_bytes
from .fresh import Fresh, maker_of
from .looks import looks_of
from .structure import Disabled, NextStep, SameStep, Tables
from .whole_mazes import whole_mazes

MAX_BYTES: Final = 2**30
"""of the observations of all states, which are a table"""


def laid_out(
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
    """Return the tables of a world: all mazes are in them.

    Raises:
        ValueError: there are too many states, or what is seen in them is too large for a table.
    """
    states, actions = world.states, world.actions
    wide = 1 << actions.bit_length()  # more than the actions: at least one column for those who stay
    following, reward, over = _moves(world, np.arange(states), wide)
    seen = _observed(world, setup, sight)
    bits, word = None, over.astype(np.int64)
    places = (states * wide - 1).bit_length()
    if sight.bits_alone and 1 + places + (dots := sight.dots) <= 31:
        numbers = next(iter(seen.values())).reshape(states, dots).astype(np.int64) @ (1 << np.arange(dots))
        bits, seen = np.arange(dots), {}
        word = word << dots | numbers[following]
    word, used, rewards = _with_rewards(word, (0 if bits is None else len(bits)) + 1, reward, places)
    if used + places > 31:
        most = (1 << (31 - used)) // wide
        raise ValueError(f"the functional engine has room for {most:,} states, not for {states:,}")
    word |= following * wide << used
    first = np.searchsorted(world.maze_of[world.start_states], np.arange(len(world.mazes) + 1))
    small = _small(array)
    return Tables(
        words=small(word),
        rewards=array(rewards),
        bits=small(bits),
        seen=sight.together({name: array(table) for name, table in seen.items()}) if seen else None,
        actions=small(np.arange(actions)),
        limits=small(_limits(world, len(word), wide)),
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


def laid_out_fresh(
    setup: Setup,
    sight: Sight,
    *,
    first: Maze,
    levels: Levels,
    time_limit: int | None,
    longest: int | None,
    info: Sequence[str],
    discount: float,
    mode: NextStep | SameStep | Disabled,
    array: Any,
) -> Tables:
    """Return the tables of new mazes at each reset: the moves on each kind of cell, and who makes the mazes.

    Args:
        first: one of the levels.
        time_limit: for all mazes; None: where `longest` is given each has its own, by its size and that at most.
        longest: see `time_limit`; None: the size sets no limit.
        info, discount: see `MazeEnv`.

    Raises:
        ValueError: levels that are not made in batches, or what is seen, or in `info`, is not here.
    """
    where_to = "give level_seeds=, or use engine='numpy'"
    if levels.batch is None or setup.rewards.get("bump"):
        raise ValueError(f"the functional engine draws new mazes of walls and floor, with four moves alone; {where_to}")
    if "level" in info:
        raise ValueError(f"the functional engine has no info 'level' of a new maze at each reset; {where_to}")
    if setup.shaping is not None:
        raise ValueError(f"the functional engine does not shape the rewards of a new maze at each reset; {where_to}")
    height, width = first.tiles.shape
    world, middle = world_of_kinds(setup, kinds_of_cells())
    wide = 1 << world.actions.bit_length()
    row, column = np.divmod(world.cell[_moves(world, middle, wide)[0]], 3)
    word = (row - 1) * width + column - 1
    small, one = _small(array), np.zeros(1, dtype=np.int64)
    limits = (
        None if time_limit is None and longest is None else np.array([2**31 - 2 if time_limit is None else time_limit])
    )
    whole = [name for name in INFO if name not in LOCAL and (name in info or name in map(sight.kind, sight.bare))]
    of_whole = whole_mazes(whole, discount, setup, alike=world, first=first, array=array)
    tables = {name: array(INFO[name](world, discount)[middle]) for name in info if name in LOCAL}
    own = np.array([longest][: time_limit is None and longest is not None], dtype=np.int64)
    return Tables(
        words=small(word),
        rewards=array(np.array(rewards_of_arriving(setup))),
        bits=None,
        seen=looks_of(setup, sight, (height, width), array),
        actions=small(np.arange(world.actions)),
        limits=small(_limits(world, len(word), wide)),
        starts=small(one),
        first=small(one),
        count=small(one + 1),
        maze_of=None,
        lanes=None,
        repeat=small(one[:0]),
        time_limit=small(limits),
        info={name: tables.get(name, of_whole.zeros.get(name)) for name in info},
        mode=mode,
        fresh=Fresh(
            maker_of(levels.batch, height, width),
            of_whole,
            small(np.array([levels.repeat])),
            small(own),
        ),
    )


def _small(array: Any) -> Any:
    """Return the function from numpy's integers to int32 of the library at hand."""
    return lambda numbers: None if numbers is None else array(numbers.astype(np.int32))


def _moves(
    world: World, rows: NDArray[np.int64], wide: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the next states, rewards and ends of moves, (cases, rows, wide) each; columns past the actions stay."""
    listed, actions = cases(world), world.actions
    happening = listed.probability.shape[2]
    following = np.repeat(rows[None, :, None], happening, axis=0).repeat(wide, axis=2)
    reward, over = np.zeros(following.shape), np.zeros(following.shape, dtype=np.bool_)
    for case in range(happening):
        following[case, :, :actions] = listed.next_state[rows, :, case]
        reward[case, :, :actions] = listed.reward[rows, :, case]
        over[case, :, :actions] = listed.terminal[rows, :, case]
    return following, reward, over


def _with_rewards(
    word: NDArray[np.int64], used: int, reward: NDArray[np.float64], places: int
) -> tuple[NDArray[np.int64], int, NDArray[np.float64]]:
    """Return words with the numbers of rewards above `used` bits, how many bits are used, and rewards by number.

    Where they are too many for what `places` bits leave, the words stay and the rewards are a table.
    """
    values = np.unique(reward)
    width = int(len(values) - 1).bit_length()
    if width + used + places > 31:
        return word, used, reward
    word = word | np.searchsorted(values, reward) << used
    return word, used + width, np.concatenate([values, np.full((1 << width) - len(values), values[-1])])


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

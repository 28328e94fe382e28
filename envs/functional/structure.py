"""What the functional engine keeps, as NamedTuples of arrays: pytrees, which `jit`, `vmap` and checkpoints take."""

from typing import Any, Final, NamedTuple

from gymnasium.vector import AutoresetMode

from .namespace import Array, Maybe

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
    """(cases, S, wide) int32: A + 1 moves of each state, filled up to a power of two; by case of the noise. With
    `fresh` mazes a word is the change of the cell, for 32 kinds of cells in place of states"""
    rewards: Array
    """(2**k,) different rewards by number; or (cases, S, wide), where they are too many for the words; with `fresh`
    mazes (2,), of a usual move and of one to the goal"""
    bits: Maybe
    """(D,) int32, 0 to D - 1: the bits of "dots" in a word; None: `seen` is observed"""
    seen: Any
    """(S, ...), or a dict of such tables: what is observed in a state; with `fresh` mazes, how it is seen; None: the
    bits of a word"""
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
    fresh: Any = None
    """`Fresh`: where new mazes come from; None: all mazes are in the tables"""
    error: Maybe = None
    """a dict by the names of what has dots ("" for one kind alone) of (2,) int32: bits are seen wrongly where random
    numbers are below that; see `words.below`"""


class Mazes(NamedTuple):
    """The mazes that lanes are in, and some made ahead: lane i's n-th is in its slot n modulo the number of slots."""

    cells: Array
    """(lanes, slots, height * width) uint8: which neighbours are open (bits 0 to 3), and whether the cell is a goal
    (4), open (5), the start (6), nothing (7)"""
    start: Array
    """(lanes, slots) int32: its cell"""
    goal: Array
    """(lanes, slots) int32: the first one's cell"""
    limit: Maybe
    """(lanes, slots) int32: the step limit, where each maze has its own"""
    made: Array
    """(lanes,) int32: the number of the last maze that was made, -1 for none"""
    tables: dict[str, Array]
    """(lanes, slots, height * width, ...) by name: what a whole maze decides, such as values"""


class State(NamedTuple):
    """Where lanes are in their episodes: arrays alone, so that it is a pytree. What is not needed is None.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, functional
        >>> tables = functional.tables(Maze.from_text("S.G"))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> _, later, *_ = functional.step(tables, state, np.array([RIGHT, RIGHT]))
        >>> state.steps, later.steps  # a step returns another state, and leaves this one as it was
        (array([0, 0], dtype=int32), array([1, 1], dtype=int32))
    """

    at: Array
    """(lanes,) int32: the place, state * wide; in fresh mazes, the cell among those of all slots of the lane"""
    steps: Maybe
    """(lanes,) int32: steps since the episode began; None without a time limit"""
    over: Maybe
    """(lanes,) bool: whether the episode is over; None where the next one begins at once"""
    maze: Maybe
    """(lanes,) int32: the maze that a lane keeps, or the slot in which it is; None where it is drawn, or the same for
    all"""
    key: Maybe
    """a pair, the upper and lower words, (lanes,) int32 each: the key, moved on by each episode, whose hash is the
    stream of the episode; None if nothing is random"""
    random: Maybe
    """a pair likewise: where in the stream the next move draws; None where moves are as meant"""
    episode: Maybe
    """(lanes,) int32: its number; None if that decides nothing"""
    mazes: Maybe = None
    """`Mazes`, where each episode has a new one"""
    sight: Maybe = None
    """a pair: where in the streams of sight what is seen now draws; None where nothing is seen wrongly"""

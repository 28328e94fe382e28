"""A World is a drawing compiled into tables: the next state, the reward and the end of every move, to be looked up."""

import contextlib
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import read_only, whole
from ..maps.maze import Maze
from .compile import TooManyStates, compile_tables


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Read-only tables over states 0..S-1 and the four directions.

    A state is a cell of a maze, times what the agent carries. A maze without keys and items has one state for each open
    cell, other mazes have the reachable states. `World.stack` lays worlds end to end, with shifted state numbers.
    """

    mazes: tuple[Maze, ...]
    next_state: NDArray[np.int64]
    """(S, 4): the state that a step in this direction leads to."""
    reward: NDArray[np.float64]
    """(S, 4): the reward of that step."""
    terminal: NDArray[np.bool_]
    """(S,): the episode is over here; a terminal state leads to itself with reward 0."""
    goal: NDArray[np.bool_]
    """(S,): the terminal states that are goals."""
    slip: NDArray[np.float64]
    """(S,): the probability that a move from here slips sideways, half of it to either side."""
    dots: NDArray[np.int8]
    """(S, 4): 1 where the neighbour in this direction can be entered: the observation of exercise 38."""
    start_states: NDArray[np.int64]
    """(K,): where episodes begin, in reading order, maze by maze."""
    cell: NDArray[np.int64]
    """(S,): row * width + column of the state in its maze."""
    carried: NDArray[np.int64]
    """(S,): what the agent carries, a set of bits (`core/inventory.py`); 0 where the maze has no keys and no items."""
    maze_of: NDArray[np.int64]
    """(S,): the number of the state's maze in `mazes`."""

    def __post_init__(self) -> None:
        for name in TABLES:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def states(self) -> int:
        """The number of states, S."""
        return len(self.cell)

    def __reduce__(self) -> tuple[Any, ...]:
        return World, (self.mazes, *(getattr(self, name) for name in TABLES))  # read-only again

    def __repr__(self) -> str:
        return f"<World of {len(self.mazes)} maze(s), {self.states} states, {len(self.start_states)} start(s)>"

    @classmethod
    def compile(
        cls,
        maze: Maze | Sequence[Maze],
        *,
        rewards: Mapping[str, float] = MappingProxyType({}),
        slip: float | None = None,
    ) -> "World":
        """Compute the tables of one maze, or of several, stacked; mazes of one size are compiled at once.

        Args:
            maze: one or several; each needs a start.
            rewards: by name, over the metadata of each maze, over the defaults `REWARDS`.
            slip: the probability that a move slips sideways, except on ice; by default each maze's metadata, else 0.

        Raises:
            MazeError: a maze without a start, a teleporter without its twin, a `wind` that does not give one number for
                each column, a `trap: restart` without a single start, too many keys and items.
            ValueError: an unknown reward, or one that is not finite; a slip that is not a probability; no mazes.
            TypeError: something else than a Maze, such as a text.
        """
        mazes = tuple(maze) if isinstance(maze, Iterable) else (maze,)
        for one in mazes:
            if not isinstance(one, Maze):
                raise TypeError(
                    f"World.compile takes a Maze or several, not {maze!r:.40}; Maze.from_text reads a drawing"
                )
        if len({maze.tiles.shape for maze in mazes}) == 1:
            with contextlib.suppress(TooManyStates):
                return cls(mazes, **compile_tables(mazes, rewards, slip))
        return cls.stack([cls.compile(maze, rewards=rewards, slip=slip) for maze in mazes])

    @classmethod
    def stack(cls, worlds: Sequence["World"]) -> "World":
        """Return worlds laid end to end: the states of the i-th are shifted by the number of states before it.

        Raises:
            ValueError: no worlds.
            TypeError: one of them is not a World.
        """
        worlds = [checked_world(world) for world in worlds]
        if not worlds:
            raise ValueError("World.stack needs at least one world")
        before = np.cumsum([0] + [world.states for world in worlds])
        mazes_before = np.cumsum([0] + [len(world.mazes) for world in worlds])
        shift = {"next_state": before, "start_states": before, "maze_of": mazes_before}
        return cls(
            tuple(maze for world in worlds for maze in world.mazes),
            *(
                np.concatenate(
                    [
                        getattr(w, name) + shift[name][i] if name in shift else getattr(w, name)
                        for i, w in enumerate(worlds)
                    ]
                )
                for name in TABLES
            ),
        )

    def only(self, number: int) -> "World":
        """Return the world of one maze of a stack, its states numbered from 0, as if compiled alone.

        Args:
            number: of the maze, from 0.

        Raises:
            TypeError: not an integer.
            ValueError: the stack does not have this maze.
        """
        number = whole("number", number, 0)
        if number >= len(self.mazes):
            raise ValueError(f"number must be from 0 to {len(self.mazes) - 1}, the mazes of this World, not {number}")
        first, end = (int(state) for state in np.searchsorted(self.maze_of, [number, number + 1]))
        mine = slice(first, end)
        tables = {name: getattr(self, name)[mine] for name in TABLES}
        tables["next_state"] = tables["next_state"] - first
        tables["start_states"] = self.start_states[self.maze_of[self.start_states] == number] - first
        tables["maze_of"] = np.zeros_like(tables["maze_of"])
        return World((self.mazes[number],), **tables)


def checked_world(world: World) -> World:
    """Return the world.

    Raises:
        TypeError: not a World, but a Maze, say.
    """
    if not isinstance(world, World):
        raise TypeError(f"expected a World, World.compile(maze), not {type(world).__name__}")
    return world


def checked_state(world: World, state: Any) -> int:
    """Return the state as an int.

    Raises:
        TypeError: the state is not an integer, or the world is not a World.
        ValueError: the world does not have this state.
    """
    try:
        number = operator.index(state)
    except TypeError:
        raise TypeError(f"a state must be an integer, not {state!r:.80}") from None
    if not 0 <= number < checked_world(world).states:
        raise ValueError(f"a state of this World is a number from 0 to {world.states - 1}, not {number}")
    return number


TABLES: Final = tuple(field.name for field in fields(World) if field.name != "mazes")

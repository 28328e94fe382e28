"""A World is a drawing compiled into tables: what each move leads to, earns and ends, looked up ever after."""

import contextlib
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import read_only
from ..maps.maze import Maze
from .compile import TooManyStates, compile_tables


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Read-only tables over states 0..S-1 and the four directions.

    A state is a cell of a maze, times what the agent carries; a maze with nothing to carry has one state for each open
    cell, others have those that can be reached. `World.stack` lays worlds end to end, with shifted state numbers.
    """

    mazes: tuple[Maze, ...]
    next_state: NDArray[np.int64]
    """(S, 4): the state that a step in this direction leads to."""
    reward: NDArray[np.float64]
    """(S, 4): what that step earns."""
    terminal: NDArray[np.bool_]
    """(S,): the episode is over here; a terminal state leads to itself and earns nothing."""
    goal: NDArray[np.bool_]
    """(S,): the terminal states that were to be reached."""
    slip: NDArray[np.float64]
    """(S,): the probability that a move from here goes sideways, half of it to either side."""
    dots: NDArray[np.int8]
    """(S, 4): 1 where the neighbour in this direction can be entered: the observation of exercise 38."""
    start_states: NDArray[np.int64]
    """(K,): where episodes begin, in reading order, maze by maze."""
    cell: NDArray[np.int64]
    """(S,): row * width + column of the state in its maze."""
    carried: NDArray[np.int64]
    """(S,): what is carried, a set of bits (`mazegrad.envs.things`); 0 where the maze has no keys and no items."""
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
        """Compute the tables of a maze, or those of many mazes, stacked; mazes of one size are compiled at once.

        Args:
            maze: one or several; each needs a start.
            rewards: what things earn, over the metadata of each maze, over the defaults `REWARDS`.
            slip: the probability that a move goes sideways, ice apart; by default each maze's metadata, else 0.

        Raises:
            MazeError: a maze without a start, a teleporter without its twin, a `wind` that is not one number a column,
                a `trap: restart` without a single start, too many things to carry.
            ValueError: an unknown reward, or one that is not finite; a slip that is not a probability; no maze at all.
            TypeError: something that is no Maze, such as a text.
        """
        mazes = tuple(maze) if isinstance(maze, Iterable) else (maze,)
        for one in mazes:
            if not isinstance(one, Maze):
                raise TypeError(
                    f"a World is compiled of a Maze or of several, not of {maze!r:.40}; Maze.from_text reads a drawing"
                )
        if len({maze.tiles.shape for maze in mazes}) == 1:
            with contextlib.suppress(TooManyStates):
                return cls(mazes, **compile_tables(mazes, rewards, slip))
        return cls.stack([cls.compile(maze, rewards=rewards, slip=slip) for maze in mazes])

    @classmethod
    def stack(cls, worlds: Sequence["World"]) -> "World":
        """Lay worlds end to end: the states of the i-th are shifted by the number of states before it.

        Raises:
            ValueError: there are none.
            TypeError: one of them is no World.
        """
        worlds = [checked_world(world) for world in worlds]
        if not worlds:
            raise ValueError("there is nothing to stack: give at least one world")
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


def checked_world(world: World) -> World:
    """Return the world.

    Raises:
        TypeError: it is none, but a drawing, say.
    """
    if not isinstance(world, World):
        raise TypeError(f"this reads the tables of a World, World.compile(maze), not of a {type(world).__name__}")
    return world


def checked_state(world: World, state: Any) -> int:
    """Return the state.

    Raises:
        TypeError: it is no integer, or the world is no World.
        ValueError: there is no such state.
    """
    try:
        number = operator.index(state)
    except TypeError:
        raise TypeError(f"a state of this World is an integer, not {state!r:.80}") from None
    if not 0 <= number < checked_world(world).states:
        raise ValueError(f"a state of this World is a number from 0 to {world.states - 1}, not {number}")
    return number


TABLES: Final = tuple(field.name for field in fields(World) if field.name != "mazes")

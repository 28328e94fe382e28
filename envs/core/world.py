"""A World is a drawing compiled into tables: the next state, the reward and the end of every move, to be looked up."""

import contextlib
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import fraction, read_only, whole
from ..maps.keywords import dressed_all, physics, slips_alone
from ..maps.maze import Maze
from ..maps.moves import Moves, moves_of
from .compile import common_moves, compile_tables
from .noise import Noise, alike, as_noise, columns_of, stacked
from .states import TooManyStates


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Read-only tables over states 0..S-1 and M moves, of which the first A are the actions, as meant.

    A state is a cell of a maze, times what the agent carries, and where actions turn, times its heading. A maze without
    keys and items has a state for each open cell and heading, other mazes have the reachable states. By default A = M =
    4, the directions; `actions` of a maze says which others, and there are more moves where noise leads to steps that
    no action makes. `World.stack` lays worlds end to end, with shifted state numbers.

    Example:
        >>> from mazegrad.envs import Maze, World
        >>> world = World.compile(Maze.from_text("S.G"))
        >>> world.states, world.actions
        (3, 4)
        >>> world.next_state  # up, right, left, down of the three cells
        array([[0, 1, 0, 0],
               [1, 2, 0, 1],
               [2, 2, 2, 2]])
        >>> world.reward[1]  # of the cell before the goal
        array([0., 1., 0., 0.])
    """

    mazes: tuple[Maze, ...]
    next_state: NDArray[np.int64]
    """(S, M): the state that a move leads to."""
    reward: NDArray[np.float64]
    """(S, M): the reward of that move."""
    terminal: NDArray[np.bool_]
    """(S,): the episode is over here; a terminal state leads to itself with reward 0."""
    goal: NDArray[np.bool_]
    """(S,): the terminal states that are goals."""
    slip: NDArray[np.float64]
    """(S,): the probability that a move from here slips sideways, half to either side; 0 where `noise` says it."""
    dots: NDArray[np.int8]
    """(S, D): 1 where the step in this direction can be made: the observation of exercise 38; see `Moves.seen`."""
    start_states: NDArray[np.int64]
    """(K,): where episodes begin, in reading order, maze by maze."""
    cell: NDArray[np.int64]
    """(S,): row * width + column of the state in its maze."""
    carried: NDArray[np.int64]
    """(S,): what the agent carries, a set of bits (`core/inventory.py`); 0 where the maze has no keys and no items."""
    maze_of: NDArray[np.int64]
    """(S,): the number of the state's maze in `mazes`."""
    heading: NDArray[np.int64]
    """(S,): the direction that the agent faces, where actions turn; else 0."""
    noise: Noise | None = None
    """what is executed when an action is meant, where that is more than a slip of the four directions to either side"""

    def __post_init__(self) -> None:
        for name in TABLES:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def states(self) -> int:
        """The number of states, S."""
        return len(self.cell)

    @property
    def moves(self) -> Moves:
        """What each action does."""
        return moves_of(self.mazes[0])

    @property
    def actions(self) -> int:
        """The number of actions, A."""
        return len(self.moves)

    @property
    def noisy(self) -> bool:
        """Whether something else than the move that was meant may be executed."""
        return self.noise is not None or bool(self.slip.any())

    @cached_property
    def slips(self) -> tuple[float | None, ...]:
        """For each maze, the probability that a move slips, except on ice; None where the maze's metadata says it."""
        slip = self.slip if self.noise is None else self.noise.probability[:, 0, 1:].sum(axis=1)[self.noise.kind]
        ends = np.searchsorted(self.maze_of, np.arange(len(self.mazes) + 1)).tolist()
        slips: list[float | None] = []
        for maze, first, end in zip(self.mazes, ends, ends[1:], strict=False):
            on_ice = maze.tiles.ravel()[self.cell[first:end]] == ord("~")
            slips.append(float(slip[first:end][~on_ice].max(initial=0.0)) if slips_alone(maze) else None)
        return tuple(slips)

    @property
    def meant(self) -> NDArray[np.int64]:
        """(S, A): the state that each action leads to when it is executed as meant."""
        return self.next_state[:, : self.actions]

    def __reduce__(self) -> tuple[Any, ...]:
        return World, (self.mazes, *(getattr(self, name) for name in TABLES), self.noise)  # read-only again

    def __repr__(self) -> str:
        return f"<World of {len(self.mazes)} maze(s), {self.states} states, {len(self.start_states)} start(s)>"

    @classmethod
    def compile(
        cls,
        maze: Maze | Sequence[Maze],
        *,
        rewards: Mapping[str, float] = MappingProxyType({}),
        slip: float | None = None,
        actions: Any = None,
        corners: str | None = None,
        noise: Any = None,
        wind: Any = None,
    ) -> "World":
        """Compute the tables of one maze, or of several, stacked; mazes of one size are compiled at once.

        Args:
            maze: one or several; each needs a start.
            rewards: by name, over the metadata of each maze, over the defaults `REWARDS`.
            slip: the probability that a move slips sideways, except on ice; by default each maze's metadata, else 0.
            actions, corners, noise, wind: over the metadata of each maze; the mazes of the world have them in theirs.
                See `MazeEnv`.

        Raises:
            MazeError: a maze without a start, a teleporter without its twin, a `wind` that does not give one number for
                each column or row, a `trap: restart` without a single start, too many keys and items.
            ValueError: mazes with different actions; an unknown reward, or one that is not finite; a slip that is not a
                probability; a keyword that cannot be read; no mazes.
            TypeError: something else than a Maze, such as a text.
        """
        mazes = tuple(maze) if isinstance(maze, Iterable) else (maze,)
        for one in mazes:
            if not isinstance(one, Maze):
                raise TypeError(
                    f"World.compile takes a Maze or several, not {maze!r:.40}; Maze.from_text reads a drawing"
                )
        settings = physics(actions=actions, corners=corners, noise=noise, wind=wind)
        if settings or slip is not None:
            mazes = tuple(dressed_all(mazes, settings, None if slip is None else fraction("slip", slip)))
        if len({maze.tiles.shape for maze in mazes}) == 1 and alike(mazes):
            with contextlib.suppress(TooManyStates):
                return cls(mazes, **compile_tables(mazes, rewards, slip))
        return cls.stack([cls.compile(maze, rewards=rewards, slip=slip) for maze in mazes])

    @classmethod
    def stack(cls, worlds: Sequence["World"]) -> "World":
        """Return worlds laid end to end: the states of the i-th are shifted by the number of states before it.

        Raises:
            ValueError: no worlds.
            TypeError: one of them is not a World.

        Example:
            >>> from mazegrad.envs import World, load_maze
            >>> both = World.stack([World.compile(load_maze(name)) for name in ("spiral", "four_rooms")])
            >>> both.states == sum(World.compile(load_maze(name)).states for name in ("spiral", "four_rooms"))
            True
        """
        worlds = [checked_world(world) for world in worlds]
        if not worlds:
            raise ValueError("World.stack needs at least one world")
        common_moves([world.mazes[0] for world in worlds])
        moves = max(world.next_state.shape[1] for world in worlds)
        worlds = [world._with_moves(moves) for world in worlds]
        noise = None
        if any(world.noise is not None for world in worlds):
            noise = stacked([world.noise or as_noise(world.slip, world.actions) for world in worlds])
        before = np.cumsum([0] + [world.states for world in worlds])
        mazes_before = np.cumsum([0] + [len(world.mazes) for world in worlds])
        shift = {"next_state": before, "start_states": before, "maze_of": mazes_before}
        tables: dict[str, Any] = {}
        for name in TABLES:
            parts = [getattr(world, name) for world in worlds]
            if name in shift:
                parts = [part + by for part, by in zip(parts, shift[name].tolist(), strict=False)]
            tables[name] = np.concatenate(parts)
        return cls(tuple(maze for world in worlds for maze in world.mazes), **tables, noise=noise)

    def _with_moves(self, count: int) -> "World":
        """Return the world with more moves, which are never executed: they stay."""
        more = count - self.next_state.shape[1]
        if not more:
            return self
        stay = np.repeat(np.arange(self.states)[:, None], more, axis=1)
        next_state = np.concatenate([self.next_state, stay], axis=1)
        return replace(self, next_state=next_state, reward=np.pad(self.reward, ((0, 0), (0, more))))

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
        tables: dict[str, Any] = {name: getattr(self, name)[mine] for name in TABLES}
        tables["next_state"] = tables["next_state"] - first
        tables["start_states"] = self.start_states[self.maze_of[self.start_states] == number] - first
        tables["maze_of"] = np.zeros_like(tables["maze_of"])
        noise = None
        if self.noise is not None and not slips_alone(self.mazes[number]):
            noise = self.noise.of(np.arange(first, end))
        for name in ("next_state", "reward"):
            tables[name] = tables[name][:, : columns_of(noise, self.actions)]
        return World((self.mazes[number],), **tables, noise=noise)


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


TABLES: Final = tuple(field.name for field in fields(World) if field.name not in ("mazes", "noise"))

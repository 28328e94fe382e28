"""A World is a drawing compiled into tables: what each move leads to, earns and ends, looked up ever after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .directions import OFFSETS
from .maze import Maze, MazeError, nearest

REWARDS: Final[Mapping[str, float]] = MappingProxyType({"goal": 1.0, "step": 0.0})


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Read-only tables over states 0..S-1 and the four directions.

    A state is a cell of a maze. `World.stack` lays several worlds end to end, with shifted state numbers.
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
    maze_of: NDArray[np.int64]
    """(S,): the number of the state's maze in `mazes`."""

    def __post_init__(self) -> None:
        for name in TABLES:
            getattr(self, name).setflags(write=False)

    @property
    def states(self) -> int:
        """The number of states, S."""
        return len(self.cell)

    def __repr__(self) -> str:
        return f"<World of {len(self.mazes)} maze(s), {self.states} states, {len(self.start_states)} start(s)>"

    @classmethod
    def compile(
        cls, maze: Maze, *, rewards: Mapping[str, float] = MappingProxyType({}), slip: float | None = None
    ) -> "World":
        """Compute the tables of a maze.

        Args:
            maze: it needs a start.
            rewards: what things earn, over the defaults `REWARDS`: `goal` for reaching it, `step` for each move.
            slip: the probability that a move goes sideways; by default the maze's metadata, else 0.

        Raises:
            MazeError: the maze has no start.
            ValueError: an unknown reward, or one that is not finite; a slip that is not a probability.
        """
        earns = _checked_rewards(rewards)
        slip = _checked_slip(maze.setting("slip") if slip is None else slip)
        tiles, width = maze.tiles.ravel(), maze.width
        cell = np.flatnonzero(maze.open)
        state_at = np.full(tiles.size, -1)
        state_at[cell] = np.arange(len(cell))
        starts = state_at[np.flatnonzero(tiles == ord("S"))]
        if not len(starts):
            raise maze.error(0, 0, "the maze has no start; put an S where the agent begins")

        rows, columns = np.divmod(cell, width)
        to_row, to_column = rows[:, None] + OFFSETS[:, 0], columns[:, None] + OFFSETS[:, 1]
        inside = (to_row >= 0) & (to_row < maze.height) & (to_column >= 0) & (to_column < width)
        neighbour = np.where(inside, state_at[np.where(inside, to_row * width + to_column, 0)], -1)
        dots = neighbour >= 0

        goal = tiles[cell] == ord("G")
        stays = goal[:, None] | ~dots
        next_state = np.where(stays, np.arange(len(cell))[:, None], neighbour)
        reward = np.where(goal[:, None], 0.0, earns["step"] + earns["goal"] * goal[next_state])
        return cls(
            mazes=(maze,),
            next_state=next_state,
            reward=reward,
            terminal=goal.copy(),
            goal=goal,
            slip=np.full(len(cell), slip),
            dots=dots.astype(np.int8),
            start_states=starts,
            cell=cell,
            maze_of=np.zeros(len(cell), dtype=np.int64),
        )

    @classmethod
    def stack(cls, worlds: Sequence["World"]) -> "World":
        """Lay worlds end to end: the states of the i-th are shifted by the number of states before it."""
        if not worlds:
            raise ValueError("there is nothing to stack: give at least one world")
        before = np.cumsum([0] + [world.states for world in worlds])
        mazes_before = np.cumsum([0] + [len(world.mazes) for world in worlds])
        shift = {"next_state": before, "start_states": before, "maze_of": mazes_before}
        return cls(
            tuple(maze for world in worlds for maze in world.mazes),
            *(
                np.concatenate([getattr(w, name) + shift[name][i] if name in shift else getattr(w, name)
                                for i, w in enumerate(worlds)])
                for name in TABLES
            ),
        )


TABLES: Final = tuple(field.name for field in fields(World) if field.name != "mazes")


def _checked_rewards(rewards: Mapping[str, float]) -> dict[str, float]:
    earns = dict(REWARDS)
    for name, value in rewards.items():
        if name not in REWARDS:
            raise ValueError(f"unknown reward {name!r}{nearest(name, REWARDS)}")
        if not np.isfinite(value):
            raise ValueError(f"the reward {name!r} is a finite number, not {value}")
        earns[name] = float(value)
    return earns


def _checked_slip(slip: float | None) -> float:
    if slip is None:
        return 0.0
    if not 0 <= slip <= 1:
        raise ValueError(f"slip is a probability, from 0 to 1, not {slip}")
    return float(slip)


__all__ = ["REWARDS", "TABLES", "MazeError", "World"]

"""A Stage is a maze with what is in it now, and the way from states, or from what is given for them, to its cells."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.inventory import tiles_now
from ..core.world import World, checked_state, checked_world
from ..maps.maze import Maze
from ..maps.moves import moves_of
from ..maps.own_tiles import as_shown

Cells: TypeAlias = NDArray[np.int64]

NOSES: Final = 60
"""the number of an agent that faces up, where actions turn; then right, left, down"""


class Stage:
    """A maze, or a maze of a world with the states of its agents.

    Args:
        drawing: what is drawn.
        agents: states of the world.

    Raises:
        TypeError, ValueError: agents in a Maze, states that do not exist or are in several mazes.
    """

    def __init__(self, drawing: Maze | World, agents: Sequence[int]) -> None:
        self.world: World | None = None
        self.agents: list[int] = []
        self.number = 0  # of the maze among those of the world
        self.alone = 1  # the number of a single agent
        carried, self.slip = 0, None
        if isinstance(drawing, Maze):
            if agents:
                raise TypeError("a state belongs to a World: draw(World.compile(maze), state)")
            self.maze = drawing
        else:
            self.world = world = checked_world(drawing)
            states = [checked_state(world, state) for state in agents]
            first = states[0] if states else int(world.start_states[0])
            number, carried = int(world.maze_of[first]), int(world.carried[first])
            self.number = number
            if any(int(world.maze_of[state]) != number for state in states):
                raise ValueError("the states of several agents must be in one maze")
            self.maze, self.slip = world.mazes[number], world.slips[number]
            self.agents = [int(world.cell[state]) for state in states]
            if world.moves.headings > 1:
                self.alone = NOSES + int(world.heading[first])
            self.here = np.flatnonzero((world.maze_of == number) & (world.carried == carried))
            if not states:
                carried = 0
        self.size, self.headings = self.maze.tiles.size, moves_of(self.maze).headings
        self.tiles = as_shown(self.maze, tiles_now(self.maze, carried)).ravel()

    def over_cells(self, name: str, given: ArrayLike, columns: bool = False) -> tuple[Cells, NDArray[Any]]:
        """Return cells, and what is given for each: one number, or with `columns` one row of numbers.

        Args:
            name: of the keyword, for errors.
            given: for each state of the world, (S, ...), or for each cell, (height, width, ...).
            columns: whether there may be one more axis, for actions.
        """
        array = np.asarray(given)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name} must hold numbers, not {array.dtype}")
        axes = [
            shape for shape in ((self.maze.height, self.maze.width), (self.size,)) if array.shape[: len(shape)] == shape
        ]
        if self.world is not None and len(array) == self.world.states and array.ndim <= 1 + columns:
            return self.world.cell[self.here], array[self.here]
        for shape in axes:
            more = array.shape[len(shape) :]
            if len(more) <= columns:
                return np.arange(self.size), array.reshape(self.size, *more)
        states = f"({self.world.states},) for its states, or " if self.world is not None else ""
        wanted = f"{states}({self.maze.height}, {self.maze.width}) for the cells"
        more_axes = ", with one more axis for actions" if columns else ""
        raise ValueError(f"{name} has shape {array.shape}; expected {wanted}{more_axes}")

    def cells_of(self, name: str, given: ArrayLike) -> Cells:
        """Return the cells of states, or of cells if a Maze is drawn; -1 where there is none, any shape."""
        numbers = np.asarray(given)
        self.check_places(name, numbers)
        return self.cells(nowhere=-1).take(numbers)

    def check_places(self, name: str, numbers: NDArray[Any]) -> None:
        """Raise an error unless these are states, or cells if a Maze is drawn, or -1."""
        if numbers.dtype.kind not in "iu":
            raise TypeError(f"{name} must be integers, not {numbers.dtype}")
        count = self.size if self.world is None else self.world.states
        if numbers.size and (numbers.max() >= count or numbers.min() < -1):
            what = "cells" if self.world is None else "states"
            raise ValueError(f"{name} must be {what} from 0 to {count - 1}, or -1 for none")

    def cells(self, nowhere: int) -> Cells:
        """Return the cell of each state, or of each cell if a Maze is drawn; the last entry, that of -1, is `nowhere`.

        That is the cell of the states of other mazes too.
        """
        if self.world is None:
            return np.append(np.arange(self.size), nowhere)
        cells = np.append(self.world.cell, nowhere)
        if len(self.world.mazes) > 1:
            cells[:-1][self.world.maze_of != self.world.maze_of[self.here[0]]] = nowhere
        return cells

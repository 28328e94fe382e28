"""A difficulty card: how large a maze is, how far its goal is, and how many of its cells look alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.scene import TILE_CODES
from ..core.world import World
from ..maps.directions import OFFSETS
from ..maps.maze import Maze
from ..maps.thin import sides
from ..observations.kinds import with_sides
from .distances import distances
from .observed import observation_numbers

COMPARED: Final = ("dots", "view", "position")
"""The observations by which a card compares cells; all others show where the agent is and what it carries."""
ROWS_AT_ONCE: Final = 32
"""whose views are compared together, so that what is needed on the way stays small"""


@dataclass(frozen=True)
class DifficultyCard:
    """Counts over a maze; `print` it.

    Example:
        >>> from mazegrad.envs import describe, load_maze
        >>> card = describe(load_maze("four_rooms"))
        >>> card.shortest_path, card.junctions, dict(card.look_alikes)
        (16, 84, {'dots': 104, 'view': 0, 'position': 0})
    """

    name: str
    height: int
    width: int
    open_cells: int
    """Tiles that are not wall or nothing."""
    states: int
    """States of its World: cells, times what the agent carries."""
    shortest_path: int | None
    """Steps to a goal without slips, from the farthest start; None if a start has no way to a goal."""
    dead_ends: int
    """Open cells with at most one open neighbour."""
    corridors: int
    """Open cells with two open neighbours."""
    junctions: int
    """Open cells with three or four open neighbours."""
    look_alikes: Mapping[str, int]
    """Observation -> cells that look like another cell in some state (perceptual aliasing)."""
    maze: Maze = field(repr=False)

    def rows(self) -> list[tuple[str, str]]:
        """Return the counts as text: (name, value)."""
        path = "no way to a goal" if self.shortest_path is None else f"{self.shortest_path} steps"
        return [
            (self.name, f"{self.height} x {self.width}"),
            ("open cells", f"{self.open_cells}"),
            ("states", f"{self.states}"),
            ("shortest path", path),
            ("dead ends", f"{self.dead_ends}"),
            ("corridors", f"{self.corridors}"),
            ("junctions", f"{self.junctions}"),
            *((f"look alike by {name}", f"{count}") for name, count in self.look_alikes.items()),
        ]

    def __str__(self) -> str:
        rows = self.rows()
        wide = max(len(name) for name, _ in rows) + 2
        return "\n".join(name.ljust(wide) + value for name, value in rows)


def describe(maze: Maze) -> DifficultyCard:
    """Return a maze's difficulty card.

    Args:
        maze: with one start or several; the shortest path is counted from the farthest of them.

    Raises:
        MazeError: the maze cannot be compiled: it has no start, say.

    Example:
        >>> from mazegrad.envs import describe, load_maze
        >>> print(describe(load_maze("spiral")))
        spiral                  13 x 13
        open cells              97
        states                  97
        shortest path           94 steps
        dead ends               2
        corridors               95
        junctions               0
        look alike by dots      95
        look alike by view      0
        look alike by position  0
    """
    world = World.compile(maze)
    inside = np.pad(maze.open, 1)
    walls = sides(maze)
    near = np.zeros(inside.shape, dtype=np.uint8)  # open neighbours of each cell
    for direction, (row, column) in enumerate(OFFSETS.tolist()):
        ahead = np.roll(inside, (-row, -column), axis=(0, 1))
        if walls is not None:  # neighbours behind a thin wall do not count
            ahead &= np.pad(walls, 1) >> direction & 1 == 0
        near += ahead
    near = near[inside]
    ways = distances(world)[world.start_states]
    return DifficultyCard(
        name=maze.metadata.get("name", "maze"),
        height=maze.height,
        width=maze.width,
        open_cells=int(inside.sum()),
        states=world.states,
        shortest_path=int(ways.max()) if (ways >= 0).all() else None,
        dead_ends=int((near <= 1).sum()),
        corridors=int((near == 2).sum()),
        junctions=int((near >= 3).sum()),
        look_alikes={name: _alike(world, name) for name in COMPARED},
        maze=maze,
    )


def _alike(world: World, observation: str) -> int:
    """Return the number of cells that have a state with the same observation as a state of another cell."""
    if observation == "position":  # tells all cells of one maze apart
        return 0
    # whether a state is a cell
    one_each = world.states == np.count_nonzero(world.mazes[0].open) and not world.carried.any()
    numbers: NDArray[Any]
    if observation == "dots":
        numbers = np.zeros(world.states, dtype=np.int64)
        for bit in range(world.dots.shape[1]):
            numbers |= world.dots[:, bit].astype(np.int64) << bit
    elif observation == "view" and one_each:
        numbers = _view_hashes(world.mazes[0])
    else:
        numbers = observation_numbers(world, observation)
    if one_each:
        numbers.sort()
        same = numbers[1:] == numbers[:-1]
        return int(np.count_nonzero(np.append(same, False) | np.append(False, same)))
    some_cell = np.zeros(int(numbers.max()) + 1, dtype=np.int64)  # that looks like this
    some_cell[numbers] = world.cell
    shared = np.zeros(len(some_cell), dtype=np.bool_)
    shared[numbers[some_cell[numbers] != world.cell]] = True
    cells = np.zeros(world.mazes[0].tiles.size, dtype=np.bool_)
    cells[world.cell[shared[numbers]]] = True
    return int(np.count_nonzero(cells))


def _view_hashes(maze: Maze, side: int = 7) -> NDArray[np.uint64]:
    """Return a hash of the view from each open cell, in reading order: the sum of its codes times odd random numbers.

    Two views that differ have the same hash with a probability below 2**-58.
    """
    margin = side // 2
    codes = np.pad(with_sides(TILE_CODES[maze.tiles], sides(maze)), margin)
    weights = np.random.default_rng(0).integers(2**64, size=(side, side), dtype=np.uint64) | np.uint64(1)
    hashes = np.zeros(np.count_nonzero(maze.open), dtype=np.uint64)
    done = 0
    for first in range(0, maze.height, ROWS_AT_ONCE):
        inside = maze.open[first : first + ROWS_AT_ONCE]
        some = np.zeros(inside.shape, dtype=np.uint64)
        for row in range(side):
            near = codes[first + row : first + row + len(inside)].astype(np.uint64)
            for column in range(side):
                some += near[:, column : column + maze.width] * weights[row, column]
        count = int(np.count_nonzero(inside))
        hashes[done : done + count] = some[inside]
        done += count
    return hashes

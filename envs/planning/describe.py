"""A difficulty card: how large a maze is, how far its goal is, and how many of its cells look alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ..core.world import World
from ..maps.directions import OFFSETS
from ..maps.maze import Maze
from .distances import distances
from .mdp import observation_numbers

COMPARED: Final = ("dots", "view", "position")
"""The observations by which a card compares cells; all others show where the agent is and what it carries."""


@dataclass(frozen=True)
class DifficultyCard:
    """Counts over a maze; `print` it."""

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

    Raises:
        MazeError: the maze cannot be compiled: it has no start, say.
    """
    world = World.compile(maze)
    inside = np.pad(maze.open, 1)
    shifted = [np.roll(inside, (-row, -column), axis=(0, 1)) for row, column in OFFSETS.tolist()]
    near = np.sum(shifted, axis=0)[inside]  # open neighbours of each open cell
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
    numbers = observation_numbers(world, observation)
    seen = np.unique(np.stack([numbers, world.cell], axis=1), axis=0)  # (observation, cell), each once
    return len(np.unique(seen[np.bincount(seen[:, 0])[seen[:, 0]] > 1, 1]))

"""A difficulty card tells what a maze asks of whoever walks it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..core.world import World
from ..maps.directions import OFFSETS
from ..maps.maze import Maze
from .distances import distances
from .mdp import look_alikes

LOOKS: Final = ("dots", "view", "position")
"""the observations that a card compares; the others show where the agent is, and what it carries too"""


@dataclass(frozen=True)
class DifficultyCard:
    """What a maze asks of whoever walks it; `print` it."""

    name: str
    height: int
    width: int
    open_cells: int
    """tiles that can be entered"""
    states: int
    """cells, times what can be carried"""
    shortest_path: int | None
    """steps to a goal when nothing slips, from the start where they are most; None where there is no way from one"""
    dead_ends: int
    """open cells with one open neighbour, or none"""
    corridors: int
    """with two"""
    junctions: int
    """with three or four"""
    look_alikes: Mapping[str, int]
    """observation -> cells where one sees just what one sees in another cell too"""

    def __str__(self) -> str:
        path = "no way to a goal" if self.shortest_path is None else f"{self.shortest_path} steps"
        lines = [
            (self.name, f"{self.height} x {self.width}"),
            ("open cells", f"{self.open_cells}"),
            ("states", f"{self.states}"),
            ("shortest path", path),
            ("dead ends", f"{self.dead_ends}"),
            ("corridors", f"{self.corridors}"),
            ("junctions", f"{self.junctions}"),
            *((f"look alike by {name}", f"{count}") for name, count in self.look_alikes.items()),
        ]
        wide = max(len(label) for label, _ in lines) + 2
        return "\n".join(label.ljust(wide) + text for label, text in lines)


def describe(maze: Maze) -> DifficultyCard:
    """Return a maze's difficulty card.

    Raises:
        MazeError: the maze has no start.
    """
    world = World.compile(maze)
    inside = np.pad(maze.open, 1)
    shifted = [np.roll(inside, (-row, -column), axis=(0, 1)) for row, column in OFFSETS.tolist()]
    near = np.sum(shifted, axis=0)[inside]
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
        look_alikes={name: _alike(world, name) for name in LOOKS},
    )


def _alike(world: World, observation: str) -> int:
    """Return the number of cells of which one state at least looks like one of another cell."""
    seen = np.unique(
        np.stack([look_alikes(world, observation), world.cell], axis=1), axis=0
    )  # (looks, cell), each once
    return len(np.unique(seen[np.bincount(seen[:, 0])[seen[:, 0]] > 1, 1]))

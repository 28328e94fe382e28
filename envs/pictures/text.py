"""A maze as text for a terminal: the drawing, with marks on cells."""

from collections.abc import Mapping
from types import MappingProxyType

from ..core.inventory import OPENED, tiles_now
from ..core.world import World, checked_state
from ..maps.maze import Maze
from ..maps.moves import moves_of
from ..maps.thin import thin_lines
from .shown import ShownText


def maze_text(maze: Maze, marks: Mapping[int, str] = MappingProxyType({}), *, carried: int = 0, dot: str = "●") -> str:
    """Return a maze as text, a line for each row: █ a wall, ' an open door, else the letters of the legend.

    Args:
        maze: what to draw.
        marks: cell (row * width + column) -> the character to show in its place.
        carried: a set of inventory bits: what was taken is drawn as a dot, a door whose key is carried as open.
        dot: the character for a dot.
    """
    tiles = tiles_now(maze, carried).copy()
    tiles[tiles >= OPENED] = ord("'")
    characters = list(tiles.tobytes().decode("ascii").replace(".", dot).replace("#", "█"))
    for cell, mark in marks.items():
        characters[cell] = mark
    if "walls" in maze.metadata:
        return "\n".join(thin_lines(maze, characters)) + "\n"
    rows = ("".join(characters[first : first + maze.width]) for first in range(0, len(characters), maze.width))
    return "\n".join(rows) + "\n"


def place_text(maze: Maze, cell: int, carried: int = 0, heading: int = 0) -> str:
    """Return a maze as text with the agent ○ on a cell, carrying a set of inventory bits; one that turns is ▲ ▶ ◀ ▼."""
    agent = "○" if moves_of(maze).headings == 1 else "▲▶◀▼"[heading]
    return ShownText(maze_text(maze, {cell: agent}, carried=carried))


def draw_text(world: World, state: int) -> str:
    """Return the maze of a state as text: ○ the agent (▲ ▶ ◀ ▼ where it turns), ● a dot, █ a wall, ' an open door.

    Everything else is drawn by the legend's letters.
    A notebook shows it as a drawing.

    Raises:
        TypeError: not a World, or the state is not an integer.
        ValueError: the world does not have this state.
    """
    state = checked_state(world, state)
    maze, cell = world.mazes[int(world.maze_of[state])], int(world.cell[state])
    return place_text(maze, cell, int(world.carried[state]), int(world.heading[state]))

"""Where several agents of one maze begin: on starts that are given, or on cells of their own that are drawn."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .core.places import Places
from .engines.engine import Engine, Lanes
from .maps.legend import CODES
from .maps.maze import Maze
from .maps.randomness import START, Streams


def checked_starts(given: Any, agents: int, apart: bool) -> NDArray[np.int64]:
    """Return starts, (agents, 2) rows and columns.

    Args:
        given: what a user asked for.
        agents: in a lane.
        apart: whether two agents cannot be in one cell.

    Raises:
        ValueError: not a (row, column) for each agent, or two in one cell.
    """
    positions = np.asarray(given)
    if positions.shape == (2,) and agents == 1:
        positions = positions[None]
    if positions.shape != (agents, 2) or positions.dtype.kind not in "iu":
        raise ValueError(f"start is a (row, column) for each of the {agents} agents, not {given!r:.80}")
    if apart and len(np.unique(positions, axis=0)) < len(positions):
        raise ValueError("two agents cannot start in one cell")
    return positions


def spread(engine: Engine, agents: Lanes, count: int, streams: Streams, maze_of: Callable[[int], Maze]) -> None:
    """Put all agents but the first of each lane on cells of their own, drawn from their streams.

    Args:
        engine: its lanes are the agents.
        agents: numbers of agents, `count` for each lane.
        streams: theirs.
        maze_of: from the row of a lane in `agents` to its maze.

    Raises:
        ValueError: a maze has no room for so many.
    """
    places = engine.places(agents)
    starts, floor = standing(engine, places.of(np.arange(0, len(agents), count)))
    enough = starts.sum(axis=1, keepdims=True) >= count
    free = np.where(enough, starts, starts | floor)
    cells = places.cell.reshape(-1, count).copy()
    rows = np.arange(len(cells))
    for agent in range(1, count):
        free[rows, cells[:, agent - 1]] = False
        left = free.sum(axis=1)
        if not left.all():
            raise ValueError(f"a maze has no room for {count} agents: {maze_of(int(left.argmin()))!r}")
        drawn = streams[np.arange(agent, len(agents), count)].choice(START, left.astype(np.uint64))
        cells[:, agent] = (np.cumsum(free, axis=1) == drawn[:, None] + 1).argmax(axis=1)
    flat = cells.ravel()
    engine.put(agents, Places(places.maze, flat, np.zeros_like(flat)))


def standing(engine: Engine, places: Places) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for each place's maze which cells are starts, and which are floor that an agent can start on."""
    scene = engine.scene
    numbers, inverse = np.unique(places.maze, return_inverse=True)
    size = int(scene.sizes[numbers].max())
    starts, floor = np.zeros((2, len(numbers), size), dtype=np.bool_)
    margin = scene.margin
    for row, number in enumerate(numbers.tolist()):
        height, width = int(scene.heights[number]), int(scene.widths[number])
        codes = scene.codes[number, margin : margin + height, margin : margin + width].ravel()
        starts[row, : height * width] = codes == CODES["S"]
        floor[row, : height * width] = codes == CODES["."]
        if scene.bits is not None and scene.bits[number].any():
            world = engine.worlds(np.array([number]))
            reached = np.zeros(size, dtype=np.bool_)
            reached[world.cell[world.carried == 0]] = True
            floor[row] &= reached
    return starts[inverse], floor[inverse]

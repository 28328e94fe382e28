"""Questions about a map that can hardly be meant: no goal, no way to it, a door without its key, another format."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.inventory import is_door
from ..core.rules import outcomes
from ..core.world import World, checked_world
from ..maps.errors import MazeError
from ..maps.formats.blank_floor import HINT, read_blank_floor
from ..maps.maze import Maze
from ..maps.own_tiles import as_shown
from ..maps.plain import IS_PLAIN, distance_maps
from .distances import Graph, distances


class MapWarning(UserWarning):
    """A map that can hardly be meant: its goal is missing or out of reach, or it is in another format.

    Example:
        >>> import warnings
        >>> from mazegrad.envs import MapWarning, Maze, MazeEnv
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("error", MapWarning)  # refuse such maps
        ...     MazeEnv(Maze.from_text("S.#G"))
        Traceback (most recent call last):
            ...
        mazegrad.envs.planning.questions.MapWarning: this map has no way to a goal from the start at line 1, column 1
    """


def questions(world: World) -> list[str]:
    """Return what is odd about the mazes of a world, a sentence each; none for mazes in which all is well.

    A maze is asked about if it has no goal (and neither items nor a header that says what else is earned), if from a
    start no goal can be reached, if no start reaches one of its goals, if a start is walled in, and if a key is missing
    for a door. Goals and traps of a map's own count, and so does what noise and wind may do.

    Raises:
        TypeError: not a World.

    Example:
        >>> from mazegrad.envs import Maze, World, questions
        >>> questions(World.compile(Maze.from_text("S.#G")))
        ['this map has no way to a goal from the start at line 1, column 1']
        >>> questions(World.compile(Maze.from_text("S..G")))
        []
    """
    ways = distances(checked_world(world))
    lost = np.unique(world.maze_of[world.start_states[ways[world.start_states] < 0]])
    tiles_of = [as_shown(maze, maze.tiles) for maze in world.mazes]
    doors = [number for number, tiles in enumerate(tiles_of) if is_door(tiles).any()]
    goals = [number for number, tiles in enumerate(tiles_of) if np.count_nonzero(tiles == ord("G")) > 1]
    return [
        sentence
        for number in sorted({*lost.tolist(), *doors, *goals})
        for sentence in _about(world.only(number) if len(world.mazes) > 1 else world)
    ]


def plainly_fine(mazes: Sequence[Maze]) -> NDArray[np.bool_]:
    """Return which are plain mazes with one goal that all starts reach, (mazes,): read off tiles, many at once."""
    fine = np.zeros(len(mazes), dtype=np.bool_)
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, maze in enumerate(mazes):
        if not maze.metadata:
            by_shape.setdefault(maze.tiles.shape, []).append(number)
    for numbers in by_shape.values():
        tiles = np.stack([mazes[number].tiles for number in numbers])
        plain = IS_PLAIN[tiles].all(axis=(1, 2)) & ((tiles == ord("G")).sum(axis=(1, 2)) == 1)
        tiles, which = tiles[plain], np.array(numbers)[plain]
        starts = tiles == ord("S")
        lost = starts & (distance_maps(tiles) < 0)
        fine[which] = starts.any(axis=(1, 2)) & ~lost.any(axis=(1, 2))
    return fine


def _about(world: World) -> list[str]:
    """Return what is odd about the one maze of a world."""
    (maze,) = world.mazes
    ways, said = _ways(world), []
    shown = as_shown(maze, maze.tiles)
    goals, traps = (np.argwhere(shown == ord(tile)).tolist() for tile in "GX")
    stuck = (world.next_state == np.arange(world.states)[:, None]).all(axis=1)
    walled = [state for state in world.start_states.tolist() if stuck[state]]
    far = [state for state in world.start_states.tolist() if ways[state] < 0 and not stuck[state]]
    if walled:
        said.append(f"has a start that is walled in, at {_where(maze, world.cell[walled[0]])}")
    if not len(goals):
        if len(traps) and world.terminal.any():
            trap = f"{chr(maze.tiles[tuple(traps[0])])}, at {_where(maze, _cell(maze, traps[0]))}"
            said.append(f"has no goal G: its only exit is a trap, {trap}")
        elif not len(maze.find("*")) and not maze.metadata.keys() & {"reward", "jump"}:
            said.append("has no goal G, so that no episode ends before its limit")
    elif far:
        said.append(f"has no way to a goal from the start at {_where(maze, world.cell[far[0]])}")
    else:
        edges = np.repeat(np.arange(world.states), world.next_state.shape[1])
        reached = Graph(edges, world.next_state.ravel(), world.states).levels(world.start_states) >= 0
        cells = set(world.cell[reached].tolist())
        unreached = [cell for cell in (_cell(maze, goal) for goal in goals) if cell not in cells]
        if unreached and not walled:
            said.append(f"has a goal that no start reaches, at {_where(maze, unreached[0])}")
    for row, column in np.argwhere(is_door(maze.tiles)).tolist():
        letter = chr(maze.tiles[row, column])
        if not len(maze.find(letter.lower())):
            said.append(
                f"has a door {letter} without a key {letter.lower()}, at {_where(maze, _cell(maze, (row, column)))}"
            )
            break
    if not said:
        return []
    name = maze.metadata.get("name")
    return [f"this map{'' if name is None else f' ({name})'} " + "; it ".join(said) + _hint(maze)]


def _ways(world: World) -> NDArray[np.int64]:
    """Return the smallest number of steps to a goal of one who is lucky, (S,); -1 where there is no way at all."""
    if world.noise is None:  # a slip leads where another action does
        return distances(world)
    moves = outcomes(world)
    happens = moves.probability > 0
    backwards = Graph(moves.next_state[happens], np.nonzero(happens)[0], world.states)
    return backwards.levels(np.flatnonzero(world.goal))


def _hint(maze: Maze) -> str:
    """Return how else a drawing may be meant: with blanks for floor there is a way through it."""
    if not maze.metadata:
        try:
            other = read_blank_floor("\n".join(maze.rows()))
            if np.array_equal(other.tiles, maze.tiles):
                return ""
            world = World.compile(other)
        except MazeError:
            return ""
        if (distances(world)[world.start_states] >= 0).all():
            return HINT
    return ""


def _cell(maze: Maze, position: Sequence[int]) -> int:
    row, column = position
    return int(row) * maze.width + int(column)


def _where(maze: Maze, cell: int) -> str:
    """Return where a cell is, as in errors: by line and column of what the maze was read from."""
    error = maze.error(*divmod(int(cell), maze.width), "")
    return str(error).removesuffix(": ")


def question(world: World) -> None:
    """Warn by `MapWarning` of what is odd about a world's mazes; see `questions`."""
    for sentence in questions(world):
        warnings.warn(sentence, MapWarning, stacklevel=3)

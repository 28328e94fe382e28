"""Maps of the MovingAI benchmarks (Sturtevant 2012), and the problems of their .scen files.

A map has no start and no goal; a problem has both: `problem.on(maze)` puts them there.
"""

from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from ..errors import MazeError
from ..map_text import decoded
from ..maze import Maze
from .format import text_format
from .letters import letters_format

# trees and what is out of bounds are walls
_ROWS: Final = letters_format(
    "",
    tiles={"@": "#", ".": ".", "G": ".", "O": "#", "T": "#"},
    refused={
        "S": "swamp, which can be entered from some sides only",
        "W": "water, which can be entered from some sides only",
    },
)
_DIAGONAL: Final = ", ".join(f"{up}-{side} {1 - 2**0.5!r}" for up in ("up", "down") for side in ("right", "left"))
_HEAD: Final = ("type", "height", "width")


def _read(text: str) -> Maze:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    given: dict[str, str] = {}
    number = 0
    for number, line in enumerate(lines, 1):
        if line.strip() == "map":
            break
        key, _, value = line.strip().partition(" ")
        if key not in _HEAD:
            raise MazeError(f"expected a line with type, height, width or map, not {line!r:.80}", number, 1)
        given[key] = value
    else:
        raise MazeError("there is no line `map` before the drawing", len(lines), 1)
    maze = _ROWS.read(("\n" * number + "\n".join(lines[number:])).encode())
    for key, size in (("height", maze.height), ("width", maze.width)):
        if given.get(key, "").strip() != f"{size}":
            raise MazeError(f"the drawing has the {key} {size}, not {given.get(key, 'the missing one')!r:.40}", 1, 1)
    return maze


def _write(maze: Maze) -> str:
    return f"type octile\nheight {maze.height}\nwidth {maze.width}\nmap\n{_ROWS.write(maze).decode()}"


MOVINGAI: Final = text_format(
    "maps of the MovingAI benchmarks: . floor, @ O T walls, without start and goal", ".map", read=_read, write=_write
)


class Problem(NamedTuple):
    r"""A line of a .scen file; positions are (row, column).

    Example:
        >>> from mazegrad.envs import Maze, Problem, World, shortest_path
        >>> problem = Problem(bucket=0, map="tiny.map", size=(2, 3), start=(0, 0), goal=(1, 2), optimal=3.0)
        >>> maze = problem.on(Maze.from_text(".#.\n..."))
        >>> print(maze.to_text())
        S#.
        ..G
        >>> len(shortest_path(World.compile(maze))) - 1
        3
    """

    bucket: int
    map: str
    """the name of the map's file"""
    size: tuple[int, int]
    """(height, width)"""
    start: tuple[int, int]
    goal: tuple[int, int]
    optimal: float
    """the length of a shortest way with diagonal steps of the square root of 2, which do not cut corners"""

    def on(self, maze: Maze, *, octile: bool = False) -> Maze:
        r"""Return the map with the start and the goal of the problem.

        Args:
            maze: the map.
            octile: whether to give it a king's moves, of which each costs its length: 1, or diagonally the square root
                of 2. The value of the start, undiscounted, is then minus `optimal`, which files round. Otherwise it
                has the four moves.

        Example:
            >>> from mazegrad.envs import Maze, Problem, World, value_iteration
            >>> problem = Problem(bucket=0, map="tiny.map", size=(2, 3), start=(0, 0), goal=(1, 2), optimal=2.41421356)
            >>> world = World.compile(problem.on(Maze.from_text("...\n..."), octile=True))
            >>> round(value_iteration(world, discount=1).expected_return, 8)
            -2.41421356

        Raises:
            ValueError: the map has another size, or one of them is on a wall.
        """
        if (maze.height, maze.width) != self.size:
            raise ValueError(
                f"the problem is of a map {self.size[0]} x {self.size[1]}, not {maze.height} x {maze.width}"
            )
        tiles = maze.tiles.copy()
        for what, place, tile in (("start", self.start, "S"), ("goal", self.goal, "G")):
            if not maze.open[place]:
                raise ValueError(f"the {what} of the problem, row {place[0]}, column {place[1]}, is on a wall")
            tiles[place] = ord(tile)
        costs = {"actions": "king", "rewards": "goal 0, step -1", "reward": _DIAGONAL}
        return Maze(tiles, costs if octile else {})


def read_problems(path: str | PathLike[str]) -> list[Problem]:
    r"""Return the problems of a .scen file, in order.

    Raises:
        MazeError: (a ValueError) a line that is not a problem, with its number.
        OSError: the file cannot be opened.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from mazegrad.envs import read_problems
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder) / "tiny.scen"
        ...     _ = file.write_text("version 1\n0\ttiny.map\t3\t2\t0\t0\t2\t1\t3\n")
        ...     problems = read_problems(file)
        >>> problems[0].start, problems[0].goal, problems[0].optimal
        ((0, 0), (1, 2), 3.0)
    """
    try:
        return _problems(decoded(Path(path).read_bytes()))
    except MazeError as error:
        raise MazeError(error.message, error.line, error.column, str(path)) from None


def _problems(text: str) -> list[Problem]:
    found = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        parts = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or (number == 1 and parts[0].startswith("version")):
            continue
        try:
            bucket, name, width, height, start_x, start_y, goal_x, goal_y, optimal = parts
            numbers = [int(part) for part in (bucket, width, height, start_x, start_y, goal_x, goal_y)]
            length = float(optimal)
        except ValueError:
            message = "expected bucket, map, width, height, start x and y, goal x and y, and the optimal length"
            raise MazeError(message, number, 1) from None
        bucket_, wide, high, start_column, start_row, goal_column, goal_row = numbers
        inside = all(
            0 <= row < high and 0 <= column < wide
            for row, column in ((start_row, start_column), (goal_row, goal_column))
        )
        if not inside or not np.isfinite(length):
            raise MazeError("the start and the goal must be in the map, and the length finite", number, 1)
        found.append(Problem(bucket_, name, (high, wide), (start_row, start_column), (goal_row, goal_column), length))
    return found

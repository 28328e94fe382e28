r"""Maze strings of D4RL's maze2d and antmaze: # wall, O, blank or 0 floor, G goal; rows joined by backslashes."""

from typing import Final

from ..errors import MazeError
from ..maze import Maze
from .format import text_format
from .letters import letters_format

_ROWS: Final = letters_format("", tiles={"#": "#", "O": ".", " ": ".", "0": ".", "G": "G", "R": "S"})


def _read(text: str) -> Maze:
    drawn = text.replace("\\", "\n")  # of the same length, so that places can be carried over
    try:
        return _ROWS.read(drawn.encode())
    except MazeError as error:
        place = sum(len(line) + 1 for line in drawn.split("\n")[: error.line - 1]) + error.column - 1
        line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
        raise MazeError(error.message, line, column) from None


D4RL: Final = text_format(
    "maze strings of D4RL: # wall, O floor, G goal, R start, rows joined by backslashes",
    ".d4rl",
    read=_read,
    write=lambda maze: _ROWS.write(maze).decode().rstrip("\n").replace("\n", "\\") + "\n",
)

"""Gymnasium's FrozenLake: rows of S, F, H and G, as in its argument `desc`, or that list itself."""

from typing import Final

from ..errors import MazeError
from ..maze import Maze
from .format import text_format
from .letters import letters_format
from .lists import items

# slippery, as FrozenLake-v1 is by default; its other odds are arguments there, and `slip=` here
_ROWS: Final = letters_format(
    "",
    tiles={"S": "S", "F": ".", "H": "X", "G": "G"},
    metadata={"slip": "2/3", "rewards": "trap 0"},
)


def _read(text: str) -> Maze:
    if not text.lstrip().startswith("["):
        return _ROWS.read(text.encode())
    rows = items(text, 1)
    try:
        return _ROWS.read("\n".join(row[0].text for row in rows).encode())
    except MazeError as error:
        item = rows[error.line - 1][0]
        raise MazeError(error.message, item.line, item.column + error.column) from None


FROZEN_LAKE: Final = text_format(
    "Gymnasium's FrozenLake, the rows of its `desc`, or that list: S start, F frozen, H hole, G goal",
    ".lake",
    read=_read,
    write=lambda maze: _ROWS.write(maze).decode(),
)

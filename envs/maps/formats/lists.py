"""Mazes as nested lists: [[1, 0, "g"], ...], as OGBench, Gymnasium-Robotics and D4RL's ant mazes have them."""

import re
from typing import Final, NamedTuple

import numpy as np

from ..errors import MazeError
from ..maze import Maze
from .format import check_fits, text_format

_TILES: Final = {"0": ".", "1": "#", "r": "S", "g": "G"}
_WRITTEN: Final = {"#": "1", ".": "0", "S": '"r"', "G": '"g"'}
_TOKEN: Final = re.compile(
    r"(?P<blank>\s+|#[^\n]*)|(?P<mark>[\[\],=])|(?P<item>[A-Za-z_]\w*|\d+|'[^'\n]*'|\"[^\"\n]*\")|(?P<other>.)"
)


class Item(NamedTuple):
    """A number, a name or a quoted text in a list."""

    text: str
    """without its quotes"""
    line: int
    column: int
    """of its first character, from 1"""


def items(text: str, depth_of_items: int = 2) -> list[list[Item]]:
    """Return the rows of a list of lists, or with a depth of 1 of a list of items, each of which is a row.

    A name and `=` before it, comments from # on, single quotes and a comma after the last item are accepted, as Python
    has them; nothing is executed.

    Raises:
        MazeError: something else, with its line and column.
    """
    rows: list[list[Item]] = []
    depth, ended, before, line, begins = 0, False, "", 1, 0
    place = (1, 1)
    example = "[[1, 0], [1, 1]]" if depth_of_items == 2 else "['SF', 'FG']"
    for token in _TOKEN.finditer(text.removeprefix("\ufeff")):
        found, kind, place = token.group(), token.lastgroup, (line, token.start() - begins + 1)
        if kind == "blank":
            if "\n" in found:
                line, begins = line + found.count("\n"), token.start() + found.rindex("\n") + 1
            continue
        after_item = before in ("item", "]")
        if ended or kind == "other":
            raise MazeError(f"unexpected {found!r}; expected a list of rows, {example}", *place)
        if kind == "item" and not depth and not before:
            before = "name"
        elif found == "=" and before == "name":
            before = "="
        elif found == "[" and depth < depth_of_items and not after_item and before != "name":
            depth, before = depth + 1, "["
            if depth == 2:
                rows.append([])
        elif found == "]" and depth:
            depth, before = depth - 1, "]"
            ended = not depth
        elif found == "," and depth and after_item:
            before = ","
        elif kind == "item" and depth == depth_of_items and not after_item:
            item = Item(found.strip("'\""), *place)
            if depth == 1:
                rows.append([item])
            else:
                rows[-1].append(item)
            before = "item"
        else:
            raise MazeError(f"unexpected {found!r} in a list of rows; expected {example}", *place)
    if not ended:
        raise MazeError("the list has no end; close it with ]", *place)
    if not rows:
        raise MazeError("the maze is empty; give at least one row", 1, 1)
    return rows


def _read(text: str) -> Maze:
    rows = items(text)
    width = len(rows[0])
    for number, row in enumerate(rows):
        for item in row:
            if item.text.lower() not in _TILES:
                both = "; c is a start or a goal, so say which" if item.text.lower() == "c" else ""
                raise MazeError(
                    f"unknown cell {item.text!r:.40}; known: 1 wall, 0 floor, r start, g goal{both}",
                    item.line, item.column,
                )  # fmt: skip
        if len(row) != width or not width:
            where = row[-1] if row else rows[0][0] if width else Item("", 1, 1)
            raise MazeError(f"row {number} has {len(row)} cells, but the first has {width}", where.line, where.column)
    drawn = "".join(_TILES[item.text.lower()] for row in rows for item in row)
    codes = np.frombuffer(drawn.encode("ascii"), dtype=np.uint8).reshape(len(rows), width)
    return Maze(codes, _source=(None, [row[0].line for row in rows]))


def _write(maze: Maze) -> str:
    check_fits(maze, _WRITTEN, "; they have # . S G", "lists do not have")
    rows = ",\n".join("  [" + ", ".join(_WRITTEN[tile] for tile in row) + "]" for row in maze.rows())
    return f"[\n{rows}\n]\n"


LISTS: Final = text_format(
    "nested lists of OGBench, Gymnasium-Robotics and D4RL's ant mazes: 1 wall, 0 floor, r start, g goal",
    ".list", read=_read, write=_write,
)  # fmt: skip

"""A Maze is a drawing: immutable tiles, parsed from text and printed back to it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import read_only
from .errors import MazeError
from .legend import MAX_TILES, is_open
from .map_text import check_setting, decoded, own_letters, read_drawing, unknown_tiles, what_is_unknown
from .metadata import METADATA
from .own_tiles import own_kinds


class Maze:
    r"""Tiles and metadata, immutable; `==` and `hash` follow `digest`, a hash of both.

    Args:
        tiles: (height, width) uint8 array of ASCII codes; see `LEGEND`.
        metadata: `METADATA` keys and their values, as text.

    Raises:
        MazeError: no tiles, an unknown tile or metadata key, a metadata value that cannot be read.
        TypeError: tiles that are not such an array, metadata that is not text.

    Example:
        >>> from mazegrad.envs import Maze
        >>> maze = Maze.from_text("name: tiny\n#####\n#S.G#\n#####\n")
        >>> maze.height, maze.width, maze.metadata["name"]
        (3, 5, 'tiny')
        >>> print(maze.to_text())
        name: tiny
        #####
        #S.G#
        #####
        >>> maze == Maze(maze.tiles, maze.metadata)
        True
    """

    tiles: NDArray[np.uint8]
    """(height, width), read-only: the ASCII codes of the tiles."""
    metadata: Mapping[str, str]
    _text: str | None  # the text it was read from, in the format of `from_text`
    _lines: Sequence[int]  # for each row of tiles, its line in what it was read from
    _file: str | None = None  # the file it was read from

    def __init__(
        self,
        tiles: NDArray[np.uint8],
        metadata: Mapping[str, str] = MappingProxyType({}),
        *,
        _source: tuple[str | None, Sequence[int]] | None = None,
    ) -> None:
        if not isinstance(tiles, np.ndarray) or tiles.ndim != 2 or tiles.dtype != np.uint8:
            raise TypeError("tiles must be a 2-d uint8 array of ASCII codes; Maze.from_text reads text")
        tiles, metadata = read_only(tiles.copy()), MappingProxyType(dict(metadata))
        text, lines = _source or (None, range(len(metadata) + 1, len(metadata) + 1 + len(tiles)))
        vars(self).update(tiles=tiles, metadata=metadata, _text=text, _lines=lines)
        if not tiles.size:
            raise MazeError("the maze is empty; draw at least one row of tiles", 1, 1)
        if tiles.size > MAX_TILES:
            raise self.error(0, 0, f"{self.height} x {self.width} tiles; a maze can have {MAX_TILES:,} at most")
        unknown = unknown_tiles(tiles, own_letters(metadata))
        if unknown.any():
            row, column = np.argwhere(unknown)[0]
            raise self.error(row, column, what_is_unknown(chr(tiles[row, column])))
        if _source is None:
            for line, (key, value) in enumerate(metadata.items(), 1):
                if not isinstance(key, str) or not isinstance(value, str):
                    raise TypeError(f"metadata must be text, such as {{'slip': '0.1'}}, not {{{key!r}: {value!r}}}")
                check_setting(key, value, line, 1)
        try:
            own_kinds(metadata)
        except ValueError as error:  # two lines that do not fit each other
            raise self.setting_error("reward", str(error)) from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a maze is immutable, {name!r} cannot be set; make a new one with Maze(tiles)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a maze is immutable, {name!r} cannot be deleted")

    @classmethod
    def from_text(cls, text: str) -> "Maze":
        r"""Read a drawing.

        One character is a tile (`LEGEND`); lines that start with `;` are comments; lines `key: value` before the
        drawing are metadata (`METADATA`). Empty lines around the drawing and Windows line ends are accepted. Rows may
        leave out trailing blanks, unless the drawing's last column has a wall: then a short row is taken for a typo.

        After a line `size: 3 x 5` (rows x columns) the drawing is the next 3 lines: empty lines are rows of blanks, and
        rows are as long as it says, so that blanks at the edges may be missing. It is not part of the metadata.

        Raises:
            MazeError: with the line and column of what cannot be read.
            TypeError: not a str.

        Example:
            >>> from mazegrad.envs import Maze, MazeError
            >>> maze = Maze.from_text("S.G")
            >>> maze.tiles.shape
            (1, 3)
            >>> try:
            ...     Maze.from_text("S.G\n.?.")
            ... except MazeError as error:
            ...     print(error.line, error.column)
            2 2
        """
        if not isinstance(text, str):
            raise TypeError(f"Maze.from_text takes a str, not {type(text).__name__}")
        drawing = read_drawing(text)
        return cls(drawing.tiles, drawing.metadata, _source=(drawing.text, drawing.lines))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> "Maze":
        """Read a drawing from a UTF-8 file, whatever its suffix; see `from_text`, and `load_maze` for other formats.

        Raises:
            MazeError: with the file, and the line and column of what cannot be read.
            OSError: the file cannot be opened.
        """
        return read_file(path, lambda data: cls.from_text(decoded(data)))

    def to_text(self) -> str:
        """Return the text this maze was read from, comments included, or else its metadata and its tiles.

        Where a row ends in a blank, or the first or last row is blank, a `size` line keeps editors from changing the
        maze that strip blanks. Line ends are always those of Unix, and a byte order mark is left out; all else is
        unchanged.
        """
        if self._text is not None:
            return self._text
        head = "".join(f"{key}: {value}\n" for key, value in self.metadata.items())
        blank = self.tiles == ord(" ")
        if blank[:, -1].any() or blank[0].all() or blank[-1].all():
            head += f"size: {self.height} x {self.width}\n"
        return head + "\n".join(self.rows()) + "\n"

    def rows(self) -> list[str]:
        """Return the tiles as one str for each row."""
        return [row.tobytes().decode("ascii") for row in self.tiles]

    def setting(self, key: str) -> Any:
        """Return the metadata value of `key`, parsed (to a number, say), or None if it is not given."""
        return METADATA[key][1](self.metadata[key]) if key in self.metadata else None

    def with_settings(self, settings: Mapping[str, str | None]) -> "Maze":
        """Return a maze with the same tiles and other metadata.

        Args:
            settings: keys of `METADATA` and their values, as text; None takes a key away.

        Raises:
            MazeError: an unknown key, a value that cannot be read.
        """
        changed = {**self.metadata, **settings}
        kept = {key: value for key, value in changed.items() if value is not None}
        return self if kept == self.metadata else Maze(self.tiles, kept)

    def with_ends(self, start: tuple[int, int] | None = None, goal: tuple[int, int] | None = None) -> "Maze":
        r"""Return the same maze with its start and its goal at these places, whatever tile was there.

        Args:
            start, goal: (row, column); the places of former ones become floor. None leaves them as they are.

        Raises:
            MazeError: (a ValueError) a place outside, or both at one place.

        Example:
            >>> from mazegrad.envs import Maze
            >>> print(Maze.from_text("...\n.#.").with_ends(start=(0, 0), goal=(1, 2)).to_text())
            S..
            .#G
        """
        tiles = self.tiles.copy()
        for place, tile in ((start, "S"), (goal, "G")):
            if place is not None:
                tiles[tiles == ord(tile)] = ord(".")
        for what, place, tile in (("start", start, "S"), ("goal", goal, "G")):
            if place is None:
                continue
            row, column = place
            if not (0 <= row < self.height and 0 <= column < self.width):
                raise self.error(
                    0, 0, f"the {what}, row {row}, column {column}, is outside: {self.height} x {self.width} tiles"
                )
            tiles[row, column] = ord(tile)
        if start is not None and goal is not None and tuple(start) == tuple(goal):
            raise self.error(*start, f"start and goal are both in row {start[0]}, column {start[1]}")
        return Maze(tiles, self.metadata, _source=(None, self._lines))

    def find(self, tile: str) -> NDArray[np.int64]:
        """Return the (row, column) of each of these tiles, in reading order: shape (n, 2)."""
        return np.argwhere(self.tiles == ord(tile))

    def error(self, row: int, column: int, message: str) -> MazeError:
        """Return a MazeError that points to a tile, by the line and column of the text it was read from."""
        return MazeError(message, self._lines[row], int(column) + 1, self._file)

    def setting_error(self, key: str, message: str) -> MazeError:
        """Return a MazeError that points to the metadata line of `key`."""
        lines = self.to_text().split("\n")
        line = next(n for n, line in enumerate(lines, 1) if line[:1] != ";" and line.partition(":")[0].strip() == key)
        return MazeError(message, line, lines[line - 1].index(":") + 2, self._file)

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.tiles.shape[0]

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.tiles.shape[1]

    @cached_property
    def open(self) -> NDArray[np.bool_]:
        """(height, width), read-only: the open tiles, see `is_open`."""
        return read_only(is_open(self.tiles))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of tiles and metadata, in hexadecimal; comments do not count."""
        content = [f"{self.height} {self.width}", *(f"{k}: {v}" for k, v in sorted(self.metadata.items()))]
        return hashlib.sha256("\n".join(content).encode() + b"\n\n" + self.tiles.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Maze) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Callable[[str], "Maze"], tuple[str]]:
        return Maze.from_text, (self.to_text(),)

    def __repr__(self) -> str:
        name = self.metadata.get("name", "maze")
        return f"<Maze {name!r} {self.height}x{self.width} {self.digest[:8]}>"


def read_file(path: str | PathLike[str], read: Callable[[bytes], Maze]) -> Maze:
    """Return the maze in a file; it knows the file, so that later errors name it as well.

    Args:
        path: the file.
        read: from its content to a maze.

    Raises:
        MazeError: with the file, and the line and column of what cannot be read.
        OSError: the file cannot be opened.
    """
    path = Path(path)
    try:
        if (size := path.stat().st_size) > 2 * MAX_TILES:
            raise MazeError(f"the file has {size:,} bytes; a maze can have {MAX_TILES:,} tiles at most", 1, 1)
        maze = read(path.read_bytes())
    except MazeError as error:
        raise MazeError(error.message, error.line, error.column, str(path)) from None
    vars(maze)["_file"] = str(path)
    return maze

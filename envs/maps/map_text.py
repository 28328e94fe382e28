"""A drawing is read: lines `key: value`, then rows of tiles; what cannot be read is pointed to by line and column."""

import codecs
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arguments import nearest
from .errors import MazeError
from .legend import LEGEND, MAX_TILES
from .metadata import METADATA
from .own_tiles import own_kinds

_KNOWN: Final = np.zeros(256, dtype=bool)
_KNOWN[[ord(tile) for tile in LEGEND]] = True


class Drawing(NamedTuple):
    """What a text says."""

    tiles: NDArray[np.uint8]
    """(height, width)"""
    metadata: dict[str, str]
    text: str
    """with the line ends of Unix, without a byte order mark"""
    lines: list[int]
    """for each row of tiles, its line in the text"""


def read_drawing(text: str) -> Drawing:
    """Return what a text says; see `Maze.from_text`.

    Raises:
        MazeError: with the line and column of what cannot be read.
    """
    if len(text) > 2 * MAX_TILES:
        raise MazeError(f"{len(text):,} characters; a maze can have {MAX_TILES:,} tiles at most", 1, 1)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    metadata: dict[str, str] = {}
    said: dict[str, int] = {}  # the line of each
    rows: list[str] = []
    lines: list[int] = []
    size: tuple[int, int, int] | None = None  # rows, columns and the line that says so
    heading = True
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(";"):
            continue
        if heading:
            key, colon, value = line.partition(":")
            if colon:
                if key.strip() not in METADATA and set(line) - {":"} <= LEGEND.keys():  # probably a row of tiles
                    known = ", ".join((*METADATA, "size"))
                    message = f"':' is not a tile, and {key.strip()!r} is not a metadata key; known keys: {known}"
                    raise MazeError(message, number, len(key) + 1)
                if line.lstrip().startswith(('{"', '["')):
                    raise MazeError("this looks like JSON, not like a maze", number, 1)
                if key.strip() in metadata or (key.strip() == "size" and size is not None):
                    raise MazeError(f"{key.strip()!r} is given twice", number, 1)
                if key.strip() == "size":
                    size = (*_read_size(value.strip(), number, len(key) + 2), number)
                    continue
                metadata[key.strip()], said[key.strip()] = value.strip(), number
                check_setting(key.strip(), value.strip(), number, len(key) + 2)
                continue
            if not line and size is None:
                continue
            heading = False
        rows.append(line)
        lines.append(number)
    while rows and not rows[-1]:
        rows.pop(), lines.pop()
    try:
        own_kinds(metadata)
    except ValueError as error:  # two lines that do not fit each other
        raise MazeError(str(error), max(said[key] for key in ("reward", "jump", "starts") if key in said), 1) from None
    if size is not None:
        rows, lines = _sized(rows, lines, *size)
    if not rows:
        raise MazeError("the maze is empty; draw at least one row of tiles", 1, 1)
    tiles = _parse_rows(rows, lines, own_letters(metadata), typos=size is None)
    return Drawing(tiles, metadata, text, lines)


def decoded(data: bytes) -> str:
    """Return the text of UTF-8 bytes; or of UTF-16 with its mark, as PowerShell writes it.

    Raises:
        MazeError: with the line and column of the first byte that is not UTF-8.
    """
    try:
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise MazeError(f"byte 0x{data[error.start]:02x} is not text (UTF-8)", line, column) from None


def own_letters(metadata: Mapping[str, str]) -> Collection[str]:
    """Return the letters that a header declares; none where it cannot be read, which is said elsewhere."""
    try:
        return own_kinds(metadata).keys()
    except (ValueError, TypeError, AttributeError):
        return ()


def unknown_tiles(tiles: NDArray[np.uint8], own: Collection[str]) -> NDArray[np.bool_]:
    """Return which tiles are neither in `LEGEND` nor among a map's own letters."""
    unknown = ~_KNOWN[tiles]
    if own and unknown.any():
        unknown &= ~np.isin(tiles, [ord(letter) for letter in own])
    return unknown


def what_is_unknown(character: str) -> str:
    """Return what an error says of a character that is not a tile."""
    if character == "\t":
        return "a tab has no fixed width; use blanks"
    if character in "sgx":
        return f"unknown tile {character!r}; did you mean {character.upper()!r}? keys have six letters, a to f"
    known = f"unknown tile {character!r}; known: a blank and {' '.join(LEGEND).strip()}"
    if character.isascii() and character.isalpha():
        known += "; keys have six letters, a to f; a header such as `reward: m -1` declares letters for floor and ends"
    return known


def check_setting(key: str, value: str, line: int, column: int) -> None:
    """Raise a MazeError, which points to this line and column, unless a key may have this value."""
    if key not in METADATA:
        raise MazeError(f"unknown key {key!r}{nearest(key, METADATA)}", line, 1)
    allowed, read = METADATA[key]
    try:
        if value != value.strip() or "\n" in value or "\r" in value:
            raise ValueError
        read(value)
    except (ValueError, ZeroDivisionError):
        raise MazeError(f"{key!r} must be {allowed}, not {value!r}", line, column) from None


def _read_size(value: str, line: int, column: int) -> tuple[int, int]:
    """Return (rows, columns)."""
    rows, times, columns = (part.strip() for part in value.partition("x"))
    if not (times and all(part.isascii() and part.isdecimal() and len(part) < 9 for part in (rows, columns))):
        raise MazeError(f"'size' must be rows x columns, such as: 3 x 5, not {value!r:.80}", line, column)
    if not 0 < int(rows) * int(columns) <= MAX_TILES:
        raise MazeError(f"a maze can have 1 to {MAX_TILES:,} tiles, not {rows} x {columns}", line, column)
    return int(rows), int(columns)


def _sized(rows: list[str], lines: list[int], height: int, width: int, line: int) -> tuple[list[str], list[int]]:
    """Return rows of a drawing as its `size` line says, and the numbers of their lines."""
    if len(rows) > height:
        raise MazeError(f"the drawing has more than the {height} rows that line {line} says", lines[height], 1)
    for row, number in zip(rows, lines, strict=True):
        if len(row.rstrip(" ")) > width:
            raise MazeError(f"this row has more than the {width} columns that line {line} says", number, width + 1)
    last = lines[-1] if lines else line
    missing = height - len(rows)
    return [row[:width].ljust(width) for row in rows] + [" " * width] * missing, lines + [last] * missing


def _parse_rows(rows: Sequence[str], lines: Sequence[int], own: Collection[str], *, typos: bool) -> NDArray[np.uint8]:
    """Return the tiles, (height, width), of rows of text.

    Args:
        rows: the drawing.
        lines: the numbers of their lines, for errors.
        typos: whether a short row beside rows that end in walls is one.
    """
    if unknown := set().union(*rows) - LEGEND.keys() - set(own):
        for row, line in zip(rows, lines, strict=True):
            for column, tile in enumerate(row, 1):
                if tile in unknown:
                    raise MazeError(what_is_unknown(tile), line, column)
    if len({len(row) for row in rows}) > 1:
        stripped = [row.rstrip(" ") for row in rows]
        width = max(map(len, stripped)) or max(map(len, rows))
        walled = typos and any(len(row) == width and row.endswith("#") for row in stripped)
        for row, line in zip(rows, lines, strict=True):
            if walled and len(row) < width:
                message = f"this row has {len(row)} tiles, but the drawing is {width} wide and ends in walls"
                raise MazeError(f"{message}; draw the missing tiles", line, len(row) + 1)
        rows = [row.ljust(width) for row in stripped]
    return np.frombuffer("".join(rows).encode("ascii"), dtype=np.uint8).reshape(len(rows), -1)

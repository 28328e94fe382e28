"""Mazes of Jumanji: the arrays `walls`, `agent_position` and `target_position` of its state, in an .npz file."""

import io
import zipfile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import MazeError
from ..legend import MAX_TILES
from ..maze import Maze
from .arrays import maze_from_array, maze_to_array
from .format import Format

_ENDS: Final = (("agent_position", "S"), ("target_position", "G"))


def _read(data: bytes) -> Maze:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > 8 * MAX_TILES + 10_000:
                raise MazeError(f"the file is too large; a maze can have {MAX_TILES:,} tiles at most", 1, 1)
        with np.load(io.BytesIO(data), allow_pickle=False, max_header_size=10_000) as file:
            arrays = {name: file[name] for name in file.files}
    except MazeError:
        raise
    except Exception as error:  # a damaged archive can raise anything
        raise MazeError(f"not the arrays of a maze, .npz: {error!s:.80}", 1, 1) from None
    if "walls" not in arrays:
        raise MazeError(f"there is no array 'walls'; the file has {', '.join(arrays) or 'none'}", 1, 1)
    walls = arrays["walls"]
    if walls.ndim != 2 or walls.dtype.kind not in "biuf" or not np.isin(walls, (0, 1)).all():
        raise MazeError(
            f"walls must be a matrix of 0 and 1 or of bools, not {walls.dtype} of shape {walls.shape}", 1, 1
        )
    maze = maze_from_array(walls)
    places = {name: _place(name, arrays[name]) for name, _ in _ENDS if name in arrays}
    try:
        return maze.with_ends(places.get("agent_position"), places.get("target_position"))
    except MazeError as error:
        raise MazeError(error.message, 1, 1) from None


def _place(name: str, position: NDArray[Any]) -> tuple[int, int]:
    if position.shape != (2,) or position.dtype.kind not in "iu":
        raise MazeError(f"{name} must be (row, column), not {position.dtype} of shape {position.shape}", 1, 1)
    row, column = position.tolist()
    return row, column


def _write(maze: Maze) -> bytes:
    numbers = maze_to_array(maze)
    arrays: dict[str, NDArray[Any]] = {"walls": numbers == 1}
    for name, tile in _ENDS:
        places = maze.find(tile)
        for row, column in places[1:2].tolist():
            raise maze.error(row, column, f"Jumanji has one {tile} in a maze, and this is the second")
        if len(places):
            arrays[name] = np.array(places[0], dtype=np.int32)
    written = io.BytesIO()
    np.savez(written, **arrays)  # type: ignore[arg-type, unused-ignore]
    return written.getvalue()


JUMANJI: Final = Format("arrays of Jumanji's Maze: walls, agent_position and target_position", (".npz",), _read, _write)

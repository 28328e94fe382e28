"""Mazes as arrays of numbers (.npy) and as pictures: 0 floor, 1 wall, 2 start, 3 goal, as a number or a colour."""

import io
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import MazeError
from ..legend import MAX_TILES
from ..maze import Maze
from .format import Format, check_fits

_TILES: Final = np.frombuffer(b".#SG", dtype=np.uint8)
_COLOURS: Final = np.array([(255, 255, 255), (0, 0, 0), (0, 160, 0), (220, 0, 0)], dtype=np.uint8)


def maze_from_array(array: Any, *, start: tuple[int, int] | None = None, goal: tuple[int, int] | None = None) -> Maze:
    """Return the maze of an array.

    Args:
        array: (height, width) bool or integers: 0 or False floor, 1 or True wall, 2 start, 3 goal.
        start, goal: (row, column), where the array does not have them, as in mazelib.

    Raises:
        MazeError: (a ValueError) another number, with its row and column, or not a matrix; a place outside.

    Example:
        >>> from mazegrad.envs import maze_from_array
        >>> print(maze_from_array([[2, 0, 1], [1, 0, 3]]).to_text())
        S.#
        #.G
    """
    numbers = np.asarray(array)
    if numbers.ndim != 2 or not numbers.size or numbers.dtype.kind not in "biuf":
        raise MazeError(
            f"expected a matrix of numbers, not an array of {numbers.dtype} with shape {numbers.shape}", 1, 1
        )
    for row, column in np.argwhere(~np.isin(numbers, (0, 1, 2, 3)))[:1]:
        message = f"row {row}, column {column} is {numbers[row, column]}; expected 0 floor, 1 wall, 2 start or 3 goal"
        raise MazeError(message, 1, 1)
    return Maze(_TILES[numbers.astype(np.int64)]).with_ends(start, goal)


def maze_to_array(maze: Maze) -> NDArray[np.uint8]:
    """Return a maze as numbers, see `maze_from_array`.

    Returns:
        (height, width) uint8.

    Raises:
        MazeError: (a ValueError) a tile without a number, or a setting that moves agents.

    Example:
        >>> from mazegrad.envs import Maze, maze_to_array
        >>> maze_to_array(Maze.from_text("#S.G"))
        array([[1, 2, 0, 3]], dtype=uint8)
    """
    check_fits(maze, ".#SG", "; they have . # S G", "arrays do not have")
    numbers = np.zeros(256, dtype=np.uint8)
    numbers[_TILES] = range(4)
    found: NDArray[np.uint8] = numbers[maze.tiles]
    return found


def _read_npy(data: bytes) -> Maze:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a header that numpy has to guess
            array = np.load(io.BytesIO(data), allow_pickle=False, max_header_size=10_000)
    except Exception as error:  # numpy reads the header as Python, which can fail in many ways
        raise MazeError(f"not an array of numpy: {error!s:.80}", 1, 1) from None
    return maze_from_array(array)


def _write_npy(maze: Maze) -> bytes:
    written = io.BytesIO()
    np.save(written, maze_to_array(maze))
    return written.getvalue()


def _read_picture(data: bytes) -> Maze:
    image = _pillow()
    try:
        with image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MAX_TILES:
                raise MazeError(f"the picture has more than {MAX_TILES:,} px; a pixel is a tile", 1, 1)
            px = np.asarray(opened.convert("RGB")).astype(np.int64)
    except MazeError:
        raise
    except Exception as error:  # whatever is wrong in a file, for which Pillow has many errors
        raise MazeError(f"not a picture: {error!s:.80}", 1, 1) from None
    red, green, blue = np.moveaxis(px, 2, 0)
    numbers = (px.sum(axis=2) < 384).astype(np.uint8)  # dark is wall
    numbers[(green > red + 64) & (green > blue + 64)] = 2
    numbers[(red > green + 64) & (red > blue + 64)] = 3
    return maze_from_array(numbers)


def _write_picture(maze: Maze) -> bytes:
    written = io.BytesIO()
    _pillow().fromarray(_COLOURS[maze_to_array(maze)]).save(written, format="PNG")
    return written.getvalue()


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('pictures of mazes need Pillow: pip install "mazegrad[video]"') from error
    return Image


ARRAY: Final = Format("numpy's .npy: 0 floor, 1 wall, 2 start, 3 goal", (".npy",), _read_npy, _write_npy)
PICTURE: Final = Format(
    "pictures, a pixel a tile: dark is wall, green the start, red the goal", (".png",), _read_picture, _write_picture
)

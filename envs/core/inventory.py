"""Keys and items are carried: each is a bit of one number, and a state is a cell times that number.

The bits of a maze: one for each letter that it has a key of, in alphabetical order (keys of one letter are the same
to its doors: the first one taken stands for all), then one for each item, in reading order.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..maps.maze import Maze

MAX_THINGS: Final = 12
"""carried things that a maze has at most: each doubles the number of states"""
FLOOR: Final = ord(".")
OPENED: Final = 128
"""added to the code of a door that stands open"""

_KEY, _DOOR, _ITEM = ord("a"), ord("A"), ord("*")
_LETTER: Final = np.full(256, -1, dtype=np.int8)  # of a key or a door
_LETTER[_KEY : _KEY + 6] = _LETTER[_DOOR : _DOOR + 6] = range(6)


def is_door(tiles: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where doors are, of any letter."""
    return (tiles >= _DOOR) & (tiles < _DOOR + 6)


def thing_bits(tiles: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the bit of each item, each key and each door (its key's; 0 if there is none), 0 for all other tiles.

    Args:
        tiles: (mazes, height, width).

    Returns:
        The same shape; a maze has bits 1, 2, 4, ... without a gap.
    """
    mazes = len(tiles)
    flat = tiles.reshape(mazes, -1)
    is_item, letter = flat == _ITEM, _LETTER[flat]
    bits = np.zeros(flat.shape, dtype=np.int64)
    if not is_item.any() and not (letter >= 0).any():
        return bits.reshape(tiles.shape)
    has_key = np.stack([(flat == _KEY + k).any(axis=1) for k in range(6)], axis=1)
    key_bit = np.where(has_key, 1 << (np.cumsum(has_key, axis=1) - has_key), 0)
    maze, place = np.nonzero(letter >= 0)
    bits[maze, place] = key_bit[maze, letter[maze, place]]
    number = np.cumsum(is_item, axis=1) - is_item + has_key.sum(axis=1, keepdims=True)
    bits[is_item] = 1 << np.minimum(number, 62)[is_item]
    return bits.reshape(tiles.shape)


def thing_count(maze: Maze) -> int:
    """Return how many things can be carried: letters that have a key, and items."""
    return int(thing_bits(maze.tiles[None]).max()).bit_length()


def tiles_now(maze: Maze, carried: int) -> NDArray[np.uint8]:
    """Return the tiles as they are for an agent that carries this: things taken are floor, open doors are `OPENED`."""
    if not carried:
        return maze.tiles
    changed = (thing_bits(maze.tiles[None])[0] & carried) != 0
    return np.where(changed, np.where(is_door(maze.tiles), maze.tiles + OPENED, FLOOR), maze.tiles).astype(np.uint8)

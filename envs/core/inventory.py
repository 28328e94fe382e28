"""Keys and items are carried: each is a bit of one number, and a state is a cell times that number.

The bits of a maze: one for each letter that it has a key of, in alphabetical order (keys of one letter are the same
to its doors: the first one taken stands for all), then one for each item, in reading order.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..maps.legend import is_open
from ..maps.maze import Maze

MAX_INVENTORY: Final = 40
"""the most keys and items that a maze can have: each may double the number of states"""
CLOSED: Final = 1 << MAX_INVENTORY
"""what a tile needs that nobody can enter: a bit that is never carried"""
FLOOR: Final = ord(".")
OPENED: Final = 128
"""added to the code of a door that stands open"""

_KEY, _DOOR, _ITEM = ord("a"), ord("A"), ord("*")
_LETTER: Final = np.full(256, -1, dtype=np.int8)  # of a key or a door
_LETTER[_KEY : _KEY + 6] = _LETTER[_DOOR : _DOOR + 6] = range(6)


def is_door(tiles: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which tiles are doors, of any letter; any shape."""
    return (tiles >= _DOOR) & (tiles < _DOOR + 6)


def inventory_bits(tiles: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the bit of each item, key and door; 0 for all other tiles.

    Args:
        tiles: (mazes, height, width).

    Returns:
        The same shape. A maze has the bits 1, 2, 4, ... without a gap; a door has the bit of its key, 0 without one.
    """
    mazes = len(tiles)
    flat = tiles.reshape(mazes, -1)
    is_item, letter = flat == _ITEM, _LETTER[flat]
    bits = np.zeros(flat.shape, dtype=np.int64)
    if not is_item.any() and not (letter >= 0).any():
        return bits.reshape(tiles.shape)
    has_key = np.stack([(flat == _KEY + k).any(axis=1) for k in range(6)], axis=1)
    key_bit = np.where(has_key, 1 << (np.cumsum(has_key, axis=1) - has_key), 0)
    maze, cell = np.nonzero(letter >= 0)
    bits[maze, cell] = key_bit[maze, letter[maze, cell]]
    number = np.cumsum(is_item, axis=1) - is_item + has_key.sum(axis=1, keepdims=True)
    bits[is_item] = 1 << np.minimum(number, 62)[is_item]
    return bits.reshape(tiles.shape)


def inventory_size(maze: Maze) -> int:
    """Return the number of bits of a maze: one for each letter that it has a key of, one for each item."""
    return int(inventory_bits(maze.tiles[None]).max()).bit_length()


def needs(tiles: NDArray[np.uint8], bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what must be carried to enter each tile.

    A tile can be entered where `needs(tiles, bits) & ~carried == 0`.

    Args:
        tiles: any shape.
        bits: the same shape, the `inventory_bits` of these tiles.

    Returns:
        The same shape: a door needs its key; wall, nothing and a door without a key need `CLOSED`; all else needs 0.
    """
    door = is_door(tiles)
    closed = ~is_open(tiles) | (door & (bits == 0))
    return np.where(closed, CLOSED, np.where(door, bits, 0))


def tiles_now(maze: Maze, carried: int) -> NDArray[np.uint8]:
    """Return the tiles as an agent finds them that carries this: what was taken is floor, open doors are `OPENED`."""
    if not carried:
        return maze.tiles
    changed = (inventory_bits(maze.tiles[None])[0] & carried) != 0
    return np.where(changed, np.where(is_door(maze.tiles), maze.tiles + OPENED, FLOOR), maze.tiles).astype(np.uint8)

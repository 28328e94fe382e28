"""New mazes on the device: the recursive backtracker for many keys at once, as `generate_batch` makes it, bit for bit.

A room holds the direction that leads back to the room from which the walk came, so that no trail is needed and the
whole maze is known from these. A write is a selection among all rooms, since arrays are not written in place.
"""

from functools import cache, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.generators.grid import CARVING, FLOOR, GOAL, START, TURNS, WALL, grid_of
from ..maps.randomness import GAMMA, MASK
from . import words
from .namespace import Array, Namespace, compiled, counted, is_jax, is_torch, namespace, on_device, take

# what a room holds: the direction back, 0 to 3, or one of these
_UNSEEN, _BORDER, _ROOT = 4, 5, 6
_STUCK: Final = 4


def backtracker(rows: int, columns: int, keys: Array) -> Array:
    """Return the mazes that the recursive backtracker makes from keys; all of it can be compiled.

    Args:
        rows, columns: of rooms.
        keys: (n, 2) int32: the keys of `generate_batch` in two words each, such as `functional.keys` returns.

    Returns:
        (n, 2 * rows + 1, 2 * columns + 1) uint8 tiles, start and goal in opposite corners.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import Maze, functional
        >>> keys = np.array([[0, 7], [0, 8]], dtype=np.int32)  # 7 and 8, the high word first
        >>> tiles = functional.backtracker(2, 3, keys)
        >>> print(Maze(tiles[0]).to_text())
        #######
        #S..#.#
        #.###.#
        #....G#
        #######
    """
    grid_of(rows, columns)  # checks the numbers
    return _carved(keys, rows=rows, columns=columns)


@compiled("rows", "columns")
def _carved(keys: Array, *, rows: int, columns: int) -> Array:
    """Return `backtracker` of numbers that were checked."""
    xp, rooms, wide = namespace(keys), rows * columns, columns + 1
    array = on_device(xp, keys.device if is_torch(xp) else None)
    keys = xp.astype(keys, xp.int32)
    stream = words.mix(words.plus((keys[:, 0], keys[:, 1]), CARVING * GAMMA & MASK))
    counters = [(number + 1) * GAMMA & MASK for number in range(rooms)]
    upper, lower = (
        array(np.array([[words.signed(c >> shift) for c in counters]], dtype=np.int32)) for shift in (32, 0)
    )
    drawn = words.mix(words.plus_pair((stream[0][:, None], stream[1][:, None]), (upper, lower)))
    turn = _framed(xp, words.choice(drawn, len(TURNS)), rows, columns, 0)
    first = words.choice(words.bits(stream, rooms), rooms)
    at = (first // columns + 1) * wide + first % columns
    size = turn.shape[1]
    numbers = array(np.arange(size, dtype=np.int32)[None, :])
    unseen = _framed(xp, drawn[0] * 0 + _UNSEEN, rows, columns, _BORDER)
    cells = xp.where(numbers == at[:, None], _ROOT, unseen)
    # the number of each maze times the size: where its rooms begin in the flat arrays
    begin = counted(at) * size
    steps = array(np.array([-wide, 1, -1, wide, 0, 0, 0], dtype=np.int32))
    fixed = (xp.reshape(turn, (-1,)), begin, numbers, steps, array(_directions()))
    once, count = partial(_once, fixed, wide), 2 * (rooms - 1)
    if is_jax(xp):
        import jax

        at, cells = jax.lax.fori_loop(0, count, lambda _, carry: once(carry), (at, cells))
    else:
        for _ in range(count):
            at, cells = once((at, cells))
    return _drawn(xp, array, cells, rows, columns)


def _once(fixed: tuple[Array, ...], wide: int, carry: tuple[Array, Array]) -> tuple[Array, Array]:
    """Walk on to an unseen room, or else back; the carry is (n,) rooms and what all rooms hold, (n, size)."""
    (turn, begin, numbers, steps, directions), (at, cells) = fixed, carry
    xp = namespace(at)
    flat, here = xp.reshape(cells, (-1,)), begin + at
    code = 16 * take(turn, here)
    for direction, step in enumerate((-wide, 1, -1, wide)):
        code = code + (xp.astype(take(flat, here + step) == _UNSEEN, xp.int32) << direction)
    ahead = take(directions, code)
    at = at + take(steps, xp.where(ahead == _STUCK, take(flat, here), ahead))
    new = (numbers == at[:, None]) & (ahead != _STUCK)[:, None]
    return at, xp.where(new, 3 - ahead[:, None], cells)


@cache
def _directions() -> NDArray[np.int32]:
    """Return for 16 * turn + bits of the unseen neighbours the first of these in that order, or `_STUCK`."""
    rows = [[next((d for d in turn if unseen >> d & 1), _STUCK) for unseen in range(16)] for turn in TURNS]
    return np.array(rows, dtype=np.int32).ravel()


def _framed(xp: Namespace, rooms: Array, rows: int, columns: int, border: int) -> Array:
    """Return numbers of rooms, (n, rows * columns), with a column behind, a row above and one below; (n, size)."""
    grid = xp.reshape(rooms, (-1, rows, columns))
    grid = xp.concat([grid, grid[:, :, :1] * 0 + border], axis=2)
    row = grid[:, :1, :] * 0 + border
    return xp.reshape(xp.concat([row, grid, row], axis=1), (-1, (rows + 2) * (columns + 1)))


def _drawn(xp: Namespace, array: Any, cells: Array, rows: int, columns: int) -> Array:
    """Return tiles: a wall is open where the room at one of its sides leads back through it."""
    back = xp.reshape(cells, (-1, rows + 2, columns + 1))
    room = back[:, 1:-1, :-1]
    right = (room == 1) | (back[:, 1:-1, 1:] == 2)
    below = (room == 3) | (back[:, 2:, :-1] == 0)
    here = room >= 0
    pairs = [xp.stack([here, right], axis=3), xp.stack([below, ~here], axis=3)]
    inner = xp.reshape(xp.stack(pairs, axis=2), (-1, 2 * rows, 2 * columns))
    wall = inner[:, :, :1] & False
    inner = xp.concat([wall, inner], axis=2)
    opened = xp.concat([inner[:, :1, :] & False, inner], axis=1)
    tiles = np.full((1, 2 * rows + 1, 2 * columns + 1), FLOOR, dtype=np.uint8)
    tiles[:, -2, -2], tiles[:, 1, 1] = GOAL, START
    return xp.where(opened, array(tiles), array(np.full_like(tiles, WALL)))

"""New mazes on the device: the recursive backtracker for many keys at once, as `generate_batch` makes it, bit for bit.

A room holds the direction that leads back to the room from which the walk came, so that no trail is needed and the
whole maze is known from these. A write is a selection among all rooms, since arrays are not written in place.
"""

from functools import cache, partial
from typing import Any, Final

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ..maps.generators.grid import CARVING, FLOOR, GOAL, START, TURNS, WALL, grid_of
from ..maps.randomness import GAMMA, MASK
from . import words
from .namespace import Array, Namespace, is_jax, is_torch, namespace, on_device, take
from .tables import MODES, Tables

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
    begin = xp.cumulative_sum(at * 0 + size, axis=0, dtype=xp.int32) - size
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


def fresh_tables(
    rows: int, columns: int, keys: Array, time_limit: int | None = None, mode: AutoresetMode | str = "NextStep"
) -> Tables:
    """Return tables of new mazes of the recursive backtracker, one for each lane; all of it can be compiled.

    Lanes observe "dots", the goal earns 1 and the info is "success". A lane stays in its maze: make new tables, with
    other keys, for the next mazes; what was compiled for one set fits the next.

    Args:
        rows, columns, keys: see `backtracker`.
        time_limit: by default that of `mazegrad/Maze-v0`, the square of the open tiles.
        mode: see `MazeVectorEnv`.

    Raises:
        ValueError: too many lanes for mazes of this size.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import functional
        >>> keys = np.arange(16, dtype=np.int32).reshape(8, 2)
        >>> tables = functional.fresh_tables(3, 3, keys)
        >>> dots, state = functional.reset(tables, keys)
        >>> dots.shape  # each lane in a maze of its own
        (8, 4)
    """
    tiles, wide = backtracker(rows, columns, keys), 8
    xp = namespace(tiles)
    array = on_device(xp, tiles.device if is_torch(xp) else None)
    lanes, height, width = tiles.shape
    states = lanes * height * width
    if states * wide > 2**25:
        raise ValueError(
            f"there is room for {2**25 // (wide * height * width):,} lanes of this size, not for {lanes:,}"
        )
    flat = xp.reshape(tiles, (-1,))
    number = xp.cumulative_sum(xp.astype(flat, xp.int32) * 0 + 1, axis=0, dtype=xp.int32) - 1
    is_open, goal = flat != WALL, flat == GOAL
    steps = (-width, 1, -1, width)
    inside = xp.where(is_open, number, width + 1)  # an open tile has neighbours; what walls have is never read
    after = [xp.where(take(is_open, inside + step) & ~goal, inside + step, number) for step in steps]
    dots = sum(xp.astype(take(is_open, inside + step), xp.int32) << d for d, step in enumerate(steps))
    moves: list[Array] = []
    for following in (*after, *[number] * (wide - 4)):
        arrives = xp.astype(take(goal, following) & (following != number), xp.int32)
        ends = xp.astype(take(goal, following), xp.int32) if len(moves) < 4 else arrives
        moves.append((following * wide << 6) | (arrives << 5) | (ends << 4) | take(dots, following))
    limit = (2 * rows * columns - 1) ** 2 if time_limit is None else time_limit
    lane = number[:lanes]
    return Tables(
        words=xp.stack(moves, axis=1)[None, ...],
        rewards=array(np.array([0.0, 1.0])),
        bits=array(np.arange(4, dtype=np.int32)),
        seen=None,
        actions=array(np.arange(4, dtype=np.int32)),
        limits=None,
        starts=(lane * (height * width) + width + 1) * wide,
        first=lane,
        count=lane * 0 + 1,
        maze_of=None,
        lanes=lane,
        repeat=None,
        time_limit=array(np.array([limit], dtype=np.int32)),
        info={"success": goal},
        mode=MODES[AutoresetMode(mode)],
    )


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

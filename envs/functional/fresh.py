"""A new maze for a lane at each reset: made ahead for all lanes at once, on the device or on the host, a byte a cell.

As in `engines/fresh.py` the four neighbours decide what a move does, so there are 32 kinds of cells, and the words of
the moves on each are those of Worlds of 3 x 3 tiles. A lane keeps a few mazes. When one has none left for its next
episode, one more is made for every lane that has room: by the recursive backtracker on the device, by other generators
on the host, which compiled code calls. A lane's n-th maze depends on its key and on n alone.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..maps.generators import generate_batch
from ..maps.generators.grid import GOAL, NOTHING, START, WALL
from ..maps.randomness import GAMMA, MAZE, STEPS
from . import words
from .backtracker import backtracker
from .namespace import Array, Namespace, counted, is_jax, is_torch, namespace, take
from .structure import Mazes, State, Tables
from .whole_mazes import WholeMazes, tables_of_mazes

KIND, IS_GOAL, OPEN, IS_START, IS_NOTHING = 31, 16, 32, 64, 128
"""bits of a cell: its kind (which neighbours are open, whether it is a goal), and what it is"""
MOST_CELLS: Final = 2**31 - 1
_BYTES: Final = 2**28  # of mazes that are kept
_SLOTS: Final = 4  # of a lane at most, that of the maze that it is in included

Batch: TypeAlias = Callable[[NDArray[np.uint64]], NDArray[np.uint8]]
"""from keys, (n,), to tiles, (n, height, width); see `Levels.batch`"""


class Maker(NamedTuple):
    """Who makes mazes. A tuple without fields, one class for each generator: `jit` takes it for structure."""


class Fresh(NamedTuple):
    """How the mazes of lanes come about."""

    maker: Maker
    whole: WholeMazes
    """the tables of what a whole maze decides"""
    per_level: Array
    """(1,) int32: how many episodes a lane stays in a maze"""
    longest: Array
    """(1,) int32: a bound on the steps of an episode, (0,) where the tables have one for all mazes"""


def maker_of(batch: Batch, height: int, width: int) -> Maker:
    """Return the maker of mazes of a size; the same one for the same generator and knobs."""
    key: Any = batch
    if isinstance(batch, partial):
        key = batch.func, batch.args, tuple(sorted(batch.keywords.items()))
    return _maker(key, height, width)


@cache
def _maker(key: Any, height: int, width: int) -> Maker:
    parts = key if isinstance(key, tuple) else (key, (), ())
    batch = partial(parts[0], *parts[1], **dict(parts[2]))
    carved = parts[1][1:] if parts[0] is generate_batch and parts[1][0] == "backtracker" and not parts[2] else None
    made = (_maker, (key, height, width))
    members = {"batch": batch, "carved": carved, "size": (height, width), "__reduce__": lambda self: made}
    maker: Maker = type("Maker", (Maker,), {"__slots__": (), **members})()
    return maker


def no_mazes(tables: Tables, lanes: Array) -> Mazes:
    """Return slots for the mazes of lanes, all empty; lanes is any array, (lanes,) int32."""
    xp, (height, width) = namespace(lanes), tables.fresh.maker.size
    slots = min(max(_BYTES // (lanes.shape[0] * height * width), 1), _SLOTS)
    if lanes.shape[0] * slots * height * width > MOST_CELLS:
        raise ValueError(f"there is room for {MOST_CELLS // (height * width):,} lanes in mazes of this size")
    zeros = lanes & 0
    few = xp.stack([zeros] * slots, axis=1)
    cells = xp.zeros_like(xp.broadcast_to(few[:, :, None], (*few.shape, height * width)), dtype=xp.uint8)
    limit = few if tables.fresh.longest.shape[0] else None
    tabled = {
        name: xp.zeros_like(xp.broadcast_to(one[None, None, ...], (*cells.shape, *one.shape[1:])))
        for name, one in tables.fresh.whole.zeros.items()
    }
    return Mazes(cells, few, few, limit, zeros - 1, tabled)


def entered(tables: Tables, state: State, mask: Array, time: int) -> State:
    """Return the state in which the lanes of a mask are on the starts of the mazes of their episodes.

    Args:
        tables, state: the state has the keys and the numbers of these episodes.
        mask: (lanes,) bool.
        time: steps that were made in them, 0, or -1 with the step to come.
    """
    number = state.episode // tables.fresh.per_level[0]
    mazes = _ready(tables.fresh, state, number, mask)
    xp, (_, slots, size) = namespace(number), mazes.cells.shape
    slot = number % slots
    start = slot * size + take(xp.reshape(mazes.start, (-1,)), counted(slot) * slots + slot)
    random = state.random
    if random is not None:
        later = words.later(words.mix(state.key), STEPS + time + 1)
        random = tuple(xp.where(mask, new, old) for new, old in zip(later, random, strict=True))
    return state._replace(
        at=xp.where(mask, start, state.at),
        steps=None if state.steps is None else xp.where(mask, time, state.steps),
        over=None if state.over is None else state.over & ~mask,
        maze=slot,
        random=random,
        mazes=mazes,
    )


def slots(state: State) -> Array:
    """Return the number of each lane's slot among those of all lanes, (lanes,) int32."""
    return counted(state.at) * state.mazes.start.shape[1] + state.maze


def cells(state: State) -> Array:
    """Return the bits of the cells that lanes are on, (lanes,) int32."""
    xp, (_, kept, size) = namespace(state.at), state.mazes.cells.shape
    here = counted(state.at) * (kept * size) + state.at
    return xp.astype(take(xp.reshape(state.mazes.cells, (-1,)), here), xp.int32)


def of_maze(state: State, name: str) -> Array:
    """Return entries of a table of `Mazes`, for the cells that lanes are on, (lanes, ...)."""
    table, (_, kept, size) = state.mazes.tables[name], state.mazes.cells.shape
    here = counted(state.at) * (kept * size) + state.at
    return take(namespace(table).reshape(table, (-1, *table.shape[3:])), here)


def info(tables: Tables, state: State) -> dict[str, Array]:
    """Return the info of lanes, (lanes, ...) by name: by the kinds of their cells, or by their whole mazes."""
    here = kinds(state)
    return {
        name: of_maze(state, name) if name in tables.fresh.whole.zeros else take(table, here)
        for name, table in tables.info.items()
    }


def kinds(state: State) -> Array:
    """Return the kinds of the cells that lanes are on, (lanes,) int32."""
    return cells(state) & KIND


def arrived(tables: Tables, state: State, acts: Array) -> tuple[Array, Array]:
    """Return the rewards and the terminations of the moves that led here, (lanes,) each.

    Args:
        acts: (lanes,) bool, False for lanes that stay: these earn nothing.
    """
    xp, (usual, goal) = namespace(state.at), (tables.rewards[number] for number in range(2))
    terminated = (kinds(state) >= IS_GOAL) & acts
    return xp.where(terminated, goal, xp.where(acts, usual, usual - usual)), terminated


def seen(tables: Tables, state: State) -> Any:
    """Return what lanes observe, (lanes, ...), or a dict of such arrays."""
    if isinstance(tables.seen, dict):
        return {name: look(tables, state) for name, look in tables.seen.items()}
    return tables.seen(tables, state)


def _ready(fresh: Fresh, state: State, number: Array, mask: Array) -> Mazes:
    """Return mazes among which are those of these numbers, for the lanes of a mask."""
    xp, mazes = namespace(number), state.mazes
    missing = mask & (mazes.made < number)
    if is_jax(xp):
        import jax

        more = partial(_more, fresh, state.key, state.episode, number, missing)
        return jax.lax.cond(missing.any(), more, lambda mazes: mazes, mazes)
    return _more(fresh, state.key, state.episode, number, missing, mazes) if bool(xp.any(missing)) else mazes


def _more(fresh: Fresh, key: words.Pair, episode: Array, number: Array, missing: Array, mazes: Mazes) -> Mazes:
    """Return mazes with one more for each lane that misses one, or has room for one."""
    xp, slots = namespace(number), mazes.start.shape[1]
    making = missing | ((mazes.made >= 0) & (mazes.made < number + slots - 1))
    ahead = mazes.made + 1
    # the stream that draws it is that of the episode with its number: the key of that is key + further * GAMMA
    further = ahead - episode
    stream = words.mix(words.plus_pair(key, words.times((further >> 31, further), GAMMA)))
    tiles = _made(xp, fresh.maker, xp.stack(words.bits(stream, MAZE), axis=1), making)
    made = _cells(xp, xp.reshape(tiles, (tiles.shape[0], -1)), tiles.shape[2])
    limit = mazes.limit
    new = making[:, None] & (counted(mazes.start[0, :])[None, :] == (ahead % slots)[:, None])

    def first(bit: int) -> Array:
        return xp.astype(xp.argmax(made & bit, axis=1), xp.int32)[:, None]

    if limit is not None:
        tiles_open = xp.sum(xp.astype((made & OPEN) != 0, xp.int32), axis=1, dtype=xp.int32)
        own = tiles_open * tiles_open  # see `planning.hitting.size_limit`
        limit = xp.where(new, xp.where(own < fresh.longest[0], own, fresh.longest[0])[:, None], limit)
    tabled = tables_of_mazes(fresh.whole, tiles, making)
    return Mazes(
        tables={
            name: xp.where(xp.reshape(new, (*new.shape, *[1] * (old.ndim - 2))), tabled[name][:, None, ...], old)
            for name, old in mazes.tables.items()
        },
        cells=xp.where(new[:, :, None], made[:, None, :], mazes.cells),
        start=xp.where(new, first(IS_START), mazes.start),
        goal=xp.where(new, first(IS_GOAL), mazes.goal),
        limit=limit,
        made=xp.where(making, ahead, mazes.made),
    )


def _cells(xp: Namespace, tiles: Array, width: int) -> Array:
    """Return the bits of cells, (n, height * width) uint8, of mazes in a frame of walls."""

    def bit(mask: Array, value: int) -> Array:
        return xp.astype(mask, xp.uint8) * value

    is_open = (tiles != WALL) & (tiles != NOTHING)
    cells = bit(tiles == GOAL, IS_GOAL) + bit(is_open, OPEN)
    cells = cells + bit(tiles == START, IS_START) + bit(tiles == NOTHING, IS_NOTHING)
    for direction, step in enumerate((-width, 1, -1, width)):
        # an agent is never in the frame, where what lies beyond a border comes in
        cells = cells + bit(xp.roll(is_open, -step, axis=1), 1 << direction)
    return cells


def _made(xp: Namespace, maker: Any, keys: Array, making: Array) -> Array:
    """Return the tiles of the mazes of keys, (lanes, height, width) uint8; outside `making` they mean nothing."""
    if maker.carved and (is_jax(xp) or (is_torch(xp) and keys.device.type != "cpu")):
        rows, columns = maker.carved
        return backtracker(rows, columns, keys)
    if is_jax(xp):
        import jax

        shape = jax.ShapeDtypeStruct((keys.shape[0], *maker.size), np.uint8)
        return jax.pure_callback(partial(_on_host, maker), shape, keys, making, vmap_method="sequential")
    there = [np.asarray(array.cpu() if is_torch(xp) else array) for array in (keys, making)]
    return xp.asarray(_on_host(maker, *there), **({"device": keys.device} if is_torch(xp) else {}))


def _on_host(maker: Any, keys: Any, making: Any) -> NDArray[np.uint8]:
    halves, making = np.asarray(keys).view(np.uint32).astype(np.uint64), np.asarray(making)
    whole = halves[:, 0] << np.uint64(32) | halves[:, 1]
    tiles = np.zeros((len(whole), *maker.size), dtype=np.uint8)
    if making.any():
        tiles[making] = maker.batch(whole[making])
    return tiles

"""What is best in many plain mazes, and how hard they are, over the arrays of numpy, JAX or torch.

All is read off the distances to a goal (`distance_maps`), and all of it can be compiled.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from ..maps.arguments import nearest
from ..maps.plain import MEASURES, VIEW, VIEW_CODES, VIEW_WEIGHTS
from ..planning.plain import plain_rewards, values_by_distance
from .distances import checked_plain, maps_of, open_tiles
from .namespace import Array, Namespace, compiled, counted, is_jax, is_torch, namespace, on_device, repeat_while, take

_START, _GOAL = ord("S"), ord("G")


@compiled()
def best_actions(maps: Array) -> Array:
    r"""Return which moves begin a shortest path, from each tile of plain mazes, as `mazegrad.envs.best_actions` does.

    Args:
        maps: (n, height, width) int32, as `distance_maps` returns them.

    Returns:
        (n, height, width, 4) int8: 1 for such moves. All four are 0 at a goal, and 1 where no goal can be reached.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> maps = functional.distance_maps(Maze.from_text("S..\n.#.\n..G").tiles[None])
        >>> functional.best_actions(maps)[0, 0, 0]  # at the start, right and down are equally good
        array([0, 1, 0, 1], dtype=int8)
    """
    xp = namespace(maps)
    nearer = xp.where(maps > 0, maps - 1, -2)
    best = [(near == nearer) | (maps < 0) for near in _ahead(xp, maps, -1)]
    return xp.astype(xp.stack(best, axis=3), xp.int8)


def value_maps(tiles: Array, *, discount: float = 0.99, rewards: Mapping[str, float] | None = None) -> Array:
    """Return V*, the value of the best policy, of each tile of plain mazes, as `mazegrad.envs.value_maps` does.

    Args:
        tiles: (n, height, width) uint8, as `distance_maps` takes them.
        discount: 0 to 1; at 1 a step must have a negative reward.
        rewards: of a "step" and of the "goal", 0 and 1 by default.

    Returns:
        (n, height, width) floats in the default dtype of the library; 0 at goals and at walls.

    Raises:
        ValueError: as `distance_maps`; a discount or rewards that are not allowed.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> functional.value_maps(Maze.from_text("S..G").tiles[None], discount=0.5)
        array([[[0.25, 0.5 , 1.  , 0.  ]]])
    """
    xp, earned = checked_plain("value_maps", tiles), plain_rewards(discount, rewards)
    array = on_device(xp, tiles.device if is_torch(xp) else None)
    # the last two: without a way, and at walls
    by_distance = array(values_by_distance(earned, discount, tiles.shape[1] * tiles.shape[2]))
    return _values(tiles, by_distance, soon=earned.soon(discount))


@compiled("soon")
def _values(tiles: Array, by_distance: Array, *, soon: bool) -> Array:
    """Return the values of each tile; `soon`: it is best to be at a goal soon."""
    xp, maps = namespace(tiles), maps_of(tiles)
    size = tiles.shape[1] * tiles.shape[2]
    if soon:
        index = xp.where(maps < 0, size, maps)
    else:  # to walk on for ever is best, where there is another move than to a goal
        others = [near != _GOAL for near in _ahead(xp, tiles, 0)]
        index = xp.where(others[0] | others[1] | others[2] | others[3], size, maps * 0 + 1)
        index = xp.where(maps == 0, 0, index)
    index = xp.astype(xp.where(open_tiles(tiles), index, size + 1), xp.int32)
    return xp.reshape(take(by_distance, xp.reshape(index, (-1,))), maps.shape)


def shortest_paths(tiles: Array, *, longest: int | None = None) -> Array:
    r"""Return a shortest path of each plain maze, from its first start to a goal, as `mazegrad.envs.shortest_paths`.

    Args:
        tiles: (n, height, width) uint8, as `distance_maps` takes them.
        longest: the most steps that a path may have; by default as many as any path in such mazes can have. The result
            has this length plus one, so a smaller number saves room; a maze with a longer path has none.

    Returns:
        (n, longest + 1) int32: the cells of the path, row * width + column, both ends included, and -1 behind its end;
        all -1 where there is none. Ties go to the first direction in order.

    Raises:
        ValueError: as `distance_maps`; a negative number of steps.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> functional.shortest_paths(Maze.from_text("S..\n.#.\n..G").tiles[None], longest=5)
        array([[ 0,  1,  2,  5,  8, -1]], dtype=int32)
    """
    checked_plain("shortest_paths", tiles)
    steps = tiles.shape[1] * tiles.shape[2] - 1 if longest is None else longest
    if steps < 0:
        raise ValueError(f"longest must be 0 or more, not {longest}")
    return _paths(tiles, steps=steps)


@compiled("steps")
def _paths(tiles: Array, *, steps: int) -> Array:
    """Return the shortest paths that take no more steps than this; rows of -1 for the others."""
    xp, maps = namespace(tiles), maps_of(tiles)
    array = on_device(xp, tiles.device if is_torch(xp) else None)
    count, height, width = tiles.shape
    change = xp.zeros_like(maps)
    nearer = xp.where(maps > 0, maps - 1, -2)
    for near, step in reversed(list(zip(_ahead(xp, maps, -1), (-width, 1, -1, width), strict=True))):
        change = xp.where(near == nearer, array(np.array(step, dtype=np.int32)), change)
    change, way, flat = (xp.reshape(a, (-1,)) for a in (change, maps, tiles == _START))
    begin = counted(tiles[:, 0, 0]) * (height * width)
    first = xp.astype(xp.argmax(xp.astype(xp.reshape(flat, (count, -1)), xp.int8), axis=1), xp.int32)
    has_start = xp.any(xp.reshape(flat, (count, -1)), axis=1)
    left = xp.where(has_start, take(way, begin + first), -1)
    left = xp.where(left <= steps, left, -1)

    def once(at: Array, left: Array) -> tuple[Array, Array]:
        return at + take(change, begin + at), left - 1  # at a goal nothing changes

    if is_jax(xp):
        import jax

        def scanned(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
            return once(*carry), xp.where(carry[1] >= 0, carry[0], -1)

        return jax.lax.scan(scanned, (first, left), None, length=steps + 1)[1].T
    cells, at = [], first
    for _ in range(steps + 1):
        cells.append(xp.where(left >= 0, at, -1))
        at, left = once(at, left)
    return xp.stack(cells, axis=1)


class _Seen(NamedTuple):
    """What measures are read off."""

    xp: Namespace
    tiles: Array
    maps: Array
    open: Array
    near: tuple[Array, ...]
    """whether the neighbour in each direction is open, bools each"""


def measures(tiles: Array, *names: str) -> dict[str, Array]:
    """Return how hard many plain mazes are, as `mazegrad.envs.measures` does: name -> (n,) int32.

    Args:
        tiles: (n, height, width) uint8, as `distance_maps` takes them.
        names: of `MEASURES`; all of them by default.

    Raises:
        ValueError: as `distance_maps`; an unknown name.

    Example:
        >>> from mazegrad.envs import functional, load_maze
        >>> spiral = load_maze("spiral").tiles
        >>> {name: int(numbers[0]) for name, numbers in functional.measures(spiral[None], "path_length").items()}
        {'path_length': 94}
    """
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"unknown measure {name!r}{nearest(name, MEASURES)}")
    checked_plain("measures", tiles)
    found: dict[str, Array] = _measured(tiles, names=names or tuple(MEASURES))
    return {name: found[name] for name in names or MEASURES}  # in this order, which JAX does not keep


@compiled("names")
def _measured(tiles: Array, *, names: tuple[str, ...]) -> dict[str, Array]:
    """Return the measures of these names."""
    xp, is_open = namespace(tiles), open_tiles(tiles)
    near = tuple(one & is_open for one in _ahead(xp, is_open, False))
    seen = _Seen(xp, tiles, maps_of(tiles), is_open, near)
    return {name: _MEASURES[name](seen) for name in names}


def _count(xp: Namespace, mask: Array) -> Array:
    """Return how many tiles of each maze a mask holds, (n,) int32."""
    return xp.sum(xp.astype(mask, xp.int32), axis=(1, 2), dtype=xp.int32)


def _path_length(seen: _Seen) -> Array:
    xp, starts = seen.xp, seen.tiles == _START
    farthest = xp.max(xp.where(starts, seen.maps, -1), axis=(1, 2))
    return xp.where(xp.any(starts & (seen.maps < 0), axis=(1, 2)), -1, farthest)


def _frontier(seen: _Seen) -> Array:
    xp = seen.xp
    longest = xp.max(seen.maps)

    def once(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        distance, most = carry
        here = _count(xp, seen.maps == distance)
        return distance + 1, xp.where(here > most, here, most)

    begin = (longest * 0, _count(xp, seen.maps == 0))
    return repeat_while(xp, lambda carry: carry[0] <= longest, once, begin)[1]


def _look_alikes(seen: _Seen) -> Array:
    xp, bits = seen.xp, _bits(seen)
    counts = [_count(xp, seen.open & (bits == number)) for number in range(16)]
    return sum(xp.where(count > 1, count, 0) for count in counts)


def _view_look_alikes(seen: _Seen) -> Array:
    """Count by hashes of two words, as good as numpy's of 64 bits."""
    xp = seen.xp
    count, height, width = seen.tiles.shape
    array = on_device(xp, seen.tiles.device if is_torch(xp) else None)
    codes = take(array(VIEW_CODES.astype(np.int32)), xp.reshape(xp.astype(seen.tiles, xp.int32), (-1,)))
    codes, margin = xp.reshape(codes, seen.tiles.shape), VIEW // 2
    row = xp.concat([codes[:, :1, :] & 0] * margin, axis=1)
    codes = xp.concat([row, codes, row], axis=1)
    column = xp.concat([codes[:, :, :1] & 0] * margin, axis=2)
    codes = xp.concat([column, codes, column], axis=2)
    begin = counted(seen.tiles[:, 0, 0])[:, None] * (height * width)

    def in_order(keys: Array, order: Array) -> Array:
        return xp.reshape(take(xp.reshape(keys, (-1,)), xp.reshape(begin + order, (-1,))), order.shape)

    keys = []
    for shift in (0, 32):
        rows, columns = ((VIEW_WEIGHTS >> np.uint64(shift)).astype(np.uint32) | np.uint32(1)).view(np.int32).tolist()
        along = sum(codes[:, :, number : number + width] * columns[number] for number in range(VIEW))
        hashes = sum(along[:, number : number + height, :] * rows[number] for number in range(VIEW))
        keys.append(xp.reshape(hashes, (count, -1)))
    keys.append(xp.astype(~xp.reshape(seen.open, (count, -1)), xp.int32))  # closed cells come last
    order = xp.astype(xp.argsort(keys[0], axis=1), xp.int32)
    for key in keys[1:]:
        order = in_order(order, xp.astype(xp.argsort(in_order(key, order), axis=1, stable=True), xp.int32))
    one, other, closed = (in_order(key, order) for key in keys)
    same = (one[:, 1:] == one[:, :-1]) & (other[:, 1:] == other[:, :-1]) & (closed[:, 1:] == 0)
    none = closed[:, :1] > 1
    alike = xp.concat([same, none], axis=1) | xp.concat([none, same], axis=1)
    return xp.sum(xp.astype(alike, xp.int32), axis=1, dtype=xp.int32)


def _bits(seen: _Seen) -> Array:
    """Return a bit for each open neighbour, in the order of directions."""
    return sum(seen.xp.astype(one, seen.xp.int32) << direction for direction, one in enumerate(seen.near))


def _ways(seen: _Seen) -> Array:
    return sum(seen.xp.astype(one, seen.xp.int32) for one in seen.near)


_MEASURES: Final[Mapping[str, Callable[[_Seen], Array]]] = MappingProxyType(
    {
        "path_length": _path_length,
        "open_cells": lambda seen: _count(seen.xp, seen.open),
        "dead_ends": lambda seen: _count(seen.xp, seen.open & (_ways(seen) <= 1)),
        "corridors": lambda seen: _count(seen.xp, _ways(seen) == 2),
        "junctions": lambda seen: _count(seen.xp, _ways(seen) >= 3),
        "frontier": _frontier,
        "look_alikes": _look_alikes,
        "view_look_alikes": _view_look_alikes,
    }
)
assert _MEASURES.keys() == MEASURES.keys()


def _ahead(xp: Namespace, grid: Array, outside: Any) -> tuple[Array, Array, Array, Array]:
    """Return what lies up, right, left and down of each tile, (n, height, width) each; `outside` beyond the border."""
    row, column = xp.full_like(grid[:, :1, :], outside), xp.full_like(grid[:, :, :1], outside)
    return (
        xp.concat([row, grid[:, :-1, :]], axis=1),
        xp.concat([grid[:, :, 1:], column], axis=2),
        xp.concat([column, grid[:, :, :-1]], axis=2),
        xp.concat([grid[:, 1:, :], row], axis=1),
    )

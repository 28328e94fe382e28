"""How far each tile of many plain mazes is from a goal, over the arrays of numpy, JAX or torch."""

from typing import Final

import numpy as np

from .namespace import Array, is_jax, is_torch, namespace, on_device

_UNSEEN, _WALL, _UNKNOWN = -1, -2, -3
_LEVELS: Final = np.full(256, _UNKNOWN, dtype=np.int32)  # of the byte of a tile, before the search
_LEVELS[np.frombuffer(b" #.SG", dtype=np.uint8)] = [_WALL, _WALL, _UNSEEN, _UNSEEN, 0]


def distance_maps(tiles: Array) -> Array:
    r"""Return the smallest number of steps to a goal from each tile of plain mazes; all of it can be compiled.

    The same numbers as `mazegrad.envs.distance_maps`, which is quicker on a processor: here every step of the search
    looks at all tiles, as devices do it best.

    Args:
        tiles: (n, height, width), the bytes of walls, blanks, floor, starts and goals; other tiles count as walls.

    Returns:
        (n, height, width) int32; -1 where there is no way.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> functional.distance_maps(Maze.from_text("S..\n.#.\n..G").tiles[None])
        array([[[ 4,  3,  2],
                [ 3, -1,  1],
                [ 2,  1,  0]]], dtype=int32)
    """
    xp = namespace(tiles)
    array = on_device(xp, tiles.device if is_torch(xp) else None)
    count, height, width = tiles.shape
    codes = xp.reshape(xp.astype(tiles, xp.int32), (-1,))
    levels = xp.reshape(xp.take(array(_LEVELS), codes, axis=0), (count, height, width))
    tall, wide = xp.zeros_like(levels[:, :1, :]) > 0, xp.zeros_like(levels[:, :, :1]) > 0

    def spread(levels: Array, distance: Array) -> Array:
        last = levels == distance - 1
        near = (
            xp.concat([last[:, 1:, :], tall], axis=1) | xp.concat([tall, last[:, :-1, :]], axis=1)
            | xp.concat([last[:, :, 1:], wide], axis=2) | xp.concat([wide, last[:, :, :-1]], axis=2)
        )  # fmt: skip
        return xp.where((levels == _UNSEEN) & near, distance, levels)

    if is_jax(xp):
        import jax

        def going_on(carry: tuple[Array, Array, Array]) -> Array:
            return carry[2]

        def once(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            before, distance, _ = carry
            after = spread(before, distance)
            return after, distance + 1, xp.any(after != before)

        levels, *_ = jax.lax.while_loop(going_on, once, (levels, xp.asarray(1, dtype=xp.int32), xp.asarray(True)))
    else:
        for distance in range(1, height * width):
            after = spread(levels, array(np.asarray(distance, dtype=np.int32)))
            if not bool(xp.any(after != levels)):
                break
            levels = after
    return xp.where(levels < 0, array(np.asarray(_UNSEEN, dtype=np.int32)), levels)

"""How far each tile of many plain mazes is from a goal, over the arrays of numpy, JAX or torch.

Thirty-two mazes share the bits of a word, so that one operation on an array of tiles makes a step of the search in all
of them at once. The distances are kept in the same way, a word for each binary digit, and made numbers in the end.
"""

from typing import Any, Final

import numpy as np

from ..maps.plain import PLAIN
from .namespace import Array, Namespace, compiled, is_torch, is_traced, namespace, on_device, repeat_while

_WORD: Final = 32  # bits
_BITS: Final = (np.uint32(1) << np.arange(_WORD, dtype=np.uint32)).view(np.int32)
_START, _GOAL, _FLOOR = ord("S"), ord("G"), ord(".")


def distance_maps(tiles: Array) -> Array:
    r"""Return the smallest number of steps to a goal from each tile of plain mazes; all of it can be compiled.

    The same numbers as `mazegrad.envs.distance_maps`.

    Args:
        tiles: (n, height, width) uint8, the bytes of walls, blanks, floor, starts and goals.

    Returns:
        (n, height, width) int32; -1 where there is no way.

    Raises:
        ValueError: another number of axes, or a tile that a plain maze does not have; in compiled code, where no values
            are known, such a tile counts as a wall.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> functional.distance_maps(Maze.from_text("S..\n.#.\n..G").tiles[None])
        array([[[ 4,  3,  2],
                [ 3, -1,  1],
                [ 2,  1,  0]]], dtype=int32)
    """
    checked_plain("distance_maps", tiles)
    return maps_of(tiles)


@compiled()
def maps_of(tiles: Array) -> Array:
    """Return `distance_maps` of tiles that need no check; those that a plain maze does not have count as walls."""
    xp = namespace(tiles)
    array = on_device(xp, tiles.device if is_torch(xp) else None)
    count, height, width = tiles.shape
    goals = _packed(xp, array, tiles == _GOAL)
    floor = _packed(xp, array, open_tiles(tiles))
    digits = array(np.arange(max((height * width - 1).bit_length(), 1), dtype=np.int32))
    row, column = goals[:, :1, :] & 0, goals[:, :, :1] & 0

    def once(carry: tuple[Array, ...]) -> tuple[Array, ...]:
        reached, words, distance, _ = carry
        near = (
            xp.concat([reached[:, 1:, :], row], axis=1) | xp.concat([row, reached[:, :-1, :]], axis=1)
            | xp.concat([reached[:, :, 1:], column], axis=2) | xp.concat([column, reached[:, :, :-1]], axis=2)
        )  # fmt: skip
        new = floor & near & ~reached
        has = -((distance >> digits) & 1)  # the binary digits of the distance, all bits of a word alike
        return reached | new, words | (new[None, ...] & has[:, None, None, None]), distance + 1, xp.any(new != 0)

    none = xp.broadcast_to((goals & 0)[None, ...], (digits.shape[0], *goals.shape))
    begin = (goals, none, array(np.array(1, dtype=np.int32)), array(np.array(True)))
    reached, words, *_ = repeat_while(xp, lambda carry: carry[3], once, begin)
    numbers = xp.sum(_unpacked(xp, array, words) << digits[:, None, None, None], axis=0, dtype=xp.int32)
    there = _unpacked(xp, array, reached[None, ...])[0, ...]
    return xp.where(there != 0, numbers, -1)[:count, :, :]


def open_tiles(tiles: Array) -> Array:
    """Return which tiles of plain mazes can be entered, bools of the same shape."""
    return (tiles == _FLOOR) | (tiles == _START) | (tiles == _GOAL)


def checked_plain(name: str, tiles: Array) -> Namespace:
    """Return the functions for an array of plain mazes, (n, height, width) uint8.

    Args:
        name: of the function that takes them, for errors.
        tiles: the mazes.

    Raises:
        ValueError: another number of axes or dtype; another tile, where values are known.
    """
    xp = namespace(tiles)
    if len(tiles.shape) != 3 or tiles.dtype != xp.uint8:
        raise ValueError(f"tiles is a uint8 array (n, height, width), not {tiles.dtype} {tuple(tiles.shape)}")
    if not is_traced(tiles):
        other = ~open_tiles(tiles) & (tiles != ord("#")) & (tiles != ord(" "))
        if bool(xp.any(other)):
            known, one = PLAIN.tobytes().decode(), chr(int(xp.max(xp.where(other, tiles, tiles * 0))))
            raise ValueError(f"{name} takes mazes of the tiles {known!r} alone, not of {one!r}")
    return xp


def _packed(xp: Namespace, array: Any, mask: Array) -> Array:
    """Return bools of n mazes in the bits of words, (n / 32, height, width) int32."""
    count, height, width = mask.shape
    missing = -count % _WORD
    if missing:
        mask = xp.concat([mask, xp.broadcast_to(array(np.zeros((1, 1, 1), dtype=bool)), (missing, height, width))])
    bits = xp.reshape(mask, (-1, _WORD, height, width))
    return xp.sum(xp.where(bits, array(_BITS)[None, :, None, None], 0), axis=1, dtype=xp.int32)


def _unpacked(xp: Namespace, array: Any, words: Array) -> Array:
    """Return the bits of words, (k, n / 32, height, width), by maze: (k, n, height, width) int32."""
    shift = array(np.arange(_WORD, dtype=np.int32))[None, None, :, None, None]
    bits = (words[:, :, None, :, :] >> shift) & 1
    return xp.reshape(bits, (words.shape[0], -1, *words.shape[2:]))

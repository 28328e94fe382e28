"""The recursive backtracker for many mazes at once: one step of every maze's depth-first search in each round."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..randomness import choice
from .grid import FLOOR, TURNS, WALL, Grid, Tiles
from .growing import backtracker

_ROOMS: Final = 2**19  # in all mazes made at once: enough to outweigh the calls, few enough for the cache
_FEWEST: Final = 8  # mazes; fewer are faster one by one
_ROUNDS: Final = 24  # between two checks for finished mazes
_STUCK: Final = 4  # the direction of a walk that can only go back


def backtracker_batch(grid: Grid, streams: NDArray[np.uint64]) -> Tiles:
    """Return the drawings, (len(streams), height, width), that `backtracker` carves from these streams."""
    lanes = min(len(streams), _ROOMS // len(grid.rooms))
    if lanes < _FEWEST:
        drawings = [grid.draw(backtracker(grid, stream)) for stream in streams.tolist()]
        return np.array(drawings, dtype=np.uint8).reshape(len(streams), grid.height, grid.width)
    tiles = np.full((len(streams), grid.height, grid.width), WALL, dtype=np.uint8)
    for first in range(0, len(streams), lanes):
        _carve(grid, streams[first : first + lanes], tiles[first : first + lanes])
    return tiles


@cache
def _choices() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return three tables over 16 * turn + bits of the unseen neighbours: direction, push and pop.

    Push and pop are 1 where the trail gets longer and shorter. A room stays on the trail only if it has another unseen
    neighbour: otherwise there is no need to come back.
    """
    direction, push = np.full(16 * len(TURNS), _STUCK), np.zeros(16 * len(TURNS), dtype=np.int64)
    for number, turn in enumerate(TURNS):
        for unseen in range(1, 16):
            direction[16 * number + unseen] = next(d for d in turn if unseen >> d & 1)
            push[16 * number + unseen] = unseen & (unseen - 1) > 0
    return direction, push, (direction == _STUCK).astype(np.int64)


def _carve(grid: Grid, streams: NDArray[np.uint64], tiles: Tiles) -> None:
    lanes, rooms = len(streams), len(grid.rooms)
    # one cell for each room: 16 * turn + 15, or + 0 once it is seen; a margin of zeros for steps over a border
    height, width = grid.rows + 1, grid.columns + 1
    size, margin = height * width, width
    cells = np.zeros(margin + lanes * size + margin, dtype=np.uint16)
    turn = np.asarray(choice(streams[:, None], np.arange(rooms, dtype=np.uint64), len(TURNS))).astype(np.uint16)
    inner = cells[margin:-margin].reshape(lanes, height, width)[:, :-1, :-1]
    inner[:] = (turn * np.uint16(16) + np.uint16(15)).reshape(lanes, grid.rows, grid.columns)
    # the drawing: for each room itself and the wall to its right; in the second half the wall below it and a pillar
    drawn = np.full((2, lanes, height, 2 * width), WALL, dtype=np.uint8)
    flat_drawn, below = drawn.reshape(-1), 2 * lanes * size

    direction, push, pop = _choices()
    step = np.array([-width, 1, -1, width, 0])[direction]
    wall = np.array([below - 2 * width, 1, -1, below, 0])[direction]
    views = [cells[margin + offset :] for offset in (-width, 1, -1, width, 0)]
    here = views[-1]
    masks = np.array([1, 2, 4, 8, 0xFFF0], dtype=np.uint16)[:, None]

    start = np.asarray(choice(streams, np.array([rooms], dtype=np.uint64), rooms)).astype(np.int64)
    at = np.arange(lanes) * size + start // grid.columns * width + start % grid.columns
    # each maze's trail is a row, its top is the room where the walk is; finished mazes step back into the part before
    # `bottom`, without harm, until the next check
    trail = np.empty((lanes, _ROUNDS + rooms), dtype=np.int64)
    trail[:, : _ROUNDS + 1] = at[:, None]
    flat_trail = trail.reshape(-1)
    bottom = np.arange(lanes) * trail.shape[1] + _ROUNDS
    top = bottom.copy()
    while len(at):
        seen, case = np.empty((5, len(at)), dtype=np.uint16), np.empty(len(at), dtype=np.uint16)
        index, change = np.empty_like(at), np.empty_like(at)
        opened = np.empty((_ROUNDS, len(at)), dtype=np.int64)
        pairs = list(zip(views, seen, strict=True))
        for opens in opened:
            for view, row in pairs:
                view.take(at, out=row, mode="clip")
            np.bitwise_and(seen, masks, out=seen)
            here[at] = seen[4]
            np.bitwise_or.reduce(seen, axis=0, out=case)
            np.copyto(index, case)
            wall.take(index, out=opens, mode="clip")
            opens += at
            opens += at
            step.take(index, out=change, mode="clip")
            at += change
            push.take(index, out=change, mode="clip")
            top += change
            flat_trail[top] = at
            pop.take(index, out=change, mode="clip")
            top -= change
            flat_trail.take(top, out=at, mode="clip")
        flat_drawn[opened] = FLOOR
        going = np.flatnonzero(top >= bottom)
        if len(going) < len(at):
            at, top, bottom = at[going], top[going], bottom[going]
    drawn[0, :, :-1, :-2:2] = FLOOR
    tiles[:, 1::2, 1:-1] = drawn[0, :, :-1, :-3]
    tiles[:, 2:-1:2, 1:-1] = drawn[1, :, :-2, :-3]

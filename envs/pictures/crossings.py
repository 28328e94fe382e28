"""Trails become flows: how often agents crossed the sides of each cell, counted for many walks at once."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.world import World
from ..maps.directions import DOWN, LEFT, OFFSETS, RIGHT, UP
from ..maps.maze import Maze
from .stage import Cells, Stage
from .tiles import FLOWS

_GAP: Final = np.array([-1])
_PART: Final = 1 << 14  # steps that are counted at once
_KEPT: Final = 1 << 18  # places of trails that are kept


def flow_codes(stage: Stage, trails: Any) -> Cells:
    """Return a code for how often the sides of each cell were crossed, three bits for each direction."""
    if trails is None:
        return np.zeros(stage.size, dtype=np.int64)
    ragged = isinstance(trails, Sequence) and bool(trails) and isinstance(trails[0], Sequence | np.ndarray)
    height, width = stage.maze.tiles.shape
    crossed = np.zeros((height, width, 4), dtype=np.int64)
    for walks in _joined([np.asarray(walk) for walk in trails]) if ragged else [np.asarray(trails)]:
        crossed += _CROSSINGS.of(stage, walks)
    upright = crossed[:-1, :, DOWN] + crossed[1:, :, UP]  # a side is that of two cells, crossed either way
    level = crossed[:, :-1, RIGHT] + crossed[:, 1:, LEFT]
    counts = np.zeros_like(crossed)
    counts[:-1, :, DOWN] = counts[1:, :, UP] = upright
    counts[:, :-1, RIGHT] = counts[:, 1:, LEFT] = level
    levels = np.ceil(FLOWS * np.log1p(counts) / np.log1p(max(counts.max(), 1)) - 1e-9).astype(np.int64)
    codes: Cells = (levels @ (1, 8, 64, 512)).ravel()
    return codes


def _joined(walks: Sequence[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Yield a list of walks as few arrays: those of one agent one after the other, -1 between them."""
    alone = [walk for walk in walks if walk.ndim == 1 and walk.dtype.kind in "iu"]
    if alone:
        yield np.concatenate([part for walk in alone for part in (walk.astype(np.int64), _GAP)])
    yield from (walk for walk in walks if walk.ndim != 1 or walk.dtype.kind not in "iu")


class _Crossings:
    """Counts crossings, and keeps the last count: a film draws the same trails again and again."""

    def __init__(self) -> None:
        self._kept: tuple[Maze | World, int, NDArray[Any], Cells] | None = None

    def of(self, stage: Stage, walks: NDArray[Any]) -> Cells:
        """Return how often agents left each cell in each direction, (height, width, 4)."""
        kept = self._kept  # one look, since another thread may draw too
        drawing = stage.maze if stage.world is None else stage.world
        if kept is not None and kept[0] is drawing and kept[1] == stage.number and _same(kept[2], walks):
            return kept[3]
        crossed = _crossings(stage, walks)
        if walks.size <= _KEPT:
            self._kept = drawing, stage.number, walks.copy(), crossed
        return crossed


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype == other.dtype and np.array_equal(one[-1:], other[-1:]) and np.array_equal(one, other)


_CROSSINGS: Final = _Crossings()


def _crossings(stage: Stage, walks: NDArray[Any]) -> Cells:
    stage.check_places("trails", walks)
    if walks.ndim not in (1, 2):
        raise ValueError(f"trails have shape {walks.shape}; expected (steps,), (steps, agents), or a list of walks")
    height, width = stage.maze.tiles.shape
    nowhere = stage.size + width  # further from every cell than a step
    ways = np.full(5 * (2 * nowhere + 1), 4, dtype=np.int64)  # 5 times (step + nowhere), so not negative -> a direction
    for direction in (RIGHT, LEFT, UP, DOWN):  # in a maze of one column, up and down
        row, column = OFFSETS[direction].tolist()
        ways[5 * (row * width + column + nowhere)] = direction
    cell_of = 5 * stage.cells(nowhere)
    counts = np.zeros(5 * (nowhere + 1), dtype=np.int64)
    rows = max(1, _PART // max(1, walks[:1].size))
    for first in range(0, len(walks) - 1, rows):  # parts that stay in the cache
        cells = cell_of.take(walks[first : first + rows + 1])
        steps = cells[1:] - cells[:-1]
        steps += 5 * nowhere
        keys = ways.take(steps)
        keys += cells[:-1]
        counts += np.bincount(keys.ravel(), minlength=len(counts))
    crossed = counts[: 5 * stage.size].reshape(height, width, 5)[:, :, :4]
    crossed[:, -1, RIGHT] = crossed[:, 0, LEFT] = 0  # from the end of a row to the next
    return crossed

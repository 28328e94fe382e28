"""Caves: random rock, smoothed by a cellular automaton, all caves joined to one."""

import numpy as np

from ..arguments import fraction, whole
from ..randomness import bits
from .dungeons import dig
from .grid import FLOOR, WALL, Grid, Tiles, flood, floor_of


def caves(grid: Grid, stream: int, *, rock: float = 0.45, rounds: int = 4, smallest: int = 8) -> Tiles:
    """Place rock at random, let each tile become what most of its 3 x 3 tiles are, and join the caves that remain.

    Johnson, Yannakakis and Togelius, "Cellular automata for real-time generation of infinite cave levels" (2010). All
    open tiles are connected: small pockets are filled in, other caves joined by corridors.

    Args:
        grid: the rooms of a perfect maze: caves fill the same tiles.
        stream: of random bits.
        rock: the fraction of tiles that begin as rock.
        rounds: the number of rounds of smoothing.
        smallest: pockets of fewer tiles are filled in, except for the largest pocket.

    Returns:
        (height, width) tiles without start and goal.
    """
    rock, rounds, smallest = fraction("rock", rock), whole("rounds", rounds, 0), whole("smallest", smallest, 1)
    random = np.asarray(bits(stream, np.arange(grid.height * grid.width, dtype=np.uint64))) >> np.uint64(11)
    solid = random.reshape(grid.height, grid.width) * 2.0**-53 < rock
    border = np.ones_like(solid)
    border[1:-1, 1:-1] = False
    solid |= border
    for _ in range(rounds):
        near = np.pad(solid.astype(np.int64), 1, constant_values=1)
        rows = near[:-2] + near[1:-1] + near[2:]
        solid = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] >= 5) | border
    if np.count_nonzero(~solid) < 2:
        solid = border  # all filled: make it one open cave
    tiles = np.where(solid, WALL, FLOOR).astype(np.uint8)
    _join(tiles, grid, smallest)
    return tiles


def _join(tiles: Tiles, grid: Grid, smallest: int) -> None:
    """Fill the small pockets and join the others, each to the one before in reading order, in place."""
    floor = floor_of(tiles)
    pockets = []
    while (first := floor.find(1)) >= 0:
        pockets.append(list(flood(floor, first, grid.steps)))
    largest = max(pockets, key=len)
    before = None
    for pocket in pockets:
        if len(pocket) < smallest and pocket is not largest:
            tiles.ravel()[pocket] = WALL
            continue
        # the tiles furthest from the pocket's first one, so that corridors begin at its other end
        if before is not None:
            dig(tiles, divmod(before, grid.width), divmod(pocket[0], grid.width), 0)
        before = pocket[-1]

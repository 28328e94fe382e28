"""A path of dots that does not touch itself, with straight pieces of length one and more: exercise 38's labyrinth."""

import numpy as np

from ..arguments import whole
from ..directions import DOWN
from ..randomness import stream as substream
from .grid import FLOOR, GOAL, NOTHING, START, Grid, Tiles, flood, one_of, words
from .growing import backtracker

_TRIES = 16


def path(grid: Grid, stream: int, *, length: int | None = None, start: str = "end") -> Tiles:
    """Take the longest way through a perfect maze, cut it to length, and flip its corners where nothing touches.

    A corner's dot may move to the other side of its diagonal, which keeps the length, wherever its only neighbours
    there are the dots before and after it. That makes straight pieces of length one, as exercise 38's labyrinth has
    them. The dots lie on blanks, away from the border.

    Args:
        grid: the rooms of a perfect maze: the path stays within the same tiles.
        stream: of random bits.
        length: the number of steps from one end to the other; by default that of the longest way in the first maze.
        start: "end", the start is at the path's very end; or "inside", with a dot below it, since exercise 38's
            h_0 = (1, 0, 0, 0) means that the agent comes from there. The goal is always at an end.

    Returns:
        (height, width) tiles with start and goal.

    Raises:
        ValueError: no path of this length was found in these rooms, or none with a dot below its start.
    """
    length = None if length is None else whole("length", length, 1)
    if grid.rows * grid.columns == 1:
        raise ValueError("a path has two ends; give it at least two rooms")
    inside = one_of("start", start, {"end": False, "inside": True})
    dots: list[int] = []
    for attempt in range(_TRIES):
        dots = max(dots, _longest_way(grid, int(substream(stream, attempt))), key=len)
        if length is None or len(dots) > length:
            break
    else:
        message = f"found no path of {length} steps in {grid.rows} x {grid.columns} rooms, the longest has"
        raise ValueError(f"{message} {len(dots) - 1}; ask for a shorter path or more rooms")
    random = words(stream)
    if length is not None:
        first = next(random) * (len(dots) - length) >> 32
        dots = dots[first : first + length + 1]
    if next(random) & 1:
        dots.reverse()

    on_path = bytearray(grid.height * grid.width)
    for dot in dots:
        on_path[dot] = 1
    for _ in range(3):
        for i in range(1, len(dots) - 1):
            flipped = dots[i - 1] + dots[i + 1] - dots[i]
            # on a straight piece it is the dot itself
            if not on_path[flipped] and sum(on_path[flipped + step] for step in grid.steps) == 2 and next(random) & 1:
                on_path[dots[i]], on_path[flipped] = 0, 1
                dots[i] = flipped

    begin = _inside(grid, dots, next(random)) if inside else 0
    tiles = np.full(grid.height * grid.width, NOTHING, dtype=np.uint8)
    tiles[dots] = FLOOR
    tiles[dots[begin]] = START
    tiles[dots[-1]] = GOAL
    return tiles.reshape(grid.height, grid.width)


def _longest_way(grid: Grid, stream: int) -> list[int]:
    """Return the tiles of the longest way in a backtracker's maze, end to end, by two breadth-first searches."""
    floor = bytearray((grid.draw(backtracker(grid, stream)) == FLOOR).tobytes())
    end = list(flood(bytearray(floor), grid.room_list[0], grid.steps))[-1]
    came_from = flood(floor, end, grid.steps)
    way = [list(came_from)[-1]]
    while way[-1] != end:
        way.append(came_from[way[-1]])
    return way


def _inside(grid: Grid, dots: list[int], word: int) -> int:
    """Return the index of an inner dot that has the dot before it below; reverses the path, in place, if needed."""
    for _ in range(2):
        candidates = [i for i in range(1, len(dots) - 1) if dots[i - 1] == dots[i] + grid.steps[DOWN]]
        if candidates:
            return candidates[word * len(candidates) >> 32]
        dots.reverse()
    raise ValueError("no dot inside this path has another dot below it to start from; ask for a longer path")

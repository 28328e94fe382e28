"""A path of dots that does not touch itself, with straight pieces of length one and more: exercise 38's labyrinth."""

import numpy as np

from ..arguments import whole
from ..randomness import stream as substream
from .grid import FLOOR, GOAL, NOTHING, START, Grid, Tiles, flood, one_of, words
from .growing import backtracker

_TRIES = 16


def path(grid: Grid, stream: int, *, length: int | None = None, start: str = "end") -> Tiles:
    """Take the longest way through a perfect maze, cut it to length, and flip its corners where nothing is touched.

    A corner's dot may move to the other side of its diagonal, which keeps the length, wherever it has no neighbours
    there but the two dots before and after it. That makes the straight pieces of length one that exercise 38's
    labyrinth has; the dots stand on blanks, away from the border.

    Args:
        grid: the rooms that a perfect maze would have: the path stays within as many tiles.
        stream: what to draw from.
        length: the number of steps from one end to the other; by default as many as the first maze tried has.
        start: "end", the start is at the path's very end; or "inside", with a dot below it, as exercise 38's
            h_0 = (1, 0, 0, 0) says: the agent comes from there. The goal is always at an end.

    Raises:
        ValueError: no path of this length was found in so few rooms; or none with a dot below its start.
    """
    length = None if length is None else whole("length", length, 1)
    if grid.rows * grid.columns == 1:
        raise ValueError("a path has two ends: it needs two rooms or more")
    inside = one_of("start", start, {"end": False, "inside": True})
    dots: list[int] = []
    for attempt in range(_TRIES):
        dots = max(dots, _longest_way(grid, int(substream(stream, attempt))), key=len)
        if length is None or len(dots) > length:
            break
    else:
        message = f"no path of {length} steps was found in {grid.rows} x {grid.columns} rooms, the longest has"
        raise ValueError(f"{message} {len(dots) - 1}; ask for a shorter one or give it more rooms")
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
    """Return the tiles of the longest way in a backtracker's maze, from end to end, by two breadth-first searches."""
    floor = bytearray((grid.draw(backtracker(grid, stream)) == FLOOR).tobytes())
    end = list(flood(bytearray(floor), grid.room_list[0], grid.steps))[-1]
    came_from = flood(floor, end, grid.steps)
    way = [list(came_from)[-1]]
    while way[-1] != end:
        way.append(came_from[way[-1]])
    return way


def _inside(grid: Grid, dots: list[int], word: int) -> int:
    """Return the index of an inner dot with the one before it below; turns the path around, in place, if it must."""
    for _ in range(2):
        places = [i for i in range(1, len(dots) - 1) if dots[i - 1] == dots[i] + grid.steps[3]]
        if places:
            return places[word * len(places) >> 32]
        dots.reverse()
    raise ValueError("inside this path no dot has another one below it, so it cannot start there; make it longer")

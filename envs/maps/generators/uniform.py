"""Random walks that give every spanning tree the same chance: Aldous-Broder and Wilson."""

from .grid import Grid, words


def aldous_broder(grid: Grid, stream: int) -> list[int]:
    """Walk at random through all rooms, and keep each passage by which a room was entered first.

    Aldous, "The random walk construction of uniform spanning trees and uniform labelled trees" (1990); Broder,
    "Generating random spanning trees" (1989). Uniform; the walk takes about n log(n)^2 steps for n rooms in a square,
    n^2 in a single row.
    """
    random, unseen, exits = words(stream), grid.unseen(), grid.exits
    room = grid.room_list[next(random) * len(grid.rooms) >> 32]
    unseen[room] = 0
    passages: list[int] = []
    while len(passages) < len(grid.rooms) - 1:
        ways = exits[room]
        step = ways[next(random) * len(ways) >> 32]
        room += step + step
        if unseen[room]:
            unseen[room] = 0
            passages.append(room - step)
    return passages


def wilson(grid: Grid, stream: int) -> list[int]:
    """From each room in turn walk at random until you meet the tree, and add your way, without its loops, to it.

    Wilson, "Generating random spanning trees more quickly than the cover time" (1996). Uniform. The root is the room
    in the middle, where the first walk finds it soonest; the distribution does not depend on it.
    """
    random, unseen, exits = words(stream), grid.unseen(), grid.exits
    unseen[grid.room_list[grid.rows // 2 * grid.columns + grid.columns // 2]] = 0
    passages: list[int] = []
    last_exit: dict[int, int] = {}
    for start in grid.room_list:
        room = start
        while unseen[room]:
            ways = exits[room]
            last_exit[room] = step = ways[next(random) * len(ways) >> 32]
            room += step + step
        room = start
        while unseen[room]:
            unseen[room] = 0
            step = last_exit[room]
            passages.append(room + step)
            room += step + step
    return passages

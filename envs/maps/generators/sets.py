"""Sets of connected rooms are joined until one is left: Kruskal's algorithm, and Eller's, row by row."""

import numpy as np

from ..randomness import bits
from .grid import Grid, words


def kruskal(grid: Grid, stream: int) -> list[int]:
    """Open the walls in random order, each unless its two sides are connected already.

    Kruskal, "On the shortest spanning subtree of a graph and the traveling salesman problem" (1956), with random
    costs; the sets are Tarjan's forest (1975), with path halving.
    """
    width = grid.width
    costs = bits(stream, np.arange(len(grid.inner_walls), dtype=np.uint64))
    leader = {room: room for room in grid.room_list}

    def find(room: int) -> int:
        while leader[room] != room:
            leader[room] = room = leader[leader[room]]
        return room

    passages: list[int] = []
    for wall in grid.inner_walls[np.argsort(costs, kind="stable")].tolist():
        # a wall in a row of rooms (these rows are odd) has its rooms left and right, else above and below
        step = 1 if wall // width % 2 else width
        one, other = find(wall - step), find(wall + step)
        if one != other:
            leader[one] = other
            passages.append(wall)
    return passages


def eller(grid: Grid, stream: int) -> list[int]:
    """Make the maze row by row, knowing only which rooms of this row are connected so far.

    Eller's algorithm (1982, unpublished), as described by Buck, "Mazes for Programmers" (2015), chapter 12: join
    neighbours of different sets by a coin toss, in the last row always; then go down from each set at least once.
    """
    random, up, right = words(stream), grid.steps[0], grid.steps[1]
    passages: list[int] = []
    sets: list[int] = []  # one number for each room in the row: rooms with equal numbers are connected
    for row in range(grid.rows):
        rooms = grid.room_list[row * grid.columns : (row + 1) * grid.columns]
        last = row == grid.rows - 1
        sets = sets or rooms
        for column in range(grid.columns - 1):
            one, other = sets[column], sets[column + 1]
            if one != other and (next(random) & 1 or last):
                passages.append(rooms[column] + right)
                sets = [one if number == other else number for number in sets]
        if last:
            break
        members: dict[int, list[int]] = {}
        for column, number in enumerate(sets):
            members.setdefault(number, []).append(column)
        sets = [room - 2 * up for room in rooms]  # a room that nothing leads down to is a new set, with its own number
        for columns in members.values():
            surely = columns[next(random) * len(columns) >> 32]
            down = [column for column in columns if column == surely or next(random) & 1]
            for column in down:
                passages.append(rooms[column] - up)
                sets[column] = rooms[down[0]] - 2 * up
    return passages

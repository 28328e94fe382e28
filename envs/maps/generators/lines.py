"""Mazes drawn row by row or wall by wall, with a bias that one can see: binary tree, sidewinder, recursive division."""

from .grid import Grid, words


def binary_tree(grid: Grid, stream: int) -> list[int]:
    """Open each room up or to the right, decided by a coin toss.

    Buck, "Mazes for Programmers" (2015), chapter 2. The first row and the last column are always corridors.
    """
    random, (up, right, _, _) = words(stream), grid.steps
    passages: list[int] = []
    for room in grid.room_list:
        ways = [step for step in (up, right) if step in grid.exits[room]]
        if ways:
            passages.append(room + ways[next(random) * len(ways) >> 32])
    return passages


def sidewinder(grid: Grid, stream: int) -> list[int]:
    """Go along each row in runs of random length, and open one random room of each run upwards.

    Buck, "Mazes for Programmers" (2015), chapter 2. The first row is always a corridor.
    """
    random, (up, right, _, _) = words(stream), grid.steps
    passages: list[int] = []
    run: list[int] = []
    for room in grid.room_list:
        run.append(room)
        ways = grid.exits[room]
        if right in ways and (up not in ways or next(random) & 1):
            passages.append(room + right)
            continue
        if up in ways:
            passages.append(run[next(random) * len(run) >> 32] + up)
        run = []
    return passages


def recursive_division(grid: Grid, stream: int) -> list[int]:
    """Divide the open field by a wall with one gap, across its longer side, and both halves again, down to corridors.

    Buck, "Mazes for Programmers" (2015), chapter 12. Long straight walls. A stack of fields, so no recursion.
    """
    random, (_, right, _, down) = words(stream), grid.steps
    passages: list[int] = []
    fields = [(0, 0, grid.rows, grid.columns)]  # row, column, rows, columns
    while fields:
        row, column, rows, columns = fields.pop()
        room = grid.room_list[row * grid.columns + column]
        if rows == 1:
            passages += [room + right + 2 * right * i for i in range(columns - 1)]
        elif columns == 1:
            passages += [room + down + 2 * down * i for i in range(rows - 1)]
        elif rows > columns or (rows == columns and next(random) & 1):
            above, gap = 1 + (next(random) * (rows - 1) >> 32), next(random) * columns >> 32
            passages.append(room + 2 * right * gap + 2 * down * above - down)
            fields += [(row, column, above, columns), (row + above, column, rows - above, columns)]
        else:
            before, gap = 1 + (next(random) * (columns - 1) >> 32), next(random) * rows >> 32
            passages.append(room + 2 * down * gap + 2 * right * before - right)
            fields += [(row, column, rows, before), (row, column + before, rows, columns - before)]
    return passages

"""A tree grows from one room: the recursive backtracker, Prim's algorithm, growing tree, hunt and kill."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ..randomness import choice
from .grid import Grid, one_of, room_turns, words


def backtracker(grid: Grid, stream: int) -> list[int]:
    """Walk on to a random unseen room, or else back the way you came: a randomised depth-first search.

    Tarjan, "Depth-first search and linear graph algorithms" (1972); as a maze: Buck, "Mazes for Programmers" (2015),
    chapter 5. Long winding corridors, few dead ends.
    """
    turns, unseen, rooms = room_turns(grid, stream), grid.unseen(), len(grid.rooms)
    room = grid.room_list[choice(stream, rooms, rooms)]
    unseen[room] = 0
    passages: list[int] = []
    trail: list[int] = []
    while len(passages) < rooms - 1:
        for step in turns[room]:
            beyond = room + step + step
            if unseen[beyond]:
                unseen[beyond] = 0
                passages.append(room + step)
                trail.append(room)
                room = beyond
                break
        else:
            room = trail.pop()
    return passages


# pop -> which of n growing rooms is next, given a random 32-bit word
POPS: Final[Mapping[str, Callable[[int, int], int]]] = MappingProxyType(
    {
        "newest": lambda n, word: n - 1,
        "oldest": lambda n, word: 0,
        "middle": lambda n, word: n // 2,
        "random": lambda n, word: word * n >> 32,
        "mixed": lambda n, word: n - 1 if word & 1 else word * n >> 32,
    }
)


def growing_tree(grid: Grid, stream: int, *, pop: str | Callable[[int, int], int] = "mixed") -> list[int]:
    """Open one of the growing rooms into a random unseen neighbour, until no room has one left.

    Buck, "Mazes for Programmers" (2015), chapter 12. `pop` selects the family: "newest" makes the mazes of the
    recursive backtracker; "random" is Buck's simplified Prim; "oldest" grows straight corridors, "middle" something
    between; "mixed", the default, tosses a coin between newest and random. Or give a function from the number of
    growing rooms and a random 32-bit word to the index of the next room.
    """
    index = pop if callable(pop) else one_of("pop", pop, POPS)
    turns, unseen, rooms = room_turns(grid, stream), grid.unseen(), len(grid.rooms)
    random = words(stream, rooms + 1)
    room = grid.room_list[choice(stream, rooms, rooms)]
    unseen[room] = 0
    passages: list[int] = []
    growing = [room]
    while growing:
        at = index(len(growing), next(random))
        room = growing[at]
        for step in turns[room]:
            beyond = room + step + step
            if unseen[beyond]:
                unseen[beyond] = 0
                passages.append(room + step)
                growing.append(beyond)
                break
        else:
            del growing[at]
    return passages


def prim(grid: Grid, stream: int) -> list[int]:
    """Open a random one of the walls between the tree and the rest, until there is no rest.

    Prim, "Shortest connection networks and some generalizations" (1957), with a random wall for the cheapest. Many
    short dead ends.
    """
    random, unseen = words(stream), grid.unseen()
    room = grid.room_list[next(random) * len(grid.rooms) >> 32]
    unseen[room] = 0
    passages: list[int] = []
    frontier = [(room, step) for step in grid.exits[room]]
    while frontier:
        at = next(random) * len(frontier) >> 32
        frontier[at], frontier[-1] = frontier[-1], frontier[at]
        room, step = frontier.pop()
        beyond = room + step + step
        if unseen[beyond]:
            unseen[beyond] = 0
            passages.append(room + step)
            frontier += [(beyond, step) for step in grid.exits[beyond] if unseen[beyond + step + step]]
    return passages


def hunt_and_kill(grid: Grid, stream: int) -> list[int]:
    """Walk at random until stuck; then hunt for the first unseen room beside the tree and walk on from there.

    Buck, "Mazes for Programmers" (2015), chapter 5. Like the backtracker's mazes, without a stack.
    """
    turns, unseen, rooms = room_turns(grid, stream), grid.unseen(), len(grid.rooms)
    beside = bytearray(len(unseen))  # 1 for the unseen rooms next to a seen one: what the hunt is for
    room = grid.room_list[choice(stream, rooms, rooms)]
    passages: list[int] = []
    for _ in range(rooms):
        unseen[room] = beside[room] = 0
        ways = [step for step in turns[room] if unseen[room + step + step]]
        for step in ways:
            beside[room + step + step] = 1
        if ways:
            passages.append(room + ways[0])
            room += 2 * ways[0]
        elif len(passages) < rooms - 1:
            room = beside.index(1)
            back = next(step for step in turns[room] if step in grid.exits[room] and not unseen[room + step + step])
            passages.append(room + back)
    return passages

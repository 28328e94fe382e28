"""Decision processes of the literature whose state is not seen, built from their published descriptions."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from .mdp import TabularMDP, process_from_tables


class Pomdp(NamedTuple):
    """A process, and what its numbers mean.

    Example:
        >>> from mazegrad.envs import POMDPS
        >>> tiger = POMDPS["tiger"]()
        >>> tiger.actions, tiger.observations
        (('listen', 'open-left', 'open-right'), ('tiger-left', 'tiger-right'))
        >>> tiger.mdp.expected_reward()  # (states, actions)
        array([[  -1., -100.,   10.],
               [  -1.,   10., -100.]])
    """

    mdp: TabularMDP
    discount: float
    states: tuple[str, ...]
    actions: tuple[str, ...]
    observations: tuple[str, ...]
    source: str


def tiger() -> Pomdp:
    """Two doors, a tiger behind one of them: listen (-1, right with 0.85), or open a door (10, or -100).

    Cassandra, Kaelbling & Littman, "Acting optimally in partially observable stochastic domains", AAAI 1994. After a
    door is opened the tiger is put behind one of them anew.
    """
    half = np.full((2, 2), 0.5)
    P = np.stack([np.eye(2), half, half])
    O = np.stack([np.array([[0.85, 0.15], [0.15, 0.85]]), half, half])
    R = np.array([[-1.0, -1.0], [-100.0, 10.0], [10.0, -100.0]])
    mdp = process_from_tables(P, np.repeat(R[:, :, None], 2, axis=2), O, np.array([0.5, 0.5]))
    sides = ("tiger-left", "tiger-right")
    source = "Cassandra, Kaelbling & Littman 1994"
    return Pomdp(mdp, 0.95, sides, ("listen", "open-left", "open-right"), sides, source)


# cells of the 4x3 world in reading order; # is its block
_FOUR_BY_THREE: Final = ("0123", "4#56", "789a")


def four_by_three() -> Pomdp:
    """The 4x3 world of Russell & Norvig, of which walls to the left and right are seen.

    Parr & Russell, "Approximating optimal policies for partially observable stochastic domains", IJCAI 1995. A move
    goes as meant with 0.8 and to either side with 0.1, and earns what the cell is worth that it leaves: -0.04, or 1 and
    -1 in the good and the bad one, from where every action leads to any of the others. The public file
    `4x3.95.POMDP` differs in one number: a step east from the third cell of the last row slides to the second with 0.1.
    """
    where = {letter: (r, c) for r, row in enumerate(_FOUR_BY_THREE) for c, letter in enumerate(row) if letter != "#"}
    cells = list(where.values())
    steps = {"n": (-1, 0), "s": (1, 0), "e": (0, 1), "w": (0, -1)}
    sides = {"n": "we", "s": "ew", "e": "ns", "w": "sn"}
    good, bad = cells.index(where["3"]), cells.index(where["6"])
    P, R = np.zeros((4, 11, 11)), np.full((4, 11, 11), -0.04)
    for action, name in enumerate(steps):
        for state, (row, column) in enumerate(cells):
            for way, chance in ((name, 0.8), (sides[name][0], 0.1), (sides[name][1], 0.1)):
                after = row + steps[way][0], column + steps[way][1]
                P[action, state, cells.index(after) if after in cells else state] += chance
    start = np.full(11, 1 / 9)
    start[[good, bad]] = 0
    P[:, [good, bad]] = start
    R[:, good], R[:, bad] = 1.0, -1.0
    seen = ("left", "right", "neither", "both", "good", "bad")
    O = np.zeros((11, 6))
    for state, (row, column) in enumerate(cells):
        left, right = (row, column - 1) not in cells, (row, column + 1) not in cells
        walls = "both" if left and right else "left" if left else "right" if right else "neither"
        O[state, seen.index({good: "good", bad: "bad"}.get(state, walls))] = 1
    mdp = process_from_tables(P, R, np.broadcast_to(O, (4, 11, 6)), start)
    return Pomdp(mdp, 0.95, tuple(map(str, range(11))), tuple(steps), seen, "Parr & Russell 1995")


# a corridor of eleven cells with three niches and the goal below
_HALLWAY: Final = ("...........", "##.#.#.#G##")


def hallway() -> Pomdp:
    """A robot in a corridor, with noisy turns, steps and sight of the walls around it: 60 states, 21 observations.

    Littman, Cassandra & Kaelbling, "Learning policies for partially observable environments: scaling up", ICML 1995.
    Each cell is a state for each heading, north, east, south, west. Forward goes ahead with 0.8, to either side with
    0.05 and back with 0.05 (facing ahead or back); into a wall it stays. Turns mostly work. A wall is seen where it is
    with 0.9 and where it is not with 0.05; three landmarks and the goal are seen for sure by who faces south there. The
    goal earns 1; after it the robot is put anywhere else.
    """
    cells = [(r, c) for r, row in enumerate(_HALLWAY) for c, tile in enumerate(row) if tile != "#"]
    steps = ((-1, 0), (0, 1), (1, 0), (0, -1))
    goal = cells.index((1, 8))
    states = 4 * len(cells)

    def ahead(cell: int, heading: int) -> int | None:
        after = cells[cell][0] + steps[heading][0], cells[cell][1] + steps[heading][1]
        return cells.index(after) if after in cells else None

    P = np.zeros((5, states, states))
    # turns: by how many quarters, with which probability
    turns = {2: (0.1, 0.7, 0.1, 0.1), 3: (0.1, 0.15, 0.6, 0.15), 4: (0.1, 0.1, 0.1, 0.7)}
    for cell in range(len(cells)):
        for heading in range(4):
            state, back = 4 * cell + heading, (heading + 2) % 4
            P[0, state, state] = 1
            right, left = (heading + 1) % 4, (heading + 3) % 4
            ways = ((heading, heading, 0.8), (right, right, 0.05), (left, left, 0.05))
            for way, facing, chance in (*ways, (back, heading, 0.025), (back, back, 0.025)):
                after = ahead(cell, way)
                P[1, state, state if after is None else 4 * after + facing] += chance
            P[1, state, state] += 0.05
            for action, chances in turns.items():
                for quarters, chance in enumerate(chances):
                    P[action, state, 4 * cell + (heading + quarters) % 4] += chance
    start = np.full(states, 1 / (states - 4))
    start[4 * goal : 4 * goal + 4] = 0
    P[:, 4 * goal : 4 * goal + 4] = start
    O = np.zeros((states, 21))
    landmarks = {(0, 2): 16, (0, 4): 17, (0, 6): 18, (0, 8): 19}
    for cell, place in enumerate(cells):
        for heading in range(4):
            if cell == goal:
                O[4 * cell + heading, 20] = 1
            elif heading == 2 and place in landmarks:
                O[4 * cell + heading, landmarks[place]] = 1
            else:
                walls = [ahead(cell, (heading + quarters) % 4) is None for quarters in range(4)]  # ahead, right, ...
                for number in range(16):
                    bits = [number >> 3 - place & 1 for place in range(4)]
                    O[4 * cell + heading, number] = np.prod([_seen(*pair) for pair in zip(walls, bits, strict=True)])
    R = np.zeros((5, states, states))
    R[:, :, 4 * goal : 4 * goal + 4] = 1
    mdp = process_from_tables(P, R, np.broadcast_to(O, (5, states, 21)), start)
    actions = ("stay", "forward", "turn-right", "turn-around", "turn-left")
    seen = (
        *(f"walls-{number:04b}" for number in range(16)),
        *(f"landmark-{n}" for n in range(1, 4)),
        "before-goal",
        "goal",
    )
    names = tuple(f"{row}-{column}-{heading}" for row, column in cells for heading in "nesw")
    return Pomdp(mdp, 0.95, names, actions, seen, "Littman, Cassandra & Kaelbling 1995")


def _seen(wall: bool, bit: int) -> float:
    right = 0.9 if wall else 0.95
    return right if bit == wall else 1 - right


POMDPS: Final[Mapping[str, Callable[[], Pomdp]]] = MappingProxyType(
    {"tiger": tiger, "4x3": four_by_three, "hallway": hallway}
)
"""Name -> function that builds it."""

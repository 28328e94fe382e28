"""The tables against the plainest simulator there could be: one cell after the other, on texts, without tables."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mazegrad.envs import (
    Maze,
    MazeError,
    TabularMDP,
    World,
    draw,
    load_maze,
    opposite,
    outcomes,
    slipped,
    transition,
)
from mazegrad.envs.core.inventory import inventory_bits, needs
from mazegrad.envs.pictures.text import draw_text

Cell = tuple[int, int]
Held = frozenset[Any]

STEP = {0: (-1, 0), 1: (0, 1), 2: (0, -1), 3: (1, 0)}  # up, right, left, down
BELT = {"^": (-1, 0), ">": (0, 1), "<": (0, -1), "v": (1, 0)}


class Walker:
    """Moves on a drawing by its legend; what is held is a set of letters and of the cells of items."""

    def __init__(
        self,
        rows: list[str],
        wind: list[int] | None = None,
        restart: bool = False,
        rewards: Mapping[str, float] = MappingProxyType({}),
        blows: int = 0,
        cuts: bool = False,
        walls: Sequence[str] = (),
    ) -> None:
        self.rows, self.wind, self.restart = rows, wind or [], restart
        self.blows, self.cuts, self.walls = blows, cuts, walls or [""]
        self.rewards = {"goal": 1.0, "trap": -1.0, "item": 1.0, "step": 0.0} | dict(rewards)
        self.cells = [(r, c) for r, row in enumerate(rows) for c, tile in enumerate(row) if tile not in "# "]
        self.starts = [cell for cell in self.cells if self.tile(cell) == "S"]
        self.keys = sorted({self.tile(cell) for cell in self.cells} & set("abcdef"))
        self.items = [cell for cell in self.cells if self.tile(cell) == "*"]

    def tile(self, cell: Cell) -> str:
        return self.rows[cell[0]][cell[1]]

    def open(self, cell: Cell, held: Held) -> bool:
        row, column = cell
        if not (0 <= row < len(self.rows) and 0 <= column < len(self.rows[0])):
            return False
        if self.tile(cell) in "# ":
            return False
        return self.tile(cell) not in "ABCDEF" or self.tile(cell).lower() in held

    def over(self, cell: Cell) -> bool:
        return self.tile(cell) == "G" or (self.tile(cell) == "X" and not self.restart)

    def move(self, cell: Cell, held: Held, direction: int) -> tuple[Cell, Held, float]:
        """Return the next cell, what is held then, and the reward."""
        if self.over(cell):
            return cell, held, 0.0
        return self.walk(cell, held, STEP[direction])

    def can_step(self, cell: Cell, held: Held, step: Cell) -> bool:
        row, column = step
        if not self.open((cell[0] + row, cell[1] + column), held):
            return False
        if not self.passes(cell, step):
            return False
        beside = [(cell[0] + row, cell[1]), (cell[0], cell[1] + column)]
        return self.cuts or abs(row) != 1 or abs(column) != 1 or all(self.open(one, held) for one in beside)

    def passes(self, cell: Cell, step: Cell) -> bool:
        """Return whether no thin wall is in the way of a step to one of the eight neighbours."""
        row, column = step
        if max(abs(row), abs(column)) > 1 or step == (0, 0):
            return True
        if row and column:
            first = self.passes(cell, (row, 0)) and self.passes((cell[0] + row, cell[1]), (0, column))
            other = self.passes(cell, (0, column)) and self.passes((cell[0], cell[1] + column), (row, 0))
            return first or other if self.cuts else first and other
        owner = (cell[0] + min(row, 0), cell[1] + min(column, 0))  # the cell to the left of the wall, or above it
        inside = 0 <= owner[0] < len(self.walls) and 0 <= owner[1] < len(self.walls[0])
        return not inside or not int(self.walls[owner[0]][owner[1]]) & (2 if row else 1)

    def walk(self, cell: Cell, held: Held, step: Cell, gust: int = 0) -> tuple[Cell, Held, float]:
        """Return the same for a step of any length, and a stronger or weaker wind."""
        along = STEP[self.blows]
        strength = self.wind[cell[0] if along[1] else cell[1]] if any(self.wind) else 0
        if self.can_step(cell, held, step):
            cell = (cell[0] + step[0], cell[1] + step[1])
        tile = self.tile(cell)
        if tile.isdigit():
            [cell] = [twin for twin in self.cells if self.tile(twin) == tile and twin != cell]
        elif tile in BELT:
            ahead = (cell[0] + BELT[tile][0], cell[1] + BELT[tile][1])
            if self.open(ahead, held) and self.passes(cell, BELT[tile]):
                cell = ahead
        else:
            for _ in range(strength + gust if strength else 0):
                if self.open((cell[0] + along[0], cell[1] + along[1]), held) and self.passes(cell, along):
                    cell = (cell[0] + along[0], cell[1] + along[1])
        reward = self.rewards["step"]
        tile = self.tile(cell)
        if tile == "G":
            reward += self.rewards["goal"]
        if tile == "X":
            reward += self.rewards["trap"]
            if self.restart:
                [cell] = self.starts
        if tile == "*" and cell not in held:
            reward += self.rewards["item"]
            held = held | {cell}
        if tile in "abcdef":
            held = held | {tile}
        return cell, held, reward

    def number(self, held: Held) -> int:
        """Return the number of what is held: one bit a key's letter, then one an item."""
        return sum(1 << bit for bit, thing in enumerate([*self.keys, *self.items]) if thing in held)

    def states(self) -> set[tuple[Cell, Held]]:
        """Return every (cell, held): all cells, or with things to carry what can be reached."""
        if not self.keys and not self.items:
            return {(cell, frozenset()) for cell in self.cells}
        found, todo = set(), [(start, frozenset()) for start in self.starts]
        while todo:
            state = todo.pop()
            if state not in found:
                found.add(state)
                todo += [self.move(*state, direction)[:2] for direction in range(4)]
        return found


def assert_equal(walker: Walker, world: World, slip: float = 0.0, ice: float = 2 / 3) -> None:
    width = len(walker.rows[0])
    name = {(int(c), int(h)): s for s, (c, h) in enumerate(zip(world.cell, world.carried, strict=True))}

    def state_of(cell: Cell, held: Held) -> int:
        return name[cell[0] * width + cell[1], walker.number(held)]

    states = walker.states()
    assert len(states) == world.states
    assert [state_of(cell, frozenset()) for cell in walker.starts] == world.start_states.tolist()
    for cell, held in states:
        state, tile = state_of(cell, held), walker.tile(cell)
        assert world.terminal[state] == walker.over(cell)
        assert world.goal[state] == (tile == "G")
        assert world.slip[state] == (ice if tile == "~" else slip)
        for direction in range(4):
            after, holds, reward = walker.move(cell, held, direction)
            assert transition(world, state, direction) == (state_of(after, holds), reward, walker.over(after))
            ahead = (cell[0] + STEP[direction][0], cell[1] + STEP[direction][1])
            sign = (tile, direction) in (("{", 2), ("}", 1))
            assert world.dots[state, direction] == (walker.open(ahead, held) or sign)


HEIGHTS, WIDTHS = st.integers(1, 6), st.integers(1, 7)


@st.composite
def drawings(
    draw: st.DrawFn, height: st.SearchStrategy[int] = HEIGHTS, width: st.SearchStrategy[int] = WIDTHS, things: int = 4
) -> list[str]:
    """Rows of tiles with a start, teleporters in pairs and a few things to carry."""
    height, width = draw(height), draw(width)
    tiles = draw(
        st.lists(st.sampled_from("......## ~^><v*abABCX{}G"), min_size=height * width, max_size=height * width)
    )
    places = draw(st.permutations(range(height * width)))
    pairs = draw(st.integers(0, min(3, (height * width - 1) // 2)))
    for pair in range(pairs):
        tiles[places[2 * pair]] = tiles[places[2 * pair + 1]] = str(pair)
    for place in places[2 * pairs : 2 * pairs + draw(st.integers(1, 2))]:
        tiles[place] = "S"
    carried = [place for place, tile in enumerate(tiles) if tile in "*ab"]
    for place in carried[things:]:
        tiles[place] = "."
    return ["".join(tiles[row * width : (row + 1) * width]) for row in range(height)]


REWARDS = st.dictionaries(st.sampled_from(["goal", "trap", "item", "step"]), st.integers(-100, 100).map(float))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(drawings(), st.data())
def test_the_tables_are_the_legend(rows: list[str], data: st.DataObject) -> None:
    wind = data.draw(st.lists(st.integers(0, 3), min_size=len(rows[0]), max_size=len(rows[0])))
    restart = sum(row.count("S") for row in rows) == 1 and data.draw(st.booleans())
    rewards, slip, ice = data.draw(REWARDS), data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))
    metadata = {"slip": repr(slip), "ice": repr(ice)}
    if any(wind):
        metadata["wind"] = " ".join(map(str, wind))
    if restart:
        metadata["trap"] = "restart"
    if rewards:
        metadata["rewards"] = ", ".join(f"{name} {value}" for name, value in rewards.items())
    tiles = np.array([list(row.encode()) for row in rows], dtype=np.uint8)
    world = World.compile(Maze(tiles, metadata))
    assert_equal(Walker(rows, wind, restart, rewards), world, slip, ice)


def test_the_simulator_distinguishes_worlds() -> None:
    """The comparison is no rubber stamp: it fails for a wind, a trap, a reward and a door that are not there."""
    rows = ["S.>.", "aX*A", "0..0"]
    world = World.compile(Maze.from_text("\n".join(rows)))
    assert_equal(Walker(rows), world)
    for wrong in (
        Walker(rows, wind=[0, 1, 0, 0]),
        Walker(rows, restart=True),
        Walker(rows, rewards={"item": 2.0}),
        Walker(["S.>.", "aX*B", "0..0"]),
    ):
        with pytest.raises(AssertionError):
            assert_equal(wrong, world)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_a_batch_is_its_mazes_one_by_one(height: int, width: int, data: st.DataObject) -> None:
    sizes = {"height": st.just(height), "width": st.just(width)}
    mazes = [
        Maze.from_text("\n".join(data.draw(drawings(**sizes, things=3)))) for _ in range(data.draw(st.integers(1, 4)))
    ]
    assume(len({maze.tiles.shape for maze in mazes}) == 1)  # trailing blanks may be left out
    assert_same(World.compile(mazes), World.stack([World.compile(maze) for maze in mazes]))


def assert_same(one: World, other: World) -> None:
    for name, table in vars(one).items():
        if name == "noise":
            assert table is other.noise or table.same(other.noise)
        else:
            assert np.array_equal(table, vars(other)[name]) if name != "mazes" else table == other.mazes, name


@settings(max_examples=50, deadline=None)
@given(st.lists(drawings(things=3), min_size=1, max_size=4))
def test_only_one_of_a_stack_is_its_maze_alone(drawn: list[list[str]]) -> None:
    mazes = [Maze.from_text("\n".join(rows)) for rows in drawn]
    world = World.compile(mazes)
    for number, maze in enumerate(mazes):
        assert_same(world.only(number), World.compile(maze))
    for wrong in (-1, len(mazes)):
        with pytest.raises(ValueError, match=f"not {wrong}"):
            world.only(wrong)


def test_mazes_of_different_sizes_are_stacked() -> None:
    mazes = [Maze.from_text(text) for text in ("S.G", "S\n*\nG", "S.G")]
    assert_same(World.compile(mazes), World.stack([World.compile(maze) for maze in mazes]))


def test_a_large_batch_of_mazes_with_things_is_still_compiled() -> None:
    mazes = [Maze.from_text("S*G" + " " * 200 + "#" + "*" * 11)] * 30  # too many combinations for one array
    single = World.compile(mazes[0])
    world = World.compile(mazes)
    assert world.states == 30 * single.states
    assert np.array_equal(world.next_state[: single.states], single.next_state)


SCENES = {
    "a step, then the teleporter, never back": ("S0.0.", [1], 3),
    "a bump on a teleporter is a move that ends there": ("#0S\n#.0", [2, 3], 1),
    "one conveyor, not two": ("S>>.", [1], 2),
    "a conveyor stops before a wall": ("S>#", [1], 1),
    "a conveyor onto a teleporter: no chain": ("S>0.0", [1], 2),
    "a key opens the door": ("Sa.A.", [1, 1, 1, 1], 4),
    "a locked door is a wall": ("SAa", [1], 0),
    "a door without any key stays shut": ("SA.", [1], 0),
}


@pytest.mark.parametrize("scene", SCENES)
def test_scenes(scene: str) -> None:
    text, moves, cell = SCENES[scene]
    world = World.compile(Maze.from_text(text))
    state = int(world.start_states[0])
    for move in moves:
        state, _, _ = transition(world, state, move)
    assert world.cell[state] == cell


@pytest.mark.parametrize(
    ("start", "action", "row", "why"),
    [
        (16, 1, 1, "the wind of the column that is left, 1, not that of the column that is entered, 2"),
        (16, 0, 0, "the step up, then the wind"),
        (15, 2, 1, "a bump at the edge does not shelter from the wind"),
        (2, 1, 0, "the wind stops at the edge"),
    ],
)
def test_wind(start: int, action: Any, row: int, why: str) -> None:
    world = World.compile(Maze.from_text("wind: 1 1 2 0 0\nS....\n.....\n.....\n....."))
    start = {16: 11, 15: 10}.get(start, start)
    assert world.cell[transition(world, start, action)[0]] // 5 == row


def test_the_books_own_example_of_wind() -> None:
    """Sutton & Barto 2018, example 6.5: one cell to the right of the goal, left takes you to just above the goal."""
    world = World.compile(load_maze("windy_grid"))
    [goal] = world.cell[world.goal]
    [state] = np.flatnonzero(world.cell == goal + 1)
    assert world.cell[transition(world, int(state), 2)[0]] == goal - 10


def test_collected_once() -> None:
    world = World.compile(Maze.from_text("rewards: item 5, step -1\nS*."))
    state = int(world.start_states[0])
    earned = []
    for direction in (1, 1, 2, 2, 1):
        state, reward, _ = transition(world, state, direction)
        earned.append(float(reward))
    assert earned == [4, -1, -1, -1, -1]


def test_a_trap_that_restarts_needs_one_start() -> None:
    with pytest.raises(MazeError, match="line 3, column 3: `trap: restart` needs a single start"):
        World.compile(Maze.from_text("; two starts\ntrap: restart\nSXS"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("...", "line 1, column 1: the maze has no start"),
        ("S.0", "line 1, column 3: a teleporter joins two cells; '0' is drawn once"),
        ("S00\n..0", "line 2, column 3: a teleporter joins two cells; '0' is drawn 3 times"),
        ("name: x\nwind: 1 2\nS..", "line 2, column 6: 2 numbers for 3 columns"),
        ("S" + "*" * 41, "line 1, column 42: a maze can have 40 keys and items at most"),
        ("Sabcdef" + "*" * 35, "line 1, column 42: a maze can have 40 keys and items at most"),
        ("S" + "*" * 100, "line 1, column 42: a maze can have 40 keys and items at most"),
    ],
)
def test_mazes_that_cannot_be_compiled(text: str, message: str) -> None:
    maze = Maze.from_text(text)  # it is a drawing all the same
    with pytest.raises(MazeError, match=message):
        World.compile(maze)
    with pytest.raises(MazeError, match=message):
        World.compile([Maze(np.full_like(maze.tiles, ord("S"))), maze])


@pytest.mark.parametrize(
    "use", [lambda maze: World.stack([maze]), TabularMDP.from_world, lambda maze: draw_text(maze, 0)]
)
def test_only_worlds_have_tables(use: Any) -> None:
    for what in (load_maze("spiral"), "spiral", 5):
        with pytest.raises(TypeError, match=r"expected a World, World\.compile\(maze\), not"):
            use(what)


@pytest.mark.parametrize("show", [draw, draw_text])
def test_only_existing_states_are_drawn(show: Any) -> None:
    world = World.compile(load_maze("spiral"))
    for state in (-1, world.states, 99_999):
        with pytest.raises(ValueError, match=f"from 0 to {world.states - 1}, not {state}"):
            show(world, state)
    for state in (1.5, "S"):
        with pytest.raises(TypeError, match="must be an integer"):
            show(world, state)
    with pytest.raises(TypeError, match="not str"):
        draw("four_rooms")


@pytest.mark.parametrize("drawing", ["S.G\n", ["S.G\n"], 5, None])
def test_only_mazes_are_compiled(drawing: Any) -> None:
    with pytest.raises(TypeError, match=r"takes a Maze or several, not .*; Maze\.from_text reads a drawing"):
        World.compile(drawing)


def test_a_maze_that_is_too_large_for_its_things() -> None:
    tiles = np.full((200, 200), ord("."), dtype=np.uint8)
    tiles[0, 0] = ord("S")
    assert World.compile(Maze(tiles)).states == 40_000
    tiles[7, 2:14] = ord("*")
    with pytest.raises(MazeError, match="line 8, column 14: 4096 combinations of keys and items are too many"):
        World.compile(Maze(tiles))


def test_twelve_things_multiply_and_what_cannot_be_reached_is_dropped() -> None:
    assert World.compile(Maze.from_text("S" + "*" * 12)).states == 1 + sum(range(1, 13)) + 12
    row = World.compile(Maze.from_text("S" + "." * 11 + "\n" + "*" * 12))
    assert row.states == sum(12 if not held else 12 + held.bit_count() for held in range(4096))


def test_slip_apart_from_ice() -> None:
    maze = Maze.from_text("slip: 0.25\nS.~G")
    assert World.compile(maze).slip.tolist() == [0.25, 0.25, 2 / 3, 0.25]
    assert World.compile(maze, slip=0.5).slip.tolist() == [0.5, 0.5, 2 / 3, 0.5]
    assert World.compile(Maze.from_text("ice: 1/4\nS.~G")).slip.tolist() == [0, 0, 0.25, 0]


def test_a_keyword_beats_the_map_beats_the_default() -> None:
    maze = Maze.from_text("rewards: step -1, goal 5\nS.G")
    assert World.compile(maze).reward[1, 1] == 4
    assert World.compile(maze, rewards={"goal": 7}).reward[1, 1] == 6
    assert World.compile(Maze.from_text("S.G")).reward[1, 1] == 1


@settings(max_examples=50, deadline=None)
@given(drawings())
def test_what_a_tile_needs_is_what_its_door_wants(rows: list[str]) -> None:
    tiles = np.array([list(row.encode()) for row in rows], dtype=np.uint8)
    bits = inventory_bits(tiles[None])[0]
    walker = Walker(rows)
    for held in [frozenset(), *map(frozenset, [walker.keys, walker.keys[:1], [*walker.keys, *walker.items]])]:
        can_enter = needs(tiles, bits) & ~walker.number(held) == 0
        for cell in np.ndindex(tiles.shape):
            assert can_enter[cell] == walker.open(cell, held)
    assert (needs(tiles, bits).ravel() == needs(tiles.ravel(), bits.ravel())).all()  # any shape


@settings(max_examples=50, deadline=None)
@given(drawings(), st.floats(0, 1))
def test_outcomes_are_what_slipped_does(rows: list[str], slip: float) -> None:
    world = World.compile(Maze.from_text("\n".join(rows)), slip=slip)
    listed = outcomes(world)
    assert np.allclose(listed.probability.sum(axis=2), 1, atol=1e-15)
    u = (np.arange(1000) + 0.5) / 1000
    for state in range(min(world.states, 5)):
        for action in range(4):
            directions = slipped(world, np.full(1000, state), np.full(1000, action), u)
            assert not (directions == opposite(action)).any()
            for meant, probability in zip(range(3), listed.probability[state, action], strict=True):
                hand = {0: _RIGHT_HAND[action], 1: action, 2: opposite(_RIGHT_HAND[action])}[meant]
                assert np.isclose((directions == hand).mean(), probability, atol=1.1e-3)
                if probability > 0:
                    assert listed.next_state[state, action, meant] == world.next_state[state, hand]


_RIGHT_HAND = {0: 1, 1: 3, 3: 2, 2: 0}  # facing up it is right, facing right down, facing down left, facing left up


def test_tables_are_read_only() -> None:
    world = World.compile(Maze.from_text("S*G"))
    for name in (
        "next_state",
        "reward",
        "terminal",
        "goal",
        "slip",
        "dots",
        "start_states",
        "cell",
        "carried",
        "maze_of",
    ):
        with pytest.raises(ValueError, match="read-only"):
            getattr(world, name)[0] = 0

"""Drawings as moves find them: what is on each cell of many mazes at once, and where a step or a jump ends.

The order of a move, once noise has decided which one is executed: a turn; a step, if it can be made (`can_step`); then
at most one displacement, by what is on the cell where the step ended (the same cell, if it was blocked): a teleporter,
a conveyor, or else the wind of the column or row in which the move began (Sutton & Barto 2018, example 6.5). Then the
last cell takes effect: goal, trap, item, key. A displacement stops before a cell that cannot be entered.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import read_only
from ..maps.directions import DIRECTION_NAMES, DOWN, OFFSETS, UP
from ..maps.errors import MazeError
from ..maps.formats.blank_floor import other_format
from ..maps.legend import TILE_REWARDS
from ..maps.maze import Maze
from ..maps.moves import CLOCKWISE, Moves, quarters_of, turned
from ..maps.own_tiles import earnings_of, jump_cells, own_kinds, start_cells
from ..maps.thin import sides
from .dots import dots
from .inventory import CLOSED, MAX_INVENTORY, inventory_bits, is_door, needs
from .noise import Column
from .steps import Positions, can_step, is_free


class FramedMazes:
    """Mazes of one size, each in a frame of nothing, flat and end to end; and where moves in them end.

    A position is the index of a tile in this row of tiles; a code is the number of a (position, carried).
    """

    def __init__(self, mazes: Sequence[Maze], moves: Moves, columns: Sequence[Column]) -> None:
        m = self.margin = max(moves.reach, *(max(abs(column.row), abs(column.column)) for column in columns))
        framed = np.full((len(mazes), mazes[0].height + 2 * m, mazes[0].width + 2 * m), ord(" "), dtype=np.uint8)
        framed[:, m:-m, m:-m] = [maze.tiles for maze in mazes]
        self.mazes, self.size, self.width = mazes, framed[0].size, framed.shape[2]
        self._moves, self.columns, self.headings = moves, columns, moves.headings
        self.tiles: NDArray[np.uint8] = framed.ravel()
        self.steps = (OFFSETS @ (self.width, 1)).tolist()  # by direction: from a position to the next
        # of mazes: the heading at the start
        facing = [maze.metadata.get("facing", DIRECTION_NAMES[UP]) for maze in mazes]
        self.facing = np.array([DIRECTION_NAMES.index(name) if moves.headings > 1 else 0 for name in facing])
        starts = self.starts = self._positions([start_cells(maze) for maze in mazes])
        starts_of = np.bincount(self.maze_of(np.unique(starts)), minlength=len(mazes))
        for maze in np.flatnonzero(starts_of == 0)[:1]:
            hint = other_format("\n".join(mazes[maze].rows()))
            raise mazes[maze].error(0, 0, f"the maze has no start; put an S where the agent begins{hint}")

        bits = inventory_bits(framed).ravel()
        for position in np.flatnonzero(bits >= CLOSED)[:1]:
            raise self.error(position, f"a maze can have {MAX_INVENTORY} keys and items at most; this is one more")
        needed = needs(self.tiles, bits)
        self.open: NDArray[np.bool_] = needed != CLOSED
        # the bit that is carried after a visit
        self.gives = np.where(is_door(self.tiles), 0, bits) if bits.any() else zero_or_table(len(bits), np.int64, False)
        inventory = self.gives.reshape(len(mazes), -1).max(axis=1)
        self.has_inventory: NDArray[np.bool_] = inventory > 0  # (mazes,)
        self.needs = needed if self.has_inventory.any() else None
        # of what is carried and the heading
        self.combinations = (1 << int(inventory.max()).bit_length()) * self.headings
        self.code_count = len(mazes) * self.combinations * self.size
        self.last_thing = int(np.flatnonzero(bits == bits.max())[0])

        here = np.arange(self.tiles.size, dtype=number_type(self.tiles.size))
        self.carries_to = here.copy()  # the position to which a conveyor or a teleporter moves the agent on
        for conveyor, step in zip("^><v", self.steps, strict=True):
            self.carries_to[self.find(conveyor)] += step
        for digit in "0123456789":
            self._join(digit)
        self.wind = self._winds()
        self.sides = self._thin_walls()
        restarts = np.array([maze.metadata.get("trap") == "restart" for maze in mazes])
        for maze in np.flatnonzero(restarts & (starts_of > 1))[:1]:
            other = divmod(list(dict.fromkeys(start_cells(mazes[maze])))[1], mazes[maze].width)
            raise mazes[maze].error(*other, "`trap: restart` needs a single start S; this is another one")
        traps = self.find("X")
        back = traps[restarts[self.maze_of(traps)]]
        self.lands_at = here  # the position where a move that ends here leaves the agent
        self.lands_at[back] = starts[np.searchsorted(self.maze_of(starts), self.maze_of(back))]
        self.goal: NDArray[np.bool_] = self.tiles == ord("G")
        self.terminal = self.goal.copy()
        self.terminal[traps] = ~restarts[self.maze_of(traps)]
        for number, maze in enumerate(mazes):
            for letter, kind in own_kinds(maze.metadata).items():
                if kind != "floor":
                    self.terminal[self._of(number, letter)] = True
                    self.goal[self._of(number, letter)] = kind == "goal"
        # of mazes: the items that are needed where goals wait for all of them
        items = np.where(self.tiles == ord("*"), bits, 0).reshape(len(mazes), -1).sum(axis=1)
        self.needed = np.where([maze.metadata.get("exit") == "all items" for maze in mazes], items, 0)
        self._read_jumps()

    def find(self, tile: str) -> Positions:
        """Return the positions of a tile, maze by maze, in reading order."""
        return np.flatnonzero(self.tiles == ord(tile))

    def _of(self, number: int, letter: str) -> Positions:
        """Return the positions of a tile in one maze."""
        first = number * self.size
        return first + np.flatnonzero(self.tiles[first : first + self.size] == ord(letter))

    def _positions(self, cells: Sequence[Sequence[int]]) -> Positions:
        """Return the positions of cells of each maze, end to end."""
        positions = []
        for number, some in enumerate(cells):
            row, column = np.divmod(np.array(some, dtype=np.int64), self.mazes[number].width)
            positions.append(number * self.size + (row + self.margin) * self.width + column + self.margin)
        return np.concatenate(positions)

    def _read_jumps(self) -> None:
        """Set where agents jump to from each position, (alternatives, positions), -1 for none, and what that earns."""
        jumps = [jump_cells(maze) for maze in self.mazes]
        most = max((len(cells) for one in jumps for cells, _, _ in one.values()), default=0)
        self.jumps = np.full((most, self.tiles.size), -1)
        self.jump_reward = np.zeros((len(jumps), 256))  # by maze and tile
        for number, one in enumerate(jumps):
            for letter, (cells, _, earned) in one.items():
                here = self._of(number, letter)
                if len(here) and not cells:
                    raise self.error(here[0], f"agents jump from {letter!r}, but to a place that is not drawn")
                if len(here):
                    targets = self._positions([[]] * number + [cells])
                    self.jumps[:, here] = targets[0]
                    self.jumps[: len(targets), here] = targets[:, None]
                    self.jump_reward[number, ord(letter)] = earned

    def earnings(self, arrival: NDArray[np.float64]) -> tuple[Any, Any, Any]:
        """Return what headers say that moves earn: by maze and tile, for entering and leaving it; by maze and action.

        Args:
            arrival: (mazes, 256), for ending a move on a tile; changed in place for goals, traps and items.

        Returns:
            Three arrays, or None for the first two or the last where headers say nothing.
        """
        if not any("reward" in maze.metadata or "jump" in maze.metadata for maze in self.mazes):
            return None, None, None
        entering, leaving = np.zeros((2, *arrival.shape))
        acting = np.zeros((len(self.mazes), len(self._moves)))
        for number, maze in enumerate(self.mazes):
            for what, amount, kind in earnings_of(maze.metadata):
                if kind == "action":
                    if what not in self._moves.names:
                        known = ", ".join(self._moves.names)
                        raise maze.setting_error("reward", f"unknown action {what!r}; known here: {known}")
                    acting[number, self._moves.names.index(what)] = amount
                elif kind == "leaving":
                    leaving[number, ord(what)] = amount
                elif kind == "floor" and what not in TILE_REWARDS:
                    entering[number, ord(what)] = amount
                else:
                    arrival[number, ord(what)] = amount
        return entering, leaving, acting if acting.any() else None

    def over(self, position: Positions, carried: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether episodes are over for agents at these positions; some goals wait until all is collected."""
        over: NDArray[np.bool_] = self.terminal[position]
        if self.needed.any():
            over = over & (~self.goal[position] | (self.needed[self.maze_of(position)] & ~carried == 0))
        return over

    def maze_of(self, position: Positions) -> NDArray[np.int64]:
        """Return the number of the maze in which a position lies."""
        return position // self.size

    def error(self, position: int, message: str) -> MazeError:
        """Return a MazeError that points to a position."""
        maze, within = divmod(int(position), self.size)
        row, column = divmod(within, self.width)
        return self.mazes[maze].error(row - self.margin, column - self.margin, message)

    def _join(self, digit: str) -> None:
        ends = self.find(digit)
        count = np.bincount(self.maze_of(ends), minlength=len(self.mazes))
        for maze in np.flatnonzero((count != 0) & (count != 2))[:1]:
            last = ends[self.maze_of(ends) == maze][-1]
            times = "once" if count[maze] == 1 else f"{count[maze]} times"
            raise self.error(last, f"a teleporter joins two cells; {digit!r} is drawn {times}")
        self.carries_to[ends] = ends.reshape(-1, 2)[:, ::-1].ravel()

    def _winds(self) -> NDArray[np.int64]:
        """Return the strength of the wind at each position, and set the step of each maze's wind."""
        m = self.margin
        self.wind_step = np.full(len(self.mazes), self.steps[UP])
        self.blows = np.tile(OFFSETS[UP], (len(self.mazes), 1))
        if not any("wind" in maze.metadata for maze in self.mazes):
            return zero_or_table(self.tiles.size, np.int64, False)
        wind = np.zeros((len(self.mazes), self.size // self.width, self.width), dtype=np.int64)
        for number, maze in enumerate(self.mazes):
            given = maze.setting("wind")
            if given is None:
                continue
            self.wind_step[number], self.blows[number] = self.steps[given.direction], OFFSETS[given.direction]
            vertical = given.direction in (UP, DOWN)
            length, other = (maze.width, maze.height) if vertical else (maze.height, maze.width)
            if len(given.strengths) != length:
                lines = "column" if vertical else "row"
                message = f"{len(given.strengths)} numbers for {length} {lines}s; give one for each {lines}"
                raise maze.setting_error("wind", message)
            blows = np.array([min(strength, other) for strength in given.strengths])
            wind[number, m:-m, m:-m] = blows if vertical else blows[:, None]
        return wind.ravel()

    def _thin_walls(self) -> NDArray[np.uint8] | None:
        """Return which sides of each position have a thin wall; None without any. Set the steps of conveyors."""
        walls, m = [sides(maze) for maze in self.mazes], self.margin
        if all(one is None for one in walls):
            return None
        self.belt = np.zeros((self.tiles.size, 2), dtype=np.int64)
        for conveyor, step in zip("^><v", OFFSETS, strict=True):
            self.belt[self.find(conveyor)] = step
        framed = np.zeros((len(walls), self.size // self.width, self.width), dtype=np.uint8)
        for number, one in enumerate(walls):
            if one is not None:
                framed[number, m:-m, m:-m] = one
        return framed.ravel()

    def can_enter(self, position: Positions, carried: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether an agent that carries this can enter a position."""
        can: NDArray[np.bool_] = self.open[position]
        return can if self.needs is None else can & (self.needs[position] & ~carried == 0)

    def _turned(self, row: int, column: int, heading: NDArray[np.int64]) -> tuple[Any, Any]:
        """Return the rows and columns of a step that is (row, column) for one who faces up."""
        if self.headings == 1:
            return row, column
        steps = np.array([turned(row, column, quarters_of(direction)) for direction in range(4)])
        return steps[heading, 0], steps[heading, 1]

    def _can_step(self, position: Positions, carried: NDArray[np.int64], row: Any, column: Any) -> NDArray[np.bool_]:
        can: NDArray[np.bool_] = can_step(
            position, row, column, self.width, lambda aim: self.can_enter(aim, carried), self._moves.cuts, self.sides
        )
        return can

    def end(
        self, position: Positions, carried: NDArray[np.int64], heading: NDArray[np.int64], column: Column
    ) -> tuple[Positions, NDArray[np.bool_]]:
        """Return where moves from these positions end, and whether their steps could not be made.

        A step, then at most one displacement; or a jump.
        """
        at, step = position, self._turned(column.row, column.column, heading)
        can = np.ones(len(position), dtype=np.bool_)
        if column.row or column.column:
            can = self._can_step(position, carried, *step)
            at = np.where(can, position + step[0] * self.width + step[1], position)
        aim = self.carries_to[at]
        on = self.can_enter(aim, carried)
        if self.sides is not None:
            on &= is_free(self.sides, at, *self.belt[at].T)
        end = np.where(on, aim, at)
        gust = np.where(aim == at, self.wind[position], 0)
        if column.gust:
            gust = np.where(gust > 0, gust + column.gust, 0)
        blow = self.wind_step[self.maze_of(position)] if gust.any() else 0
        for strength in range(gust.max(initial=0)):
            ahead = end + blow
            free = gust > strength
            if self.sides is not None:
                free &= is_free(self.sides, end, *self.blows[self.maze_of(end)].T)
            end = np.where(free & self.can_enter(ahead, carried), ahead, end)
        if len(self.jumps):
            to = self.jumps[min(column.jump, len(self.jumps) - 1)][position]
            end, can = np.where(to >= 0, to, end), can | (to >= 0)
        return end, ~can

    def arrive(
        self,
        position: Positions,
        end: Positions,
        carried: NDArray[np.int64],
        heading: NDArray[np.int64],
        column: Column,
    ) -> NDArray[np.int64]:
        """Return the codes of the states that follow when moves from some positions end at others."""
        lands = self.lands_at[end].astype(np.int64)
        if self.headings > 1:
            after = np.array([CLOCKWISE[(quarters_of(way) + column.turn) % 4] for way in range(4)])[heading]
            if len(self.jumps):  # nobody turns in a jump
                after = np.where(self.jumps[0][position] >= 0, heading, after)
            heading = np.where(lands == end, after, self.facing[self.maze_of(end)])
        return self.encode(lands, carried | self.gives[end], heading)

    def dots(self, position: Positions, carried: NDArray[np.int64], heading: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return the dots around these positions, (n, D)."""
        seen = self._moves.seen
        steps = (
            (row, column) if self.headings == 1 else (seen[heading, number, 0], seen[heading, number, 1])
            for number, (row, column) in enumerate(seen[0].tolist())
        )
        can = (self._can_step(position, carried, *step) for step in steps)
        return dots(self._moves, self.tiles[position], can, heading)

    def encode(
        self, position: Positions, carried: NDArray[np.int64] | int, heading: NDArray[np.int64] | int
    ) -> NDArray[np.int64]:
        """Return the codes of (position, carried, heading), in the order of states: by maze, by carried, by heading."""
        load = carried if self.headings == 1 else carried * self.headings + heading
        return position + (self.maze_of(position) * (self.combinations - 1) + load) * self.size

    def decode(self, code: NDArray[np.int64]) -> tuple[Positions, NDArray[np.int64], NDArray[np.int64]]:
        """Return (position, carried, heading)."""
        above, within = np.divmod(code.astype(np.int64), self.size)
        maze, load = np.divmod(above, self.combinations)
        carried, heading = (load, np.zeros_like(load)) if self.headings == 1 else np.divmod(load, self.headings)
        return maze * self.size + within, carried, heading

    def kinds(self, codes: NDArray[Any], kinds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the kind of noise of each state, (S,), from those by maze, tile, and whether wind blows."""
        position = self.decode(codes)[0]
        found: NDArray[np.int64] = kinds[
            self.maze_of(position), self.tiles[position], (self.wind[position] > 0).view(np.int8)
        ]
        return found


def zero_or_table(states: int, dtype: Any, varies: bool) -> NDArray[Any]:
    """Return a new table over states; a single zero, repeated, where it is the same for all."""
    if varies:
        return np.empty(states, dtype=dtype)
    return np.broadcast_to(read_only(np.zeros((), dtype=dtype)), states)


def number_type(count: int) -> Any:
    """Return the smallest of two types that has the numbers below this."""
    return np.int32 if count <= 2**31 else np.int64

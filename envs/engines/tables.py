"""Tables of any number of mazes, end to end, in rows that are given back when a maze is removed."""

import bisect
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.places import places_of
from ..core.rules import cases, noise_of
from ..core.world import World
from ..maps.maze import Maze
from ..maps.randomness import below
from ..observations import Sight
from ..observations.sight import row_bytes
from .engine import Setup

# a word, from its highest bit: what is observed after the move (32 bits, if it is four bytes), whether the move is
# special, and where it leads (next row << shift)
SPECIAL: Final = np.array(1 << 31)  # as arrays: numpy takes them in faster than ints
NEXT: Final = SPECIAL - 1
_LITTLE: Final = sys.byteorder == "little"
SEEN: Final = int(_LITTLE)  # which of a word's two uint32 is what is observed
FLAG: Final = 3 if _LITTLE else 4  # which of a word's bytes has the special bit
_TABLE_BYTES: Final = 2**26  # of observations that are kept as a table over rows


class Tables:
    """The tables of mazes, laid out for lanes that move together.

    The rows of a maze are its states, then its arrivals, one for each start: every move from there leads to that start,
    so that a reset is a move like others. A move is one word, see above; in a table for each case of `Noise`. Actions
    take the next power of two of entries in a row, so that a shift leads from a row to its first entry.

    Args:
        setup: how mazes become tables and observations.
        sight: what is declared to be observed.
        mazes: the mazes to begin with, at numbers 0, 1, ...
    """

    words: NDArray[np.int64]
    """(cases, rows, 1 << shift)"""
    rewards: NDArray[np.float64]
    """(cases, rows, 1 << shift)"""
    limits: NDArray[np.uint64] | None
    """(cases - 1, rows, 1 << shift): random numbers below the first k of these mean case k; None while all noise is
    slips of the four directions: then `limit` and `half` say it"""
    usual_reward: float
    """of the moves that are not special; the most frequent one in the first mazes"""
    slip: float | None
    """the slip of every state, while it is the same in all"""
    tables: dict[str, NDArray[Any]]
    """name -> (rows, ...): what is observed; without those that are too large to be kept"""

    def __init__(self, setup: Setup, sight: Sight, mazes: Sequence[Maze]) -> None:
        self.setup, self.sight = setup, sight
        height, width = max(maze.height for maze in mazes), max(maze.width for maze in mazes)
        self.scene = setup.scene(len(mazes), height, width, sight.moves)
        self.slips, self.usual_reward, self.slip, self.limits = False, 0.0, None, None
        self.actions = len(sight.moves)
        self.shift = max(2, (self.actions - 1).bit_length())
        # of mazes: the first row, the row of the first arrival, the number of starts
        self.first, self.arrival, self.starts = np.zeros((3, 0), dtype=np.int64)
        self.number: dict[Maze, int] = {}
        self._worlds: dict[int, tuple[World, int]] = {}  # a maze's world, and its number in there
        self._free_numbers: list[int] = []
        self._rows = Rows()
        shape = (1, 0, 1 << self.shift)
        self.words, self.rewards = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        self.terminal = np.zeros(0, dtype=np.bool_)
        self.cell, self.carried, self.heading = np.zeros((3, 0), dtype=np.int64)
        self.limit, self.half = np.zeros((2, 0), dtype=np.uint64)  # random numbers below slip; to the right
        self.tables = {
            name: np.zeros((0, *(space.shape or ())), dtype=space.dtype or np.int64)
            for name, space in sight.spaces.items()
        }
        self.add(mazes)

    def __len__(self) -> int:
        """Return the number of rows there is room for."""
        return len(self.terminal)

    def add(self, mazes: Sequence[Maze]) -> None:
        """Lay out mazes, at free numbers and in free rows.

        Raises:
            MazeError: a maze is not usable; nothing has changed then.
            ValueError: its observations are not in the declared space.
        """
        self.setup.checked(mazes, self.sight)
        world = self.setup.compile(mazes)
        count = len(self.first)
        new = max(0, len(mazes) - len(self._free_numbers))
        numbers = np.array([*self._free_numbers, *range(count, count + new)][: len(mazes)], dtype=np.int64)
        self._free_numbers = self._free_numbers[len(mazes) :]
        self.scene.write(numbers, mazes)
        for name in ("first", "arrival", "starts"):
            setattr(self, name, _longer(getattr(self, name), count + new))
        first_state = np.searchsorted(world.maze_of, np.arange(len(mazes) + 1))
        first_start = np.searchsorted(world.maze_of[world.start_states], np.arange(len(mazes) + 1))
        states, starts = np.diff(first_state), np.diff(first_start)
        first = self._rows.take((states + starts).tolist())
        self.first[numbers], self.arrival[numbers], self.starts[numbers] = first, first + states, starts
        for alone, (number, maze) in enumerate(zip(numbers.tolist(), mazes, strict=True)):
            self.number[maze], self._worlds[number] = number, (world, alone)
        self._make_room()
        state_rows = np.repeat(first - first_state[:-1], states) + np.arange(world.states)
        arrivals = np.repeat(first + states - first_start[:-1], starts) + np.arange(len(world.start_states))
        self._write(world, numbers, state_rows, arrivals)

    def _make_room(self) -> None:
        needed, capacity = self._rows.count, len(self.terminal)
        if needed > capacity:
            capacity = max(needed, 2 * capacity)
            self.words, self.rewards = _longer(self.words, capacity, 1), _longer(self.rewards, capacity, 1)
            for name in ("terminal", "cell", "carried", "heading", "limit", "half"):
                setattr(self, name, _longer(getattr(self, name), capacity))
            self.limits = None if self.limits is None else _longer(self.limits, capacity, 1)
            fit = [name for name in self.tables if row_bytes(self.sight.spaces[name]) * capacity <= _TABLE_BYTES]
            self.tables = {name: _longer(self.tables[name], capacity) for name in fit}

    def _write(
        self, world: World, numbers: NDArray[np.int64], rows: NDArray[np.int64], arrivals: NDArray[np.int64]
    ) -> None:
        """Write the tables of a world whose mazes have these numbers: of its states, and of arrivals at its starts."""
        moves, slip = cases(world), float(world.slip[0])
        if len(self._worlds) == len(world.mazes):  # the first ones
            values, counts = np.unique(moves.reward[~world.terminal, :, 0], return_counts=True)
            self.usual_reward = float(values[counts.argmax()]) if len(values) else 0.0
            self.slip = slip
        happening = moves.probability.shape[2]
        self.slips |= world.noisy
        more = happening - len(self.words)
        if more > 0:
            self.words, self.rewards = (
                np.concatenate([table, np.repeat(table[:1], more, axis=0)]) for table in (self.words, self.rewards)
            )
        if self.slip != slip or (world.slip != slip).any():
            self.slip = None
        places = places_of(world, np.arange(world.states))
        places = places._replace(maze=numbers[places.maze])
        seen = None
        for name, look in self.sight.looks(self.scene).items():
            if name in self.tables or self.sight.four_bytes:
                seen = look(places)
            if name in self.tables:
                self.tables[name][rows] = seen
        wide = 1 << self.shift
        starts = np.repeat(world.start_states[:, None], wide, axis=1)
        entries = np.arange(wide) % self.actions  # of moves, and copies of some that are never read
        for case in range(len(self.words)):
            how = case if case < happening else 0
            next_state, reward = moves.next_state[:, entries, how], moves.reward[:, entries, how]
            special = (reward != self.usual_reward) | moves.terminal[:, entries, how]
            self.words[case, rows] = self._folded_words(next_state, special, rows, seen)
            self.words[case, arrivals] = self._folded_words(starts, self.usual_reward != 0, rows, seen)
            self.rewards[case, rows], self.rewards[case, arrivals] = reward, 0.0
        self.terminal[rows], self.terminal[arrivals] = world.terminal, False
        self.cell[rows], self.carried[rows], self.heading[rows] = world.cell, world.carried, world.heading
        self.limit[rows], self.half[rows] = below(world.slip), below(world.slip / 2)
        self.limit[arrivals] = self.half[arrivals] = 0
        self._write_limits(world, rows, arrivals)

    def _write_limits(self, world: World, rows: NDArray[np.int64], arrivals: NDArray[np.int64]) -> None:
        """Write the thresholds of noise that is more than slips of the four directions."""
        if self.limits is None and world.noise is None:
            return
        shape = (len(self.words) - 1, len(self), 1 << self.shift)
        if self.limits is None:
            self.limits = np.zeros(shape, dtype=np.uint64)
            for case, limit in enumerate((self.limit, self.half)[: len(self.limits)]):
                self.limits[case] = limit[:, None]
        self.limits = _longer(self.limits, shape[0], 0)
        noise = noise_of(world)
        limits = below(noise.below)[noise.kind]  # (states, actions, cases - 1)
        self.limits[:, rows], self.limits[:, arrivals] = 0, 0
        for case in range(min(limits.shape[2], len(self.limits))):
            self.limits[case, rows, : self.actions] = limits[:, :, case]

    def _folded_words(self, next_state: Any, special: Any, rows: Any, seen: Any) -> NDArray[np.int64]:
        words: NDArray[np.int64] = np.ascontiguousarray(rows[next_state] << self.shift)
        words[np.broadcast_to(special, words.shape)] |= SPECIAL
        if self.sight.four_bytes:
            words.view(np.uint32)[:, SEEN::2] = seen.view(np.uint32).ravel()[next_state]
        return words

    def remove(self, number: int) -> None:
        """Give back the rows and the number of a maze."""
        del self._worlds[number], self.number[self.scene.maze(number)]
        self._rows.give_back(int(self.first[number]), int(self.arrival[number] + self.starts[number]))
        self._free_numbers.append(number)

    def holds(self, number: int) -> bool:
        """Return whether there is a maze of this number."""
        return number in self._worlds

    def worlds(self, numbers: NDArray[np.int64]) -> World:
        """Return the world of the mazes of these numbers, in this order; nothing is compiled again."""
        world, _ = self._worlds[int(numbers[0])]
        if [(id(world), alone) for alone in range(len(world.mazes))] == [
            (id(one), alone) for one, alone in (self._worlds[number] for number in numbers.tolist())
        ]:
            return world
        return World.stack([one.only(alone) for one, alone in (self._worlds[number] for number in numbers.tolist())])


class Rows:
    """Numbers of rows, given out in runs and given back; neighbouring free runs become one."""

    def __init__(self) -> None:
        self.count = 0  # rows in use, and free ones between them
        self._free: list[tuple[int, int]] = []  # [first, end), in order

    def take(self, lengths: Sequence[int]) -> NDArray[np.int64]:
        """Return the first row of a run of each length."""
        first = np.empty(len(lengths), dtype=np.int64)
        for number, length in enumerate(lengths):
            place = next((place for place, (row, end) in enumerate(self._free) if end - row >= length), None)
            if place is None:
                first[number] = self.count
                self.count += length
                continue
            row, end = self._free[place]
            first[number] = row
            self._free[place : place + 1] = [(row + length, end)] if end - row > length else []
        return first

    def give_back(self, first: int, end: int) -> None:
        """Make the rows from `first` up to `end` free."""
        place = bisect.bisect(self._free, (first, end))
        if place < len(self._free) and self._free[place][0] == end:
            _, end = self._free.pop(place)
        if place and self._free[place - 1][1] == first:
            first, _ = self._free.pop(place - 1)
            place -= 1
        self._free.insert(place, (first, end))


def _longer(array: NDArray[Any], length: int, axis: int = 0) -> NDArray[Any]:
    """Return an array with zeros added at the end of an axis."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, length - array.shape[axis])
    return np.pad(array, widths)

"""Stacked tables: worlds laid end to end, each of their moves folded into one 64-bit word, for any number of lanes."""

import bisect
import math
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ..core.places import Places, places_of
from ..core.rules import AS_MEANT, CASES, outcomes
from ..core.world import World
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..maps.randomness import MAZE, START, Streams, below
from .engine import EVERY, Lanes, Setup

# a word, from its highest bit: what is observed after the move (32 bits, if it is four bytes), whether the move is
# special, and where it leads (4 * next row)
_SPECIAL: Final = np.array(1 << 31)  # as arrays: numpy takes them in faster than ints
_NEXT: Final = _SPECIAL - 1
_LITTLE: Final = sys.byteorder == "little"
_SEEN: Final = int(_LITTLE)  # which of a word's two uint32 is what is observed
_FLAG: Final = 3 if _LITTLE else 4  # which of a word's bytes has the special bit
_SHORT: Final = 1 << 24  # next rows below leave the rest of that byte 0
_FEW: Final = 4096  # lanes: up to here, counting bytes is the faster way to find special moves
_TABLE_BYTES: Final = 2**26  # of observations that are kept as a table over rows


class StackedTables:
    """An engine for any mazes: their tables end to end, in rows that are reused when a maze has no lanes any more.

    Args:
        setup: how mazes become tables and observations.
        space: the declared space of observations.
        lanes: the number of lanes.
        mazes: the mazes to begin with, at numbers 0, 1, ...
        numbers: (lanes,), the maze that each lane is in.
        levels: where `draw` takes mazes from; None: it does nothing.
        stacked: `mazes` are all the levels that can be drawn, in the order of `levels.keys`.

    A lane is at 4 * row, so that this + action is the index of its next move's word. The rows of a maze are its
    states, then its arrivals, one for each start: every move from there leads to that start, so that a reset is a move
    like others.
    """

    def __init__(
        self,
        setup: Setup,
        space: Space[Any],
        lanes: int,
        mazes: Sequence[Maze],
        numbers: NDArray[np.int64],
        levels: Levels | None = None,
        stacked: bool = False,
    ) -> None:
        self._setup, self._space, self._levels = setup, space, levels
        self._kept = len(mazes) if stacked else 0  # mazes that stay, whether or not a lane is in them
        shape, dtype = space.shape or (), space.dtype or np.dtype(np.int64)
        self._folded = dtype == np.int8 and shape == (4,)
        self._row_bytes = math.prod(shape) * dtype.itemsize
        height, width = max(maze.height for maze in mazes), max(maze.width for maze in mazes)
        self.scene = setup.scene(len(mazes), height, width)
        self.slips, self.usual_reward = False, 0.0
        self._slip: float | None = None  # of every row, while it is the same in all
        self._maze, self._at = np.zeros((2, lanes), dtype=np.int64)
        self._maze[:] = numbers
        # of mazes: the first row, the row of the first arrival, the number of starts, the lanes that are in it
        self._first, self._arrival, self._starts, self._users = np.zeros((4, 0), dtype=np.int64)
        self._number: dict[Maze, int] = {}
        self._worlds: dict[int, tuple[World, int]] = {}  # a maze's world, and its number in there
        self._free_numbers: list[int] = []
        self._rows = Rows()
        # of rows, by case where moves slip
        self._words = np.zeros((1, 0, 4), dtype=np.int64)
        self._rewards = np.zeros((1, 0, 4))
        self._terminal = np.zeros(0, dtype=np.bool_)
        self._cell, self._carried = np.zeros((2, 0), dtype=np.int64)
        self._limit, self._half = np.zeros((2, 0), dtype=np.uint64)  # random numbers below slip, below to the right
        self._table: NDArray[Any] | None = np.zeros((0, *shape), dtype=dtype)  # observations, unless they are too large
        self._add(mazes)
        np.add.at(self._users, self._maze, 1)

    def _bind(self) -> None:
        """Make the buffers of a move, and views of the tables."""
        self._look = self._setup.look(self.scene, self._space)
        lanes = len(self._maze)
        self._index, self._word = np.zeros((2, lanes), dtype=np.int64)
        self._seen = self._word.view(np.uint32).reshape(lanes, 2)[:, _SEEN : _SEEN + 1]
        self._seen_holds = False  # whether this is what lanes observe now
        few = lanes <= _FEW and 4 * len(self._terminal) <= _SHORT
        self._flags = self._word.view(np.bool_)[_FLAG::8] if few else None
        self._flat_words, self._flat_rewards = self._words.ravel(), self._rewards.ravel()
        self._several_starts = bool((self._starts > 1).any())
        self._uniform = None if self._slip is None else (below(self._slip), below(self._slip / 2))

    def __getstate__(self) -> dict[str, Any]:
        made = ("_look", "_index", "_word", "_seen", "_flags", "_flat_words", "_flat_rewards", "_uniform")
        return {name: value for name, value in vars(self).items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._bind()

    # the store of mazes

    def _add(self, mazes: Sequence[Maze]) -> None:
        """Lay out mazes, at free numbers and in free rows."""
        self._setup.checked(mazes, self._space)
        world = self._setup.compile(mazes)
        count = len(self._first)
        new = max(0, len(mazes) - len(self._free_numbers))
        numbers = np.array([*self._free_numbers, *range(count, count + new)][: len(mazes)], dtype=np.int64)
        self._free_numbers = self._free_numbers[len(mazes) :]
        self.scene.write(numbers, mazes)
        for name in ("_first", "_arrival", "_starts", "_users"):
            setattr(self, name, _longer(getattr(self, name), count + new))
        first_state = np.searchsorted(world.maze_of, np.arange(len(mazes) + 1))
        first_start = np.searchsorted(world.maze_of[world.start_states], np.arange(len(mazes) + 1))
        states, starts = np.diff(first_state), np.diff(first_start)
        first = self._rows.take((states + starts).tolist())
        self._first[numbers], self._arrival[numbers], self._starts[numbers] = first, first + states, starts
        for alone, (number, maze) in enumerate(zip(numbers.tolist(), mazes, strict=True)):
            self._number[maze], self._worlds[number] = number, (world, alone)
        self._make_room()
        state_rows = np.repeat(first - first_state[:-1], states) + np.arange(world.states)
        arrivals = np.repeat(first + states - first_start[:-1], starts) + np.arange(len(world.start_states))
        self._write(world, numbers, state_rows, arrivals)
        self._bind()

    def _make_room(self) -> None:
        needed, capacity = self._rows.count, len(self._terminal)
        if needed > capacity:
            capacity = max(needed, 2 * capacity)
            self._words, self._rewards = _longer(self._words, capacity, 1), _longer(self._rewards, capacity, 1)
            for name in ("_terminal", "_cell", "_carried", "_limit", "_half"):
                setattr(self, name, _longer(getattr(self, name), capacity))
            fits = self._table is not None and self._row_bytes * capacity <= _TABLE_BYTES
            self._table = _longer(self._table, capacity) if fits and self._table is not None else None

    def _write(
        self, world: World, numbers: NDArray[np.int64], rows: NDArray[np.int64], arrivals: NDArray[np.int64]
    ) -> None:
        """Write the tables of a world whose mazes have these numbers: of its states, and of arrivals at its starts."""
        moves, slip = outcomes(world), float(world.slip[0])
        if len(self._worlds) == len(world.mazes):  # the first ones
            values, counts = np.unique(moves.reward[~world.terminal, :, AS_MEANT], return_counts=True)
            self.usual_reward = float(values[counts.argmax()]) if len(values) else 0.0
            self._slip = slip
        if world.slip.any() and not self.slips:
            self.slips = True
            self._words, self._rewards = np.repeat(self._words, 3, axis=0), np.repeat(self._rewards, 3, axis=0)
        if self._slip != slip or (world.slip != slip).any():
            self._slip = None
        seen = None
        if self._folded or self._table is not None:
            places = places_of(world, np.arange(world.states))
            seen = self._setup.look(self.scene, self._space)(places._replace(maze=numbers[places.maze]))
        if self._table is not None:
            self._table[rows] = seen
        starts = np.repeat(world.start_states[:, None], 4, axis=1)
        for case, how in enumerate(CASES[: len(self._words)]):
            next_state, reward = moves.next_state[:, :, how], moves.reward[:, :, how]
            special = (reward != self.usual_reward) | moves.terminal[:, :, how]
            self._words[case, rows] = self._folded_words(next_state, special, rows, seen)
            self._words[case, arrivals] = self._folded_words(starts, self.usual_reward != 0, rows, seen)
            self._rewards[case, rows], self._rewards[case, arrivals] = reward, 0.0
        self._terminal[rows], self._terminal[arrivals] = world.terminal, False
        self._cell[rows], self._carried[rows] = world.cell, world.carried
        self._limit[rows], self._half[rows] = below(world.slip), below(world.slip / 2)
        self._limit[arrivals] = self._half[arrivals] = 0

    def _folded_words(self, next_state: Any, special: Any, rows: Any, seen: Any) -> NDArray[np.int64]:
        words: NDArray[np.int64] = 4 * rows[next_state]
        words[np.broadcast_to(special, words.shape)] |= _SPECIAL
        if self._folded:
            words.view(np.uint32)[:, _SEEN::2] = seen.view(np.uint32).ravel()[next_state]
        return words

    def alike(self, places: Places) -> None:
        """Return None: every maze has tables."""

    def worlds(self, numbers: NDArray[np.int64]) -> World:
        """Return the world of the mazes of these numbers, in this order; nothing is compiled again."""
        world, _ = self._worlds[int(numbers[0])]
        if [(id(world), alone) for alone in range(len(world.mazes))] == [
            (id(one), alone) for one, alone in (self._worlds[number] for number in numbers.tolist())
        ]:
            return world
        return World.stack([one.only(alone) for one, alone in (self._worlds[number] for number in numbers.tolist())])

    # lanes

    def draw(self, lanes: Lanes, streams: Streams) -> None:
        """Put lanes into the levels that their streams draw."""
        if self._levels is None:
            return
        bits = streams.bits(MAZE)
        if self._kept:
            self._maze[lanes] = np.asarray(self._levels.number(bits, lanes)).astype(np.int64)
            return
        pairs = zip(bits.tolist(), lanes.tolist(), strict=True)
        self.enter(lanes, [self._levels.make(self._levels.draw(drawn, lane)) for drawn, lane in pairs])

    def accepts(self, mazes: Sequence[Maze]) -> bool:
        """Return True: any maze can be entered."""
        return True

    def enter(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put lanes into given mazes; the rows of mazes that have no lanes any more are free."""
        new = [maze for maze in dict.fromkeys(mazes) if maze not in self._number]
        if new:
            self._add(new)
        self._move_in(lanes, np.array([self._number[maze] for maze in mazes], dtype=np.int64))

    def _move_in(self, lanes: Lanes, numbers: NDArray[np.int64]) -> None:
        left = self._maze[lanes]
        np.add.at(self._users, numbers, 1)
        np.subtract.at(self._users, left, 1)
        self._maze[lanes] = numbers
        self._seen_holds = False
        for number in np.unique(left[(left >= self._kept) & (self._users[left] <= 0)]).tolist():
            if number in self._worlds:
                del self._worlds[number], self._number[self.scene.maze(number)]
                self._rows.give_back(int(self._first[number]), int(self._arrival[number] + self._starts[number]))
                self._free_numbers.append(number)

    def start(self, lanes: Lanes, streams: Streams, *, at_once: bool) -> None:
        """Put lanes on starts of their mazes, now or by the next move."""
        maze = self._maze[lanes]
        rows = self._arrival[maze]
        if self._several_starts:
            rows = rows + streams.choice(START, self._starts[maze].astype(np.uint64))
        if at_once:
            self._at[lanes] = self._words[0, rows, 0] & _NEXT
            self._seen_holds = False
        else:
            self._at[lanes] = 4 * rows

    def put(self, lanes: Lanes, places: Places) -> None:
        """Put lanes on places of the mazes they are in.

        Raises:
            ValueError: no agent can stand at one of them.
        """
        maze = self._maze[lanes]
        for number in np.unique(maze).tolist():
            here = maze == number
            rows = np.arange(self._first[number], self._arrival[number])
            size = self.scene.sizes[number]
            keys = self._carried[rows] * size + self._cell[rows]  # rising: states are in this order
            wanted = places.carried[here] * size + places.cell[here]
            found = np.searchsorted(keys, wanted)
            if (keys[np.minimum(found, len(keys) - 1)] != wanted).any():
                raise ValueError("an agent cannot stand there")
            self._at[lanes[here]] = 4 * rows[found]
        self._seen_holds = False

    def copy(self, source: Lanes, target: Lanes) -> None:
        """Put target lanes into the mazes and on the places of source lanes."""
        at = self._at[source]
        self._move_in(target, self._maze[source])
        self._at[target] = at

    def move(self, actions: Lanes, random: NDArray[np.uint64] | None) -> Lanes | None:
        """Move all lanes; see `Engine.move`."""
        at, index, word = self._at, self._index, self._word
        np.add(at, actions, out=index)
        if random is not None:
            if self._uniform is not None:
                limit, half = self._uniform
            else:
                rows = at >> 2
                limit, half = self._limit.take(rows), self._half.take(rows)
            case = (random < limit).view(np.int8)
            case += (random < half).view(np.int8)
            index += np.multiply(case, 4 * len(self._terminal), dtype=np.int64)
        self._flat_words.take(index, out=word, mode="clip")
        np.bitwise_and(word, _NEXT, out=at)
        self._seen_holds = self._folded
        if self._flags is not None:
            return self._flags.nonzero()[0] if np.count_nonzero(self._flags) else None
        return (word & _SPECIAL).nonzero()[0] if np.bitwise_or.reduce(word) & _SPECIAL else None

    def outcome(self, lanes: Lanes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the rewards of the last move of these lanes, and whether it ended their episodes."""
        return self._flat_rewards.take(self._index[lanes]), self._terminal.take(self._at[lanes] >> 2)

    def observe(self, lanes: Lanes | slice = EVERY) -> NDArray[Any]:
        """Return what lanes observe, a fresh array: from the words, from the table over rows, or from places."""
        if self._seen_holds and lanes is EVERY:
            return self._seen.copy().view(np.int8)
        if self._table is not None:
            return self._table.take(self._at[lanes] >> 2, axis=0, mode="clip")
        return self._look(self.places(lanes))

    def places(self, lanes: Lanes | slice = EVERY) -> Places:
        """Return where lanes are."""
        rows = self._at[lanes] >> 2
        return Places(self._maze[lanes].copy(), self._cell[rows], self._carried[rows])


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

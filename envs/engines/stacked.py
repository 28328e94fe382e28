"""Stacked tables: any number of lanes, moved together by one look-up in tables that lie end to end."""

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ..core.places import Places
from ..core.scene import Scene
from ..core.world import World
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..maps.randomness import MAZE, START, Streams, below
from ..observations import Sight
from .engine import EVERY, Lanes, Setup
from .tables import FLAG, NEXT, SEEN, SPECIAL, Tables

_SHORT: Final = 1 << 24  # next rows below leave the rest of a word's flag byte 0
_FEW: Final = 4096  # lanes: up to here, counting bytes is the faster way to find special moves


class StackedTables:
    """An engine for any mazes; the rows of a maze that has no lanes any more are used again.

    Args:
        setup: how mazes become tables and observations.
        sight: what is declared to be observed.
        lanes: the number of lanes.
        mazes: the mazes to begin with, at numbers 0, 1, ...
        numbers: (lanes,), the maze that each lane is in.
        levels: where `draw` takes mazes from; None: it does nothing.
        stacked: `mazes` are all the levels that can be drawn, in the order of `levels.keys`.

    A lane is at row << shift, so that this + action is the index of its next move's word.
    """

    def __init__(
        self,
        setup: Setup,
        sight: Sight,
        lanes: int,
        mazes: Sequence[Maze],
        numbers: NDArray[np.int64],
        levels: Levels | None = None,
        stacked: bool = False,
    ) -> None:
        self._levels, self._tables = levels, Tables(setup, sight, mazes)
        self._kept = len(mazes) if stacked else 0  # mazes that stay, whether or not a lane is in them
        self._maze, self._at = np.zeros((2, lanes), dtype=np.int64)
        self._maze[:] = numbers
        self._users = np.bincount(self._maze, minlength=len(mazes))  # of mazes: the lanes that are in it
        self._bind()

    @classmethod
    def of(cls, setup: Setup, sight: Sight, lanes: int, mazes: Sequence[Maze], levels: Levels | None) -> Self:
        """Return an engine whose lanes begin in one maze, or in one for each."""
        number: dict[Maze, int] = {}
        numbers = np.array([number.setdefault(maze, len(number)) for maze in mazes])
        return cls(setup, sight, lanes, list(number), np.broadcast_to(numbers, (lanes,)), levels)

    def _bind(self) -> None:
        """Make the buffers of a move, and views of the tables."""
        tables, lanes = self._tables, len(self._maze)
        self.scene: Scene = tables.scene
        self.slips, self.usual_reward = tables.slips, tables.usual_reward
        self._users = np.concatenate([self._users, np.zeros(len(tables.first) - len(self._users), dtype=np.int64)])
        self._looks, self._observed = tables.sight.looks(self.scene), tables.tables
        self._index, self._word = np.zeros((2, lanes), dtype=np.int64)
        self._seen = self._word.view(np.uint32).reshape(lanes, 2)[:, SEEN : SEEN + 1]
        self._seen_holds = False  # whether this is what lanes observe now
        self._shift, self._headings = tables.shift, tables.sight.moves.headings
        few = lanes <= _FEW and len(tables) << self._shift <= _SHORT
        self._flags = self._word.view(np.bool_)[FLAG::8] if few else None
        self._words, self._rewards = tables.words.ravel(), tables.rewards.ravel()
        self._terminal, self._case_size = tables.terminal, tables.words[0].size
        self._folded, self._several_starts = tables.sight.four_bytes, bool((tables.starts > 1).any())
        self._limits = None if tables.limits is None else [limits.ravel() for limits in tables.limits]
        self._uniform = None if tables.slip is None else (below(tables.slip), below(tables.slip / 2))

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_levels", "_tables", "_kept", "_maze", "_at", "_users")
        return {name: vars(self)[name] for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._bind()

    def alike(self, places: Places) -> None:
        """Return None: every maze has tables."""

    def worlds(self, numbers: NDArray[np.int64]) -> World:
        """Return the world of the mazes of these numbers, in this order; nothing is compiled again."""
        return self._tables.worlds(numbers)

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
        new = [maze for maze in dict.fromkeys(mazes) if maze not in self._tables.number]
        if new:
            self._tables.add(new)
            self._bind()
        self._move_in(lanes, np.array([self._tables.number[maze] for maze in mazes], dtype=np.int64))

    def _move_in(self, lanes: Lanes, numbers: NDArray[np.int64]) -> None:
        left = self._maze[lanes]
        np.add.at(self._users, numbers, 1)
        np.subtract.at(self._users, left, 1)
        self._maze[lanes] = numbers
        self._seen_holds = False
        for number in np.unique(left[(left >= self._kept) & (self._users[left] <= 0)]).tolist():
            if self._tables.holds(number):
                self._tables.remove(number)

    def start(self, lanes: Lanes, streams: Streams, *, at_once: bool) -> None:
        """Put lanes on starts of their mazes, now or by the next move."""
        maze = self._maze[lanes]
        rows = self._tables.arrival[maze]
        if self._several_starts:
            rows = rows + streams.choice(START, self._tables.starts[maze].astype(np.uint64))
        if at_once:
            self._at[lanes] = self._tables.words[0, rows, 0] & NEXT
            self._seen_holds = False
        else:
            self._at[lanes] = rows << self._shift

    def put(self, lanes: Lanes, places: Places) -> None:
        """Put lanes on places of the mazes they are in.

        Raises:
            ValueError: no agent can stand at one of them.
        """
        maze = self._maze[lanes]
        for number in np.unique(maze).tolist():
            here = maze == number
            rows = np.arange(self._tables.first[number], self._tables.arrival[number])
            size = self.scene.sizes[number]
            keys = self._tables.carried[rows] * self._headings + self._tables.heading[rows]
            keys = keys * size + self._tables.cell[rows]  # rising: states are in this order
            some = places.of(here)
            wanted = (some.carried * self._headings + some.heading) * size + some.cell
            found = np.searchsorted(keys, wanted)
            if (keys[np.minimum(found, len(keys) - 1)] != wanted).any():
                raise ValueError("an agent cannot stand there")
            self._at[lanes[here]] = rows[found] << self._shift
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
            if self._limits is not None:
                case = np.zeros(len(at), dtype=np.int8)
                for limits in self._limits:
                    case += (random < limits.take(index)).view(np.int8)
            else:
                if self._uniform is not None:
                    limit, half = self._uniform
                else:
                    rows = at >> 2
                    limit, half = self._tables.limit.take(rows), self._tables.half.take(rows)
                case = (random < limit).view(np.int8)
                case += (random < half).view(np.int8)
            index += np.multiply(case, self._case_size, dtype=np.int64)
        self._words.take(index, out=word, mode="clip")
        np.bitwise_and(word, NEXT, out=at)
        self._seen_holds = self._folded
        if self._flags is not None:
            return self._flags.nonzero()[0] if np.count_nonzero(self._flags) else None
        return (word & SPECIAL).nonzero()[0] if np.bitwise_or.reduce(word) & SPECIAL else None

    def here(self) -> NDArray[np.int64]:
        """Return where all lanes are: at `4 * row`."""
        return self._at.copy()

    def take_back(self, lanes: Lanes, here: NDArray[np.int64]) -> None:
        """Put lanes back where they were before a move."""
        self._at[lanes] = here[lanes]
        self._seen_holds = False

    def outcome(self, lanes: Lanes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the rewards of the last move of these lanes, and whether it ended their episodes."""
        return self._rewards.take(self._index[lanes]), self._terminal.take(self._at[lanes] >> self._shift)

    def observe(self, lanes: Lanes | slice = EVERY) -> Any:
        """Return what lanes observe, a fresh array: from the words, from the table over rows, or from places."""
        if self._seen_holds and lanes is EVERY:
            return self._seen.copy().view(np.int8)
        rows, places = self._at[lanes] >> self._shift, None
        seen = {}
        for name, look in self._looks.items():
            if name in self._observed:
                seen[name] = self._observed[name].take(rows, axis=0, mode="clip")
            else:
                places = places or self.places(lanes)
                seen[name] = look(places)
        return self._tables.sight.together(seen)

    def places(self, lanes: Lanes | slice = EVERY) -> Places:
        """Return where lanes are."""
        rows, tables = self._at[lanes] >> self._shift, self._tables
        heading = tables.heading[rows] if self._headings > 1 else 0
        return Places(self._maze[lanes].copy(), tables.cell[rows], tables.carried[rows], heading)

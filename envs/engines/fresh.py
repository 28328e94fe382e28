"""Fresh mazes: a new one for a lane at each reset, made ahead, many at once, one byte a cell.

In a maze of walls and floor the effect of a move depends on the four neighbours alone. So there are 32 kinds of cells:
which neighbours are open, and whether the cell is a goal. What happens on each kind is read from Worlds of 3 x 3 tiles,
compiled as all others are; a fresh maze is then laid out by a few shifts, a hundred times faster than by its tables.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.places import Places
from ..core.rules import cases, transition
from ..core.world import World
from ..maps.directions import OFFSETS, RIGHT
from ..maps.legend import is_open
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..maps.plain import IS_PLAIN, distance_maps
from ..maps.randomness import MAZE, Streams, below
from ..observations import Sight
from ..planning.shaping import distance_potential_of_maps
from .engine import EVERY, Lanes, Setup

_GOAL: Final = 16  # of a kind: the cell is a goal; below that, bit d for an open neighbour in direction d
_KINDS: Final = 32
_FOUR: Final = np.array(2)  # a shift by it is times four; as an array, numpy takes it in faster
_BYTES: Final = 2**28  # of mazes that are kept ready
_AHEAD: Final = 4  # mazes that a lane has at most, the one that it is in included


def kinds_of_cells() -> list[Maze]:
    """Return a maze of 3 x 3 tiles around each of the 32 kinds of cells."""
    mazes = []
    for kind in range(_KINDS):
        tiles = np.full((3, 3), ord("#"), dtype=np.uint8)
        tiles[0, 0] = ord("S")
        tiles[1, 1] = ord("G") if kind & _GOAL else ord(".")
        for direction, (row, column) in enumerate(OFFSETS):
            tiles[1 + row, 1 + column] = ord(".") if kind >> direction & 1 else ord("#")
        mazes.append(Maze(tiles))
    return mazes


def world_of_kinds(setup: Setup, mazes: Sequence[Maze]) -> tuple[World, NDArray[np.int64]]:
    """Return the world of `kinds_of_cells`, and the state in the middle of each."""
    world = setup.compile(mazes)
    return world, np.flatnonzero(world.cell == 4)


def rewards_of_arriving(setup: Setup) -> tuple[float, float]:
    """Return what a move earns in plain mazes without shaping: a usual one, and one to the goal."""
    world = replace(setup, shaping=None).compile([Maze.from_text("S.G\n")])
    usual, goal = (transition(world, np.int64(state), RIGHT)[1].item() for state in world.start_states[0] + [0, 1])
    return usual, goal


class FreshMazes:
    """An engine for levels that are made in batches of plain mazes: walls, floor, one start, goals.

    Each lane has a few slots in the scene: for the maze that it is in, and for the next ones of its stream.

    Args:
        setup: how mazes become tables and observations.
        sight: what is declared to be observed.
        lanes: the number of lanes.
        levels: where the mazes come from; `levels.batch` makes them.
        shape: (height, width) of the mazes.
    """

    def __init__(self, setup: Setup, sight: Sight, lanes: int, levels: Levels, shape: tuple[int, int]) -> None:
        if levels.batch is None:
            raise ValueError("levels.batch is None; fresh mazes need a function that makes mazes in batches")
        self._setup, self._sight, self._levels, self._batch = setup, sight, levels, levels.batch
        self._keys = None if levels.keys is None else np.array(levels.keys, dtype=np.uint64)
        self._shape, self._cells = shape, shape[0] * shape[1]
        self._depth = 1 if levels.pinned else int(min(max(_BYTES // (lanes * self._cells), 1), _AHEAD))
        slots = lanes * self._depth
        self.scene = setup.scene(slots, *shape)
        self._kinds = np.zeros(slots * self._cells, dtype=np.uint8)
        self._start = np.zeros(slots, dtype=np.int64)
        self._potential = None if setup.shaping is None else np.zeros(slots * self._cells)
        self._worlds: dict[int, tuple[int, World]] = {}  # a slot's world, for one value of `scene.written`
        # of lanes: the key and the number of the episode, that of its maze, and up to which mazes are made
        self._key, self._episode = np.zeros(lanes, dtype=np.uint64), np.full(lanes, -1)
        self._number, self._made = np.full(lanes, 0 if levels.pinned else -1), np.full(lanes, -1)
        self._seeded = np.zeros(lanes, dtype=np.int64)  # how many times in a row; from two on none is made ahead
        self._slot = np.arange(lanes) * self._depth
        self._at = self._slot * self._cells  # slot * cells + cell
        self._kind, self._left = np.zeros((2, lanes), dtype=np.int64)  # of the cell, and of the one before
        self._arriving: Lanes | None = None  # lanes that the next move puts on their starts
        self._learn()
        self._bind()

    def _bind(self) -> None:
        """Make the buffers of a move, and the function that observes."""
        self._index, self._change = np.empty_like(self._at), np.empty_like(self._at)
        self._before, self._arrived = self._at.copy(), np.zeros(len(self._at), dtype=np.bool_)  # for shaping
        self._look = self._sight.look(self.scene)

    def __getstate__(self) -> dict[str, Any]:
        made = ("_look", "_index", "_change", "_before", "_arrived")
        return {name: value for name, value in vars(self).items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._bind()

    def _learn(self) -> None:
        """Compile a small maze around each kind of cell, and read from its tables what moves do there."""
        mazes = kinds_of_cells()
        world, middle = world_of_kinds(self._setup, mazes)
        self._small_world, self._middle = world, middle
        slip = world.slip[middle[0]]
        self.slips = bool(slip > 0)
        self._limit, self._half = below(slip), below(slip / 2)
        steps = []
        next_state = cases(world).next_state[middle]
        for case in range(3 if self.slips else 1):
            row, column = np.divmod(world.cell[next_state[:, :, case]], 3)
            steps.append((row - 1) * self._shape[1] + column - 1)
        self._steps = np.array(steps).ravel()
        self._seen: NDArray[Any] | None = None  # what is observed on each kind, where that decides it
        if self._sight.four_bytes and self._sight.local:
            every = np.arange(_KINDS)
            seen = self._sight.look(self._setup.scene_of(mazes))(Places(every, np.full(_KINDS, 4), 0 * every))
            self._seen = seen.view(np.uint32).ravel()
        self.usual_reward, self._goal_reward = rewards_of_arriving(self._setup)

    # the store of mazes

    def draw(self, lanes: Lanes, streams: Streams) -> None:
        """Put lanes into the mazes of these episodes: the next one of each, or one after a new seed."""
        key, episode = streams.key, streams.episode
        stay = (key == self._key[lanes]) & (episode == self._episode[lanes])
        if stay.any():
            lanes, key, episode = lanes[~stay], key[~stay], episode[~stay]
            if not len(lanes):
                return
        again = (key != self._key[lanes]) | (episode != self._episode[lanes] + 1)
        self._episode[lanes] = episode
        self._seeded[lanes] = np.where(again, self._seeded[lanes] + 1, 0)
        if again.any():
            self._key[lanes[again]] = key[again]
        if self._levels.pinned:
            lanes = lanes[self._made[lanes] < 0]  # the others keep the maze that they have
        else:
            self._number[lanes] = episode
            self._made[lanes[again]] = episode[again] - 1
        if (self._made[lanes] < self._number[lanes]).any():
            self._make(lanes)
        self._slot[lanes] = lanes * self._depth + self._number[lanes] % self._depth

    def _make(self, lanes: Lanes) -> None:
        """Make the mazes that these lanes need now, and with them one more for each lane that has room."""
        room = (self._number >= 0) & (self._made < self._number + self._depth - 1) & (self._seeded < 2)
        needy = np.zeros(len(room), dtype=bool)
        needy[lanes] = self._made[lanes] < self._number[lanes]
        makers = np.flatnonzero(needy | (room if self._made.max() >= 0 else False))
        numbers = self._made[makers] + 1
        keys = Streams(self._key[makers], numbers).bits(MAZE)
        if self._keys is not None:
            keys = self._keys[np.asarray(self._levels.number(keys, makers)).astype(np.int64)]
        self._write(makers * self._depth + numbers % self._depth, self._batch(keys))
        self._made[makers] = numbers

    def _write(self, slots: NDArray[np.int64], tiles: NDArray[np.uint8]) -> None:
        near = is_open(tiles).view(np.uint8)
        self.scene.write_tiles(slots, tiles, near.reshape(-1, self._cells).sum(axis=1))
        kinds = (tiles == ord("G")).view(np.uint8) * np.uint8(_GOAL)
        kinds[:, 1:] |= near[:, :-1]
        kinds[:, :, :-1] |= near[:, :, 1:] << 1
        kinds[:, :, 1:] |= near[:, :, :-1] << 2
        kinds[:, :-1] |= near[:, 1:] << 3
        self._kinds.reshape(-1, self._cells)[slots] = kinds.reshape(-1, self._cells)
        self._start[slots] = (tiles.reshape(-1, self._cells) == ord("S")).argmax(axis=1)

        if self._potential is not None:
            potential = distance_potential_of_maps(distance_maps(tiles))
            self._potential.reshape(-1, self._cells)[slots] = potential.reshape(-1, self._cells)

    def accepts(self, mazes: Sequence[Maze]) -> bool:
        """Return whether all mazes are plain, without metadata, with one start, and of the size of the others."""
        if not all(maze.tiles.shape == self._shape and not maze.metadata for maze in mazes):
            return False
        tiles = np.stack([maze.tiles for maze in mazes])
        return bool((IS_PLAIN[tiles].all() & ((tiles == ord("S")).sum(axis=(1, 2)) == 1)).all())

    def enter(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put lanes into given mazes; for as long as they are in one, none is made ahead for them."""
        self._number[lanes] = self._made[lanes] = self._episode[lanes] = -1
        self._write(self._slot[lanes], np.stack([maze.tiles for maze in mazes]))

    def alike(self, places: Places) -> tuple[World, NDArray[np.int64]]:
        """Return the world of the kinds of cells, and the state of each place's kind."""
        return self._small_world, self._middle[self._kinds[places.maze * self._cells + places.cell]]

    def worlds(self, numbers: NDArray[np.int64]) -> World:
        """Return the world of the mazes of these numbers, in this order, compiled at most once."""
        written = self.scene.written
        known = [number for number in numbers.tolist() if self._worlds.get(number, (-1,))[0] == written[number]]
        if not known:
            return self._setup.compile([self.scene.maze(number) for number in numbers.tolist()])
        missing = [number for number in numbers.tolist() if number not in known]
        if missing:
            world = self._setup.compile([self.scene.maze(number) for number in missing])
            for alone, number in enumerate(missing):
                self._worlds[number] = int(written[number]), world.only(alone)
        return World.stack([self._worlds[number][1] for number in numbers.tolist()])

    # lanes

    def start(self, lanes: Lanes, streams: Streams, *, at_once: bool) -> None:
        """Put lanes on the starts of their mazes, now or by the next move."""
        slots = self._slot[lanes]
        self._at[lanes] = slots * self._cells + self._start[slots]
        if at_once:
            self._kind[lanes] = self._kinds[self._at[lanes]]
        else:
            self._arriving = lanes

    def put(self, lanes: Lanes, places: Places) -> None:
        """Put lanes on places of the mazes they are in.

        Raises:
            ValueError: no agent can stand at one of them.
        """
        open_tile = is_open(self.scene.tiles(Places(self._slot[lanes], places.cell, places.carried)))
        if not open_tile.all() or np.any(places.carried):
            raise ValueError("an agent cannot stand there")
        self._at[lanes] = self._slot[lanes] * self._cells + places.cell
        self._kind[lanes] = self._kinds[self._at[lanes]]

    def copy(self, source: Lanes, target: Lanes) -> None:
        """Put target lanes into the mazes and on the places of source lanes."""
        one = self._slot[source]
        cell, kind = self._at[source] - one * self._cells, self._kind[source]
        if not self._levels.pinned:
            self._number[target], self._made[target] = self._number[source], self._number[source]
            self._slot[target] = target * self._depth + np.maximum(self._number[source], 0) % self._depth
        self._key[target], self._episode[target] = self._key[source], self._episode[source]
        self._seeded[target] = self._seeded[source]
        other = self._slot[target]
        self.scene.copy(one, other)
        kinds = self._kinds.reshape(-1, self._cells)
        kinds[other], self._start[other] = kinds[one], self._start[one]
        if self._potential is not None:
            potential = self._potential.reshape(-1, self._cells)
            potential[other] = potential[one]
        self._at[target], self._kind[target] = other * self._cells + cell, kind

    def move(self, actions: Lanes, random: NDArray[np.uint64] | None) -> Lanes | None:
        """Move all lanes; see `Engine.move`."""
        at, index, change = self._at, self._index, self._change
        np.left_shift(self._kind, _FOUR, out=index)
        index += actions
        if random is not None:
            case = (random < self._limit).view(np.int8)
            case += (random < self._half).view(np.int8)
            index += np.multiply(case, 4 * _KINDS, dtype=np.int64)
        self._steps.take(index, out=change, mode="clip")
        arrived, self._arriving = self._arriving, None
        if arrived is not None:
            change[arrived] = 0
        if self._potential is not None:
            np.copyto(self._before, at)
            self._arrived[:] = False
            if arrived is not None:
                self._arrived[arrived] = True
        at += change
        self._left, self._kind = self._kind, self._left
        kinds = self._kinds.take(at, mode="clip")
        np.copyto(self._kind, kinds)
        if self._potential is not None:
            return np.arange(len(at))
        special = arrived if self.usual_reward else None
        if np.bitwise_or.reduce(kinds) & _GOAL:
            ends = (kinds & _GOAL).nonzero()[0]
            special = ends if special is None else np.concatenate([special, ends])
        return special

    def here(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where all lanes are, and the kinds of their cells."""
        return self._at.copy(), self._kind.copy()

    def take_back(self, lanes: Lanes, here: tuple[NDArray[np.int64], NDArray[np.int64]]) -> None:
        """Put lanes back where they were before a move."""
        at, kind = here
        self._at[lanes], self._kind[lanes] = at[lanes], kind[lanes]

    def outcome(self, lanes: Lanes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the rewards of the last move of these lanes, and whether it ended their episodes."""
        end = self._kind[lanes] >= _GOAL
        if self._potential is not None:
            potential, at, discount = self._potential, self._at[lanes], self._setup.discount
            extra = discount * potential[at] - potential[self._before[lanes]]
            reward = np.where(end, self._goal_reward, self.usual_reward) + extra
            return np.where(self._arrived[lanes] | (self._left[lanes] >= _GOAL), 0.0, reward), end
        return np.where(end & (self._left[lanes] < _GOAL), self._goal_reward, 0.0), end

    def observe(self, lanes: Lanes | slice = EVERY) -> Any:
        """Return what lanes observe, fresh: by the kinds of their cells, or from places."""
        if self._seen is not None:
            return self._seen.take(self._kind[lanes], mode="clip").view(np.int8).reshape(-1, 4)
        return self._look(self.places(lanes))

    def places(self, lanes: Lanes | slice = EVERY) -> Places:
        """Return where lanes are."""
        slots = self._slot[lanes].copy()
        cells = self._at[lanes] - slots * self._cells
        return Places(slots, cells, np.zeros_like(cells))

"""A Pool holds fresh mazes for lanes that get a new one at each reset: made ahead, many at once, one byte a cell.

In a maze of walls and floor what a move does depends on the four neighbours alone. So there are 32 kinds of cells:
which neighbours are open, and whether the cell is a goal. What happens on each kind is read off Worlds of 3 x 3 tiles,
compiled as all others are; a fresh maze is then laid out by a few shifts, a hundred times faster than by its tables.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..core.rules import slipped, transition
from ..core.world import World
from ..info import INFO
from ..maps.directions import OFFSETS, RIGHT
from ..maps.legend import is_open
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..maps.randomness import MAZE, below, bits, stream
from ..observations import TILE_CODES, marked, windows
from ..pictures.draw import draw, tile_size
from .stacked import Lanes, info_tables

_GOAL: Final = 16  # of a kind: the cell is a goal; below that, bit d for an open neighbour in direction d
_FOUR: Final = np.array(2)  # a shift by it is times four; as an array, numpy takes it in faster
_BYTES: Final = 2**28  # of mazes that are kept ready
_AHEAD: Final = 4  # mazes that a lane has at most, the one that it is in included


class Pool:
    """Fresh mazes, one after the other for each lane; the same calls as an Atlas has.

    Args:
        levels: where the mazes come from; `levels.batch` makes them.
        compile_world: from mazes to their (stacked) World.
        observation: its name.
        space: what is declared for it.
        view_size: the side of "view".
        info: names of `INFO`.
        discount: of the values in `info`.
        lanes: how many agents there are.
    """

    def __init__(
        self,
        levels: Levels,
        compile_world: Callable[[Any], World],
        observation: str,
        space: spaces.Space[Any],
        view_size: int,
        info: Sequence[str],
        discount: float,
        lanes: int,
    ) -> None:
        if levels.batch is None:
            raise ValueError("these levels are not made in batches")
        self.levels, self._compile, self._space = levels, compile_world, space
        self._observation, self._view_size, self._info_names, self._discount = observation, view_size, info, discount
        self._keys = None if levels.keys is None else np.array(levels.keys, dtype=np.uint64)
        shape = levels.make(levels.draw(0)).tiles.shape
        self._height, self._width = int(shape[0]), int(shape[1])
        self._cells = self._height * self._width
        self._depth = 1 if levels.pinned else int(min(max(_BYTES // (lanes * self._cells), 1), _AHEAD))

        slots = lanes * self._depth
        self._kinds = np.zeros(slots * self._cells, dtype=np.uint8)
        self._start, self._open = np.zeros(slots, dtype=np.int64), np.zeros(slots, dtype=np.int64)
        margin = view_size // 2 if observation == "view" else 0
        framed = (slots, self._height + 2 * margin, self._width + 2 * margin)
        self._codes = np.zeros(framed, dtype=np.uint8) if observation in ("view", "map") else None
        self._inner = (slice(None), slice(margin, margin + self._height), slice(margin, margin + self._width))
        self._tabled = [name for name in info if name != "action_mask"]
        self._info: dict[str, NDArray[Any]] = {}
        # lane -> key and episode, world, state by cell
        self._worlds: dict[int, tuple[tuple[int, int], World, NDArray[np.int64]]] = {}
        self._episode = np.full(lanes, -1)
        # of the maze: that of the episode, 0 where lanes keep theirs; and up to which mazes are made
        self._number, self._made = np.full(lanes, 0 if levels.pinned else -1), np.full(lanes, -1)
        self._key = np.zeros(lanes, dtype=np.uint64)
        self._slot = np.zeros(lanes, dtype=np.int64)
        self._at = np.zeros(lanes, dtype=np.int64)
        self._index, self._change = np.empty_like(self._at), np.empty_like(self._at)
        self._kind, self._left = np.zeros((2, lanes), dtype=np.int64)  # of the cell, and of the one before
        self._announced: Lanes | None = None
        self._learn()

    def _learn(self) -> None:
        """Compile a small maze around each kind of cell, and read off what moves do there."""
        drawings = []
        for kind in range(32):
            tiles = np.full((3, 3), ord("#"), dtype=np.uint8)
            tiles[0, 0] = ord("S")
            tiles[1, 1] = ord("G") if kind & _GOAL else ord(".")
            for direction, (row, column) in enumerate(OFFSETS):
                tiles[1 + row, 1 + column] = ord(".") if kind >> direction & 1 else ord("#")
            drawings.append(Maze(tiles))
        world = self._compile(drawings)
        middle = np.flatnonzero(world.cell == 4)
        actions = np.arange(4)
        slip = world.slip[middle][:, None]
        self.slips = self.random = bool(slip.any())
        self._limit, self._half = below(slip[0, 0]), below(slip[0, 0] / 2)
        steps = []
        for u in [np.ones_like(slip), slip * 0.75, slip * 0.25][: 3 if self.slips else 1]:
            state = np.broadcast_to(middle[:, None], (32, 4))
            next_state, _, _ = transition(world, state, slipped(world, state, np.broadcast_to(actions, (32, 4)), u))
            row, column = np.divmod(world.cell[next_state], 3)
            steps.append((row - 1) * self._width + column - 1)
        self._steps = np.array(steps).ravel()
        self._mask = INFO["action_mask"](world, self._discount)[middle]
        self._seen = world.dots[middle].view(np.uint32).ravel()
        goal = self._compile(Maze.from_text("S.G\n"))
        (_, self.usual_reward, _), (_, self._goal_reward, _) = (
            tuple(x.item() for x in transition(goal, np.int64(state), RIGHT)) for state in goal.start_states[0] + [0, 1]
        )

    def renew(self, lanes: Lanes, keys: NDArray[np.uint64], episodes: NDArray[np.int64]) -> None:
        """Give lanes the mazes of these episodes: the next one of each, or one after a new seed."""
        again = (keys != self._key[lanes]) | (episodes != self._episode[lanes] + 1)
        self._episode[lanes] = episodes
        if again.any():
            self._key[lanes[again]] = keys[again]
        if self.levels.pinned:
            lanes = lanes[self._made[lanes] < 0]  # the others keep the maze that they have
        else:
            self._number[lanes] = episodes
            self._made[lanes[again]] = episodes[again] - 1
        if not len(lanes):
            return
        if (self._made[lanes] < self._number[lanes]).any():
            self._make(lanes)
        self._slot[lanes] = lanes * self._depth + self._number[lanes] % self._depth
        if self._tabled:
            self._inform(lanes)

    def _make(self, lanes: Lanes) -> None:
        """Make the mazes that these lanes need now, and with them one more for each lane that has room."""
        room = (self._number >= 0) & (self._made < self._number + self._depth - 1)
        needy = np.zeros(len(room), dtype=bool)
        needy[lanes] = self._made[lanes] < self._number[lanes]
        makers = np.flatnonzero(needy | (room if self._made.max() >= 0 else False))
        numbers = self._made[makers] + 1
        draws = np.asarray(bits(stream(self._key[makers], numbers.astype(np.uint64)), MAZE))
        if self._keys is not None:
            draws = self._keys[np.asarray(self.levels.number(draws, makers)).astype(np.int64)]
        tiles = self.levels.batch(draws)  # type: ignore[misc]
        slots = makers * self._depth + numbers % self._depth
        open_tiles = is_open(tiles)
        near = open_tiles.view(np.uint8)
        kinds = (tiles == ord("G")).view(np.uint8) * np.uint8(_GOAL)
        kinds[:, 1:] |= near[:, :-1]
        kinds[:, :, :-1] |= near[:, :, 1:] << 1
        kinds[:, :, 1:] |= near[:, :, :-1] << 2
        kinds[:, :-1] |= near[:, 1:] << 3
        self._kinds.reshape(-1, self._cells)[slots] = kinds.reshape(-1, self._cells)
        flat = tiles.reshape(-1, self._cells)
        self._start[slots] = (flat == ord("S")).argmax(axis=1)
        self._open[slots] = open_tiles.reshape(-1, self._cells).sum(axis=1)
        if self._codes is not None:
            self._codes[(slots, *self._inner[1:])] = TILE_CODES[tiles]
        self._made[makers] = numbers

    def _inform(self, lanes: Lanes) -> None:
        """Compute the tables of `info` for the mazes that these lanes are in, laid out by cell."""
        mazes = [self.maze_of(lane) for lane in lanes.tolist()]
        world = self._compile(mazes)
        for name, table in info_tables(world, self._tabled, self._discount, self._compile).items():
            if name not in self._info:
                self._info[name] = np.zeros((len(self._at), self._cells, *table.shape[1:]), dtype=table.dtype)
            self._info[name][lanes[world.maze_of], world.cell] = table

    def maze_of(self, lane: int) -> Maze:
        """Return the maze that a lane is in."""
        draws = bits(stream(int(self._key[lane]), int(self._episode[lane])), MAZE)
        return self.levels.make(self.levels.draw(int(draws), lane))

    def world_of(self, lane: int) -> tuple[World, int]:
        """Return the World of a lane's maze, compiled once an episode, and the lane's state in it."""
        episode = int(self._key[lane]), int(self._episode[lane])
        if lane not in self._worlds or self._worlds[lane][0] != episode:
            world = self._compile(self.maze_of(lane))
            state_of = np.zeros(self._cells, dtype=np.int64)
            state_of[world.cell] = range(world.states)
            self._worlds[lane] = episode, world, state_of
        _, world, state_of = self._worlds[lane]
        return world, int(state_of[self.cells(np.array([lane]))[0]])

    def open_tiles(self, lanes: Lanes) -> NDArray[np.int64]:
        """Return the number of open tiles of the lanes' mazes."""
        return self._open[self._slot[lanes]]

    def cells(self, lanes: Lanes | slice = slice(None)) -> NDArray[np.int64]:
        """Return where lanes are: row * width + column."""
        return self._at[lanes] - self._slot[lanes] * self._cells

    def at_goal(self) -> NDArray[np.bool_]:
        """Return whether lanes are at a goal."""
        return self._kind >= _GOAL

    def action_mask(self, discount: float) -> NDArray[np.int8]:
        """Return `INFO["action_mask"]` of lanes, (lanes, 4)."""
        return self._mask[self._kind]

    def put(self, lanes: Lanes, cells: NDArray[np.int64]) -> None:
        """Put lanes on cells of their mazes."""
        self._at[lanes] = self._slot[lanes] * self._cells + cells
        self._kind[lanes] = self._kinds[self._at[lanes]]

    def choose(self, lanes: Lanes, streams: NDArray[np.uint64] | None) -> Lanes:
        """Return the cell from which each lane begins."""
        return self._start[self._slot[lanes]]

    place = put

    def announce(self, lanes: Lanes, starts: Lanes) -> None:
        """Let the next move of these lanes, whatever the action, lead to these starts."""
        self._announced = lanes
        self._at[lanes] = self._slot[lanes] * self._cells + starts

    def move(self, actions: Lanes, random: NDArray[np.uint64] | None) -> Lanes | None:
        """Move all lanes, as an Atlas does."""
        at, index, change = self._at, self._index, self._change
        np.left_shift(self._kind, _FOUR, out=index)
        index += actions
        if random is not None:
            case = (random < self._limit).view(np.int8)
            case += (random < self._half).view(np.int8)
            index += np.multiply(case, 4 * 32, dtype=np.int64)
        self._steps.take(index, out=change, mode="clip")
        arrived, self._announced = self._announced, None
        if arrived is not None:
            change[arrived] = 0
        at += change
        self._left, self._kind = self._kind, self._left
        kinds = self._kinds.take(at, mode="clip")
        np.copyto(self._kind, kinds)
        special = arrived if self.usual_reward else None
        if np.bitwise_or.reduce(kinds) & _GOAL:
            ends = (kinds & _GOAL).nonzero()[0]
            special = ends if special is None else np.concatenate([special, ends])
        return special

    def outcome(self, lanes: Lanes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what the last move of these lanes earned, and whether it ended the episode."""
        end = self._kind[lanes] >= _GOAL
        return np.where(end & (self._left[lanes] < _GOAL), self._goal_reward, 0.0), end

    def observe(self) -> NDArray[Any]:
        """Return what the lanes see, a fresh array."""
        return self.look()

    def look(self, lanes: Lanes | slice = slice(None)) -> NDArray[Any]:
        """Return what lanes see, a fresh array."""
        if self._observation == "dots":
            return self._seen.take(self._kind[lanes], mode="clip").view(np.int8).reshape(-1, 4)
        cells, slots = self.cells(lanes), self._slot[lanes]
        if self._observation == "index":
            return cells
        row, column = np.divmod(cells, self._width)
        if self._observation == "position":
            return np.stack([row, column], axis=1)
        if self._codes is not None and self._observation == "view":
            _, height, width = self._codes.shape
            return windows(self._codes, (slots * height + row) * width + column, self._view_size)
        if self._codes is not None:
            return marked(self._codes[slots], cells)
        frames = np.zeros((len(cells), *(self._space.shape or ())), dtype=np.uint8)
        for frame, lane in zip(frames, np.arange(len(self._at))[lanes].tolist(), strict=True):
            world, state = self.world_of(lane)
            frame[:] = draw(world, state, tile=tile_size(world.mazes[0]))
        return frames

    def tell(self, lanes: Lanes | slice = slice(None)) -> dict[str, NDArray[Any]]:
        """Return the info of lanes, by name."""
        which, cells = np.arange(len(self._at))[lanes], self.cells(lanes)
        told = {name: table[which, cells] for name, table in self._info.items()}
        if "action_mask" in self._info_names:
            told["action_mask"] = self._mask[self._kind[lanes]]
        return told

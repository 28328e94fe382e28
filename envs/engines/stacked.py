"""An Atlas lays mazes end to end and folds each of their moves into one 64-bit word, for any number of lanes."""

import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.rules import slipped, transition
from ..core.world import World
from ..info import INFO
from ..maps.maze import Maze
from ..maps.randomness import START, below, choice
from ..observations import OBSERVATIONS

Lanes = NDArray[np.int64]

# a word, from its highest bit: what is seen after the move (32 bits, if that is what four bytes say), whether the move
# is special, and where it leads (4 * next state)
_SPECIAL: Final = np.array(1 << 31)  # as arrays: numpy takes them in faster than ints
_PLACE: Final = _SPECIAL - 1
_LITTLE: Final = sys.byteorder == "little"
_SEEN: Final = int(_LITTLE)  # which of a word's two uint32 is what is seen
_FLAG: Final = 3 if _LITTLE else 4  # which of a word's bytes has the special bit
_SHORT: Final = 1 << 24  # places below leave the rest of that byte 0
_FEW: Final = 4096  # lanes: up to so many, counting bytes is the faster way to find special moves
_TABLE_BYTES: Final = 2**26  # of observations that are computed ahead
# tables of a stack of mazes that are not, number by number, those of the mazes alone
_ONE_BY_ONE: Final = ("optimal_action", "value")


def info_tables(world: World, names: Sequence[str], discount: float, alone: Callable[[Maze], World]) -> dict[str, Any]:
    """Return the tables of `INFO` over the states of a stack, each maze's rows as they are when it is alone."""
    tables: dict[str, Any] = {}
    for name in names:
        if name in _ONE_BY_ONE and len(world.mazes) > 1:
            tables[name] = np.concatenate([INFO[name](alone(maze), discount) for maze in world.mazes])
        else:
            tables[name] = INFO[name](world, discount)
    if "state" in tables:  # the number of the state in its own maze
        first = np.searchsorted(world.maze_of, np.arange(len(world.mazes)))
        tables["state"] = tables["state"] - first[world.maze_of]
    return tables


class Atlas:
    """The tables of a stack of mazes, laid out for lanes that step together; a lane is in one of the mazes.

    Args:
        world: a World, or a stack of them.
        observation: the name of what is seen.
        view_size: the side of "view".
        info: tables over its states, by name.
        limits: on steps, for each maze; -1 for none.
        maze: (lanes,): the number of the maze that each lane is in.

    A lane's place is 4 * state, so that place + action is the index of its next move's word. After the states come
    the arrivals, one for each start: every move from there leads to that start, so that a reset is a move like others.
    """

    def __init__(
        self,
        world: World,
        observation: str,
        view_size: int,
        info: dict[str, NDArray[Any]],
        limits: NDArray[np.int64],
        maze: NDArray[np.int64],
    ) -> None:
        self._made_of = world, observation, view_size, info, limits
        self.world, self._info, self.limits, self.maze = world, info, limits, maze.copy()
        self.slips = bool(world.slip.any())
        self._random_starts = len(world.start_states) > len(world.mazes)
        self.random = self.slips or self._random_starts
        self._states, self._starts = world.states, world.start_states
        mazes = np.arange(len(world.mazes))
        self._first_start = np.searchsorted(world.maze_of[self._starts], mazes)
        self._start_count = np.bincount(world.maze_of[self._starts], minlength=len(mazes)).astype(np.uint64)
        self._first_state = np.searchsorted(world.maze_of, mazes)
        self._at = 4 * self._first_state[self.maze]
        self._mask: NDArray[np.int8] | None = None
        self._index, self._word = np.empty_like(self._at), np.empty_like(self._at)
        lanes = len(self.maze)
        self._seen = self._word.view(np.uint32).reshape(lanes, 2)[:, _SEEN : _SEEN + 1]
        few = lanes <= _FEW and 4 * (world.states + len(self._starts)) <= _SHORT
        self._flags = self._word.view(np.bool_)[_FLAG::8] if few else None

        self.space, self._look = OBSERVATIONS[observation](world, view_size)
        shape, dtype = self.space.shape or (), self.space.dtype or np.dtype(np.int64)
        if math.prod(shape) * dtype.itemsize * world.states <= _TABLE_BYTES:
            self._look = partial(np.take, self._look(np.arange(world.states)), axis=0, mode="clip")
        self._folded = dtype == np.int8 and shape == (4,)
        self._lay_out()

    def __reduce__(self) -> tuple[Any, ...]:
        return Atlas, (*self._made_of, self.maze), {"_at": self._at}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._at[:] = state["_at"]

    def _lay_out(self) -> None:
        world = self.world
        states, actions = np.arange(world.states)[:, None], np.arange(4)
        # one u for each thing that can happen: as meant, slipped to the left hand, to the right hand
        slip = world.slip[:, None]
        cases = [np.ones_like(slip), slip * 0.75, slip * 0.25][: 3 if self.slips else 1]
        arrivals = len(self._starts)
        words = np.empty((len(cases), world.states + arrivals, 4), dtype=np.int64)
        rewards = np.zeros(words.shape)
        seen = self._look(np.arange(world.states)).view(np.uint32).ravel() if self._folded else None
        for case, u in enumerate(cases):
            if self.slips:
                broad = np.broadcast_to(states, (world.states, 4))
                direction = slipped(world, broad, np.broadcast_to(actions, broad.shape), u)
                next_state, reward, end = transition(world, broad, direction)
            else:
                next_state, reward, end = transition(world, states, actions)
            rewards[case, : world.states] = reward
            if case == 0:
                values, counts = np.unique(reward[~world.terminal], return_counts=True)
                self.usual_reward = float(values[counts.argmax()]) if len(values) else 0.0
            self._write(words[case, : world.states], next_state, (reward != self.usual_reward) | end, seen)
            start = np.broadcast_to(self._starts[:, None], (arrivals, 4))
            self._write(words[case, world.states :], start, np.full(start.shape, self.usual_reward != 0), seen)
        self._words, self._rewards = words.ravel(), rewards.ravel()
        self._size = words[0].size
        slips = below(world.slip)
        self._slips: Any = slips if len(np.unique(slips)) > 1 else slips[0]
        self._halves: Any = below(world.slip / 2) if len(np.unique(slips)) > 1 else below(world.slip[0] / 2)

    def _write(self, words: Any, next_state: Any, special: Any, seen: Any) -> None:
        words[:] = 4 * next_state
        words[special] |= _SPECIAL
        if seen is not None:
            words.view(np.uint32)[..., _SEEN::2] = seen[next_state]

    def choose(self, lanes: Lanes, streams: NDArray[np.uint64] | None) -> Lanes:
        """Return the number of the start from which each lane begins: of several, the one that its stream draws."""
        maze = self.maze[lanes]
        first = self._first_start[maze]
        if streams is None or not self._random_starts:
            return first
        return first + np.asarray(choice(streams, START, self._start_count[maze])).astype(np.int64)

    def announce(self, lanes: Lanes, starts: Lanes) -> None:
        """Let the next move of these lanes, whatever the action, lead to these starts."""
        self._at[lanes] = 4 * (self._states + starts)

    def place(self, lanes: Lanes, starts: Lanes) -> None:
        """Put lanes on starts."""
        self._at[lanes] = 4 * self._starts[starts]

    def states(self, lanes: Lanes | slice = slice(None)) -> Lanes:
        """Return the lanes' states in `world`."""
        return self._at[lanes] >> 2

    def cells(self, lanes: Lanes | slice = slice(None)) -> NDArray[np.int64]:
        """Return where lanes are: row * width + column."""
        return self.world.cell[self.states(lanes)]

    def at_goal(self) -> NDArray[np.bool_]:
        """Return whether lanes are at a goal."""
        return self.world.goal[self.states()]

    def action_mask(self, discount: float) -> NDArray[np.int8]:
        """Return `INFO["action_mask"]` of lanes, (lanes, 4)."""
        if self._mask is None:
            self._mask = INFO["action_mask"](self.world, discount)
        return self._mask[self.states()]

    def put(self, lanes: Lanes, states: Lanes) -> None:
        """Put lanes into states, each numbered as in its own maze."""
        self._at[lanes] = 4 * (self._first_state[self.maze[lanes]] + states)

    def move(self, actions: Lanes, random: NDArray[np.uint64] | None) -> Lanes | None:
        """Move all lanes; return those for which `outcome` is not simply the usual reward, None for none.

        Args:
            actions: (lanes,), each 0 to 3.
            random: (lanes,) 53 random bits each, where something slips.
        """
        at, index, word = self._at, self._index, self._word
        np.add(at, actions, out=index)
        if random is not None:
            limit, half = self._slips, self._halves
            if limit.ndim:
                state = np.minimum(at >> 2, self._states - 1)  # arrivals are alike in all cases
                limit, half = limit.take(state), half.take(state)
            case = (random < limit).view(np.int8)
            case += (random < half).view(np.int8)
            index += np.multiply(case, self._size, dtype=np.int64)
        self._words.take(index, out=word, mode="clip")
        np.bitwise_and(word, _PLACE, out=at)
        if self._flags is not None:
            return self._flags.nonzero()[0] if np.count_nonzero(self._flags) else None
        return (word & _SPECIAL).nonzero()[0] if np.bitwise_or.reduce(word) & _SPECIAL else None

    def outcome(self, lanes: Lanes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what the last move of these lanes earned, and whether it ended the episode."""
        return self._rewards.take(self._index[lanes]), self.world.terminal.take(self._at[lanes] >> 2)

    def observe(self) -> NDArray[Any]:
        """Return what the lanes see after `move`, a fresh array."""
        if self._folded:
            return self._seen.copy().view(np.int8)
        return self._look(self.states())

    def look(self, lanes: Lanes | slice = slice(None)) -> NDArray[Any]:
        """Return what lanes see, a fresh array."""
        return self._look(self.states(lanes))

    def tell(self, lanes: Lanes | slice = slice(None)) -> dict[str, NDArray[Any]]:
        """Return the info of lanes, by name."""
        states = self.states(lanes)
        return {name: table.take(states, axis=0) for name, table in self._info.items()}

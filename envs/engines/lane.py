"""One lane in plain Python: rows of a World's tables as tuples, each made when it is first asked for.

With one agent numpy costs more than it saves: plain tuples are eight times faster than arrays of one element.
"""

from typing import Any, Final

import numpy as np
from gymnasium import spaces

from ..core.places import Places, places_of
from ..core.rules import Slips, slipped, transition
from ..core.world import World
from ..maps.maze import Maze
from ..observations import Sight
from ..observations.sight import row_bytes
from ..planning.hitting import explorer_limits
from .engine import Setup

_KEPT_BYTES: Final = 2**26  # of rows
_MOVES_BYTES: Final = 500  # of the moves in one row, about


class _Parts:
    """An observation of several kinds, to be copied like an array."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self._parts = parts

    def copy(self) -> dict[str, Any]:
        return {name: part.copy() if isinstance(part, np.ndarray) else part for name, part in self._parts.items()}


class Lane:
    """An agent in one maze: the engine of the single environment.

    Args:
        setup: how the maze becomes tables and observations.
        sight: what is declared to be observed.
        maze: the maze.
    """

    def __init__(self, setup: Setup, sight: Sight, maze: Maze) -> None:
        self.setup, self.sight, self.maze = setup, sight, maze
        self._enter(setup.compile([maze]))

    def _enter(self, world: World) -> None:
        self.world = world
        self.state = int(world.start_states[0])
        self.slips = world.noisy
        # None: the moves of a row are by action, and have their cases and thresholds beside them
        self._slips = Slips(world.slip.tolist()) if world.noise is None else None
        self._starts = world.start_states.tolist()
        self._rows = _Rows(self)
        self._copies = not isinstance(self.sight.space, spaces.Discrete)
        self._states: dict[tuple[int, int, int], int] = {}
        self._explored: int | None = None
        self._moves: Any = ()  # none before the first `put`

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.setup, self.sight, self.maze, self.world, self.state)

    @property
    def explorer_limit(self) -> int:
        """The `explorer_limits` of the maze."""
        if self._explored is None:  # not a cached_property: that makes all attributes slower (CPython 3.11)
            self._explored = int(explorer_limits(self.world)[0])
        return self._explored

    @property
    def starts(self) -> int:
        """The number of starts."""
        return len(self._starts)

    def start(self, number: int) -> None:
        """Put the agent on a start."""
        self.put(self._starts[number])

    def put(self, state: int) -> None:
        """Put the agent into a state of `world`."""
        self.state = state
        self._moves, self._seen = self._rows[state]

    def state_at(self, cell: int, carried: int, heading: int | None = None) -> int | None:
        """Return the state of an agent on a cell that carries this, None where there is none.

        Args:
            cell, carried: see `Places`.
            heading: by default that of the first start.
        """
        world = self.world
        if not self._states:
            keys = zip(world.cell.tolist(), world.carried.tolist(), world.heading.tolist(), strict=True)
            self._states = {key: state for state, key in enumerate(keys)}
        if heading is None:
            heading = int(world.heading[self._starts[0]])
        return self._states.get((cell, carried, heading))

    def move(self, action: int, u: float | None = None) -> tuple[Any, float, bool]:
        """Move; return the observation, the reward and whether the episode is over.

        Args:
            action: 0 to A - 1.
            u: a uniform number in [0, 1), None where nothing slips.

        Raises:
            IndexError, TypeError: the action is not one of these.
        """
        move = self._moves[action]
        if u is not None and move:
            if self._slips is not None:
                move = self._moves[slipped(self._slips, self.state, int(action), u)]
            else:
                moves, limits = move
                case = 0
                while case < len(limits) and u < limits[case]:
                    case += 1
                move = moves[case]
        self.state, reward, over = move
        self._moves, seen = self._rows[self.state]
        return seen.copy() if self._copies else seen, reward, over

    def observe(self) -> Any:
        """Return what the agent observes, a fresh array."""
        seen = self._rows[self.state][1]
        return seen.copy() if self._copies else seen

    def places(self) -> Places:
        """Return where the agent is, as ints."""
        world, state = self.world, self.state
        return Places(0, int(world.cell[state]), int(world.carried[state]), int(world.heading[state]))


def _again(setup: Setup, sight: Sight, maze: Maze, world: World, state: int) -> Lane:
    lane = Lane.__new__(Lane)
    lane.setup, lane.sight, lane.maze = setup, sight, maze
    lane._enter(world)
    lane.put(state)
    return lane


class _Rows(dict[int, Any]):
    """State -> (moves, what is observed there).

    Moves: for each action (next state, reward, over), or where noise is more than slips, these by case and the
    thresholds of the cases; then None for numbers that are not actions: what -A to -1 and A to 2A - 1 find cannot be
    unpacked.
    """

    def __init__(self, lane: Lane) -> None:
        super().__init__()
        self._world = lane.world
        self._sight = lane.sight
        self._looks = lane.sight.looks(lane.setup.scene_of([lane.maze]))
        size = sum(row_bytes(space) for space in lane.sight.spaces.values())
        self._kept = _KEPT_BYTES // (size + _MOVES_BYTES)

    def __missing__(self, state: int) -> Any:
        places = places_of(self._world, np.array([state]))
        seen = self._sight.one({name: look(places) for name, look in self._looks.items()})
        moves = self._moves_from(state)
        row = (*moves, *[None] * len(moves)), _Parts(seen) if isinstance(seen, dict) else seen
        if len(self) < self._kept:
            self[state] = row
        return row

    def _moves_from(self, state: int) -> list[Any]:
        world, noise = self._world, self._world.noise
        if noise is None:
            columns = transition(world, state, np.arange(world.actions))
            return [*zip(*(column.tolist() for column in columns), strict=True)]
        kind = noise.kind[state]
        moves = []
        for executed, below in zip(noise.executed[kind], noise.below[kind].tolist(), strict=True):
            listed = zip(*(column.tolist() for column in transition(world, state, executed)), strict=True)
            moves.append(([*listed], below))
        return moves

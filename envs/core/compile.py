"""A drawing becomes tables: the moves from every state of many mazes at once, by array operations.

The order of a move, once the slip has decided its direction: a step, if the next cell can be entered; then at most one
displacement, by what is on the cell where the step ended (the same cell, if it was blocked): a teleporter, a conveyor,
or else the wind of the column in which the move began (Sutton & Barto 2018, example 6.5). Then the last cell takes
effect: goal, trap, item, key. A displacement stops before a cell that cannot be entered.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import fraction, nearest
from ..maps.directions import OFFSETS, UP
from ..maps.formats.blank_floor import other_format
from ..maps.legend import REWARDS, TILE_REWARDS, is_open
from ..maps.maze import Maze, MazeError
from .dots import dots
from .inventory import CLOSED, MAX_INVENTORY, inventory_bits, is_door, needs

Positions = NDArray[np.int64]  # indices of tiles in `_FramedMazes`

MAX_CODES: Final = 2**26  # cells times combinations of what is carried: a bound on the memory that one maze takes
ICE: Final = 2 / 3
"""the default probability that a move from ice slips sideways"""


class TooManyStates(Exception):
    """The mazes have too many states together to be compiled at once."""


def compile_tables(mazes: Sequence[Maze], rewards: Mapping[str, float], slip: float | None) -> dict[str, NDArray[Any]]:
    """Return the tables of a `World`, by name, for mazes of one size, their states end to end.

    Args:
        mazes: at least one, all of one size.
        rewards: by name, over each maze's metadata, over `REWARDS`.
        slip: the probability that a move slips sideways, except on ice; None for each maze's metadata, else 0.

    Raises:
        MazeError: a maze without a start, a teleporter without its twin, a `wind` that does not give one number for
            each column, a `trap: restart` without a single start, too many keys and items.
        ValueError: an unknown reward, or one that is not finite; a slip that is not a probability.
        TooManyStates: the mazes must be compiled one by one.
    """
    checked = checked_rewards(rewards)
    reward_of = [{**REWARDS, **(maze.setting("rewards") or {}), **checked} for maze in mazes]
    framed = _FramedMazes(mazes)
    maze_of = framed.maze_of
    slips = _setting(mazes, "slip", 0.0) if slip is None else np.full(len(mazes), fraction("slip", slip))
    ice = _setting(mazes, "ice", ICE)

    def rewards_for(name: str) -> NDArray[np.float64]:
        return np.array([reward[name] for reward in reward_of])  # (mazes,)

    step = rewards_for("step")
    arrival = np.zeros(framed.tiles.size)  # the reward for ending a move at a position, besides that of the step
    for letter, name in TILE_REWARDS.items():
        at = framed.find(letter)
        arrival[at] = rewards_for(name)[maze_of(at)]

    codes = framed.states()
    position, carried = framed.decode(codes)
    tile, maze = framed.tiles[position], maze_of(position)
    states = np.arange(len(codes))
    state_at = np.zeros(framed.code_count, dtype=np.int64)
    state_at[codes] = states
    terminal = framed.terminal[position]
    next_state = np.empty((len(codes), 4), dtype=np.int64)
    reward = np.empty((len(codes), 4))
    for direction in range(4):
        end = framed.end(position, carried, direction)
        next_state[:, direction] = np.where(terminal, states, state_at[framed.arrive(end, carried)])
        new = (framed.gives[end] & carried) == 0
        reward[:, direction] = np.where(terminal, 0.0, step[maze] + np.where(new, arrival[end], 0.0))
    row, column = np.divmod(position - maze * framed.size, framed.width)
    return {
        "next_state": next_state,
        "reward": reward,
        "terminal": terminal,
        "goal": tile == ord("G"),
        "slip": np.where(tile == ord("~"), ice[maze], slips[maze]),
        "dots": dots(tile, (framed.needs[position + step] for step in framed.steps), carried),
        "start_states": state_at[framed.encode(framed.find("S"), 0)],
        "cell": (row - 1) * (framed.width - 2) + column - 1,
        "carried": carried,
        "maze_of": maze,
    }


class _FramedMazes:
    """Mazes of one size, each in a frame of nothing, flat and end to end; and where moves in them end.

    A position is the index of a tile in this row of tiles; a code is the number of a (position, carried).
    """

    def __init__(self, mazes: Sequence[Maze]) -> None:
        framed = np.full((len(mazes), mazes[0].height + 2, mazes[0].width + 2), ord(" "), dtype=np.uint8)
        framed[:, 1:-1, 1:-1] = [maze.tiles for maze in mazes]
        self.mazes, self.size, self.width = mazes, framed[0].size, framed.shape[2]
        self.tiles: NDArray[np.uint8] = framed.ravel()
        self.steps = (OFFSETS @ (self.width, 1)).tolist()  # by direction: from a position to the next
        starts = self.find("S")
        starts_of = np.bincount(self.maze_of(starts), minlength=len(mazes))
        for maze in np.flatnonzero(starts_of == 0)[:1]:
            hint = other_format("\n".join(mazes[maze].rows()))
            raise mazes[maze].error(0, 0, f"the maze has no start; put an S where the agent begins{hint}")

        bits = inventory_bits(framed).ravel()
        for position in np.flatnonzero(bits >= CLOSED)[:1]:
            raise self.error(position, f"a maze can have {MAX_INVENTORY} keys and items at most; this is one more")
        self.gives = np.where(is_door(self.tiles), 0, bits)  # the bit that is carried after a visit
        self.needs = needs(self.tiles, bits)
        inventory = self.gives.reshape(len(mazes), -1).max(axis=1)
        self.has_inventory: NDArray[np.bool_] = inventory > 0  # (mazes,)
        self.combinations = 1 << int(inventory.max()).bit_length()
        self.code_count = len(mazes) * self.combinations * self.size
        if self.code_count > MAX_CODES and self.combinations > 1:
            if len(mazes) > 1:
                raise TooManyStates
            position = np.flatnonzero(bits == bits.max())[0]
            raise self.error(
                position, f"{self.combinations} combinations of keys and items are too many for a maze of this size"
            )

        here = np.arange(self.tiles.size)
        self.carries_to = here.copy()  # the position to which a conveyor or a teleporter moves the agent on
        for conveyor, step in zip("^><v", self.steps, strict=True):
            self.carries_to[self.find(conveyor)] += step
        for digit in "0123456789":
            self._join(digit)
        self.wind = self._winds()
        restarts = np.array([maze.metadata.get("trap") == "restart" for maze in mazes])
        for maze in np.flatnonzero(restarts & (starts_of > 1))[:1]:
            raise mazes[maze].error(
                *mazes[maze].find("S")[1], "`trap: restart` needs a single start S; this is another one"
            )
        traps = self.find("X")
        back = traps[restarts[self.maze_of(traps)]]
        self.lands_at = here  # the position where a move that ends here leaves the agent
        self.lands_at[back] = starts[np.searchsorted(self.maze_of(starts), self.maze_of(back))]
        self.terminal: NDArray[np.bool_] = self.tiles == ord("G")
        self.terminal[traps] = ~restarts[self.maze_of(traps)]

    def find(self, tile: str) -> Positions:
        """Return the positions of a tile, maze by maze, in reading order."""
        return np.flatnonzero(self.tiles == ord(tile))

    def maze_of(self, position: Positions) -> NDArray[np.int64]:
        """Return the number of the maze in which a position lies."""
        return position // self.size

    def error(self, position: int, message: str) -> MazeError:
        """Return a MazeError that points to a position."""
        maze, within = divmod(int(position), self.size)
        row, column = divmod(within, self.width)
        return self.mazes[maze].error(row - 1, column - 1, message)

    def _join(self, digit: str) -> None:
        ends = self.find(digit)
        count = np.bincount(self.maze_of(ends), minlength=len(self.mazes))
        for maze in np.flatnonzero((count != 0) & (count != 2))[:1]:
            last = ends[self.maze_of(ends) == maze][-1]
            times = "once" if count[maze] == 1 else f"{count[maze]} times"
            raise self.error(last, f"a teleporter joins two cells; {digit!r} is drawn {times}")
        self.carries_to[ends] = ends.reshape(-1, 2)[:, ::-1].ravel()

    def _winds(self) -> NDArray[np.int64]:
        wind = np.zeros((len(self.mazes), self.size // self.width, self.width), dtype=np.int64)
        for number, maze in enumerate(self.mazes):
            strengths = maze.setting("wind") or (0,) * maze.width
            if len(strengths) != maze.width:
                message = f"{len(strengths)} numbers for {maze.width} columns; give one for each column"
                raise maze.setting_error("wind", message)
            wind[number, :, 1:-1] = [min(strength, maze.height) for strength in strengths]
        return wind.ravel()

    def can_enter(self, position: Positions, carried: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether an agent that carries this can enter a position."""
        return self.needs[position] & ~carried == 0

    def end(self, position: Positions, carried: NDArray[np.int64], direction: int) -> Positions:
        """Return where moves from these positions end: a step, then at most one displacement."""
        aim = position + self.steps[direction]
        at = np.where(self.can_enter(aim, carried), aim, position)
        aim = self.carries_to[at]
        end = np.where(self.can_enter(aim, carried), aim, at)
        gust = np.where(aim == at, self.wind[position], 0)
        for strength in range(gust.max(initial=0)):
            above = end + self.steps[UP]
            end = np.where((gust > strength) & self.can_enter(above, carried), above, end)
        return end

    def arrive(self, end: Positions, carried: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the codes of the states that follow when moves end at these positions."""
        return self.encode(self.lands_at[end], carried | self.gives[end])

    def encode(self, position: Positions, carried: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Return the codes of (position, carried), in the order of states: by maze, by carried, by position."""
        maze = self.maze_of(position)
        return position + (maze * (self.combinations - 1) + carried) * self.size

    def decode(self, code: NDArray[np.int64]) -> tuple[Positions, NDArray[np.int64]]:
        """Return (position, carried)."""
        above, within = np.divmod(code, self.size)
        maze, carried = np.divmod(above, self.combinations)
        return maze * self.size + within, carried

    def states(self) -> NDArray[np.int64]:
        """Return the codes of all states: every open cell, or in a maze with keys or items the reachable ones."""
        seen = np.zeros(self.code_count, dtype=bool)
        # in a maze without keys a locked door is a state too, which nothing leads to
        open_positions = np.flatnonzero(is_open(self.tiles))
        seen[self.encode(open_positions[~self.has_inventory[self.maze_of(open_positions)]], 0)] = True
        starts = self.find("S")
        frontier = self.encode(starts[self.has_inventory[self.maze_of(starts)]], 0)
        while len(frontier):
            seen[frontier] = True
            position, carried = self.decode(frontier)
            going = ~self.terminal[position]
            position, carried = position[going], carried[going]
            ahead = [self.arrive(self.end(position, carried, direction), carried) for direction in range(4)]
            reached = np.concatenate(ahead)
            frontier = np.unique(reached[~seen[reached]])
        return np.flatnonzero(seen)


def _setting(mazes: Sequence[Maze], key: str, default: float) -> NDArray[np.float64]:
    given = (maze.setting(key) for maze in mazes)
    return np.array([default if value is None else value for value in given], dtype=np.float64)


def checked_rewards(rewards: Mapping[str, float]) -> dict[str, float]:
    """Return the rewards as a dict of floats.

    Raises:
        TypeError: not a mapping.
        ValueError: an unknown name, or a number that is not finite.
    """
    if not isinstance(rewards, Mapping):
        raise TypeError(f"rewards must be a dict, such as {{'goal': 1.0}}, not {rewards!r:.80}")
    for name, value in rewards.items():
        if name not in REWARDS:
            raise ValueError(f"unknown reward {name!r}{nearest(name, REWARDS)}")
        if not isinstance(value, int | float | np.integer | np.floating) or not np.isfinite(value):
            raise ValueError(f"the reward {name!r} must be a finite number, not {value!r}")
    return {name: float(value) for name, value in rewards.items()}

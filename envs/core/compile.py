"""A drawing becomes tables: the moves from every state of many mazes at once, by array operations.

The order of a move, once the slip has settled its direction: the step, if the next cell can be entered; then at most
one displacement, by what lies where the step ended (the same cell, if it was blocked): a teleporter, a conveyor, or
else the wind of the column that the move began in (Sutton & Barto 2018, example 6.5). What the last cell holds takes
effect: goal, trap, item, key. A displacement stops before what cannot be entered.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import nearest
from ..maps.directions import OFFSETS, UP
from ..maps.legend import REWARDS, SIGNS, is_open
from ..maps.maze import Maze, MazeError
from .inventory import CLOSED, MAX_INVENTORY, inventory_bits, is_door, needs

Places = NDArray[np.int64]  # a place is a tile of the framed drawings, which lie end to end

MAX_CODES: Final = 2**26  # cells times what can be carried: a bound on the memory that one maze takes
ICE: Final = 2 / 3
"""the default probability that a move from ice goes sideways"""


class TooManyStates(Exception):
    """The mazes have more states together than are compiled at once."""


def compile_tables(mazes: Sequence[Maze], rewards: Mapping[str, float], slip: float | None) -> dict[str, NDArray[Any]]:
    """Return the tables of `World` for mazes of one size, their states end to end.

    Raises:
        MazeError: a maze without a start, a teleporter without its twin, a `wind` that is not one number a column, a
            `trap: restart` without a single start, too many things to carry.
        ValueError: an unknown reward, or one that is not finite; a slip that is not a probability.
        TooManyStates: the mazes have to be compiled one by one.
    """
    earns = [{**REWARDS, **(maze.setting("rewards") or {}), **checked_rewards(rewards)} for maze in mazes]
    ground = _Ground(mazes)
    maze_of = ground.maze_of
    slips = _setting(mazes, "slip", 0.0) if slip is None else np.full(len(mazes), _checked_slip(slip))
    ice = _setting(mazes, "ice", ICE)

    def worth(name: str) -> NDArray[np.float64]:
        return np.array([earn[name] for earn in earns])

    holds = np.zeros(ground.tiles.size)  # what is earned by ending a move there
    for letter, name in (("G", "goal"), ("X", "trap"), ("*", "item")):
        at = ground.find(letter)
        holds[at] = worth(name)[maze_of(at)]
    step = worth("step")

    codes = ground.states()
    place, carried = ground.decode(codes)
    tile, maze = ground.tiles[place], maze_of(place)
    numbers = np.arange(len(codes))
    state_at = np.zeros(ground.code_count, dtype=np.int64)
    state_at[codes] = numbers
    terminal = ground.terminal[place]
    next_state = np.empty((len(codes), 4), dtype=np.int64)
    reward = np.empty((len(codes), 4))
    dots = np.empty((len(codes), 4), dtype=np.int8)
    for direction in range(4):
        dots[:, direction] = ground.can_enter(place + ground.steps[direction], carried)
        end = ground.end(place, carried, direction)
        next_state[:, direction] = np.where(terminal, numbers, state_at[ground.arrive(end, carried)])
        new = (ground.gives[end] & carried) == 0
        reward[:, direction] = np.where(terminal, 0.0, step[maze] + np.where(new, holds[end], 0.0))
    for sign, direction in SIGNS.items():
        dots[tile == ord(sign), direction] = 1
    row, column = np.divmod(place - maze * ground.size, ground.width)
    return {
        "next_state": next_state,
        "reward": reward,
        "terminal": terminal,
        "goal": tile == ord("G"),
        "slip": np.where(tile == ord("~"), ice[maze], slips[maze]),
        "dots": dots,
        "start_states": state_at[ground.encode(ground.find("S"), 0)],
        "cell": (row - 1) * (ground.width - 2) + column - 1,
        "carried": carried,
        "maze_of": maze,
    }


class _Ground:
    """Mazes of one size, each in a frame of nothing, flat and end to end; and where moves on them end."""

    def __init__(self, mazes: Sequence[Maze]) -> None:
        framed = np.full((len(mazes), mazes[0].height + 2, mazes[0].width + 2), ord(" "), dtype=np.uint8)
        framed[:, 1:-1, 1:-1] = [maze.tiles for maze in mazes]
        self.mazes, self.size, self.width = mazes, framed[0].size, framed.shape[2]
        self.tiles: NDArray[np.uint8] = framed.ravel()
        self.steps = (OFFSETS @ (self.width, 1)).tolist()
        starts = self.find("S")
        starts_of = np.bincount(self.maze_of(starts), minlength=len(mazes))
        for maze in np.flatnonzero(starts_of == 0)[:1]:
            raise mazes[maze].error(0, 0, "the maze has no start; put an S where the agent begins")

        bits = inventory_bits(framed).ravel()
        for place in np.flatnonzero(bits >= CLOSED)[:1]:
            raise self.error(place, f"this is one more than the {MAX_INVENTORY} keys and items that can be carried")
        self.gives = np.where(is_door(self.tiles), 0, bits)
        self.needs = needs(self.tiles, bits)
        things = self.gives.reshape(len(mazes), -1).max(axis=1)
        self.carrying: NDArray[np.bool_] = things > 0
        self.combinations = 1 << int(things.max()).bit_length()
        self.code_count = len(mazes) * self.combinations * self.size
        if self.code_count > MAX_CODES and self.combinations > 1:
            if len(mazes) > 1:
                raise TooManyStates
            place = np.flatnonzero(bits == bits.max())[0]
            raise self.error(
                place, f"{self.combinations} combinations of keys and items are too many for this large a maze"
            )

        here = np.arange(self.tiles.size)
        self.carries_to = here.copy()
        for conveyor, step in zip("^><v", self.steps, strict=True):
            self.carries_to[self.find(conveyor)] += step
        for digit in "0123456789":
            self._join(digit)
        self.wind = self._winds()
        restarts = np.array([maze.metadata.get("trap") == "restart" for maze in mazes])
        for maze in np.flatnonzero(restarts & (starts_of > 1))[:1]:
            raise mazes[maze].error(
                *mazes[maze].find("S")[1], "`trap: restart` needs a single start S, this is another"
            )
        traps = self.find("X")
        back = traps[restarts[self.maze_of(traps)]]
        self.lands_at = here
        self.lands_at[back] = starts[np.searchsorted(self.maze_of(starts), self.maze_of(back))]
        self.terminal: NDArray[np.bool_] = self.tiles == ord("G")
        self.terminal[traps] = ~restarts[self.maze_of(traps)]

    def find(self, tile: str) -> Places:
        """Return the places of a tile, maze by maze, in reading order."""
        return np.flatnonzero(self.tiles == ord(tile))

    def maze_of(self, place: Places) -> NDArray[np.int64]:
        """Return the number of the maze that a place lies in."""
        return place // self.size

    def error(self, place: int, message: str) -> MazeError:
        """Return a MazeError that points to a place."""
        maze, place = divmod(int(place), self.size)
        row, column = divmod(place, self.width)
        return self.mazes[maze].error(row - 1, column - 1, message)

    def _join(self, digit: str) -> None:
        ends = self.find(digit)
        count = np.bincount(self.maze_of(ends), minlength=len(self.mazes))
        for maze in np.flatnonzero((count != 0) & (count != 2))[:1]:
            place = ends[self.maze_of(ends) == maze][-1]
            times = "once" if count[maze] == 1 else f"{count[maze]} times"
            raise self.error(place, f"a teleporter joins two places; {digit!r} is drawn {times}")
        self.carries_to[ends] = ends.reshape(-1, 2)[:, ::-1].ravel()

    def _winds(self) -> NDArray[np.int64]:
        wind = np.zeros((len(self.mazes), self.size // self.width, self.width), dtype=np.int64)
        for number, maze in enumerate(self.mazes):
            strengths = maze.setting("wind") or (0,) * maze.width
            if len(strengths) != maze.width:
                message = f"{len(strengths)} numbers for {maze.width} columns; give one a column"
                raise maze.setting_error("wind", message)
            wind[number, :, 1:-1] = [min(strength, maze.height) for strength in strengths]
        return wind.ravel()

    def can_enter(self, place: Places, carried: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether a place is open to an agent that carries this."""
        return self.needs[place] & ~carried == 0

    def end(self, place: Places, carried: NDArray[np.int64], direction: int) -> Places:
        """Return where moves end: a step, then at most one displacement."""
        aim = place + self.steps[direction]
        at = np.where(self.can_enter(aim, carried), aim, place)
        aim = self.carries_to[at]
        end = np.where(self.can_enter(aim, carried), aim, at)
        gust = np.where(aim == at, self.wind[place], 0)
        for strength in range(gust.max(initial=0)):
            above = end + self.steps[UP]
            end = np.where((gust > strength) & self.can_enter(above, carried), above, end)
        return end

    def arrive(self, end: Places, carried: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the codes of the states that moves lead to which end there."""
        return self.encode(self.lands_at[end], carried | self.gives[end])

    def encode(self, place: Places, carried: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Return the numbers of (place, carried), in the order of states: by maze, by what is carried, by place."""
        maze = self.maze_of(place)
        return place + (maze * (self.combinations - 1) + carried) * self.size

    def decode(self, code: NDArray[np.int64]) -> tuple[Places, NDArray[np.int64]]:
        """Return (place, carried)."""
        above, within = np.divmod(code, self.size)
        maze, carried = np.divmod(above, self.combinations)
        return maze * self.size + within, carried

    def states(self) -> NDArray[np.int64]:
        """Return the codes of all states: every open cell, or where things are carried what the starts lead to."""
        seen = np.zeros(self.code_count, dtype=bool)
        # a locked door is open ground in a maze without keys too: a state that nothing leads to
        open_places = np.flatnonzero(is_open(self.tiles))
        seen[self.encode(open_places[~self.carrying[self.maze_of(open_places)]], 0)] = True
        starts = self.find("S")
        frontier = self.encode(starts[self.carrying[self.maze_of(starts)]], 0)
        while len(frontier):
            seen[frontier] = True
            place, carried = self.decode(frontier)
            going = ~self.terminal[place]
            place, carried = place[going], carried[going]
            ahead = [self.arrive(self.end(place, carried, direction), carried) for direction in range(4)]
            reached = np.concatenate(ahead)
            frontier = np.unique(reached[~seen[reached]])
        return np.flatnonzero(seen)


def _setting(mazes: Sequence[Maze], key: str, default: float) -> NDArray[np.float64]:
    given = (maze.setting(key) for maze in mazes)
    return np.array([default if value is None else value for value in given], dtype=np.float64)


def checked_rewards(rewards: Mapping[str, float]) -> dict[str, float]:
    """Return what things earn, as a dict of floats.

    Raises:
        TypeError: it is no mapping.
        ValueError: an unknown name, or a number that is not finite.
    """
    if not isinstance(rewards, Mapping):
        raise TypeError(f"rewards is a dict, such as {{'goal': 1.0}}, not {rewards!r:.80}")
    for name, value in rewards.items():
        if name not in REWARDS:
            raise ValueError(f"unknown reward {name!r}{nearest(name, REWARDS)}")
        if not isinstance(value, int | float | np.number) or not np.isfinite(value):
            raise ValueError(f"the reward {name!r} is a finite number, not {value!r}")
    return {name: float(value) for name, value in rewards.items()}


def _checked_slip(slip: float) -> float:
    if not isinstance(slip, int | float | np.number) or not 0 <= slip <= 1:
        raise ValueError(f"slip is a probability, from 0 to 1, not {slip!r}")
    return float(slip)

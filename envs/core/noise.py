"""Which move is executed when an action is meant, where that is more than a slip to either side.

What an action can turn into are columns of a World's tables: the first ones are the actions themselves, as meant; the
others are what else can happen, such as a step that no action makes or a stronger gust of wind. The distribution of
the executed column, given the action, is of a few kinds; each state has one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import read_only
from ..maps.directions import left_of, right_of
from ..maps.keywords import slips_alone
from ..maps.maze import Maze
from ..maps.moves import FOUR, Moves, turned
from ..maps.noise import WORDS, Spread, simple_fraction
from ..maps.own_tiles import action_earnings, is_random, jump_cells

ICE: Final = 2 / 3
"""the default probability that a move from ice slips sideways"""


@dataclass(frozen=True, eq=False)
class Noise:
    """The distributions of executed moves: N kinds, and the kind of each state."""

    kind: NDArray[np.int64]
    """(S,)"""
    executed: NDArray[np.int64]
    """(N, A, K): a column of the World's tables for each case; case 0 is as meant"""
    probability: NDArray[np.float64]
    """(N, A, K): that of each case"""
    below: NDArray[np.float64]
    """(N, A, K - 1), falling: a uniform number below the first k of these means case k"""

    def __post_init__(self) -> None:
        for name in ("kind", "executed", "probability", "below"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @cached_property
    def cases(self) -> int:
        """The number of cases, K."""
        return int(self.executed.shape[2])

    def of(self, states: NDArray[np.int64]) -> "Noise | None":
        """Return the noise of some states, with the kinds that they have alone; None where all moves are as meant."""
        kinds, kind = np.unique(self.kind[states], return_inverse=True)
        noise = _trimmed(kind.ravel(), self.executed[kinds], self.probability[kinds], self.below[kinds])
        return None if noise.cases == 1 else noise

    def same(self, other: "Noise | None") -> bool:
        """Return whether every state has the same distributions."""
        if other is None or self.executed.shape[1] != other.executed.shape[1] or self.cases != other.cases:
            return False
        if len(self.kind) != len(other.kind):
            return False
        return all(
            np.array_equal(getattr(self, name)[self.kind], getattr(other, name)[other.kind])
            for name in ("executed", "probability", "below")
        )


def _trimmed(
    kind: NDArray[np.int64],
    executed: NDArray[np.int64],
    probability: NDArray[np.float64],
    below: NDArray[np.float64],
) -> Noise:
    """Return a Noise without cases that never happen at the end."""
    used = np.flatnonzero((probability > 0).any(axis=(0, 1)))
    cases = int(used[-1]) + 1 if len(used) else 1
    return Noise(kind, executed[:, :, :cases].copy(), probability[:, :, :cases].copy(), below[:, :, : cases - 1].copy())


def stacked(noises: Sequence[Noise]) -> Noise:
    """Return the noise of worlds that are laid end to end."""
    cases = max(noise.cases for noise in noises)
    before = np.cumsum([0] + [len(noise.executed) for noise in noises])

    def padded(table: NDArray[np.generic], wide: int) -> NDArray[np.generic]:
        return np.pad(table, ((0, 0), (0, 0), (0, wide - table.shape[2])))

    return Noise(
        np.concatenate([noise.kind + shift for noise, shift in zip(noises, before.tolist(), strict=False)]),
        np.concatenate([padded(noise.executed, cases) for noise in noises]).astype(np.int64),
        np.concatenate([padded(noise.probability, cases) for noise in noises]).astype(np.float64),
        np.concatenate([padded(noise.below, cases - 1) for noise in noises]).astype(np.float64),
    )


def as_noise(slip: NDArray[np.float64], actions: int) -> Noise:
    """Return as distributions what a World without `noise` does: actions as meant, or slips of the four directions.

    Args:
        slip: (S,), the probability of a slip, half to either side.
        actions: the number of actions.
    """
    if actions != 4:
        every = np.arange(actions)[None, :, None]
        return Noise(np.zeros(len(slip), dtype=np.int64), every, np.ones(every.shape), np.zeros((1, actions, 0)))
    slips, kind = np.unique(slip, return_inverse=True)
    executed = np.array([[action, left_of(action), right_of(action)] for action in range(4)])
    return Noise(
        kind.ravel(),
        np.repeat(executed[None], len(slips), axis=0),
        np.repeat(np.stack([1 - slips, slips / 2, slips / 2], axis=1)[:, None], 4, axis=1),
        np.repeat(np.stack([slips, slips / 2], axis=1)[:, None], 4, axis=1),
    )


def columns_of(noise: Noise | None, actions: int) -> int:
    """Return the number of columns that are used: the actions, and what else may be executed."""
    return actions if noise is None else max(actions, int(noise.executed.max()) + 1)


def alike(mazes: Sequence[Maze]) -> bool:
    """Return whether the tables of mazes have the same columns, so that they can be compiled at once."""
    keys = ("actions", "corners", "noise", "wind", "slip", "ice", "reward", "jump", "starts")
    special = [maze for maze in mazes if not slips_alone(maze)]
    if not special:
        return True
    settings = {
        (
            tuple(maze.metadata.get(key) for key in keys),
            bool((maze.tiles == ord("~")).any()),
            str(jump_cells(maze)) if "jump" in maze.metadata else "",
        )
        for maze in mazes
    }
    return len(settings) == 1


class Column(NamedTuple):
    """A move that can be executed."""

    row: int
    column: int
    turn: int = 0
    gust: int = 0
    """added to the strength of the wind, where it blows"""
    jump: int = 0
    """which of several cells a jump leads to"""
    meant: int = -1
    """the action that was meant, where that decides what is earned; the first columns are actions anyway"""


class Plan:
    """The columns of the tables of some mazes, and the kinds of distributions over them.

    Args:
        mazes: of the same moves.
        moves: theirs.
        slip: over `slip` in the metadata of each; None leaves it.
    """

    kinds: NDArray[np.int64] | None
    """(mazes, 256, 2): the kind of a maze, the byte of a tile, and whether wind blows; None where moves of the four
    directions slip sideways alone, or nothing is random: `World.slip` says that"""

    def __init__(self, mazes: Sequence[Maze], moves: Moves, slip: float | None) -> None:
        self._moves = moves
        self.columns = [
            Column(row, column, turn % 4) for (row, column), turn in zip(moves.steps, moves.turns, strict=True)
        ]
        self._actions = tuple(self.columns)
        self.kinds = None
        varying = [wind is not None and wind.varies > 0 for wind in (maze.setting("wind") for maze in mazes)]
        plain = not any(varying) and not any(
            "noise" in maze.metadata or is_random(maze) or action_earnings(maze.metadata) for maze in mazes
        )
        if plain and moves == FOUR:
            return
        spreads = [self._spreads(maze, slip) for maze in mazes]
        if plain and not any(chance for spread in spreads for part in spread.values() for _, chance in part):
            return
        self._numbers: dict[Any, int] = {}
        self._rows: list[list[list[tuple[int, Fraction]]]] = []
        self.kinds = np.zeros((len(mazes), 256, 2), dtype=np.int64)
        for number, (maze, spread) in enumerate(zip(mazes, spreads, strict=True)):
            wind = maze.setting("wind")
            for blows in range(2):
                varies = wind.varies if wind is not None and blows else Fraction(0)
                for tile, part in spread.items():
                    where = slice(None) if tile == "" else ord(tile)
                    self.kinds[number, where, blows] = self._kind(maze, part, varies)
            for letter, (cells, weights, _) in jump_cells(maze).items():
                if not cells:
                    continue  # what is wrong with that is said where the letter is drawn
                self.kinds[number, ord(letter)] = self._jump_kind(weights, bool(action_earnings(maze.metadata)))

    def _spreads(self, maze: Maze, slip: float | None) -> dict[str, Spread]:
        """Return the distributions of a maze, by tile; "" is first."""
        given = maze.setting("noise") or {}
        general: Spread
        if slip is not None or "" not in given:
            chance = slip if slip is not None else maze.setting("slip") or 0.0
            general = (("sideways", simple_fraction(float(chance))),)
        else:
            general = given[""]
        ice = maze.setting("ice")
        spreads: dict[str, Spread] = {"": general}
        if (maze.tiles == ord("~")).any():
            spreads["~"] = (("sideways", simple_fraction(float(ICE if ice is None else ice))),)
        return spreads | {tile: spread for tile, spread in given.items() if tile}

    def _kind(self, maze: Maze, spread: Spread, varies: Fraction) -> int:
        key = (spread, varies, bool(action_earnings(maze.metadata)))
        if key not in self._numbers:
            self._numbers[key] = len(self._rows)
            self._rows.append([self._cases(maze, spread, varies, action) for action in range(len(self._actions))])
        return self._numbers[key]

    def _jump_kind(self, weights: Sequence[int], acting: bool) -> int:
        """Return the kind of a cell from which every action leads to one of several others."""
        key = ("jump", tuple(weights), acting)
        if key not in self._numbers:
            chances = [Fraction(weight, sum(weights)) for weight in weights]
            self._numbers[key] = len(self._rows)
            rows = []
            for action in range(len(self._actions)):
                columns = [Column(0, 0, jump=n, meant=action if acting else -1) for n in range(1, len(chances))]
                others = [(self._column(column), p) for column, p in zip(columns, chances[1:], strict=True)]
                rows.append([(action, chances[0]), *others])
            self._rows.append(rows)
        return self._numbers[key]

    def _cases(self, maze: Maze, spread: Spread, varies: Fraction, action: int) -> list[tuple[int, Fraction]]:
        """Return (column, probability) of an action, the one that is meant first."""
        meant = self._actions[action]
        happens: dict[Column, Fraction] = {}
        for what, chance in spread:
            parts = self._parts(maze, what, action)
            for part in parts:
                happens[part] = happens.get(part, Fraction(0)) + chance / len(parts)
        happens.pop(meant, None)
        if sum(happens.values(), Fraction(0)) > 1:
            raise maze.setting_error("noise", "the probabilities of what may happen sum to more than 1")
        cases = {meant: 1 - sum(happens.values(), Fraction(0)), **happens}
        if varies:
            cases = {
                column._replace(gust=gust): chance * share
                for gust, share in ((0, 1 - varies), (1, varies / 2), (-1, varies / 2))
                for column, chance in cases.items()
            }
        if action_earnings(maze.metadata):
            cases = {column if column == meant else column._replace(meant=action): p for column, p in cases.items()}
        return [(self._column(column), chance) for column, chance in cases.items() if chance or column == meant]

    def _parts(self, maze: Maze, what: str, action: int) -> list[Column]:
        """Return the moves that a word stands for, all equally likely."""
        row, column, turn = self._actions[action][:3]
        others = [other for number, other in enumerate(self._actions) if number != action]
        match what:
            case "sideways":
                return [Column(*turned(row, column, quarters), turn) for quarters in (3, 1)]
            case "left_of" | "right_of" | "back":
                quarters = {"left_of": 3, "right_of": 1, "back": 2}[what]
                return [Column(*turned(row, column, quarters), turn)]
            case "stay":
                return [Column(0, 0)]
            case "other":
                return others or [self._actions[action]]
            case "any":
                return [*self._actions]
        if what not in self._moves.names:
            known = ", ".join((*WORDS, *self._moves.names))
            raise maze.setting_error("noise", f"unknown {what!r}; known here: {known}")
        return [self._actions[self._moves.names.index(what)]]

    def _column(self, column: Column) -> int:
        if column not in self.columns:
            self.columns.append(column)
        return self.columns.index(column)

    def noise(self, kind: NDArray[np.int64]) -> Noise | None:
        """Return the Noise of states of these kinds, (S,); None where all moves are as meant."""
        cases = max(len(row) for rows in self._rows for row in rows)
        shape = (len(self._rows), len(self._actions), cases)
        executed, probability, below = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
        for number, rows in enumerate(self._rows):
            for action, row in enumerate(rows):
                for case, (column, chance) in enumerate(row):
                    executed[number, action, case], probability[number, action, case] = column, float(chance)
                    below[number, action, case] = float(sum((c for _, c in row[case:]), Fraction(0)))
        return Noise(kind, executed, probability, below[:, :, 1:]).of(np.arange(len(kind)))

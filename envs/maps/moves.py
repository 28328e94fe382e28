"""Moves: what each action does, a step or a turn; sets of moves by name, and any list of named steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .arguments import is_whole, nearest
from .directions import DIRECTION_NAMES, DOWN, LEFT, OFFSETS, RIGHT, UP

CLOCKWISE: Final = (UP, RIGHT, DOWN, LEFT)
MAX_ACTIONS: Final = 64
MAX_REACH: Final = 16
"""the most rows or columns that one move covers"""

_ARROWS: Final = {
    (-1, 0): "↑", (0, 1): "→", (0, -1): "←", (1, 0): "↓", (-1, 1): "↗", (-1, -1): "↖", (1, 1): "↘", (1, -1): "↙",
    (0, 0): "·",
}  # fmt: skip


def turned(row: int, column: int, quarters: int) -> tuple[int, int]:
    """Return a step after clockwise quarter turns."""
    for _ in range(quarters % 4):
        row, column = column, -row
    return row, column


def quarters_of(heading: int) -> int:
    """Return the clockwise quarter turns from facing up to a heading, a direction."""
    return CLOCKWISE.index(heading)


@dataclass(frozen=True)
class Moves:
    """What each action does: a step of so many rows and columns, a turn, or nothing.

    Where an action turns, the heading is a part of the state, and steps are those of an agent that faces up.
    """

    names: tuple[str, ...]
    steps: tuple[tuple[int, int], ...]
    """of each action: (rows, columns); rows grow downwards"""
    turns: tuple[int, ...]
    """of each action: quarter turns clockwise"""
    cuts: bool = False
    """whether diagonal steps cut corners: they may then pass between cells that cannot be entered"""

    def __len__(self) -> int:
        """Return the number of actions."""
        return len(self.names)

    @cached_property
    def headings(self) -> int:
        """The number of headings that are told apart: 4 where an action turns, else 1."""
        return 4 if any(self.turns) else 1

    @cached_property
    def reach(self) -> int:
        """The most rows or columns that one move covers, at least 1."""
        return max(1, *(abs(part) for step in self.steps for part in step))

    @cached_property
    def seen(self) -> NDArray[np.int64]:
        """(headings, D, 2): the steps that "dots" has a bit for, read-only.

        They are the different steps of the actions, without the one that stays; where an action turns, they lead ahead,
        to the right, to the left and back.
        """
        if self.headings == 1:
            steps = [[step for step in dict.fromkeys(self.steps) if step != (0, 0)] or [(0, 0)]]
        else:
            steps = [
                [turned(row, column, quarters_of(heading)) for row, column in OFFSETS.tolist()] for heading in range(4)
            ]
        array = np.array(steps)
        array.setflags(write=False)
        return array

    @cached_property
    def seen_names(self) -> tuple[str, ...]:
        """The names of `seen`, D: of actions, or where actions turn ahead, right, left and back."""
        if self.headings > 1:
            return ("ahead", "right", "left", "back")
        names = {step: name for name, step in reversed(list(zip(self.names, self.steps, strict=True)))}
        return tuple(names[row, column] for row, column in self.seen[0].tolist())

    @cached_property
    def arrows(self) -> tuple[str, ...]:
        """A sign for each action."""
        signs = []
        for name, step, turn in zip(self.names, self.steps, self.turns, strict=True):
            signs.append({0: _ARROWS.get(step, name[:1]), 1: "↻", 2: "⤸", 3: "↺"}[turn % 4])
        return tuple(signs)

    def numbered(self) -> str:
        """Return the actions in words: "0 (up), 1 (right), 2 (left) or 3 (down)"."""
        *but_last, last = (f"{number} ({name})" for number, name in enumerate(self.names))
        return f"{', '.join(but_last)} or {last}" if but_last else last

    def __str__(self) -> str:
        return self.text() + ", cutting corners" * self.cuts

    def text(self) -> str:
        """Return the moves as a map's `actions` has them."""
        for name, (names, steps, turns) in NAMED.items():
            if (self.names, self.steps, self.turns) == (names, steps, turns):
                return name
        return ", ".join(f"{name} {row} {column}" for name, (row, column) in zip(self.names, self.steps, strict=True))


_FOUR: Final = tuple((int(row), int(column)) for row, column in OFFSETS)
_DIAGONALS: Final = ((-1, 1), (-1, -1), (1, 1), (1, -1))  # the opposite of 4 + i is 7 - i
_DIAGONAL_NAMES: Final = ("up-right", "up-left", "down-right", "down-left")


def _steps(*pairs: tuple[str, tuple[int, int]]) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...], tuple[int, ...]]:
    return tuple(name for name, _ in pairs), tuple(step for _, step in pairs), (0,) * len(pairs)


_ORTHOGONAL: Final = tuple(zip(DIRECTION_NAMES, _FOUR, strict=True))
_KING: Final = (*_ORTHOGONAL, *zip(_DIAGONAL_NAMES, _DIAGONALS, strict=True))
_STAY: Final = ("stay", (0, 0))
# name -> names, steps and turns of the actions
NAMED: Final[Mapping[str, tuple[tuple[str, ...], tuple[tuple[int, int], ...], tuple[int, ...]]]] = MappingProxyType(
    {
        "four": _steps(*_ORTHOGONAL),
        "stay": _steps(*_ORTHOGONAL, _STAY),
        "king": _steps(*_KING),
        "king_stay": _steps(*_KING, _STAY),
        "turns": (("left", "right", "forward"), ((0, 0), (0, 0), (-1, 0)), (3, 1, 0)),
    }
)
"""Sets of moves by name."""
FOUR: Final = Moves(*NAMED["four"])
"""up, right, left, down: what an agent can do where nothing else is said"""


@lru_cache(maxsize=256)
def read_moves(text: str, cuts: bool = False) -> Moves:
    """Return the moves of a map's `actions`: a name of `NAMED`, or named steps such as `up -1 0, leap 0 2`.

    Raises:
        ValueError: something else.
    """
    if text in NAMED:
        return Moves(*NAMED[text], cuts)
    if " " not in text.strip():
        raise ValueError(f"unknown actions {text!r}{nearest(text, NAMED)}")
    pairs = []
    for entry in text.split(","):
        name, row, column = entry.split()
        pairs.append((name, (int(row), int(column))))
    names, steps, turns = _steps(*pairs)
    if len(set(names)) != len(names) or len(names) > MAX_ACTIONS:
        raise ValueError(f"actions are up to {MAX_ACTIONS} different names, each with its step")
    if any(abs(part) > MAX_REACH for step in steps for part in step):
        raise ValueError(f"a move covers up to {MAX_REACH} rows and columns")
    return Moves(names, steps, turns, cuts)


def _is_word(name: str) -> bool:
    return bool(name) and not set(name) & set(" ,;:\t\n\r")


class _Drawn(Protocol):
    metadata: Mapping[str, str]


def moves_of(maze: _Drawn) -> Moves:
    """Return the moves of the agents in a maze."""
    given = maze.metadata
    if "actions" not in given:
        return FOUR
    return read_moves(given["actions"], given.get("corners") == "cut")


def actions_text(actions: Any) -> str:
    """Return the keyword `actions` as a map has it.

    Args:
        actions: a name of `NAMED`, `Moves`, or named steps: a dict or pairs, such as {"leap": (0, 2)}; as text, too.

    Raises:
        ValueError: an unknown name, steps that cannot be read.
        TypeError: something else.
    """
    if isinstance(actions, Moves):
        return actions.text()
    if isinstance(actions, str):
        return read_moves(actions).text()
    pairs = actions.items() if isinstance(actions, Mapping) else actions
    if not isinstance(pairs, Iterable):
        raise TypeError(
            f"actions is a name of {', '.join(NAMED)}, or named steps such as {{'leap': (0, 2)}}, not {actions!r:.80}"
        )
    entries = []
    for pair in pairs:
        if not (isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], str) and _is_word(pair[0])):
            raise ValueError(f"an action is a name and its step, such as ('leap', (0, 2)), not {pair!r:.80}")
        name, step = pair
        if not (isinstance(step, Sequence | np.ndarray) and len(step) == 2 and all(is_whole(part) for part in step)):
            raise ValueError(f"the step of {name!r} is (rows, columns), two integers, not {step!r:.80}")
        entries.append(f"{name} {int(step[0])} {int(step[1])}")
    if not entries:
        raise ValueError("actions is empty; give at least one")
    return read_moves(", ".join(entries)).text()

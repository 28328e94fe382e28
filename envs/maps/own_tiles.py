"""Tiles of a map's own: letters that its header declares, what they mean, and what cells and actions earn."""

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .legend import CODES, LAST_CODE, LEGEND

LETTERS: Final = tuple(letter for letter in map(chr, range(33, 127)) if letter not in LEGEND and letter not in ";:,")
"""the characters that a map can declare"""
KINDS: Final = ("floor", "goal", "trap")
"""what a letter of a map's own can be"""
START: Final = "start"
"""as a place to jump to: where episodes begin"""
FIRST_CODE: Final = 64
OWN_CODES: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        (kind, letter): FIRST_CODE + number * len(LETTERS) + place
        for number, kind in enumerate(KINDS)
        for place, letter in enumerate(LETTERS)
    }
)
"""(kind, letter) -> its code in observations"""
assert LAST_CODE < FIRST_CODE and max(OWN_CODES.values()) < 253 and max(CODES.values()) < FIRST_CODE


class Earning(NamedTuple):
    """What a tile or an action earns."""

    what: str
    """a tile, or the name of an action"""
    number: float
    kind: str
    """`KINDS` for what is earned by entering a tile; "leaving"; "action" """


class Jump(NamedTuple):
    """From cells of a letter every action leads to cells of another."""

    letter: str
    target: str
    """a letter, or `START`; of several cells one is drawn"""
    number: float
    """the reward, besides that of a step"""


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _tile(text: str) -> str:
    if text not in LETTERS and (text not in LEGEND or text in "# "):
        raise ValueError
    return text


@lru_cache(maxsize=256)
def read_reward(text: str) -> tuple[Earning, ...]:
    """Return what a map's `reward` says: `$ 10 goal, m -1, ~ -0.5, q 2 leaving, up -0.1`.

    Raises:
        ValueError: it cannot be read.
    """
    earnings = []
    for entry in text.split(","):
        what, number, *kind = entry.split()
        if len(what) > 1:
            if kind:
                raise ValueError
            earnings.append(Earning(what, _number(number), "action"))
            continue
        tile, sort = _tile(what), " ".join(kind) or "floor"
        if sort not in (*KINDS, "leaving") or (tile in LEGEND and sort in ("goal", "trap")):
            raise ValueError
        earnings.append(Earning(tile, _number(number), sort))
    if len({(earning.what, earning.kind == "leaving") for earning in earnings}) != len(earnings):
        raise ValueError
    return tuple(earnings)


@lru_cache(maxsize=256)
def read_jump(text: str) -> tuple[Jump, ...]:
    """Return what a map's `jump` says: `P p 10, Q q 5, $ start`.

    Raises:
        ValueError: it cannot be read.
    """
    jumps = []
    for entry in text.split(","):
        letter, target, *number = entry.split()
        if letter not in LETTERS or len(number) > 1 or (target != START and _tile(target) in "GX0123456789^><v"):
            raise ValueError
        jumps.append(Jump(letter, target, _number(number[0]) if number else 0.0))
    if len({jump.letter for jump in jumps}) != len(jumps) or {jump.target for jump in jumps} & {
        jump.letter for jump in jumps
    }:
        raise ValueError
    return tuple(jumps)


@lru_cache(maxsize=256)
def read_starts(text: str) -> dict[str, int]:
    """Return the weights of a map's `starts`, by letter: `S 2, h 1`.

    Raises:
        ValueError: it cannot be read.
    """
    weights: dict[str, int] = {}
    for entry in text.split(","):
        letter, number = entry.split()
        if (letter != "S" and letter not in LETTERS) or letter in weights or not 1 <= int(number) <= 1000:
            raise ValueError
        weights[letter] = int(number)
    return weights


def own_kinds(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the letters that a header declares, each with one of `KINDS`.

    Raises:
        ValueError: one of these lines cannot be read, or a letter is of two kinds.
    """
    if not metadata or not metadata.keys() & {"reward", "jump", "starts"}:
        return {}
    return _kinds(metadata.get("reward"), metadata.get("jump"), metadata.get("starts"))


@lru_cache(maxsize=256)
def _kinds(reward: str | None, jump: str | None, starts: str | None) -> dict[str, str]:
    found: list[tuple[str, str]] = []
    if reward is not None:
        found += [(earning.what, earning.kind) for earning in read_reward(reward) if len(earning.what) == 1]
    if jump is not None:
        for one in read_jump(jump):
            found += [(one.letter, "floor"), *([(one.target, "floor")] if len(one.target) == 1 else [])]
    if starts is not None:
        found += [(letter, "floor") for letter in read_starts(starts)]
    kinds: dict[str, str] = {}
    for letter, kind in found:
        if letter in LEGEND:
            continue
        if kind == "leaving":
            kinds.setdefault(letter, "floor")
        elif kinds.get(letter, kind) != kind and (letter, "leaving") not in found:
            raise ValueError(f"{letter!r} is declared as {kinds[letter]} and as {kind}")
        else:
            kinds[letter] = kind
    return kinds


def start_weights(metadata: Mapping[str, str]) -> dict[str, int]:
    """Return the weight of each letter where episodes begin."""
    return {"S": 1} | (read_starts(metadata["starts"]) if "starts" in metadata else {})


def earnings_of(metadata: Mapping[str, Any]) -> tuple[Earning, ...]:
    """Return what a header's `reward` says, empty without one."""
    return read_reward(metadata["reward"]) if "reward" in metadata else ()


def jumps_of(metadata: Mapping[str, Any]) -> tuple[Jump, ...]:
    """Return what a header's `jump` says, empty without one."""
    return read_jump(metadata["jump"]) if "jump" in metadata else ()


REWARD: Final = (
    "numbers for tiles or actions, such as: $ 10 goal, m -1, q 2 leaving, up -0.1; a tile is floor, or `goal` or `trap`"
)
JUMP: Final = "letters, where they lead and a number, such as: P p 10, Q q 5, $ start"
STARTS: Final = "letters and whole numbers from 1 to 1000, such as: S 2, h 1"


class _Drawn(Protocol):
    tiles: NDArray[np.uint8]
    metadata: Mapping[str, str]


def start_cells(maze: _Drawn) -> list[int]:
    """Return the cells where episodes begin, in reading order, each as often as its weight says."""
    weights = start_weights(maze.metadata)
    cells = [np.repeat(np.flatnonzero(maze.tiles == ord(letter)), weight) for letter, weight in weights.items()]
    return sorted(np.concatenate(cells).tolist())


def jump_cells(maze: _Drawn) -> dict[str, tuple[list[int], list[int], float]]:
    """Return for each letter that agents jump from the cells that they jump to, the weights of these and the reward."""
    found = {}
    for jump in jumps_of(maze.metadata):
        drawn = jump.target != START
        cells = np.flatnonzero(maze.tiles == ord(jump.target)).tolist() if drawn else start_cells(maze)
        distinct = list(dict.fromkeys(cells))
        found[jump.letter] = distinct, [cells.count(cell) for cell in distinct], jump.number
    return found


def as_shown(maze: _Drawn, tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return tiles with goals and traps of the map's own as `G` and `X`, for pictures."""
    kinds = own_kinds(maze.metadata)
    if not set(kinds.values()) & {"goal", "trap"}:
        return tiles
    shown = tiles.copy()
    for letter, kind in kinds.items():
        if kind != "floor":
            shown[maze.tiles == ord(letter)] = ord("G" if kind == "goal" else "X")
    return shown


def is_random(maze: _Drawn) -> bool:
    """Return whether a jump leads to one of several cells."""
    return "jump" in maze.metadata and any(
        len(cells) > 1 and (maze.tiles == ord(letter)).any() for letter, (cells, _, _) in jump_cells(maze).items()
    )


def action_earnings(metadata: Mapping[str, str]) -> dict[str, float]:
    """Return what actions earn, by name."""
    return {earning.what: earning.number for earning in earnings_of(metadata) if earning.kind == "action"}

"""Noise and wind as maps and keywords say them: what may happen in place of the move that was meant.

A distribution is a list of (what happens, probability); with the rest of the probability the move is as meant. What
happens is a word of `WORDS`, relative to the move that was meant, or the name of an action.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .arguments import is_whole
from .directions import DIRECTION_NAMES, DOWN, UP
from .legend import LEGEND

WORDS: Final[Mapping[str, str]] = {
    "sideways": "the step turned to the left or to the right, half of the probability each",
    "left_of": "the step turned to the left",
    "right_of": "the step turned to the right",
    "back": "the opposite step",
    "stay": "nothing: the agent stays where it is",
    "other": "one of the other actions, all equally likely",
    "any": "one of all actions, also the one that was meant",
}
"""What may happen in place of a move."""
Spread: TypeAlias = tuple[tuple[str, Fraction], ...]


def simple_fraction(number: float) -> Fraction:
    """Return the simplest fraction that rounds to a float, for denominators up to a million; else its exact value.

    So 0.99 is 99/100, and 2/3, rounded to a float, is 2/3 again.
    """
    simple = Fraction(number).limit_denominator(10**6)
    return simple if float(simple) == number else Fraction(number)


def _chance(text: str) -> Fraction:
    chance = Fraction(text) if "/" in text else float(text)
    if not 0 <= chance <= 1:  # before it is made a float, or a fraction of a million digits
        raise ValueError
    return simple_fraction(float(chance))


def read_noise(text: str) -> dict[str, Spread]:
    """Return the distributions of a map's `noise`: by tile, and for all other tiles by "".

    `other 1/3` is for all tiles; `left_of 0.1, right_of 0.2; ~ stay 1/2` has another one for the tile `~`.

    Raises:
        ValueError: something else.
    """
    spreads: dict[str, Spread] = {}
    for clause in text.split(";"):
        tile, entries = "", []
        for number, entry in enumerate(clause.split(",")):
            words = entry.split()
            if number == 0 and len(words) == 3:
                tile, *words = words
                if tile not in LEGEND or tile == "#":
                    raise ValueError
            what, chance = words
            entries.append((what, _chance(chance)))
        if tile in spreads or sum(chance for _, chance in entries) > 1:
            raise ValueError
        spreads[tile] = tuple(entries)
    return spreads


def noise_text(noise: Any) -> str:
    """Return the keyword `noise` as a map has it.

    Args:
        noise: as text; or a dict from words of `WORDS` and names of actions to probabilities, such as {"other": 1/3},
            and from tiles to such dicts.

    Raises:
        ValueError: something else; the text says what.
        TypeError: neither a text nor a dict.
    """
    if isinstance(noise, Mapping):
        general = {what: chance for what, chance in noise.items() if not isinstance(chance, Mapping)}
        clauses = [_clause("", general)] if general else []
        clauses += [_clause(f"{tile} ", spread) for tile, spread in noise.items() if isinstance(spread, Mapping)]
        noise = "; ".join(clauses)
    if not isinstance(noise, str):
        raise TypeError(f"noise is a dict such as {{'other': 1/3}}, or a text, not {noise!r:.80}")
    try:
        read_noise(noise)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"noise is {NOISE}; not {noise!r:.80}") from None
    return " ".join(noise.split())


def _clause(tile: str, spread: Mapping[Any, Any]) -> str:
    for what, chance in spread.items():
        if not isinstance(chance, int | float | np.integer | np.floating) or not 0 <= chance <= 1:
            raise ValueError(f"noise has a probability for {what!r}, from 0 to 1, not {chance!r:.80}")
    return tile + ", ".join(f"{what} {float(chance)!r}" for what, chance in spread.items())


class _Drawn(Protocol):
    tiles: NDArray[np.uint8]

    def setting(self, key: str) -> Any: ...


class Wind(NamedTuple):
    """A wind that moves agents on, by the column that a move begins in, or by the row if it blows to a side."""

    direction: int
    strengths: tuple[int, ...]
    varies: Fraction
    """the probability that it is one stronger or one weaker, half each, where it blows at all"""


def read_wind(text: str) -> Wind:
    """Return the wind of a map's `wind`.

    `0 1 2` blows up, by columns; `left 0 1 2` by rows; `0 1 2 varies` is one more or one less with a third each, and
    `varies 1/2` with a quarter each.

    Raises:
        ValueError: something else.
    """
    words = text.split()
    direction = DIRECTION_NAMES.index(words.pop(0)) if words and words[0] in DIRECTION_NAMES else 0
    varies = Fraction(0)
    if "varies" in words:
        at = words.index("varies")
        varies = _chance(words[at + 1]) if words[at + 1 :] else Fraction(2, 3)
        if len(words) > at + 2:
            raise ValueError
        words = words[:at]
    strengths = tuple(int(word) for word in words)
    if not strengths or min(strengths) < 0:
        raise ValueError
    return Wind(direction, strengths, varies)


def wind_text(wind: Any) -> str:
    """Return the keyword `wind` as a map has it.

    Args:
        wind: a number of cells for each column, such as [0, 1, 2]; or as text, see `read_wind`.

    Raises:
        ValueError: something else.
    """
    if isinstance(wind, Sequence | np.ndarray) and not isinstance(wind, str):
        if not all(is_whole(strength) for strength in wind):
            raise ValueError(f"wind has a whole number of cells for each column, not {wind!r:.80}")
        wind = " ".join(str(int(strength)) for strength in wind)
    try:
        if not isinstance(wind, str):
            raise ValueError
        read_wind(wind)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"wind is {WIND}; not {wind!r:.80}") from None
    return " ".join(wind.split())


def gusts(maze: _Drawn) -> NDArray[np.int64]:
    """Return the strength of the wind on each cell, (height, width); 0 where its numbers do not fit the maze."""
    strengths, wind = np.zeros(maze.tiles.shape, dtype=np.int64), maze.setting("wind")
    if wind is not None:
        lines = np.array(wind.strengths)
        along = lines if wind.direction in (UP, DOWN) else lines[:, None]
        if len(lines) == strengths.shape[1 if along.ndim == 1 else 0]:
            strengths[:] = along
    return strengths


def slippery(maze: _Drawn, slip: float | None = None) -> NDArray[np.bool_]:
    """Return on which cells a move may not be executed as meant, (height, width); ice and wind apart.

    Args:
        maze: the maze.
        slip: over that of its metadata; None leaves it.
    """
    noise = maze.setting("noise") or {}
    everywhere = noise.get("", ()) if slip is None else ()
    chance = sum(chance for _, chance in everywhere) or slip or (maze.setting("slip") if slip is None else 0)
    marks = np.full(maze.tiles.shape, bool(chance))
    for tile, spread in noise.items():
        if tile:
            marks[maze.tiles == ord(tile)] = any(chance for _, chance in spread)
    marks[maze.tiles == ord("~")] = False
    return marks


def floor_signs(maze: _Drawn, slip: float | None = None) -> NDArray[np.int64]:
    """Return what pictures show on the floor, (height, width): the sign of the wind, and `SLIPS` more for slips.

    The sign is 0 without wind, else its strength, 1 to 3, and 3 times its direction. `slip` is that of `slippery`.
    """
    wind, strength = maze.setting("wind"), np.minimum(gusts(maze), 3)
    if wind is not None:
        strength += np.where(strength > 0, 3 * wind.direction, 0)
    return strength + SLIPS * slippery(maze, slip)


SLIPS: Final = 13
NOISE: Final = f"probabilities for {', '.join(WORDS)} or actions, such as: left_of 0.1, right_of 0.2; ~ stay 1/2"
WIND: Final = "a whole number of cells for each column, such as: 0 0 1 2 1; or of each row: left 0 1 0; varies 2/3"

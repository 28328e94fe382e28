"""Keys that mean actions: the arrows and w, d, a, s."""

from typing import Final

from .maps.directions import DIRECTION_NAMES, DOWN, LEFT, RIGHT, UP
from .maps.moves import Moves

# as pygame and SDL number them
_ARROWS: Final = {1073741906: UP, 1073741903: RIGHT, 1073741904: LEFT, 1073741905: DOWN}
_LETTERS: Final = {ord(letter): way for letter, way in zip("wdas", (UP, RIGHT, LEFT, DOWN), strict=True)}


def keys_to_action(moves: Moves) -> dict[tuple[int, ...], int]:
    """Return the actions that keys mean, by their numbers; other actions have no keys."""
    keys = {key: action_of(moves, DIRECTION_NAMES[way]) for key, way in {**_ARROWS, **_LETTERS}.items()}
    return {(key,): action for key, action in keys.items() if action is not None}


def action_of(moves: Moves, name: str) -> int | None:
    """Return the action of a name, None if there is none; for an agent that turns, "up" is "forward"."""
    if name == "up" and name not in moves.names:
        name = "forward"
    return moves.names.index(name) if name in moves.names else None

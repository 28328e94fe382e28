"""Layouts of Berkeley's CS188: % wall, blank floor, P Pac-Man; the dot that a search project looks for is the goal."""

from typing import Final

from .letters import letters_format

# a capsule is an item
BERKELEY: Final = letters_format(
    "layouts of Berkeley's CS188, of the search projects: % wall, P start, the dot is the goal, o an item",
    ".lay",
    tiles={"%": "#", " ": ".", "P": "S", ".": "G", "o": "*"},
    refused=dict.fromkeys("G1234", "a ghost, which moves, and tiles do not"),
)

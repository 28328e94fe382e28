"""Print on any terminal: a character that its encoding lacks is replaced by an ASCII one."""

import codecs
import sys
from typing import Final

_ASCII: Final = {
    "█": "#", "●": ".", "○": "@", "↑": "^", "→": ">", "←": "<", "↓": "v", "·": "-", "−": "-", "×": "x", "…": "...",
    "░": ".", "≤": "<=", "≥": ">=", "²": "^2",
}  # fmt: skip


def replace_missing_characters() -> None:
    """Let stdout and stderr print any text: walls as #, the agent as @, arrows as ^ > < v where Unicode is missing."""
    codecs.register_error("mazegrad", _replacement)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="mazegrad")


def _replacement(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_ASCII.get(character, "?") for character in error.object[error.start : error.end]), error.end

"""Colour on a terminal: verdicts, errors, headings, and the walls and ways of printed mazes; plain text elsewhere."""

import os
import re
from typing import Final, TextIO

_CODES: Final = {
    "good": "32", "bad": "1;31", "doubt": "33", "strong": "1", "pale": "90", "way": "1;36", "agent": "1;35",
}  # fmt: skip
_TILES: Final = {"pale": "#█", "good": "G", "bad": "X", "way": "↑→←↓", "agent": "○"}
_RUNS: Final = re.compile("|".join(f"(?P<{style}>[{tiles}]+)" for style, tiles in _TILES.items()))
_SETTING: Final = re.compile(r"^\w+: ")


def coloured(stream: TextIO | None) -> bool:
    """Return whether a stream shows colours: a terminal, unless `NO_COLOR` is set (no-color.org) or `TERM` is dumb."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream is not None and stream.isatty()


def paint(text: str, style: str, stream: TextIO | None) -> str:
    """Return a text as the stream shows it, in a style where it shows colours.

    Args:
        text: the words; not empty.
        style: "good", "bad", "doubt", "strong", "pale", "way" or "agent".
        stream: where it is printed: `sys.stdout` or `sys.stderr`.
    """
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if coloured(stream) else text


def paint_maze(drawing: str, stream: TextIO | None) -> str:
    """Return the drawing of a maze with pale walls, and with its way, its agent and its ends in colour.

    Lines `key: value` above the drawing stay as they are.
    """
    if not coloured(stream):
        return drawing
    return "\n".join(line if _SETTING.match(line) else _RUNS.sub(_painted, line) for line in drawing.split("\n"))


def _painted(found: re.Match[str]) -> str:
    return f"\x1b[{_CODES[str(found.lastgroup)]}m{found[0]}\x1b[0m"

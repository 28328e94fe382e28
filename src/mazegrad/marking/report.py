"""What marking one submission gives: its checks, each with points and a sentence, or why it could not be read."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..agents import Counterexample
from ..envs.maps.directions import ARROWS


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str
    """one sentence: what was found and, where it fails, what was expected"""
    step: int | None = None
    """the first wrong step, counted from 1 (exercise 38)"""
    example: Counterexample | None = None
    worth: int = 1
    """points, if it is ok"""

    @property
    def points(self) -> int:
        """Points that were earned."""
        return self.worth if self.ok else 0

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON values."""
        found: dict[str, Any] = {
            "name": self.name, "ok": self.ok, "detail": self.detail, "step": self.step, "points": self.points,
            "of": self.worth,
        }  # fmt: skip
        if (example := self.example) is not None:
            found["counterexample"] = {
                "moves": "".join(ARROWS[move] for move in example.moves),
                "went": ARROWS[example.went],
                "start": example.start,
                "lead": example.lead,
                "shortest": example.shortest,
                "maze": example.maze.to_text(),
            }
        return found


@dataclass(frozen=True)
class Report:
    """The results of one submission."""

    file: Path
    checks: list[Check] = field(default_factory=list)
    error: str = ""
    """why the file could not be read"""
    exercise: int | None = None
    note: str = ""
    """how the program ended, if not by itself"""

    @property
    def ok(self) -> bool:
        """Whether the file was read and every check passed."""
        return not self.error and all(check.ok for check in self.checks)

    @property
    def points(self) -> int:
        """The sum over all checks."""
        return sum(check.points for check in self.checks)

    @property
    def worth(self) -> int:
        """The points that could be earned; 0 where the file could not be read."""
        return sum(check.worth for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        found: dict[str, Any] = {"file": str(self.file), "ok": self.ok, "exercise": self.exercise}
        if self.error:
            return {**found, "error": self.error}
        points = {"points": self.points, "of": self.worth, "note": self.note}
        return {**found, **points, "checks": [check.to_dict() for check in self.checks]}

"""Keywords that say how agents move: they take the place of what a maze's metadata says, so that a maze says it all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from .levels import Levels
from .maze import Maze
from .moves import FOUR, actions_text, moves_of
from .noise import noise_text, wind_text
from .own_tiles import action_earnings, is_random

CORNERS: Final = ("keep", "cut")


def physics(*, actions: Any = None, corners: Any = None, noise: Any = None, wind: Any = None) -> dict[str, str]:
    """Return the metadata that keywords stand for; None is not given.

    Args:
        actions: what agents can do; see `actions_text`.
        corners: "keep" or "cut": whether diagonal steps may cut corners.
        noise: what may happen in place of a move; see `noise_text`.
        wind: see `wind_text`.

    Raises:
        ValueError, TypeError: one of them cannot be read.
    """
    settings = {}
    if actions is not None:
        settings["actions"] = actions_text(actions)
        if getattr(actions, "cuts", False):
            settings["corners"] = "cut"
    if corners is not None:
        if corners not in CORNERS:
            raise ValueError(f"corners is 'keep' or 'cut', not {corners!r:.80}")
        settings["corners"] = corners
    if noise is not None:
        settings["noise"] = noise_text(noise)
    if wind is not None:
        settings["wind"] = wind_text(wind)
    return settings


def slips_alone(maze: Maze) -> bool:
    """Return whether moves in a maze are the four directions, and nothing is random but slips to either side."""
    if not maze.metadata:
        return True
    wind = maze.setting("wind")
    return (
        moves_of(maze) == FOUR
        and "noise" not in maze.metadata
        and (wind is None or not wind.varies)
        and not is_random(maze)
        and not action_earnings(maze.metadata)
    )


def dressed(maze: Maze, settings: Mapping[str, str], slip: float | None = None) -> Maze:
    """Return a maze with what keywords say in its metadata.

    Args:
        maze: the maze.
        settings: as `physics` returns them; "actions: four" takes other actions away.
        slip: the probability of a slip to either side, over the maze's `noise` except that of single tiles; written
            where slips are only a part of what is random.
    """
    if settings:
        wanted: dict[str, str | None] = dict(settings)
        if settings.get("actions") == "four":
            wanted["actions"] = None
        if settings.get("corners") == "keep":
            wanted["corners"] = None
        maze = maze.with_settings(wanted)
    if slip is not None and not slips_alone(maze):
        clauses = maze.metadata.get("noise", "").split(";")
        of_tiles = [clause.strip() for clause in clauses if len(clause.split(",")[0].split()) == 3]
        maze = maze.with_settings({"slip": repr(float(slip)), "noise": "; ".join(of_tiles) or None})
    return maze


def dressed_levels(levels: Levels, settings: Mapping[str, str], slip: float | None = None) -> Levels:
    """Return levels whose mazes are all `dressed`."""
    if not settings and (slip is None or levels.batch is not None):
        return levels
    return replace(levels, make=partial(_make, levels.make, dict(settings), slip), batch=None)


def _make(make: Any, settings: Mapping[str, str], slip: float | None, key: int) -> Maze:
    return dressed(make(key), settings, slip)


def dressed_all(mazes: Sequence[Maze], settings: Mapping[str, str], slip: float | None = None) -> list[Maze]:
    """Return mazes, all `dressed`; equal ones stay one."""
    known: dict[int, Maze] = {}
    return [known.setdefault(id(maze), dressed(maze, settings, slip)) for maze in mazes]

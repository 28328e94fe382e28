"""Who plays against whom: the names of agents, whose goals are whose, and what a pursuer's touch does."""

from typing import Any, Final

import numpy as np

from .engines.collisions import meetings
from .maps.arguments import nearest, whole
from .maps.maze import Maze

GOALS: Final = ("shared", "own")
"""whose goals are whose: every goal is everybody's; or the i-th goal, in reading order, is the i-th agent's"""


class Teams:
    """The agents of a lane: the first are pursuers, the others evaders; without pursuers all are one team.

    Args:
        agents, pursuers, goals, tag: see `ParallelMazes`.

    Raises:
        ValueError: an unknown name, no agent, pursuers without an evader, a tag that is not a finite number.
        TypeError: a number that is not an integer.
    """

    def __init__(self, agents: int, pursuers: int, goals: str, tag: float) -> None:
        if not isinstance(goals, str) or goals not in GOALS:
            raise ValueError(f"unknown goals {goals!r}{nearest(goals, GOALS)}")
        self.agents, self.pursuers = whole("agents", agents, 1), whole("pursuers", pursuers, 0)
        if self.pursuers >= self.agents and self.pursuers:
            raise ValueError(f"pursuers are at most {self.agents - 1} of {self.agents} agents, not {pursuers}")
        if not isinstance(tag, int | float) or not np.isfinite(tag):
            raise ValueError(f"tag must be a finite number, not {tag!r}")
        self._goals, self._tag = goals, float(tag)
        self.of = (np.arange(self.agents) >= self.pursuers).astype(np.int64)
        """(agents,): the team of each"""
        self.have_variants = bool(self.pursuers) or (goals == "own" and self.agents > 1)
        """whether agents of a lane do not all have the same goals"""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the agents of a lane."""
        if not self.pursuers:
            return tuple(f"agent_{number}" for number in range(self.agents))
        evaders = self.agents - self.pursuers
        return tuple([f"pursuer_{n}" for n in range(self.pursuers)] + [f"evader_{n}" for n in range(evaders)])

    def variant(self, maze: Maze, agent: int) -> Maze:
        """Return a maze with the goals of one agent alone; the others are floor.

        Raises:
            ValueError: there are too few goals.
        """
        number, evaders = agent - self.pursuers, self.agents - self.pursuers
        goals = np.flatnonzero(maze.tiles == ord("G"))
        if self._goals == "own" and len(goals) < evaders:
            raise ValueError(f'goals="own" needs a G for each of {evaders} agents, the maze has {len(goals)}')
        keep = goals[:0] if number < 0 else goals if self._goals == "shared" else goals[[number]]
        tiles = maze.tiles.copy()
        tiles.ravel()[np.setdiff1d(goals, keep)] = ord(".")
        return Maze(tiles, maze.metadata)

    def tag_evaders(self, before: Any, after: Any, live: Any, rewards: Any, ends: Any) -> None:
        """Let evaders that pursuers meet lose, and pursuers end when no evader is left; rewards and ends in place.

        Args:
            before, after: (lanes, agents), cells before a move and after it.
            live, rewards, ends: (lanes, agents).
        """
        met = meetings(before, after, live & ~ends, self.of)
        met[:, self.pursuers :, self.pursuers :] = False
        rewards += self._tag * np.where(np.arange(self.agents) < self.pursuers, met.sum(axis=2), 0)
        tagged = met.any(axis=2) & (np.arange(self.agents) >= self.pursuers)
        rewards -= self._tag * tagged
        ends |= tagged
        none_left = ~(live & ~ends)[:, self.pursuers :].any(axis=1)
        ends[:, : self.pursuers] |= none_left[:, None] & live[:, : self.pursuers]

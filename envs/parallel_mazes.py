"""The mazes that lanes of several agents are in: drawn or given, in variants for each agent, with limits and bumps."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .clock import Clock
from .core.compile import checked_rewards
from .engines.choice import restacked
from .engines.engine import Engine, Lanes, TakesBack, accept
from .maps.legend import REWARDS
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import Streams
from .options import found_mazes
from .parallel_teams import Teams
from .planning.hitting import explorer_limits, size_limit
from .settings import Settings


class SharedMazes:
    """One maze for each lane, in which all its agents are: the engine's lanes are the agents, lane by lane.

    Args:
        settings: of the environment.
        teams: the agents of a lane.
        maze: for all lanes; or `Levels`, of which each reset of a lane draws one.
        clock: of the lanes.

    Raises:
        ValueError: a maze with too few goals; agents that turn and are not alone.
        TypeError: an engine whose lanes cannot be put back.
    """

    engine: TakesBack
    bump: NDArray[np.float64]
    """(lanes * agents,): what staying earns"""

    def __init__(self, settings: Settings, teams: Teams, maze: Maze | str | Path | Levels, clock: Clock) -> None:
        self._settings, self._teams, self._clock = settings, teams, clock
        self._lanes, self._count, setup = len(clock.key), teams.agents, settings.setup
        levels = setup.dressed_levels(maze if isinstance(maze, Levels) else None)
        if levels is None:
            assert not isinstance(maze, Levels)
            mazes = setup.dressed(found_mazes(maze, self._lanes, settings.format)[:1])
        else:
            mazes = [levels.make(levels.draw(0))]
        self.sight = sight = setup.declared(mazes, levels)
        if self._count > 1 and sight.moves.headings > 1:
            raise ValueError(f"agents that turn ({sight.moves}) are alone in their maze; give actions that are steps")
        setup.checked(mazes, sight)
        pinned: list[Maze] | None = None
        if levels is not None and levels.pinned:
            pinned = [levels.make(levels.draw(0, lane)) for lane in range(self._lanes)]
            mazes = [one for one in pinned for _ in range(self._count)]
        self._levels = None if pinned else levels
        if teams.have_variants:
            teams.variant(mazes[0], self._count - 1)  # refused here, not in a reset
        self.size: tuple[int, int] = mazes[0].tiles.shape
        # variants of a maze without some goals need not pass the check of the whole one
        self.inner = replace(setup, check=accept) if teams.have_variants else setup
        count = self._lanes * self._count
        made = replace(settings, setup=self.inner).engine(self.inner, sight, count, mazes, self._levels)
        self.engine = _taking_back(made)
        if levels is None:
            settings.question(setup.compile(mazes), {})
        self._given = np.full(self._lanes, self._levels is None)
        self._base: list[Maze | None] = [mazes[lane * self._count % len(mazes)] for lane in range(self._lanes)]
        self._limits: dict[Maze, int] = {}
        self.bump = np.zeros(count)
        if teams.have_variants and self._levels is None:
            self._vary(np.arange(self._lanes), pinned or [mazes[0]] * self._lanes)

    def of(self, lane: int) -> Maze:
        """Return the maze of a lane, with all goals."""
        found = self._base[lane]
        if found is None:
            number = int(self.engine.places(np.array([lane * self._count])).maze[0])
            found = self._base[lane] = self.engine.scene.maze(number)
        return found

    def agents_of(self, lanes: Lanes) -> Lanes:
        """Return the numbers of the engine's lanes, one for each agent of these lanes."""
        return (lanes[:, None] * self._count + np.arange(self._count)).ravel()

    def give(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put lanes into mazes, in which they stay."""
        for lane, maze in zip(lanes.tolist(), mazes, strict=True):
            self._base[lane], self._given[lane] = maze, True
        if self._teams.have_variants:
            self._vary(lanes, mazes)
        else:
            self._enter(self.agents_of(lanes), [maze for maze in mazes for _ in range(self._count)])

    def draw(self, lanes: Lanes) -> None:
        """Draw the mazes of the episodes that the clock has for lanes, but for those that were given one."""
        lanes = lanes[~self._given[lanes]]
        if self._levels is None or not len(lanes):
            return
        streams = self._level_streams(lanes)
        repeated = Streams(np.repeat(streams.key, self._count), np.repeat(streams.episode, self._count))
        self.engine.draw(self.agents_of(lanes), repeated)
        for lane in lanes.tolist():
            self._base[lane] = None
        if self._teams.have_variants:
            self._vary(lanes, [self.of(lane) for lane in lanes.tolist()])

    def level(self, agents: Lanes) -> NDArray[np.int64]:
        """Return the "level" of `info` for each agent: a seed or a key, -1 for a maze that was given."""
        lanes = agents // self._count
        if self._levels is None:
            return np.full(len(agents), -1)
        level = self._levels.named(self._level_streams(lanes).bits(0), lanes)
        return np.where(self._given[lanes], -1, level)

    def limits(self, lanes: Lanes) -> NDArray[np.int64]:
        """Return what "auto" means in the mazes of lanes: the same as for one agent."""
        if self._levels is not None and self._levels.batch is not None:
            first = self.engine.places(lanes * self._count).maze
            limits: NDArray[np.int64] = size_limit(self.engine.scene.open_tiles[first])
            return limits
        found = []
        for lane in lanes.tolist():
            maze = self.of(lane)
            if maze not in self._limits:
                self._limits[maze] = int(explorer_limits(self._settings.setup.compile([maze]))[0])
            found.append(self._limits[maze])
        return np.array(found, dtype=np.int64)

    def learn_bumps(self, lanes: Lanes) -> None:
        """Note what staying earns in the mazes of lanes."""
        own = checked_rewards(self._settings.setup.rewards).get("step")
        plain = self._levels is not None and self._levels.batch is not None
        for lane in lanes.tolist():
            step = own
            if step is None:
                step = REWARDS["step"]
                if not plain or self._given[lane]:
                    step = (self.of(lane).setting("rewards") or {}).get("step", step)
            self.bump[lane * self._count : (lane + 1) * self._count] = step

    def _vary(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put the agents of lanes into their variants of these mazes."""
        made: dict[Maze, list[Maze]] = {}
        entered = []
        for maze in mazes:
            if maze not in made:
                made[maze] = [self._teams.variant(maze, agent) for agent in range(self._count)]
            entered += made[maze]
        self._enter(self.agents_of(lanes), entered)

    def _enter(self, agents: Lanes, mazes: Sequence[Maze]) -> None:
        if self.engine.accepts(mazes):
            self.engine.enter(agents, mazes)
            return
        every = self._lanes * self._count
        self.engine = _taking_back(restacked(self.engine, self.inner, self.sight, every, agents, mazes, self._levels))

    def _level_streams(self, lanes: Lanes) -> Streams:
        assert self._levels is not None
        return Streams(self._clock.key[lanes], self._levels.drawing(self._clock.episode[lanes]))


def _taking_back(engine: Engine) -> TakesBack:
    """Return an engine whose lanes can be put back.

    Raises:
        TypeError: they cannot.
    """
    if not isinstance(engine, TakesBack):
        raise TypeError(f"several agents need an engine with here and take_back, not {type(engine).__name__}")
    return engine

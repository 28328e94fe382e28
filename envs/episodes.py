"""The episodes of many lanes: an engine with a clock, the levels that lanes draw, and their trails."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clock import Clock
from .core.places import Places
from .engines.choice import restacked
from .engines.engine import Engine, Lanes
from .maps.changes import Changes
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import MAZE, Streams, bits, stream
from .observations import Sight
from .pictures.trails import Trails
from .planning.hitting import explorer_limits, size_limit
from .saved import SavedState, columns_of
from .settings import Settings


class Episodes:
    """What the lanes of a vector environment do between reset and end, whoever asks.

    Args:
        settings: the environment's.
        sight: what is declared to be observed.
        lanes: the number of lanes.
        mazes: one for all lanes, or one for each; with levels, one of these.
        levels: where each new episode's maze comes from; None: lanes keep their mazes.
        longest: a further limit on steps.
        trails: whether what agents cross is kept, to be drawn.
        changes: of the mazes that lanes keep.
    """

    engine: Engine
    clock: Clock
    trails: Trails | None
    ended: Lanes | None
    """lanes whose episode is over and that were not reset yet"""

    def __init__(
        self,
        settings: Settings,
        sight: Sight,
        lanes: int,
        mazes: Sequence[Maze],
        levels: Levels | None,
        longest: int | None,
        trails: bool,
        changes: Changes | None = None,
    ) -> None:
        self._settings, self._sight, self._levels, self._longest = settings, sight, levels, longest
        self._changes, self._first = changes, [mazes[lane % len(mazes)] for lane in range(lanes)]
        self._stage = np.zeros(lanes, dtype=np.int64)  # how many changes there were in each lane; -1: not known
        # lanes whose maze neither the levels nor the changes decide
        self._given = np.full(lanes, levels is None and changes is None)
        self.lanes, self.every = lanes, np.arange(lanes)
        self.engine, self.clock = settings.engine(settings.setup, sight, lanes, mazes, levels), Clock(lanes)
        self.trails = Trails(lanes) if trails else None
        # of mazes: the value of `scene.written` that their limit holds for, and the limit
        self._explored, self._explored_scene = np.zeros((0, 2), dtype=np.int64), self.engine.scene
        self.ended = None
        self.is_reset = False

    def maze_of(self, lane: int) -> Maze:
        """Return the maze that a lane is in."""
        return self.engine.scene.maze(int(self.engine.places(self.every[[lane]]).maze[0]))

    def maze_for(self, lane: int, key: int, episode: int) -> Maze:
        """Return the maze of a lane's next episode, which has this key and number."""
        if self._given[lane]:
            return self.maze_of(lane)
        if self._changes is not None:
            made = int(self.clock.earlier[lane] + self.clock.steps()[lane]) if episode else 0
            return self._changes.maze(made, self._first[lane])
        if self._levels is None:
            return self.maze_of(lane)
        drawn = int(bits(stream(key, self._levels.drawing(episode)), MAZE))
        return self._levels.make(self._levels.draw(drawn, lane))

    @property
    def repeat(self) -> int | None:
        """How many episodes a lane stays in a level; None where it draws none."""
        return None if self._levels is None else self._levels.repeat

    def level(self, lanes: Lanes) -> NDArray[np.int64]:
        """Return the "level" of `info`: seeds, keys or numbers of changes, -1 for mazes that were given; (n,)."""
        level = np.full(len(lanes), -1)
        if self._levels is not None:
            level = self._levels.named(self._level_streams(self.clock.streams(lanes)).bits(MAZE), lanes)
        elif self._changes is not None:
            level = np.array([self._changes.stage(steps) for steps in self.clock.earlier[lanes].tolist()])
        return np.where(self._given[lanes], -1, level)

    def _level_streams(self, streams: Streams) -> Streams:
        """Return the streams from which the levels of these episodes are drawn."""
        if self._levels is None or self._levels.repeat == 1:
            return streams
        return Streams(streams.key, self._levels.drawing(streams.episode))

    def enter(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put lanes into given mazes, which they keep."""
        self._put_into(lanes, mazes)
        self._given[lanes] = True

    def _put_into(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put lanes into mazes; an engine that does not accept these is replaced."""
        if self.engine.accepts(mazes):
            self.engine.enter(lanes, mazes)
        else:
            setup = self._settings.setup
            self.engine = restacked(self.engine, setup, self._sight, self.lanes, lanes, mazes, self._levels)

    def _change(self, lanes: Lanes, changes: Changes) -> None:
        """Put those of lanes whose world has changed into its new maze."""
        lanes = lanes[~self._given[lanes]]
        made = self.clock.earlier[lanes].tolist()
        stage = np.array([changes.stage(steps) for steps in made], dtype=np.int64)
        new = stage != self._stage[lanes]
        if new.any():
            self._stage[lanes] = stage
            pairs = zip(lanes[new].tolist(), np.array(made)[new].tolist(), strict=True)
            self._put_into(lanes[new], [changes.maze(steps, self._first[lane]) for lane, steps in pairs])

    def reset(
        self,
        lanes: Lanes,
        key: NDArray[np.uint64],
        episode: NDArray[np.int64],
        mazes: Sequence[Maze] | None,
        cells: NDArray[np.int64] | None,
    ) -> None:
        """Begin episodes of lanes.

        Args:
            lanes: (n,).
            key, episode: (n,), see `Clock.renewed`.
            mazes: given ones, n, or None.
            cells: (n,), where to start, or None.
        """
        self.clock.key[lanes], self.clock.episode[lanes] = key, episode
        if mazes is not None:
            self.enter(lanes, mazes)
        self.begin(lanes, at_once=True)
        if cells is not None:
            before = self.engine.places(lanes)  # on starts: the heading is theirs
            self.engine.put(lanes, Places(before.maze, cells, np.zeros_like(cells), before.heading))
        if self.ended is not None:
            left = np.setdiff1d(self.ended, lanes)
            self.ended = left if len(left) else None
        self.is_reset = True

    def step(self, actions: Lanes) -> tuple[Any, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
        """Move all lanes; those that ended begin their next episodes instead.

        Args:
            actions: (lanes,) int64, each 0 to A - 1.

        Returns:
            Observations, rewards, terminations and truncations, fresh arrays; `ended` says which lanes are over.
        """
        engine, clock, begun = self.engine, self.clock, self.ended
        clock.time += 1
        if begun is not None:
            self.next(begun, at_once=False)
        if self.trails is None:
            special = engine.move(actions, clock.random() if engine.slips else None)
        else:
            before = engine.places().cell
            special = engine.move(actions, clock.random() if engine.slips else None)
            self.trails.extend(before, engine.places().cell, begun)
        observations = engine.observe()
        lanes, ended = self.lanes, None
        rewards = np.full(lanes, engine.usual_reward) if engine.usual_reward else np.zeros(lanes)
        terminations, truncations = np.zeros(lanes, dtype=np.bool_), np.zeros(lanes, dtype=np.bool_)
        if special is not None:
            rewards[special], ends = engine.outcome(special)
            terminations[special] = ends
            ended = special[ends]
            if self._settings.lateness and len(ended):
                self._take_lateness(ended, rewards)
        if clock.time in clock.calendar:
            truncations[clock.truncated()] = True
            ended = np.flatnonzero(terminations | truncations)
        self.ended = ended if ended is not None and len(ended) else None
        return observations, rewards, terminations, truncations

    def _take_lateness(self, ended: Lanes, rewards: NDArray[np.float64]) -> None:
        """Let those of lanes that stand on a goal earn less, the later they are."""
        late = ended[self.engine.scene.at_goal(self.engine.places(ended))]
        limits = self._settings.limit(partial(self._auto_limits, late))
        rewards[late] -= self._settings.less(self.clock.steps()[late], limits)

    def begin(self, lanes: Lanes, *, at_once: bool) -> None:
        """Begin the episodes that the clock has for lanes: now, or with the move that is about to be made."""
        if self._changes is not None:
            self.clock.count(lanes, late=not at_once)
            self._change(lanes, self._changes)
        engine, streams = self.engine, self.clock.streams(lanes)
        if self._levels is not None:
            drawing = ~self._given[lanes]
            drawn = self._level_streams(streams)
            if drawing.all():
                engine.draw(lanes, drawn)
            elif drawing.any():
                engine.draw(lanes[drawing], drawn[drawing])
        engine.start(lanes, streams, at_once=at_once)
        if engine.slips:
            self.clock.draw(lanes, streams)
        self.clock.begin(lanes, self._limits(lanes))
        if self.trails is not None:
            for lane in lanes.tolist():
                self.trails.begin(lane, self.maze_of(lane))

    def next(self, lanes: Lanes, *, at_once: bool) -> None:
        """Begin the next episodes of lanes; these are not over any more."""
        self.clock.episode[lanes] += 1
        self.begin(lanes, at_once=at_once)
        self.ended = None

    def _limits(self, lanes: Lanes) -> NDArray[np.int64] | int | None:
        """Return the limits on the steps of lanes in the mazes they are in: one for each, one for all, or None."""
        limits = self._settings.limit(partial(self._auto_limits, lanes))
        bounds = [limit for limit in (limits, self._longest) if limit is not None]
        return np.minimum(bounds[0], bounds[-1]) if bounds else None

    def _auto_limits(self, lanes: Lanes) -> NDArray[np.int64]:
        """Return what "auto" means in the mazes that lanes are in: the same as for one agent."""
        return self.auto_limits(self.engine.places(lanes).maze)

    def auto_limits(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what "auto" means in mazes of the engine's scene, by their numbers: the same as for one agent."""
        scene = self.engine.scene
        if self._levels is not None and self._levels.batch is not None:
            limits: NDArray[np.int64] = size_limit(scene.open_tiles[numbers])
            return limits
        if scene is not self._explored_scene:
            self._explored, self._explored_scene = np.zeros((0, 2), dtype=np.int64), scene
        if len(self._explored) < len(scene):
            more = np.zeros((len(scene) - len(self._explored), 2), dtype=np.int64)
            self._explored = np.concatenate([self._explored, more])
        new = np.unique(numbers[self._explored[numbers, 0] != scene.written[numbers]])
        if len(new):
            self._explored[new, 0] = scene.written[new]
            self._explored[new, 1] = explorer_limits(self.engine.worlds(new))
        return self._explored[numbers, 1]

    def save(self) -> SavedState:
        """Return the record of all lanes."""
        places, clock, scene = self.engine.places(), self.clock, self.engine.scene
        used, first, number = np.unique(places.maze, return_index=True, return_inverse=True)
        order = first.argsort()  # by the first lane in it, however the engine numbers mazes
        mazes = tuple(scene.maze(maze) for maze in used[order].tolist())
        number = order.argsort()[number]
        columns = (number, self._given, places.cell, places.carried, clock.steps(), clock.key, clock.episode)
        heading = 0 if scene.moves.headings == 1 else tuple(places.heading.tolist())
        ended = () if self.ended is None else tuple(self.ended.tolist())
        trails = None if self.trails is None else self.trails.saved()
        lists = (tuple(column.tolist()) for column in columns)
        return SavedState._make((mazes, *lists, ended, trails, tuple(clock.earlier.tolist()), heading))

    def restore(self, state: SavedState) -> None:
        """Go to a saved state.

        Raises:
            ValueError and its like: it is not a state of these lanes; they are then in some other state.
        """
        lanes, clock = self.every, self.clock
        places, steps, streams = columns_of(state, self.lanes)
        given, ended = np.array(state.given, dtype=np.bool_), np.unique(np.array(state.ended, dtype=np.int64))
        earlier = np.array(state.earlier, dtype=np.int64)
        if not np.isin(ended, lanes).all() or earlier.shape not in ((), (self.lanes,)) or earlier.min(initial=0) < 0:
            raise ValueError("its numbers are out of range")
        self._settings.setup.checked(state.mazes, self._sight)
        mazes = [state.mazes[number] for number in places.maze.tolist()]
        trails = Trails(self.lanes)
        for lane, trail in enumerate(state.trails or [None] * self.lanes):
            trails.begin(lane, mazes[lane], trail)
        drawing = lanes[~given] if self._levels is not None else lanes[:0]
        keeping = np.setdiff1d(lanes, drawing)
        self.engine.draw(drawing, self._level_streams(streams[drawing]))
        if len(keeping):
            self.enter(keeping, [mazes[lane] for lane in keeping.tolist()])
        engine, now = self.engine, self.engine.places().maze
        for lane in drawing.tolist():
            if engine.scene.maze(int(now[lane])) != mazes[lane]:
                raise ValueError(f"lane {lane} would not draw this maze")
        engine.put(lanes, places._replace(maze=now))
        clock.key[:], clock.episode[:], self._given = streams.key, streams.episode, given
        clock.earlier[:], self._stage[:] = earlier, -1
        if engine.slips:
            clock.draw(lanes, streams, steps=steps)
        clock.begin(lanes, self._limits(lanes), steps=steps)
        self.is_reset, self.ended = True, ended if len(ended) else None
        self.trails = None if self.trails is None else trails

    def copy(self, source: Lanes, target: Lanes) -> None:
        """Let target lanes go on from where source lanes are."""
        self.engine.copy(source, target)
        self.clock.copy(source, target)
        self._given[target], self._stage[target] = self._given[source], self._stage[source]
        if self.trails is not None:
            self.trails.copy(source, target)
        if self.ended is not None:
            over = np.isin(self.every, self.ended)
            over[target] = over[source]
            self.ended = np.flatnonzero(over) if over.any() else None

"""A MazeVectorEnv is a clock over an engine: any number of agents in mazes, moved together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from .core.places import Places
from .engines.choice import engine_for, restacked
from .engines.engine import Lanes, accept
from .episodes import Clock, SavedState, columns_of
from .info import Info
from .maps.arguments import whole
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import MAZE, bits, stream
from .maps.shipped import find_maze
from .pictures.draw import draw_place
from .pictures.text import place_text
from .pictures.trails import checked_trail, extend_trail, new_trail
from .planning.hitting import explorer_limits, size_limit
from .settings import Settings, TimeLimit, check_options, state_at


class MazeVectorEnv(VectorEnv[Any, Any, Any]):
    """Many agents, each in a maze; lane i is the single environment `MazeEnv` seeded `seed + i`, bit for bit.

    Args:
        maze: a Maze, a text, a file or a shipped name, for all lanes; or one for each; or `Levels`, of which each reset
            of a lane draws one.
        num_envs: the number of lanes.
        autoreset_mode: "NextStep" (the step after an episode's last one resets the lane, whatever the action),
            "SameStep" (the lane is reset at once; its last observation and info are in `final_obs` and `final_info`) or
            "Disabled" (reset lanes by `options={"reset_mask": ...}`); or a `gymnasium.vector.AutoresetMode`.
        max_episode_steps: a further limit on steps, as `gymnasium.make` has it; None and -1 are none.
        observation, view_size, slip, rewards, time_limit, info, discount, check, shaping: as in `MazeEnv`.
        render_mode: None, "rgb_array" or "ansi": `render` returns a tuple, one entry a lane.

    All arrays that are handed out are fresh. An info is an array with an entry for each lane, beside it, by the name
    with `_` before it, the mask of lanes that have one.

    Raises:
        ValueError: as `MazeEnv`; no lanes, or not one maze for each.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": ["rgb_array", "ansi"], "render_fps": 8, "autoreset_mode": AutoresetMode.NEXT_STEP,
    }  # fmt: skip

    def __init__(
        self,
        maze: Maze | str | Path | Levels | Sequence[Maze | str | Path] = "four_rooms",
        num_envs: int = 1,
        *,
        observation: str = "dots",
        view_size: int = 7,
        slip: float | None = None,
        rewards: Mapping[str, float] = MappingProxyType({}),
        time_limit: TimeLimit = "auto",
        max_episode_steps: int | None = None,
        info: Sequence[str] = (),
        discount: float = 0.99,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        check: Callable[[Maze], None] = accept,
        shaping: str | None = None,
    ) -> None:
        self._settings = Settings.checked(
            observation=observation, view_size=view_size, slip=slip, rewards=rewards, time_limit=time_limit, info=info,
            discount=discount, render_mode=render_mode, check=check, shaping=shaping,
            render_modes=self.metadata["render_modes"],
        )  # fmt: skip
        self.render_mode = render_mode
        self.num_envs = whole("num_envs", num_envs, 1)
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        # -1 is no limit, as in `gymnasium.make`
        limited = max_episode_steps not in (None, -1)
        self._longest = whole("max_episode_steps", max_episode_steps, 1) if limited else None

        self._levels = maze if isinstance(maze, Levels) else None
        mazes = [maze.make(maze.draw(0))] if isinstance(maze, Levels) else self._found(maze)
        setup = self._settings.setup
        self.single_observation_space = setup.space(mazes[:1])
        self.single_action_space = spaces.Discrete(4)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

        lanes = self.num_envs
        self._all = np.arange(lanes)
        self._given = np.full(lanes, self._levels is None)  # lanes whose maze is not drawn from the levels
        self._clock, self._info = Clock(lanes), Info(self._settings.info, self._settings.discount)
        self._masks = Info(("action_mask",), self._settings.discount)
        self._ended: Lanes | None = None  # by the last step, and not reset since
        self._ended_at_goal: NDArray[np.bool_] | None = None  # of lanes that were reset in the same step
        self._is_reset = False
        self._trails: list[NDArray[np.uint8]] = []
        # of mazes: the value of `scene.written` that their limit holds for, and the limit
        self._explored = np.zeros((0, 2), dtype=np.int64)
        self._engine = engine_for(setup, self.single_observation_space, lanes, mazes, self._levels)

    # mazes

    def _found(self, maze: Any) -> list[Maze]:
        """Return the mazes that are meant: one for all lanes, or one for each."""
        if isinstance(maze, Maze | str | Path):
            return [find_maze(maze)]
        mazes = [find_maze(one) for one in maze]
        if len(mazes) != self.num_envs:
            raise ValueError(f"give one maze, or one for each of the {self.num_envs} lanes, not {len(mazes)}")
        return mazes

    def _each(self, entries: Sequence[Any], lanes: Lanes) -> list[Any]:
        """Return an entry for each of these lanes, from one for all or one for each lane of the environment."""
        return [*entries] * len(lanes) if len(entries) == 1 else [entries[lane] for lane in lanes.tolist()]

    def maze_of(self, lane: int) -> Maze:
        """Return the maze that a lane is in."""
        return self._engine.scene.maze(int(self._engine.places(self._all[[lane]]).maze[0]))

    def _enter(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put lanes into given mazes; an engine that does not accept them gives way to one that does."""
        if self._engine.accepts(mazes):
            self._engine.enter(lanes, mazes)
            return
        settings, space = self._settings, self.single_observation_space
        self._engine = restacked(self._engine, settings.setup, space, self.num_envs, lanes, mazes, self._levels)
        self._info = Info(settings.info, settings.discount)
        self._masks = Info(("action_mask",), settings.discount)

    # episodes

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in all lanes, or in those of `reset_mask`.

        Args:
            seed: lane i gets `seed + i`; or one for each lane, None to go on with its next episode.
            options: `maze` and `start` as in `MazeEnv`, one for all lanes or one for each, as a list; `reset_mask`, a
                (num_envs,) bool array of the lanes that are reset, at least one.

        Returns:
            What all lanes observe, (num_envs, ...), and the info of those that were reset.

        Raises:
            ValueError: an unknown option, a mask of another shape or without a lane, a start where an agent cannot
                stand, a maze that does not fit the spaces, a seed out of its range.
            TypeError: a mask that is not a bool array, a seed that is not an integer.
        """
        options = options or {}
        check_options(options, ("maze", "start", "reset_mask"))
        lanes = self._masked(options.get("reset_mask"))
        key, episode = self._clock.renewed(seed, lanes)
        mazes = self._found(options["maze"]) if "maze" in options else None
        if mazes is not None:
            self._settings.setup.checked(mazes, self.single_observation_space)
            mazes = self._each(mazes, lanes)
        starts = self._starts(options["start"], lanes, mazes, key, episode) if "start" in options else None
        super().reset(seed=seed if isinstance(seed, int) else None)
        self._clock.key[lanes], self._clock.episode[lanes] = key, episode
        if mazes is not None:
            self._enter(lanes, mazes)
            self._given[lanes] = True
        self._begin(lanes, at_once=True)
        if starts is not None:
            self._engine.put(lanes, starts._replace(maze=self._engine.places(lanes).maze))
        if self._ended is not None:
            left = np.setdiff1d(self._ended, lanes)
            self._ended = left if len(left) else None
        self._ended_at_goal = None
        self._is_reset = True
        return self._engine.observe(), self._info_of(lanes)

    def _masked(self, mask: Any) -> Lanes:
        if mask is None:
            return self._all
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError(f"reset_mask is a bool array, not {mask!r}")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(f"reset_mask has shape ({self.num_envs},) and a lane to reset, not {mask!r}")
        if not self._is_reset and not mask.all():
            raise gymnasium.error.ResetNeeded("call reset() for all lanes first")
        return np.flatnonzero(mask)

    def _starts(
        self, start: Any, lanes: Lanes, mazes: list[Maze] | None, key: NDArray[Any], episode: NDArray[Any]
    ) -> Places:
        """Return the places of given starts; `maze` of these is not filled in."""
        starts = [start] if np.ndim(start) <= 1 else [*start]
        if len(starts) not in (1, self.num_envs):
            raise ValueError(f"give one start, or one for each of the {self.num_envs} lanes, not {len(starts)}")
        if mazes is None:
            draws = zip(lanes.tolist(), key.tolist(), episode.tolist(), strict=True)
            mazes = [self._next_maze(*draw) for draw in draws]
        worlds = {maze: self._settings.setup.compile([maze]) for maze in dict.fromkeys(mazes)}
        pairs = []
        for maze, one in zip(mazes, self._each(starts, lanes), strict=True):
            state = state_at(worlds[maze], one)
            pairs.append((int(worlds[maze].cell[state]), int(worlds[maze].carried[state])))
        cells, carried = np.array(pairs, dtype=np.int64).T
        return Places(cells, cells, carried)

    def _next_maze(self, lane: int, key: int, episode: int) -> Maze:
        """Return the maze of a lane's episode."""
        if self._levels is None or self._given[lane]:
            return self.maze_of(lane)
        return self._levels.make(self._levels.draw(int(bits(stream(key, episode), MAZE)), lane))

    def _begin(self, lanes: Lanes, *, at_once: bool) -> None:
        """Begin the episodes of lanes: now, or with the move that is about to be made."""
        engine, streams = self._engine, self._clock.streams(lanes)
        if self._levels is not None:
            drawing = ~self._given[lanes]
            if drawing.all():
                engine.draw(lanes, streams)
            elif drawing.any():
                engine.draw(lanes[drawing], streams[drawing])
        engine.start(lanes, streams, at_once=at_once)
        if engine.slips:
            self._clock.draw(lanes, streams)
        self._clock.begin(lanes, self._limits(lanes))
        if self.render_mode is not None:
            self._trails = self._trails or [new_trail(self.maze_of(lane)) for lane in range(self.num_envs)]
            for lane in lanes.tolist():
                self._trails[lane] = new_trail(self.maze_of(lane))

    def _limits(self, lanes: Lanes) -> Any:
        """Return the limits on the steps of lanes in the mazes they are in: an int, an array, or None."""
        limits = self._settings.limit(partial(self._auto_limits, lanes))
        bounds = [limit for limit in (limits, self._longest) if limit is not None]
        return np.minimum(bounds[0], bounds[-1]) if bounds else None

    def _auto_limits(self, lanes: Lanes) -> NDArray[np.int64]:
        """Return what "auto" means in the mazes that lanes are in: the same as for one agent."""
        scene, numbers = self._engine.scene, self._engine.places(lanes).maze
        if self._levels is not None and self._levels.batch is not None:
            limits: NDArray[np.int64] = size_limit(scene.open_tiles[numbers])
            return limits
        if len(self._explored) < len(scene):
            more = np.zeros((len(scene) - len(self._explored), 2), dtype=np.int64)
            self._explored = np.concatenate([self._explored, more])
        new = np.unique(numbers[self._explored[numbers, 0] != scene.written[numbers]])
        if len(new):
            self._explored[new, 0] = scene.written[new]
            self._explored[new, 1] = explorer_limits(self._engine.worlds(new))
        return self._explored[numbers, 1]

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move all lanes; return Gymnasium's five values, each with an entry for each lane.

        Args:
            actions: (num_envs,) integers, 0 to 3.

        Raises:
            ValueError: actions of another shape, or not from 0 to 3.
            TypeError: actions that are not integers.
            gymnasium.error.ResetNeeded: there was no reset; with autoreset disabled, a lane's episode is over.
        """
        if type(actions) is not np.ndarray or actions.dtype != np.int64 or actions.shape != self._all.shape:
            actions = self._as_actions(actions)
        if not 0 <= int(np.bitwise_or.reduce(actions)) <= 3:
            wrong = actions[(actions < 0) | (actions > 3)][0]
            raise ValueError(f"an action is 0 (up), 1 (right), 2 (left) or 3 (down), not {wrong}")
        ended = self._ended
        if not self._is_reset or (ended is not None and self.autoreset_mode is AutoresetMode.DISABLED):
            which = "" if ended is None else f" for lanes {', '.join(map(str, ended[:5].tolist()))} (by reset_mask)"
            raise gymnasium.error.ResetNeeded(f"call reset() first{which}")
        engine, clock = self._engine, self._clock
        clock.tick()
        if ended is not None:
            clock.episode[ended] += 1
            self._begin(ended, at_once=False)
        before = self._cells(ended) if self._trails else None
        special = engine.move(actions, clock.random() if engine.slips else None)
        if before is not None:
            self._extend_trails(before)
        observations = engine.observe()

        lanes = self.num_envs
        rewards = np.full(lanes, engine.usual_reward) if engine.usual_reward else np.zeros(lanes)
        terminations, truncations = np.zeros(lanes, dtype=np.bool_), np.zeros(lanes, dtype=np.bool_)
        ended = None
        if special is not None:
            rewards[special], ends = engine.outcome(special)
            terminations[special] = ends
            ended = special[ends]
        expired = clock.truncated()
        if expired is not None:
            truncations[expired] = True
            ended = np.flatnonzero(terminations | truncations)
        if ended is not None and not len(ended):
            ended = None
        infos: dict[str, Any] = {}
        self._ended_at_goal = None
        if ended is not None and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = self._reset_in_step(ended, observations)
            ended = None
        self._ended = ended
        if self._settings.info:
            infos.update(self._info_of(self._all))
        return observations, rewards, terminations, truncations, infos

    def _as_actions(self, actions: Any) -> NDArray[np.int64]:
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions are integers, not {actions.dtype}")
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions have shape ({self.num_envs},), one for each lane, not {actions.shape}")
        return actions.astype(np.int64)

    def _reset_in_step(self, ended: Lanes, observations: NDArray[Any]) -> dict[str, Any]:
        """Begin the next episodes of lanes that have ended; return the last observations and info of the old ones."""
        final = np.full(self.num_envs, None, dtype=object)
        last = observations[ended]
        final[ended] = last.tolist() if last.ndim == 1 else [*last.copy()]
        mask = self._mask(ended)
        infos = {
            "final_obs": final, "_final_obs": mask,
            "final_info": self._info_of(ended), "_final_info": mask.copy(),
        }  # fmt: skip
        self._ended_at_goal = self.at_goal
        self._clock.episode[ended] += 1
        self._begin(ended, at_once=True)
        observations[ended] = self._engine.observe(ended)
        return infos

    def _mask(self, lanes: Lanes) -> NDArray[np.bool_]:
        mask = np.zeros(self.num_envs, dtype=np.bool_)
        mask[lanes] = True
        return mask

    def _info_of(self, lanes: Lanes) -> dict[str, Any]:
        """Return the info of some lanes as arrays for all lanes, and their masks."""
        if not self._settings.info:
            return {}
        infos: dict[str, Any] = {}
        for name, rows in self._info.rows(self._engine, self._engine.places(lanes)).items():
            if len(lanes) == self.num_envs:
                infos[name] = rows
            else:
                infos[name] = np.zeros((self.num_envs, *rows.shape[1:]), dtype=rows.dtype)
                infos[name][lanes] = rows
            infos[f"_{name}"] = self._mask(lanes)
        return infos

    @property
    def at_goal(self) -> NDArray[np.bool_]:
        """(num_envs,): whether the agent has reached a goal; of lanes that the last step reset, whether it had."""
        if self._ended_at_goal is not None:
            return self._ended_at_goal.copy()
        return self._engine.scene.tiles(self._engine.places()) == ord("G")

    def action_masks(self) -> NDArray[np.bool_]:
        """Return False for the actions that surely leave an agent where it is, (num_envs, 4); all True where all do."""
        return self._masks.rows(self._engine, self._engine.places())["action_mask"].astype(np.bool_)

    # pictures

    def render(self) -> tuple[Any, ...] | None:
        """Return the frames ("rgb_array") or texts ("ansi"), one a lane."""
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: gymnasium.make_vec(..., render_mode="rgb_array")')
            return None
        if not self._is_reset:
            raise gymnasium.error.ResetNeeded("call reset() first")
        columns = (column.tolist() for column in self._engine.places())
        places = [(self._engine.scene.maze(maze), cell, carried) for maze, cell, carried in zip(*columns, strict=True)]
        if self.render_mode == "ansi":
            return tuple(place_text(*place) for place in places)
        return tuple(draw_place(*place, trail=trail) for place, trail in zip(places, self._trails, strict=True))

    def _cells(self, but: Lanes | None = None) -> list[int]:
        """Return the cells that lanes are on, -1 for some."""
        cells = self._engine.places().cell
        if but is not None:
            cells[but] = -1
        return cells.tolist()

    def _extend_trails(self, before: list[int]) -> None:
        for lane, (cell, next_cell) in enumerate(zip(before, self._cells(), strict=True)):
            if cell >= 0:
                extend_trail(self._trails[lane], cell, next_cell, self.maze_of(lane).width)

    # saved states

    def get_state(self) -> SavedState:
        """Return all that the rest of the episodes and those after depend on.

        Raises:
            gymnasium.error.ResetNeeded: there was no reset.
        """
        if not self._is_reset:
            raise gymnasium.error.ResetNeeded("call reset() first")
        places, clock = self._engine.places(), self._clock
        used, first, number = np.unique(places.maze, return_index=True, return_inverse=True)
        order = first.argsort()  # by the first lane in it, however the engine numbers mazes
        used, number = used[order], order.argsort()[number]
        columns = (number, self._given, places.cell, places.carried, clock.steps(), clock.key, clock.episode)
        mazes = tuple(self._engine.scene.maze(maze) for maze in used.tolist())
        ended = () if self._ended is None else tuple(self._ended.tolist())
        trails = tuple(trail.tobytes() for trail in self._trails) or None
        return SavedState._make((mazes, *(tuple(column.tolist()) for column in columns), ended, trails))

    def set_state(self, state: SavedState) -> None:
        """Go back to what `get_state` returned, of this environment or of one that was made alike.

        Raises:
            ValueError: it is not such a state, or its mazes do not fit; nothing has changed then.
        """
        before, ended_at_goal = self.get_state() if self._is_reset else None, self._ended_at_goal
        try:
            self._restore(state)
        except (TypeError, AttributeError, IndexError, OverflowError, ValueError) as error:
            if before is not None:
                self._restore(before)
                self._ended_at_goal = ended_at_goal
            raise ValueError(f"this is not a state that get_state returned: {type(error).__name__}: {error}") from None

    def _restore(self, state: SavedState) -> None:
        """Go to a saved state; what is refused half-way leaves another state."""
        lanes = self._all
        places, steps, streams = columns_of(state, self.num_envs)
        given, ended = np.array(state.given, dtype=np.bool_), np.unique(np.array(state.ended, dtype=np.int64))
        if not np.isin(ended, lanes).all():
            raise ValueError("its numbers are out of range")
        mazes = [state.mazes[number] for number in places.maze.tolist()]
        self._settings.setup.checked(state.mazes, self.single_observation_space)
        trails = state.trails or [None] * self.num_envs
        crossed = [checked_trail(trail, maze) for trail, maze in zip(trails, mazes, strict=True)]
        drawing = np.flatnonzero(~given) if self._levels is not None else lanes[:0]
        keeping = np.setdiff1d(lanes, drawing)
        self._engine.draw(drawing, streams[drawing])
        if len(keeping):
            self._enter(keeping, [mazes[lane] for lane in keeping.tolist()])
        scene, now = self._engine.scene, self._engine.places()
        for lane in drawing.tolist():
            if scene.maze(int(now.maze[lane])) != mazes[lane]:
                raise ValueError(f"lane {lane} would not draw this maze")
        self._engine.put(lanes, places._replace(maze=now.maze))
        clock = self._clock
        clock.key[:], clock.episode[:], self._given = streams.key, streams.episode, given
        if self._engine.slips:
            clock.draw(lanes, streams, steps=steps)
        clock.begin(lanes, self._limits(lanes), steps=steps)
        self._is_reset, self._ended, self._ended_at_goal = True, ended if len(ended) else None, None
        self._trails = crossed if self.render_mode is not None else []

    def copy_lanes(self, source: Any, target: Any) -> None:
        """Let target lanes go on from where source lanes are: mazes, places, episodes and what is still drawn.

        Args:
            source, target: lane numbers, or arrays of as many; a lane is a target once at most.

        Raises:
            ValueError: a number that is not a lane, or not as many sources as targets.
            TypeError: lanes that are not integers.
            gymnasium.error.ResetNeeded: there was no reset.
        """
        if not self._is_reset:
            raise gymnasium.error.ResetNeeded("call reset() first")
        source, target = self._lanes_of(source), self._lanes_of(target)
        if len(source) != len(target) or len(np.unique(target)) != len(target):
            raise ValueError("give as many source lanes as target lanes, and each target lane once")
        self._engine.copy(source, target)
        self._clock.copy(source, target)
        self._given[target] = self._given[source]
        if self._ended is not None or self._ended_at_goal is not None:
            over = self._mask(self._ended if self._ended is not None else self._all[:0])
            over[target] = over[source]
            self._ended, self._ended_at_goal = np.flatnonzero(over) if over.any() else None, None
        for one, other in zip(source.tolist(), target.tolist(), strict=True) if self._trails else ():
            self._trails[other] = self._trails[one].copy()

    def _lanes_of(self, lanes: Any) -> Lanes:
        numbers = np.atleast_1d(np.asarray(lanes))
        if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
            raise TypeError(f"lanes are integers, one or a row of them, not {lanes!r:.80}")
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < self.num_envs):
            raise ValueError(f"lanes are numbers from 0 to {self.num_envs - 1}, not {lanes!r:.80}")
        return numbers.astype(np.int64)

    def close_extras(self, **_: Any) -> None:
        """Do nothing, as nothing is open; Gymnasium's own refuses what `close` takes elsewhere, such as `terminate`."""


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = ", ".join(repr(mode.value) for mode in AutoresetMode)
        raise ValueError(f"unknown autoreset_mode {mode!r}; known: {known}") from None

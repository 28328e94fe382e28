"""A MazeVectorEnv is a clock over an engine: any number of agents in mazes, moved together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from .core.world import World
from .engines.engine import Engine, Lanes, accept
from .engines.given import given_worlds
from .episodes import Episodes
from .info import Info, mask_of
from .maps.arguments import whole
from .maps.changes import Changes, changes_of, levels_without
from .maps.goals import moved_goal
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import misread
from .observations import Sight
from .observations.sight import assign, listed
from .options import check_options, each, found_mazes, found_positions, masked, start_cell
from .pictures.draw import draw_place
from .pictures.shown import ShownLanes
from .pictures.text import place_text
from .planning.goals import goal_reward
from .planning.questions import plainly_fine
from .saved import SavedState
from .settings import Settings, TimeLimit


class Plan(NamedTuple):
    """What an environment was made of, checked: what else steps the same episodes starts from it."""

    settings: Settings
    sight: Sight
    mazes: Sequence[Maze]
    """one for all lanes, or one for each; with levels, one of these"""
    levels: Levels | None
    longest: int | None
    """a further limit on steps"""
    changes: Changes | None


class _Nobody:
    """In place of the episodes of lanes that nobody moves: what is asked of it is an error."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError("this environment was made with engine=None: nobody moves its lanes; leave engine= out")


class MazeVectorEnv(VectorEnv[Any, Any, Any]):
    """Many agents, each in a maze; lane i is the single environment `MazeEnv` seeded `seed + i`, bit for bit.

    Args:
        maze: a Maze, a text, a file, a shipped name or a World of one maze, for all lanes; or one for each; or
            `Levels`, of which each reset of a lane draws one.
        num_envs: the number of lanes.
        autoreset_mode: "NextStep" (the step after an episode's last one resets the lane, whatever the action),
            "SameStep" (the lane is reset at once; its last observation and info are in `final_obs` and `final_info`) or
            "Disabled" (reset lanes by `options={"reset_mask": ...}`); or a `gymnasium.vector.AutoresetMode`.
        max_episode_steps: a further limit on steps, as `gymnasium.make` has it; None and -1 are none.
        observation, encoding, view_size, tile, size, slip, rewards, time_limit, info, discount, check, shaping,
            after, format, map_warnings, dots_error, lateness, actions, corners, noise, wind: as in `MazeEnv`.
        render_mode: None, "rgb_array" or "ansi": `render` returns a tuple, one entry a lane.
        engine: who moves the lanes, a name of `ENGINES`; all give the same episodes. (`gymnasium.make_vec` also takes
            "jax" and "torch": it then makes a `FunctionalVectorEnv`.) None: nobody moves them; the environment has its
            spaces and its `plan` alone, for what else steps the same episodes.

    All arrays that are handed out are fresh. An info is an array with an entry for each lane, beside it, by the name
    with `_` before it, the mask of lanes that have one.

    Raises:
        ValueError: as `MazeEnv`; no lanes, or not one maze for each.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> envs = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=1000, size=(5, 5))
        >>> observations, infos = envs.reset(seed=0)
        >>> observations.shape
        (1000, 4)
        >>> observations, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        >>> rewards.shape
        (1000,)
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": ["rgb_array", "ansi"], "render_fps": 8, "autoreset_mode": AutoresetMode.NEXT_STEP,
    }  # fmt: skip

    def __init__(
        self,
        maze: Maze | str | Path | Levels | World | Sequence[Maze | str | Path | World] = "four_rooms",
        num_envs: int = 1,
        *,
        observation: str | Sequence[str] = "dots",
        encoding: str | None = None,
        view_size: int = 7,
        tile: int | None = None,
        size: int | tuple[int, int] | None = None,
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
        engine: str | None = "numpy",
        after: Mapping[int, Any] = MappingProxyType({}),
        format: str | None = None,
        map_warnings: bool = True,
        dots_error: float = 0.0,
        lateness: float = 0.0,
        actions: Any = None,
        corners: str | None = None,
        noise: Any = None,
        wind: Any = None,
    ) -> None:
        maze, given = given_worlds(maze)
        self._settings = Settings.checked(
            several=isinstance(maze, Levels) or bool(after) or not isinstance(maze, Maze | str | Path),
            observation=observation, encoding=encoding, view_size=view_size, tile=tile, size=size, slip=slip,
            rewards=rewards, time_limit=time_limit, info=info, discount=discount, render_mode=render_mode, check=check,
            shaping=shaping, actions=actions, corners=corners, noise=noise, wind=wind,
            render_modes=self.metadata["render_modes"], engine="numpy" if engine is None else engine, format=format,
            map_warnings=map_warnings, dots_error=dots_error, given=given, lateness=lateness,
        )  # fmt: skip
        setup = self._settings.setup
        self.render_mode = render_mode
        self.num_envs = whole("num_envs", num_envs, 1)
        self.autoreset_mode = checked_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        # -1 is no limit, as in `gymnasium.make`
        limited = max_episode_steps not in (None, -1)
        longest = whole("max_episode_steps", max_episode_steps, 1) if limited else None

        changes = changes_of(after, format, setup.dressed)
        levels = setup.dressed_levels(levels_without(changes, maze))
        if levels is not None:
            mazes = [levels.make(levels.draw(0))]
        else:
            mazes = setup.dressed(found_mazes(maze, num_envs, format))
        self._sight = setup.declared(mazes, levels)
        self.plan = Plan(self._settings, self._sight, mazes, levels, longest, changes)
        self.moves = self._sight.moves
        setup.checked(() if changes is None else changes.mazes, self._sight)
        self.single_observation_space = self._sight.space
        self.single_action_space = spaces.Discrete(len(self.moves))
        self._last_action = len(self.moves) - 1
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

        if engine is None:
            self._episodes = cast(Episodes, _Nobody())
            return
        trails = render_mode is not None
        self._episodes = Episodes(self._settings, self._sight, self.num_envs, mazes, levels, longest, trails, changes)
        self._info = Info(self._settings.info, discount, self._episodes.level)
        self._masks = Info(("action_mask",), discount)
        self._shape, self._informs = (self.num_envs,), bool(self._settings.info)
        self._ended_at_goal: NDArray[np.bool_] | None = None  # of lanes that were reset in the same step
        self._asked: dict[Maze, None] = {}
        if levels is None:
            self._question(self._episodes.every)
            for changed in () if changes is None else changes.mazes:
                self._settings.question(self._settings.setup.compile([changed]), self._asked)

    def _question(self, lanes: Lanes, mazes: Sequence[Maze] | None = None) -> None:
        """Warn of mazes that lanes are in and that can hardly be meant.

        Args:
            lanes: (n,).
            mazes: theirs, n, where they are at hand.
        """
        if not self._settings.map_warnings:
            return
        numbers = self.engine.places(lanes).maze
        if mazes is None:
            numbers = np.unique(numbers)
            mazes = [self.engine.scene.maze(number) for number in numbers.tolist()]
        odd: dict[Maze, int] = {}
        for place in np.flatnonzero(~plainly_fine(mazes)).tolist():
            if mazes[place] not in self._asked:
                odd.setdefault(mazes[place], int(numbers[place]))
        if odd:
            self._settings.question(self.engine.worlds(np.array(sorted(odd.values()))), self._asked)

    @property
    def engine(self) -> Engine:
        """The engine that moves the lanes; another one after lanes were put into mazes that it does not accept."""
        return self._episodes.engine

    @property
    def observation_kind(self) -> str | tuple[str, ...]:
        """What is observed: the name that the environment was made with, or the names."""
        return self._settings.setup.observation

    def maze_of(self, lane: int) -> Maze:
        """Return the maze that a lane is in."""
        return self._episodes.maze_of(lane)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in all lanes, or in those of `reset_mask`.

        Args:
            seed: lane i gets `seed + i`; or one for each lane, None to go on with its next episode.
            options: `maze`, `start` and `goal` as in `MazeEnv`, one for all lanes or one for each, as a list;
                `reset_mask`, a (num_envs,) bool array of the lanes that are reset, at least one.

        Returns:
            What all lanes observe, (num_envs, ...), and the info of those that were reset.

        Raises:
            ValueError: an unknown option, a mask of another shape or without a lane, a start where an agent cannot
                stand, a maze that does not fit the spaces, a seed out of its range.
            TypeError: a mask that is not a bool array, a seed that is not an integer.
        """
        options = options or {}
        check_options(options, ("maze", "start", "goal", "reset_mask"))
        episodes, setup = self._episodes, self._settings.setup
        lanes = masked(options.get("reset_mask"), self.num_envs, is_reset=episodes.is_reset)
        key, episode = episodes.clock.renewed(seed, lanes)
        mazes = cells = None
        if "maze" in options:
            mazes = setup.dressed(found_mazes(options["maze"], self.num_envs, self._settings.format))
            setup.checked(mazes, self._sight)
            mazes = each(mazes, lanes)
        draws = zip(lanes.tolist(), key.tolist(), episode.tolist(), strict=True)
        if "goal" in options:
            goals = each(found_positions("goal", options["goal"], self.num_envs), lanes)
            ahead = mazes or [episodes.maze_for(*draw) for draw in draws]
            mazes = [moved_goal(goal, maze) for goal, maze in zip(goals, ahead, strict=True)]
            setup.checked(mazes, self._sight)
        if "start" in options:
            starts = each(found_positions("start", options["start"], self.num_envs), lanes)
            ahead = mazes or [episodes.maze_for(*draw) for draw in draws]
            cells = np.array([start_cell(start, maze, setup) for start, maze in zip(starts, ahead, strict=True)])
        super().reset(seed=seed if isinstance(seed, int) else None)
        episodes.reset(lanes, key, episode, mazes, cells)
        if mazes is not None:
            self._question(lanes, mazes)
        self._ended_at_goal = None
        return self._misread(episodes.engine.observe(), episodes.every), self._info.of(
            episodes.engine, lanes, self.num_envs
        )

    def _misread(self, seen: Any, lanes: Lanes) -> Any:
        """Return what the agents in lanes see of what they are to observe now."""
        if not self._settings.dots_error:
            return seen
        clock = self._episodes.clock
        here = clock.streams(lanes).values, clock.steps()[lanes]
        return self._sight.misread(seen, misread(*here, self._sight.dots, self._settings.dots_error))

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move all lanes; return Gymnasium's five values, each with an entry for each lane.

        Args:
            actions: (num_envs,) integers, 0 to A - 1.

        Raises:
            ValueError: actions of another shape, or not in the action space.
            TypeError: actions that are not integers.
            gymnasium.error.ResetNeeded: there was no reset; with autoreset disabled, a lane's episode is over.
        """
        if type(actions) is not np.ndarray or actions.dtype != np.int64 or actions.shape != self._shape:
            actions = self._as_actions(actions)
        if not 0 <= int(np.bitwise_or.reduce(actions)) <= self._last_action:
            wrong = actions[(actions < 0) | (actions > self._last_action)]
            if len(wrong):
                raise ValueError(f"an action is {self.moves.numbered()}, not {wrong[0]}")
        episodes, ended = self._episodes, self._episodes.ended
        if not episodes.is_reset or (ended is not None and self.autoreset_mode is AutoresetMode.DISABLED):
            which = "" if ended is None else f" for lanes {', '.join(map(str, ended[:5].tolist()))} (by reset_mask)"
            raise gymnasium.error.ResetNeeded(f"call reset() first{which}")
        observations, rewards, terminations, truncations = episodes.step(actions)
        observations = self._misread(observations, episodes.every)
        infos: dict[str, Any] = {}
        self._ended_at_goal = None
        if episodes.ended is not None and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = self._reset_in_step(episodes.ended, observations)
        if self._informs:
            infos.update(self._info.of(episodes.engine, episodes.every, self.num_envs))
        return observations, rewards, terminations, truncations, infos

    def _as_actions(self, actions: Any) -> NDArray[np.int64]:
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions are integers, not {actions.dtype}")
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions have shape ({self.num_envs},), one for each lane, not {actions.shape}")
        return actions.astype(np.int64)

    def _reset_in_step(self, ended: Lanes, observations: Any) -> dict[str, Any]:
        """Begin the next episodes of lanes that have ended; return the last observations and info of the old ones."""
        final = np.full(self.num_envs, None, dtype=object)
        final[ended] = listed(observations, ended)
        mask = mask_of(ended, self.num_envs)
        infos = {
            "final_obs": final, "_final_obs": mask,
            "final_info": self._info.of(self.engine, ended, self.num_envs), "_final_info": mask.copy(),
        }  # fmt: skip
        self._ended_at_goal = self.at_goal
        self._episodes.next(ended, at_once=True)
        assign(observations, ended, self._misread(self.engine.observe(ended), ended))
        return infos

    @property
    def at_goal(self) -> NDArray[np.bool_]:
        """(num_envs,): whether the agent has reached a goal; of lanes that the last step reset, whether it had."""
        if self._ended_at_goal is not None:
            return self._ended_at_goal.copy()
        return self.engine.scene.at_goal(self.engine.places())

    def action_masks(self) -> NDArray[np.bool_]:
        """Return False for the actions that surely leave an agent where it is, (num_envs, A); all True where all do."""
        return self._masks.rows(self.engine, self.engine.places())["action_mask"].astype(np.bool_)

    @property
    def compute_reward(self) -> Callable[..., Any]:
        """The function (achieved_goal, desired_goal, info) -> reward; see `MazeEnv.compute_reward`."""
        if "desired_goal" not in self._sight.spaces:
            raise AttributeError('compute_reward needs observation=(..., "goal")')
        return partial(goal_reward, rewards=self._settings.setup.rewards, maze=self.maze_of(0))

    @property
    def episodes_per_level(self) -> int | None:
        """How many episodes a lane stays in a level; None where it keeps its maze."""
        return self._episodes.repeat

    # pictures

    def render(self) -> tuple[Any, ...] | None:
        """Return the frames ("rgb_array") or texts ("ansi"), one a lane."""
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: gymnasium.make_vec(..., render_mode="rgb_array")')
            return None
        self._need_reset()
        setup, scene = self._settings.setup, self.engine.scene
        rows = self.engine.places().rows()
        places = [(scene.maze(maze), cell, carried, heading) for maze, cell, carried, heading in rows]
        if self.render_mode == "ansi":
            return ShownLanes(place_text(*place) for place in places)
        trails = self._episodes.trails
        crossed = [None if trails is None else trails[lane] for lane in range(self.num_envs)]
        return ShownLanes(
            draw_place(maze, cell, carried, heading=heading, trail=trail, tile=setup.tile, slip=setup.slip_in(maze))
            for (maze, cell, carried, heading), trail in zip(places, crossed, strict=True)
        )

    # saved states

    def get_state(self) -> SavedState:
        """Return all that the rest of the episodes and those after depend on.

        Raises:
            gymnasium.error.ResetNeeded: there was no reset.
        """
        self._need_reset()
        return self._episodes.save()

    def set_state(self, state: SavedState) -> None:
        """Go back to what `get_state` returned, of this environment or of one that was made alike.

        Raises:
            ValueError: it is not such a state, or its mazes do not fit; nothing has changed then.
        """
        before = self._episodes.save() if self._episodes.is_reset else None
        try:
            self._episodes.restore(state)
        except (TypeError, AttributeError, IndexError, OverflowError, ValueError) as error:
            if before is not None:
                self._episodes.restore(before)
            raise ValueError(f"this is not a state that get_state returned: {type(error).__name__}: {error}") from None
        self._ended_at_goal = None

    def copy_lanes(self, source: Any, target: Any) -> None:
        """Let target lanes go on from where source lanes are: mazes, places, episodes and what is still drawn.

        Args:
            source, target: lane numbers, or arrays of as many; a lane is a target once at most.

        Raises:
            ValueError: a number that is not a lane, or not as many sources as targets.
            TypeError: lanes that are not integers.
            gymnasium.error.ResetNeeded: there was no reset.
        """
        self._need_reset()
        source, target = self._lanes_of(source), self._lanes_of(target)
        if len(source) != len(target) or len(np.unique(target)) != len(target):
            raise ValueError("give as many source lanes as target lanes, and each target lane once")
        self._episodes.copy(source, target)
        self._ended_at_goal = None

    def _need_reset(self) -> None:
        if not self._episodes.is_reset:
            raise gymnasium.error.ResetNeeded("call reset() first")

    def _lanes_of(self, lanes: Any) -> Lanes:
        numbers = np.atleast_1d(np.asarray(lanes))
        if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
            raise TypeError(f"lanes are integers, one or a row of them, not {lanes!r:.80}")
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < self.num_envs):
            raise ValueError(f"lanes are numbers from 0 to {self.num_envs - 1}, not {lanes!r:.80}")
        return numbers.astype(np.int64)

    def close_extras(self, **_: Any) -> None:
        """Do nothing, as nothing is open; Gymnasium's own refuses what `close` takes elsewhere, such as `terminate`."""


def checked_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """Return the mode of a name.

    Raises:
        ValueError: it is not one of Gymnasium's.
    """
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = ", ".join(repr(mode.value) for mode in AutoresetMode)
        raise ValueError(f"unknown autoreset_mode {mode!r}; known: {known}") from None

"""Several agents in one maze, in any number of lanes: the engines of one agent, and a rule for collisions."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .clock import Clock
from .core.places import Places
from .core.world import World
from .engines.collisions import COLLISIONS, staying
from .engines.engine import Lanes, TakesBack, accept
from .info import Info
from .maps.arguments import nearest, whole
from .maps.legend import LAST_CODE
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import GAMMA, STEPS, RandomBlock, Streams, mix
from .observations import Others, crowd_of
from .options import check_options, found_mazes, masked, start_cell
from .parallel_mazes import SharedMazes
from .parallel_starts import checked_starts, spread
from .parallel_teams import Teams
from .pictures.crowd import crowd_text, draw_crowd
from .pictures.shown import ShownLanes
from .pictures.trails import Trails
from .settings import Settings, TimeLimit


class ParallelMazes:
    """Lanes of several agents each, all of a lane in one maze; arrays are (num_envs, agents, ...).

    Agents move at once. What a move leads to, earns and ends is that of one agent alone (`MazeEnv`), and so is what
    each carries; then `collisions` says who does not get there: see `engines/collisions.py`. Who stays earns what a
    move into a wall earns, the reward "step". An agent that ends its episode leaves the maze. A lane is over when all
    its agents are, and the step after that resets it, whatever the actions, as in Gymnasium's NEXT_STEP.

    With one agent, lane i is the single environment seeded `seed + i`, bit for bit.

    Args:
        maze: as in `MazeEnv`, for all lanes; or `Levels`, of which each reset of a lane draws one.
        agents: in each lane.
        num_envs: the number of lanes.
        observation, encoding, view_size, tile, size, slip, rewards, time_limit, info, discount, check, format,
            map_warnings, actions, corners, noise, wind: as in `MazeEnv`. Infos are those of an agent that is alone.
            Several agents do not turn (`actions="turns"`).
        render_mode: None, "human" (of one lane), "rgb_array" or "ansi".
        collisions: "blocked" (two agents are never in one cell, nor change places), "swap" (they may change places) or
            "through".
        goals: "shared" or "own", see `GOALS` of `parallel_teams.py`.
        pursuers: how many agents, the first ones, pursue the others, the evaders. `collisions` holds within a team. An
            evader that a pursuer meets, in its cell or on the way into it, is tagged, which ends its episode. Goals are
            for evaders. A pursuer's episode ends when no evader is left.
        tag: what a pursuer earns for each evader that it tags, and what an evader loses that is tagged.
        presence: whether agents see each other, see `Others`.

    Where the maze has as many starts as a lane has agents, each draws one of those that are left; else the first agent
    draws a start, the others a floor tile. With "through" all draw a start.

    Raises:
        ValueError: as `MazeEnv`; an unknown name; more agents than a maze has room or goals for.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, ParallelMazes
        >>> envs = ParallelMazes(Maze.from_text("S.G"), agents=2, num_envs=3)
        >>> observations, infos = envs.reset(seed=0)
        >>> observations.shape
        (3, 2, 8)
        >>> observations, rewards, terminated, truncated, infos = envs.step(np.full((3, 2), RIGHT))
        >>> rewards  # the second agent was at the dot, and arrives
        array([[0., 1.],
               [0., 1.],
               [0., 1.]])
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8, "name": "mazegrad_parallel",
        "is_parallelizable": True,
    }  # fmt: skip

    def __init__(
        self,
        maze: Maze | str | Path | Levels = "four_rooms",
        agents: int = 2,
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
        info: Sequence[str] = (),
        discount: float = 0.99,
        render_mode: str | None = None,
        check: Callable[[Maze], None] = accept,
        format: str | None = None,
        map_warnings: bool = True,
        collisions: str = "blocked",
        goals: str = "shared",
        pursuers: int = 0,
        tag: float = 1.0,
        presence: bool = True,
        actions: Any = None,
        corners: str | None = None,
        noise: Any = None,
        wind: Any = None,
    ) -> None:
        if isinstance(maze, World):
            raise TypeError("several agents walk through a Maze, not a World: the reward of staying must be known")
        if not isinstance(collisions, str) or collisions not in COLLISIONS:
            raise ValueError(f"unknown collisions {collisions!r}{nearest(collisions, COLLISIONS)}")
        self._teams = teams = Teams(agents, pursuers, goals, tag)
        self._settings = Settings.checked(
            several=isinstance(maze, Levels), observation=observation, encoding=encoding, view_size=view_size,
            tile=tile, size=size, slip=slip, rewards=rewards, time_limit=time_limit, info=info, discount=discount,
            render_mode=render_mode, check=check, shaping=None, render_modes=self.metadata["render_modes"],
            actions=actions, corners=corners, noise=noise, wind=wind,
            format=format, map_warnings=map_warnings, given={}, dots_error=0.0,
        )  # fmt: skip
        self.num_envs, self.num_agents = whole("num_envs", num_envs, 1), teams.agents
        self.pursuers, self.names = teams.pursuers, teams.names
        self.render_mode, self._collisions = render_mode, collisions
        count = self.num_envs * self.num_agents
        self._every = np.arange(count)

        self._clock = Clock(self.num_envs)
        self._mazes = SharedMazes(self._settings, teams, maze, self._clock)
        setup, self._sight, self.moves = self._settings.setup, self._mazes.sight, self._mazes.sight.moves
        self._info = Info(self._settings.info, discount, self._mazes.level)
        sides = 2 if self.pursuers else 1
        self._others = (
            Others(self._sight, setup.observation, setup.encoding, self.num_agents, sides, *self._mazes.size)
            if presence and self.num_agents > 1
            else None
        )
        self.single_observation_space = self._sight.space if self._others is None else self._others.space
        self.single_action_space = spaces.Discrete(len(self.moves))

        self._random = RandomBlock(count)
        self.live = np.zeros((self.num_envs, self.num_agents), dtype=np.bool_)
        """(num_envs, agents): whose episode is not over"""
        self._over: Lanes | None = None
        self._trails = None if render_mode is None else Trails(count)
        self._reset_once = False

    @property
    def engine(self) -> TakesBack:
        """What moves the agents: its lanes are the agents, lane by lane."""
        return self._mazes.engine

    # episodes

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, NDArray[Any]]]:
        """Begin an episode in all lanes, or in those of `reset_mask`.

        Args:
            seed: lane i gets `seed + i`; or one for each lane, None to go on with its next episode.
            options: `maze`, for all lanes or one for each (it stays); `start`, a (row, column) for each agent, the same
                in all lanes; `reset_mask`, (num_envs,) bool.

        Returns:
            What all agents observe, and infos, (num_envs, agents, ...) each.

        Raises:
            ValueError: an unknown option, a start where an agent cannot stand, two in one cell; a maze that does not
                fit the spaces, or has too little room.
            TypeError: a mask that is not a bool array, a seed that is not an integer.
        """
        options = options or {}
        check_options(options, ("maze", "start", "reset_mask"))
        lanes = masked(options.get("reset_mask"), self.num_envs, is_reset=self._reset_once)
        key, episode = self._clock.renewed(seed, lanes)
        mazes: list[Maze] | None = None
        if "maze" in options:
            found = self._settings.setup.dressed(found_mazes(options["maze"], self.num_envs, self._settings.format))
            self._settings.setup.checked(found, self._sight)
            mazes = [found[0 if len(found) == 1 else lane] for lane in lanes.tolist()]
        starts = None
        if "start" in options:
            starts = checked_starts(options["start"], self.num_agents, self._collisions != "through")
        self._clock.key[lanes], self._clock.episode[lanes] = key, episode
        if mazes is not None:
            self._mazes.give(lanes, mazes)
        self._begin(lanes, starts)
        self._reset_once = True
        if self._over is not None:
            left = np.setdiff1d(self._over, lanes)
            self._over = left if len(left) else None
        return self._observe(), self._infos()

    def _begin(self, lanes: Lanes, starts: NDArray[np.int64] | None = None) -> None:
        """Begin the episodes that the clock has for lanes."""
        self._mazes.draw(lanes)
        engine, count, agents = self.engine, self.num_agents, self._mazes.agents_of(lanes)
        episode = np.repeat(self._clock.episode[lanes], count)
        with np.errstate(over="ignore"):
            others = np.arange(count, dtype=np.uint64) * np.uint64(GAMMA)
            keys = np.where(others > 0, mix(self._clock.key[lanes, None] + others), self._clock.key[lanes, None])
        streams = Streams(keys.ravel(), episode)
        engine.start(agents, streams, at_once=True)
        if starts is not None:
            self._put(lanes, starts)
        elif self._collisions != "through" and count > 1:
            spread(engine, agents, count, streams, lambda row: self.maze_of(int(lanes[row])))
        if engine.slips:
            self._random.begin(agents, streams.values, self._clock.time + 1, STEPS)
        self._clock.begin(lanes, self._settings.limit(lambda: self._mazes.limits(lanes)))
        self._mazes.learn_bumps(lanes)
        self.live[lanes] = True
        if self._trails is not None:
            for agent in agents.tolist():
                self._trails.begin(agent, self.maze_of(agent // count))

    def _put(self, lanes: Lanes, starts: NDArray[np.int64]) -> None:
        """Put the agents of lanes on given starts."""
        cells = [[start_cell(one, self.maze_of(lane), self._mazes.inner) for one in starts] for lane in lanes.tolist()]
        agents = self._mazes.agents_of(lanes)
        flat = np.array(cells).ravel()
        self.engine.put(agents, Places(self.engine.places(agents).maze, flat, np.zeros_like(flat)))

    def maze_of(self, lane: int) -> Maze:
        """Return the maze of a lane, with all goals."""
        return self._mazes.of(lane)

    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, NDArray[Any]]]:
        """Move all agents at once; lanes that were over begin their next episodes instead.

        Args:
            actions: (num_envs, agents) integers, 0 to A - 1; those of agents that are not live do not matter.

        Returns:
            Observations, rewards, terminations, truncations and infos, (num_envs, agents, ...) each; `live` says who
            goes on.

        Raises:
            ValueError: actions of another shape, or not in the action space.
            TypeError: actions that are not integers.
            gymnasium.error.ResetNeeded: there was no reset.
        """
        actions = self._checked(actions)
        if not self._reset_once:
            raise gymnasium.error.ResetNeeded("call reset() first")
        engine, clock, shape = self.engine, self._clock, self.live.shape
        clock.time += 1
        before, here, live = engine.places().cell, engine.here(), self.live
        special = engine.move(actions.ravel(), self._random.at(clock.time) if engine.slips else None)
        wanted = engine.places().cell
        rewards = np.full(len(self._every), engine.usual_reward)
        ends = np.zeros(len(self._every), dtype=np.bool_)
        if special is not None:
            rewards[special], ends[special] = engine.outcome(special)
        cells = before.reshape(shape), wanted.reshape(shape)
        stays = staying(*cells, live, self._teams.of, self._collisions).ravel()
        back = np.flatnonzero(stays | ~live.ravel())
        if len(back):
            engine.take_back(back, here)
            rewards[back], ends[back] = np.where(stays[back], self._mazes.bump[back], 0.0), False
        rewards, ends = rewards.reshape(shape), ends.reshape(shape)
        after = np.where((stays | ~live.ravel()), before, wanted)
        if self.pursuers:
            self._teams.tag_evaders(cells[0], after.reshape(shape), self.live, rewards, ends)
        truncations = np.zeros(shape, dtype=np.bool_)
        if clock.time in clock.calendar:
            truncations[clock.truncated()] = True
            truncations &= live
        if self._trails is not None:
            dead = None if self._over is None else self._mazes.agents_of(self._over)
            self._trails.extend(before, after, dead)
        self.live = live & ~ends & ~truncations
        begun, over = self._over, np.flatnonzero(live.any(axis=1) & ~self.live.any(axis=1))
        if begun is not None:
            clock.episode[begun] += 1
            self._begin(begun)
        self._over = over if len(over) else None
        return self._observe(), rewards, ends, truncations, self._infos()

    def _checked(self, actions: Any) -> NDArray[np.int64]:
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions are integers, not {actions.dtype}")
        if actions.shape != self.live.shape:
            raise ValueError(f"actions have shape {self.live.shape}, (lanes, agents), not {actions.shape}")
        wrong = actions[(actions < 0) | (actions >= len(self.moves))]
        if len(wrong):
            raise ValueError(f"an action is {self.moves.numbered()}, not {wrong[0]}")
        return actions.astype(np.int64)

    # what is seen

    def _observe(self) -> Any:
        seen = self.engine.observe()
        if self._others is not None:
            row, column = self.engine.scene.rows_and_columns(self.engine.places())
            seen = self._others.add(seen, crowd_of(row, column, self._teams.of, self.live))
            if isinstance(seen, dict) and "pixels" in seen:
                seen["pixels"] = self._all_drawn()
            elif self.observation_kind == "pixels":
                seen = self._all_drawn()
        return _by_lane(seen, self.live.shape)

    @property
    def observation_kind(self) -> str | tuple[str, ...]:
        """What is observed: the name that the environment was made with, or the names."""
        return self._settings.setup.observation

    def _infos(self) -> dict[str, NDArray[Any]]:
        count = len(self._every)
        infos = self._info.of(self.engine, self._every, count)
        shape = self.live.shape
        return {name: rows.reshape(*shape, *rows.shape[1:]) for name, rows in infos.items() if name[0] != "_"}

    @property
    def episode_is_over(self) -> bool:
        """Whether the episodes of all lanes are over."""
        return self._reset_once and not self.live.any()

    @property
    def at_goal(self) -> NDArray[np.bool_]:
        """(num_envs, agents): whether an agent stands on one of its goals."""
        return (self.engine.scene.tiles(self.engine.places()) == ord("G")).reshape(self.live.shape)

    def state(self) -> NDArray[np.uint8]:
        """Return the whole maze of each lane as tile codes, with agent i as `LAST_CODE` + 1 + i: (num_envs, H, W)."""
        scene, (lanes, count) = self.engine.scene, self.live.shape
        places = self.engine.places()
        inner = slice(scene.margin, -scene.margin)
        codes = scene.codes[places.maze.reshape(lanes, count)[:, 0], inner, inner].copy()
        row, column = (part.reshape(lanes, count) for part in scene.rows_and_columns(places))
        for agent in range(count):
            here = np.flatnonzero(self.live[:, agent])
            codes[here, row[here, agent], column[here, agent]] = LAST_CODE + 1 + agent
        return codes

    # pictures

    def _all_drawn(self) -> NDArray[Any]:
        """Return "pixels" with all agents of a lane, for each of them."""
        height, width, _ = self._sight.bare["pixels"].shape or ()
        frames = np.zeros((self.num_envs, height, width, 3), dtype=np.uint8)
        for lane, room in enumerate(frames):
            frame = self.frame(lane, trail=False)
            room[: len(frame), : frame.shape[1]] = frame
        frames = np.repeat(frames, self.num_agents, axis=0)
        if self._settings.setup.encoding == "float":
            return frames.reshape(len(frames), -1).astype(np.float32) / 255
        return frames

    def frame(self, lane: int, *, trail: bool = True, tile: int | None = None) -> NDArray[np.uint8]:
        """Return the picture of a lane, all agents in it; `tile` is the side of a tile in px."""
        agents = self._mazes.agents_of(np.array([lane]))
        places = self.engine.places(agents)
        crossed = None
        if trail and self._trails is not None:
            crossed = np.bitwise_or.reduce([self._trails[agent] for agent in agents.tolist()])
        live = self.live[lane] if self.num_agents > 1 else np.ones(1, dtype=np.bool_)
        numbers = np.flatnonzero(live) if self.num_agents > 1 else None
        setup, maze = self._settings.setup, self.maze_of(lane)
        size, slip = setup.tile if tile is None else tile, setup.slip_in(maze)
        return draw_crowd(maze, places.cell[live], places.carried[live], numbers, crossed, size, slip)

    def render(self) -> tuple[Any, ...] | None:
        """Return the frames ("rgb_array") or texts ("ansi"), one a lane, all agents in each."""
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode, such as render_mode="rgb_array"')
            return None
        if not self._reset_once:
            raise gymnasium.error.ResetNeeded("call reset() first")
        if self.render_mode == "ansi":
            return ShownLanes(self._text(lane) for lane in range(self.num_envs))
        return ShownLanes(self.frame(lane) for lane in range(self.num_envs))

    def _text(self, lane: int) -> str:
        places = self.engine.places(self._mazes.agents_of(np.array([lane])))
        live = self.live[lane] if self.num_agents > 1 else np.ones(1, dtype=np.bool_)
        numbers = np.flatnonzero(live) if self.num_agents > 1 else None
        return crowd_text(self.maze_of(lane), places.cell[live], int(places.carried[0]), numbers)


def _by_lane(seen: Any, shape: tuple[int, ...]) -> Any:
    """Return rows of all agents as rows of lanes and agents."""
    if isinstance(seen, dict):
        return {name: _by_lane(part, shape) for name, part in seen.items()}
    return seen.reshape(*shape, *seen.shape[1:])

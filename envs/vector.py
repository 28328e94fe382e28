"""A MazeVectorEnv is any number of agents in mazes, moved together by looking their moves up in the same tables."""

import copy
import operator
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from .core.compile import checked_rewards
from .core.inventory import inventory_size
from .core.world import World
from .engines.fresh import Pool
from .engines.stacked import Atlas, Lanes, info_tables
from .maps.arguments import whole
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import MASK, MAZE, STEPS, Ahead, bits, key_from_seed, later, stream
from .maps.shipped import find_maze
from .observations import OBSERVATIONS
from .pictures.draw import draw
from .pictures.text import draw_text
from .pictures.trails import extend_trail, new_trail, read_trail
from .settings import (
    TimeLimit,
    accept,
    check_options,
    check_space,
    checked_info_names,
    state_at,
    steps_allowed,
)

_STACKED_TILES: Final = 2**22  # of a set of levels that are all compiled when the environment is made
_COMPILED_TILES: Final = 2**19  # at once, so that what is on the way to the tables stays small


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
        observation, view_size, slip, rewards, time_limit, info, discount, check: as in `MazeEnv`.
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
    ) -> None:
        known_info = checked_info_names(
            observation, info, render_mode, self.metadata["render_modes"], time_limit, discount
        )
        self.num_envs = whole("num_envs", num_envs, 1)
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.observation, self.view_size, self.render_mode = observation, view_size, render_mode
        self._rewards, self._slip, self._time_limit, self._check = checked_rewards(rewards), slip, time_limit, check
        # -1 is no limit, as in `gymnasium.make`
        limited = max_episode_steps not in (None, -1)
        self._longest = whole("max_episode_steps", max_episode_steps, 1) if limited else None
        self._info_names, self._discount = known_info, discount

        self._levels = maze if isinstance(maze, Levels) else None
        mazes = [maze.make(maze.draw(0))] if isinstance(maze, Levels) else self._find(maze)
        self.single_observation_space = self._space(mazes[0])
        self.single_action_space = spaces.Discrete(4)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

        lanes = self.num_envs
        self._all = np.arange(lanes)
        self._given = np.full(lanes, self._levels is None)  # the lanes whose maze is not drawn from the levels
        self._key = np.zeros(lanes, dtype=np.uint64)
        self._episode = np.full(lanes, -1)
        self._time = 0  # steps of the whole; each lane's own are counted from `_begun`
        self._begun, self._due = np.zeros(lanes, dtype=np.int64), np.full(lanes, -1)
        # time -> the lanes that are truncated then, unless they have ended before
        self._calendar: dict[int, list[Lanes]] = {}
        self._random = Ahead(lanes)  # what decides whether a move slips
        self._ended: Lanes | None = None  # by the last step, and not reset since
        self._ended_at_goal: NDArray[np.bool_] | None = None  # of lanes that were reset in the same step
        self._is_reset = False
        self._trails: list[NDArray[np.uint8]] = []
        self._draws_number = False  # whether the Atlas is of all levels, and a lane draws which
        self._ground: Atlas | Pool = self._ground_for(mazes)

    # what the lanes stand on

    def _find(self, maze: Any) -> list[Maze]:
        """Return the mazes that are meant: one for all lanes, or one for each."""
        if isinstance(maze, Maze | str | Path):
            return [find_maze(maze)]
        mazes = [find_maze(one) for one in maze]
        if len(mazes) != self.num_envs:
            raise ValueError(f"give one maze, or one for each of the {self.num_envs} lanes, not {len(mazes)}")
        return mazes

    def _compile(self, mazes: Maze | Sequence[Maze]) -> World:
        some = [mazes] if isinstance(mazes, Maze) else mazes
        size = max(1, _COMPILED_TILES // some[0].tiles.size)
        parts = [some[first : first + size] for first in range(0, len(some), size)]
        worlds = [World.compile(part, rewards=self._rewards, slip=self._slip) for part in parts]
        return worlds[0] if len(worlds) == 1 else World.stack(worlds)

    def _space(self, maze: Maze) -> spaces.Space[Any]:
        self._check(maze)
        return OBSERVATIONS[self.observation](self._compile(maze), self.view_size).space

    def _ground_for(self, mazes: list[Maze]) -> Atlas | Pool:
        levels = self._levels
        if levels is None:
            return self._atlas(mazes)
        keys = levels.keys and levels.keys[: self.num_envs if levels.pinned else None]
        if keys and len(keys) * mazes[0].tiles.size <= _STACKED_TILES:
            self._draws_number = True
            batch = levels.batch and levels.batch(np.array(keys, dtype=np.uint64))
            every = [levels.make(key) for key in keys] if batch is None else [Maze(tiles) for tiles in batch]
            return self._atlas(every, np.zeros(self.num_envs, dtype=np.int64))
        if levels.batch is None or self._check is not accept:
            return self._atlas(mazes)
        what = (self.observation, self.single_observation_space, self.view_size, self._info_names, self._discount)
        return Pool(levels, self._compile, *what, self.num_envs)

    def _atlas(self, mazes: Sequence[Maze], which: NDArray[np.int64] | None = None) -> Atlas:
        """Lay out mazes: one for all lanes, one for each, or those that `which` says for each."""
        if which is None:
            number: dict[Maze, int] = {}
            which = np.array([number.setdefault(maze, len(number)) for maze in mazes])
            mazes = list(number)
        for maze in mazes:
            self._check(maze)
        world = self._compile(mazes)
        if self.observation != "dots":
            kinds = {(maze.tiles.shape, inventory_size(maze)): maze for maze in mazes}
            for maze in kinds.values():  # these decide the spaces
                check_space(self._space(maze), self.single_observation_space)
        info = info_tables(world, self._info_names, self._discount, self._compile)
        limits = self._limits(np.array([int(maze.open.sum()) for maze in mazes]))
        which = np.broadcast_to(which, (self.num_envs,))
        return Atlas(world, self.observation, self.view_size, info, limits, which)

    def _limits(self, open_tiles: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the limits on steps, -1 for none, for mazes of so many open tiles."""
        limits = steps_allowed(self._time_limit, open_tiles)
        bounds = [limit for limit in (limits, self._longest) if limit is not None]
        return np.broadcast_to(np.minimum(bounds[0], bounds[-1]) if bounds else -1, open_tiles.shape)

    def maze_of(self, lane: int) -> Maze:
        """Return the maze that a lane is in."""
        ground = self._ground
        return ground.maze_of(lane) if isinstance(ground, Pool) else ground.world.mazes[ground.maze[lane]]

    def _with_mazes(self, lanes: Lanes, mazes: Sequence[Maze]) -> Atlas:
        """Return an Atlas where these lanes have these mazes, and the others stay where they are."""
        if len(lanes) == self.num_envs:
            return self._atlas(mazes)
        every = [self.maze_of(lane) for lane in range(self.num_envs)]
        for lane, maze in zip(lanes.tolist(), mazes, strict=True):
            every[lane] = maze
        atlas = self._atlas(every)
        stay = np.setdiff1d(self._all, lanes)
        atlas.put(stay, np.array([self._own_state(lane) for lane in stay.tolist()], dtype=np.int64))
        return atlas

    def _world_of(self, lane: int) -> tuple[World, int]:
        """Return a World with the lane's maze, and the lane's state in it."""
        ground = self._ground
        return ground.world_of(lane) if isinstance(ground, Pool) else (ground.world, int(ground.states()[lane]))

    def _own_state(self, lane: int) -> int:
        """Return the number of the lane's state in its own maze."""
        world, state = self._world_of(lane)
        return state - int(np.searchsorted(world.maze_of, world.maze_of[state]))

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
            What all lanes see, (num_envs, ...), and the info of those that were reset.

        Raises:
            ValueError: an unknown option, a mask of another shape or without a lane, a start where no agent can stand,
                a maze that does not fit the spaces, a seed out of its range.
            TypeError: a mask that is no bool array, a seed that is no integer.
        """
        options = options or {}
        check_options(options, ("maze", "start", "reset_mask"))
        lanes = self._masked(options.get("reset_mask"))
        key, episode = self._keys(seed, lanes)
        mazes = self._lanes_of(self._find(options["maze"]), lanes) if "maze" in options else None
        starts = self._starts(options["start"], lanes, mazes, key, episode) if "start" in options else None
        ground = self._ground if mazes is None else self._with_mazes(lanes, mazes)
        super().reset(seed=None if isinstance(seed, Sequence) else seed)
        self._key[lanes], self._episode[lanes] = key, episode - 1
        if mazes is not None:
            self._ground, self._draws_number, self._given[lanes] = ground, False, True
        self._begin(lanes, at_once=True)
        if starts is not None:
            self._put(lanes, *starts)
        if self._ended is not None:
            left = np.setdiff1d(self._ended, lanes)
            self._ended = left if len(left) else None
        self._ended_at_goal = None
        self._is_reset = True
        return self._ground.look(), self._told(self._ground.tell(lanes), lanes)

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

    def _lanes_of(self, many: list[Any], lanes: Lanes) -> list[Any]:
        """Return an entry for each of these lanes, of one for all or one for each lane there is."""
        return many * len(lanes) if len(many) == 1 else [many[lane] for lane in lanes.tolist()]

    def _keys(self, seed: Any, lanes: Lanes) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Return the keys and episodes that these lanes have after a reset with this seed."""
        if isinstance(seed, Sequence):
            if len(seed) != self.num_envs:
                raise ValueError(f"give one seed, or one for each of the {self.num_envs} lanes, not {len(seed)}")
            key, episode = self._keys(None, lanes)
            for place, one in enumerate(seed[lane] for lane in lanes.tolist()):
                if one is not None:
                    key[place], episode[place] = key_from_seed(operator.index(one)), 0
            return key, episode
        if seed is not None:
            first = operator.index(seed)
            if not 0 <= first <= MASK - self.num_envs + 1:
                raise ValueError(f"lane i has seed + i, an integer from 0 to 2**64 - 1; {first} does not do")
            key = np.asarray(key_from_seed(lanes.astype(np.uint64) + np.uint64(first)))
            return key, np.zeros(len(lanes), dtype=np.int64)
        key, episode = self._key[lanes], self._episode[lanes]
        unseeded = episode < 0
        if unseeded.any():
            fresh = key_from_seed(lanes.astype(np.uint64) + np.uint64(secrets.randbits(64)))
            key[unseeded] = np.asarray(fresh)[unseeded]
        return key, episode + 1

    def _starts(
        self, start: Any, lanes: Lanes, mazes: list[Maze] | None, key: NDArray[Any], episode: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where lanes are to begin, in the mazes that they are about to have: own states and cells."""
        try:
            one_for_all = all(isinstance(number, int | np.integer) for number in start)
            starts = [start] if one_for_all else list(start)
        except TypeError:
            starts = [start]
        if len(starts) not in (1, self.num_envs):
            raise ValueError(f"give one start, or one for each of the {self.num_envs} lanes, not {len(starts)}")
        if mazes is None:
            draws = zip(lanes.tolist(), key.tolist(), episode.tolist(), strict=True)
            mazes = [self._next_maze(*draw) for draw in draws]
        worlds: dict[Maze, World] = {}
        found: dict[tuple[Maze, Any], tuple[int, int]] = {}
        for maze, one in zip(mazes, self._lanes_of(starts, lanes), strict=True):
            if maze not in worlds:
                self._check(maze)
                worlds[maze] = self._compile(maze)
            state = state_at(worlds[maze], one)
            found[maze, tuple(one)] = state, int(worlds[maze].cell[state])
        pairs = [found[maze, tuple(one)] for maze, one in zip(mazes, self._lanes_of(starts, lanes), strict=True)]
        states, cells = np.array(pairs, dtype=np.int64).T
        return states, cells

    def _next_maze(self, lane: int, key: int, episode: int) -> Maze:
        """Return the maze of a lane's episode."""
        if self._levels is None or self._given[lane]:
            return self.maze_of(lane)
        return self._levels.make(self._levels.draw(int(bits(stream(key, episode), MAZE)), lane))

    def _put(self, lanes: Lanes, states: NDArray[np.int64], cells: NDArray[np.int64]) -> None:
        self._ground.put(lanes, cells if isinstance(self._ground, Pool) else states)

    def _begin(self, lanes: Lanes, at_once: bool) -> None:
        """Begin the next episode of lanes: now, or with the move that is about to be made."""
        self._episode[lanes] += 1
        ground, streams = self._ground, None
        if self._levels or ground.random:
            streams = np.asarray(stream(self._key[lanes], self._episode[lanes].astype(np.uint64)))
        if isinstance(ground, Pool):
            ground.renew(lanes, self._key[lanes], self._episode[lanes])
            limits = self._limits(ground.open_tiles(lanes))
        else:
            if self._levels and streams is not None:
                ground = self._draw_mazes(ground, self._levels, lanes, streams)
            limits = ground.limits[ground.maze[lanes]] if len(ground.limits) > 1 else ground.limits
        if ground.slips and streams is not None:  # asked of the mazes that were just drawn
            self._random.begin(lanes, streams, self._time + 1, STEPS)
        starts = ground.choose(lanes, streams)
        (ground.place if at_once else ground.announce)(lanes, starts)
        self._begun[lanes] = self._time
        if len(limits) == 1:
            self._note(lanes, int(limits[0]))
        else:
            for limit in np.unique(limits).tolist():
                self._note(lanes[limits == limit], limit)
        if self.render_mode is not None:
            self._trails = self._trails or [new_trail(self.maze_of(lane)) for lane in range(self.num_envs)]
            for lane in lanes.tolist():
                self._trails[lane] = new_trail(self.maze_of(lane))

    def _draw_mazes(self, ground: Atlas, levels: Levels, lanes: Lanes, streams: NDArray[np.uint64]) -> Atlas:
        """Let each lane draw its next level."""
        draws = np.asarray(bits(streams, MAZE))
        if self._draws_number:
            ground.maze[lanes] = levels.number(draws, lanes)
            return ground
        drawing = ~self._given[lanes]
        if drawing.any():  # the long way, where some lanes draw levels and others were given a maze
            lanes, draws = lanes[drawing], draws[drawing]
            pairs = zip(lanes.tolist(), draws.tolist(), strict=True)
            mazes = [levels.make(levels.draw(draw, lane)) for lane, draw in pairs]
            self._ground = ground = self._with_mazes(lanes, mazes)
        return ground

    def _note(self, lanes: Lanes, limit: int) -> None:
        """Write into the calendar when lanes are to be truncated; -1 is never."""
        self._due[lanes] = due = self._time + limit if limit >= 0 else -1
        if limit >= 0:
            self._calendar.setdefault(due, []).append(lanes)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move all lanes; Gymnasium's five values, each with an entry for each lane.

        Args:
            actions: (num_envs,) integers, 0 to 3.

        Raises:
            ValueError: actions of another shape, or not from 0 to 3.
            TypeError: actions that are no integers.
            gymnasium.error.ResetNeeded: there was no reset; with autoreset disabled, a lane's episode is over.
        """
        if type(actions) is not np.ndarray or actions.dtype != np.int64 or actions.shape != self._begun.shape:
            actions = self._as_actions(actions)
        if not 0 <= int(np.bitwise_or.reduce(actions)) <= 3:
            wrong = actions[(actions < 0) | (actions > 3)][0]
            raise ValueError(f"an action is 0 (up), 1 (right), 2 (left) or 3 (down), not {wrong}")
        ended = self._ended
        if not self._is_reset or (ended is not None and self.autoreset_mode is AutoresetMode.DISABLED):
            which = "" if ended is None else f" for lanes {', '.join(map(str, ended[:5].tolist()))} (by reset_mask)"
            raise gymnasium.error.ResetNeeded(f"call reset() first{which}")
        self._time = time = self._time + 1
        if ended is not None:
            self._begin(ended, at_once=False)
        ground = self._ground
        before = self._cells(ended) if self._trails else None
        special = ground.move(actions, self._random.at(time) if ground.slips else None)
        if before is not None:
            self._extend_trails(before)
        observations = ground.observe()

        lanes = self.num_envs
        rewards = np.full(lanes, ground.usual_reward) if ground.usual_reward else np.zeros(lanes)
        terminations, truncations = np.zeros(lanes, dtype=np.bool_), np.zeros(lanes, dtype=np.bool_)
        ended = None
        if special is not None:
            rewards[special], ends = ground.outcome(special)
            terminations[special] = ends
            ended = special[ends]
        if time in self._calendar:
            for due in self._calendar.pop(time):
                truncations[due[self._due[due] == time]] = True
            ended = np.flatnonzero(terminations | truncations)
        if ended is not None and not len(ended):
            ended = None
        infos: dict[str, Any] = {}
        self._ended_at_goal = None
        if ended is not None and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = self._reset_in_step(ended, observations)
            ended, ground = None, self._ground
        self._ended = ended
        if self._info_names:
            infos.update(self._told(ground.tell(), self._all))
        return observations, rewards, terminations, truncations, infos

    def _as_actions(self, actions: Any) -> NDArray[np.int64]:
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions are integers, not {actions.dtype}")
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions have shape ({self.num_envs},), one for each lane, not {actions.shape}")
        return actions.astype(np.int64)

    def _reset_in_step(self, ended: Lanes, observations: NDArray[Any]) -> dict[str, Any]:
        """Begin the next episodes of lanes that have ended; return what their last ones had left to say."""
        final = np.full(self.num_envs, None, dtype=object)
        last = observations[ended]
        final[ended] = last.tolist() if last.ndim == 1 else [*last.copy()]
        mask = self._mask(ended)
        infos = {
            "final_obs": final, "_final_obs": mask,
            "final_info": self._told(self._ground.tell(ended), ended), "_final_info": mask.copy(),
        }  # fmt: skip
        self._ended_at_goal = self.at_goal
        self._begin(ended, at_once=True)
        observations[ended] = self._ground.look(ended)
        return infos

    def _mask(self, lanes: Lanes) -> NDArray[np.bool_]:
        mask = np.zeros(self.num_envs, dtype=np.bool_)
        mask[lanes] = True
        return mask

    def _told(self, info: dict[str, NDArray[Any]], lanes: Lanes) -> dict[str, Any]:
        """Return the info of some lanes as arrays for all lanes, and their masks."""
        told: dict[str, Any] = {}
        for name, rows in info.items():
            if len(lanes) == self.num_envs:
                told[name] = rows
            else:
                told[name] = np.zeros((self.num_envs, *rows.shape[1:]), dtype=rows.dtype)
                told[name][lanes] = rows
            told[f"_{name}"] = self._mask(lanes)
        return told

    @property
    def at_goal(self) -> NDArray[np.bool_]:
        """(num_envs,): whether the agent has reached a goal; of lanes that the last step reset, whether it had."""
        return self._ground.at_goal() if self._ended_at_goal is None else self._ended_at_goal.copy()

    def action_masks(self) -> NDArray[np.bool_]:
        """Return False for the actions that surely leave an agent where it is, (num_envs, 4); all True where all do."""
        return self._ground.action_mask(self._discount).astype(np.bool_)

    # pictures

    def render(self) -> tuple[Any, ...] | None:
        """Return the frames ("rgb_array") or texts ("ansi"), one a lane."""
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: gymnasium.make_vec(..., render_mode="rgb_array")')
            return None
        if not self._is_reset:
            raise gymnasium.error.ResetNeeded("call reset() first")
        places = [self._world_of(lane) for lane in range(self.num_envs)]
        if self.render_mode == "ansi":
            return tuple(draw_text(world, state) for world, state in places)
        return tuple(draw(*place, trail=trail) for place, trail in zip(places, self._trails, strict=True))

    def _cells(self, but: Lanes | None = None) -> list[int]:
        """Return the cells that lanes are on, -1 for some."""
        cells = np.full(self.num_envs, -1)
        stay = self._all if but is None else np.setdiff1d(self._all, but)
        cells[stay] = self._ground.cells(stay)
        return cells.tolist()

    def _extend_trails(self, before: list[int]) -> None:
        for lane, (cell, next_cell) in enumerate(zip(before, self._cells(), strict=True)):
            if cell >= 0:
                extend_trail(self._trails[lane], cell, next_cell, self.maze_of(lane).width)

    # saved states

    def get_state(self) -> dict[str, Any]:
        """Return all that the rest of the episodes and those after depend on, as numbers and texts (JSON).

        Raises:
            gymnasium.error.ResetNeeded: there was no reset.
        """
        if not self._is_reset:
            raise gymnasium.error.ResetNeeded("call reset() first")
        texts: dict[str, int] = {}
        number = [texts.setdefault(self.maze_of(lane).to_text(), len(texts)) for lane in range(self.num_envs)]
        places = [self._world_of(lane) for lane in range(self.num_envs)]
        return {
            "mazes": list(texts),
            "maze": number,
            "given": self._given.tolist(),
            "cell": [int(world.cell[state]) for world, state in places],
            "carried": [int(world.carried[state]) for world, state in places],
            "steps": (self._time - self._begun).tolist(),
            "key": self._key.tolist(),
            "episode": self._episode.tolist(),
            "ended": [] if self._ended is None else self._ended.tolist(),
            "trails": [trail.tobytes().hex() for trail in self._trails] or None,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `get_state` returned, of this environment or of one that was made alike.

        Raises:
            ValueError: it is no such state, or its mazes do not fit; nothing has changed then.
        """
        restored = copy.copy(self)  # that all is written to
        try:
            restored._restore(state)
        except (TypeError, KeyError, IndexError, OverflowError, ValueError) as error:
            raise ValueError(f"this is not a state that get_state returned: {type(error).__name__}: {error}") from None
        vars(self).update(vars(restored))

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Replace all that a state decides, writing into no array that was there before."""
        lanes, count = self._all, self.num_envs
        texts = [Maze.from_text(text) for text in state["mazes"]]
        mazes = [texts[number] for number in state["maze"]]
        wanted = ("cell", "carried", "steps", "episode")
        cells, carried, steps, episode = (np.array(state[name], dtype=np.int64) for name in wanted)
        key, given = np.array(state["key"], dtype=np.uint64), np.array(state["given"], dtype=np.bool_)
        ended = np.unique(np.array(state["ended"], dtype=np.int64))
        if {column.shape for column in (cells, carried, steps, episode, key, given)} != {(count,)}:
            raise ValueError("its numbers are not one for each lane")
        if min(steps.min(), episode.min()) < 0 or not np.isin(ended, lanes).all():
            raise ValueError("its numbers are out of range")
        trails = [new_trail(maze) for maze in mazes]
        if state["trails"] is not None:
            trails = [read_trail(trail, maze) for trail, maze in zip(state["trails"], mazes, strict=True)]
        self._given, self._key, self._episode = given, key, episode - 1
        worlds: dict[Maze, World] = {}
        own = []
        columns = (column.tolist() for column in (cells, carried, key, episode))
        for lane, maze, cell, things, *which in zip(lanes.tolist(), mazes, *columns, strict=True):
            if self._levels and not given[lane] and maze != self._next_maze(lane, *which):
                raise ValueError(f"lane {lane} would not draw this maze")
            worlds[maze] = worlds.get(maze) or self._compile(maze)
            own.append(state_at(worlds[maze], divmod(cell, maze.width), things))

        as_made = self._levels is not None and not given.any()
        self._draws_number = False
        self._ground = self._ground_for(mazes[:1]) if as_made else self._atlas(mazes)
        self._random = Ahead(count)
        self._begun, self._due = np.zeros(count, dtype=np.int64), np.full(count, -1)
        self._is_reset, self._trails, self._time, self._calendar = True, [], 0, {}
        self._begin(lanes, at_once=True)
        self._put(lanes, np.array(own), cells)
        # the time goes on from 0; the episodes began before
        self._begun, self._calendar = -steps, {}
        going = self._due >= 0
        for due in np.unique(self._due[going] - steps[going]).tolist():
            self._calendar[due] = [np.flatnonzero(going & (self._due - steps == due))]
        self._due = np.where(going, self._due - steps, -1)
        if self._ground.slips:
            draws = np.asarray(stream(key, episode.astype(np.uint64)))
            self._random.begin(lanes, np.asarray(later(draws, steps.astype(np.uint64))), 1, STEPS)
        self._ended, self._ended_at_goal = (ended if len(ended) else None), None
        self._trails = trails if self.render_mode is not None else []

    def close_extras(self, **_: Any) -> None:
        """Do nothing, as nothing is open; Gymnasium's own refuses what `close` takes elsewhere, such as `terminate`."""


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = ", ".join(repr(mode.value) for mode in AutoresetMode)
        raise ValueError(f"unknown autoreset_mode {mode!r}; known: {known}") from None

"""A MazeEnv is a World with a clock: one agent, as a Gymnasium environment."""

import math
import operator
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .core.compile import checked_rewards
from .core.rules import Slips, slipped, transition
from .core.world import World
from .info import INFO
from .maps.directions import DOWN, LEFT, RIGHT, UP
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.randomness import MASK, MAZE, START, STEPS, bits, choice, key_from_seed, stream, uniform
from .maps.shipped import find_maze
from .observations import OBSERVATIONS, Observation
from .pictures.draw import draw, tile_size
from .pictures.text import draw_text
from .pictures.trails import extend_trail, new_trail, read_trail
from .pictures.window import Window
from .settings import (
    TimeLimit,
    accept,
    check_options,
    check_space,
    checked_info_names,
    state_at,
    steps_allowed,
)  # fmt: skip

_WINDOW_SIZE: Final = 640  # px of the longer side
_KEPT_BYTES: Final = 2**25  # of observations, and of moves
_MOVES_BYTES: Final = 500  # of the moves from one state, about
# what `_use` sets: not pickled, but compiled again
_DERIVED: Final = ("world", "_observations", "_moves", "_info", "_starts", "_slips", "_copies", "_limit", "_masks")
_KEPT_LEVELS: Final = 1024  # that stay compiled, of levels that can come again
# the arrow keys, as pygame and SDL number them
_ARROW_KEYS: Final = {1073741906: UP, 1073741903: RIGHT, 1073741904: LEFT, 1073741905: DOWN}


class _Compiled(NamedTuple):
    maze: Maze
    world: World
    observation_space: spaces.Space[Any]
    time_limit: int | None
    observations: "_Rows"
    moves: "_Rows"  # by direction: next state, reward, end
    info: dict[str, NDArray[Any]]  # by name: a table over states
    starts: list[int]
    slips: Slips | None  # None where nothing slips


class MazeEnv(gymnasium.Env[Any, Any]):
    """One agent in a maze. Actions are the directions UP, RIGHT, LEFT, DOWN = 0, 1, 2, 3.

    Args:
        maze: a Maze, a text, a file or a shipped name; or `Levels`, of which each reset draws one.
        observation: what the agent sees, a function of its state:

            - "dots": four bits, 1 where the neighbour up, right, left, down can be entered; a sign adds one.
            - "index": carried * height * width + row * width + column; `carried` is 0 without keys and items.
            - "position": (row, column).
            - "view": (view_size, view_size) tile codes, the agent in the middle; a code is the place of the tile in
              `LEGEND`, 0 (nothing) outside. Things taken and open doors are floor.
            - "map": (height, width) tile codes of the whole maze, the agent marked by the number after the last code.
            - "pixels": the picture, (height, width, 3), as `draw` makes it.
        view_size: the side of "view", odd, 999 at most.
        slip: the probability that a move goes sideways, ice apart; by default the maze's own, else 0.
        rewards: what things earn, over the maze's own, over the defaults `REWARDS`.
        time_limit: the number of steps after which an episode is truncated; "auto" is 4 times the open tiles, None is
            no limit.
        info: what the info of `reset` and `step` holds: "action_mask" ((4,) int8, 0 for actions that surely leave the
            agent where it is), "distance" (steps to a goal when nothing slips, -1 for no way), "optimal_action" (-1
            when the episode is over), "value" (the optimal expected return from here on), "state".
        discount: that of "optimal_action" and "value".
        render_mode: None, "human" (a window), "rgb_array" (frames) or "ansi" (text).
        check: called with each maze that is to be used; raises MazeError if it will not do.

    Raises:
        ValueError: an unknown observation, reward, option, info or render mode, or a number out of its range.
        MazeError: (a ValueError) the maze cannot be used.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        maze: Maze | str | Path | Levels = "four_rooms",
        *,
        observation: str = "dots",
        view_size: int = 7,
        slip: float | None = None,
        rewards: Mapping[str, float] = MappingProxyType({}),
        time_limit: TimeLimit = "auto",
        info: Sequence[str] = (),
        discount: float = 0.99,
        render_mode: str | None = None,
        check: Callable[[Maze], None] = accept,
    ) -> None:
        known_info = checked_info_names(
            observation, info, render_mode, self.metadata["render_modes"], time_limit, discount
        )
        self.observation, self.view_size, self.render_mode = observation, view_size, render_mode
        self._rewards, self._slip, self._time_limit, self._check = checked_rewards(rewards), slip, time_limit, check
        self._info_names, self._discount = known_info, discount
        self._key: int | None = None
        self._episode = 0
        self._window = Window()
        self.action_space = spaces.Discrete(4)
        self._state: int | None = None
        self._trail: NDArray[np.uint8] | None = None
        self._levels = maze if isinstance(maze, Levels) else None
        self._given = False  # whether an option of `reset` put a maze in their place
        self._kept: dict[int, _Compiled] = {}
        compiled = self._level(maze, 0) if isinstance(maze, Levels) else self._compile(find_maze(maze))
        self._use(compiled)
        self.observation_space = compiled.observation_space

    def _compile(self, maze: Maze) -> _Compiled:
        self._check(maze)
        world = World.compile(maze, rewards=self._rewards, slip=self._slip)
        observation = OBSERVATIONS[self.observation](world, self.view_size)
        size = math.prod(observation.space.shape or ()) * (observation.space.dtype or np.dtype(np.int64)).itemsize
        return _Compiled(
            maze=maze,
            world=world,
            observation_space=observation.space,
            time_limit=steps_allowed(self._time_limit, int(maze.open.sum())),
            observations=_Rows(partial(_seen_from, observation), _KEPT_BYTES // size),
            moves=_Rows(partial(_moves_from, world), _KEPT_BYTES // _MOVES_BYTES),
            info={name: INFO[name](world, self._discount) for name in self._info_names},
            starts=world.start_states.tolist(),
            slips=Slips(world.slip.tolist()) if world.slip.any() else None,
        )

    def _level(self, levels: Levels, draw: int) -> _Compiled:
        """Compile the level for 64 random bits, or find it compiled: those of a given set come again."""
        key = levels.draw(draw)
        compiled = self._kept.get(key) or self._compile(levels.make(key))
        if levels.keys is not None and len(self._kept) < _KEPT_LEVELS:
            self._kept[key] = compiled
        return compiled

    def _use(self, compiled: _Compiled) -> None:
        self.maze, self.world, self.time_limit = compiled.maze, compiled.world, compiled.time_limit
        self._observations, self._moves, self._starts = compiled.observations, compiled.moves, compiled.starts
        self._info, self._slips = compiled.info, compiled.slips
        self._copies = compiled.observation_space.shape != ()
        self._limit = math.inf if self.time_limit is None else self.time_limit
        self._masks: NDArray[np.int8] | None = None

    @property
    def state(self) -> int:
        """The number of the agent's state in `world`."""
        if self._state is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        return self._state

    @property
    def at_goal(self) -> bool:
        """Whether the agent has reached a goal."""
        return bool(self.world.goal[self.state])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: 0 to 2**64 - 1; the same seed gives the same episodes, on every machine. Without one the lane goes on
                with its next episode.
            options: `maze` (as in the constructor; it stays until the next one given) and `start`, a (row, column).

        Raises:
            ValueError: an unknown option, a start where no agent can stand, a maze that does not fit the spaces.
        """
        key = int(key_from_seed(operator.index(seed))) if seed is not None else self._key
        if key is None:
            key = int(key_from_seed(secrets.randbits(64)))
        episode = 0 if seed is not None or self._key is None else self._episode + 1
        draws = int(stream(key, episode))
        compiled, start = self._read_options(options or {}, draws)
        super().reset(seed=seed)
        if compiled:
            self._use(compiled)
        self._given |= "maze" in (options or {})
        self._key, self._episode, self._stream = key, episode, draws
        self._state = self._starts[int(choice(draws, START, len(self._starts)))] if start is None else start
        self._steps = 0
        if self.render_mode is not None:
            self._trail = new_trail(self.maze)
        if self.render_mode == "human":
            self.render()
        observation = self._observations[self._state]
        return observation.copy() if self._copies else observation, self._tell() if self._info else {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move; Gymnasium's five values.

        Raises:
            ValueError: the action is not one of 0, 1, 2, 3.
            TypeError: the action is not an integer.
            gymnasium.error.ResetNeeded: there was no reset.
        """
        state = self._state
        try:
            moves = self._moves[state]
            move = moves[action]
            if action < 0:
                raise IndexError
        except (TypeError, IndexError):
            raise self._refusal(action) from None
        if self._slips:
            move = moves[slipped(self._slips, state, int(action), uniform(self._stream, STEPS + self._steps))]
        self._state, reward, terminated = move
        self._steps += 1
        if self._trail is not None:
            cell = self.world.cell
            extend_trail(self._trail, int(cell[state]), int(cell[self.state]), self.maze.width)
            if self.render_mode == "human":
                self.render()
        observation = self._observations[self._state]
        if self._copies:
            observation = observation.copy()
        truncated = self._steps >= self._limit
        return observation, reward, terminated, truncated, self._tell() if self._info else {}

    def _refusal(self, action: Any) -> Exception:
        if self._state is None:
            return gymnasium.error.ResetNeeded("call reset() first")
        kind = ValueError if isinstance(action, int | np.integer) else TypeError
        return kind(f"an action is 0 (up), 1 (right), 2 (left) or 3 (down), not {action!r}")

    def _tell(self) -> dict[str, Any]:
        rows = {name: table[self._state] for name, table in self._info.items()}
        return {name: row.copy() if row.ndim else row.item() for name, row in rows.items()}

    def action_masks(self) -> NDArray[np.bool_]:
        """Return False for the actions that surely leave the agent where it is, (4,); all True where all do."""
        if self._masks is None:
            self._masks = INFO["action_mask"](self.world, self._discount)
        return self._masks[self.state].astype(bool)

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """Return the arrow keys and w, d, a, s, for `gymnasium.utils.play` (with `wait_on_player=True`)."""
        letters = {ord(letter): action for letter, action in zip("wdas", (UP, RIGHT, LEFT, DOWN), strict=True)}
        return {(key,): action for key, action in {**_ARROW_KEYS, **letters}.items()}

    def get_state(self) -> dict[str, Any]:
        """Return all that the rest of the episode and the episodes after it depend on, as numbers and texts (JSON).

        Raises:
            gymnasium.error.ResetNeeded: there was no reset.
        """
        cell = int(self.world.cell[self.state])
        return {
            "maze": self.maze.to_text(),
            "given": self._given,
            "position": list(divmod(cell, self.maze.width)),
            "carried": int(self.world.carried[self.state]),
            "steps": self._steps,
            "key": self._key,
            "episode": self._episode,
            "trail": None if self._trail is None else self._trail.tobytes().hex(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `get_state` returned, of this environment or of one that was made alike.

        Raises:
            ValueError: it is no such state, or its maze does not fit; nothing has changed then.
        """
        try:
            maze, trail = Maze.from_text(state["maze"]), state["trail"]
            compiled = None if maze == self.maze else self._fitting(maze)
            world = self.world if compiled is None else compiled.world
            place = state_at(world, state["position"], operator.index(state["carried"]))
            steps, key, episode = (operator.index(state[name]) for name in ("steps", "key", "episode"))
            given = bool(state["given"])
            crossed = new_trail(maze) if trail is None else read_trail(trail, maze)
            if min(steps, episode) < 0 or not 0 <= key <= MASK:
                raise ValueError("its numbers are out of range")
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"this is not a state that get_state returned: {type(error).__name__}: {error}") from None
        if compiled:
            self._use(compiled)
        self._given = given
        self._state, self._steps, self._key, self._episode = place, steps, key, episode
        self._stream = int(stream(key, episode))
        self._trail = None if self.render_mode is None else crossed

    def __getstate__(self) -> dict[str, Any]:
        return {**{name: value for name, value in vars(self).items() if name not in _DERIVED}, "_kept": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._use(self._compile(self.maze))

    def _read_options(self, options: dict[str, Any], draws: int) -> tuple[_Compiled | None, int | None]:
        """Return the next maze, if it is another, and the start, if the options of `reset` say it; changes nothing."""
        check_options(options)
        compiled = None
        if "maze" in options:
            compiled = self._fitting(find_maze(options["maze"]))
        elif self._levels and not self._given:
            compiled = self._level(self._levels, int(bits(draws, MAZE)))
        if "start" not in options:
            return compiled, None
        return compiled, state_at(compiled.world if compiled else self.world, options["start"])

    def _fitting(self, maze: Maze) -> _Compiled:
        compiled = self._compile(maze)
        check_space(compiled.observation_space, self.observation_space)
        return compiled

    def render(self) -> NDArray[np.uint8] | str | None:
        """Return the frame ("rgb_array") or the text ("ansi"), or show the window ("human").

        Raises:
            WindowClosed: the user closed the window; it is a SystemExit, so uncaught it ends the program quietly.
            NoDisplayError: there is no display for "human".
        """
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: gymnasium.make(..., render_mode="rgb_array")')
            return None
        if self.render_mode == "ansi":
            return draw_text(self.world, self.state)
        human = self.render_mode == "human"
        tile = tile_size(self.maze, _WINDOW_SIZE, _WINDOW_SIZE) if human else None
        frame = draw(self.world, self.state, trail=self._trail, tile=tile)
        if not human:
            return frame
        self._window.show(frame, self.metadata["render_fps"])
        return None

    def close(self) -> None:
        """Close the window, if there is one; again is fine."""
        self._window.close()


class _Rows(dict[Any, Any]):
    """Rows of tables by state, laid out as plain Python reads them fastest, each when it is first asked for.

    Args:
        row: function from a state to its row.
        kept: the number of rows that are kept at most; others are made again and again.
    """

    def __init__(self, row: Callable[[int], Any], kept: int) -> None:
        super().__init__()
        self._row, self._kept = row, kept

    def __missing__(self, state: int) -> Any:
        row = self._row(operator.index(state))
        if len(self) < self._kept:
            self[state] = row
        return row


def _moves_from(world: World, state: int) -> list[tuple[int, float, bool]]:
    next_state, reward, end = transition(world, state, np.arange(4))
    return list(zip(next_state.tolist(), reward.tolist(), end.tolist(), strict=True))


def _seen_from(observation: Observation, state: int) -> Any:
    seen = observation.look(np.array([state]))[0]
    return seen if seen.ndim else seen.item()

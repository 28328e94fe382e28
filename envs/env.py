"""A MazeEnv is a World with a clock: one agent, as a Gymnasium environment."""

import operator
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .directions import DOWN, LEFT, RIGHT, UP
from .draw import draw, draw_text, extend_trail, new_trail, tile_size
from .maze import Maze, nearest
from .observations import OBSERVATIONS
from .randomness import START, STEPS, choice, key_from_seed, stream, uniform
from .rules import slipped, transition
from .shipped import find_maze
from .window import Window
from .world import World

_WINDOW_SIZE: Final = 640  # px of the longer side


class _Compiled(NamedTuple):
    maze: Maze
    world: World
    observation_space: spaces.Space[Any]
    time_limit: int | None
    observations: list[Any]  # by state
    moves: list[list[tuple[int, float, bool]]]  # by state and direction: next state, reward, end
    starts: list[int]
    slippery: bool


class MazeEnv(gymnasium.Env[Any, int]):
    """One agent in a maze. Actions are the directions UP, RIGHT, LEFT, DOWN = 0, 1, 2, 3.

    Args:
        maze: a Maze, a text, a file or a shipped name.
        observation: "dots", four bits, 1 where a dot lies up, right, left, down of the agent; or "index", the cell as
            row * width + column.
        slip: the probability that a move goes sideways; by default the maze's own, else 0.
        rewards: what things earn, over the defaults: {"goal": 1, "step": 0}.
        time_limit: the number of steps after which an episode is truncated; "auto" is 4 times the open tiles, None is
            no limit.
        render_mode: None, "human" (a window), "rgb_array" (frames) or "ansi" (text).
        check: called with each maze that is to be used; raises MazeError if it will not do.

    Raises:
        ValueError: an unknown observation, reward, option or render mode, or a number out of its range.
        MazeError: (a ValueError) the maze cannot be used.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        maze: Maze | str = "four_rooms",
        *,
        observation: str = "dots",
        slip: float | None = None,
        rewards: Mapping[str, float] = MappingProxyType({}),
        time_limit: int | Literal["auto"] | None = "auto",
        render_mode: str | None = None,
        check: Callable[[Maze], None] = lambda maze: None,
    ) -> None:
        if observation not in OBSERVATIONS:
            raise ValueError(f"unknown observation {observation!r}{nearest(observation, OBSERVATIONS)}")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"unknown render mode {render_mode!r}{nearest(render_mode, self.metadata['render_modes'])}")
        if time_limit not in ("auto", None) and not (isinstance(time_limit, int) and time_limit > 0):
            raise ValueError(f'time_limit is "auto", None or a positive number of steps, not {time_limit!r}')
        self.observation = observation
        self.render_mode = render_mode
        self._rewards, self._slip, self._time_limit, self._check = dict(rewards), slip, time_limit, check
        self._key: int | None = None
        self._episode = 0
        self._window = Window()
        self.action_space = spaces.Discrete(4)
        self._state: int | None = None
        compiled = self._compile(find_maze(maze))
        self._use(compiled)
        self.observation_space = compiled.observation_space

    def _compile(self, maze: Maze) -> _Compiled:
        """Lay a maze's tables out as lists: plain Python reads them several times faster than arrays."""
        self._check(maze)
        world = World.compile(maze, rewards=self._rewards, slip=self._slip)
        space, table = OBSERVATIONS[self.observation](world)
        states = np.arange(world.states)[:, None]
        next_states, rewards, ends = (table.tolist() for table in transition(world, states, np.arange(4)))
        return _Compiled(
            maze=maze,
            world=world,
            observation_space=space,
            time_limit=4 * int(maze.open.sum()) if self._time_limit == "auto" else self._time_limit,
            observations=table.tolist() if table.ndim == 1 else list(table),
            moves=[list(zip(*row, strict=True)) for row in zip(next_states, rewards, ends, strict=True)],
            starts=world.start_states.tolist(),
            slippery=bool(world.slip.any()),
        )

    def _use(self, compiled: _Compiled) -> None:
        self.maze, self.world, self.time_limit = compiled.maze, compiled.world, compiled.time_limit
        self._observations, self._moves, self._starts = compiled.observations, compiled.moves, compiled.starts
        self._slippery = compiled.slippery

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
            ValueError: an unknown option, a start that cannot be entered, a maze that does not fit the observation space.
        """
        key = key_from_seed(operator.index(seed)) if seed is not None else self._key
        compiled, start = self._read_options(options or {})
        super().reset(seed=seed)
        if compiled:
            self._use(compiled)
        if key is None:
            key = key_from_seed(secrets.randbits(64))
        self._episode = 0 if seed is not None or self._key is None else self._episode + 1
        self._key = key
        self._stream = stream(key, self._episode)
        self._state = self._starts[choice(self._stream, START, len(self._starts))] if start is None else start
        self._steps = 0
        if self.render_mode is not None:
            self._trail = new_trail(self.maze)
        if self.render_mode == "human":
            self.render()
        return self._observe(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move; Gymnasium's five values.

        Raises:
            ValueError: the action is not one of 0, 1, 2, 3.
            gymnasium.error.ResetNeeded: there was no reset.
        """
        state = self.state
        if action not in (UP, RIGHT, LEFT, DOWN):
            raise ValueError(f"an action is 0 (up), 1 (right), 2 (left) or 3 (down), not {action!r}")
        if self._slippery:
            action = int(slipped(self.world, state, action, uniform(self._stream, STEPS + self._steps)))
        self._state, reward, terminated = self._moves[state][action]
        self._steps += 1
        truncated = self.time_limit is not None and self._steps >= self.time_limit
        if self.render_mode is not None:
            extend_trail(self._trail, *self.world.cell[[state, self._state]].tolist(), self.maze.width)
            if self.render_mode == "human":
                self.render()
        return self._observe(), reward, terminated, truncated, {}

    def _observe(self) -> Any:
        observation = self._observations[self._state]
        return observation.copy() if isinstance(observation, np.ndarray) else observation

    def _read_options(self, options: dict[str, Any]) -> tuple[_Compiled | None, int | None]:
        """Return the maze and the start that the options of `reset` ask for; changes nothing."""
        for name in options:
            if name not in ("maze", "start"):
                raise ValueError(f"unknown option {name!r}{nearest(str(name), ('maze', 'start'))}")
        compiled = self._compile(find_maze(options["maze"])) if "maze" in options else None
        if compiled and compiled.observation_space != self.observation_space:
            raise ValueError(f"this maze's observations, {compiled.observation_space}, are not the declared {self.observation_space}")
        world = compiled.world if compiled else self.world
        return compiled, _state_at(world, options["start"]) if "start" in options else None

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


def _state_at(world: World, position: tuple[int, int]) -> int:
    row, column = (operator.index(number) for number in position)
    height, width = world.mazes[0].tiles.shape
    if 0 <= row < height and 0 <= column < width:
        for state in np.flatnonzero(world.cell == row * width + column)[:1]:
            return int(state)
    raise ValueError(f"an episode cannot start at row {row}, column {column} (both from 0): there is no dot")

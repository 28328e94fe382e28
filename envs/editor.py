"""A MazeEditor is an environment whose agent draws a maze: the adversary, or teacher, of another agent."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from .core.scene import TILE_CODES
from .maps.arguments import whole
from .maps.maze import Maze
from .pictures.draw import draw_place

WALL, FLOOR, START, GOAL = b"#.SG"


class MazeEditor(gymnasium.Env[dict[str, Any], Any]):
    """Draw a maze tile by tile, as the teacher of PAIRED does (Dennis et al. 2020).

    The first action is where the goal is, the second where the agent starts; each further one turns floor into a wall,
    or a wall into floor. An action on the goal or the start changes nothing; a start that would be on the goal goes to
    the first free tile. The episode ends when all edits are made; its maze is in `info["maze"]`, as text.

    Observations: {"map": (height + 2, width + 2) uint8, the tiles by their `TILE_CODES`, in a border of walls;
    "edits": how many were made}. Actions: the number of a tile, row * width + column, inside the border.

    Args:
        size: (height, width) of what is drawn, without the border.
        edits: how many actions an episode has, the goal and the start included.
        reward: from the finished maze to the reward of the last action, such as another agent's regret; by default 0.
        render_mode: None or "rgb_array".

    Raises:
        ValueError: fewer than two tiles or edits, an unknown render mode.
        TypeError: sizes or edits that are not integers.

    Example:
        >>> from mazegrad.envs import MazeEditor
        >>> env = MazeEditor(size=(2, 3), edits=3)
        >>> observation, _ = env.reset(seed=0)
        >>> for tile in (2, 0, 1):  # the goal, the start, a wall between them
        ...     observation, reward, terminated, truncated, info = env.step(tile)
        >>> print(info["maze"])
        #####
        #S#G#
        #...#
        #####
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        size: tuple[int, int] = (13, 13),
        edits: int = 52,
        *,
        reward: Callable[[Maze], float] | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"unknown render mode {render_mode!r}; known: None, 'rgb_array'")
        height, width = (whole("size", number, 1) for number in size)
        if height * width < 2:
            raise ValueError("a maze needs room for a start and a goal: size=(1, 2) at least")
        self.edits, self.render_mode = whole("edits", edits, 2), render_mode
        self._reward = reward
        self._tiles = np.full((height, width), FLOOR, dtype=np.uint8)
        self._made = -1
        self.action_space = spaces.Discrete(height * width)
        self.observation_space = spaces.Dict(
            {
                "map": spaces.Box(0, int(TILE_CODES.max()), (height + 2, width + 2), np.uint8),
                "edits": spaces.Discrete(self.edits + 1),
            }
        )

    @property
    def maze(self) -> Maze:
        """The maze as it is drawn now."""
        return Maze(np.pad(self._tiles, 1, constant_values=WALL))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin a maze that is all floor.

        Raises:
            ValueError: any option; there are none.
        """
        super().reset(seed=seed)
        if options:
            raise ValueError(f"reset has no options here, not {', '.join(map(repr, options))}")
        self._tiles[:] = FLOOR
        self._made = 0
        return self._observed(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Make an edit.

        Raises:
            ValueError: an action that is not a tile.
            gymnasium.error.ResetNeeded: the maze is finished, or was not begun.
        """
        if not 0 <= self._made < self.edits:
            raise gymnasium.error.ResetNeeded("call reset() first")
        place, flat = whole("action", action, 0, self._tiles.size - 1), self._tiles.reshape(-1)
        if self._made == 0:
            flat[place] = GOAL
        elif self._made == 1:
            flat[place if flat[place] == FLOOR else np.flatnonzero(flat == FLOOR)[0]] = START
        elif flat[place] in (FLOOR, WALL):
            flat[place] = WALL if flat[place] == FLOOR else FLOOR
        self._made += 1
        if self._made < self.edits:
            return self._observed(), 0.0, False, False, {}
        maze = self.maze
        reward = 0.0 if self._reward is None else float(self._reward(maze))
        return self._observed(), reward, True, False, {"maze": maze.to_text()}

    def _observed(self) -> dict[str, Any]:
        return {"map": TILE_CODES[self.maze.tiles], "edits": np.int64(self._made)}

    def render(self) -> Any:
        """Return a picture of the maze, (height, width, 3) uint8, for "rgb_array"."""
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: MazeEditor(render_mode="rgb_array")')
            return None
        return draw_place(self.maze)

"""Several agents in one maze as PettingZoo has them: a `ParallelEnv` over one lane of `ParallelMazes`."""

import copy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from .maps.legend import LAST_CODE
from .observations.sight import listed
from .parallel import ParallelMazes
from .pictures.draw import tile_size
from .pictures.window import Window

_WINDOW_SIZE = 640  # px of the longer side


class ParallelMaze(ParallelEnv):  # type: ignore[misc, unused-ignore]
    """Agents in one maze, by name: dicts of observations, rewards, ends and infos.

    Args:
        mazes: the agents, in one lane.
    """

    def __init__(self, mazes: ParallelMazes) -> None:
        self.mazes, self.metadata, self.render_mode = mazes, mazes.metadata, mazes.render_mode
        self.possible_agents = list(mazes.names)
        self.agents: list[str] = []
        self.observation_spaces = {name: _copy(mazes.single_observation_space) for name in self.possible_agents}
        self.action_spaces = {name: _copy(mazes.single_action_space) for name in self.possible_agents}
        height, width = mazes.maze_of(0).tiles.shape
        self.state_space = spaces.Box(0, LAST_CODE + mazes.num_agents, (height, width), np.uint8)
        self._window = Window()

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return what an agent observes; always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the actions of an agent; always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begin an episode with all agents.

        Args:
            seed: 0 to 2**64 - 1, or None to go on with the next episode.
            options: `maze` and `start`, see `ParallelMazes.reset`; "options" does nothing (PettingZoo's own test hands
                it over).
        """
        kept = {name: value for name, value in (options or {}).items() if name != "options"}
        seen, infos = self.mazes.reset(seed=seed, options=kept)
        self.agents = list(self.possible_agents)
        if self.render_mode == "human":
            self.render()
        return self._seen(seen), self._infos(infos)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Move all agents at once.

        Args:
            actions: by name, one for each agent of `agents`; others are ignored.

        Raises:
            ValueError: an action that is missing, or not in the action space.
            TypeError: an action that is not an integer.
        """
        if not self.agents:
            if self.mazes.episode_is_over:
                return {}, {}, {}, {}, {}
            raise gymnasium.error.ResetNeeded("call reset() first")
        missing = [name for name in self.agents if name not in actions]
        if missing:
            raise ValueError(f"an action is missing for {', '.join(missing)}")
        row = np.array([actions[name] if name in self.agents else 0 for name in self.possible_agents])
        seen, rewards, terminations, truncations, infos = self.mazes.step(row[None])
        moved = self.agents
        taken = (self._seen(seen), self._by_name(rewards), self._by_name(terminations), self._by_name(truncations))
        result = (*taken, self._infos(infos))
        self.agents = [name for name, on in zip(self.possible_agents, self.mazes.live[0].tolist(), strict=True) if on]
        if self.render_mode == "human":
            self.render()
        assert all(set(part) == set(moved) for part in result)
        return result

    def _seen(self, seen: Any) -> dict[str, Any]:
        lane = {name: part[0] for name, part in seen.items()} if isinstance(seen, dict) else seen[0]
        rows = listed(lane, np.arange(len(self.possible_agents)))
        return {name: row for name, row in zip(self.possible_agents, rows, strict=True) if name in self.agents}

    def _by_name(self, rows: NDArray[Any]) -> dict[str, Any]:
        pairs = zip(self.possible_agents, rows[0].tolist(), strict=True)
        return {name: value for name, value in pairs if name in self.agents}

    def _infos(self, infos: dict[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
        def one(row: Any) -> Any:
            return row.copy() if row.ndim else np.array(row) if row.dtype == np.bool_ else row  # as in `MazeEnv`

        return {
            name: {key: one(rows[0, number]) for key, rows in infos.items()}
            for number, name in enumerate(self.possible_agents)
            if name in self.agents
        }

    def state(self) -> NDArray[np.uint8]:
        """Return the maze as tile codes, with agent i as `LAST_CODE` + 1 + i, (height, width)."""
        return self.mazes.state()[0]

    def render(self) -> NDArray[np.uint8] | str | None:
        """Return the frame ("rgb_array") or the text ("ansi"), or show the window ("human").

        Raises:
            WindowClosed: the user closed the window.
            NoDisplayError: there is no display for "human".
        """
        if self.render_mode != "human":
            frames = self.mazes.render()
            return None if frames is None else frames[0]
        tile = tile_size(self.mazes.maze_of(0), _WINDOW_SIZE, _WINDOW_SIZE)
        self._window.show(self.mazes.frame(0, tile=tile), self.metadata["render_fps"])
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()


def _copy(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """Return a space of an agent's own: it is seeded by itself."""
    return copy.deepcopy(space)

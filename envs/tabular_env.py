"""A TabularMDPEnv steps through any decision process: one agent, as a Gymnasium environment."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from numpy.typing import NDArray

from .clock import renewed
from .core.world import World
from .engines.chances import Chance
from .maps.randomness import MASK, START, STEPS, bits, sight, stream
from .options import check_options
from .pictures.draw import draw, tile_size
from .pictures.text import draw_text
from .pictures.window import Window
from .planning.mdp import TabularMDP
from .saved import checked_number
from .tabular_settings import Process, TableState

_WINDOW_SIZE: Final = 640  # px of the longer side


class TabularMDPEnv(gymnasium.Env[Any, Any]):
    """One agent in a decision process given by its tables, `mazegrad/Tabular-v0`.

    Args:
        mdp: a TabularMDP; or a World, whose process it is; or a name of `POMDPS`; or a file, that `TabularMDP.save`
            wrote or a `.POMDP`.
        observation: "observation" (the number of what is observed; where nothing is before the first action, a reset
            shows one number more) or "state" (the row of every table).
        time_limit: the number of steps after which an episode is truncated; None for no limit.
        info: what the info of `reset` and `step` holds: "state", "value" (the optimal expected return from here on, for
            one who knows the state), "optimal_actions" ((A,) int8, 1 for the actions of that value, 0 for all when the
            episode is over), "optimal_action" (the first of them, or -1).
        discount: that of `info`.
        render_mode: None or "ansi"; where the cells of states are known also "human" (a window) and "rgb_array".
        world: a World whose states are those of the process, to be drawn; of a World as `mdp` it is this one.

    Raises:
        ValueError: an unknown observation, info or render mode, a number out of its range, a world with other states.
        TypeError: something else than a process.

    Example:
        >>> from mazegrad.envs import TabularMDPEnv
        >>> env = TabularMDPEnv("tiger")
        >>> env.action_space, env.reset(seed=0)[0]  # nothing is heard yet: observation 2
        (Discrete(3), 2)
        >>> observation, reward, terminated, truncated, info = env.step(0)  # listen
        >>> observation, reward
        (1, -1.0)
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        mdp: TabularMDP | World | str | Path,
        *,
        observation: str = "observation",
        time_limit: int | None = None,
        info: str | Sequence[str] = (),
        discount: float = 0.99,
        render_mode: str | None = None,
        world: World | None = None,
    ) -> None:
        self._process = Process.checked(
            mdp, world=world, observation=observation, time_limit=time_limit, info=info, discount=discount,
            render_mode=render_mode, render_modes=self.metadata["render_modes"],
        )  # fmt: skip
        self.mdp, self.world, self.render_mode = self._process.mdp, self._process.world, render_mode
        self.action_space, self.observation_space = self._process.actions, self._process.space
        self.time_limit = self._process.time_limit
        self._limit = math.inf if self.time_limit is None else self.time_limit
        self._chance = Chance(self._process.chances, self.mdp)
        self._seen = self._process.shown.tolist()
        self._key: int | None = None
        self._state = self._episode = self._stream = self._steps = self._shown = 0
        self._window = Window()

    @property
    def state(self) -> int:
        """The number of the agent's state."""
        self._need_reset()
        return self._state

    @property
    def observation_kind(self) -> str:
        """What is observed: "observation" or "state"."""
        return self._process.observation

    @property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """`P[state][action] = [(probability, next state, reward, terminated), ...]`, as in Gymnasium's toy text."""
        return self.mdp.to_gymnasium_P()

    @property
    def digest(self) -> str:
        """SHA-256 of the tables, in hexadecimal."""
        return self._process.digest

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: 0 to 2**64 - 1; the same seed gives the same episodes, on every machine. Without one the next episode
                follows.
            options: `state`, where to begin.

        Raises:
            ValueError: an unknown option, a state that does not exist, a seed out of its range.
            TypeError: a seed or a state that is not an integer.
        """
        options = options or {}
        check_options(options, ("state",))
        begin = self._process.is_state(options["state"]) if "state" in options else None
        key, episode = renewed(seed, self._key, self._episode)
        super().reset(seed=seed if seed is None else int(seed))
        self._key, self._episode, self._stream, self._steps = key, episode, int(stream(key, episode)), 0
        self._state = self._chance.begin(int(bits(self._stream, START)) >> 11) if begin is None else begin
        if self.render_mode == "human":
            self.render()
        self._shown = self._look(None)
        return self._shown, self._info_now()

    def _look(self, action: int | None) -> int:
        """Return what is observed now, after an action or at the start."""
        process = self._process
        if not process.noisy:
            return int(self._seen[self._state])
        if action is None and process.late:
            return process.mdp.observations
        random = int(bits(sight(self._stream), self._steps)) >> 11
        return self._chance.see(action or 0, self._state, random)

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move; return Gymnasium's five values.

        Raises:
            ValueError: the action does not exist.
            TypeError: the action is not an integer.
            gymnasium.error.ResetNeeded: there was no reset.
        """
        self._need_reset()
        if action not in self.action_space or isinstance(action, bool):
            kind = ValueError if isinstance(action, int | np.integer) else TypeError
            raise kind(f"an action is a number from 0 to {self._process.actions.n - 1}, not {action!r:.80}")
        random = int(bits(self._stream, STEPS + self._steps)) >> 11
        self._state, reward, over = self._chance.move(self._state, int(action), random)
        self._steps += 1
        if self.render_mode == "human":
            self.render()
        self._shown = self._look(int(action))
        return self._shown, reward, over, self._steps >= self._limit, self._info_now()

    def _need_reset(self) -> None:
        if self._key is None:
            raise gymnasium.error.ResetNeeded("call reset() first")

    def _info_now(self) -> dict[str, Any]:
        rows = {name: table[self._state] for name, table in self._process.tables.items()}
        return {name: row.copy() if row.ndim else row.item() for name, row in rows.items()}

    def get_state(self) -> TableState:
        """Return all that the rest of the episode and the episodes after it depend on.

        Raises:
            gymnasium.error.ResetNeeded: there was no reset.
        """
        self._need_reset()
        return TableState(self._state, self._steps, self._key, self._episode, self._shown)

    def set_state(self, state: TableState) -> None:
        """Go back to what `get_state` returned, of this environment or of one that was made alike.

        Raises:
            ValueError: it is not such a state; nothing has changed then.
        """
        try:
            place, steps, key, episode, seen, _ = state
            place = self._process.is_state(place)
            steps, episode = checked_number("steps", steps, 2**63), checked_number("episode", episode, 2**63)
            key, seen = checked_number("key", key, MASK + 1), checked_number("seen", seen, int(self._process.space.n))
        except (TypeError, ValueError) as error:
            raise ValueError(f"this is not a state that get_state returned: {type(error).__name__}: {error}") from None
        self._state, self._steps, self._key, self._episode = place, steps, key, episode
        self._stream, self._shown = int(stream(key, episode)), seen

    def render(self) -> NDArray[np.uint8] | str | None:
        """Return the frame ("rgb_array") or the text ("ansi"), or show the window ("human").

        Raises:
            WindowClosed: the user closed the window; it is a SystemExit, so uncaught it ends the program quietly.
            NoDisplayError: there is no display for "human".
        """
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: gymnasium.make(..., render_mode="ansi")')
            return None
        self._need_reset()
        if self.render_mode == "ansi":
            return state_text(self._process, self._state)
        assert self.world is not None
        if self.render_mode == "rgb_array":
            return draw(self.world, self._state)
        tile = tile_size(self.world.mazes[int(self.world.maze_of[self._state])], _WINDOW_SIZE, _WINDOW_SIZE)
        self._window.show(draw(self.world, self._state, tile=tile), self.metadata["render_fps"])
        return None

    def close(self) -> None:
        """Close the window, if there is one; again is fine."""
        self._window.close()


def state_text(process: Process, state: int) -> str:
    """Return a state as text: its maze where it is known, else its number and what is observed there."""
    if process.world is not None:
        return draw_text(process.world, state)
    return f"state {state} of {process.mdp.states}\n"

"""A TabularMDPVectorEnv steps through any decision process with any number of agents, moved together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from .clock import Clock
from .core.world import World
from .engines.engine import Lanes
from .info import mask_of
from .maps.arguments import whole
from .maps.randomness import START, Streams, bits, sight
from .options import check_options, masked
from .pictures.draw import draw
from .pictures.shown import ShownLanes
from .planning.mdp import TabularMDP
from .tabular_env import state_text
from .tabular_settings import Process, TableState
from .vector import checked_mode


class TabularMDPVectorEnv(VectorEnv[Any, Any, Any]):
    """Many agents, each in a decision process of its own; lane i is `TabularMDPEnv` seeded `seed + i`, bit for bit.

    Args:
        mdp, observation, time_limit, info, discount, world: as in `TabularMDPEnv`.
        num_envs: the number of lanes.
        autoreset_mode, max_episode_steps: as in `MazeVectorEnv`.
        render_mode: None or "ansi"; where the cells of states are known also "rgb_array": one entry a lane.

    Raises:
        ValueError, TypeError: as `TabularMDPEnv`; no lanes.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import TabularMDPVectorEnv
        >>> envs = TabularMDPVectorEnv("tiger", num_envs=4)
        >>> _ = envs.reset(seed=1)
        >>> envs.step(np.array([0, 0, 1, 2]))[1]  # two listen, two open a door
        array([  -1.,   -1.,   10., -100.])
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": ["rgb_array", "ansi"], "render_fps": 8, "autoreset_mode": AutoresetMode.NEXT_STEP,
    }  # fmt: skip

    def __init__(
        self,
        mdp: TabularMDP | World | str | Path,
        num_envs: int = 1,
        *,
        observation: str = "observation",
        time_limit: int | None = None,
        max_episode_steps: int | None = None,
        info: str | Sequence[str] = (),
        discount: float = 0.99,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        world: World | None = None,
    ) -> None:
        self._process = Process.checked(
            mdp, world=world, observation=observation, time_limit=time_limit, info=info, discount=discount,
            render_mode=render_mode, render_modes=self.metadata["render_modes"],
        )  # fmt: skip
        self.mdp, self.world, self.render_mode = self._process.mdp, self._process.world, render_mode
        self.num_envs = whole("num_envs", num_envs, 1)
        self.autoreset_mode = checked_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        limits = [] if self._process.time_limit is None else [self._process.time_limit]
        if max_episode_steps not in (None, -1):  # -1 is no limit, as in `gymnasium.make`
            limits.append(whole("max_episode_steps", max_episode_steps, 1))
        self._limit = min(limits, default=None)
        self.single_action_space, self.single_observation_space = self._process.actions, self._process.space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._clock, self._every = Clock(self.num_envs), np.arange(self.num_envs)
        self._state, self._seen = np.zeros((2, self.num_envs), dtype=np.int64)
        self._sight = np.zeros(self.num_envs, dtype=np.uint64)  # the streams from which noisy sight draws
        self._ended: Lanes | None = None  # lanes whose episode is over and that were not reset yet
        self._is_reset = False

    @property
    def observation_kind(self) -> str:
        """What is observed: "observation" or "state"."""
        return self._process.observation

    @property
    def state(self) -> NDArray[np.int64]:
        """(num_envs,): the numbers of the agents' states."""
        self._need_reset()
        return self._state.copy()

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in all lanes, or in those of `reset_mask`.

        Args:
            seed: lane i gets `seed + i`; or one for each lane, None to go on with its next episode.
            options: `state`, where to begin, one for all lanes or one for each; `reset_mask`, a (num_envs,) bool array
                of the lanes that are reset, at least one.

        Returns:
            What all lanes observe, (num_envs,), and the info of those that were reset.

        Raises:
            ValueError: an unknown option, a mask of another shape or without a lane, a state that does not exist, a
                seed out of its range.
            TypeError: a mask that is not a bool array, a seed or a state that is not an integer.
        """
        options = options or {}
        check_options(options, ("state", "reset_mask"))
        lanes = masked(options.get("reset_mask"), self.num_envs, is_reset=self._is_reset)
        begin = self._begins(options["state"])[lanes] if "state" in options else None
        key, episode = self._clock.renewed(seed, lanes)
        super().reset(seed=seed if isinstance(seed, int) else None)
        self._clock.key[lanes], self._clock.episode[lanes] = key, episode
        self._begin(lanes)
        if begin is not None:
            self._state[lanes] = begin
            self._look(lanes, None)
        if self._ended is not None:
            left = np.setdiff1d(self._ended, lanes)
            self._ended = left if len(left) else None
        self._is_reset = True
        return self._observe(), self._info(lanes)

    def _begins(self, state: Any) -> NDArray[np.int64]:
        states = [state] if np.ndim(state) == 0 else [*state]
        if len(states) not in (1, self.num_envs):
            raise ValueError(f"give one state, or one for each of the {self.num_envs} lanes, not {len(states)}")
        found = np.array([self._process.is_state(one) for one in states], dtype=np.int64)
        return np.broadcast_to(found, (self.num_envs,))

    def _begin(self, lanes: Lanes) -> None:
        """Begin the episodes that the clock has for lanes."""
        streams = self._clock.streams(lanes)
        self._state[lanes] = self._process.chances.begin(streams.bits(START) >> np.uint64(11))
        self._clock.draw(lanes, streams)
        self._clock.begin(lanes, self._limit)
        if self._process.noisy:
            self._sight[lanes] = np.asarray(sight(streams.values))
        self._look(lanes, None)

    def _look(self, lanes: Lanes, actions: NDArray[np.int64] | None) -> None:
        """Observe: after actions, (n,), or at the start."""
        process = self._process
        if not process.noisy:
            self._seen[lanes] = process.shown[self._state[lanes]]
        elif actions is None and process.late:
            self._seen[lanes] = process.mdp.observations
        else:
            steps = self._clock.steps()[lanes].astype(np.uint64)
            random = np.asarray(bits(self._sight[lanes], steps)) >> np.uint64(11)
            self._seen[lanes] = process.chances.see(0 if actions is None else actions, self._state[lanes], random)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move all lanes; return Gymnasium's five values, each with an entry for each lane.

        Args:
            actions: (num_envs,) integers.

        Raises:
            ValueError: actions of another shape, or that do not exist.
            TypeError: actions that are not integers.
            gymnasium.error.ResetNeeded: there was no reset; with autoreset disabled, a lane's episode is over.
        """
        actions = self._checked(actions)
        clock, begun, mdp = self._clock, self._ended, self.mdp
        if not self._is_reset or (begun is not None and self.autoreset_mode is AutoresetMode.DISABLED):
            which = "" if begun is None else f" for lanes {', '.join(map(str, begun[:5].tolist()))} (by reset_mask)"
            raise gymnasium.error.ResetNeeded(f"call reset() first{which}")
        clock.time += 1
        self._state, rewards = self._process.chances.move(self._state, actions, clock.random())
        self._look(self._every, actions)
        if begun is not None:  # whatever the action
            self._next(begun)
            rewards[begun] = 0.0
        terminations = mdp.terminal[self._state]
        if begun is not None:
            terminations[begun] = False
        truncations = np.zeros(self.num_envs, dtype=np.bool_)
        if clock.time in clock.calendar:
            truncations[clock.truncated()] = True
        ended = np.flatnonzero(terminations | truncations)
        self._ended = ended if len(ended) else None
        infos: dict[str, Any] = {}
        if self._ended is not None and self.autoreset_mode is AutoresetMode.SAME_STEP:
            final = np.full(self.num_envs, None, dtype=object)
            final[ended] = self._observe()[ended].tolist()
            mask = mask_of(ended, self.num_envs)
            infos = {
                "final_obs": final, "_final_obs": mask, "final_info": self._info(ended), "_final_info": mask.copy(),
            }  # fmt: skip
            self._next(ended)
            self._ended = None
        return self._observe(), rewards, terminations, truncations, infos | self._info(self._every)

    def _next(self, lanes: Lanes) -> None:
        self._clock.episode[lanes] += 1
        self._begin(lanes)

    def _checked(self, actions: Any) -> NDArray[np.int64]:
        actions, count = np.asarray(actions), int(self._process.actions.n)
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions are integers, not {actions.dtype}")
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions have shape ({self.num_envs},), one for each lane, not {actions.shape}")
        wrong = actions[(actions < 0) | (actions >= count)]
        if len(wrong):
            raise ValueError(f"an action is a number from 0 to {count - 1}, not {wrong[0]}")
        return actions.astype(np.int64)

    def _observe(self) -> NDArray[np.int64]:
        return self._seen.copy()

    def _info(self, lanes: Lanes) -> dict[str, Any]:
        infos: dict[str, Any] = {}
        for name, table in self._process.tables.items():
            infos[name] = np.zeros((self.num_envs, *table.shape[1:]), dtype=table.dtype)
            infos[name][lanes] = table[self._state[lanes]]
            infos[f"_{name}"] = mask_of(lanes, self.num_envs)
        return infos

    def _need_reset(self) -> None:
        if not self._is_reset:
            raise gymnasium.error.ResetNeeded("call reset() first")

    def get_state(self) -> TableState:
        """Return all that the rest of the episodes and those after depend on.

        Raises:
            gymnasium.error.ResetNeeded: there was no reset.
        """
        self._need_reset()
        columns = (self._state, self._clock.steps(), self._clock.key, self._clock.episode, self._seen)
        ended = () if self._ended is None else tuple(self._ended.tolist())
        return TableState._make((*(tuple(column.tolist()) for column in columns), ended))

    def set_state(self, state: TableState) -> None:
        """Go back to what `get_state` returned, of this environment or of one that was made alike.

        Raises:
            ValueError: it is not such a state; nothing has changed then.
        """
        try:
            place, steps, episode = (np.array(column, dtype=np.int64) for column in (state[0], state[1], state[3]))
            key, seen = np.array(state[2], dtype=np.uint64), np.array(state[4], dtype=np.int64)
            ended = np.unique(np.array(state[5], dtype=np.int64))
            if {column.shape for column in (place, steps, key, episode, seen)} != {(self.num_envs,)}:
                raise ValueError("its numbers are not one for each lane")
            in_range = min(place.min(), steps.min(), episode.min(), seen.min()) >= 0 and place.max() < self.mdp.states
            in_range = in_range and seen.max() < self._process.space.n
            if not in_range or not np.isin(ended, self._every).all():
                raise ValueError("its numbers are out of range")
        except (TypeError, IndexError, OverflowError, ValueError) as error:
            raise ValueError(f"this is not a state that get_state returned: {type(error).__name__}: {error}") from None
        clock = self._clock
        streams = Streams(key, episode)
        self._state, self._seen, clock.key[:], clock.episode[:] = place, seen, key, episode
        self._sight = np.asarray(sight(streams.values))
        clock.draw(self._every, streams, steps=steps)
        clock.begin(self._every, self._limit, steps=steps)
        self._is_reset, self._ended = True, ended if len(ended) else None

    def render(self) -> tuple[Any, ...] | None:
        """Return the frames ("rgb_array") or texts ("ansi"), one a lane."""
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: gymnasium.make_vec(..., render_mode="ansi")')
            return None
        self._need_reset()
        if self.render_mode == "ansi":
            return ShownLanes(state_text(self._process, state) for state in self._state.tolist())
        assert self.world is not None
        return ShownLanes(draw(self.world, state) for state in self._state.tolist())

    def close_extras(self, **_: Any) -> None:
        """Do nothing, as nothing is open."""

"""A Gymnasium vector environment whose arrays are JAX's or torch's: the functional engine behind the usual methods."""

import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ..maps.arguments import whole
from ..maps.randomness import checked_seed, key_from_seed
from ..vector import MazeVectorEnv
from .namespace import Array, Maybe, functions_of, is_jax, library, namespace
from .stepping import as_words, info, keys, like, merged, observe, reset, restart, step
from .structure import Disabled, SameStep, State, Tables
from .tables import planned_tables


class FunctionalVectorEnv(VectorEnv[Any, Any, Any]):
    """Lanes as `MazeVectorEnv` has them, bit for bit; observations, rewards, ends and info are arrays of a library.

    `gymnasium.make_vec(id, num_envs=N, engine="jax")` makes it. With "SameStep", `final_obs` is an array over all
    lanes; it counts where `_final_obs` says so, and so does `final_info`. There is nothing to render.

    Args:
        maze: see `MazeVectorEnv`.
        num_envs: the number of lanes.
        engine: "jax" or "torch".
        device: where the arrays are, such as "cuda"; by default the library's choice.
        check_actions: whether each step looks if all actions are in range, for which it waits for the device. Otherwise
            an agent stays where its action is not one.
        keywords: those of `MazeVectorEnv`, but for `after`, `lateness` and `render_mode`.

    Raises:
        ImportError: the library is not installed; the message names the extra.
        ValueError: see `tables`.

    Example:
        >>> import torch
        >>> from mazegrad.envs import LEFT, RIGHT, Maze
        >>> from mazegrad.envs.functional import FunctionalVectorEnv
        >>> envs = FunctionalVectorEnv(Maze.from_text("SG"), num_envs=2, engine="torch")
        >>> _ = envs.reset(seed=0)
        >>> _, reward, terminated, _, _ = envs.step(torch.tensor([RIGHT, LEFT]))
        >>> reward, terminated
        (tensor([1., 0.]), tensor([ True, False]))
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        maze: Any = "four_rooms",
        num_envs: int = 1,
        *,
        engine: str = "jax",
        device: Any = None,
        check_actions: bool = True,
        **keywords: Any,
    ) -> None:
        if keywords.pop("render_mode", None) is not None:
            raise ValueError("the functional engine renders nothing; leave out render_mode, or use engine='numpy'")
        xp = functions_of(engine)
        self.num_envs, self.engine_name, self.device = whole("num_envs", num_envs, 1), engine, device
        self._checks = check_actions
        each = isinstance(maze, Sequence) and not isinstance(maze, str)
        made = MazeVectorEnv(maze, self.num_envs if each else 1, engine=None, **keywords)
        self.plan, self.autoreset_mode, self.moves = made.plan, made.autoreset_mode, made.moves
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space, self.single_action_space = (
            made.single_observation_space,
            made.single_action_space,
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.tables = planned_tables(made.plan, self.autoreset_mode, xp, device)
        """what `mazegrad.envs.functional` steps"""
        self._state: State | None = None
        # under JAX a step takes over the arrays of its state where these hold mazes, which it then need not copy
        self._takes_over = is_jax(xp) and self.tables.fresh is not None
        self._does = _compiled(self._takes_over) if is_jax(xp) else _Functions(reset, restart, _checked_step, _faults)

    @property
    def state(self) -> State | None:
        """Where the lanes are; None before the first reset. It can be kept and set again."""
        return self._kept(self._state)

    @state.setter
    def state(self, state: State | None) -> None:
        self._state = self._kept(state)

    def _kept(self, state: State | None) -> State | None:
        if state is None or not self._takes_over:
            return state
        import jax

        copied: State = jax.tree.map(lambda array: array.copy(), state)
        return copied

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in all lanes, or in those of `options={"reset_mask": mask}`.

        Args:
            seed: lane i gets `seed + i`; or one for each lane, None to go on with its next episode.
            options: `reset_mask`, (num_envs,) bools.

        Raises:
            ValueError: an unknown option, a mask of another shape, a seed out of its range.
            TypeError: a seed that is not an integer, a mask that is not of bools.
            gymnasium.error.ResetNeeded: the first reset has to be of all lanes.
        """
        unknown = set(options or {}) - {"reset_mask"}
        if unknown:
            raise ValueError(f"unknown option {min(unknown)!r}; the functional engine knows reset_mask")
        mask = self._mask((options or {}).get("reset_mask"))
        seeded, key = self._keys(seed)
        if self._state is None:
            seen, begun = self._does.reset(self.tables, key)
        else:
            seen, begun = self._does.restart(self.tables, self._state, mask & ~seeded)
            if seed is not None:
                _, new = self._does.reset(self.tables, key)
                begun = merged(mask & seeded, new, begun)
                seen = observe(self.tables, begun)
        super().reset(seed=seed if isinstance(seed, int) else None)
        self._state = begun
        return seen, _masked(info(self.tables, begun), mask)

    def _mask(self, mask: Any) -> Array:
        if mask is None:
            return like(self.tables, np.ones(self.num_envs, dtype=np.bool_))
        mask = like(self.tables, mask) if isinstance(mask, np.ndarray) else mask
        if not hasattr(mask, "dtype") or not namespace(self.tables.words).isdtype(mask.dtype, "bool"):
            raise TypeError(f"reset_mask is a bool array, not {mask!r:.80}")
        if tuple(mask.shape) != (self.num_envs,):
            raise ValueError(f"reset_mask has shape ({self.num_envs},), not {tuple(mask.shape)}")
        if self._state is None and not bool(mask.all()):
            raise gymnasium.error.ResetNeeded("call reset() for all lanes first")
        return mask

    def _keys(self, seed: Any) -> tuple[Array, Array]:
        """Return which lanes are seeded, or are reset for the first time, and keys for these."""
        lanes = self.num_envs
        if isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str):
            if len(seed) != lanes:
                raise ValueError(f"give one seed, or one for each of the {lanes} lanes, not {len(seed)}")
            given = [secrets.randbits(64) if one is None else checked_seed(one) for one in seed]
            new = np.array([self._state is None or one is not None for one in seed])
            key = np.asarray(key_from_seed(np.array(given, dtype=np.uint64)))
            return like(self.tables, new), as_words(self.tables, key)
        new = np.full(lanes, self._state is None or seed is not None)
        return like(self.tables, new), keys(self.tables, secrets.randbits(63) if seed is None else seed, lanes)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Move all lanes; return Gymnasium's five values, each with an entry for each lane.

        Args:
            actions: (num_envs,) integers, 0 to A - 1, of the library or of numpy.

        Raises:
            ValueError: actions of another shape, or not in the action space.
            TypeError: actions that are not integers.
            gymnasium.error.ResetNeeded: there was no reset; with autoreset disabled, a lane's episode is over.
        """
        if self._state is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        if isinstance(actions, np.ndarray | list | tuple):
            actions = like(self.tables, np.asarray(actions))
        if self._checks and self._takes_over:
            self._refuse(self._does.faults(self.tables, self._state.over, actions), actions)
        faults, returned = self._does.step(self.tables, self._state, actions)
        if self._checks and not self._takes_over:
            self._refuse(faults, actions)
        observations, self._state, rewards, terminations, truncations, facts = returned
        infos = {}
        if isinstance(self.tables.mode, SameStep):
            ended, every = terminations | truncations, facts
            final = {"final_obs": every["final_observation"], "_final_obs": ended}
            infos = {**final, "final_info": _masked(every["final_info"], ended), "_final_info": ended}
        infos |= _masked({name: facts[name] for name in self.tables.info}, None)
        return observations, rewards, terminations, truncations, infos

    def _refuse(self, faults: tuple[Array, Array], actions: Array) -> None:
        """Raise an error for actions that there are not, and for steps of lanes that are over."""
        wrong, over = faults
        if bool(wrong):
            last = len(self.moves) - 1
            one = actions[(actions < 0) | (actions > last)][0]
            raise ValueError(f"an action is {self.moves.numbered()}, not {int(one)}")
        if isinstance(self.tables.mode, Disabled) and bool(over):
            raise gymnasium.error.ResetNeeded("call reset() first for lanes that are over (by reset_mask)")


def _masked(facts: dict[str, Any], mask: Any) -> dict[str, Any]:
    """Return info as Gymnasium has it, with the mask of the lanes that have one beside each."""
    masks = {}
    for name, part in facts.items():
        every = part.reshape(part.shape[0], -1)[:, 0] if mask is None else None
        # all True, in the arrays of the library at hand
        masks[f"_{name}"] = (every == every) | True if mask is None else mask
    return {**facts, **masks}


def _faults(tables: Tables, over: Maybe, actions: Array) -> tuple[Array, Array]:
    """Return whether there is a wrong action, and whether an episode is over that nobody reset."""
    wrong = ((actions < 0) | (actions >= tables.actions.shape[0])).any()
    return wrong, wrong & False if over is None else over.any()


def _checked_step(tables: Tables, state: State, actions: Array) -> tuple[tuple[Array, Array], Any]:
    """Return the faults, and what `step` returns."""
    returned = step(tables, state, actions)
    return _faults(tables, state.over, actions), returned


class _Functions(NamedTuple):
    """What moves the lanes, compiled or not."""

    reset: Any
    restart: Any
    step: Any
    faults: Any


@cache
def _compiled(takes_over: bool) -> _Functions:
    """Return the functions compiled by JAX; `takes_over`: a step takes over its state."""
    library("jax")
    import jax

    step = jax.jit(_checked_step, donate_argnums=1) if takes_over else jax.jit(_checked_step)
    return _Functions(jax.jit(reset), jax.jit(restart), step, jax.jit(_faults))

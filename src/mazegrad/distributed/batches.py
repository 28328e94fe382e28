"""Batches: what an agent meets in a block of lanes, as arrays, which a folder can keep as files."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ..agents.agent_state import rows_of, with_rows
from ..envs.maps.files import replacing, write_file
from .blocks import Block, Shared, agent_of, environment_of


class Batch(NamedTuple):
    """T steps of some lanes. Episodes follow each other in a lane; the reset is in the step that ends an episode.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import collect
        >>> (batch,) = collect("mazegrad/PathFollow-v0", path_follower(), lanes=8, steps=50, seed=0, num_envs=8)
        >>> batch.observations.shape, batch.actions.shape, batch.next_observations().shape
        ((51, 8, 4), (50, 8), (50, 8, 4))
    """

    observations: Any
    """(T + 1, lanes, ...); of several observations at once a dict of such arrays"""
    actions: NDArray[np.int64]
    """(T, lanes)"""
    rewards: NDArray[np.float64]
    """(T, lanes)"""
    terminated: NDArray[np.bool_]
    """(T, lanes)"""
    truncated: NDArray[np.bool_]
    """(T, lanes)"""
    final_observations: Any
    """(E, ...): the last ones of the E episodes that ended, in the order of `np.argwhere(terminated | truncated)`"""

    def next_observations(self) -> Any:
        """Return what each step led to, (T, lanes, ...): not what the next episode begins with."""
        over = self.terminated | self.truncated

        def following(seen: NDArray[Any], final: NDArray[Any]) -> NDArray[Any]:
            after = seen[1:].copy()
            after[over] = final
            return after

        if isinstance(self.observations, dict):
            return {name: following(seen, self.final_observations[name]) for name, seen in self.observations.items()}
        return following(self.observations, self.final_observations)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the arrays as npz; of a dict under names such as "observations.view"."""
        arrays: dict[str, Any] = {}
        for name, part in self._asdict().items():
            arrays |= {f"{name}.{key}": p for key, p in part.items()} if isinstance(part, dict) else {name: part}
        with replacing(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            ValueError: something else.
        """
        fields: dict[str, Any] = {}
        try:
            with np.load(path, allow_pickle=False) as arrays:
                for name in arrays.files:
                    field, _, key = name.partition(".")
                    if key:
                        fields.setdefault(field, {})[key] = arrays[name]
                    else:
                        fields[field] = arrays[name]
            return cls(**fields)
        except (TypeError, ValueError, EOFError, AttributeError) as error:
            raise ValueError(f"{os.fspath(path)} is not a batch of mazegrad: {error}") from None


class Folder:
    """A `Store` of batches, as files.

    Args:
        path: of the folder, which is made where it is missing.
        question: see `question_of`.
        num_envs: lanes of a batch.

    Raises:
        ValueError: the folder holds the batches of another question.
    """

    def __init__(self, path: Path, question: Mapping[str, Any], num_envs: int) -> None:
        self.path, self.num_envs = path, num_envs
        path.mkdir(parents=True, exist_ok=True)
        text, asked = json.dumps(question, sort_keys=True, indent=1) + "\n", path / "question.json"
        if not asked.exists():
            write_file(asked, text.encode())
        elif asked.read_text(encoding="utf-8") != text:
            raise ValueError(f"{path} holds the batches of another run; see {asked}: name another folder")

    def _file(self, number: int) -> Path:
        return self.path / f"lanes-{number * self.num_envs:08}.npz"

    def finished(self) -> set[int]:
        """Return the numbers of the batches that are there."""
        return {int(file.stem.partition("-")[2]) // self.num_envs for file in self.path.glob("lanes-*.npz")}

    def read(self, number: int) -> Batch:
        """Return a batch."""
        return Batch.load(self._file(number))

    def write(self, number: int, result: Batch) -> None:
        """Keep a batch."""
        result.save(self._file(number))


def collected(shared: Shared, block: Block) -> Batch:
    """Return what the agent meets in a block; the next call fills the same arrays again."""
    env, agent, lanes, steps = environment_of(shared), agent_of(shared, block), shared.num_envs, shared.setting
    if env.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
        raise ValueError('make the environment with autoreset_mode="SameStep"')
    observation, _ = env.reset(seed=block.seed)
    state = first = agent.initial_state(lanes)
    seen = _kept("seen", observation, steps + 1)
    actions, rewards = (_kept(name, np.zeros(lanes, kind), steps) for name, kind in _KINDS.items())
    ends, cuts = (_kept(name, np.zeros(lanes, np.bool_), steps) for name in ("terminated", "truncated"))
    final: list[Any] = []
    _keep(seen, 0, observation)
    for step in range(steps):
        actions[step], state = agent.act(observation, state)
        observation, rewards[step], terminated, truncated, info = env.step(actions[step])
        _keep(seen, step + 1, observation)
        ends[step], cuts[step] = terminated, truncated
        over = terminated | truncated
        if over.any():
            final += list(info["final_obs"][over])
            state = with_rows(state, over, rows_of(first, over))
    return Batch(seen, actions, rewards, ends, cuts, _stacked(final, observation))


_KINDS: Final = {"actions": np.int64, "rewards": np.float64}
_arrays: Final[dict[str, NDArray[Any]]] = {}
"""which this process fills again and again: fresh memory costs more than what is written to it"""


def _kept(name: str, rows: Any, steps: int) -> Any:
    """Return an array, or a dict of arrays, for this many steps of what one step gives."""
    if isinstance(rows, dict):
        return {key: _kept(f"{name}.{key}", part, steps) for key, part in rows.items()}
    shape = (steps, *rows.shape)
    if name not in _arrays or (_arrays[name].shape, _arrays[name].dtype) != (shape, rows.dtype):
        _arrays[name] = np.empty(shape, rows.dtype)
    return _arrays[name]


def _keep(room: Any, step: int, rows: Any) -> None:
    if isinstance(room, dict):
        for name, part in room.items():
            part[step] = rows[name]
    else:
        room[step] = rows


def _stacked(parts: list[Any], example: Any) -> Any:
    """Return observations one after another, as arrays."""
    if isinstance(example, dict):
        return {name: _stacked([part[name] for part in parts], like) for name, like in example.items()}
    return np.stack(parts) if parts else np.empty((0, *example.shape[1:]), example.dtype)

"""A Dataset: episodes that lie end to end in a few arrays, to be taken as episodes, steps or batches."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ..envs.maps.arguments import whole
from ..extras import require

Arrays: TypeAlias = Any
"""an array, or a dict of arrays by name"""


@dataclass(frozen=True)
class Dataset:
    """E episodes of N steps together, end to end. Each has one observation more than it has steps: the last one.

    Example:
        >>> from mazegrad.offline import collect
        >>> data = collect("mazegrad/FourRooms-v0", "optimal", steps=200, lanes=4)
        >>> data.steps, data.episodes, data.returns.mean().item()
        (200, 16, 0.75)
        >>> sorted(data.transitions(slice(0, 32)))
        ['actions', 'next_observations', 'observations', 'rewards', 'terminations', 'truncations']
    """

    observations: Arrays
    """(N + E, ...)"""
    actions: NDArray[Any]
    """(N,)"""
    rewards: NDArray[np.float64]
    """(N,)"""
    terminations: NDArray[np.bool_]
    """(N,)"""
    truncations: NDArray[np.bool_]
    """(N,)"""
    infos: Mapping[str, NDArray[Any]]
    """name -> (N + E, ...), one beside each observation"""
    lengths: NDArray[np.int64]
    """(E,): the steps of each episode"""
    seeds: NDArray[np.uint64] | None
    """(E,): `env.reset(seed=...)` begins the same episode again; None where this is not known"""
    observation_space: Space[Any]
    action_space: Space[Any]
    env_id: str | None = None
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """of the environment"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """of each reset"""

    @property
    def steps(self) -> int:
        """N, the number of steps."""
        return len(self.actions)

    @property
    def episodes(self) -> int:
        """E, the number of episodes."""
        return len(self.lengths)

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """(E,): the number of each episode's last step."""
        return np.cumsum(self.lengths) - 1

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """(N,): where each step's observation lies; the next observation lies behind it."""
        return np.arange(self.steps) + np.repeat(np.arange(self.episodes), self.lengths)

    @property
    def returns(self) -> NDArray[np.float64]:
        """(E,): the sums of rewards, not discounted."""
        return np.add.reduceat(self.rewards, self.ends - self.lengths + 1)

    @cached_property
    def digest(self) -> str:
        """A hash of all arrays: the same for the same data, wherever they were made and however they are stored."""
        found = hashlib.sha256()
        for name, rows in self.columns().items():
            rows = np.ascontiguousarray(rows.astype(rows.dtype.newbyteorder("<"), copy=False))
            found.update(f"{name} {rows.dtype.str} {rows.shape}\n".encode())
            found.update(rows.data.cast("B"))
        return found.hexdigest()

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by name: "observations/view", "infos/value", and so on."""
        arrays = {name: getattr(self, name) for name in ("observations", "actions", "rewards")}
        arrays |= {name: getattr(self, name) for name in ("terminations", "truncations", "infos", "lengths")}
        return flat(arrays if self.seeds is None else arrays | {"seeds": self.seeds})

    def episode(self, number: int) -> dict[str, Any]:
        """Return the arrays of one episode by name: T + 1 observations and infos, T of all else."""
        length, end = int(self.lengths[number]), int(self.ends[number]) + 1
        steps, seen = slice(end - length, end), slice(end - length + number, end + number + 1)
        names = ("actions", "rewards", "terminations", "truncations")
        found: dict[str, Any] = {name: getattr(self, name)[steps] for name in names}
        return found | {"observations": mapped(self.observations, seen), "infos": mapped(self.infos, seen)}

    def transitions(self, steps: Any = slice(None)) -> dict[str, Any]:
        """Return steps one by one, as learners take them.

        Args:
            steps: which, as numpy takes indices; by default all.

        Returns:
            observations, actions, rewards, next_observations, terminations, truncations; fresh arrays.
        """
        rows = self.rows[steps]
        taken = {name: getattr(self, name)[steps] for name in ("actions", "rewards", "terminations", "truncations")}
        taken = {name: np.array(part) for name, part in taken.items()}
        seen, following = mapped(self.observations, rows), mapped(self.observations, rows + 1)
        return {"observations": seen, "next_observations": following, **taken}

    def batches(self, size: int, *, rng: np.random.Generator, torch: bool = False) -> Iterator[dict[str, Any]]:
        """Yield all steps once, in random order, in batches of `transitions`; the last one may be smaller.

        Args:
            size: of a batch.
            rng: draws the order.
            torch: tensors in place of arrays.

        Raises:
            ValueError: a size below 1.
            MissingExtra: torch is not installed.
        """
        order = rng.permutation(self.steps)
        for first in range(0, self.steps, whole("size", size, 1)):
            batch = self.transitions(order[first : first + size])
            yield as_torch(batch) if torch else batch

    def ogbench(self, *, compact: bool = False) -> dict[str, Any]:
        """Return the data as OGBench's loader does (Park et al., "OGBench", 2024).

        Args:
            compact: without next observations: each episode has a further row, its last observation, whose `valids` is
                0.

        Returns:
            observations, actions, rewards; `terminals`, float32: 1 in the last step of an episode, however it ended;
            `masks`, float32: 0 where a goal or a trap ended it, so that a value is not bootstrapped there; and
            next_observations, or with `compact` valids, float32.
        """
        found = self.transitions()
        over = np.zeros(self.steps, dtype=np.float32)
        over[self.ends] = 1
        found = {name: found[name] for name in ("observations", "actions", "rewards", "next_observations")} | {
            "terminals": over, "masks": 1 - found["terminations"].astype(np.float32),
        }  # fmt: skip
        if not compact:
            return found
        valids = np.zeros(self.steps + self.episodes, dtype=np.float32)
        valids[self.rows] = 1
        for name in ("actions", "rewards", "terminals", "masks"):
            rows = np.empty(len(valids), dtype=found[name].dtype)
            rows[self.rows] = found[name]
            rows[self.rows[self.ends] + 1] = found[name][self.ends]
            found[name] = rows
        del found["next_observations"]
        return found | {"observations": mapped(self.observations, slice(None)), "valids": valids}


def flat(arrays: Mapping[str, Any], before: str = "") -> dict[str, NDArray[Any]]:
    """Return arrays in dicts of dicts by their paths, such as "infos/value".

    Example:
        >>> from mazegrad.offline import flat
        >>> flat({"actions": [0, 1], "infos": {"value": [0.9, 1.0, 0.0]}})
        {'actions': [0, 1], 'infos/value': [0.9, 1.0, 0.0]}
    """
    found: dict[str, NDArray[Any]] = {}
    for name, value in arrays.items():
        found |= flat(value, f"{before}{name}/") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found


def mapped(arrays: Any, rows: Any) -> Any:
    """Return some rows of an array, or of each array of a dict; fresh."""
    if isinstance(arrays, Mapping):
        return {name: mapped(part, rows) for name, part in arrays.items()}
    return np.array(arrays[rows])


def as_torch(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays, in dicts of dicts too, as tensors that share their memory; seeds (uint64) stay arrays.

    Raises:
        MissingExtra: torch is not installed.

    Example:
        >>> import numpy as np
        >>> from mazegrad.offline import as_torch
        >>> rewards = np.zeros(3)
        >>> batch = as_torch({"rewards": rewards})
        >>> batch["rewards"][0] = 1.0
        >>> rewards
        array([1., 0., 0.])
    """
    torch: Any = require("torch", "parity")

    def tensor(part: Any) -> Any:
        return as_torch(part) if isinstance(part, Mapping) else torch.from_numpy(part)

    return {name: tensor(part) for name, part in batch.items()}

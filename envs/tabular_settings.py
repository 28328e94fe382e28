"""What the environments of a decision process share: their keywords, what they show, and their saved states."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .core.world import World
from .engines.chances import Chances
from .maps.arguments import nearest, whole
from .planning.checks import check_discount
from .planning.mdp import TabularMDP
from .planning.pomdps import POMDPS
from .planning.values import value_iteration
from .saved import record_from_json

FORMAT: Final = "mazegrad table state 1"
SEEN: Final = ("observation", "state")
"""what an environment of a decision process can show"""


def _values(mdp: TabularMDP, discount: float) -> NDArray[np.float64]:
    return value_iteration(mdp, discount=discount).values


def _optimal_actions(mdp: TabularMDP, discount: float) -> NDArray[np.int8]:
    best = value_iteration(mdp, discount=discount).optimal
    return (best & ~mdp.terminal[:, None]).astype(np.int8)


def _optimal_action(mdp: TabularMDP, discount: float) -> NDArray[np.int64]:
    best = _optimal_actions(mdp, discount)
    return np.where(best.any(axis=1), best.argmax(axis=1), -1)


# name -> function from a process and the discount to a table, one row a state
TABULAR_INFO: Final[Mapping[str, Callable[[TabularMDP, float], NDArray[Any]]]] = MappingProxyType(
    {
        "optimal_action": _optimal_action,
        "optimal_actions": _optimal_actions,
        "state": lambda mdp, discount: np.arange(mdp.states),
        "value": _values,
    }
)


@dataclass(frozen=True, eq=False)
class Process:
    """A decision process that is stepped, and its keywords, checked; see `TabularMDPEnv`."""

    mdp: TabularMDP
    world: World | None
    observation: str
    time_limit: int | None
    info: tuple[str, ...]
    discount: float
    chances: Chances
    tables: Mapping[str, NDArray[Any]]
    """of `info`, (S, ...) each"""

    @classmethod
    def checked(
        cls,
        mdp: Any,
        *,
        world: World | None,
        observation: str,
        time_limit: int | None,
        info: str | Sequence[str],
        discount: float,
        render_mode: str | None,
        render_modes: Sequence[str],
    ) -> "Process":
        """Return the process.

        Raises:
            TypeError: something else than a TabularMDP, a World or a file.
            ValueError: an unknown name, a number out of its range, a world that is not this process's.
        """
        if isinstance(mdp, World):
            mdp, world = TabularMDP.from_world(mdp), mdp if world is None else world
        elif isinstance(mdp, str) and mdp in POMDPS:
            mdp = POMDPS[mdp]().mdp
        elif isinstance(mdp, str | Path):
            if not Path(mdp).is_file():
                raise ValueError(
                    f"{str(mdp)!r:.80} is neither a process that comes along nor a file{nearest(mdp, POMDPS)}"
                )
            is_text = Path(mdp).suffix.lower() == ".pomdp"
            mdp = TabularMDP.from_pomdp(mdp) if is_text else TabularMDP.load(mdp)
        if not isinstance(mdp, TabularMDP):
            raise TypeError(f"mdp must be a TabularMDP, a World, a name or a file, not {type(mdp).__name__}")
        if world is not None and (not isinstance(world, World) or world.states != mdp.states):
            raise ValueError(f"world must be a World of {mdp.states} states, whose cells are drawn, not {world!r:.80}")
        names = (info,) if isinstance(info, str) else tuple(info)
        for what, name, known in (
            ("observation", observation, SEEN),
            *(("info", name, TABULAR_INFO) for name in names),
            *([("render mode", render_mode, render_modes)] if render_mode is not None else []),
        ):
            if not isinstance(name, str) or name not in known:
                raise ValueError(f"unknown {what} {name!r}{nearest(name, known)}")
        if render_mode in ("human", "rgb_array") and world is None:
            raise ValueError(f'render_mode {render_mode!r} draws cells: give world=, or use render_mode="ansi"')
        if time_limit is not None:
            time_limit = whole("time_limit", time_limit, 1)
        discount = check_discount(discount)
        tables = {name: TABULAR_INFO[name](mdp, discount) for name in names}
        return cls(mdp, world, observation, time_limit, names, discount, Chances(mdp), tables)

    @property
    def actions(self) -> spaces.Discrete:
        """The space of actions."""
        return spaces.Discrete(self.mdp.probability.shape[1])

    @property
    def space(self) -> spaces.Discrete:
        """The space of what is shown."""
        if self.observation == "state":
            return spaces.Discrete(self.mdp.states)
        return spaces.Discrete(self.mdp.observations + self.late)

    @property
    def noisy(self) -> bool:
        """Whether what is shown in a state is random."""
        return self.observation == "observation" and self.mdp.observation.ndim > 1

    @property
    def late(self) -> bool:
        """Whether nothing is observed before the first action; then one number more stands for that."""
        return self.noisy and self.mdp.observation.ndim == 3

    @property
    def shown(self) -> NDArray[np.int64]:
        """(S,): what is shown in each state, where that is not random."""
        if self.observation == "state" or self.noisy:
            return np.arange(self.mdp.states)
        return self.mdp.observation.astype(np.int64)

    @property
    def digest(self) -> str:
        """SHA-256 of the tables, in hexadecimal."""
        mdp, hasher = self.mdp, hashlib.sha256()
        for table in (mdp.probability, mdp.next_state, mdp.reward, mdp.terminal, mdp.start, mdp.observation):
            hasher.update(f"{table.dtype.str} {table.shape};".encode() + np.ascontiguousarray(table).tobytes())
        return hasher.hexdigest()

    def is_state(self, state: Any) -> int:
        """Return a state of the process as an int.

        Raises:
            TypeError, ValueError: it is not one.
        """
        return whole("a state of this process", state, 0, self.mdp.states - 1)


class TableState(NamedTuple):
    """All that the rest of an episode and the episodes after it depend on; of a vector environment, tuples.

    Example:
        >>> from mazegrad.envs import TabularMDPEnv
        >>> env = TabularMDPEnv("tiger")
        >>> _ = env.reset(seed=0)
        >>> saved = env.get_state()
        >>> heard = [env.step(0)[0] for _ in range(20)]
        >>> env.set_state(saved)
        >>> heard == [env.step(0)[0] for _ in range(20)]  # the same random numbers again
        True
    """

    state: Any
    steps: Any
    """since the episode began"""
    key: Any
    episode: Any
    seen: Any
    """what was observed last"""
    ended: tuple[int, ...] = ()
    """lanes whose episode is over and that were not reset yet"""

    def to_json(self) -> str:
        """Return the record as one line of JSON; see `from_json`."""
        return json.dumps({"format": FORMAT, **self._asdict()})

    @classmethod
    def from_json(cls, text: str) -> "TableState":
        """Return the record that `to_json` wrote.

        Raises:
            ValueError: the text is not such a record.
        """
        return record_from_json(text, FORMAT, cls)

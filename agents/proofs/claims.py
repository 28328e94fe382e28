"""What a certificate claims: the data of a `MemoryCertificate`, without the search for it or the checks of it."""

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...envs import World
from ...envs.planning.distances import Graph
from ..automata import Automaton

SUFFICES: Final = "memoryless suffices"
HELPS: Final = "memory helps"
HIDES: Final = "observation hides it"
UNDECIDED: Final = "undecided"
VERDICTS: Final = (SUFFICES, HELPS, HIDES, UNDECIDED)
FORMAT: Final = "mazegrad memory certificate 1"


class Bounds(NamedTuple):
    """A number lies between these two, both included.

    Example:
        >>> from mazegrad.agents.proofs import Bounds
        >>> print(Bounds(0.25, 0.25), "and", Bounds(0.25, 0.5))
        0.25 and 0.25 to 0.5
    """

    lower: float
    upper: float

    def __str__(self) -> str:
        narrow = self.upper - self.lower <= 1e-9 * max(1.0, abs(self.upper))
        return f"{self.lower:.9g}" if narrow else f"{self.lower:.9g} to {self.upper:.9g}"


NEVER: Final = Bounds(-math.inf, -math.inf)
"""at discount 1, the value of a policy that may fail to end"""


class Witness(NamedTuple):
    r"""Two aliased states of the world, with the same observation but disjoint sets of optimal actions.

    Every optimal policy visits both.

    Example:
        >>> from mazegrad.agents import certify_memory
        >>> from mazegrad.envs import Maze
        >>> certify_memory(Maze.from_text("S..\n##.\nG..")).witness  # right in state 1, left in state 5
        Witness(first=1, second=5, first_actions=(1,), second_actions=(2,))
    """

    first: int
    second: int
    first_actions: tuple[int, ...]
    second_actions: tuple[int, ...]


class Confusion(NamedTuple):
    r"""A history after which the agent may be in any of several states of the world that share no optimal action.

    Example:
        >>> from mazegrad.agents import certify_memory
        >>> from mazegrad.envs import Maze
        >>> certificate = certify_memory(Maze.from_text("G.S.X\n#####\nX.S.G"))
        >>> certificate.verdict, certificate.confusion
        ('observation hides it', Confusion(actions=(), states=(2, 7)))
    """

    actions: tuple[int, ...]
    """from a start; each is optimal in every state in which the agent may be"""
    states: tuple[int, ...]
    """those in which the agent may be afterwards"""


@dataclass(frozen=True, eq=False, repr=False)
class Claims:
    """The claims of a certificate and the proofs of its bounds; values are over the starts, all equally likely."""

    world: World
    observation: str
    view_size: int
    discount: float
    verdict: str
    """one of `VERDICTS`. "memoryless suffices": a memoryless policy has the value V*. "memory helps": none has, not
    even a stochastic one, but `controller` is better. "observation hides it": even unlimited memory does not reach
    V*."""
    missing: str
    """what was not decided, if the verdict is "undecided"; else empty"""
    memory_helps: bool | None
    """whether `controller` is better than every memoryless policy, even a stochastic one; None: not known"""
    full_state_value: Bounds
    """V*, of the best policy that observes the state"""
    memoryless_value: Bounds
    """of the best map from observations to actions"""
    memoryless_policy: NDArray[np.int64]
    """(observations,), read-only: a policy whose value is at least `memoryless_value.lower`"""
    stochastic_bound: float
    """no memoryless policy has a larger value, not even a stochastic one"""
    controller_value: Bounds
    controller: Automaton
    """the best finite-state controller that was found"""
    witness: Witness | None
    """if memory helps: two states that show it, if there are any"""
    confusion: Confusion | None
    """if the observation hides what is needed: a history that shows it"""
    memoryless_proof: tuple[Any, ...] | None
    """a tree that proves the upper bound of `memoryless_value`, see `boxes.Tree`; None if V* is that bound"""
    stochastic_proof: tuple[Any, ...] | None
    """a tree that proves `stochastic_bound`"""
    interrupted: bool = False
    """whether the search was interrupted: all claims hold, but a complete search may find tighter bounds and a better
    controller"""
    seal: str = field(default="")
    """a hash of all other fields: it shows that something was changed, but not by whom"""

    def __post_init__(self) -> None:
        self.memoryless_policy.setflags(write=False)
        if not self.seal:
            object.__setattr__(self, "seal", self.digest())

    @property
    def vacuous(self) -> bool:
        """Whether all policies have the same value: from the starts nothing can be earned or lost, or made to end."""
        world = self.world
        acting = np.flatnonzero(~world.terminal)
        tails = np.repeat(acting, world.next_state.shape[1])
        levels = Graph(tails, world.next_state[acting].ravel(), world.states).levels(world.start_states)
        reached = levels >= 0
        rewards = world.reward[reached & ~world.terminal]
        return not rewards.any() or (not world.terminal[reached].any() and bool((rewards == rewards.flat[0]).all()))

    def digest(self) -> str:
        """Return the SHA-256 of all fields except the seal, in hexadecimal."""
        content = {name: value for name, value in self.to_dict().items() if name != "seal"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON with everything that a check needs."""
        witness = None if self.witness is None else [list(x) if isinstance(x, tuple) else x for x in self.witness]
        return {
            "format": FORMAT,
            "mazes": [maze.to_text() for maze in self.world.mazes],
            "reward": self.world.reward.tolist(),
            "slip": self.world.slip.tolist(),
            "tables": tables_digest(self.world),
            "observation": self.observation,
            "view_size": self.view_size,
            "discount": self.discount,
            "verdict": self.verdict,
            "missing": self.missing,
            "memory_helps": self.memory_helps,
            "full_state_value": _bounds_to_json(self.full_state_value),
            "memoryless_value": _bounds_to_json(self.memoryless_value),
            "memoryless_policy": self.memoryless_policy.tolist(),
            "stochastic_bound": _to_json(self.stochastic_bound),
            "controller_value": _bounds_to_json(self.controller_value),
            "controller": self.controller.to_dict(),
            "witness": witness,
            "confusion": None if self.confusion is None else [list(part) for part in self.confusion],
            "memoryless_proof": _proof_to_json(self.memoryless_proof),
            "stochastic_proof": _proof_to_json(self.stochastic_proof),
            "seal": self.seal,
            **({"interrupted": True} if self.interrupted else {}),
        }


def tables_digest(world: World) -> str:
    """Return a hash of all tables and of the noise, except reward and slip, which a certificate contains."""
    tables: list[NDArray[Any]] = [
        world.next_state,
        world.terminal,
        world.goal,
        world.dots,
        world.start_states,
        world.cell,
        world.carried,
    ]
    if world.moves.headings > 1:
        tables.append(world.heading)
    if world.noise is not None:
        noise = world.noise
        tables += [noise.kind, noise.executed, noise.probability]
    return hashlib.sha256(b"".join(np.ascontiguousarray(table).tobytes() for table in tables)).hexdigest()


def _proof_to_json(proof: tuple[Any, ...] | None) -> list[Any] | None:
    return None if proof is None else [None if split is None else [*split[:3], list(split[3])] for split in proof]


def _to_json(value: float) -> float | None:
    """JSON has no infinity; -inf is the only one that occurs."""
    return value if math.isfinite(value) else None


def _bounds_to_json(bounds: Bounds) -> list[float | None]:
    return [_to_json(bounds.lower), _to_json(bounds.upper)]

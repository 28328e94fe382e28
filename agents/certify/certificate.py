"""`certify_memory`: does this world need memory? The answer is an object that carries its own proof."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...envs import Maze, World
from ..automaton import Automaton
from .bounds import Box, Relaxation, Tree, by_action, careful, farthest_apart, in_half, search
from .controllers import Best, OutOfTime, attain, improve
from .exact import Bounds, evaluate, find_optimum
from .model import Floats, Model, read_model
from .supports import controller_of, play
from .witness import find_witness

SUFFICES: Final = "memoryless suffices"
HELPS: Final = "memory helps"
HIDES: Final = "observation hides it"
UNDECIDED: Final = "undecided"
FORMAT: Final = "mazegrad memory certificate 1"
VERDICTS: Final = (SUFFICES, HELPS, HIDES, UNDECIDED)

MAX_BELIEFS: Final = 20_000
DETERMINISTIC_BOXES: Final = 4_000
STOCHASTIC_BOXES: Final = 64
TRIES: Final = 400
"""boxes that are bounded only to find the best splits"""
TABLES: Final = 2_000
"""incomplete controllers of each size that are bounded, where V* is out of reach"""

Progress = Callable[[str, float], None]


class Witness(NamedTuple):
    """Two states of the world that look alike, with disjoint sets of optimal actions, met by every optimal policy."""

    first: int
    second: int
    first_actions: tuple[int, ...]
    second_actions: tuple[int, ...]


class Confusion(NamedTuple):
    """Where it is too late: states of the world that look alike and share no optimal action, any of them true."""

    actions: tuple[int, ...]
    """what was done before, each action optimal for all that might have been the case"""
    states: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class MemoryCertificate:
    """Whether memory is needed, with what proves it; `certify_memory` makes it, `verify` checks it afresh.

    Values are those over the start distribution, all starts of all mazes being as likely.
    """

    world: World
    observation: str
    view_size: int
    discount: float
    verdict: str
    """"memoryless suffices": a memoryless policy earns V*. "memory helps": none does, not even one that chooses at
    random, and `controller` does. "observation hides it": not even unlimited memory earns V*. "undecided"."""
    missing: str
    """what is missing, where it is undecided; else empty"""
    memory_helps: bool | None
    """whether `controller` earns more than all memoryless policies, even those that choose at random; None: unknown"""
    full_state_value: Bounds
    """V*: of the best policy that knows the state"""
    memoryless_value: Bounds
    """of the best policy that maps each observation to an action"""
    memoryless_policy: NDArray[np.int64]
    """(observations,): a policy that earns at least `memoryless_value.lower`"""
    stochastic_bound: float
    """no memoryless policy earns more than this, even if it chooses at random"""
    controller_value: Bounds
    controller: Automaton
    """the best finite-state controller found"""
    witness: Witness | None
    """where memory helps: a pair that shows it, if there is one"""
    confusion: Confusion | None
    """where the observation hides it: the moment at which it does"""
    memoryless_proof: tuple[Any, ...] | None
    """a tree that bounds `memoryless_value`, see `mazegrad.agents.certify.bounds`; None where V* does"""
    stochastic_proof: tuple[Any, ...] | None
    """a tree for `stochastic_bound`"""
    seal: str = field(default="")
    """a hash of all the rest: it tells that something was changed, not who did"""

    def __post_init__(self) -> None:
        self.memoryless_policy.setflags(write=False)
        if not self.seal:
            object.__setattr__(self, "seal", self.digest())

    def digest(self) -> str:
        """Return the SHA-256 of all fields but the seal, in hexadecimal."""
        content = {name: value for name, value in self.to_dict().items() if name != "seal"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def faults(self) -> list[str]:
        """Return what is wrong with the certificate, one sentence a claim; an empty list if all of it holds."""
        from .verify import faults

        return faults(self)

    def verify(self) -> bool:
        """Return whether every claim holds, checked afresh from the raw tables; `faults` tells what does not."""
        return not self.faults()

    def explain(self) -> str:
        """Return the proof in plain sentences, the places drawn in the maze."""
        from .explain import explain

        return explain(self)

    def to_dict(self) -> dict[str, Any]:
        """Return lists, numbers and texts (JSON) that `from_dict` reads."""
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
            "full_state_value": _numbers(self.full_state_value),
            "memoryless_value": _numbers(self.memoryless_value),
            "memoryless_policy": self.memoryless_policy.tolist(),
            "stochastic_bound": _number(self.stochastic_bound),
            "controller_value": _numbers(self.controller_value),
            "controller": self.controller.to_dict(),
            "witness": None if self.witness is None else [list(x) if isinstance(x, tuple) else x for x in self.witness],
            "confusion": None if self.confusion is None else [list(part) for part in self.confusion],
            "memoryless_proof": _lists(self.memoryless_proof),
            "stochastic_proof": _lists(self.stochastic_proof),
            "seal": self.seal,
        }

    def to_json(self) -> str:
        """Return the certificate as text; it holds all that `verify` needs."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "MemoryCertificate":
        """Read what `to_json` wrote; nothing in it is executed. Whether it is true only `verify` tells.

        Raises:
            ValueError: it is no such text; the message says what is wrong with it.
        """
        from .reading import read

        return read(text)

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        return f"<MemoryCertificate: {self.verdict}, under {self.observation}, discount {self.discount:g}>"


def certify_memory(
    worlds: World | Maze | Sequence[World | Maze],
    observation: str = "dots",
    discount: float = 0.99,
    *,
    view_size: int = 7,
    max_nodes: int = 8,
    time_limit: float = 20.0,
    progress: Progress | None = None,
) -> MemoryCertificate:
    """Decide whether a world, or a set of them walked by one and the same policy, needs memory.

    Ctrl-C ends the search, and what is known so far is returned; so does the time limit.

    Args:
        worlds: a World, a Maze, or several; an episode begins at any start of any of them, all as likely.
        observation: what is seen, a name of `mazegrad.envs.OBSERVATIONS`.
        discount: 0 to 1; 1 only where each step that does not end the episode costs something.
        view_size: the side of "view".
        max_nodes: controllers of up to so many nodes are searched for.
        time_limit: seconds, about, for the searches; what they have found until then is returned.
        progress: is called now and then with what is being done and how much of the time is used, 0 to 1.

    Raises:
        ValueError: an unknown observation; a discount out of its range or that the world does not allow; a world of
            too many states.
    """
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int) or max_nodes < 1:
        raise ValueError(f"max_nodes is a positive whole number, not {max_nodes!r}")
    if not time_limit > 0:
        raise ValueError(f"time_limit is a positive number of seconds, not {time_limit!r}")
    model = read_model(one_world(worlds), observation, view_size, discount)
    return _Search(model, observation, view_size, max_nodes, time_limit, progress).run()


def one_world(worlds: World | Maze | Sequence[World | Maze]) -> World:
    """Return the tables of one or several mazes and worlds.

    Raises:
        TypeError: something else.
    """
    if isinstance(worlds, World | Maze):
        worlds = [worlds]
    if not all(isinstance(world, World | Maze) for world in worlds):
        raise TypeError("certify_memory takes a World, a Maze or a list of them; load_maze reads a shipped one")
    return World.stack([World.compile(world) if isinstance(world, Maze) else world for world in worlds])


class _Search:
    """Finds what a certificate claims, stage by stage, within the time there is."""

    def __init__(
        self,
        model: Model,
        observation: str,
        view_size: int,
        max_nodes: int,
        time_limit: float,
        progress: Progress | None,
    ) -> None:
        self.model, self.max_nodes, self.progress = model, max_nodes, progress
        self.names = observation, view_size
        self.begin, self.limit = time.monotonic(), time_limit
        self.stopped = False
        self.gaps: list[str] = []
        self.stage("optimal values")
        self.optimum = find_optimum(model)
        self.exact = self.optimum.optimal is self.optimum.possible
        self.relaxation = Relaxation(model)
        self.hint = self.relaxation.backup(np.maximum(self.optimum.values, -1e9))

    def stage(self, name: str, share: float = 1.0) -> None:
        """Begin a stage that may take this share of the time that is left."""
        now = time.monotonic()
        self.name = name
        self.deadline = now + share * max(0.0, self.begin + self.limit - now)
        self.told = 0.0

    def within(self, limit: int) -> Callable[[int], bool]:
        return lambda so_far: so_far <= limit and self.go_on()

    def go_on(self) -> bool:
        now = time.monotonic()
        if self.progress is not None and now - self.told > 0.1:
            self.told = now
            self.progress(self.name, min(1.0, (now - self.begin) / self.limit))
        return now < self.deadline and not self.stopped

    def run(self) -> MemoryCertificate:
        model = self.model
        self.hidden: bool | None = None
        self.suffices: bool | None = None
        self.confusion: Confusion | None = None
        self.policy: NDArray[np.int64] = np.zeros(model.observations, dtype=np.int64)
        self.found = [self.as_controller(self.policy)]
        self.memoryless_tree: Tree | None = None
        self.stochastic_tree: Tree | None = None
        self.pair: tuple[int, int] | None = None
        for step in (
            self.decide_hidden,
            self.decide_memoryless,
            self.bound_memoryless,
            self.find_controllers,
            self.bound_stochastic,
            self.look_for_witness,
        ):
            if self.stopped:
                break
            try:
                step()
            except OutOfTime:
                pass
            except KeyboardInterrupt:
                self.stopped = True
        return self.conclude()

    def decide_hidden(self) -> None:
        self.stage("beliefs", 0.3)
        optimum = self.optimum
        game = play(self.model, optimum.optimal, self.within(MAX_BELIEFS))
        if game is not None and game.won:
            self.hidden = False
            self.found.append(controller_of(self.model, game))
            return
        if not self.exact:
            game = play(self.model, optimum.possible, self.within(MAX_BELIEFS))
        if game is not None and not game.won:
            assert game.confusion is not None
            actions, states = game.confusion
            self.hidden, self.suffices = True, False
            self.confusion = Confusion(actions, tuple(sorted(self.model.states[list(states)].tolist())))

    def decide_memoryless(self) -> None:
        if self.hidden:
            return
        self.stage("memoryless policies", 0.2)
        policy = attain(self.model, self.optimum.optimal, 1, self.go_on)
        if policy is not None:
            self.suffices, self.hidden = True, False
            self.found.append(policy)
            self.policy = policy.action[0]
        elif self.exact or attain(self.model, self.optimum.possible, 1, self.go_on) is None:
            self.suffices = False

    def bound_memoryless(self) -> None:
        if self.suffices:
            return
        self.stage("the best memoryless policy", 0.4)

        def value_of(mean: Floats) -> float:
            return self.worth(np.eye(4)[mean.argmax(axis=1)])

        tree = self.memoryless_tree = Tree()
        try:
            choose = careful(self.relaxation, by_action, TRIES)
            search(tree, self.relaxation, choose, value_of, self.within(DETERMINISTIC_BOXES), self.hint)
        finally:
            if tree.policy is not None:
                self.policy = tree.policy.argmax(axis=1)
                self.found.append(self.as_controller(self.policy))

    def find_controllers(self) -> None:
        if self.suffices:
            return
        self.stage("controllers", 0.5)
        if self.hidden is False or self.hidden is None:
            for nodes in range(2, self.max_nodes + 1):
                self.stage(f"controllers of {nodes} nodes", 0.3)
                with suppress(OutOfTime):
                    found = attain(self.model, self.optimum.optimal, nodes, self.go_on)
                    if found is not None:
                        self.found.append(found)
                        self.hidden = False
                        return
        if self.hidden is not False:
            values = [max(value, -1e9) for value in self.optimum.values]
            best = Best(max(evaluate(self.model, found).lower for found in self.found))
            for nodes in range(2, min(self.max_nodes, 4) + 1):
                self.stage(f"the best controller of {nodes} nodes", 0.3)
                within = self.within(TABLES)
                try:
                    with suppress(OutOfTime):
                        improve(self.model, values, nodes, best, within)
                finally:
                    if best.automaton is not None:
                        self.found.append(best.automaton)

    def bound_stochastic(self) -> None:
        if self.suffices:
            return
        self.stage("policies that choose at random", 0.5)
        # to split what is farthest apart soon gives the better bounds, but may be lost in ways round
        for choose in (farthest_apart, careful(self.relaxation, in_half, TRIES)):
            tree = self.stochastic_tree = Tree()
            search(tree, self.relaxation, choose, self.worth, self.within(STOCHASTIC_BOXES), self.hint)
            if tree.upper < self.optimum.value.lower:
                break

    def look_for_witness(self) -> None:
        if self.suffices is False and self.exact:
            self.stage("a witness")
            self.pair = find_witness(self.model, self.optimum.optimal, self.go_on)

    def worth(self, policy: Floats) -> float:
        box: Box = (policy, policy)
        return self.relaxation.solve(box).upper

    def as_controller(self, policy: NDArray[np.int64]) -> Automaton:
        return Automaton(np.zeros((1, len(policy)), dtype=np.int64), policy[None], 0, self.model.encode)

    def conclude(self) -> MemoryCertificate:
        model, full = self.model, self.optimum.value
        worth = [evaluate(model, found) for found in self.found]
        best = max(range(len(worth)), key=lambda i: (worth[i].lower, -self.found[i].nodes))
        own = full if self.suffices else evaluate(model, self.as_controller(self.policy))

        def upper(tree: Tree | None) -> float:
            return full.upper if tree is None else min(tree.upper, full.upper)

        stochastic = full.upper if self.suffices else upper(self.stochastic_tree)
        memoryless = full if self.suffices else Bounds(own.lower, max(own.upper, upper(self.memoryless_tree)))
        attained = self.hidden is False and not self.suffices
        helps: bool | None = None
        if self.suffices:
            helps = False
        elif (self.suffices is False and attained) or worth[best].lower > stochastic:
            helps = True
        verdict, missing = UNDECIDED, ""
        if self.hidden:
            verdict = HIDES
        elif self.suffices:
            verdict = SUFFICES
        elif helps:
            verdict = HELPS
        else:
            missing = self.what_is_missing()
        optimal, states = self.optimum.optimal, model.states.tolist()
        witness = None
        if self.pair is not None:
            one, two = self.pair
            witness = Witness(states[one], states[two], tuple(sorted(optimal[one])), tuple(sorted(optimal[two])))
        return MemoryCertificate(
            world=model.world,
            observation=self.names[0],
            view_size=self.names[1],
            discount=float(model.discount),
            verdict=verdict,
            missing=missing,
            memory_helps=helps,
            full_state_value=full,
            memoryless_value=memoryless,
            memoryless_policy=self.policy,
            stochastic_bound=stochastic,
            controller_value=worth[best],
            controller=self.found[best],
            witness=witness,
            confusion=self.confusion,
            memoryless_proof=_frozen(self.memoryless_tree),
            stochastic_proof=_frozen(self.stochastic_tree),
        )

    def what_is_missing(self) -> str:
        parts = []
        if self.hidden is None:
            parts.append("whether any memory reaches the value of knowing the state")
        if self.suffices is None:
            parts.append("whether a memoryless policy does")
        why = "it was interrupted" if self.stopped else "the limits on time and size were reached"
        if not self.exact:
            why = "values are known up to rounding only, and some actions are too close to tell which is better"
        return f"{' and '.join(parts)}: {why}"


def tables_digest(world: World) -> str:
    """Return a hash of all tables but reward and slip, which a certificate holds as they are."""
    tables = (world.next_state, world.terminal, world.goal, world.dots, world.start_states, world.cell, world.carried)
    return hashlib.sha256(b"".join(np.ascontiguousarray(table).tobytes() for table in tables)).hexdigest()


def _frozen(tree: Tree | None) -> tuple[Any, ...] | None:
    if tree is None:
        return None
    return tuple(None if split is None else (*split[:3], tuple(split[3])) for split in tree.splits)


def _lists(proof: tuple[Any, ...] | None) -> list[Any] | None:
    return None if proof is None else [None if s is None else [*s[:3], list(s[3])] for s in proof]


def _number(value: float) -> float | None:
    """JSON has no infinity; -inf is the only one that occurs."""
    return value if math.isfinite(value) else None


def _numbers(bounds: Bounds) -> list[float | None]:
    return [_number(bounds.lower), _number(bounds.upper)]

"""`certify_memory`: does an agent need memory in this world? The answer comes with its proof."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...envs import Maze, World
from ...envs.maps.arguments import whole
from ..automata import Automaton
from ..automata.observed import one_world
from .beliefs import controller_of, solve_game
from .bounds import farthest_apart, search, strong_branching
from .boxes import Tree, by_action, in_half
from .certificate import MemoryCertificate
from .claims import HELPS, HIDES, SUFFICES, UNDECIDED, Bounds, Confusion, Witness
from .exact import evaluate, find_optimum
from .model import Floats, Model, read_model
from .relaxation import Relaxation
from .small_controllers import Best, OutOfTime, attain, improve
from .witness_search import find_witness

MAX_BELIEFS: Final = 20_000
DETERMINISTIC_BOXES: Final = 4_000
STOCHASTIC_BOXES: Final = 64
TRIES: Final = 400
"""boxes that are bounded only to find the best splits"""
TABLES: Final = 2_000
"""incomplete controllers of each size that are bounded if V* is not reached"""
MAX_IMPROVED_NODES: Final = 4
"""of the controllers that are searched for if V* is not reached"""

Progress = Callable[[str, float], None]


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
    """Decide whether one policy for a world, or for a set of worlds, needs memory.

    At the time limit, or on Ctrl-C, the searches end and the certificate holds what is known by then.

    Args:
        worlds: a World, a Maze or a list of them; an episode begins at any start of any of them, all equally likely.
        observation: a name of `mazegrad.envs.OBSERVATIONS`.
        discount: 0 to 1; 1 only if each step that does not end the episode has a negative reward.
        view_size: the side of "view", odd.
        max_nodes: of the controllers that are searched for.
        time_limit: seconds for the searches, approximately.
        progress: is called now and then with the name of the current stage and the fraction of the time used, 0 to 1.

    Raises:
        TypeError: something else than worlds and mazes, or a max_nodes that is not an integer.
        ValueError: an unknown observation, a number out of range, a discount that does not fit the rewards, or a world
            with too many states.

    Example:
        >>> from mazegrad.agents import certify_memory
        >>> from mazegrad.envs import load_maze
        >>> certificate = certify_memory(load_maze("sheet38"))
        >>> certificate.verdict, certificate.verify()
        ('memory helps', True)
        >>> certify_memory(load_maze("sheet38"), "position").verdict
        'memoryless suffices'
    """
    max_nodes = whole("max_nodes", max_nodes, 1)
    if not time_limit > 0:
        raise ValueError(f"time_limit must be a positive number of seconds, not {time_limit!r}")
    model = read_model(one_world(worlds), observation, view_size, discount)
    return _Search(model, max_nodes, _Budget(time_limit, progress)).run(observation, view_size)


class _Budget:
    """The time for the searches, shared out between stages."""

    def __init__(self, seconds: float, progress: Progress | None) -> None:
        self.seconds, self.progress = seconds, progress
        self.begin = time.monotonic()
        self.interrupted = False
        self.stage("")

    def stage(self, name: str, share: float = 1.0) -> None:
        """Begin a stage that may use this share of the time that is left."""
        now = time.monotonic()
        self.name = name
        self.deadline = now + share * max(0.0, self.begin + self.seconds - now)
        self.reported = 0.0

    def go_on(self) -> bool:
        """Report progress, and return whether the stage has time left."""
        now = time.monotonic()
        if self.progress is not None and now - self.reported > 0.1:
            self.reported = now
            self.progress(self.name, min(1.0, (now - self.begin) / self.seconds))
        return now < self.deadline and not self.interrupted

    def within(self, limit: int) -> Callable[[int], bool]:
        """Return a function that says whether a count is within a limit, and the stage has time left."""
        return lambda count: count <= limit and self.go_on()


class _Search:
    """Finds what a certificate claims, stage by stage."""

    def __init__(self, model: Model, max_nodes: int, budget: _Budget) -> None:
        self.model, self.max_nodes, self.budget = model, max_nodes, budget
        budget.stage("optimal values")
        self.optimum = find_optimum(model)
        self.relaxation = Relaxation(model)
        self.q = self.relaxation.backup(np.maximum(self.optimum.values, -1e9))
        self.hidden: bool | None = None  # whether even unlimited memory does not reach V*; None: not known
        self.suffices: bool | None = None  # whether a memoryless policy does
        self.confusion: Confusion | None = None
        self.policy: NDArray[np.int64] = np.zeros(model.observations, dtype=np.int64)
        self.found = [self.as_controller(self.policy)]
        self.memoryless_tree: Tree | None = None
        self.stochastic_tree: Tree | None = None
        self.witness: Witness | None = None

    def run(self, observation: str, view_size: int) -> MemoryCertificate:
        """Run all stages, or as many as there is time for, and return the certificate."""
        for stage in (
            self.decide_hidden,
            self.decide_memoryless,
            self.bound_memoryless,
            self.find_controllers,
            self.bound_stochastic,
            self.find_witness,
        ):
            try:
                stage()
            except OutOfTime:
                pass
            except KeyboardInterrupt:
                self.budget.interrupted = True
                break
        return self.conclude(observation, view_size)

    def decide_hidden(self) -> None:
        """Solve the game on beliefs: with actions that are surely optimal to win it, with possible ones to lose it."""
        self.budget.stage("beliefs", 0.3)
        game = solve_game(self.model, self.optimum.optimal, self.budget.within(MAX_BELIEFS))
        if game is not None and game.won:
            self.hidden = False
            self.found.append(controller_of(self.model, game))
            return
        if not self.optimum.exact:
            game = solve_game(self.model, self.optimum.possible, self.budget.within(MAX_BELIEFS))
        if game is not None and game.confusion is not None:
            actions, states = game.confusion
            self.hidden, self.suffices = True, False
            self.confusion = Confusion(actions, tuple(sorted(self.model.states[list(states)].tolist())))

    def decide_memoryless(self) -> None:
        """Search for a memoryless policy with the value V*."""
        if self.hidden:
            return
        self.budget.stage("memoryless policies", 0.2)
        policy = attain(self.model, self.optimum.optimal, 1, self.budget.go_on)
        if policy is not None:
            self.suffices, self.hidden = True, False
            self.found.append(policy)
            self.policy = policy.action[0]
        elif self.optimum.exact or attain(self.model, self.optimum.possible, 1, self.budget.go_on) is None:
            self.suffices = False

    def bound_memoryless(self) -> None:
        """Search for the best memoryless policy, and prove an upper bound for all."""
        if self.suffices:
            return
        self.budget.stage("the best memoryless policy", 0.4)

        def value_of(mean: Floats) -> float:
            return self.relaxation.value_of(np.eye(self.model.actions)[mean.argmax(axis=1)])

        tree = self.memoryless_tree = Tree()
        try:
            choose = strong_branching(self.relaxation, by_action, TRIES)
            search(tree, self.relaxation, choose, value_of, self.budget.within(DETERMINISTIC_BOXES), self.q)
        finally:
            if tree.policy is not None:
                self.policy = tree.policy.argmax(axis=1)
                self.found.append(self.as_controller(self.policy))

    def find_controllers(self) -> None:
        """Search for a small controller with the value V*, or if there is none for better ones than those found."""
        if self.suffices:
            return
        if not self.hidden:
            for nodes in range(2, self.max_nodes + 1):
                self.budget.stage(f"controllers of {nodes} nodes", 0.3)
                with suppress(OutOfTime):
                    found = attain(self.model, self.optimum.optimal, nodes, self.budget.go_on)
                    if found is not None:
                        self.found.append(found)
                        self.hidden = False
                        return
        if self.hidden is not False:
            values = [max(value, -1e9) for value in self.optimum.values]
            best = Best(max(evaluate(self.model, found).lower for found in self.found))
            for nodes in range(2, min(self.max_nodes, MAX_IMPROVED_NODES) + 1):
                self.budget.stage(f"the best controller of {nodes} nodes", 0.3)
                try:
                    with suppress(OutOfTime):
                        improve(self.model, values, nodes, best, self.budget.within(TABLES))
                finally:
                    if best.automaton is not None:
                        self.found.append(best.automaton)

    def bound_stochastic(self) -> None:
        """Prove an upper bound for stochastic memoryless policies, below V* if possible."""
        if self.suffices:
            return
        self.budget.stage("stochastic policies", 0.5)
        # the first choice of splits usually gives the better bound, but may not get below V* at all
        for choose in (farthest_apart, strong_branching(self.relaxation, in_half, TRIES)):
            tree = self.stochastic_tree = Tree()
            go_on = self.budget.within(STOCHASTIC_BOXES)
            search(tree, self.relaxation, choose, self.relaxation.value_of, go_on, self.q)
            if tree.upper < self.optimum.value.lower:
                break

    def find_witness(self) -> None:
        """Search for two aliased states that show that no memoryless policy has the value V*."""
        if self.suffices is False and self.optimum.exact:
            self.budget.stage("a witness")
            optimal, states = self.optimum.optimal, self.model.states.tolist()
            pair = find_witness(self.model, optimal, self.budget.go_on)
            if pair is not None:
                one, two = pair
                actions = tuple(sorted(optimal[one])), tuple(sorted(optimal[two]))
                self.witness = Witness(states[one], states[two], *actions)

    def as_controller(self, policy: NDArray[np.int64]) -> Automaton:
        """Return a memoryless policy, (observations,), as a controller of one node."""
        return Automaton(
            np.zeros((1, len(policy)), dtype=np.int64), policy[None], 0, self.model.encode, self.model.actions
        )

    def conclude(self, observation: str, view_size: int) -> MemoryCertificate:
        """Return the certificate of what is known."""
        model, full = self.model, self.optimum.value
        values = [evaluate(model, found) for found in self.found]
        best = max(range(len(values)), key=lambda i: (values[i].lower, -self.found[i].nodes))
        memoryless, stochastic = full, full.upper
        if not self.suffices:
            own = evaluate(model, self.as_controller(self.policy))
            memoryless = Bounds(own.lower, max(own.upper, _upper(self.memoryless_tree, full)))
            stochastic = _upper(self.stochastic_tree, full)
        helps: bool | None = None
        if self.suffices:
            helps = False
        elif (self.suffices is False and self.hidden is False) or values[best].lower > stochastic:
            helps = True
        verdict = HIDES if self.hidden else SUFFICES if self.suffices else HELPS if helps else UNDECIDED
        return MemoryCertificate(
            world=model.world,
            observation=observation,
            view_size=view_size,
            discount=float(model.discount),
            verdict=verdict,
            missing=self.missing() if verdict == UNDECIDED else "",
            memory_helps=helps,
            full_state_value=full,
            memoryless_value=memoryless,
            memoryless_policy=self.policy,
            stochastic_bound=stochastic,
            controller_value=values[best],
            controller=self.found[best],
            witness=self.witness,
            confusion=self.confusion,
            memoryless_proof=None if self.memoryless_tree is None else self.memoryless_tree.frozen(),
            stochastic_proof=None if self.stochastic_tree is None else self.stochastic_tree.frozen(),
            interrupted=self.budget.interrupted,
        )

    def missing(self) -> str:
        """Return what is not known, and why."""
        parts = []
        if self.hidden is None:
            parts.append("whether any memory reaches V*")
        if self.suffices is None:
            parts.append("whether a memoryless policy does")
        why = "interrupted" if self.budget.interrupted else "the limits on time and size were reached"
        if not self.optimum.exact:
            why = "values are known up to rounding only, and some actions are too close to tell which is better"
        return f"{' and '.join(parts)} ({why})"


def _upper(tree: Tree | None, full: Bounds) -> float:
    return full.upper if tree is None else min(tree.upper, full.upper)

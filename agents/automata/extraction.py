"""An agent becomes an automaton: its states, as far as given worlds reach them, are nodes, which are then merged.

Two states of an agent are the same node if they are equal: ints, bools and floats exactly, or floats to a tolerance.
The result is a Mealy machine with unknown entries, for observations that did not occur in a node. Merging keeps every
known entry (see `partial_tables`), so on the given worlds the automaton takes exactly the agent's actions.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...envs import Maze, World, outcomes
from ...envs.maps.arguments import whole
from ..agent import Agent, checked_agent
from ..agent_state import as_matrix, rows_of
from .automaton import ACTIONS, Automaton
from .encodings import Bits, Encoding
from .minimisation import UNKNOWN, Ints
from .observed import Observed, observe, one_world
from .partial_tables import merge_compatible

_FIRST_NODES: Final = 16


class ExtractedAutomaton(Automaton):
    """An automaton, and how well it is known.

    Example:
        >>> from mazegrad.agents import extract_automaton, wall_follower_rnn
        >>> from mazegrad.envs import load_maze
        >>> found = extract_automaton(wall_follower_rnn(), load_maze("sheet38"))
        >>> found.nodes, found.at_least, int(found.known.sum())  # of 16 observations in each node
        (4, 4, 12)
        >>> found.caveats
        ()
    """

    known: NDArray[np.bool_]
    """(nodes, observations): the entries that occurred; in the others the automaton stays in its node and goes up"""
    states: int
    """the number of states of the agent that were visited"""
    at_least: int
    """proved: an automaton that acts as each visited state of the agent did has this many nodes or more"""
    caveats: tuple[str, ...]
    """how it may differ from the agent on the given worlds; empty if it is exact"""

    def __repr__(self) -> str:
        how = f"approximate: {'; '.join(self.caveats)}" if self.caveats else "exact"
        nodes = f"{self.nodes} nodes (at least {self.at_least})"
        return f"<ExtractedAutomaton with {nodes}, from {self.states} states, {how}>"


def extract_automaton(
    agent: Agent,
    worlds: World | Maze | Sequence[World | Maze] | None = None,
    *,
    observation: str = "dots",
    view_size: int = 7,
    tolerance: float = 0.0,
    max_states: int = 10_000,
) -> ExtractedAutomaton:
    """Return the finite-state controller that an agent is on given worlds, with as few nodes as a greedy merge finds.

    Args:
        agent: any whose actions depend on its observations and state alone; it must accept batches.
        worlds: where it acts, from every start, with every outcome of a slip. With None any observation may follow any
            other: those of `agent.encode` if it has one, else four bits.
        observation: a name of `mazegrad.envs.OBSERVATIONS`; "pixels" and "map" may take much memory.
        view_size: the side of "view", odd.
        tolerance: floats in the agent's state are equal if they round to the same multiple of it; 0 compares exactly.
        max_states: the exploration stops after this many states of the agent (a net may have infinitely many).

    Returns:
        The automaton; `caveats` says whether and how it is approximate.

    Raises:
        ValueError: an agent that acts at random, an unknown observation, a negative tolerance, a max_states below 1.
        TypeError: a state that cannot be compared, or something else than an agent, worlds or an integer.

    Example:
        >>> from mazegrad.agents import extract_automaton, path_follower
        >>> from mazegrad.envs import load_maze
        >>> extract_automaton(path_follower(), load_maze("sheet38"))
        <ExtractedAutomaton with 4 nodes (at least 4), from 9 states, exact>
    """
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance must be a finite number, 0 or more, not {tolerance!r}")
    max_states = whole("max_states", max_states, 1)
    checked_agent(agent)
    if worlds is None:
        encode, actions = getattr(agent, "encode", Bits()), getattr(agent, "actions", ACTIONS)
        explorer = _Explorer(agent, encode.observations, tolerance)
        explorer.explore_all(encode, max_states)
    else:
        world = one_world(worlds)
        observed = observe(world, observation, view_size)
        encode, actions = observed.encode, world.actions
        explorer = _Explorer(agent, encode.observations, tolerance)
        explorer.explore(world, observed, max_states)
    return explorer.automaton(encode, actions)


class _Explorer:
    """Runs an agent and records for each node (a state of the agent) and observation the action and the next node."""

    def __init__(self, agent: Agent, observations: int, tolerance: float) -> None:
        self.agent, self.tolerance = agent, tolerance
        self.node_of: dict[bytes, int] = {}  # the rounded state, as bytes
        self.first_state: list[bytes] = []  # of each node, exactly
        self.rounded: set[bytes] = set()  # states that are equal to the first state of their node only within tolerance
        self.caveats: list[str] = []
        self.conflicts = 0
        # (nodes, observations, 2): action and next node; it grows by doubling
        self.table = np.full((_FIRST_NODES, observations, 2), UNKNOWN)

    def nodes(self, state: Any, batch_size: int) -> Ints:
        """Return the nodes of a batch of the agent's states, (batch_size,); a new state gets the next number."""
        rows = as_matrix(state, batch_size)
        rows = rows + 0.0 if rows.dtype.kind == "f" else rows.astype(np.int64)  # + 0.0 makes -0 equal to 0
        keys = np.rint(rows / self.tolerance) + 0.0 if self.tolerance and rows.dtype.kind == "f" else rows
        found = []
        for key, exact in zip(keys, rows, strict=True):
            node = self.node_of.setdefault(key.tobytes(), len(self.node_of))
            if node == len(self.first_state):
                self.first_state.append(exact.tobytes())
            elif self.tolerance and self.first_state[node] != exact.tobytes():
                self.rounded.add(exact.tobytes())
            found.append(node)
        while len(self.table) < len(self.node_of):
            self.table = np.concatenate([self.table, np.full_like(self.table, UNKNOWN)])
        return np.array(found, dtype=np.int64)

    def begin(self, batch_size: int) -> tuple[Ints, Any]:
        """Return the first node, which is 0, and the agent's initial state, for a batch."""
        state = self.agent.initial_state(batch_size + 1)  # at least two rows, which a random state makes unequal
        if self.nodes(state, batch_size + 1).any():
            raise ValueError("the agent must not act at random: its initial states differ")
        return np.zeros(batch_size, dtype=np.int64), rows_of(state, np.arange(batch_size))

    def act(self, observations: Any, number: Ints, node: Ints, state: Any) -> tuple[Ints, Ints, Any]:
        """Let the agent act once in each row and record it; return its actions, next nodes and next states."""
        actions, state = self.agent.act(observations, state)
        entry = np.column_stack([actions, self.nodes(state, len(node))])
        before = self.table[node, number]
        self.table[node, number] = np.where(before == UNKNOWN, entry, before)
        differs = (self.table[node, number] != entry).any(axis=1)
        if differs.any() and not self.tolerance:
            raise ValueError(
                "the agent must act by its observation and state alone; "
                "with both equal, it took two different actions or went to two different states"
            )
        self.conflicts += int(differs.sum())
        return entry[:, 0], entry[:, 1], state

    def explore_all(self, encode: Encoding, max_states: int) -> None:
        """Give the agent every observation in every node."""
        every = np.arange(encode.observations)
        node, state = self.begin(1)
        while len(node):
            rows, number = np.repeat(np.arange(len(node)), len(every)), np.tile(every, len(node))
            known = len(self.node_of)
            _, following, state = self.act(encode.decode(number), number, node[rows], rows_of(state, rows))
            node, first = np.unique(following, return_index=True)
            node, first = node[node >= known], first[node >= known]
            state = rows_of(state, first)
            if self._stopped(max_states, len(node)):
                return

    def explore(self, world: World, observed: Observed, max_states: int) -> None:
        """Let the agent act from every start, with every outcome of its actions."""
        possible = outcomes(world)
        world_state = world.start_states[~world.terminal[world.start_states]]
        node, state = self.begin(len(world_state))
        visited: set[int] = set()
        while len(world_state):
            pair, first = np.unique(node * world.states + world_state, return_index=True)
            first = first[[code not in visited for code in pair.tolist()]]
            visited.update(pair.tolist())
            world_state, node, state = world_state[first], node[first], rows_of(state, first)
            if not len(world_state) or self._stopped(max_states, len(world_state)):
                return
            action, following, state = self.act(observed.look(world_state), observed.numbers[world_state], node, state)
            after = possible.next_state[world_state, action]
            rows, outcome = np.nonzero((possible.probability[world_state, action] > 0) & ~world.terminal[after])
            world_state, node, state = after[rows, outcome], following[rows], rows_of(state, rows)

    def _stopped(self, max_states: int, left: int) -> bool:
        if len(self.node_of) <= max_states or not left:
            return False
        self.caveats.append(f"stopped after {len(self.node_of):,} states of the agent")
        return True

    def automaton(self, encode: Encoding, actions: int) -> ExtractedAutomaton:
        """Return what was recorded, merged, its unknown entries filled in."""
        states = len(self.node_of)
        caveats = list(self.caveats)
        if self.rounded:
            caveats.append(f"{len(self.rounded):,} states are equal to another one only within the tolerance")
        if self.conflicts:
            caveats.append(f"{self.conflicts:,} times a state within the tolerance had another action or next state")
        table, at_least = merge_compatible(self.table[:states])
        known = table[..., 0] != UNKNOWN
        own = np.arange(len(table))[:, None]
        result = ExtractedAutomaton(
            np.where(known, table[..., 1], own), np.where(known, table[..., 0], 0), 0, encode, actions
        )
        known.setflags(write=False)
        result.known, result.states, result.at_least, result.caveats = known, states, at_least, tuple(caveats)
        return result

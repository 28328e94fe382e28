"""The automaton that an agent is: its states, as far as worlds lead it, merged where nothing tells them apart.

Two states of the agent are one node when they are equal: ints and bools exactly, floats exactly too or to a tolerance.
What is found is a Mealy machine with entries that were never met. It is minimised soundly: two nodes are merged only
if they take the same action wherever both were met, and go to nodes that are merged too. So every entry that was met
keeps its action and leads to where it led, and on the given worlds the automaton does exactly what the agent does. The
smallest machine with unknown entries is NP-hard to find (Pfleeger, State reduction in incompletely specified
finite-state machines, 1973): merging is greedy at first, and gives an upper bound; states that are pairwise told apart
give a lower one; between the two all machines are searched, smallest first, up to `MAX_TRIED` steps. `at_least` is
what is proved then. With no unknown entries merging is Moore's, and exact.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..envs import OBSERVATIONS, Maze, World, outcomes
from ..envs.maps.arguments import nearest
from .agent import Agent, checked_agent
from .automaton import Automaton, Bits, Codebook, Encoding, Number
from .minds import numbers, take

Ints = NDArray[np.int64]

UNKNOWN: Final = -1
MAX_COMPARED: Final = 2000
"""nodes, pair by pair; a machine with more is merged only where two nodes were met alike and acted alike"""
MAX_GREED: Final = 100_000
"""nodes times beginnings of the greedy search for nodes that are told apart: some seconds"""
MAX_TRIED: Final = 200_000
"""entries looked at in the search for the smallest machine: a second or so"""


class ExtractedAutomaton(Automaton):
    """An automaton, and how it was had."""

    known: NDArray[np.bool_]
    """(nodes, observations): the entries that were met; the others are made up: stay in the node, go up"""
    states: int
    """how many states of the agent were met"""
    at_least: int
    """no automaton with fewer nodes does all that was met, from each state of the agent; proved"""
    caveats: tuple[str, ...]
    """in what it may differ from the agent on the given worlds; empty: it does exactly the same"""

    def __repr__(self) -> str:
        how = f"approximate: {'; '.join(self.caveats)}" if self.caveats else "exact"
        return (
            f"<ExtractedAutomaton of {self.nodes} nodes (at least {self.at_least}), from {self.states} states, {how}>"
        )


def extract_automaton(
    agent: Agent,
    worlds: World | Maze | Sequence[World | Maze] | None = None,
    *,
    observation: str = "dots",
    view_size: int = 7,
    tolerance: float = 0.0,
    max_states: int = 10_000,
) -> ExtractedAutomaton:
    """Return the finite-state controller that an agent executes on given worlds, as small as can be had.

    Args:
        agent: any that acts by its state alone; a batch of observations must do.
        worlds: where it walks, from every start, whatever slips; None lets every observation follow every other, those
            of `agent.encode` if it has one, else four bits.
        observation: what it sees; "pixels" and "map" may take much memory.
        view_size: the side of "view".
        tolerance: floats in the agent's state that round to the same multiple of it are one; 0 compares them exactly.
        max_states: stop exploring after so many states of the agent (a net may have infinitely many).

    Returns:
        The automaton; `caveats` says where it is only approximate.

    Raises:
        ValueError: an agent that does not act by its state alone, an unknown observation, a negative tolerance.
        TypeError: a state that cannot be compared; an agent or worlds that are none.
    """
    if not 0 <= tolerance < np.inf or max_states < 1:
        raise ValueError(f"tolerance is 0 or more and max_states 1 or more, not {tolerance!r} and {max_states!r}")
    checked_agent(agent)
    if worlds is None:
        encode = getattr(agent, "encode", Bits())
        machine = _Machine(agent, encode.observations, tolerance)
        machine.explore_all(encode, max_states)
    else:
        world = _stacked(worlds)
        seen = _looks(world, observation, view_size)
        encode, number = _encoding(seen, observation)
        machine = _Machine(agent, encode.observations, tolerance)
        machine.explore(world, seen, number, max_states)
    return _reduced(machine, encode)


def _stacked(worlds: World | Maze | Sequence[World | Maze]) -> World:
    listed = [worlds] if isinstance(worlds, World | Maze) else list(worlds)
    for world in listed:
        if not isinstance(world, World | Maze):
            raise TypeError(f"an agent is watched in a World or a Maze, not in a {type(world).__name__}")
    mazes = [maze for maze in listed if isinstance(maze, Maze)]
    compiled = [world for world in listed if isinstance(world, World)]
    return World.stack([*compiled, *([World.compile(mazes)] if mazes else [])])


def _looks(world: World, observation: str, view_size: int) -> NDArray[Any]:
    if observation not in OBSERVATIONS:
        raise ValueError(f"unknown observation {observation!r}{nearest(observation, OBSERVATIONS)}")
    return OBSERVATIONS[observation](world, view_size).look(np.arange(world.states))


def _encoding(seen: NDArray[Any], observation: str) -> tuple[Encoding, Ints]:
    """Return how observations are numbered, and the number of each of those seen."""
    if observation == "dots":
        return Bits(), Bits()(seen)
    if seen.ndim == 1:
        return Number(int(seen.max()) + 1), seen.astype(np.int64)
    rows, number = np.unique(seen.reshape(len(seen), -1), axis=0, return_inverse=True)
    return Codebook(rows.reshape(-1, *seen.shape[1:])), number.reshape(-1)


class _Machine:
    """What was met: for each node (a state of the agent) and observation the action, and the node next."""

    def __init__(self, agent: Agent, observations: int, tolerance: float) -> None:
        self.agent, self.tolerance = agent, tolerance
        self.node_of: dict[bytes, int] = {}
        self.exactly: list[bytes] = []
        self.unequal: set[bytes] = set()  # states that were taken for another one, though not quite equal to it
        self.caveats: list[str] = []
        self.conflicts = 0
        # (nodes, observations, 2): the action and the node next; as long as needed
        self.table = np.full((16, observations, 2), UNKNOWN)

    def nodes(self, minds: Any, batch: int) -> Ints:
        """Return the nodes of a batch of the agent's states; new ones are numbered on."""
        rows = numbers(minds, batch)
        rows = rows + 0.0 if rows.dtype.kind == "f" else rows.astype(np.int64)  # no difference between 0 and -0
        coarse = np.rint(rows / self.tolerance) + 0.0 if self.tolerance and rows.dtype.kind == "f" else rows
        found = []
        for key, exact in zip(coarse, rows, strict=True):
            node = self.node_of.setdefault(key.tobytes(), len(self.node_of))
            if node == len(self.exactly):
                self.exactly.append(exact.tobytes())
            elif self.tolerance and self.exactly[node] != exact.tobytes():
                self.unequal.add(exact.tobytes())
            found.append(node)
        while len(self.table) < len(self.node_of):
            self.table = np.concatenate([self.table, np.full_like(self.table, UNKNOWN)])
        return np.array(found, dtype=np.int64)

    def begin(self, batch: int) -> tuple[Ints, Any]:
        """Return the agent's first node, which is 0, and its first state, of a batch."""
        minds = self.agent.initial_state(batch + 1)  # at least two, that chance would tell apart
        if self.nodes(minds, batch + 1).any():
            raise ValueError("the agent begins in one state here and in another there: it acts at random")
        return np.zeros(batch, dtype=np.int64), take(minds, np.arange(batch))

    def act(self, observations: Any, number: Ints, node: Ints, minds: Any) -> tuple[Ints, Ints, Any]:
        """Let the agent act once in each row, and write it down; return actions, nodes next and states next."""
        actions, after = self.agent.act(observations, minds)
        answer = np.column_stack([actions, self.nodes(after, len(node))])
        before = self.table[node, number]
        self.table[node, number] = np.where(before == UNKNOWN, answer, before)
        wrong = (self.table[node, number] != answer).any(axis=1)
        if wrong.any() and not self.tolerance:
            raise ValueError(
                "the agent acts by more than its state: from equal states it did two things on one observation"
            )
        self.conflicts += int(wrong.sum())
        return answer[:, 0], answer[:, 1], after

    def explore_all(self, encode: Encoding, max_states: int) -> None:
        """Show every observation in every node."""
        every = np.arange(encode.observations)
        node, minds = self.begin(1)
        while len(node):
            rows, number = np.repeat(np.arange(len(node)), len(every)), np.tile(every, len(node))
            known = len(self.node_of)
            _, after, minds = self.act(encode.decode(number), number, node[rows], take(minds, rows))
            node, first = np.unique(after, return_index=True)
            node, first = node[node >= known], first[node >= known]
            minds = take(minds, first)
            if self._too_many(max_states, len(node)):
                return

    def explore(self, world: World, seen: NDArray[Any], number: Ints, max_states: int) -> None:
        """Walk from every start, through everything that may come of a move."""
        moves = outcomes(world)
        state = world.start_states[~world.terminal[world.start_states]]
        node, minds = self.begin(len(state))
        met: set[int] = set()
        while len(state):
            pair, first = np.unique(node * world.states + state, return_index=True)
            first = first[[code not in met for code in pair.tolist()]]
            met.update(pair.tolist())
            state, node, minds = state[first], node[first], take(minds, first)
            if not len(state) or self._too_many(max_states, len(state)):
                return
            action, after, minds = self.act(seen[state], number[state], node, minds)
            may, to = moves.probability[state, action] > 0, moves.next_state[state, action]
            rows, outcome = np.nonzero(may & ~world.terminal[to])
            state, node, minds = to[rows, outcome], after[rows], take(minds, rows)

    def _too_many(self, max_states: int, left: int) -> bool:
        if len(self.node_of) <= max_states or not left:
            return False
        self.caveats.append(f"stopped after {len(self.node_of):,} states of the agent")
        return True


def _reduced(machine: _Machine, encode: Encoding) -> ExtractedAutomaton:
    """Merge nodes that nothing tells apart, number what is left breadth-first, and fill in what was never met."""
    states = len(machine.node_of)
    caveats = list(machine.caveats)
    if machine.unequal:
        caveats.append(f"{len(machine.unequal):,} states were taken for another within the tolerance")
    if machine.conflicts:
        caveats.append(f"{machine.conflicts:,} times such a state acted otherwise, or led elsewhere")
    table = _merged_alike(machine.table[:states])
    at_least = 1
    if len(table) <= MAX_COMPARED:
        apart = _told_apart(table)
        folded = _folded(table, apart)
        table, at_least = _smallest(table, folded, _clique(apart, most=len(_in_order(folded))))
    table = _in_order(table)
    known = table[..., 0] != UNKNOWN
    own = np.arange(len(table))[:, None]
    automaton = ExtractedAutomaton(np.where(known, table[..., 1], own), np.where(known, table[..., 0], 0), 0, encode)
    known.setflags(write=False)
    automaton.known, automaton.states, automaton.at_least = known, states, at_least
    automaton.caveats = tuple(caveats)
    return automaton


def _in_order(table: Ints) -> Ints:
    """Drop the nodes that node 0 does not lead to, and number the others as a breadth-first search meets them."""
    order = {0: 0}
    for node in (queue := [0]):
        for after in table[node, :, 1].tolist():
            if after != UNKNOWN and after not in order:
                order[after] = len(order)
                queue.append(after)
    number = np.full(len(table) + 1, UNKNOWN)  # the last entry is that of UNKNOWN
    number[list(order)] = range(len(order))
    table = table[list(order)]
    return np.stack([table[..., 0], number[table[..., 1]]], axis=-1)


def _merged_alike(table: Ints) -> Ints:
    """Merge nodes that were met with the same observations, and are alike in all that follows: Moore's refinement."""
    known = table[..., 0] != UNKNOWN
    classes = np.unique(table[..., 0], axis=0, return_inverse=True)[1].reshape(-1)
    while True:
        after = np.where(known, classes[table[..., 1]], UNKNOWN)
        finer = np.unique(np.column_stack([classes, after]), axis=0, return_inverse=True)[1].reshape(-1)
        if finer.max() == classes.max():
            break
        classes = finer
    first = np.unique(classes, return_index=True)[1]
    order = np.argsort(first)  # classes by their first node, so that node 0 stays first
    number = np.empty(len(order), dtype=np.int64)
    number[order] = range(len(order))
    table = table[first[order]]
    return np.stack(
        [table[..., 0], np.where(table[..., 0] == UNKNOWN, UNKNOWN, number[classes[table[..., 1]]])], axis=-1
    )


def _told_apart(table: Ints) -> NDArray[np.bool_]:
    """Return which pairs of nodes cannot be one, (nodes, nodes): some sequence met from both has two answers."""
    # UNKNOWN, -1, is the last row and column: nothing is told apart from what was never met
    padded = np.zeros((len(table) + 1, len(table) + 1), dtype=bool)
    apart = padded[:-1, :-1]
    for action in table[..., 0].T:
        met = action != UNKNOWN
        apart |= (action[:, None] != action) & met[:, None] & met
    count = -1
    while count != (count := int(np.count_nonzero(apart))):
        for after in table[..., 1].T:
            apart |= padded[after].take(after, axis=1)
    return apart


def _clique(apart: NDArray[np.bool_], most: int) -> int:
    """Return the size of a set of nodes that are pairwise told apart: the largest that greed finds; `most` is enough.

    Greed takes the node that has to be told apart from the fewest of those left, again and again; it begins at many.
    """
    nodes, best = len(apart), 1
    together = ~apart
    for first in np.argsort(together.sum(axis=1), kind="stable")[: max(1, min(200, MAX_GREED // nodes))].tolist():
        left, size = apart[first].copy(), 1
        near = together[:, left].sum(axis=1)  # how many of those left each node is not told apart from
        while left.any():
            gone = left & together[np.where(left, near, nodes + 1).argmin()]
            left[gone] = False
            near -= together[gone].sum(axis=0)  # `together` is symmetric
            size += 1
        best = max(best, size)
        if best >= most:
            break
    return best


def _folded(table: Ints, apart: NDArray[np.bool_]) -> Ints:
    """Merge nodes, greedily in order, each into the first kept one that all it leads to allows to be merged too."""
    kept: list[int] = []
    for node in range(len(table)):
        if node in kept or table[node, 0, 0] == _GONE:
            continue
        for other in kept:
            if not apart[node, other] and (merged := _merge(table, other, node)) is not None:
                table = merged
                break
        else:
            kept.append(node)
    return table


_GONE: Final = -2


def _smallest(table: Ints, folded: Ints, at_least: int) -> tuple[Ints, int]:
    """Return the smallest machine found that does all that `table` does, and how many nodes it is proved to need."""
    tried = [0]
    for nodes in range(at_least, len(_in_order(folded))):
        try:
            if (found := _covering(table, nodes, tried)) is not None:
                return found, nodes
        except (_Undecided, RecursionError):  # as deep as there are entries
            return folded, nodes
    return folded, len(_in_order(folded))


class _Undecided(Exception):
    """The search has taken as many steps as it may."""


def _covering(table: Ints, nodes: int, tried: list[int]) -> Ints | None:
    """Return a machine of so many nodes that does all that `table` does, or None: there is none.

    It is run side by side with the table, and an entry is chosen only when it is met: its action is the table's then,
    its next node any that is in use, or a new one.
    """
    found = np.full((nodes, *table.shape[1:]), UNKNOWN)
    known = [np.flatnonzero(row).tolist() for row in table[..., 0] != UNKNOWN]
    answers = table.tolist()
    pairs, met = [(0, 0)], {(0, 0)}  # (node of the table, node of the machine), as they are met

    def meet(pair: tuple[int, int]) -> None:
        if pair not in met:
            met.add(pair)
            pairs.append(pair)

    def run(place: int, skip: int, used: int) -> bool:
        """Go on from an entry of a pair; on failure leave everything as it was."""
        length, written = len(pairs), []
        while place < len(pairs):
            row, node = pairs[place]
            for index in range(skip, len(known[row])):
                tried[0] += 1
                if tried[0] > MAX_TRIED:
                    raise _Undecided
                seen = known[row][index]
                action, after = answers[row][seen]
                if found[node, seen, 0] == UNKNOWN:
                    found[node, seen, 0] = action
                    written.append((node, seen))
                    for choice in range(min(used + 1, nodes)):
                        found[node, seen, 1] = choice
                        before = len(pairs)
                        meet((after, choice))
                        if run(place, index + 1, max(used, choice + 1)):
                            return True
                        met.difference_update(pairs[before:])
                        del pairs[before:]
                elif found[node, seen, 0] == action:
                    meet((after, int(found[node, seen, 1])))
                    continue
                for entry in written:
                    found[entry] = UNKNOWN
                met.difference_update(pairs[length:])
                del pairs[length:]
                return False
            place, skip = place + 1, 0
        return True

    return found if run(0, 0, 1) else None


def _merge(table: Ints, one: int, other: int) -> Ints | None:
    """Return the table with two nodes merged, and whatever both lead to by one observation; None where that fails."""
    table = table.copy()
    into = np.arange(len(table))  # of nodes that are gone, the one that took them
    pending = [(one, other)]
    while pending:
        a, b = (_root(into, node) for node in pending.pop())
        if a == b:
            continue
        a, b = min(a, b), max(a, b)
        both = (table[a, :, 0] != UNKNOWN) & (table[b, :, 0] != UNKNOWN)
        if (table[a, both, 0] != table[b, both, 0]).any():
            return None
        pending += zip(table[a, both, 1].tolist(), table[b, both, 1].tolist(), strict=True)
        table[a] = np.where(table[a] == UNKNOWN, table[b], table[a])
        table[b] = _GONE
        into[b] = a
    resolved = np.array([_root(into, node) for node in range(len(table))] + [_GONE, UNKNOWN])
    table[..., 1] = resolved[table[..., 1]]
    return table


def _root(into: Ints, node: int) -> int:
    while into[node] != node:
        node = int(into[node])
    return node

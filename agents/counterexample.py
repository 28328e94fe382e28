"""The shortest path of dots that an agent does not follow: all paths, length by length, as one growing batch.

A path does not touch itself: of its cells only neighbours in the sequence are neighbours in the maze.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ..envs import DOWN, Maze, World, opposite
from ..envs.maps.arguments import whole
from ..envs.maps.directions import ARROWS, DIRECTION_NAMES, OFFSETS
from ..envs.pictures.text import draw_text
from .agent import Agent, checked_agent
from .agent_state import as_matrix, rows_of
from .rnn import RNNAgent

Ints = NDArray[np.int64]
Start = Literal["end", "dot below"]

STARTS: Final[tuple[Start, ...]] = ("end", "dot below")
"""where the agent starts: at the end of a path, or inside it, with the dot that it came from below"""
NOWHERE: Final = -1
"""no direction: at the end of a path the agent came from nowhere"""


@dataclass(frozen=True)
class Counterexample:
    """A path on which every action of an agent is right but the last.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import LinearRNN, RNNAgent, counterexample
        >>> forgets = LinearRNN(W=np.eye(4), U=np.zeros((4, 4)), b=np.zeros(4), h0=[1, 0, 0, 0])
        >>> agent = RNNAgent(forgets)
        >>> print(counterexample(agent))
        S○
         G
        the path →↓, from its end
        step 2: it sees ←↓ and should go down ↓
        it goes left ←; the right direction leads by 0
    """

    moves: tuple[int, ...]
    """the directions along the path; the last one is what the agent should have done"""
    start: Start
    went: int
    """what the agent did instead; the same as the last of `moves` if only the margin was missed"""
    lead: float | None
    """the hidden unit of the right direction minus the largest other one; None without (finite) hidden units"""
    shortest: bool
    """whether every shorter path was tried; False: found by the beam search, which is not exhaustive"""

    @property
    def maze(self) -> Maze:
        """The path as a maze, with S where the agent starts and G at the other end."""
        cells = np.concatenate([[[0, 0]], np.cumsum(OFFSETS[list(self.moves)], axis=0)])
        dots = cells if self.start == "end" else np.concatenate([cells, OFFSETS[[DOWN]]])
        corner = dots.min(axis=0)
        tiles = np.full(dots.max(axis=0) - corner + 1, ord(" "), dtype=np.uint8)
        tiles[tuple((dots - corner).T)] = ord(".")
        tiles[tuple(cells[-1] - corner)] = ord("G")
        tiles[tuple(cells[0] - corner)] = ord("S")
        return Maze(tiles)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        world = World.compile(self.maze)
        state = int(world.start_states[0])
        for move in self.moves[:-1]:
            state = int(world.next_state[state, move])
        dots = "".join(ARROWS[d] for d in range(4) if world.dots[state, d])
        right, went = self.moves[-1], self.went
        path = "".join(ARROWS[move] for move in self.moves)
        ahead = "" if world.dots[state, went] else ", where there is no dot"
        lines = [
            draw_text(world, state).rstrip("\n"),
            f"the path {path}, from {'its end' if self.start == 'end' else 'its inside, with a dot below the start'}",
            f"step {len(self.moves)}: it sees {dots} and should go {DIRECTION_NAMES[right]} {ARROWS[right]}",
            f"it goes {DIRECTION_NAMES[went]} {ARROWS[went]}{ahead}",
        ]
        if self.lead is not None:
            lines[-1] += f"; the right direction leads by {self.lead:.3g}"
        return "\n".join(lines)


def counterexample(
    agent: Agent,
    max_length: int = 12,
    *,
    starts: Sequence[Start] = STARTS,
    margin: float | None = None,
    beam_length: int = 400,
    beam_width: int = 512,
) -> Counterexample | None:
    """Return the shortest path of dots that does not touch itself and that the agent does not follow.

    The agent fails at its first step that is not along the path, even if it would come back to it. All paths of up to
    `max_length` steps are tried, in order of length. If the agent follows them all, a beam search goes on, along the
    `beam_width` paths with the smallest lead in the last step. It finds memory that fades, but it is not exhaustive,
    and it needs an `RNNAgent`, whose hidden units give the lead.

    Args:
        agent: it must accept batches of `dots`.
        max_length: 12 takes seconds, and each further step 2.4 times as long.
        starts: see `STARTS`.
        margin: if given, it is also a failure if the right direction leads by this or less. By default only the action
            counts, which ties and rounding may decide.
        beam_length: the length of path, in steps, up to which the beam search goes on; 0 for no beam search.
        beam_width: the number of paths in the beam.

    Returns:
        The counterexample, or None: the agent follows all paths of up to `max_length` steps.

    Raises:
        TypeError: not an agent, or a length or width that is not an integer.
        ValueError: a number out of range, an unknown start, a margin for an agent that is not an RNNAgent.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import LinearRNN, RNNAgent, counterexample
        >>> forgetful = RNNAgent(LinearRNN(W=np.eye(4), U=np.zeros((4, 4)), b=np.zeros(4), h0=[1, 0, 0, 0]))
        >>> counterexample(forgetful).moves  # right, then down: it goes back
        (1, 3)
    """
    max_length, beam_width = whole("max_length", max_length, 1), whole("beam_width", beam_width, 1)
    longest = max(max_length, whole("beam_length", beam_length, 0))
    _check_starts(starts)
    if margin is not None and not isinstance(agent, RNNAgent):
        raise ValueError(f"margin needs an RNNAgent, whose hidden units can be compared, not {type(agent).__name__}")
    paths = _Paths.beginning(checked_agent(agent), starts, longest)
    for length in range(1, longest + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # a net that explodes is a failure, not a warning
            longer = paths.extended(agent)
        fails = longer.went != longer.moves[:, -1]
        if margin is not None:
            fails |= longer.lead <= margin
        for row in np.flatnonzero(fails)[:1]:
            return longer.example(row, shortest=length <= max_length)
        if length >= max_length and not isinstance(agent, RNNAgent):
            return None
        paths = longer if length < max_length else longer.rows(np.argsort(longer.lead, kind="stable")[:beam_width])
    return None


def follows_every_path(agent: Agent, *, starts: Sequence[Start] = STARTS, max_states: int = 100_000) -> bool:
    """Return whether a proof was found that the agent follows every path that does not touch itself, of any length.

    Inside a path, the observation depends on the last move and the next one only. So the proof is exhaustive: along all
    sequences of moves without two opposite ones in a row or with one between, the agent's state takes finitely many
    values, and the action is right for each of them. False means that there is no such proof: the agent makes a
    mistake, or its state takes more than `max_states` values.

    Args:
        agent: it must accept batches of `dots`.
        starts: see `STARTS`.
        max_states: the search gives up after this many values, with those of the last two moves.

    Raises:
        TypeError: not an agent.
        ValueError: an unknown start.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import LinearRNN, RNNAgent, follows_every_path, path_follower
        >>> forgetful = RNNAgent(LinearRNN(W=np.eye(4), U=np.zeros((4, 4)), b=np.zeros(4), h0=[1, 0, 0, 0]))
        >>> follows_every_path(path_follower()), follows_every_path(forgetful)
        (True, False)
    """
    _check_starts(starts)
    came = np.array([NOWHERE if start == "end" else DOWN for start in starts])  # where the agent came from
    before, states = np.full(len(came), NOWHERE), checked_agent(agent).initial_state(len(came))
    visited: set[bytes] = set()
    while len(came):
        rows, moves = np.nonzero((np.arange(4) != came[:, None]) & (np.arange(4) != before[:, None]))
        with np.errstate(over="ignore", invalid="ignore"):
            went, states = agent.act(_dots(came[rows], moves), rows_of(states, rows))
        if (went != moves).any() or len(visited) > max_states:
            return False
        # the move before the last one, reversed, would lead to a cell beside the path
        came, before = opposite(moves), came[rows]
        fresh = []
        for row, key in enumerate(np.column_stack([came, before, as_matrix(states, len(came)) + 0.0])):
            if key.tobytes() not in visited:
                visited.add(key.tobytes())
                fresh.append(row)
        came, before, states = came[fresh], before[fresh], rows_of(states, fresh)
    return True


def _check_starts(starts: Sequence[Start]) -> None:
    if not starts or not set(starts) <= set(STARTS):
        raise ValueError(f"starts must be one or several of {STARTS}, not {starts!r}")


def _dots(came: Ints, moves: Ints) -> NDArray[np.int8]:
    """Return the observations inside paths, (n, 4): a dot where the agent came from, if anywhere, and one ahead."""
    every = np.arange(4)
    return ((every == came[:, None]) | (every == moves[:, None])).astype(np.int8)


@dataclass(frozen=True)
class _Paths:
    """n paths of the same length, and the agent's state at the end of each."""

    cells: Ints
    """(n, steps + 2), a number for each cell: the dot below the start or a cell far away, the start, the others"""
    moves: Ints
    """(n, steps)"""
    states: Any
    """of the agent, a batch of n"""
    went: Ints
    """(n,): the agent's last actions"""
    lead: NDArray[np.float64]
    """(n,): of the last step; nan without hidden units"""
    offsets: Ints
    """(4,): what a step adds to the number of a cell"""

    @classmethod
    def beginning(cls, agent: Agent, starts: Sequence[Start], longest: int) -> "_Paths":
        """Return the paths of no steps, one for each start; cell numbers are unique for up to `longest` steps."""
        stride = 4 * longest + 8
        offsets = OFFSETS @ (stride, 1)
        far = stride * stride
        cells = np.array([[far if start == "end" else offsets[DOWN], 0] for start in starts])
        empty = np.zeros((len(cells), 0), dtype=np.int64)
        return cls(cells, empty, agent.initial_state(len(cells)), empty, np.zeros(len(cells)), offsets)

    def rows(self, rows: Ints) -> "_Paths":
        """Return some of the paths."""
        states = rows_of(self.states, rows)
        return _Paths(self.cells[rows], self.moves[rows], states, self.went[rows], self.lead[rows], self.offsets)

    def extended(self, agent: Agent) -> "_Paths":
        """Return all paths of one more step that do not touch themselves, with the agent's action in that step."""
        parts = 1 + self.cells.size * 20 // 2**24  # so that `_free` takes little memory
        rows, moves = np.nonzero(np.concatenate([self._free(part) for part in np.array_split(self.cells, parts)]))
        cells = np.column_stack([self.cells[rows], self.cells[rows, -1] + self.offsets[moves]])
        if self.moves.shape[1]:
            came = opposite(self.moves[rows, -1])
        else:
            came = np.where(self.cells[rows, 0] == self.offsets[DOWN], DOWN, NOWHERE)
        dots, states = _dots(came, moves), rows_of(self.states, rows)
        went, next_states = agent.act(dots, states)
        lead = np.full(len(rows), np.nan)
        if isinstance(agent, RNNAgent):
            h = agent.rnn.step(dots, states)
            others = h.copy()
            others[np.arange(len(h)), moves] = -np.inf
            lead = h[np.arange(len(h)), moves] - others.max(axis=1)
        return _Paths(cells, np.column_stack([self.moves[rows], moves]), next_states, went, lead, self.offsets)

    def _free(self, cells: Ints) -> NDArray[np.bool_]:
        """Return in which directions the next cell is new and touches no cell of the path but the last, (n, 4)."""
        ahead = cells[:, -1:] + self.offsets
        beside = np.concatenate([ahead[..., None], ahead[..., None] + self.offsets], axis=-1)
        return ~(beside[..., None] == cells[:, None, None, :-1]).any(axis=(2, 3))

    def example(self, row: int, shortest: bool) -> Counterexample:
        """Return a path as a counterexample."""
        lead = float(self.lead[row]) if np.isfinite(self.lead[row]) else None
        start: Start = "dot below" if self.cells[row, 0] == self.offsets[DOWN] else "end"
        return Counterexample(tuple(self.moves[row].tolist()), start, int(self.went[row]), lead, shortest)

"""The shortest path of dots that an agent does not follow: all paths, level by level, as one growing batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ..envs import DOWN, Maze, World, opposite
from ..envs.maps.directions import ARROWS, DIRECTION_NAMES, OFFSETS
from ..envs.pictures.text import draw_text
from .agent import Agent, checked_agent
from .minds import numbers, take
from .rnn import RNNAgent

Ints = NDArray[np.int64]
Start = Literal["end", "dot below"]

STARTS: Final[tuple[Start, ...]] = ("end", "dot below")
"""where a path begins: at its very end, or in its inside, the dot below the start being the one that it came by"""
NOWHERE: Final = -1


@dataclass(frozen=True)
class Counterexample:
    """A path that an agent does not follow: it goes right at every step but the last."""

    moves: tuple[int, ...]
    """the directions that lead along the path; the last is the one that the agent did not take"""
    start: Start
    went: int
    """where the agent went instead, or, where only the margin was missed, where it went too narrowly"""
    lead: float | None
    """by how much the right direction led the best other one there; None without hidden units, or finite ones"""
    shortest: bool
    """every shorter path was tried; False: found by hunting on, where leads are small"""

    @property
    def maze(self) -> Maze:
        """The path drawn, S at its start and G at its end."""
        cells = np.concatenate([[[0, 0]], np.cumsum(OFFSETS[list(self.moves)], axis=0)])
        dots = cells if self.start == "end" else np.concatenate([cells, OFFSETS[[DOWN]]])
        corner = dots.min(axis=0)
        tiles = np.full(dots.max(axis=0) - corner + 1, ord(" "), dtype=np.uint8)
        tiles[tuple((dots - corner).T)] = ord(".")
        tiles[tuple(cells[-1] - corner)] = ord("G")
        tiles[tuple(cells[0] - corner)] = ord("S")
        return Maze(tiles)

    def __str__(self) -> str:
        world = World.compile(self.maze)
        state = int(world.start_states[0])
        for move in self.moves[:-1]:
            state = int(world.next_state[state, move])
        sees = "".join(ARROWS[d] for d in range(4) if world.dots[state, d])
        wanted, went = self.moves[-1], self.went
        way = "".join(ARROWS[move] for move in self.moves)
        ahead = "" if world.dots[state, went] else ", where no dot is"
        lines = [
            draw_text(world, state).rstrip("\n"),
            f"the way {way}, from {'its very end' if self.start == 'end' else 'its inside, with a dot below'}",
            f"step {len(self.moves)}: it sees {sees} and should go {DIRECTION_NAMES[wanted]} {ARROWS[wanted]}",
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
    deeper: int = 400,
    width: int = 512,
) -> Counterexample | None:
    """Return the shortest path of dots that does not touch itself and that the agent fails to follow.

    It fails at the first step that is not along the path, whether it would find back or not. Paths of up to
    `max_length` steps are all tried, in order of length. If the agent follows every one, the search goes on to paths of
    `deeper` steps along the `width` of them whose last lead was smallest; that finds what fades, but proves nothing,
    and it needs an `RNNAgent`, which has leads. So None means: there is none up to `max_length`.

    Args:
        agent: it sees `dots`; a batch must do.
        max_length: 12 takes seconds, and each step more 2.4 times as long.
        starts: where paths begin; see `STARTS`.
        margin: with a number it is also a failure if the right direction leads the best other one by that or less; by
            default only where the agent goes counts, ties and the luck of rounding included.
        deeper: 0 for no hunt.
        width: how many paths to hunt along.

    Raises:
        ValueError: a length below 1, an unknown start, a margin for an agent that is no RNNAgent.
        TypeError: an agent that is none.
    """
    if max_length < 1 or width < 1:
        raise ValueError(f"max_length and width are positive, not {max_length!r} and {width!r}")
    if not starts or not set(starts) <= set(STARTS):
        raise ValueError(f"starts are some of {STARTS}, not {starts!r}")
    if margin is not None and not isinstance(agent, RNNAgent):
        raise ValueError("a margin is that of hidden units: give an RNNAgent")
    paths = _Paths.beginning(checked_agent(agent), starts, max(max_length, deeper))
    for length in range(1, max(max_length, deeper) + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # a net that explodes is a failure, not a warning
            walked = paths.extended(agent)
        fails = walked.went != walked.moves[:, -1]
        if margin is not None:
            fails |= walked.lead <= margin
        for row in np.flatnonzero(fails)[:1]:
            return walked.example(row, shortest=length <= max_length)
        if length >= max_length and not isinstance(agent, RNNAgent):
            return None
        paths = walked if length < max_length else walked.rows(np.argsort(walked.lead, kind="stable")[:width])
    return None


def follows_every_path(agent: Agent, *, starts: Sequence[Start] = STARTS, max_states: int = 100_000) -> bool:
    """Return whether it is proved that the agent follows every path that does not touch itself, of every length.

    What it sees depends on the last move and the next alone. So if its state takes finitely many values along all
    sequences of moves that do not turn back at once, nor within two steps, and it is right in all of them, then it is
    right for ever. A False says that there is no such proof: a mistake, or more than `max_states` values.

    Raises:
        ValueError: an unknown start.
    """
    if not starts or not set(starts) <= set(STARTS):
        raise ValueError(f"starts are some of {STARTS}, not {starts!r}")
    came = np.array([NOWHERE if start == "end" else DOWN for start in starts])
    before, minds = np.full(len(came), NOWHERE), checked_agent(agent).initial_state(len(came))
    met: set[bytes] = set()
    while len(came):
        rows, moves = np.nonzero((np.arange(4) != came[:, None]) & (np.arange(4) != before[:, None]))
        with np.errstate(over="ignore", invalid="ignore"):
            went, minds = agent.act(_dots(came[rows], moves), take(minds, rows))
        if (went != moves).any() or len(met) > max_states:
            return False
        # the move before the last, turned round, would come to lie beside the path
        came, before = opposite(moves), came[rows]
        fresh = []
        for row, key in enumerate(np.column_stack([came, before, numbers(minds, len(came)) + 0.0])):
            if key.tobytes() not in met:
                met.add(key.tobytes())
                fresh.append(row)
        came, before, minds = came[fresh], before[fresh], take(minds, fresh)
    return True


def _dots(came: Ints, moves: Ints) -> NDArray[np.int8]:
    """Return what is seen inside a path, (n, 4): a dot where the agent came from, if it did, and one ahead."""
    every = np.arange(4)
    return ((every == came[:, None]) | (every == moves[:, None])).astype(np.int8)


@dataclass(frozen=True)
class _Paths:
    """Many paths of one length, and the agent's state at the end of each."""

    cells: Ints
    """(n, steps + 2), a number each: the dot below the start or a place far away, the start, where the steps lead"""
    moves: Ints
    """(n, steps)"""
    minds: Any
    went: Ints
    """(n,), where the agent went at the last step"""
    lead: NDArray[np.float64]
    """(n,), of the last step; nan without hidden units"""
    offsets: Ints
    """(4,): how a step changes a cell's number"""

    @classmethod
    def beginning(cls, agent: Agent, starts: Sequence[Start], longest: int) -> "_Paths":
        stride = 4 * longest + 8  # no two cells that a path can reach have one number
        offsets = OFFSETS @ (stride, 1)
        far = stride * stride
        cells = np.array([[far if start == "end" else offsets[DOWN], 0] for start in starts])
        empty = np.zeros((len(cells), 0), dtype=np.int64)
        minds = agent.initial_state(len(cells))
        return cls(cells, empty, minds, empty, np.zeros(len(cells)), offsets)

    def rows(self, rows: Ints) -> "_Paths":
        return _Paths(
            self.cells[rows], self.moves[rows], take(self.minds, rows), self.went[rows], self.lead[rows], self.offsets
        )

    def extended(self, agent: Agent) -> "_Paths":
        """Return all paths of one step more that do not touch themselves, and how the agent takes that step."""
        rows, moves = np.nonzero(np.concatenate([self._free(part) for part in np.array_split(self.cells, self._parts)]))
        cells = np.column_stack([self.cells[rows], self.cells[rows, -1] + self.offsets[moves]])
        if self.moves.shape[1]:
            came = opposite(self.moves[rows, -1])
        else:
            came = np.where(self.cells[rows, 0] == self.offsets[DOWN], DOWN, NOWHERE)
        seen, minds = _dots(came, moves), take(self.minds, rows)
        went, after = agent.act(seen, minds)
        lead = np.full(len(rows), np.nan)
        if isinstance(agent, RNNAgent):
            h = agent.rnn.step(seen, minds)
            others = h.copy()
            others[np.arange(len(h)), moves] = -np.inf
            lead = h[np.arange(len(h)), moves] - others.max(axis=1)
        return _Paths(cells, np.column_stack([self.moves[rows], moves]), after, went, lead, self.offsets)

    @property
    def _parts(self) -> int:
        return 1 + self.cells.size * 20 // 2**24  # so that the comparison below stays small

    def _free(self, cells: Ints) -> NDArray[np.bool_]:
        """Return in which directions the next cell is new and lies beside no cell but the last, (n, 4)."""
        ahead = cells[:, -1:] + self.offsets
        beside = np.concatenate([ahead[..., None], ahead[..., None] + self.offsets], axis=-1)
        return ~(beside[..., None] == cells[:, None, None, :-1]).any(axis=(2, 3))

    def example(self, row: int, shortest: bool) -> Counterexample:
        lead = float(self.lead[row]) if np.isfinite(self.lead[row]) else None
        start: Start = "dot below" if self.cells[row, 0] == self.offsets[DOWN] else "end"
        return Counterexample(tuple(self.moves[row].tolist()), start, int(self.went[row]), lead, shortest)

"""Watch agents walk: the maze and what the agent computes, moment by moment, as pictures and as text."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .agents import Agent, Automaton, RNNAgent, ValueTable
from .colour import paint_maze
from .envs import MazeEnv, World
from .envs.core.inventory import inventory_bits, is_door
from .envs.core.scene import SIDES
from .envs.maps.directions import ARROWS, DOWN, LEFT, RIGHT, UP
from .envs.maps.legend import AGENT_CODE, CODES, LAST_CODE
from .envs.maps.moves import FOUR
from .envs.pictures.draw import draw
from .envs.pictures.lettering import paint_text, text_width
from .envs.pictures.text import draw_text
from .envs.pictures.tiles import AGENT, INK, PAPER, Frame, Look, cell_picture
from .envs.pictures.trails import extend_trail, new_trail

if TYPE_CHECKING:
    from .panel import Mind

SIZE: Final = (720, 1280)
"""(height, width) of the picture in px, by default"""

PALE: Final = (226, 223, 216)
_HISTORY: Final = 100  # steps whose memory is kept
_LARGEST: Final = 96  # px of a tile
_SEEN: Final = 6  # px of a tile, below which its agent is too small
_SMALLEST: Final = 10  # px of letters
_LEGIBLE: Final = 400  # px of a panel, below which its smallest letters have less than 8 px

MakeAgent: TypeAlias = Callable[[World, np.random.Generator], Agent]


@dataclass(frozen=True)
class Moment:
    """An episode between two moves: where the agent is, what it observes there, and what it computes from it."""

    world: World
    state: int
    agent: Agent | None
    trail: NDArray[np.uint8]
    observation: Any
    agent_state: Any
    """the agent's state before this observation"""
    next_agent_state: Any
    """the agent's state after it"""
    action: int | None
    """the next move; None when the episode is over"""
    step: int
    total: float
    note: str = ""
    history: tuple[NDArray[Any], ...] = ()
    """what a net remembered after each observation so far"""


@runtime_checkable
class Explains(Agent, Protocol):
    """An agent that shows how it decides: a trained net."""

    def probabilities(self, observation: Any, state: Any) -> NDArray[Any]:
        """Return how likely each action is, (actions,)."""

    def units(self, state: Any) -> NDArray[Any]:
        """Return what it remembers, a vector."""


@runtime_checkable
class Gated(Protocol):
    """An agent with gates: an LSTM or a GRU."""

    def gates(self, observation: Any, state: Any) -> Mapping[str, NDArray[Any]]:
        """Return how far its gates open, 0 to 1: name -> (units,)."""


@runtime_checkable
class Critic(Protocol):
    """An agent that says what its present place is worth to it."""

    def value(self, observation: Any, state: Any) -> float | None:
        """Return what it expects to earn from here, or None."""


class Walk:
    """An episode in progress: `moment` is now, `move` takes a step. Without an agent the caller chooses the moves."""

    def __init__(self, env: MazeEnv, make_agent: MakeAgent | None, seed: int) -> None:
        self._env = env
        self._observation, _ = env.reset(seed=seed)
        self._agent = None if make_agent is None else make_agent(env.world, np.random.default_rng(seed))
        self._agent_state = None if self._agent is None else self._agent.initial_state()
        self._trail = new_trail(env.maze)
        self._history: tuple[NDArray[Any], ...] = ()
        self._step, self._total = 0, 0.0
        self.moment = self._observe("")

    def _observe(self, note: str) -> Moment:
        env, action, next_agent_state = self._env, None, None
        if self._agent is not None:
            action, next_agent_state = self._agent.act(self._observation, self._agent_state)
            if isinstance(self._agent, Explains):
                self._history = (*self._history[-_HISTORY:], self._agent.units(next_agent_state))
        return Moment(
            world=env.world,
            state=env.state,
            agent=self._agent,
            trail=self._trail.copy(),
            observation=self._observation,
            agent_state=self._agent_state,
            next_agent_state=next_agent_state,
            action=None if note else action,
            step=self._step,
            total=self._total,
            note=note,
            history=self._history,
        )

    def move(self, action: int) -> None:
        """Take one step; if the episode is over then, `moment.note` says how it ended."""
        env, state = self._env, self._env.state
        self._agent_state = self.moment.next_agent_state
        self._observation, reward, terminated, truncated, _ = env.step(action)
        self._step += 1
        self._total += reward
        extend_trail(self._trail, int(env.world.cell[state]), int(env.world.cell[env.state]), env.maze.width)
        over = "at the goal" if env.at_goal else "ended" if terminated else "out of time" if truncated else ""
        self.moment = self._observe(over)


def walk_together(walks: Sequence[Walk]) -> Iterator[tuple[Moment, ...]]:
    """Yield the moments of several episodes, until all are over; one that is over stays as it is."""
    yield tuple(episode.moment for episode in walks)
    while any(episode.moment.action is not None for episode in walks):
        for episode in walks:
            if episode.moment.action is not None:
                episode.move(episode.moment.action)
        yield tuple(episode.moment for episode in walks)


def walk(env: MazeEnv, make_agent: MakeAgent, seed: int) -> Iterator[Moment]:
    """Yield the moments of one episode."""
    episode = Walk(env, make_agent, seed)
    yield episode.moment
    while episode.moment.action is not None:
        episode.move(episode.moment.action)
        yield episode.moment


@dataclass(frozen=True)
class Picture:
    """How moments are drawn: the maze, and what the agent computes to its right, or below it in a narrow window."""

    title: str
    subtitle: str
    size: tuple[int, int] = SIZE
    footer: str = ""
    """a line at the bottom, such as the keys"""
    large: bool = False
    """letters for the last row of a hall, at least 1/30 of the height, and less that is written; so it is in small
    pictures too, in which other letters could not be read"""

    def draw(self, moment: Moment) -> Frame:
        """Return the picture of a moment, (height, width, 3) uint8."""
        from .canvas import HEIGHT, WIDTH
        from .panel import draw_panel

        height, width = self.size
        frame = np.empty((height, width, 3), dtype=np.uint8)
        frame[:] = PAPER
        narrow = width < height
        room = min(height // 2, width * HEIGHT / WIDTH) if narrow else min(height, 0.4 * width * HEIGHT / WIDTH)
        large = self.large or room < _LEGIBLE
        height, mind = height - _write_footer(frame, self.footer, large), self._mind(moment)
        if narrow:  # the maze above, the panel below
            panel = draw_panel(mind, max(min(height // 2, int(room)), 60), large)
            _paste(frame, panel, height - panel.shape[0], (width - panel.shape[1]) // 2)
            height -= panel.shape[0]
        else:  # the panel takes the full height, but never more than two fifths of the width
            panel = draw_panel(mind, max(min(height, int(room)), 60), large)
            _paste(frame, panel, (height - panel.shape[0]) // 2, width - panel.shape[1])
            width -= panel.shape[1]
        _paste_maze(frame, moment, 0, 0, height, width, height // 18)
        return frame

    def _mind(self, moment: Moment) -> "Mind":
        from .panel import Graph, Mind, Net

        seen = np.asarray(moment.observation)
        net = likely = units = scores = graph = value = None
        gates: Mapping[str, NDArray[Any]] = {}
        moves = moment.world.moves
        four, went = moves == FOUR, moment.action  # the panel has four arrows
        if isinstance(moment.agent, RNNAgent):
            rnn = moment.agent.rnn
            net = Net(rnn.W, rnn.U, rnn.b, moment.agent_state, rnn.step(seen, moment.agent_state))
        elif isinstance(moment.agent, Explains):
            likely = moment.agent.probabilities(moment.observation, moment.agent_state) if four else None
            units = moment.agent.units(moment.next_agent_state)
            if isinstance(moment.agent, Gated):
                gates = moment.agent.gates(moment.observation, moment.agent_state)
            if isinstance(moment.agent, Critic):
                value = moment.agent.value(moment.observation, moment.agent_state)
        elif isinstance(moment.agent, ValueTable):
            scores = moment.agent.action_values(moment.observation) if four else None
        elif isinstance(moment.agent, Automaton) and moment.next_agent_state is not None:
            graph = Graph(moment.agent.next_node, int(moment.agent_state), int(moment.next_agent_state))
        return Mind(
            self.title,
            self.subtitle,
            moment.step,
            moment.total,
            sees=_in_words(moment),
            x=seen if seen.shape == (4,) and four else None,
            action=went if four else None,
            net=net,
            likely=likely,
            scores=scores,
            value=value,
            units=units,
            gates=gates,
            history=moment.history,
            graph=graph,
            view=_as_picture(seen),
            carries=_carried(moment.world, moment.state),
            note=moment.note if four or went is None else moves.names[went],
        )


@dataclass(frozen=True)
class SideBySide:
    """How several walks are drawn: their mazes in rows, each with its title where there is room for one."""

    title: str
    titles: tuple[str, ...] = ()
    """of each walk; empty for walks without one"""
    size: tuple[int, int] = SIZE
    footer: str = ""
    large: bool = False
    """letters for the last row of a hall"""

    def draw(self, moments: Sequence[Moment]) -> Frame:
        """Return the picture of one moment of each walk, (height, width, 3) uint8."""
        height, width = self.size
        frame = np.empty((height, width, 3), dtype=np.uint8)
        frame[:] = PAPER
        text = max(_SMALLEST, min(height, width) // (29 if self.large else 36))
        there = sum(moment.note == "at the goal" for moment in moments)
        step = max(moment.step for moment in moments)
        head_line = f"step {step}, {there} of {len(moments)} at the goal"
        for line in (f"{self.title}: {head_line}", head_line):  # the title where there is room
            if text_width(line, text) < width - 2 * text:
                break
        _write(frame, line, text, 1.4 * text, text)
        top, bottom = round(2.4 * text), height - _write_footer(frame, self.footer, self.large)
        columns = _columns(len(moments), bottom - top, width, moments[0])
        rows = -(-len(moments) // columns)
        high, wide = (bottom - top) // rows, width // columns
        head = round(2 * text) if self.titles else 0
        for i, moment in enumerate(moments):
            y, x = top + i // columns * high, i % columns * wide
            if self.titles:
                state = moment.note or f"step {moment.step}"
                _write(frame, f"{self.titles[i]}: {state}, return {moment.total:g}", x + text, y + text, text)
            _paste_maze(frame, moment, y + head, x, high - head, wide, max(2, wide // 24))
        return frame


def _in_words(moment: Moment) -> str:
    """Return an observation in a few words."""
    if isinstance(moment.observation, dict):
        return ", ".join(moment.observation)
    seen = np.asarray(moment.observation)
    if seen.size > 1:
        many = seen.ndim > 1 or seen.size > 6
        return f"{' x '.join(map(str, seen.shape))} numbers" if many else ", ".join(f"{n:.4g}" for n in seen.tolist())
    maze = moment.world.mazes[int(moment.world.maze_of[moment.state])]
    row, column = divmod(int(moment.world.cell[moment.state]), maze.width)
    return f"{moment.observation}: row {row}, column {column}"


def _as_picture(seen: NDArray[Any]) -> Frame | None:
    """Return an observation as a picture: tile codes as tiles, a frame as it is, a vector of numbers as shades."""
    if seen.dtype == np.uint8 and seen.ndim == 3 and seen.shape[2] == 3:
        return seen
    if seen.ndim == 1 and seen.size > 6 and seen.dtype.kind in "iuf":
        return _shades(seen)
    if seen.dtype not in (np.uint8, np.uint16) or seen.ndim != 2 or not seen.size or (seen & 255).max() > LAST_CODE:
        return None
    codes, sides = seen & 255, seen >> SIDES
    rows = [np.concatenate([cell_picture(_LOOKS[code], 24) for code in row], axis=1) for row in codes.tolist()]
    picture = np.concatenate(rows, axis=0)
    cells = picture.reshape(len(rows), 24, -1, 24, 3).swapaxes(1, 2)
    first, last, every = slice(2), slice(-2, None), slice(None)
    for direction, row, column in ((UP, first, every), (DOWN, last, every), (LEFT, every, first), (RIGHT, every, last)):
        cells[*np.nonzero(sides >> direction & 1), row, column] = INK  # thin walls
    return picture


def _shades(numbers: NDArray[Any]) -> Frame:
    """Return numbers as cells in reading order: paper for the lowest, ink for the highest."""
    side = int(np.ceil(np.sqrt(numbers.size)))
    low, high = float(numbers.min()), float(numbers.max())
    shares = np.zeros(side * -(-numbers.size // side))
    shares[: numbers.size] = (numbers - low) / ((high - low) or 1.0)
    cells = np.array(PALE) + shares.reshape(-1, side, 1) * (np.array(INK) - PALE)
    lined = np.full((*cells.shape[:2], 8, 8, 3), PAPER, dtype=np.uint8)
    lined[:, :, :7, :7] = np.rint(cells)[:, :, None, None]
    return lined.swapaxes(1, 2).reshape(8 * len(cells), 8 * side, 3)


def _carried(world: World, state: int) -> tuple[Frame, ...]:
    """Return pictures of the keys and items that the agent carries."""
    maze, carried = world.mazes[int(world.maze_of[state])], int(world.carried[state])
    bits = inventory_bits(maze.tiles[None])[0]
    taken = (bits & carried != 0) & ~is_door(maze.tiles)
    return tuple(cell_picture(Look(tile), 32) for tile in dict.fromkeys(maze.tiles[taken].tolist()))


_LOOKS: Final = {code: Look(ord(tile)) for tile, code in CODES.items()} | {AGENT_CODE: Look(ord("."), agent=1)}


def _columns(count: int, height: int, width: int, moment: Moment) -> int:
    """Return in how many columns mazes of this shape are largest."""
    maze = moment.world.mazes[int(moment.world.maze_of[moment.state])]

    def tile(columns: int) -> float:
        return min(width / columns / maze.width, height / -(-count // columns) / maze.height)

    return max(range(1, count + 1), key=tile)


def _paste_maze(frame: Frame, moment: Moment, top: int, left: int, height: int, width: int, margin: int) -> None:
    """Draw the maze of a moment in the middle of a part of a frame."""
    maze = moment.world.mazes[int(moment.world.maze_of[moment.state])]
    tile = max(1, min((height - 2 * margin) // maze.height, (width - 2 * margin) // maze.width, _LARGEST))
    picture = draw(moment.world, moment.state, trail=moment.trail, tile=tile)
    top, left = top + (height - picture.shape[0]) // 2, left + (width - picture.shape[1]) // 2
    _paste(frame, picture, top, left)
    if tile < _SEEN:  # a larger mark, that the agent can be seen
        row, column = divmod(int(moment.world.cell[moment.state]), maze.width)
        y, x = top + row * tile + tile // 2, left + column * tile + tile // 2
        for reach, colour in ((4, PAPER), (3, AGENT)):
            frame[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1] = colour


def _write(frame: Frame, text: str, left: float, y: float, size: int) -> None:
    paint_text(frame, text, left + text_width(text, size) / 2, y, size, INK)


def _write_footer(frame: Frame, text: str, large: bool) -> int:
    """Write as much of a line at the bottom of a frame as fits in legible letters, and return its height in px."""
    if not text:
        return 0
    height, width = frame.shape[:2]
    size = min(height, width) // 29 if large else min(height // 45, round(width / (0.56 * len(text))))
    size = max(size, _SMALLEST)
    while text_width(text, size) > width - 2 * size and "   " in text:
        text = text.rpartition("   ")[0]
    _write(frame, text, size, len(frame) - size, size)
    return 2 * size


def _paste(frame: Frame, picture: Frame, top: int, left: int) -> None:
    """Copy a picture into a frame; what does not fit is cut off at the bottom and on the right."""
    top, left = max(top, 0), max(left, 0)
    part = picture[: frame.shape[0] - top, : frame.shape[1] - left]
    frame[top : top + part.shape[0], left : left + part.shape[1]] = part


def describe(moment: Moment) -> str:
    """Return a moment as a line of text: the step, the observation, what the agent remembers, and its move.

    What it remembers is shown where a line can hold it: the hidden state of a hand-set net, the node of an automaton.
    """
    seen = np.asarray(moment.observation)
    if seen.shape == (4,):
        sees = "".join(ARROWS[d] if seen[d] else "·" for d in range(4))
    else:
        sees = f"{moment.observation}" if seen.ndim < 2 else f"{' x '.join(map(str, seen.shape))} numbers"
    if moment.action is None:
        return f"{moment.step:4d}  {moment.note}, return {moment.total:g}"
    remembers, moves = "", moment.world.moves
    if isinstance(moment.agent, Explains):
        likely = moment.agent.probabilities(moment.observation, moment.agent_state)
        remembers = f"p = ({', '.join(f'{p:4.2f}' for p in likely)})  "
    if isinstance(moment.agent, RNNAgent):
        remembers = "h = (" + ", ".join(f"{value:5.2f}" for value in moment.next_agent_state) + ")  "
    elif isinstance(moment.agent, Automaton):
        remembers = f"node {moment.next_agent_state}  "
    return f"{moment.step:4d}  sees {sees}  {remembers}goes {moves.arrows[moment.action]} {moves.names[moment.action]}"


def printed(moments: Iterable[Moment]) -> Iterator[Moment]:
    """Yield moments, and print each as it comes: the maze, a line for each moment, and the maze at the end."""
    moment = None
    for moment in moments:
        if moment.step == 0:
            print(paint_maze(draw_text(moment.world, moment.state), sys.stdout))
        print(describe(moment))
        yield moment
    if moment is not None:
        print("\n" + paint_maze(draw_text(moment.world, moment.state), sys.stdout))

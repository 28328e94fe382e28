"""Watch an agent walk: the maze and what the agent computes, moment by moment, in a window or in files."""

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .agents import Agent, Automaton, RNNAgent
from .envs import MazeEnv, World
from .envs.maps.directions import ARROWS, DIRECTION_NAMES
from .envs.maps.files import replacing, write_file
from .envs.pictures.draw import draw, tile_size
from .envs.pictures.png import png
from .envs.pictures.text import draw_text
from .envs.pictures.tiles import PAPER, Frame
from .envs.pictures.trails import extend_trail, new_trail
from .envs.pictures.window import Window, WindowClosed
from .extras import require

SIZE: Final = (720, 1280)
"""(height, width) of the picture in px, by default"""

GIF_MOMENTS: Final = 1000  # half a megabyte of memory each

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


@runtime_checkable
class Explains(Agent, Protocol):
    """An agent that shows how it decides: a trained net."""

    def probabilities(self, observation: Any, state: Any) -> NDArray[Any]:
        """Return how likely each action is, (actions,)."""

    def units(self, state: Any) -> NDArray[Any]:
        """Return what it remembers, a vector."""


class Walk:
    """An episode in progress: `moment` is now, `move` takes a step. Without an agent the caller chooses the moves."""

    def __init__(self, env: MazeEnv, make_agent: MakeAgent | None, seed: int) -> None:
        self._env = env
        self._observation, _ = env.reset(seed=seed)
        self._agent = None if make_agent is None else make_agent(env.world, np.random.default_rng(seed))
        self._agent_state = None if self._agent is None else self._agent.initial_state()
        self._trail = new_trail(env.maze)
        self._step, self._total = 0, 0.0
        self.moment = self._observe("")

    def _observe(self, note: str) -> Moment:
        env, action, next_agent_state = self._env, None, None
        if self._agent is not None:
            action, next_agent_state = self._agent.act(self._observation, self._agent_state)
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


def walk(env: MazeEnv, make_agent: MakeAgent, seed: int) -> Iterator[Moment]:
    """Yield the moments of one episode."""
    episode = Walk(env, make_agent, seed)
    yield episode.moment
    while episode.moment.action is not None:
        episode.move(episode.moment.action)
        yield episode.moment


@dataclass(frozen=True)
class Picture:
    """How moments are drawn: the maze on the left, what the agent computes on the right."""

    title: str
    subtitle: str
    size: tuple[int, int] = SIZE

    def draw(self, moment: Moment) -> Frame:
        """Return the picture of a moment, (height, width, 3) uint8."""
        from .panel import HEIGHT, WIDTH, Mind, Net, draw_panel

        height, width = self.size
        seen = np.asarray(moment.observation)
        net = likely = units = None
        if isinstance(moment.agent, RNNAgent):
            rnn = moment.agent.rnn
            net = Net(rnn.W, rnn.U, rnn.b, moment.agent_state, rnn.step(seen, moment.agent_state))
        elif isinstance(moment.agent, Explains):
            likely = moment.agent.probabilities(moment.observation, moment.agent_state)
            units = moment.agent.units(moment.next_agent_state)
        mind = Mind(
            self.title,
            self.subtitle,
            moment.step,
            moment.total,
            sees=f"{moment.observation}" if seen.size == 1 else f"{seen.shape}",
            x=seen if seen.shape == (4,) else None,
            action=moment.action,
            net=net,
            likely=likely,
            units=units,
            note=moment.note,
        )
        # the panel takes the full height, but never more than two fifths of the width
        panel = draw_panel(mind, max(min(height, int(0.4 * width * HEIGHT / WIDTH)), 60))
        frame = np.empty((height, width, 3), dtype=np.uint8)
        frame[:] = PAPER
        _paste(frame, panel, (height - panel.shape[0]) // 2, width - panel.shape[1])
        maze = moment.world.mazes[int(moment.world.maze_of[moment.state])]
        room = width - panel.shape[1]
        margin = height // 18
        tile = tile_size(maze, height - 2 * margin, room - 2 * margin)
        picture = draw(moment.world, moment.state, trail=moment.trail, tile=tile)
        _paste(frame, picture, (height - picture.shape[0]) // 2, (room - picture.shape[1]) // 2)
        return frame


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
    remembers = ""
    if isinstance(moment.agent, Explains):
        likely = moment.agent.probabilities(moment.observation, moment.agent_state)
        remembers = f"p = ({', '.join(f'{p:4.2f}' for p in likely)})  "
    if isinstance(moment.agent, RNNAgent):
        remembers = "h = (" + ", ".join(f"{value:5.2f}" for value in moment.next_agent_state) + ")  "
    elif isinstance(moment.agent, Automaton):
        remembers = f"node {moment.next_agent_state}  "
    return f"{moment.step:4d}  sees {sees}  {remembers}goes {ARROWS[moment.action]} {DIRECTION_NAMES[moment.action]}"


def watch_in_window(
    env: MazeEnv, make_agent: MakeAgent, picture: Picture, seed: int, fps: float, episodes: int | None
) -> None:
    """Show episodes in a window until the user closes it.

    Keys: space pauses, the right arrow takes one step, up and down change the speed, r restarts, s saves a PNG, q or
    Esc quits.

    Args:
        env: where the agent walks.
        make_agent: makes the agent for the environment's world.
        picture: how moments are drawn.
        seed: of the first episode; the next one has the next seed.
        fps: steps a second, at most 60.
        episodes: close the window after this many; None stays at the end of the first.
    """
    window = Window(f"mazegrad: {picture.title}")
    done, paused, due = 0, False, 0.0
    moments = walk(env, make_agent, seed)
    moment = next(moments)
    screen = 60.0  # frames a second; the keys are read at this rate, even if the walk is slower
    fps = min(fps, screen)
    try:
        while True:
            size = window.size or picture.size
            rate = min(screen, max(fps, 20))
            keys = window.show(replace(picture, size=size).draw(moment), rate)
            due += fps / rate
            for key in keys:
                if key in ("q", "escape"):
                    return
                if key == "space":
                    paused, due = not paused, 0.0
                elif key == "right":
                    paused, due = True, 0.0
                    moment = next(moments, moment)
                elif key in ("up", "down"):
                    fps = min(max(fps * (1.25 if key == "up" else 0.8), 0.5), screen)
                elif key == "r":
                    moments = walk(env, make_agent, seed + done)
                    moment, due = next(moments), 0.0
                elif key == "s":
                    save_picture("mazegrad-watch", picture.draw(moment))
            if paused or due < 1:
                continue
            due -= 1
            following = next(moments, None)
            if following is not None:
                moment = following
            elif episodes is not None:
                done += 1
                if done == episodes:
                    return
                moments = walk(env, make_agent, seed + done)
                moment = next(moments)
    except WindowClosed:
        return
    finally:
        window.close()


def play_in_window(env: MazeEnv, picture: Picture, seed: int) -> None:
    """Let a person walk: the arrow keys move, r restarts, s saves a PNG, q or Esc or closing the window quits.

    When an episode is over, any arrow goes on to the next.
    """
    window = Window(f"mazegrad: {picture.title}")
    episode = Walk(env, None, seed)
    try:
        while True:
            size = window.size or picture.size
            for key in window.show(replace(picture, size=size).draw(episode.moment), 30):
                if key in ("q", "escape"):
                    return
                if key == "s":
                    save_picture("mazegrad-play", picture.draw(episode.moment))
                elif key in DIRECTION_NAMES and not episode.moment.note:
                    episode.move(DIRECTION_NAMES.index(key))
                elif key in DIRECTION_NAMES or key == "r":
                    seed += key != "r"
                    episode = Walk(env, None, seed)
    except WindowClosed:
        return
    finally:
        window.close()


def save_picture(stem: str, frame: Frame) -> None:
    """Write a frame to the first of stem-1.png, stem-2.png, ... that does not exist yet, and print its name."""
    path = next(p for n in itertools.count(1) if not (p := Path(f"{stem}-{n}.png")).exists())
    save_png(path, frame)
    print(f"saved {path}")


def save_png(path: Path, frame: Frame) -> None:
    """Write a frame as PNG, whatever the file is called; needs neither a display nor an optional dependency."""
    write_file(path, png(frame))


def save_gif(path: Path, moments: list[Moment], picture: Picture, fps: float) -> None:
    """Write moments as an endless GIF, and show the progress on a terminal; needs the extra `video`."""
    Image = require("PIL.Image", "video")
    if len(moments) > GIF_MOMENTS:
        print(f"the GIF shows the first {GIF_MOMENTS} of {len(moments)} moments; record an .mp4 to keep all")
        moments = moments[:GIF_MOMENTS]
    # one palette for all pictures, so that nothing flickers
    palette = Image.fromarray(film_strip(moments, picture, 2, 2)).quantize(128)
    pictures: list[Any] = []
    for number, moment in enumerate(moments, 1):
        pictures.append(Image.fromarray(picture.draw(moment)).quantize(palette=palette, dither=0))
        if sys.stderr.isatty():
            print(f"\rdrawing {number}/{len(moments)}", end="" if number < len(moments) else "\n", file=sys.stderr)
    durations = [round(min(1000 / fps, 600_000))] * (len(pictures) - 1) + [2000]
    with replacing(path) as beside:
        pictures[0].save(beside, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def save_mp4(path: Path, moments: list[Moment], picture: Picture, fps: float) -> None:
    """Write moments as an MP4 (H.264); needs the extra `video`."""
    imageio = require("imageio.v2", "video")
    require("imageio_ffmpeg", "video")
    with replacing(path) as beside, imageio.get_writer(beside, fps=fps, macro_block_size=2) as film:
        for moment in moments:
            film.append_data(picture.draw(moment))


def film_strip(moments: list[Moment], picture: Picture, columns: int = 3, rows: int = 3) -> Frame:
    """Return a sheet of pictures from the first moment to the last, in reading order."""
    chosen = np.unique(np.linspace(0, len(moments) - 1, columns * rows).round().astype(int))
    height, width = picture.size
    sheet = np.empty((-(-len(chosen) // columns) * height, columns * width, 3), dtype=np.uint8)
    sheet[:] = PAPER
    for place, index in enumerate(chosen):
        row, column = divmod(place, columns)
        _paste(sheet, picture.draw(moments[index]), row * height, column * width)
    return sheet


def printed(moments: Iterable[Moment]) -> Iterator[Moment]:
    """Yield moments, and print each as it comes: the maze, a line for each moment, and the maze at the end."""
    moment = None
    for moment in moments:
        if moment.step == 0:
            print(draw_text(moment.world, moment.state))
        print(describe(moment))
        yield moment
    if moment is not None:
        print(f"\n{draw_text(moment.world, moment.state)}")

"""Watch an agent walk: moments of a walk, drawn with the agent's mind beside the maze, in a window or into files."""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .agents import Agent, RNNAgent
from .envs import MazeEnv, World
from .envs.directions import ARROWS, DIRECTION_NAMES
from .envs.draw import PAPER, Frame, draw, draw_text, extend_trail, new_trail, tile_size
from .envs.window import Window, WindowClosed
from .files import replacing, require

SIZE: Final = (720, 1280)
"""(height, width) of the picture in px, unless asked otherwise"""


@dataclass(frozen=True)
class Moment:
    """A walk between two moves: where the agent is, what it sees there, and what it makes of it."""

    world: World
    state: int
    trail: NDArray[np.uint8]
    observation: Any
    mind: Any
    """the agent's state when it sees this"""
    next_mind: Any
    action: int | None
    """where it is about to go; None when the episode is over"""
    step: int
    total: float
    note: str = ""


def walk(env: MazeEnv, agent: Agent, seed: int | None) -> Iterator[Moment]:
    """Yield the moments of one episode."""
    observation, _ = env.reset(seed=seed)
    mind = agent.initial_state()
    trail = new_trail(env.maze)
    total = 0.0
    for step in itertools.count():
        action, next_mind = agent.act(observation, mind)
        yield Moment(env.world, env.state, trail.copy(), observation, mind, next_mind, action, step, total)
        state = env.state
        observation, reward, terminated, truncated, _ = env.step(action)
        mind, total = next_mind, total + reward
        extend_trail(trail, int(env.world.cell[state]), int(env.world.cell[env.state]), env.maze.width)
        if terminated or truncated:
            note = "at the goal" if env.at_goal else "out of time" if truncated else "it is over"
            _, next_mind = agent.act(observation, mind)
            yield Moment(env.world, env.state, trail, observation, mind, next_mind, None, step + 1, total, note)
            return


@dataclass(frozen=True)
class Picture:
    """How moments are drawn: the maze at the left, the mind at the right."""

    title: str
    subtitle: str
    agent: Agent
    size: tuple[int, int] = SIZE

    def draw(self, moment: Moment) -> Frame:
        """Return the picture of a moment, (height, width, 3) uint8."""
        from .panel import HEIGHT, WIDTH, Mind, Net, draw_panel

        height, width = self.size
        seen = np.asarray(moment.observation)
        net = None
        if isinstance(self.agent, RNNAgent):
            rnn = self.agent.rnn
            net = Net(rnn.W, rnn.U, rnn.b, moment.mind, rnn.step(seen, moment.mind))
        mind = Mind(
            self.title,
            self.subtitle,
            moment.step,
            moment.total,
            sees=f"{moment.observation}" if seen.size == 1 else f"{seen.shape}",
            x=seen if seen.shape == (4,) else None,
            action=moment.action,
            net=net,
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
    """Lay a picture over a frame; what does not fit is cut off, from the picture's lower and right side."""
    top, left = max(top, 0), max(left, 0)
    part = picture[: frame.shape[0] - top, : frame.shape[1] - left]
    frame[top : top + part.shape[0], left : left + part.shape[1]] = part


def describe(moment: Moment) -> str:
    """Return a moment as a line of text: the step, what is seen, the mind if it is a vector, the direction."""
    seen = np.asarray(moment.observation)
    sees = "".join(ARROWS[d] if seen[d] else "·" for d in range(4)) if seen.shape == (4,) else f"{moment.observation}"
    mind = np.asarray(moment.next_mind)
    if moment.action is None:
        return f"{moment.step:4d}  {moment.note}, return {moment.total:g}"
    thinks = "h = (" + ", ".join(f"{v:5.2f}" for v in mind) + ")  " if mind.dtype == float and mind.ndim == 1 else ""
    return f"{moment.step:4d}  sees {sees}  {thinks}goes {ARROWS[moment.action]} {DIRECTION_NAMES[moment.action]}"


def watch_in_window(env: MazeEnv, agent: Agent, picture: Picture, seed: int, fps: float, episodes: int | None) -> None:
    """Show walks in a window until the user closes it, or until so many episodes are over.

    Keys: space pauses, the right arrow takes one step, up and down change the speed, r restarts, s saves a PNG, q or
    Esc quits.
    """
    window = Window(f"mazegrad: {picture.title}")
    done, paused, due = 0, False, 0.0
    moments = walk(env, agent, seed)
    moment = next(moments)
    screen = 60.0  # frames a second; the keys answer at this pace, whatever the walk's
    try:
        while True:
            size = window.size or picture.size
            keys = window.show(
                Picture(picture.title, picture.subtitle, agent, size).draw(moment), min(screen, max(fps, 20))
            )
            due += fps / min(screen, max(fps, 20))
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
                    moments = walk(env, agent, seed + done)
                    moment, due = next(moments), 0.0
                elif key == "s":
                    path = free_path("mazegrad-watch", ".png")
                    save_png(path, picture.draw(moment))
                    print(f"saved {path}")
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
                moments = walk(env, agent, seed + done)
                moment = next(moments)
    except WindowClosed:
        return
    finally:
        window.close()


def free_path(stem: str, suffix: str) -> Path:
    """Return the first of stem-1, stem-2, ... that is no file yet."""
    return next(p for n in itertools.count(1) if not (p := Path(f"{stem}-{n}{suffix}")).exists())


def save_png(path: Path, frame: Frame) -> None:
    """Write a frame as PNG; needs neither a display nor an extra."""
    import pygame

    surface = pygame.image.frombuffer(np.ascontiguousarray(frame).tobytes(), frame.shape[1::-1], "RGB")
    with replacing(path) as beside:
        pygame.image.save(surface, str(beside))


def save_gif(path: Path, moments: list[Moment], picture: Picture, fps: float) -> None:
    """Write moments as an endless GIF; needs the extra `video`. Shows how far it is on a terminal."""
    Image = require("PIL.Image", "video")
    # one palette for all, so that nothing flickers
    palette = Image.fromarray(film_strip(moments, picture, 2, 2)).quantize(128)
    pictures: list[Any] = []
    for number, moment in enumerate(moments, 1):
        pictures.append(Image.fromarray(picture.draw(moment)).quantize(palette=palette, dither=0))
        if sys.stderr.isatty():
            print(f"\rdrawing {number}/{len(moments)}", end="" if number < len(moments) else "\n", file=sys.stderr)
    durations = [round(1000 / fps)] * (len(pictures) - 1) + [2000]
    with replacing(path) as beside:
        pictures[0].save(beside, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)


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


def print_walk(moments: list[Moment]) -> None:
    """Print the maze, the walk as one line a moment, and the maze at the end."""
    print(draw_text(moments[0].world, moments[0].state))
    for moment in moments:
        print(describe(moment))
    print()
    print(draw_text(moments[-1].world, moments[-1].state))

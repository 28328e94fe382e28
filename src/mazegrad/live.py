"""Walks in a window: watched, or walked by a person with the arrow keys."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from .envs import MazeEnv
from .envs.maps.directions import DIRECTION_NAMES
from .envs.pictures.window import Window, WindowClosed
from .film import save_picture
from .watch import Picture, SideBySide, Walk

WATCH_KEYS: Final = "space pauses   → steps   ↑ ↓ speed   r restarts   f full screen   s saves   q quits"
PLAY_KEYS: Final = "arrows move   r restarts   f full screen   s saves   q quits"

_SCREEN: Final = 60.0  # frames a second; the keys are read at this rate, even if the walk is slower


def watch_in_window(
    begin: Callable[[int], Iterator[Any]],
    picture: Picture | SideBySide,
    seed: int,
    fps: float,
    episodes: int | None,
    grows: bool = False,
) -> None:
    """Show episodes in a window until the user closes it.

    Keys: space pauses, the right arrow takes one step, up and down change the speed, r restarts, f or F11 fills the
    screen, s saves what is seen as a PNG, q or Esc quits.

    Args:
        begin: from a seed to the moments of an episode, as `picture` draws them.
        picture: how moments are drawn.
        seed: of the first episode; the next one has the next seed.
        fps: steps a second, at most 60.
        episodes: close the window after this many; None stays at the end of the first.
        grows: open the window nearly as large as the screen.
    """
    window = Window(f"mazegrad: {picture.title}", grows)
    done, paused, due = 0, False, 0.0
    moments = begin(seed)
    moment = next(moments)
    fps = min(fps, _SCREEN)
    try:
        while True:
            status = "paused" if paused else f"{fps:.3g} steps a second"
            frame = replace(picture, size=window.size or picture.size, footer=f"{status}   {WATCH_KEYS}").draw(moment)
            rate = min(_SCREEN, max(fps, 20))
            keys = window.show(frame, rate)
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
                    fps = min(max(fps * (1.25 if key == "up" else 0.8), 0.5), _SCREEN)
                elif key == "r":
                    moments = begin(seed + done)
                    moment, due = next(moments), 0.0
                elif key in ("f", "f11"):
                    window.toggle_full_screen()
                elif key == "s":
                    save_picture("mazegrad-watch", frame)
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
                moments = begin(seed + done)
                moment = next(moments)
    except WindowClosed:
        return
    finally:
        window.close()


def play_in_window(env: MazeEnv, picture: Picture, seed: int, grows: bool = False) -> None:
    """Let a person walk: the arrow keys move; r, f, s and q are those of `watch_in_window`.

    When an episode is over, any arrow goes on to the next.
    """
    window = Window(f"mazegrad: {picture.title}", grows)
    episode = Walk(env, None, seed)
    try:
        while True:
            frame = replace(picture, size=window.size or picture.size, footer=PLAY_KEYS).draw(episode.moment)
            for key in window.show(frame, 30):
                if key in ("q", "escape"):
                    return
                if key == "s":
                    save_picture("mazegrad-play", frame)
                elif key in ("f", "f11"):
                    window.toggle_full_screen()
                elif key in DIRECTION_NAMES and not episode.moment.note:
                    action = env.action_of(key)
                    if action is not None:
                        episode.move(action)
                elif key in DIRECTION_NAMES or key == "r":
                    seed += key != "r"
                    episode = Walk(env, None, seed)
    except WindowClosed:
        return
    finally:
        window.close()

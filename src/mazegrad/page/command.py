"""`mazegrad page` and `mazegrad edit`: write the page, and open it in a browser."""

import json
import os
import platform
import tempfile
import webbrowser
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import gymnasium

from ..envs import Maze, MazeEnv, Replay
from ..envs.maps.files import write_file
from ..envs.replay import FORMAT
from ..files import kind_of
from ..named import find_environment, is_id, make_env, named_maze
from .build import Drawing, build_page, drawing_of
from .minds import automaton_of, net_of

_LEFT_OUT: Final = ("observation", "encoding", "view_size", "shaping", "lateness", "time_limit", "info", "random_goals")


def page(arguments: Namespace) -> None:
    """Write the page with the given mazes, recorded runs and minds, and say how large it is."""
    drawings, replays, nets, automata = [], [], [], []
    for name in arguments.mazes:
        file = Path(name)
        if file.is_file() and (net := net_of(file)):
            nets.append(net)
        elif file.is_file() and (automaton := automaton_of(file)):
            automata.append(automaton)
        elif _is_replay(name):
            replays.append((file.name, _with_mazes(Replay.load(name))))
        else:
            drawings.append(_drawing(name, arguments))
    size = _write(arguments.out, build_page(drawings, replays, nets, automata))
    print(f"wrote {arguments.out} ({size / 1000:.0f} kB); open it in a browser")


def edit(arguments: Namespace) -> None:
    """Write the page and open it in a browser where a maze is drawn; without a browser, say where the page is."""
    given = [] if arguments.maze is None else [_drawing(arguments.maze, arguments)]
    out: Path = arguments.out or Path(tempfile.mkdtemp(prefix="mazegrad-")) / "page.html"
    _write(out, build_page(given))
    address = f"{out.resolve().as_uri()}#mode=draw"
    if not _has_screen() or not webbrowser.open(address):
        print(f"no browser can be opened here; open {address} in one")
    else:
        print(f"opened {address}")


def _write(out: Path, html: str) -> int:
    content = html.encode()
    write_file(out, content)
    return len(content)


def _is_replay(name: str) -> bool:
    return Path(name).is_file() and kind_of(Path(name)) == "a recorded run"


def _with_mazes(replay: Replay) -> str:
    """Return a recorded run as lines of JSON in which every episode names its maze, generated ones too."""
    head = {"format": FORMAT, "library": replay.library, "id": replay.id, "keywords": dict(replay.keywords)}
    lines: list[dict[str, Any]] = [head]
    env = gymnasium.make(replay.id, **replay.keywords)
    bare = env.unwrapped
    for episode in replay.episodes:
        line = asdict(episode)
        if isinstance(bare, MazeEnv):
            env.reset(seed=episode.seed, options=dict(episode.options))
            line["options"] = {**episode.options, "maze": bare.maze.to_text()}
        lines.append(line)
    env.close()
    return "".join(json.dumps(line) + "\n" for line in lines)


def _drawing(name: str, arguments: Namespace) -> Drawing:
    """Return a shipped maze, the maze in a file, or the first maze of an environment."""
    if Path(name).is_file():
        return drawing_of(named_maze(name, arguments.format), Path(name).stem)
    if not is_id(name):
        return drawing_of(named_maze(name, arguments.format), name)
    keywords = dict(arguments.world)
    maze = first_maze(find_environment(name), arguments.seed, **keywords)
    if left := [keyword for keyword in keywords if keyword in _LEFT_OUT]:
        print(f"not on the page: {', '.join(left)}")
    return drawing_of(maze, name)


def first_maze(env_id: str, seed: int, **keywords: Any) -> Maze:
    """Return the maze of an environment's first episode, with all that its keywords say in its text.

    The page compiles the text into the tables of the environment: actions, noise, wind and slips are written by the
    environment itself, and rewards here. What the text does not say is no part of a world: observations, limits of
    time, shaping.

    Raises:
        ValueError: a keyword that the environment does not have.
    """
    env = make_env(env_id, **keywords).unwrapped
    assert isinstance(env, MazeEnv)
    env.reset(seed=seed)
    maze, settings = env.maze, {}
    if keywords.get("rewards"):
        earned = {**(maze.setting("rewards") or {}), **keywords["rewards"]}
        settings["rewards"] = ", ".join(f"{name} {number!r}" for name, number in earned.items())
    if keywords.get("slip") is not None:
        settings["slip"] = repr(float(keywords["slip"]))
    return maze.with_settings(settings) if settings else maze


def _has_screen() -> bool:
    """Return whether a browser with a window can be expected; a text browser would take over the terminal."""
    if platform.system() == "Linux":
        return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return True

"""`mazegrad page` and `mazegrad edit`: write the page, and open it in a browser."""

import json
import os
import platform
import tempfile
import webbrowser
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium

from ..envs import Maze, MazeEnv, Replay
from ..envs.maps.files import write_file
from ..envs.replay import FORMAT
from ..files import kind_of
from ..named import environment_ids, find_environment, named_maze
from .build import Drawing, build_page, drawing_of
from .minds import automaton_of, net_of


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
            drawings.append(_drawing(name, arguments.format, arguments.seed))
    size = _write(arguments.out, build_page(drawings, replays, nets, automata))
    print(f"wrote {arguments.out} ({size / 1000:.0f} kB); open it in a browser")


def edit(arguments: Namespace) -> None:
    """Write the page and open it in a browser where a maze is drawn; without a browser, say where the page is."""
    given = [] if arguments.maze is None else [_drawing(arguments.maze, arguments.format, arguments.seed)]
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


def _drawing(name: str, format: str | None, seed: int) -> Drawing:
    """Return a shipped maze, the maze in a file, or the first maze of an environment."""
    known = {*environment_ids(), *(known.removeprefix("mazegrad/") for known in environment_ids())}
    if name in known and not Path(name).is_file():
        return drawing_of(_first_maze(find_environment(name), seed), name)
    return drawing_of(named_maze(name, format), Path(name).stem)


def _first_maze(env_id: str, seed: int) -> Maze:
    env = gymnasium.make(env_id).unwrapped
    assert isinstance(env, MazeEnv)
    env.reset(seed=seed)
    return env.maze


def _has_screen() -> bool:
    """Return whether a browser with a window can be expected; a text browser would take over the terminal."""
    if platform.system() == "Linux":
        return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return True

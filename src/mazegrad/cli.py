"""The command `mazegrad`: watch an agent walk, and list what there is to watch."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 2 for bad input, 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):  # ● and ○ on a terminal that cannot write them are no reason to stop
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import gymnasium

    from .files import MissingExtra

    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `mazegrad list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError, MissingExtra, gymnasium.error.Error) as error:
        print(f"mazegrad: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(prog="mazegrad", description="Mazes, and minds that walk them.")
    parser.add_argument("--version", action="version", version=f"mazegrad {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    watch = commands.add_parser(
        "watch",
        help="watch an agent walk a maze",
        description="Watch an agent walk a maze, its mind beside it. Without a display: the walk as text, and a GIF.",
        epilog="Keys: space pauses, right arrow steps, up/down speed, r restarts, s saves a PNG, q quits.",
    )
    watch.add_argument("--env", metavar="ID", help="an environment of `mazegrad list` (default: what fits the maze)")
    watch.add_argument("--maze", metavar="NAME|FILE", help="a shipped maze or a text file (default: the environment's)")
    watch.add_argument(
        "--agent", metavar="NAME", help="an agent of `mazegrad list` (default: what fits the environment)"
    )
    watch.add_argument("--seed", type=_natural, default=0, metavar="N", help="of the first episode (default: 0)")
    watch.add_argument("--fps", type=_positive, default=6, metavar="N", help="steps a second (default: 6)")
    watch.add_argument("--episodes", type=_count, metavar="N", help="quit after so many (default: when you quit)")
    watch.add_argument("--gif", type=Path, metavar="FILE", help="write the walk as a GIF (extra: video)")
    watch.add_argument("--size", type=_size, metavar="WxH", help="of the picture in px (default: 1280x720)")
    watch.add_argument("--headless", action="store_true", help="open no window")
    watch.set_defaults(run=_watch)

    listing = commands.add_parser("list", help="list environments, mazes and agents")
    listing.set_defaults(run=_list)
    return parser


def _natural(text: str) -> int:
    number = int(text) if text.isdecimal() else -1
    if not 0 <= number < 2**64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 2**64 - 1")
    return number


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number up to 1000")
    return number


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 160 <= int(width) <= 8192 and 120 <= int(height) <= 8192):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT in px, from 160x120 to 8192x8192")
    return int(height), int(width)


def _make(env_id: str | None, maze: str | None, agent: str | None) -> tuple[Any, str, Any, str]:
    """Return the environment, its id, the named agent and its name; what is None is chosen to fit."""
    import gymnasium

    from .agents import named_agent
    from .envs import MazeEnv, MazeError
    from .envs.maze import check_path
    from .envs.shipped import find_maze

    keywords: dict[str, Any] = {} if maze is None else {"maze": find_maze(maze)}
    if env_id is None:
        env_id = "mazegrad/PathFollow-v0"
        if maze is not None:
            try:
                check_path(keywords["maze"])
            except MazeError:
                env_id = "mazegrad/GridWorld-v0"
    env_id = env_id if "/" in env_id else f"mazegrad/{env_id}"
    name = agent or ("path_follower" if env_id.startswith("mazegrad/PathFollow") else "shortest_path")
    chosen = named_agent(name)
    env = gymnasium.make(env_id, observation=chosen.observation, **keywords).unwrapped
    if not isinstance(env, MazeEnv):
        raise ValueError(f"{env_id} is not an environment of mazegrad")
    return env, env_id, chosen, name


def _watch(arguments: argparse.Namespace) -> None:
    import itertools

    import numpy as np

    from .envs import NoDisplayError
    from .files import MissingExtra
    from .watch import SIZE, Picture, film_strip, print_walk, save_gif, save_png, walk, watch_in_window

    env, env_id, named, name = _make(arguments.env, arguments.maze, arguments.agent)
    agent = named.make(env.world, np.random.default_rng(arguments.seed))
    title = env_id.removeprefix("mazegrad/")
    picture = Picture(
        title, f"{env.maze.metadata.get('name', 'a maze')}, walked by {name}", agent, arguments.size or SIZE
    )
    headless = arguments.headless
    if not headless:
        try:
            watch_in_window(env, agent, picture, arguments.seed, arguments.fps, arguments.episodes)
        except NoDisplayError:
            print("There is no display, so here is the walk as text.")
            headless = True
    if not headless and arguments.gif is None:
        return
    agent = named.make(env.world, np.random.default_rng(arguments.seed))
    walks = (walk(env, agent, arguments.seed + i) for i in range(arguments.episodes or 1))
    moments = list(itertools.chain.from_iterable(walks))
    if headless:
        print_walk(moments)
    small = Picture(picture.title, picture.subtitle, agent, arguments.size or (540, 960))
    path = arguments.gif or Path("mazegrad-watch.gif")
    try:
        save_gif(path, moments, small, arguments.fps)
    except MissingExtra as error:
        if arguments.gif is not None:
            raise
        path = path.with_suffix(".png")
        save_png(path, film_strip(moments, small))
        print(f"No GIF ({error}), but a film strip:")
    print(f"wrote {path}")


def _list(arguments: argparse.Namespace) -> None:
    import gymnasium

    from .agents import AGENTS
    from .envs import MAZES, load_maze

    print("environments")
    for env_id in sorted(i for i in gymnasium.registry if i.startswith("mazegrad/")):
        print(f"  {env_id}")
    print("mazes")
    for name in MAZES:
        maze = load_maze(name)
        size = f"{maze.height:3} x {maze.width:<3} {maze.open.sum():4} open tiles"
        print(f"  {name:14} {maze.metadata.get('title', ''):28} {size}")
    print("agents")
    for name, agent in AGENTS.items():
        print(f"  {name:14} {agent.about} (sees: {agent.observation})")

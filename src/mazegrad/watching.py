"""The commands that show walks: `watch`, `play`, `record` and `replay`; commands/walks.py has their options."""

import itertools
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import gymnasium
import numpy as np

from .agents import AGENTS, rollout
from .colour import paint
from .envs import Maze, MazeEnv, MazeError, NoDisplayError, Replay
from .envs.maps.paths import check_path
from .extras import MissingExtra, require
from .files import check_writable, kind_of
from .film import film_strip, save_gif, save_mp4, save_png
from .live import play_in_window, watch_in_window
from .named import choose_agent, find_environment, named_maze
from .trained import holds_trained, read_trained
from .watch import SIZE, Moment, Picture, SideBySide, Walk, printed, walk, walk_together

M = TypeVar("M")

SMALL: Final = (540, 960)
"""(height, width) in px of pictures in files"""

_TITLED: Final = 6  # walks side by side that have a title each
_PATH_FOLLOWERS: Final = ("path_follower", "path_automaton", "compiled_automaton")


def _make(arguments: Namespace, observation: str | None = None) -> tuple[gymnasium.Env[Any, Any], MazeEnv, str]:
    """Return the environment, wrapped and bare, and the agent's name; what is not given is chosen to fit."""
    keywords: dict[str, Any] = {} if arguments.maze is None else {"maze": named_maze(arguments.maze, arguments.format)}
    name = getattr(arguments, "agent", None)
    trained = read_trained(Path(name)) if name is not None and holds_trained(Path(name)) else None
    if trained is not None:
        keywords = {**trained.what_it_sees, **keywords}
        observation = keywords.pop("observation", None)
    if arguments.env is not None:
        env_id = find_environment(arguments.env)
    elif arguments.maze is None and trained is not None and trained.env_id is not None:
        env_id, keywords = find_environment(trained.env_id), {**trained.keywords}
        observation = keywords.pop("observation", None)
    elif arguments.maze is None or _is_path(keywords["maze"]):
        env_id = "mazegrad/PathFollow-v0"
    else:
        env_id = "mazegrad/GridWorld-v0"
    name = name or ("path_follower" if env_id == "mazegrad/PathFollow-v0" else "shortest_path")
    try:
        wrapped = gymnasium.make(env_id, observation=observation or choose_agent(name).observation, **keywords)
    except TypeError as error:
        if trained is not None and arguments.maze is None:
            raise ValueError(f"{name} was trained in an environment that cannot be made: {error}") from None
        if "maze" not in keywords:
            raise
        raise ValueError(f"{env_id} generates its own mazes; leave out --maze, or use --env GridWorld-v0") from None
    env = wrapped.unwrapped
    assert isinstance(env, MazeEnv)
    return wrapped, env, name


def _is_path(maze: Maze) -> bool:
    try:
        check_path(maze)
    except MazeError:
        return False
    return True


def _warn_if_unsuited(env: MazeEnv, name: str) -> None:
    """Print a hint if an agent is not made for this world; after the walk, where it is seen."""
    wanted = ""
    plain_net = name not in AGENTS and not name.lower().endswith(".zip") and not holds_trained(Path(name))
    if (name in _PATH_FOLLOWERS or plain_net) and not _is_path(env.maze):
        wanted = "paths of dots that do not touch themselves"
    elif name == "t_maze_automaton" and env.spec is not None and env.spec.id != "mazegrad/TMaze-v0":
        wanted = "mazegrad/TMaze-v0"
    if wanted:
        maze = env.maze.metadata.get("name", "this maze")
        print(f"{name} is made for {wanted}; in {maze} try --agent shortest_path or wall_follower", file=sys.stderr)


def _walks(env: MazeEnv, name: str, arguments: Namespace) -> Iterator[Moment]:
    """Return the moments of `--episodes` episodes, one by default."""
    walks = (walk(env, choose_agent(name).make, arguments.seed + i) for i in range(arguments.episodes or 1))
    return itertools.chain.from_iterable(walks)


def _picture(env: MazeEnv, who: str, size: tuple[int, int], large: bool) -> Picture:
    assert env.spec is not None
    maze = env.maze.metadata.get("name", "a maze")
    return Picture(env.spec.id.removeprefix("mazegrad/"), f"{maze}, walked by {who}", size, large=large)


def _has_no_viewer() -> bool:
    """Return whether the user chose a video driver that shows nothing, so that nobody can close a window."""
    return os.environ.get("SDL_VIDEODRIVER") in ("dummy", "offscreen")


def watch(arguments: Namespace) -> int | None:
    """Show walks in a window, or without a display as text and as a GIF or a film strip.

    One agent is shown with what it computes; several agents, or `--many` walks of one, side by side.

    Returns:
        130 after Ctrl-C, None else; a GIF that was asked for is written all the same, of the walk as far as it went.
    """
    if arguments.gif is not None:
        require("PIL.Image", "video")
    if arguments.agents and arguments.agent is not None:
        raise ValueError(f"name agents once: {' '.join(arguments.agents)}, or --agent {arguments.agent}")
    names = arguments.agents or [arguments.agent]
    shown = _one(arguments, names[0]) if len(names) == 1 and arguments.many == 1 else _several(arguments, names)
    headless, stopped = arguments.headless, False
    if not headless:
        try:
            if _has_no_viewer():
                raise NoDisplayError
            picture = shown.picture(arguments.size or SIZE)
            watch_in_window(
                shown.begin, picture, arguments.seed, arguments.fps, arguments.episodes, arguments.size is None
            )
            shown.warn()
        except KeyboardInterrupt:
            if arguments.gif is None:
                raise
            stopped = True
        except NoDisplayError:
            print("There is no display, so here is the walk as text.")
            headless = True
    if not headless and arguments.gif is None:
        return None
    path = arguments.gif or Path("mazegrad-watch.gif")
    try:
        require("PIL.Image", "video")
    except MissingExtra as error:
        path = path.with_suffix(".png")
        print(f"Writing a film strip instead of a GIF: {error}")
    check_writable(path)
    seeds = range(arguments.seed, arguments.seed + (arguments.episodes or 1))
    walks = itertools.chain.from_iterable(shown.begin(seed) for seed in seeds)
    walked = shown.printed(walks) if headless else walks
    if arguments.gif is None:  # nobody asked for the file, so Ctrl-C writes none
        moments = list(walked)
    else:
        moments, interrupted = _as_far_as_it_goes(walked)
        stopped = stopped or interrupted
    if headless:
        shown.warn()
    picture = shown.picture(arguments.size or SMALL)
    if path.suffix.lower() == ".png":
        save_png(path, film_strip(moments, picture.draw))
    else:
        save_gif(path, moments, picture.draw, arguments.fps)
    print(f"wrote {path}")
    return 130 if stopped else None


def _as_far_as_it_goes(parts: Iterable[M], what: str = "moments") -> tuple[list[M], bool]:
    """Return the parts of a walk until Ctrl-C, and whether it came; before the first part it ends the program."""
    seen: list[M] = []
    try:
        for part in parts:
            seen.append(part)
    except KeyboardInterrupt:
        if not seen:
            raise
        word = paint("mazegrad:", "doubt", sys.stderr)
        print(f"\n{word} interrupted after {len(seen)} {what}", file=sys.stderr)
        return seen, True
    return seen, False


class _Shown(NamedTuple):
    """What `watch` shows."""

    begin: Callable[[int], Iterator[Any]]
    """from a seed to the moments of an episode"""
    picture: Callable[[tuple[int, int]], Picture | SideBySide]
    """how they are drawn, at a size"""
    printed: Callable[[Iterator[Any]], Iterator[Any]]
    """prints moments as they come"""
    warn: Callable[[], None]
    """prints a hint if an agent is not made for this world"""


def _one(arguments: Namespace, name: str | None) -> _Shown:
    _, env, chosen = _make(Namespace(**{**vars(arguments), "agent": name}))
    env.reset(seed=arguments.seed)
    make = choose_agent(chosen).make
    return _Shown(
        lambda seed: walk(env, make, seed),
        lambda size: _picture(env, Path(chosen).name, size, arguments.large),
        printed,
        lambda: _warn_if_unsuited(env, chosen),
    )


def _several(arguments: Namespace, names: Sequence[str | None]) -> _Shown:
    """Return walks side by side: of each agent `--many`, with seeds one after the other."""
    made = [_make(Namespace(**{**vars(arguments), "agent": name})) for name in names for _ in range(arguments.many)]
    for _, env, _ in made:
        env.reset(seed=arguments.seed)
    titles = tuple(Path(chosen).name for _, _, chosen in made)
    one = made[0][1]
    assert one.spec is not None
    title = f"{one.spec.id.removeprefix('mazegrad/')}, {' and '.join(dict.fromkeys(titles))}"

    def begin(seed: int) -> Iterator[tuple[Moment, ...]]:
        pairs = enumerate(made)
        return walk_together(
            [Walk(env, choose_agent(name).make, seed + i % arguments.many) for i, (_, env, name) in pairs]
        )

    def results(walks: Iterator[tuple[Moment, ...]]) -> Iterator[tuple[Moment, ...]]:
        for moments in walks:
            yield moments
            if all(moment.action is None for moment in moments):
                for name, moment in zip(titles, moments, strict=True):
                    print(f"{name:20} {moment.note} after {moment.step} steps, return {moment.total:g}")

    def warn() -> None:
        for _, env, name in made[:: arguments.many]:
            _warn_if_unsuited(env, name)

    shown_titles = titles if len(titles) <= _TITLED else ()
    return _Shown(begin, lambda size: SideBySide(title, shown_titles, size, large=arguments.large), results, warn)


def play(arguments: Namespace) -> None:
    """Let a person walk, with the arrow keys."""
    if _has_no_viewer():
        raise NoDisplayError(f"SDL_VIDEODRIVER={os.environ['SDL_VIDEODRIVER']} shows no window to play in; unset it")
    _, env, _ = _make(arguments, observation="dots")
    picture = _picture(env, "you", arguments.size or SIZE, arguments.large)
    play_in_window(env, picture, arguments.seed, arguments.size is None)


def record(arguments: Namespace) -> int | None:
    """Write an agent's walk: as a GIF or an MP4 to watch, or as JSON Lines that `replay` verifies.

    Returns:
        130 after Ctrl-C, None else; what was walked until then is written.
    """
    path: Path = arguments.file
    suffix = path.suffix.lower()
    if suffix == ".gif":
        require("PIL.Image", "video")
    elif suffix == ".mp4":
        require("imageio_ffmpeg", "video")
    wrapped, env, name = _make(arguments)
    env.reset(seed=arguments.seed)
    _warn_if_unsuited(env, name)
    if suffix == ".jsonl":
        recorder = Replay.record(wrapped)

        def episodes() -> Iterator[int]:
            for seed in range(arguments.seed, arguments.seed + (arguments.episodes or 1)):
                env.reset(seed=seed)  # so that the agent is made for this seed's maze
                agent = choose_agent(name).make(env.world, np.random.default_rng(seed))
                rollout(recorder, agent, seed=seed)
                yield seed

        _, stopped = _as_far_as_it_goes(episodes(), "episodes")
        recorder.replay.save(path)
    else:
        save = save_gif if suffix == ".gif" else save_mp4
        picture = _picture(env, Path(name).name, arguments.size or SMALL, arguments.large)
        moments, stopped = _as_far_as_it_goes(_walks(env, name, arguments))
        save(path, moments, picture.draw, arguments.fps)
    print(f"wrote {path}")
    return 130 if stopped else None


def replay(arguments: Namespace) -> int:
    """Run a recorded file again; return 1 if a step is not the same."""
    kind = kind_of(arguments.file)
    if kind != "a recorded run":
        raise ValueError(f"{arguments.file} is {kind}, not a recorded run; `mazegrad record FILE.jsonl` writes one")
    recorded = Replay.load(arguments.file)
    difference = recorded.verify()
    steps = sum(len(episode.actions) for episode in recorded.episodes)
    print(f"{recorded.id}: {len(recorded.episodes)} episode(s), {steps} steps")
    if difference is None:
        print(paint("every observation and reward is the same, bit for bit", "good", sys.stdout))
    else:
        print(f"{paint('differs', 'bad', sys.stdout)} in {difference}")
    return 0 if difference is None else 1

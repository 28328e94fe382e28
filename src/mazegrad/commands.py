"""What each command does; cli.py has their options."""

import itertools
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np

from .agents import AGENTS, rollout
from .certify import certify as certify
from .check import check as check
from .envs import (
    FORMATS,
    GENERATORS,
    LEGEND,
    MAZES,
    POMDPS,
    REWARDS,
    SOLVERS,
    Maze,
    MazeEnv,
    MazeError,
    NoDisplayError,
    Replay,
    Solution,
    World,
    draw,
    generate,
    growth,
    load_maze,
    save_maze,
)
from .envs import solve as find_way
from .envs.maps.arguments import nearest
from .envs.maps.directions import ARROWS, OFFSETS
from .envs.maps.generators import check_knobs
from .envs.maps.legend import CODES, TILE_REWARDS
from .envs.maps.metadata import METADATA
from .envs.maps.paths import check_path
from .envs.pictures.draw import FrameSize, tile_size
from .envs.pictures.text import maze_text
from .envs.pictures.tiles import Frame
from .envs.pictures.trails import extend_trail, new_trail
from .envs.planning.questions import question
from .extras import MissingExtra, require
from .files import check_writable, kind_of
from .film import film_strip, save_gif, save_mp4, save_png
from .live import play_in_window, watch_in_window
from .named import choose_agent, environment_ids, find_environment, named_maze
from .page.command import edit as edit
from .page.command import page as page
from .trained import holds_trained, read_trained
from .watch import SIZE, Moment, Picture, SideBySide, Walk, printed, walk, walk_together

_SMALL: Final = (540, 960)
_TITLED: Final = 6  # walks side by side that have a title each
_FRAMES: Final = 120  # pictures of a search, or of a maze that grows
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


def watch(arguments: Namespace) -> None:
    """Show walks in a window, or without a display as text and as a GIF or a film strip.

    One agent is shown with what it computes; several agents, or `--many` walks of one, side by side.
    """
    if arguments.gif is not None:
        require("PIL.Image", "video")
    if arguments.agents and arguments.agent is not None:
        raise ValueError(f"name agents once: {' '.join(arguments.agents)}, or --agent {arguments.agent}")
    names = arguments.agents or [arguments.agent]
    shown = _one(arguments, names[0]) if len(names) == 1 and arguments.many == 1 else _several(arguments, names)
    headless = arguments.headless
    if not headless:
        try:
            if _has_no_viewer():
                raise NoDisplayError
            picture = shown.picture(arguments.size or SIZE)
            watch_in_window(
                shown.begin, picture, arguments.seed, arguments.fps, arguments.episodes, arguments.size is None
            )
            shown.warn()
        except NoDisplayError:
            print("There is no display, so here is the walk as text.")
            headless = True
    if not headless and arguments.gif is None:
        return
    path = arguments.gif or Path("mazegrad-watch.gif")
    try:
        require("PIL.Image", "video")
    except MissingExtra as error:
        path = path.with_suffix(".png")
        print(f"Writing a film strip instead of a GIF: {error}")
    check_writable(path)
    seeds = range(arguments.seed, arguments.seed + (arguments.episodes or 1))
    walks = itertools.chain.from_iterable(shown.begin(seed) for seed in seeds)
    moments = list(shown.printed(walks) if headless else walks)
    if headless:
        shown.warn()
    picture = shown.picture(arguments.size or _SMALL)
    if path.suffix.lower() == ".png":
        save_png(path, film_strip(moments, picture.draw))
    else:
        save_gif(path, moments, picture.draw, arguments.fps)
    print(f"wrote {path}")


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


def bench(arguments: Namespace) -> None:
    """Print millions of steps a second."""
    from .bench import bench as measure

    print("millions of steps a second, on one core")
    for name, rate in measure(arguments.lanes, arguments.seed):
        print(f"  {name:44}{rate / 1e6:10.3f}")


def dataset(arguments: Namespace) -> None:
    """Write offline data sets: see `mazegrad.dataset`."""
    from .dataset import dataset as run

    run(arguments)


def train(arguments: Namespace) -> int | None:
    """Train an agent; return 130 after Ctrl-C."""
    from .train import train as run

    return run(arguments)


def evaluate(arguments: Namespace) -> None:
    """Print an agent's score beside what is possible."""
    from .train import evaluate as run

    run(arguments)


def scores(arguments: Namespace) -> int | None:
    """Score every learner in every environment; see `scores.command.scores`."""
    from .scores.command import scores as run

    if arguments.ray is None:
        return run(arguments)
    from .distributed import run_scores
    from .extras import require

    require("ray", "ray")  # said before anything else
    address = None if arguments.ray == "local" else arguments.ray
    return run(arguments, lambda jobs, processes: run_scores(jobs, processes=processes, address=address))


def completion(arguments: Namespace) -> None:
    """Print a shell's completion script."""
    shtab = require("shtab", "completion")
    print(shtab.complete(arguments.parser, shell=arguments.shell))


def show_list(arguments: Namespace) -> None:
    """Print environments, mazes, agents, map files, generators and solvers; or the tiles and settings of maps."""
    if arguments.tiles:
        print("tiles, by the code that agents observe")
        for tile, meaning in LEGEND.items():
            earns = f" (earns {REWARDS[TILE_REWARDS[tile]]:+g})" if tile in TILE_REWARDS else ""
            print(f"  {CODES[tile]:3} {'blank' if tile == ' ' else tile:6} {meaning}{earns}")
        print("settings, lines `key: value` before the drawing")
        for key, (allowed, _) in METADATA.items():
            print(f"  {key:9} {allowed}")
        print(f"  {'size':9} rows x columns, such as: 3 x 5; keeps blanks at the edges")
        return
    print("environments")
    for env_id in sorted(environment_ids()):
        print(f"  {env_id}")
    print("mazes")
    for name in MAZES:
        maze = load_maze(name)
        size = f"{maze.height:3} x {maze.width:<3} {maze.open.sum():4} open tiles"
        print(f"  {name:14} {maze.metadata.get('title', ''):34} {size}")
    print("agents")
    for name, agent in AGENTS.items():
        print(f"  {name:18} {agent.about} (sees: {agent.observation})")
    print("map files")
    for name, kept in FORMATS.items():
        print(f"  {name:18} {kept.about} ({', '.join(kept.suffixes) or f'--format {name}'})")
    print(f"processes for mazegrad/Tabular-v0\n  {' '.join(POMDPS)}")
    print(f"generators\n  {' '.join(GENERATORS)}")
    print(f"solvers\n  {' '.join(SOLVERS)}")


def make_maze(arguments: Namespace) -> None:
    """Generate a maze, and print it or write it to files."""
    knobs, rng = dict(arguments.knob), np.random.default_rng(arguments.seed)
    check_knobs(arguments.name, knobs)
    if arguments.gif is not None:
        require("PIL.Image", "video")
        if arguments.walls == "thin":
            raise ValueError("--gif shows how walls of tiles grow; leave out --walls thin")
    try:
        maze = generate(arguments.name, arguments.rows, arguments.columns, rng=rng, walls=arguments.walls, **knobs)
    except TypeError as error:  # an option of the wrong type: given by the user, not by the program
        raise ValueError(error) from None
    if not (maze.tiles == ord("G")).any():
        size = f"{arguments.rows} x {arguments.columns} rooms"
        raise ValueError(f"{size} have no place for both a start and a goal; use more --rows or --columns")
    if arguments.out is not None:
        save_maze(arguments.out, maze)
        print(f"wrote {arguments.out}")
    if arguments.png is not None:
        save_png(arguments.png, draw(maze, tile=_picture_size(arguments, maze, SIZE)))
        print(f"wrote {arguments.png}")
    if arguments.gif is not None:
        rng = np.random.default_rng(arguments.seed)  # the same maze again, from its first passage on
        stages = growth(arguments.name, arguments.rows, arguments.columns, rng=rng, frames=_FRAMES, **knobs)
        tile = _picture_size(arguments, maze, _SMALL)
        save_gif(arguments.gif, stages, lambda stage: draw(stage, tile=tile), 20)
        print(f"wrote {arguments.gif}")
    if arguments.out is None and arguments.png is None and arguments.gif is None:
        print(maze.to_text(), end="")


def convert(arguments: Namespace) -> None:
    """Read a maze and write it in another format; say what the format does not keep."""
    maze = named_maze(arguments.maze, arguments.format)
    save_maze(arguments.out, maze, format=arguments.to)
    print(f"wrote {arguments.out}")
    again = load_maze(arguments.out, format=arguments.to)
    lost = [key for key, value in maze.metadata.items() if again.metadata.get(key) != value]
    if lost:
        print(f"not kept, since the format does not have it: {', '.join(lost)}")


def solve(arguments: Namespace) -> int:
    """Print a way to the goal, then how the other solvers did; return 1 if there is no way."""
    maze, chosen = named_maze(arguments.maze, arguments.format), arguments.solver
    if chosen not in SOLVERS:
        raise ValueError(f"unknown solver {chosen!r}{nearest(chosen, SOLVERS)}")
    world = World.compile(maze)
    question(world)
    solution = find_way(chosen, world, rng=np.random.default_rng(arguments.seed))
    cells = [int(world.cell[state]) for state in solution.path or ()]
    trail, arrows = new_trail(maze), {}
    for cell, after in itertools.pairwise(cells):
        extend_trail(trail, cell, after, maze.width)
        step = divmod(after, maze.width)[0] - cell // maze.width, after % maze.width - cell % maze.width
        if step in world.moves.steps and any(step) and maze.tiles.flat[cell] != ord("S"):
            arrows[cell] = world.moves.arrows[world.moves.steps.index(step)]
        elif list(step) in OFFSETS.tolist() and maze.tiles.flat[cell] != ord("S"):  # of an agent that turns
            arrows[cell] = ARROWS[OFFSETS.tolist().index(list(step))]
    print(maze_text(maze, arrows, dot="."), end="")
    print(f"{chosen}: {len(cells) - 1} steps" if cells else f"{chosen} finds no way to a goal")
    if arguments.png is not None:
        save_png(arguments.png, _draw_way(world, cells, solution, _picture_size(arguments, maze, SIZE)))
        print(f"wrote {arguments.png}")
    if arguments.gif is not None:
        tile, count = _picture_size(arguments, maze, _SMALL), len(solution.visited)
        ends = np.unique(np.linspace(1, max(count, 1), _FRAMES).round().astype(int)).tolist()
        stages = [Solution(None, solution.visited[:end]) for end in ends] + [solution]
        save_gif(arguments.gif, stages, lambda stage: draw(world, search=stage, tile=tile, scale=False), 20)
        print(f"wrote {arguments.gif}")
    print(f"\n{'solver':18} {'steps':>8} {'visited':>8}", flush=True)
    for name in SOLVERS:
        found = solution if name == chosen else _solve_with_notice(name, world, arguments.seed)
        steps = "none" if found.path is None else len(found.path) - 1
        print(f"{name:18} {steps:>8} {len(found.visited):>8}", flush=True)
    return int(solution.path is None)


def _picture_size(arguments: Namespace, maze: Maze, most: tuple[int, int]) -> int | FrameSize:
    """Return the size of a picture as `--size` says it, else the side of a tile so that the maze fits into another."""
    return FrameSize(*arguments.size) if arguments.size else tile_size(maze, *most)


def _draw_way(world: World, cells: Sequence[int], solution: Solution, tile: int | FrameSize) -> Frame:
    """Draw a way with arrows along it, and what is taken and opened on the way as it is at the end."""
    maze = world.mazes[0]
    if solution.path is None:
        return draw(world, int(world.start_states[0]), tile=tile)
    moves, trail = world.moves, new_trail(maze)
    policy = np.zeros((maze.height, maze.width, len(moves)), dtype=bool)
    for cell, after in itertools.pairwise(cells):
        extend_trail(trail, cell, after, maze.width)
        step = (after // maze.width - cell // maze.width, after % maze.width - cell % maze.width)
        if moves.headings == 1 and step in moves.steps and maze.tiles.flat[cell] != ord("S"):
            policy[*divmod(cell, maze.width), moves.steps.index(step)] = True
    end, start = int(solution.path[-1]), int(solution.path[0])
    opened = np.flatnonzero((world.cell == world.cell[start]) & (world.carried == world.carried[end]))
    return draw(world, int(opened[0]) if len(opened) else end, policy=policy, trail=trail, tile=tile)


def _solve_with_notice(name: str, world: World, seed: int) -> Solution:
    """Return what a solver finds; on a terminal its name stands on stderr while it runs."""
    if not sys.stderr.isatty():
        return find_way(name, world, rng=np.random.default_rng(seed))
    notice = f"{name} is running (Ctrl-C stops it) ..."
    print(notice, end="", file=sys.stderr, flush=True)
    try:
        return find_way(name, world, rng=np.random.default_rng(seed))
    finally:
        print("\r" + " " * len(notice) + "\r", end="", file=sys.stderr, flush=True)


def record(arguments: Namespace) -> None:
    """Write an agent's walk: as a GIF or an MP4 to watch, or as JSON Lines that `replay` verifies."""
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
        for seed in range(arguments.seed, arguments.seed + (arguments.episodes or 1)):
            env.reset(seed=seed)  # so that the agent is made for this seed's maze
            agent = choose_agent(name).make(env.world, np.random.default_rng(seed))
            rollout(recorder, agent, seed=seed)
        recorder.replay.save(path)
    else:
        save = save_gif if suffix == ".gif" else save_mp4
        picture = _picture(env, Path(name).name, arguments.size or _SMALL, arguments.large)
        save(path, list(_walks(env, name, arguments)), picture.draw, arguments.fps)
    print(f"wrote {path}")


def replay(arguments: Namespace) -> int:
    """Run a recorded file again; return 1 if a step is not the same."""
    kind = kind_of(arguments.file)
    if kind != "a recorded run":
        raise ValueError(f"{arguments.file} is {kind}, not a recorded run; `mazegrad record FILE.jsonl` writes one")
    recorded = Replay.load(arguments.file)
    difference = recorded.verify()
    steps = sum(len(episode.actions) for episode in recorded.episodes)
    print(f"{recorded.id}: {len(recorded.episodes)} episode(s), {steps} steps")
    print("every observation and reward is the same, bit for bit" if difference is None else f"differs in {difference}")
    return 0 if difference is None else 1

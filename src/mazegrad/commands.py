"""What each command does; the words that lead here are in cli.py."""

import itertools
from argparse import Namespace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from .agents import AGENTS, named_agent, rollout
from .certify import certify as certify
from .check import check as check
from .envs import (
    GENERATORS,
    MAZES,
    SOLVERS,
    MazeEnv,
    MazeError,
    NoDisplayError,
    Replay,
    World,
    draw,
    generate,
    load_maze,
)
from .envs import solve as find_way
from .envs.maps.arguments import nearest
from .envs.maps.directions import ARROWS, OFFSETS
from .envs.maps.files import write_file
from .envs.maps.generators import check_knobs
from .envs.maps.paths import check_path
from .envs.maps.shipped import find_maze
from .envs.pictures.draw import tile_size
from .envs.pictures.text import maze_text
from .envs.pictures.trails import extend_trail, new_trail
from .extras import MissingExtra
from .watch import (
    SIZE,
    Moment,
    Picture,
    checked_suffix,
    film_strip,
    play_in_window,
    print_walk,
    save_gif,
    save_mp4,
    save_png,
    walk,
    watch_in_window,
)

_SMALL = (540, 960)


def _make(arguments: Namespace, observation: str | None = None) -> tuple[gymnasium.Env[Any, Any], MazeEnv, str]:
    """Return the environment, wrapped and bare, and the agent's name; what is not asked for is chosen to fit."""
    keywords: dict[str, Any] = {} if arguments.maze is None else {"maze": find_maze(arguments.maze)}
    env_id = arguments.env
    if env_id is None:
        env_id = "PathFollow-v0"
        if arguments.maze is not None:
            try:
                check_path(keywords["maze"])
            except MazeError:
                env_id = "GridWorld-v0"
    env_id = env_id if "/" in env_id else f"mazegrad/{env_id}"
    if env_id not in gymnasium.registry or not env_id.startswith("mazegrad/"):
        known = [name for name in gymnasium.registry if name.startswith("mazegrad/")]
        raise ValueError(f"there is no environment {env_id!r}{nearest(env_id, known)}")
    name = getattr(arguments, "agent", None)
    name = name or ("path_follower" if env_id == "mazegrad/PathFollow-v0" else "shortest_path")
    try:
        wrapped = gymnasium.make(env_id, observation=observation or named_agent(name).observation, **keywords)
    except TypeError:
        if "maze" not in keywords:
            raise
        raise ValueError(f"{env_id} draws mazes of its own, and takes no --maze") from None
    env = wrapped.unwrapped
    assert isinstance(env, MazeEnv)
    return wrapped, env, name


def _walks(env: MazeEnv, name: str, arguments: Namespace) -> list[Moment]:
    """Return the moments of as many episodes as are asked for, one by default."""
    walks = (walk(env, named_agent(name).make, arguments.seed + i) for i in range(arguments.episodes or 1))
    return list(itertools.chain.from_iterable(walks))


def _picture(env: MazeEnv, who: str, size: tuple[int, int]) -> Picture:
    assert env.spec is not None
    maze = env.maze.metadata.get("name", "a maze")
    return Picture(env.spec.id.removeprefix("mazegrad/"), f"{maze}, walked by {who}", size)


def watch(arguments: Namespace) -> None:
    """Show an agent's walk in a window, or without a display as text and as a GIF or a film strip."""
    if arguments.gif is not None:
        checked_suffix(arguments.gif, ".gif")
    _, env, name = _make(arguments)
    headless = arguments.headless
    if not headless:
        try:
            picture = _picture(env, name, arguments.size or SIZE)
            watch_in_window(env, named_agent(name).make, picture, arguments.seed, arguments.fps, arguments.episodes)
        except NoDisplayError:
            print("There is no display, so here is the walk as text.")
            headless = True
    if not headless and arguments.gif is None:
        return
    moments = _walks(env, name, arguments)
    if headless:
        print_walk(moments)
    picture = _picture(env, name, arguments.size or _SMALL)
    path = arguments.gif or Path("mazegrad-watch.gif")
    try:
        save_gif(path, moments, picture, arguments.fps)
    except MissingExtra as error:
        if arguments.gif is not None:
            raise
        path = path.with_suffix(".png")
        save_png(path, film_strip(moments, picture))
        print(f"No GIF ({error}), but a film strip:")
    print(f"wrote {path}")


def play(arguments: Namespace) -> None:
    """Let a person walk, with the arrow keys."""
    _, env, _ = _make(arguments, observation="dots")
    play_in_window(env, _picture(env, "you", arguments.size or SIZE), arguments.seed)


def bench(arguments: Namespace) -> None:
    """Print millions of steps a second."""
    from .bench import bench as measured

    print("millions of steps a second, on one core")
    for name, rate in measured(arguments.lanes, arguments.seed):
        print(f"  {name:44}{rate / 1e6:10.3f}")


def show_list(arguments: Namespace) -> None:
    """Print environments, mazes, agents, generators and solvers."""
    print("environments")
    for env_id in sorted(name for name in gymnasium.registry if name.startswith("mazegrad/")):
        print(f"  {env_id}")
    print("mazes")
    for name in MAZES:
        maze = load_maze(name)
        size = f"{maze.height:3} x {maze.width:<3} {maze.open.sum():4} open tiles"
        print(f"  {name:14} {maze.metadata.get('title', ''):34} {size}")
    print("agents")
    for name, agent in AGENTS.items():
        print(f"  {name:18} {agent.about} (sees: {agent.observation})")
    print(f"generators\n  {' '.join(GENERATORS)}")
    print(f"solvers\n  {' '.join(SOLVERS)}")


def make_maze(arguments: Namespace) -> None:
    """Generate a maze, and print it or write it to files."""
    knobs, rng = dict(arguments.knob), np.random.default_rng(arguments.seed)
    check_knobs(arguments.name, knobs)
    try:
        maze = generate(arguments.name, arguments.rows, arguments.columns, rng=rng, **knobs)
    except TypeError as error:  # a knob of the wrong kind: here the user's, not the program's
        raise ValueError(error) from None
    if arguments.out is not None:
        write_file(arguments.out, maze.to_text().encode())
        print(f"wrote {arguments.out}")
    if arguments.png is not None:
        save_png(arguments.png, draw(maze))
        print(f"wrote {arguments.png}")
    if arguments.out is None and arguments.png is None:
        print(maze.to_text(), end="")


def solve(arguments: Namespace) -> None:
    """Find a way to the goal; print it in the maze, and how the other solvers did."""
    maze = find_maze(arguments.maze)
    if arguments.solver not in SOLVERS:
        raise ValueError(f"there is no solver {arguments.solver!r}{nearest(arguments.solver, SOLVERS)}")
    world = World.compile(maze)
    rngs = {name: np.random.default_rng(arguments.seed) for name in SOLVERS}
    solutions = {name: find_way(name, world, rng=rng) for name, rng in rngs.items()}
    path = solutions[arguments.solver].path
    cells = [int(world.cell[state]) for state in path or ()]
    trail, arrows = new_trail(maze), {}
    for cell, after in itertools.pairwise(cells):
        extend_trail(trail, cell, after, maze.width)
        step = divmod(after, maze.width)[0] - cell // maze.width, after % maze.width - cell % maze.width
        if list(step) in OFFSETS.tolist() and maze.tiles.flat[cell] != ord("S"):
            arrows[cell] = ARROWS[OFFSETS.tolist().index(list(step))]
    print(maze_text(maze, arrows, dot="."), end="")
    print(f"{arguments.solver}: {len(cells) - 1} steps" if cells else f"{arguments.solver} finds no way to a goal")
    print(f"\n{'solver':18} {'steps':>8} {'visited':>8}")
    for name, solution in solutions.items():
        steps = "none" if solution.path is None else len(solution.path) - 1
        print(f"{name:18} {steps:>8} {len(solution.visited):>8}")
    if arguments.png is not None:
        state = int(world.start_states[0])
        save_png(arguments.png, draw(world, state, trail=trail, tile=tile_size(maze, 720, 1280)))
        print(f"wrote {arguments.png}")


def record(arguments: Namespace) -> None:
    """Write an agent's walk: a GIF or an MP4 to look at, or JSON Lines that `replay` verifies."""
    path: Path = arguments.file
    suffix = checked_suffix(path, ".gif", ".mp4", ".jsonl")
    wrapped, env, name = _make(arguments)
    if suffix == ".jsonl":
        recorder = Replay.record(wrapped)
        for seed in range(arguments.seed, arguments.seed + (arguments.episodes or 1)):
            env.reset(seed=seed)  # so that the agent is made for this seed's maze
            agent = named_agent(name).make(env.world, np.random.default_rng(seed))
            rollout(recorder, agent, seed=seed)
        recorder.replay.save(path)
    else:
        save = save_gif if suffix == ".gif" else save_mp4
        save(path, _walks(env, name, arguments), _picture(env, name, arguments.size or _SMALL), arguments.fps)
    print(f"wrote {path}")


def replay(arguments: Namespace) -> int:
    """Run a recorded file again; returns 1 if a step does not come back as it was."""
    recorded = Replay.load(arguments.file)
    difference = recorded.verify()
    steps = sum(len(episode.actions) for episode in recorded.episodes)
    print(f"{recorded.id}: {len(recorded.episodes)} episode(s), {steps} steps")
    print("every observation and reward came back bit for bit" if difference is None else f"differs in {difference}")
    return 0 if difference is None else 1

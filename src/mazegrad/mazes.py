"""The commands that make and read mazes: `generate`, `convert` and `solve`; commands/mazes.py has their options."""

import itertools
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence
from typing import Final

import numpy as np

from .colour import paint, paint_maze
from .envs import SOLVERS, Maze, Solution, World, draw, generate, growth, load_maze, save_maze
from .envs import solve as find_way
from .envs.maps.arguments import nearest
from .envs.maps.directions import ARROWS, OFFSETS
from .envs.maps.formats import not_kept
from .envs.maps.generators import check_knobs
from .envs.maps.plain import checked_bounds
from .envs.pictures.draw import FrameSize, tile_size
from .envs.pictures.text import maze_text
from .envs.pictures.tiles import Frame
from .envs.pictures.trails import extend_trail, new_trail
from .envs.planning.questions import question
from .extras import require
from .film import save_gif, save_png
from .named import named_maze
from .progress import doing
from .watch import SIZE

_SMALL: Final = (540, 960)  # (height, width) in px of a GIF
_FRAMES: Final = 120  # pictures of a search, or of a maze that grows


def make_maze(arguments: Namespace) -> None:
    """Generate a maze, and print it or write it to files."""
    _check_size(arguments)
    knobs, rng = dict(arguments.knob), np.random.default_rng(arguments.seed)
    check_knobs(arguments.name, knobs)
    bounds = checked_bounds(dict(arguments.measure))
    if bounds and arguments.gif is not None:
        raise ValueError("--gif shows how the first maze of a seed grows; leave out --measure")
    if arguments.gif is not None:
        require("PIL.Image", "video")
        if arguments.walls == "thin":
            raise ValueError("--gif shows how walls of tiles grow; leave out --walls thin")
    try:
        wanted = {"walls": arguments.walls, **knobs, **bounds}
        with doing(f"{arguments.name} makes a maze"):
            maze = generate(arguments.name, arguments.rows, arguments.columns, rng=rng, **wanted)
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
        print(paint_maze(maze.to_text(), sys.stdout), end="")


def convert(arguments: Namespace) -> None:
    """Read a maze and write it in another format; say what the format does not keep."""
    if arguments.legend:
        maze = load_maze(arguments.maze, format=arguments.format, legend=dict(arguments.legend))
    else:
        maze = named_maze(arguments.maze, arguments.format)
    maze = maze.with_ends(arguments.start, arguments.goal)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is not kept is said below
        save_maze(arguments.out, maze, format=arguments.to)
    print(f"wrote {arguments.out}")
    if arguments.out.is_file() and (lost := not_kept(maze, load_maze(arguments.out, format=arguments.to))):
        print(f"not kept, since the format does not have it: {', '.join(lost)}")


def solve(arguments: Namespace) -> int:
    """Print a way to the goal, then how the other solvers did; return 1 if there is no way."""
    _check_size(arguments)
    maze, chosen = named_maze(arguments.maze, arguments.format), arguments.solver
    if chosen not in SOLVERS:
        raise ValueError(f"unknown solver {chosen!r}{nearest(chosen, SOLVERS)}")
    world = World.compile(maze)
    question(world)
    with doing(f"{chosen} is running"):
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
    print(paint_maze(maze_text(maze, arrows, dot="."), sys.stdout), end="")
    found = f"{chosen}: {len(cells) - 1} steps" if cells else f"{chosen} finds no way to a goal"
    print(paint(found, "good" if cells else "bad", sys.stdout))
    if arguments.png is not None:
        save_png(arguments.png, _draw_way(world, cells, solution, _picture_size(arguments, maze, SIZE)))
        print(f"wrote {arguments.png}")
    if arguments.gif is not None:
        tile, count = _picture_size(arguments, maze, _SMALL), len(solution.visited)
        ends = np.unique(np.linspace(1, max(count, 1), _FRAMES).round().astype(int)).tolist()
        stages = [Solution(None, solution.visited[:end]) for end in ends] + [solution]
        save_gif(arguments.gif, stages, lambda stage: draw(world, search=stage, tile=tile, scale=False), 20)
        print(f"wrote {arguments.gif}")
    print("\n" + paint(f"{'solver':18} {'steps':>8} {'visited':>8}", "strong", sys.stdout), flush=True)
    for name in SOLVERS:
        with doing(f"{name} is running"):
            other = solution if name == chosen else find_way(name, world, rng=np.random.default_rng(arguments.seed))
        steps = "none" if other.path is None else len(other.path) - 1
        print(f"{name:18} {steps:>8} {len(other.visited):>8}", flush=True)
    return int(solution.path is None)


def _check_size(arguments: Namespace) -> None:
    if arguments.size is not None and arguments.png is None and arguments.gif is None:
        raise ValueError("--size is that of a picture: name one with --png or --gif")


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

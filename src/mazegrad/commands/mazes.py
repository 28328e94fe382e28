"""Options of the commands that make and read mazes: generate, convert, solve."""

from ..script import count
from .options import Commands, add_format, add_measure, knob, letter, output, place, size


def add(commands: Commands) -> None:
    """Add them."""
    _generate(commands)
    _convert(commands)
    _solve(commands)


def _generate(commands: Commands) -> None:
    generate = commands.add(
        "generate", "mazes:make_maze", "Generate a maze, and print it or write it to files.", seed="seed of the maze"
    )
    generate.add_argument(
        "name", nargs="?", default="backtracker", metavar="GENERATOR", help="see mazegrad list (default: backtracker)"
    )
    generate.add_argument("--rows", type=count, default=10, metavar="N", help="rows of rooms (default: 10)")
    generate.add_argument("--columns", type=count, default=20, metavar="N", help="columns of rooms (default: 20)")
    generate.add_argument(
        "--knob",
        type=knob,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the generator, such as braid=0.5; may be repeated",
    )
    add_measure(generate)
    generate.add_argument(
        "--walls", choices=("tiles", "thin"), default="tiles", help="thin: between cells, a tile for each room"
    )
    generate.add_argument("--out", type=output(), metavar="FILE", help="write the maze to this file")
    generate.add_argument("--png", type=output(".png"), metavar="FILE", help="write a picture to this file")
    generate.add_argument("--gif", type=output(".gif"), metavar="FILE", help="write how it grows (extra: video)")
    generate.add_argument("--size", type=size, metavar="WxH", help="size of pictures, px (default: as the maze needs)")


def _convert(commands: Commands) -> None:
    convert = commands.add(
        "convert", "mazes:convert", "Read a maze in one format and write it in another; see mazegrad list."
    )
    convert.add_argument("maze", metavar="NAME|FILE", help="a shipped maze or a file")
    convert.add_argument("out", type=output(), metavar="FILE", help="written in the format of its suffix")
    convert.add_argument("--format", metavar="NAME", help="of the maze, where its suffix does not say so")
    convert.add_argument("--to", metavar="NAME", help="the format to write, where the suffix does not say so")
    convert.add_argument(
        "--legend", type=letter, action="append", default=[], metavar="LETTER=TILE",
        help="a letter of a drawing and the tile of ours that it stands for, such as E=G; may be repeated",
    )  # fmt: skip
    for end in ("start", "goal"):
        convert.add_argument(f"--{end}", type=place, metavar="ROW,COLUMN", help=f"the {end}, in place of a drawn one")


def _solve(commands: Commands) -> None:
    solve = commands.add(
        "solve",
        "mazes:solve",
        "Find a way to the goal of a maze, and compare the solvers.",
        seed="seed of solvers that choose at random",
    )
    solve.add_argument("maze", metavar="NAME|FILE", help="a shipped maze or a file")
    add_format(solve)
    solve.add_argument(
        "--solver", default="breadth_first", metavar="NAME", help="whose way is drawn (default: breadth_first)"
    )
    solve.add_argument("--png", type=output(".png"), metavar="FILE", help="write a picture to this file")
    solve.add_argument("--gif", type=output(".gif"), metavar="FILE", help="write the search (extra: video)")
    solve.add_argument("--size", type=size, metavar="WxH", help="size of pictures, px (default: as the maze needs)")

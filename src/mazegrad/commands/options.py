"""What several commands have in common: options, and the types of their values."""

import argparse
import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..files import check_folder, check_writable
from ..script import count, natural, positive

FIRST_EPISODE: Final = "seed of the first episode"
MAX_WALKS: Final = 1000  # of `watch`: more could not be seen
MAX_LANES: Final = 2**22  # of `bench`: takes about two gigabytes


class Commands:
    """The commands of a parser, to which each file of this folder adds its own."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser
        self.parsers: dict[str, argparse.ArgumentParser] = {}
        self._made = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(
        self,
        name: str,
        run: str,
        about: str,
        *,
        seed: str = "no effect: nothing is random here",
        epilog: str | None = None,
    ) -> argparse.ArgumentParser:
        """Add a command, and return its parser.

        Args:
            name: the word of the command line.
            run: what runs, such as "certify:certify": a file of this package, and a function in it that takes the
                arguments and returns an exit code or None. It is imported when the command runs, so that `--help` and
                bad options are answered at once.
            about: a sentence.
            seed: what `--seed` is the seed of.
            epilog: the last lines of its help.
        """
        made = self._made.add_parser(
            name, help=about[0].lower() + about[1:].rstrip("."), description=about, epilog=epilog
        )
        made.add_argument("--seed", type=natural, default=0, metavar="N", help=f"{seed} (default: 0)")
        made.set_defaults(run=run)
        self.parsers[name] = made
        return made


def add_world(parser: argparse.ArgumentParser) -> None:
    """Add what says which environment and maze, and how large its picture is."""
    parser.add_argument("--env", metavar="ID", help="an environment of mazegrad list (default: one that fits the maze)")
    parser.add_argument("--maze", metavar="NAME|FILE", help="a shipped maze or a file (default: the environment's)")
    add_format(parser)
    parser.add_argument(
        "--size",
        type=size,
        metavar="WxH",
        help="size of the picture in px (default: 1280x720, a window nearly the screen's)",
    )
    parser.add_argument(
        "--large", action="store_true", help="letters for a lecture hall: 18 points and more on a slide"
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add what says how the file of a maze is read."""
    parser.add_argument("--format", metavar="NAME", help="of the maze's file, see mazegrad list (default: by its name)")
    parser.add_argument(
        "--no-map-warnings", action="store_true", help="do not question maps, such as one without a goal"
    )


def add_pair(parser: argparse.ArgumentParser, option: str, about: str) -> None:
    """Add an option NAME=VALUE."""
    parser.add_argument(
        option, type=pair, action="append", default=[], metavar="NAME=VALUE", help=f"{about}; may be repeated"
    )


def add_measure(parser: argparse.ArgumentParser) -> None:
    """Add bounds of how hard mazes are."""
    parser.add_argument(
        "--measure", type=bounds, action="append", default=[], metavar="NAME=LEAST:MOST",
        help="how hard mazes are, such as path_length=110: or dead_ends=:9, see mazegrad list; may be repeated",
    )  # fmt: skip


def add_walk(parser: argparse.ArgumentParser) -> None:
    """Add what says which agent walks where, and for how long."""
    add_world(parser)
    parser.add_argument(
        "--agent",
        metavar="NAME|FILE",
        help="an agent of mazegrad list, an .npz with W, U, b, or a .zip of Stable-Baselines3 (default: one that "
        "fits the environment)",
    )
    parser.add_argument("--fps", type=positive, default=6.0, metavar="N", help="steps a second (default: 6)")
    parser.add_argument("--episodes", type=count, metavar="N", help="stop after N episodes")


def size(text: str) -> tuple[int, int]:
    """Parse WIDTHxHEIGHT in px to (height, width); a type for argparse."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 160 <= int(width) <= 8192 and 120 <= int(height) <= 8192):
        raise argparse.ArgumentTypeError(f"must be WIDTHxHEIGHT in px, from 160x120 to 8192x8192, not {text!r}")
    return int(height), int(width)


def lanes(text: str) -> int:
    """Parse a number of lanes; a type for argparse."""
    return count(text, most=MAX_LANES)


def walks(text: str) -> int:
    """Parse a number of walks side by side; a type for argparse."""
    return count(text, most=MAX_WALKS)


def output(*suffixes: str) -> Callable[[str], Path]:
    """Return a type for argparse: a file that can be written, so that a bad one is refused before any work."""

    def parse(text: str) -> Path:
        try:
            check_writable(Path(text), *suffixes)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return Path(text)

    return parse


def folder(text: str) -> Path:
    """Parse a folder to write to, which may be new; a type for argparse."""
    try:
        check_folder(Path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Path(text)


def pair(text: str) -> tuple[str, Any]:
    """Parse NAME=VALUE; a value that Python reads as a number, tuple or dict is one, any other is a text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value


def bounds(text: str) -> tuple[str, tuple[int | None, int | None]]:
    """Parse NAME=LEAST:MOST, either of which may be missing; a type for argparse."""
    name, equals, both = text.partition("=")
    least, colon, most = both.partition(":")
    if not equals or not colon or not all(part == "" or part.isdecimal() for part in (least, most)):
        raise argparse.ArgumentTypeError(f"must be NAME=LEAST:MOST, such as path_length=110:, not {text!r}")
    return name, (int(least) if least else None, int(most) if most else None)


def letter(text: str) -> tuple[str, str]:
    """Parse LETTER=TILE; a type for argparse."""
    if len(text) != 3 or text[1] != "=":
        raise argparse.ArgumentTypeError(f"must be LETTER=TILE, such as E=G, not {text!r}")
    return text[0], text[2]


def place(text: str) -> tuple[int, int]:
    """Parse ROW,COLUMN; a type for argparse."""
    row, comma, column = text.partition(",")
    if not comma or not row.isdecimal() or not column.isdecimal():
        raise argparse.ArgumentTypeError(f"must be ROW,COLUMN, both from 0, not {text!r}")
    return int(row), int(column)


def knob(text: str) -> tuple[str, int | float | str]:
    """Parse NAME=VALUE, where a value is a number if it can be."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value

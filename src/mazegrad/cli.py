"""The command `mazegrad`: its words, what they take, and what becomes of errors."""

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from .script import count, natural, positive

_FIRST_EPISODE: Final = "of the first episode"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 for a check that failed, 2 for bad input, 130 after Ctrl-C."""
    try:
        arguments = _parser().parse_args(argv)
        for stream in (sys.stdout, sys.stderr):  # ● and ○ on a terminal that cannot write them are no reason to stop
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # imported here, so that --help and bad words are answered at once
        from gymnasium.error import Error

        from . import commands
        from .envs import NoDisplayError
        from .extras import MissingExtra

        try:
            with contextlib.redirect_stdout(_Output(sys.stdout or io.StringIO())) as output:
                code = getattr(commands, arguments.run)(arguments)
                output.flush()
        except (ValueError, OSError, MemoryError, MissingExtra, NoDisplayError, Error) as error:
            print(f"mazegrad: {str(error) or type(error).__name__}", file=sys.stderr)
            return 2
    except KeyboardInterrupt:
        return 130
    return code or 0


class _Output(io.TextIOBase):
    """Standard output; once nobody reads it any more (`| head`) the rest is dropped, and the command goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._dropping():
            self._stream.flush()

    @contextlib.contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(prog="mazegrad", description="Mazes, and minds that walk them.")
    parser.add_argument("--version", action="version", version=f"mazegrad {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(
        name: str, run: str, about: str, *, seed: str = "nothing here is random: no effect", epilog: str | None = None
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=about[0].lower() + about[1:].rstrip("."), description=about, epilog=epilog
        )
        made.add_argument("--seed", type=natural, default=0, metavar="N", help=f"{seed} (default: 0)")
        made.set_defaults(run=run)
        return made

    watch = command(
        "watch",
        "watch",
        "Watch an agent walk a maze, its mind beside it. Without a display: the walk as text, and a GIF.",
        seed=_FIRST_EPISODE,
        epilog="Keys: space pauses, right arrow steps, up/down speed, r restarts, s saves a PNG, q quits.",
    )
    _add_walk(watch)
    watch.add_argument("--gif", type=Path, metavar="FILE", help="write the walk as a GIF (extra: video)")
    watch.add_argument("--headless", action="store_true", help="open no window")

    play = command(
        "play",
        "play",
        "Walk yourself, with the arrow keys.",
        seed=_FIRST_EPISODE,
        epilog="Keys: the arrows move, r restarts, s saves a PNG, q quits.",
    )
    _add_world(play)

    command("list", "show_list", "List environments, mazes, agents, generators and solvers.")

    bench = command("bench", "bench", "Measure how many steps a second this machine makes.", seed="of maze and actions")
    bench.add_argument("--lanes", type=count, default=1024, metavar="N", help="that step together (default: 1024)")

    generate = command(
        "generate", "make_maze", "Generate a maze, and print it or write it to files.", seed="of the maze"
    )
    generate.add_argument("name", nargs="?", default="backtracker", metavar="GENERATOR", help="default: backtracker")
    generate.add_argument("--rows", type=count, default=10, metavar="N", help="of rooms (default: 10)")
    generate.add_argument("--columns", type=count, default=20, metavar="N", help="of rooms (default: 20)")
    generate.add_argument(
        "--knob",
        type=_knob,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="such as braid=0.5; may be repeated",
    )
    generate.add_argument("--out", type=Path, metavar="FILE", help="write the text there")
    generate.add_argument("--png", type=Path, metavar="FILE", help="write the picture there")

    solve = command(
        "solve",
        "solve",
        "Find a way to the goal of a maze, and compare the solvers.",
        seed="of solvers that choose at random",
    )
    solve.add_argument("maze", metavar="NAME|FILE", help="a shipped maze or a text file")
    solve.add_argument("--solver", default="breadth_first", metavar="NAME", help="whose way is drawn (breadth_first)")
    solve.add_argument("--png", type=Path, metavar="FILE", help="write the picture there")

    check = command(
        "check", "check", "Check whether W, U, b follow every path of dots, and if not, where they go wrong."
    )
    check.add_argument("submission", type=Path, metavar="FILE|FOLDER", help="W, U, b (and h0, feedback) as .npz")
    check.add_argument("--maze", metavar="NAME|FILE", help="walk this maze, and check nothing else")
    check.add_argument(
        "--length", type=count, default=12, metavar="N", help="of all paths tried, 1 to 16 (default: 12)"
    )
    check.add_argument("--json", action="store_true", help="print JSON")

    certify = command(
        "certify",
        "certify",
        "Prove whether a maze needs memory, or check such a proof.",
        seed="of the first of an ID's episodes",
    )
    certify.add_argument("maze", nargs="+", metavar="MAZE|ID|FILE.json", help="mazes of one task, or certificates")
    certify.add_argument("--observation", default="dots", metavar="NAME", help="default: dots")
    certify.add_argument("--view-size", type=count, default=7, metavar="N", help="side of the view (default: 7)")
    certify.add_argument("--discount", type=float, default=0.99, metavar="X", help="default: 0.99")
    certify.add_argument("--nodes", type=count, default=8, metavar="N", help="of a controller, at most (default: 8)")
    certify.add_argument("--time", type=positive, default=20.0, metavar="SECONDS", help="default: 20")
    certify.add_argument("--levels", type=count, default=8, metavar="N", help="episodes whose mazes an ID gives (8)")
    certify.add_argument("--json", type=Path, metavar="FILE", help="write the certificate there")
    certify.add_argument("--png", type=Path, metavar="FILE", help="draw the two places that look alike there")

    record = command(
        "record",
        "record",
        "Record an agent's walk: a .gif, an .mp4, or a .jsonl for `replay`.",
        seed=_FIRST_EPISODE,
    )
    record.add_argument("file", type=Path, metavar="FILE")
    _add_walk(record)

    replay = command("replay", "replay", "Run a recorded .jsonl again, and check each step bit for bit.")
    replay.add_argument("file", type=Path, metavar="FILE")
    return parser


def _add_world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--env", metavar="ID", help="an environment of `mazegrad list` (default: what fits the maze)")
    parser.add_argument(
        "--maze", metavar="NAME|FILE", help="a shipped maze or a text file (default: the environment's)"
    )
    parser.add_argument("--size", type=_size, metavar="WxH", help="of the picture in px (default: 1280x720)")


def _add_walk(parser: argparse.ArgumentParser) -> None:
    _add_world(parser)
    parser.add_argument("--agent", metavar="NAME", help="an agent of `mazegrad list` (default: what fits)")
    parser.add_argument("--fps", type=positive, default=6.0, metavar="N", help="steps a second (default: 6)")
    parser.add_argument("--episodes", type=count, metavar="N", help="stop after so many")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 160 <= int(width) <= 8192 and 120 <= int(height) <= 8192):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT in px, from 160x120 to 8192x8192")
    return int(height), int(width)


def _knob(text: str) -> tuple[str, int | float | str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value

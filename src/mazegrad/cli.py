"""The command `mazegrad`: its commands, their options, and how errors are reported."""

import argparse
import ast
import contextlib
import importlib.metadata
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

from .files import check_writable
from .script import count, in_words, natural, positive
from .terminal import replace_missing_characters

MAX_LANES: Final = 2**22  # of `bench`: takes about two gigabytes
_FIRST_EPISODE: Final = "seed of the first episode"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code: 0, 1 if the answer is no (a check failed, a maze has no way to its goal), 2 for bad input, 130
        after Ctrl-C.
    """
    try:
        replace_missing_characters()
        words = sys.argv[1:] if argv is None else argv
        if not words:
            _parser().print_help()
            return 0
        arguments = _parser().parse_args(words)
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # imported here, so that --help and bad options are answered at once
        from gymnasium.error import Error

        from . import commands
        from .envs import NoDisplayError
        from .extras import MissingExtra

        try:
            arguments.words = list(words)
            quiet = getattr(arguments, "no_map_warnings", False)
            with _map_warnings(quiet), contextlib.redirect_stdout(_Output(sys.stdout or io.StringIO())) as output:
                code = getattr(commands, arguments.run)(arguments)
                output.flush()
        except MemoryError as error:
            print(f"mazegrad: not enough memory ({error}); try a smaller size".replace(" ()", ""), file=sys.stderr)
            return 2
        except (ValueError, OSError, MissingExtra, NoDisplayError, Error) as error:
            print(f"mazegrad: {in_words(error)}", file=sys.stderr)
            return 2
    except KeyboardInterrupt:
        return 130
    return code or 0


@contextlib.contextmanager
def _map_warnings(quiet: bool) -> Iterator[None]:
    """Print each warning about a map once, as one line on stderr."""
    from .envs import MapWarning

    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if not issubclass(category, MapWarning):
            usual(message, category, *where, **more)
        elif str(message) not in said:
            said.add(str(message))
            print(f"mazegrad: warning: {message}".replace('format="', "--format ").rstrip('"'), file=sys.stderr)

    with warnings.catch_warnings():
        usual = warnings.showwarning
        warnings.showwarning = show
        warnings.simplefilter("ignore" if quiet else "always", MapWarning)
        yield


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"mazegrad: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    """Print the versions that a bug report needs."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from . import __version__

        beside = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "gymnasium", "pygame-ce"))
        python = ".".join(map(str, sys.version_info[:3]))
        print(f"mazegrad {__version__} (Python {python}, {beside})")
        parser.exit()


class _Output(io.TextIOBase):
    """Standard output; when its reader is gone (`| head`), the rest is dropped and the command goes on."""

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
    parser = _Parser(prog="mazegrad", description="Mazes, and agents that walk them.")
    parser.add_argument("--version", action=_Version, help="show the version, and those of what it stands on")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(
        name: str, run: str, about: str, *, seed: str = "no effect: nothing is random here", epilog: str | None = None
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
        "Watch an agent walk a maze, and what it computes. Without a display: the walk as text, and a GIF.",
        seed=_FIRST_EPISODE,
        epilog="Keys: space pauses, right arrow steps, up/down speed, r restarts, f full screen, s saves, q quits.",
    )
    watch.add_argument("agents", nargs="*", metavar="AGENT", help="agents of mazegrad list; several walk side by side")
    _add_walk(watch)
    watch.add_argument("--many", type=count, default=1, metavar="N", help="N walks of each agent, side by side")
    watch.add_argument("--gif", type=_output(".gif"), metavar="FILE", help="write the walk as a GIF (extra: video)")
    watch.add_argument("--headless", action="store_true", help="do not open a window")

    play = command(
        "play",
        "play",
        "Walk a maze yourself, with the arrow keys.",
        seed=_FIRST_EPISODE,
        epilog="Keys: the arrows move, r restarts, f full screen, s saves a PNG, q quits.",
    )
    _add_world(play)

    completion = command(
        "completion",
        "completion",
        "Print a script that completes commands and options in a shell (extra: completion).",
        epilog='bash: eval "$(mazegrad completion bash)" in ~/.bashrc; zsh: likewise in ~/.zshrc, after compinit',
    )
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="which shell")
    completion.set_defaults(parser=parser)

    listed = command("list", "show_list", "List environments, mazes, agents, map files, generators and solvers.")
    listed.add_argument("--tiles", action="store_true", help="list the tiles and the settings of maps instead")

    bench = command(
        "bench", "bench", "Measure how many steps a second this machine makes.", seed="seed of maze and actions"
    )
    bench.add_argument(
        "--lanes", type=_lanes, default=1024, metavar="N", help="lanes that step together (default: 1024)"
    )

    generate = command(
        "generate", "make_maze", "Generate a maze, and print it or write it to files.", seed="seed of the maze"
    )
    generate.add_argument(
        "name", nargs="?", default="backtracker", metavar="GENERATOR", help="see mazegrad list (default: backtracker)"
    )
    generate.add_argument("--rows", type=count, default=10, metavar="N", help="rows of rooms (default: 10)")
    generate.add_argument("--columns", type=count, default=20, metavar="N", help="columns of rooms (default: 20)")
    generate.add_argument(
        "--knob",
        type=_knob,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the generator, such as braid=0.5; may be repeated",
    )
    generate.add_argument(
        "--walls", choices=("tiles", "thin"), default="tiles", help="thin: between cells, a tile for each room"
    )
    generate.add_argument("--out", type=_output(), metavar="FILE", help="write the maze to this file")
    generate.add_argument("--png", type=_output(".png"), metavar="FILE", help="write a picture to this file")
    generate.add_argument("--gif", type=_output(".gif"), metavar="FILE", help="write how it grows (extra: video)")
    generate.add_argument("--size", type=_size, metavar="WxH", help="size of pictures, px (default: as the maze needs)")

    convert = command("convert", "convert", "Read a maze in one format and write it in another; see mazegrad list.")
    convert.add_argument("maze", metavar="NAME|FILE", help="a shipped maze or a file")
    convert.add_argument("out", type=_output(), metavar="FILE", help="written in the format of its suffix")
    convert.add_argument("--format", metavar="NAME", help="of the maze, where its suffix does not say so")
    convert.add_argument("--to", metavar="NAME", help="the format to write, where the suffix does not say so")

    solve = command(
        "solve",
        "solve",
        "Find a way to the goal of a maze, and compare the solvers.",
        seed="seed of solvers that choose at random",
    )
    solve.add_argument("maze", metavar="NAME|FILE", help="a shipped maze or a file")
    _add_format(solve)
    solve.add_argument(
        "--solver", default="breadth_first", metavar="NAME", help="whose way is drawn (default: breadth_first)"
    )
    solve.add_argument("--png", type=_output(".png"), metavar="FILE", help="write a picture to this file")
    solve.add_argument("--gif", type=_output(".gif"), metavar="FILE", help="write the search (extra: video)")
    solve.add_argument("--size", type=_size, metavar="WxH", help="size of pictures, px (default: as the maze needs)")

    check = command(
        "check",
        "check",
        "Mark what is handed in for exercises 38, 39 and 41, or a folder of it: points, and what is wrong where.",
        seed="seed of the numbers that submitted functions are called with",
    )
    check.add_argument(
        "submission", type=Path, metavar="FILE|FOLDER",
        help="38: an .npz with W, U, b (and h0, feedback); 39: an .npz with U_1, U_2, or a .py; 41: a .py",
    )  # fmt: skip
    check.add_argument(
        "--exercise", type=int, choices=(38, 39, 41), metavar="N", help="38, 39 or 41 (default: what a file holds)"
    )
    check.add_argument("--maze", metavar="NAME|FILE", help="38: check this maze only")
    _add_format(check)
    check.add_argument(
        "--length",
        type=count,
        default=12,
        metavar="N",
        help="38: try all paths up to this length, 1 to 16 (default: 12)",
    )
    check.add_argument(
        "--time", type=count, default=10, metavar="SECONDS", help="processor time of a Python file (default: 10)"
    )
    check.add_argument("--memory", type=count, default=1024, metavar="MIB", help="memory of it (default: 1024)")
    check.add_argument("--jobs", type=count, default=1, metavar="N", help="mark N submissions at once (default: 1)")
    check.add_argument("--csv", type=_output(".csv"), metavar="FILE", help="write the points as a table")
    check.add_argument("--json", action="store_true", help="print JSON")

    certify = command(
        "certify",
        "certify",
        "Prove whether a maze needs memory, or check such a proof.",
        seed="seed of an ID's first episode",
    )
    certify.add_argument(
        "maze", nargs="+", metavar="MAZE|ID|FILE.json", help="the mazes of one task, or a certificate to check"
    )
    _add_format(certify)
    certify.add_argument("--observation", default="dots", metavar="NAME", help="what the agent sees (default: dots)")
    certify.add_argument("--view-size", type=count, default=7, metavar="N", help="side of the view (default: 7)")
    certify.add_argument(
        "--discount", type=float, default=0.99, metavar="X", help="discount of rewards (default: 0.99)"
    )
    certify.add_argument("--nodes", type=count, default=8, metavar="N", help="largest controller to try (default: 8)")
    certify.add_argument("--time", type=positive, default=20.0, metavar="SECONDS", help="time limit (default: 20)")
    certify.add_argument(
        "--levels", type=count, default=8, metavar="N", help="take the mazes of an ID's first N episodes (default: 8)"
    )
    _add_pair(certify, "--world", "a keyword of an ID's environment, such as size=3,3")
    certify.add_argument(
        "--agent",
        action="append",
        default=[],
        dest="agents",
        metavar="NAME|FILE",
        help="measure an agent too: a name of mazegrad list, an .npz or a .zip; may be given several times",
    )
    certify.add_argument(
        "--episodes", type=count, default=1000, metavar="N", help="by which agents are measured (default: 1,000)"
    )
    certify.add_argument("--json", type=_output(".json"), metavar="FILE", help="write the certificate to this file")
    certify.add_argument(
        "--png", type=_output(".png"), metavar="FILE", help="draw the two places that look alike to this file"
    )

    record = command(
        "record",
        "record",
        "Record an agent's walk: a .gif, an .mp4, or a .jsonl for `replay`.",
        seed=_FIRST_EPISODE,
    )
    record.add_argument("file", type=_output(".gif", ".mp4", ".jsonl"), metavar="FILE")
    _add_walk(record)

    train = command(
        "train",
        "train",
        "Train an agent, save it, and print where its score stands. Ctrl-C stops and saves; --resume continues.",
        seed="seed of weights, mazes and actions",
        epilog="`mazegrad watch --agent walker.npz` shows what was trained, `mazegrad evaluate walker.npz` its score.",
    )
    train.add_argument("env", nargs="?", metavar="ID", help="an environment of mazegrad list")
    train.add_argument(
        "--agent",
        default="ppo",
        metavar="NAME",
        help="a net: ppo, reinforce or dagger; a table: q_learning, double_q_learning, sarsa, expected_sarsa, dyna_q"
        " or prioritized_sweeping (default: ppo)",
    )
    train.add_argument(
        "--steps", type=count, default=1_000_000, metavar="N", help="total number of steps (default: 1,000,000)"
    )
    train.add_argument("--save", type=_output(".npz"), metavar="FILE", help="where to save it (default: walker.npz)")
    train.add_argument("--resume", type=Path, metavar="FILE", help="continue from this file, bit for bit")
    train.add_argument("--lanes", type=_lanes, default=64, metavar="N", help="lanes that walk at once (default: 64)")
    train.add_argument(
        "--observation", metavar="NAME", help="what the agent sees (default: dots for a net, index for a table)"
    )
    train.add_argument("--cell", default="gru", metavar="NAME", help="none, linear, rnn, gru or lstm (default: gru)")
    train.add_argument("--hidden", type=count, default=64, metavar="N", help="units of a layer (default: 64)")
    train.add_argument("--layers", type=count, default=1, metavar="N", help="recurrent layers (default: 1)")
    _add_pair(train, "--net", "a setting of the net: keeps=300 or previous_action=False")
    train.add_argument("--from", dest="begin_with", type=Path, metavar="FILE", help="begin with the net of this file")
    _add_pair(train, "--set", "a setting of the learner, such as segment=128")
    train.add_argument("--curve", type=_output(".png"), metavar="FILE", help="draw the learning curve (extra: plot)")
    train.add_argument("--log", type=Path, metavar="FOLDER", help="write curves for TensorBoard (extra: tensorboard)")
    train.add_argument("--episodes", type=count, default=200, metavar="N", help="evaluation episodes (default: 200)")

    evaluate = command(
        "evaluate",
        "evaluate",
        "Print an agent's score beside chance, the best policy without memory, and the optimum.",
        seed=f"{_FIRST_EPISODE}; plus 1,000,000",
    )
    evaluate.add_argument(
        "agent", metavar="FILE|NAME", help="what train wrote, a .zip of Stable-Baselines3, or an agent of mazegrad list"
    )
    evaluate.add_argument("--env", metavar="ID", help="an environment (default: where it was trained)")
    evaluate.add_argument("--episodes", type=count, default=200, metavar="N", help="evaluation episodes (default: 200)")
    evaluate.add_argument("--sampled", action="store_true", help="draw the actions of a net by their probabilities")
    evaluate.add_argument(
        "--within", type=positive, metavar="X", help="also say how many arrive within X times the shortest way"
    )
    for parser_with_world in (train, evaluate):
        parser_with_world.add_argument("--maze", metavar="NAME|FILE", help="a maze, for the environments that take one")
        _add_format(parser_with_world)
        _add_pair(parser_with_world, "--world", "a keyword of the environment, such as corridor=20")

    scores = command(
        "scores",
        "scores",
        "Train every learner in every environment, and write a page of their scores. Ctrl-C loses nothing: the same"
        " command goes on.",
        seed="no effect: runs have the seeds 0, 1, ...",
    )
    scores.add_argument("--ids", nargs="+", metavar="ID", help="environments (default: all)")
    scores.add_argument("--learners", nargs="+", metavar="NAME", help="such as q_learning, ppo (default: all)")
    scores.add_argument("--seeds", type=count, default=10, metavar="N", help="runs of each learner (default: 10)")
    scores.add_argument(
        "--steps", type=count, metavar="N", help="steps of a run (default: 100,000 for a table, 200,000 for a net)"
    )
    scores.add_argument("--observations", nargs="+", metavar="NAME", help="for the table of difficulty (default: all)")
    scores.add_argument(
        "--wide-seeds",
        type=natural,
        default=3,
        metavar="N",
        help="runs with each of them; 0: no such table (default: 3)",
    )
    scores.add_argument(
        "--out",
        type=_output(".md"),
        default=Path("scores.md"),
        metavar="FILE",
        help="the page; finished runs are kept beside it, in a .jsonl (default: scores.md)",
    )
    scores.add_argument("--jobs", type=count, default=1, metavar="N", help="processes at once (default: 1)")
    scores.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="as tasks of Ray: on this machine, or on the cluster at an address, such as auto",
    )
    scores.add_argument(
        "--check", action="store_true", help="is this installation right? Repeat a few small runs and compare"
    )

    dataset = command(
        "dataset",
        "dataset",
        "Write data sets: an agent's steps in an environment, with V* and the best actions, for Minari; or mazes with"
        " their shortest paths (maze-hard), for those who train models to reason.",
        seed="of the first episode, and of all that is drawn",
        epilog="The same command writes the same data. For Minari the extra minari is needed.",
    )
    dataset.add_argument("name", nargs="+", metavar="ID", help="environments of mazegrad list, all, or maze-hard")
    dataset.add_argument("--size", type=count, default=30, metavar="N", help="maze-hard: tiles of a side (default: 30)")
    dataset.add_argument("--n", type=count, default=1000, metavar="N", help="maze-hard: mazes in all (default: 1000)")
    dataset.add_argument("--pictures", type=natural, default=0, metavar="N", help="maze-hard: PNGs of each split too")
    dataset.add_argument(
        "--level",
        action="append",
        metavar="NAME",
        help="random, learner_1, learner_2, learner_3 (of one training), optimal; may be repeated (default: all)",
    )
    dataset.add_argument("--agent", type=Path, metavar="FILE", help="an agent that train wrote, in place of a level")
    dataset.add_argument("--epsilon", type=float, default=0.0, metavar="P", help="share of random actions (default: 0)")
    dataset.add_argument("--steps", type=count, default=100_000, metavar="N", help="of each set (default: 100,000)")
    dataset.add_argument("--lanes", type=_lanes, default=1024, metavar="N", help="walking at once (default: 1024)")
    dataset.add_argument(
        "--observation", action="append", metavar="NAME", help="what is kept; may be repeated (default: view)"
    )
    dataset.add_argument(
        "--training", type=count, default=60_000, metavar="N", help="steps of the learner in all (default: 60,000)"
    )
    dataset.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: Minari's folder)")
    _add_pair(dataset, "--world", "a keyword of the environments, such as corridor=20")

    page = command(
        "page",
        "page",
        "Write the playground as one HTML file, for any browser, without a server.",
        seed="seed of an ID's first episode",
    )
    page.add_argument(
        "mazes",
        nargs="*",
        metavar="MAP|FILE|ID",
        help="offered first: mazes, environments, recorded .jsonl runs; an .npz with W, U, b; an automaton's JSON",
    )
    page.add_argument(
        "--out", type=_output(".html"), default=Path("page.html"), metavar="FILE", help="default: page.html"
    )
    _add_format(page)

    edit = command("edit", "edit", "Draw a maze in a browser.", seed="seed of an ID's first episode")
    edit.add_argument("maze", nargs="?", metavar="MAP|FILE|ID", help="to begin with (default: exercise 38's path)")
    edit.add_argument(
        "--out", type=_output(".html"), metavar="FILE", help="keep the page (default: in the temporary folder)"
    )
    _add_format(edit)

    replay = command("replay", "replay", "Run a recorded .jsonl again, and check each step bit for bit.")
    replay.add_argument("file", type=Path, metavar="FILE")
    return parser


def _add_world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--env", metavar="ID", help="an environment of mazegrad list (default: one that fits the maze)")
    parser.add_argument("--maze", metavar="NAME|FILE", help="a shipped maze or a file (default: the environment's)")
    _add_format(parser)
    parser.add_argument(
        "--size",
        type=_size,
        metavar="WxH",
        help="size of the picture in px (default: 1280x720, a window nearly the screen's)",
    )
    parser.add_argument(
        "--large", action="store_true", help="letters for a lecture hall: 18 points and more on a slide"
    )


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", metavar="NAME", help="of the maze's file, see mazegrad list (default: by its name)")
    parser.add_argument(
        "--no-map-warnings", action="store_true", help="do not question maps, such as one without a goal"
    )


def _add_pair(parser: argparse.ArgumentParser, option: str, about: str) -> None:
    parser.add_argument(
        option, type=_pair, action="append", default=[], metavar="NAME=VALUE", help=f"{about}; may be repeated"
    )


def _add_walk(parser: argparse.ArgumentParser) -> None:
    _add_world(parser)
    parser.add_argument(
        "--agent",
        metavar="NAME|FILE",
        help="an agent of mazegrad list, an .npz with W, U, b, or a .zip of Stable-Baselines3 (default: one that "
        "fits the environment)",
    )
    parser.add_argument("--fps", type=positive, default=6.0, metavar="N", help="steps a second (default: 6)")
    parser.add_argument("--episodes", type=count, metavar="N", help="stop after N episodes")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 160 <= int(width) <= 8192 and 120 <= int(height) <= 8192):
        raise argparse.ArgumentTypeError(f"must be WIDTHxHEIGHT in px, from 160x120 to 8192x8192, not {text!r}")
    return int(height), int(width)


def _lanes(text: str) -> int:
    return count(text, most=MAX_LANES)


def _output(*suffixes: str) -> Callable[[str], Path]:
    """Return a type for argparse: a file that can be written, so that a bad one is refused before any work."""

    def parse(text: str) -> Path:
        try:
            check_writable(Path(text), *suffixes)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return Path(text)

    return parse


def _pair(text: str) -> tuple[str, Any]:
    """Parse NAME=VALUE; a value that Python reads as a number, tuple or dict is one, any other is a text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value


def _knob(text: str) -> tuple[str, int | float | str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value

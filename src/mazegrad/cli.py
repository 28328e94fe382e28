"""The command `mazegrad`: it reads the words, runs the command, and reports errors; commands/ has the options."""

import argparse
import contextlib
import difflib
import importlib
import importlib.metadata
import io
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, TextIO

from .colour import paint
from .commands import add_commands
from .script import in_words
from .terminal import replace_missing_characters


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
        arguments = _parsed(words)
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # imported here, so that --help and bad options are answered at once
        from gymnasium.error import Error

        from .envs import NoDisplayError
        from .extras import MissingExtra

        try:
            arguments.words = list(words)
            quiet = getattr(arguments, "no_map_warnings", False)
            with _map_warnings(quiet), contextlib.redirect_stdout(_Output(sys.stdout or io.StringIO())) as output:
                file, function = arguments.run.split(":")
                code = getattr(importlib.import_module(f".{file}", __package__), function)(arguments)
                output.flush()
        except MemoryError as error:
            return _failed(f"not enough memory ({error}); try a smaller size".replace(" ()", ""))
        except (ValueError, OSError, MissingExtra, NoDisplayError, Error) as error:
            return _failed(in_words(error))
    except KeyboardInterrupt:
        print(f"\n{paint('mazegrad:', 'doubt', sys.stderr)} interrupted", file=sys.stderr)
        return 130
    return code or 0


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """Read the words; one that is left over is an error of its command, whose help says what it takes."""
    parser = _parser()
    if not words[0].startswith("-") and words[0] not in parser.commands:
        hint = _near(words[0], parser.commands) or f"; known: {', '.join(parser.commands)}"
        parser.error(f"unknown command {words[0]!r}{hint}")
    arguments, left = parser.parse_known_args(words)
    if left:
        command = parser.commands.get(words[0], parser)
        command.error(f"unknown argument {left[0]!r}{_near(left[0], re.findall('--[a-z-]+', command.format_help()))}")
    return arguments


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _failed(message: str) -> int:
    print(f"{paint('mazegrad:', 'bad', sys.stderr)} {_as_option(message)}", file=sys.stderr)
    return 2


def _as_option(message: str) -> str:
    """Return a message with `format="name"`, as it is said in Python, as the command line has it."""
    return re.sub(r'format="(\w+)"', r"--format \1", message)


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
            line = f"{paint('mazegrad: warning:', 'doubt', sys.stderr)} {message}"
            print(_as_option(line), file=sys.stderr)

    with warnings.catch_warnings():
        usual = warnings.showwarning
        warnings.showwarning = show
        warnings.simplefilter("ignore" if quiet else "always", MapWarning)
        yield


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    commands: Mapping[str, argparse.ArgumentParser] = MappingProxyType({})
    """name -> the parser of its words"""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{paint('mazegrad:', 'bad', sys.stderr)} {message} (see {self.prog} --help)\n")


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

    def isatty(self) -> bool:
        return self._stream.isatty()

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


def _parser() -> _Parser:
    parser = _Parser(prog="mazegrad", description="Mazes, and agents that walk them.")
    parser.add_argument("--version", action=_Version, help="show the version, and those of what it stands on")
    parser.commands = add_commands(parser)
    return parser

"""Options of the commands about the package itself: list, bench, completion."""

import argparse

from ..extras import require
from .options import Commands, lanes


def add(commands: Commands) -> None:
    """Add them."""
    _list(commands)
    _bench(commands)
    _completion(commands)


def _list(commands: Commands) -> None:
    listed = commands.add(
        "list", "listing:show_list", "List environments, mazes, agents, map files, generators and solvers."
    )
    listed.add_argument("--tiles", action="store_true", help="list the tiles and the settings of maps instead")


def _bench(commands: Commands) -> None:
    bench = commands.add(
        "bench",
        "bench:print_rates",
        "Measure how many steps a second this machine makes.",
        seed="seed of maze and actions",
    )
    bench.add_argument(
        "--lanes", type=lanes, default=1024, metavar="N", help="lanes that step together (default: 1024)"
    )


def _completion(commands: Commands) -> None:
    completion = commands.add(
        "completion",
        "commands.about:complete",
        "Print a script that completes commands and options in a shell (extra: completion).",
        epilog='bash: eval "$(mazegrad completion bash)" in ~/.bashrc; zsh: likewise in ~/.zshrc, after compinit',
    )
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="which shell")
    completion.set_defaults(parser=commands.parser)


def complete(arguments: argparse.Namespace) -> None:
    """Print a shell's completion script."""
    shtab = require("shtab", "completion")
    print(shtab.complete(arguments.parser, shell=arguments.shell))

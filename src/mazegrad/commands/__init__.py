"""The commands of the command line, a file for each group: their options, and the name of what runs.

Nothing here imports what a command needs to run, so that `--help` and bad options are answered at once.
"""

import argparse
from collections.abc import Mapping

from . import about, exercises, learning, mazes, pages, walks
from .options import Commands


def add_commands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Add all commands to a parser, in the order in which its help shows them; return the parser of each."""
    commands = Commands(parser)
    for group in (walks, mazes, exercises, learning, pages, about):
        group.add(commands)
    return commands.parsers

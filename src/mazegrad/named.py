"""What a user names at the command line: environments, mazes and agents, each by name or by file."""

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import gymnasium

from . import _TABULAR
from .adapters.sb3_files import read_sb3
from .agents import AGENTS, named_agent
from .agents.named import NamedAgent
from .envs import MAZES, Maze, MazeEnv
from .envs.maps.arguments import nearest
from .envs.maps.shipped import find_maze
from .files import kind_of
from .nets import read_net
from .trained import holds_trained, read_trained

_NAMESPACE = "mazegrad/"
_OTHER_COMMANDS: Final = {
    "a recorded run": "; see `mazegrad replay`",
    "a memory certificate": "; see `mazegrad certify`",
}
_NOT_OF_WORLDS: Final = (
    "self",
    "num_envs",
    "check",
    "map_warnings",
    "render_mode",
)  # a command's own


def environment_ids() -> Iterator[str]:
    """Yield the ids of this package's environments of mazes."""
    tabular = {_NAMESPACE + f"{name}-v0" for name in _TABULAR}
    return (env_id for env_id in gymnasium.registry if env_id.startswith(_NAMESPACE) and env_id not in tabular)


def find_environment(name: str) -> str:
    """Return the id of an environment, given with or without "mazegrad/".

    Raises:
        ValueError: it is not one of this package's.
    """
    env_id = name if "/" in name else _NAMESPACE + name
    if env_id in environment_ids():
        return env_id
    if env_id.removeprefix(_NAMESPACE).removesuffix("-v0") in _TABULAR:
        raise ValueError(f"{env_id} has states but no maze, so no command shows it; gymnasium.make makes it in Python")
    if name in gymnasium.registry:
        raise ValueError(f"{name} is not an environment of mazegrad; `mazegrad list` shows those that are")
    known = [known.removeprefix(_NAMESPACE) for known in environment_ids()]
    raise ValueError(f"unknown environment {name!r}{nearest(name.removeprefix(_NAMESPACE), known)}")


def is_id(name: str) -> bool:
    """Return whether a name, with or without "mazegrad/", is that of an environment rather than of a maze."""
    return name.startswith(_NAMESPACE) or _NAMESPACE + name in gymnasium.registry


def make_env(env_id: str, **keywords: Any) -> gymnasium.Env[Any, Any]:
    """Make an environment with keywords that a user has given.

    Raises:
        ValueError: a keyword that it does not take, or of another type.
    """
    try:
        return gymnasium.make(env_id, **keywords)
    except TypeError as error:
        raise ValueError(bad_keyword(env_id, error)) from None


def bad_keyword(env_id: str, error: TypeError) -> str:
    """Return in plain words what is wrong with the keywords that an environment was to be made with."""
    message = str(error).partition(" was raised from the environment creator")[0]
    unknown = re.search("unexpected keyword argument '(.*?)'", message)
    if unknown is not None:
        message = f"unknown keyword {unknown[1]!r}{nearest(unknown[1], _keywords(env_id))}"
    elif "multiple values for keyword argument" in message:
        message = f"{message.split()[-1]} cannot be set here"
    return f"{env_id}: {message}"


def _keywords(env_id: str) -> Sequence[str]:
    """Return the names of the keywords that an environment takes."""
    entry = gymnasium.spec(env_id).entry_point
    if isinstance(entry, str):
        file, name = entry.split(":")
        entry = getattr(importlib.import_module(file), name)
    taken = [p for made in (entry, MazeEnv) if made is not None for p in inspect.signature(made).parameters.values()]
    names = [p.name for p in taken if p.kind is not p.VAR_KEYWORD and p.name not in _NOT_OF_WORLDS]
    return [*dict.fromkeys(names)]


def named_maze(name: str, format: str | None) -> Maze:
    """Return a shipped maze or the maze in a file of this format, None for the one that its name says.

    Raises:
        ValueError: neither, or the file holds something else, which the message names.
    """
    if name in MAZES and format is not None:
        raise ValueError(f"--format says how a file is read, and {name} is a shipped maze: leave it out")
    try:
        return find_maze(name, format)
    except ValueError:
        if name in MAZES or not Path(name).is_file() or (kind := kind_of(Path(name))) == "text":
            raise
        raise ValueError(f"{name} is {kind}, not a maze{_OTHER_COMMANDS.get(kind, '')}") from None


def choose_agent(name: str) -> NamedAgent:
    """Return an agent by its name, or that in a file.

    Files are .npz, what `train` wrote or W, U, b (see `read_net`), or .zip, what Stable-Baselines3 wrote (see
    `read_sb3`).

    Raises:
        ValueError: an unknown name, or the file holds something else.
    """
    if name in AGENTS or not (name.lower().endswith((".npz", ".zip")) or Path(name).is_file()):
        return named_agent(name)
    if name.lower().endswith(".zip"):
        policy = read_sb3(Path(name))
        return NamedAgent(f"the model in {name}", "dots" if policy.inputs == 4 else "net", lambda world, rng: policy)
    if holds_trained(Path(name)):
        trained = read_trained(Path(name))
        agent = trained.agent
        seen = str(trained.what_it_sees.get("observation", "dots"))
        return NamedAgent(f"the {trained.kind} in {name}", seen, lambda world, rng: agent)
    net = read_net(Path(name))
    return NamedAgent(f"the net in {name}", "dots", lambda world, rng: net)

"""What a user names at the command line: environments, mazes and agents, each by name or by file."""

from collections.abc import Iterator
from pathlib import Path

import gymnasium

from . import _TABULAR
from .adapters.sb3_files import read_sb3
from .agents import AGENTS, named_agent
from .agents.named import NamedAgent
from .envs import MAZES, Maze
from .envs.maps.arguments import nearest
from .envs.maps.shipped import find_maze
from .files import kind_of
from .nets import read_net
from .trained import holds_trained, read_trained

_NAMESPACE = "mazegrad/"
_OTHER_COMMANDS = {"a recorded run": "; see `mazegrad replay`", "a memory certificate": "; see `mazegrad certify`"}


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
    if name in gymnasium.registry:
        raise ValueError(f"{name} is not an environment of mazegrad; `mazegrad list` shows those that are")
    known = [known.removeprefix(_NAMESPACE) for known in environment_ids()]
    raise ValueError(f"unknown environment {name!r}{nearest(name.removeprefix(_NAMESPACE), known)}")


def named_maze(name: str, format: str | None) -> Maze:
    """Return a shipped maze or the maze in a file of this format, None for the one that its name says.

    Raises:
        ValueError: neither, or the file holds something else, which the message names.
    """
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
